"""HMTL: multi-task training of NER, mention detection, relations and coreference in one hierarchy."""

__version__ = "0.1.0"
