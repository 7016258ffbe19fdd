"""
WebAnno TSV 3: the exports of WebAnno and INCEpTION, one .tsv file or a folder of them, a document a file.

Layers of spans become mentions or names, relations relations, and chains clusters; options choose them.
Words and sentences are those of the file. An annotation of a part of a token splits it, or as --borders says.
A span without a label is no mention, but may stand in a relation. Slots of annotations, labels of links in
chains and further features are left out and counted. Files of one text are those of its annotators:
INCEpTION's curation counts if there is one, and else what --annotators says; the others are left out.
"""

from __future__ import annotations

import argparse

from hmtl.formats.webanno import SUFFIX
from hmtl.importing import layers
from hmtl.importing.tally import Tally
from hmtl.importing.webanno_files import read_text, read_tsv

add_arguments = layers.add_arguments


def run(arguments: argparse.Namespace) -> Tally:
    """Converts a file or a folder."""
    return layers.convert(arguments, [SUFFIX], read_tsv, read_text)
