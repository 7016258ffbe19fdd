"""Parsers that know only a file format: no task, no tensor, neither torch nor AllenNLP."""
