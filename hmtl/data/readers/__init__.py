"""Readers of corpora, by the names that configs give."""
