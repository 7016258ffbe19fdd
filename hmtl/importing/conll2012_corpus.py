"""
CoNLL-2012 files, which ner_ontonotes and coref read: a file or a folder of them, to be split anew or written
for other tools.
"""

from __future__ import annotations

import argparse

from hmtl.formats.conll2012 import corpus_files, read_documents
from hmtl.importing import column_corpus, corpus_writer
from hmtl.importing.tally import Tally


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the format."""
    corpus_writer.add_arguments(parser, default_layout="brat")


def run(arguments: argparse.Namespace) -> Tally:
    """Converts a file or a folder."""
    files = corpus_files(arguments.source)
    return column_corpus.convert(arguments, files, read_documents, read_documents)
