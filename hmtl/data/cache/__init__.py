"""Indexed corpora as files of arrays."""
