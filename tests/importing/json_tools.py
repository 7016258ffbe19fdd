"""Importers of JSON without the files that they write: quick enough for property tests."""

from __future__ import annotations

import argparse
import importlib
import json
import tempfile
from functools import cache, partial
from pathlib import Path
from typing import Any

from hmtl.formats.annotated import Document
from hmtl.importing import annotators, json_corpus, label_studio, prodigy
from hmtl.importing.json_corpus import Entries
from hmtl.importing.standoff import DocumentMaker
from hmtl.importing.tally import Tally
from tests.importing.importing import TEXT_IN_LINES

FORMATS = ("char_jsonl", "doccano", "label_studio", "prodigy")


@cache
def _maker() -> DocumentMaker:
    parser = argparse.ArgumentParser()
    json_corpus.add_arguments(parser)
    return DocumentMaker(parser.parse_args(TEXT_IN_LINES), Tally())


def entries_of(format_name: str) -> Entries:
    if format_name == "label_studio":
        return label_studio.Reader(None, annotators.VOTE)
    if format_name == "prodigy":
        return partial(prodigy.entries, None)
    entries: Entries = importlib.import_module(f"hmtl.importing.{format_name}").entries
    return entries


def documents_of(format_name: str, content: bytes) -> list[Document]:
    """The documents of a file with this content, of blank-separated words and a sentence a line."""
    maker, tally = _maker(), Tally()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file.json")
        path.write_bytes(content)
        found = [make(name) for name, _, make in entries_of(format_name)(path, maker, tally)]
        tally.faults.check()
        return found


def lines(*records: Any) -> bytes:
    """Records as JSON lines."""
    return "".join(f"{json.dumps(record)}\n" for record in records).encode()
