"""Running an importer as its script does, and reading what it writes."""

from __future__ import annotations

import argparse
from pathlib import Path

from hmtl.formats import conll2012, like_conll
from hmtl.formats.annotated import Document
from hmtl.importing.registry import importer
from hmtl.importing.tally import Tally

TEXT_IN_LINES = ("--tokens", "whitespace", "--sentences", "lines")


def run_import(format_name: str, source: Path, target: Path, *options: str) -> Tally:
    """What `prepare_data.py FORMAT source target` with options does."""
    parser = argparse.ArgumentParser()
    module = importer(format_name)
    module.add_arguments(parser)
    arguments = parser.parse_args(options)
    arguments.source, arguments.target, arguments.force = source, target, False
    tally = module.run(arguments)
    assert tally.unaccounted() == {}, "nothing may be lost without a word"
    return tally


def written(directory: Path, split: str = "train") -> list[Document]:
    """The documents of a split, in like_conll or CoNLL-2012."""
    path = directory / "single_file" / f"{split}.like_conll"
    if path.is_file():
        return list(like_conll.read_documents(path))
    return list(conll2012.read_documents(directory / "coref" / f"{split}.gold_conll"))


def covered(document: Document) -> list[tuple[str, str]]:
    """The type and the words of each mention, or name."""
    return [
        (mention.type, " ".join(document.words[mention.start : mention.end + 1]))
        for mention in document.mentions or document.names
    ]


def documents_as_text(files: list[Path]) -> dict[str, str]:
    """By the last part of its name the text of each document in column files, without the first line."""
    texts: dict[str, str] = {}
    for file in files:
        for text in file.read_text(encoding="utf-8").split("#begin document (")[1:]:
            heading, _, rows = text.partition("\n")
            texts[heading.partition(")")[0].rpartition("/")[2]] = rows
    return texts
