"""
WebAnno TSV 3: the exports of WebAnno and INCEpTION, one .tsv file or a folder of them, a document a file.

Layers of spans become mentions or names, relations relations, and chains clusters; options choose them.
Words and sentences are those of the file. An annotation of a part of a token splits it, or as --borders says.
A span without a label is no mention, but may stand in a relation. Slots of annotations, labels of links in
chains and further features are left out and counted.
"""

from __future__ import annotations

import argparse

from hmtl.formats.webanno import SUFFIX
from hmtl.importing import corpus_writer, layers, splits
from hmtl.importing.column_corpus import part_that_tells
from hmtl.importing.layers import LayerConverter
from hmtl.importing.naming import UniqueNames
from hmtl.importing.sources import files_in, name_of
from hmtl.importing.tally import Tally
from hmtl.importing.webanno_files import read_tsv


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the format."""
    layers.add_arguments(parser)
    corpus_writer.add_arguments(parser, default_layout="like_conll")


def run(arguments: argparse.Namespace) -> Tally:
    """Converts a file or a folder."""
    tally = Tally()
    source = arguments.source
    names = UniqueNames(tally)
    files = {
        names.of(name_of(path, source).removesuffix(path.suffix)): path
        for path in files_in(source, [SUFFIX])
    }
    own = {name: part_that_tells(path, source) for name, path in files.items()}
    division = splits.choose(arguments, own.keys, splits.of_source(own))
    documents = LayerConverter(arguments, tally).documents(files, read_tsv)
    corpus_writer.write_corpus(arguments, documents, division, tally, len(files))
    return tally
