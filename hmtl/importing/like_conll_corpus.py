"""
like_conll files, which mention_ace, relation_ace and coref_ace read: a file or a folder of them, to be split
anew or written for other tools.
"""

from __future__ import annotations

import argparse
from functools import partial

from hmtl.formats.files import documents_in
from hmtl.formats.like_conll import SUFFIX, read_documents
from hmtl.importing import column_corpus, corpus_writer
from hmtl.importing.tally import Tally


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the format."""
    corpus_writer.add_arguments(parser, default_layout="brat")


def run(arguments: argparse.Namespace) -> Tally:
    """Converts a file or a folder."""
    files = documents_in(arguments.source, SUFFIX)
    names = partial(read_documents, mentions=False, relations=False, coreference=False)
    return column_corpus.convert(arguments, files, read_documents, names)
