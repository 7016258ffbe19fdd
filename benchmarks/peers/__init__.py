"""Other libraries on the same files, with the same time, scored by the same scorer."""
