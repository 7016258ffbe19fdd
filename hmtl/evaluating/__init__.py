"""Scores of files and of runs, and the reasons for them."""
