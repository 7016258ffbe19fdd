"""The multi-task trainer and what it is made of."""
