"""The model as one writes it first, for the benchmarks to compare with. Nothing here tries to be fast."""
