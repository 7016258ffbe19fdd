"""Corpora and configs looked at before training."""
