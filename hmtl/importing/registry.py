"""The formats that `hmtl import` knows."""

from __future__ import annotations

import argparse
import importlib
from typing import Protocol, cast

from hmtl.importing.tally import Tally

# By the name on the command line: the module, and the line of help in the list of formats.
FORMATS = {
    "ace2005": (
        "hmtl.importing.ace2005",
        "the LDC release of ACE 2005 (or 2004), .sgm and .apf.xml",
    ),
    "brat": ("hmtl.importing.brat", "brat standoff, .txt and .ann"),
    "cas": ("hmtl.importing.cas", "UIMA CAS in XMI or JSON, of INCEpTION and others"),
    "char_jsonl": (
        "hmtl.importing.char_jsonl",
        "JSON lines with places of characters, as any script can write",
    ),
    "conll2012": (
        "hmtl.importing.conll2012_corpus",
        "CoNLL-2012 columns, as the readers take them",
    ),
    "conll2003": ("hmtl.importing.conll_columns", "CoNLL-2003 and other BIO/IOB1/BIOUL columns"),
    "conllu": ("hmtl.importing.conllu", "CoNLL-U with mentions in Entity=, as GUM and CorefUD"),
    "docbin": ("hmtl.importing.docbin", "spaCy's DocBin, .spacy"),
    "doccano": ("hmtl.importing.doccano", "doccano's JSON lines, of labels or of relations"),
    "docred": ("hmtl.importing.docred", "DocRED and Re-DocRED JSON"),
    "dygie": ("hmtl.importing.dygie", "JSON lines of SciERC and DyGIE++"),
    "huggingface": (
        "hmtl.importing.huggingface",
        "a data set of Hugging Face's with tokens and tags: saved to disk, .parquet, .arrow, .jsonl",
    ),
    "label_studio": (
        "hmtl.importing.label_studio",
        "Label Studio's JSON and JSON-MIN exports",
    ),
    "like_conll": (
        "hmtl.importing.like_conll_corpus",
        "like_conll columns, as the readers take them",
    ),
    "ontonotes": ("hmtl.importing.ontonotes", "the OntoNotes 5 release, or CoNLL-2012 skeletons"),
    "prodigy": ("hmtl.importing.prodigy", "Prodigy's JSON lines, with spans and relations"),
    "webanno": ("hmtl.importing.webanno", "WebAnno TSV 3, of WebAnno and INCEpTION"),
}


class Importer(Protocol):
    """What a module of a format offers."""

    __doc__: str | None

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Adds the options of the format."""

    def run(self, arguments: argparse.Namespace) -> Tally:
        """Reads `arguments.source` and writes `arguments.target`."""


def importer(name: str) -> Importer:
    """The module of a format."""
    return cast(Importer, importlib.import_module(FORMATS[name][0]))
