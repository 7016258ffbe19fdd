"""What every other package may use: files, devices, signals, tables."""
