"""The task heads, one file each."""
