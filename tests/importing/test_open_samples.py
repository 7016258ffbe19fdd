"""Samples of real corpora become the files of the open corpora, which were made by other means."""

import json
from pathlib import Path

import pytest

from hmtl.formats import conll2012, like_conll
from hmtl.formats.conll2012 import conll2012_lines
from hmtl.formats.like_conll import like_conll_lines
from tests.importing.importing import TEXT_IN_LINES, documents_as_text, run_import

# Wikidata's labels of the sample's properties, but for the types that the open corpora leave out as rare.
PROPERTIES = {
    "P1001": "applies to jurisdiction",
    "P123": "publisher",
    "P127": "owned by",
    "P131": "located in the administrative territorial entity",
    "P1344": "participant of",
    "P1412": "languages spoken, written or signed",
    "P1441": "present in work",
    "P150": "contains administrative territorial entity",
    "P155": "follows",
    "P156": "followed by",
    "P161": "cast member",
    "P166": "award received",
    "P17": "country",
    "P178": "developer",
    "P27": "country of citizenship",
    "P276": "location",
    "P30": "continent",
    "P31": "instance of",
    "P355": "subsidiary",
    "P361": "part of",
    "P37": "official language",
    "P449": "original network",
    "P463": "member of",
    "P495": "country of origin",
    "P50": "author",
    "P527": "has part",
    "P569": "date of birth",
    "P57": "director",
    "P570": "date of death",
    "P571": "inception",
    "P576": "dissolved, abolished or demolished",
    "P577": "publication date",
    "P580": "start time",
    "P585": "point in time",
    "P6": "head of government",
    "P607": "conflict",
    "P674": "characters",
    "P706": "located on terrain feature",
    "P710": "participant",
    "P749": "parent organization",
    "P800": "notable work",
}


@pytest.fixture(scope="module")
def open_documents(shared_dir: Path) -> dict[str, str]:
    files = sorted((shared_dir / "data" / "open" / "ace" / "single_file").iterdir())
    return documents_as_text(files)


def test_brat_sample_becomes_the_open_corpus(
    shared_dir: Path, tmp_path: Path, open_documents: dict[str, str]
) -> None:
    source = shared_dir / "data" / "raw" / "redocred_brat"
    tally = run_import("brat", source, tmp_path / "out", "--split", "dev", *TEXT_IN_LINES)
    made = documents_as_text([tmp_path / "out" / "single_file" / "dev.like_conll"])
    assert len(made) == len(list(source.glob("*.txt")))
    for name, rows in made.items():
        assert rows == open_documents[name]
    assert not tally.num_left_out


def test_docred_sample_becomes_the_open_corpus(
    shared_dir: Path, tmp_path: Path, open_documents: dict[str, str]
) -> None:
    source = shared_dir / "data" / "raw" / "redocred_original_sample.json"
    names = tmp_path / "names.json"
    names.write_text(json.dumps(PROPERTIES))
    run_import("docred", source, tmp_path / "out", "--split", "dev", "--relation-names", str(names))
    made = documents_as_text([tmp_path / "out" / "single_file" / "dev.like_conll"])
    # The number before the title is the document's in the whole corpus there, and in the sample here.
    by_title = {name.partition("-")[2]: rows for name, rows in open_documents.items()}
    assert len(made) == len(json.loads(source.read_bytes()))
    for name, rows in made.items():
        assert rows == by_title[name.partition("-")[2]]


@pytest.mark.parametrize(
    "file",
    ["ace/single_file/dev.like_conll", "ontonotes/coref/dev.gold_conll"],
)
def test_open_corpora_are_written_as_they_were_read(shared_dir: Path, file: str) -> None:
    path = shared_dir / "data" / "open" / file
    if file.endswith("like_conll"):
        lines = [
            line
            for document in like_conll.read_documents(path)
            for line in like_conll_lines(document)
        ]
    else:
        lines = [
            line
            for document in conll2012.read_documents(path)
            for line in conll2012_lines(document)
        ]
    assert "\n".join(lines) + "\n" == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("layout", ["brat", "dygie"])
def test_open_corpora_come_back_from_other_tools_formats(
    shared_dir: Path, tmp_path: Path, layout: str
) -> None:
    source = shared_dir / "data" / "open" / "ace" / "dev" / "redocred_dev_00.like_conll"
    run_import("like_conll", source, tmp_path / "out", "--split", "train", "--to", layout)
    options = TEXT_IN_LINES if layout == "brat" else ()
    run_import(layout, tmp_path / "out", tmp_path / "back", "--split", "train", *options)
    back = documents_as_text([tmp_path / "back" / "single_file" / "train.like_conll"])
    assert back == documents_as_text([source])
