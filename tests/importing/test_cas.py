"""UIMA CAS, in the XMI and JSON that dkpro-cassis writes, which INCEpTION's exports are like."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmtl.errors import DataError
from hmtl.formats.annotated import Document, Mention, Relation, Sentence, with_text
from hmtl.formats.cas import to_cas as made_of
from hmtl.formats.cas import type_system
from hmtl.formats.json_lines import REPLACED
from hmtl.formats.webanno import NAMED_ENTITY
from hmtl.importing import cas
from hmtl.importing.annotators import OTHERS
from hmtl.importing.layers import LayerConverter
from hmtl.importing.tally import Tally
from tests.importing.annotated import documents, sorted_document
from tests.importing.importing import run_import

cassis = pytest.importorskip("cassis")


def to_cas(document: Document) -> Any:
    return made_of(with_text(document))


def sentences(text: str) -> list[Sentence]:
    """A sentence a line."""
    return [Sentence(line.split()) for line in text.splitlines()]


def saved(made: Any, folder: Path, suffix: str = ".xmi") -> Path:
    path = folder / f"in{suffix}"
    (made.to_xmi if suffix == ".xmi" else made.to_json)(path)
    type_system().to_xml(folder / cas.TYPE_SYSTEM)
    return path


def read(path: Path, *options: str) -> tuple[Document, Tally]:
    parser = argparse.ArgumentParser()
    cas.add_arguments(parser)
    arguments = parser.parse_args(options)
    tally = Tally()
    types = cas.TypeSystems(path.parent, arguments.type_system)
    converter = LayerConverter(arguments, tally)
    (document,) = converter.documents({"in": [path]}, partial(cas.read_cas, types=types))
    return document, tally


@settings(max_examples=25)
@given(documents(), st.sampled_from(cas.SUFFIXES), st.integers(0, 2))
def test_what_cassis_writes_is_read(document: Document, suffix: str, num_names: int) -> None:
    document.pieces = {}
    document.names = document.mentions[:num_names]
    with tempfile.TemporaryDirectory() as folder:
        again, tally = read(saved(to_cas(document), Path(folder), suffix))
    again.name = document.name
    assert sorted_document(again) == sorted_document(document)
    mentioned = {mention.span for mention in document.mentions}
    related = {span for each in document.relations for span in (each.arg1, each.arg2)}
    assert tally.num_left_out.total() == len(related - mentioned)  # they have no label


def test_text_is_cut_where_there_are_no_words(tmp_path: Path) -> None:
    types = type_system()
    made = cassis.Cas(types)
    made.sofa_string = "Ms. Vane 😊 left. She ran."
    made.add(types.get_type(NAMED_ENTITY)(begin=17, end=20, value="PER", identifier="Q1"))
    document, tally = read(saved(made, tmp_path))
    assert document.words[:4] == ["Ms.", "Vane", "😊", "left"]
    assert document.names == [Mention(5, 5, "PER")]
    assert tally.num_left_out == {
        ("values of NamedEntity:identifier", "one feature of a layer is read"): 1
    }


def test_relations_between_tokens_are_read_where_they_are_asked_for(tmp_path: Path) -> None:
    types = type_system()
    relation = types.create_type("x.Dependency", "uima.tcas.Annotation")
    for end in ("Governor", "Dependent"):
        types.create_feature(relation, end, cas.TOKEN)
    made = cassis.Cas(types)
    made.sofa_string = "She ran"
    tokens = [types.get_type(cas.TOKEN)(begin=b, end=e) for b, e in ((0, 3), (4, 7))]
    made.add_all([*tokens, relation(begin=0, end=3, Governor=tokens[1], Dependent=tokens[0])])
    path = saved(made, tmp_path)
    types.to_xml(tmp_path / cas.TYPE_SYSTEM)
    document, _ = read(path)
    assert document.relations == [Relation("Dependency", (1, 1), (0, 0))]


def test_folder_becomes_a_corpus(tmp_path: Path) -> None:
    made = to_cas(Document("a", sentences("She ran"), mentions=[Mention(0, 0, "PER")]))
    for name in ("train", "dev", "test"):
        (tmp_path / "in" / name).mkdir(parents=True)
        made.to_xmi(tmp_path / "in" / name / "x.xmi")
    made.to_json(tmp_path / "in" / "dev" / "y.json")
    type_system().to_xml(tmp_path / "in" / cas.TYPE_SYSTEM)
    tally = run_import("cas", tmp_path / "in", tmp_path / "out")
    # A text in two splits stays in both; two files of one text in a split are of two annotators.
    assert [tally.num_in_split[split, "mentions"] for split in ("train", "dev", "test")] == [
        1,
        1,
        1,
    ]
    assert tally.num_left_out == {("annotations", OTHERS): 1}


BOMB = """<?xml version="1.0"?>
<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>
<x>&b;</x>"""


@pytest.mark.parametrize("name", ["in.xmi", cas.TYPE_SYSTEM])
def test_entities_are_refused(tmp_path: Path, name: str) -> None:
    path = saved(to_cas(Document("a", sentences("She ran"))), tmp_path)
    (tmp_path / name).write_text(BOMB)
    with pytest.raises(DataError, match=rf"{name}:2: the file declares the entity 'a'"):
        read(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("in.xmi", "<x>", r"in\.xmi:1: not well-formed XML"),
        ("in.xmi", "<x/>", r"in\.xmi: is no CAS in XMI"),
        ("in.json", "[]", "holds no %FEATURE_STRUCTURES"),
        ("in.json", "{\n", r"in\.json:2: is no JSON"),
        ("in.json", '{"%FEATURE_STRUCTURES": 1}', r"in\.json: is no CAS in JSON"),
    ],
)
def test_what_is_no_cas_is_an_error(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    type_system().to_xml(tmp_path / cas.TYPE_SYSTEM)
    with pytest.raises(DataError, match=message):
        read(tmp_path / name)


def test_type_system_is_asked_for(tmp_path: Path) -> None:
    path = saved(to_cas(Document("a", sentences("She ran"))), tmp_path)
    elsewhere = tmp_path / "types.xml"
    (tmp_path / cas.TYPE_SYSTEM).rename(elsewhere)
    with pytest.raises(DataError, match=r"in\.xmi: there is no TypeSystem\.xml beside it"):
        read(path)
    assert read(path, "--type-system", str(elsewhere))[0].words == ["She", "ran"]


def test_package_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cassis", None)
    with pytest.raises(
        DataError, match=r"dkpro-cassis; install it with: pip install 'hmtl\[cas\]'"
    ):
        run_import("cas", tmp_path, tmp_path / "out")


FULL = Document(
    "a",
    sentences("Ms. Vane 😊\nShe ran"),
    mentions=[Mention(0, 1, "PER"), Mention(3, 3, "PER")],
    relations=[Relation("R", (0, 1), (3, 3))],
    clusters=[[(0, 1), (3, 3)]],
)


@settings(max_examples=60)
@given(
    st.sampled_from(cas.SUFFIXES),
    st.floats(0, 1),
    st.integers(0, 4),
    st.text('0123456789"{}[]<>/=:,-a', max_size=3),
)
def test_whatever_stands_in_a_file_is_read_or_refused(
    suffix: str, share: float, cut: int, text: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = saved(to_cas(FULL), Path(folder), suffix)
        content = path.read_text(encoding="utf-8")
        place = int(share * len(content))
        path.write_text(content[:place] + text + content[place + cut :], encoding="utf-8")
        try:
            read(path)
        except DataError as error:
            assert "in." in str(error)


def test_an_empty_text_is_counted_and_keeps_no_other_from_being_read(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name, words in (("a", "She ran"), ("b", "")):
        document = Document(name, sentences(words) if words else [], text=words)
        to_cas(document).to_json(tmp_path / "in" / f"{name}.json")
    tally = run_import("cas", tmp_path / "in", tmp_path / "out", "--split", "train")
    assert tally.num_converted["documents"] == 1
    assert tally.num_left_out["documents", "holds no word"] == 1


def test_what_no_text_holds_is_replaced_and_counted(tmp_path: Path) -> None:
    document = {
        "%TYPES": {},
        "%FEATURE_STRUCTURES": [
            {
                "%ID": 1,
                "%TYPE": "uima.cas.Sofa",
                "sofaNum": 1,
                "sofaID": "_InitialView",
                "sofaString": "Ada \ud800\0",
            }
        ],
        "%VIEWS": {"_InitialView": {"%SOFA": 1, "%MEMBERS": []}},
    }
    (tmp_path / "a.json").write_text(json.dumps(document))
    tally = run_import("cas", tmp_path / "a.json", tmp_path / "out", "--split", "train")
    assert tally.num_changed["characters", REPLACED] == 2
