"""What all importers end with: documents split, resolved, written and counted."""

import argparse
import json
import logging
from itertools import permutations
from pathlib import Path

import pytest

from hmtl.common.files import held
from hmtl.errors import DataError
from hmtl.formats import conll2012
from hmtl.formats.annotated import Document, Mention, Sentence
from hmtl.importing import corpus_writer
from hmtl.importing.layouts import DOCUMENTS_PER_FILE, safe_path
from hmtl.importing.splits import Splits
from hmtl.importing.tally import Tally
from tests.importing.importing import written


def document(name: str, **layers: list) -> Document:
    words = Sentence(["Ada", "sings", "."])
    return Document(name, [words], mentions=layers.get("mentions", [Mention(0, 0, "PER")]))


def options(target: Path, *arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    corpus_writer.add_arguments(parser, default_layout="like_conll")
    parsed = parser.parse_args(arguments)
    parsed.source, parsed.target, parsed.force = target.parent / "source", target, False
    return parsed


ALL_TRAIN = Splits(lambda _: "train", "for the test")


def test_folder_of_like_conll_files_holds_so_many_documents_each(tmp_path: Path) -> None:
    documents = [document(f"d{number}") for number in range(DOCUMENTS_PER_FILE + 1)]
    corpus_writer.write_corpus(options(tmp_path / "out"), documents, ALL_TRAIN, Tally())
    first, second = sorted((tmp_path / "out" / "train").iterdir())
    assert (first.name, second.name) == ("train_00.like_conll", "train_01.like_conll")
    assert second.read_text().count("#begin document") == 1
    assert [read.name for read in written(tmp_path / "out")] == [d.name for d in documents]


@pytest.mark.parametrize("layout", ["like_conll", "conll2012"])
def test_documents_whose_names_differ_in_blanks_stay_two(tmp_path: Path, layout: str) -> None:
    documents = [document(name) for name in ("a b", "a_b", "a b")]
    arguments = options(tmp_path / "out", "--to", layout)
    tally = Tally()
    corpus_writer.write_corpus(arguments, documents, ALL_TRAIN, tally)
    # The third is another part of the first.
    assert [read.name for read in written(tmp_path / "out")] == ["a_b", "a_b.2", "a_b"]
    assert sum(tally.num_changed.values()) == 1


def test_documents_whose_files_would_be_the_same_get_files_of_their_own(tmp_path: Path) -> None:
    documents = [document(name) for name in ("a:b", "a_b")]
    arguments = options(tmp_path / "out", "--to", "conll2012")
    corpus_writer.write_corpus(arguments, documents, ALL_TRAIN, Tally())
    files = sorted((tmp_path / "out" / "ner" / "train").iterdir())
    assert [len(list(conll2012.read_documents(file))) for file in files] == [1, 1]


def test_other_division_for_coreference_is_written_and_warned_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    division = Splits({"a": "train", "b": "test", "c": "train"}.get, "by one list")
    coref_division = Splits({"a": "test", "b": "test", "d": "train"}.get, "by another")
    with caplog.at_level(logging.WARNING, logger="hmtl"):
        corpus_writer.write_corpus(
            options(tmp_path / "out"),
            [document(name) for name in "abcde"],
            division,
            tally := Tally(),
            coref_division=coref_division,
        )
    assert "1 document(s) are trained on by coreference" in caplog.text and ": a." in caplog.text
    assert [read.name for read in written(tmp_path / "out", "test")] == ["a", "b"]
    assert [read.name for read in written(tmp_path / "out")] == ["d"]
    train = (tmp_path / "out" / "train" / "train_00.like_conll").read_text()
    assert [name for name in "abcde" if f"({name})" in train] == ["a", "c"]
    assert tally.num_left_out["documents", "in none of the lists of --split-lists"] == 1
    assert tally.unaccounted() == {}


def test_document_without_a_word_is_left_out(tmp_path: Path) -> None:
    tally = Tally()
    corpus_writer.write_corpus(
        options(tmp_path / "out"), [document("a"), Document("empty", [])], ALL_TRAIN, tally
    )
    assert [read.name for read in written(tmp_path / "out")] == ["a"]
    assert tally.num_left_out == {("documents", "holds no word"): 1}


def test_corpus_without_a_document_is_an_error_and_not_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="source: holds no document"):
        corpus_writer.write_corpus(options(tmp_path / "out"), [], ALL_TRAIN, Tally())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("target", [".", "..", "/"])
def test_directory_without_a_name_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="expected the name of a directory to make"):
        corpus_writer.check_target(Path(target), force=False)


def test_record_of_the_import_is_written_and_hidden_from_readers(tmp_path: Path) -> None:
    twice = [Mention(0, 1, "PER"), Mention(0, 1, "PER")]
    corpus_writer.write_corpus(
        options(tmp_path / "out"), [document("a", mentions=twice)], ALL_TRAIN, Tally()
    )
    record = json.loads((tmp_path / "out" / ".import.json").read_text())
    assert record["layout"] == "like_conll" and record["split"] == "for the test"
    assert (record["read"]["mentions"], record["converted"]["mentions"]) == (2, 1)


@pytest.mark.parametrize("layout", ["brat", "dygie"])
def test_parts_of_a_document_are_told_apart(tmp_path: Path, layout: str) -> None:
    parts = [document("d"), document("d")]
    corpus_writer.write_corpus(options(tmp_path / "out", "--to", layout), parts, ALL_TRAIN, Tally())
    if layout == "brat":
        names = sorted(path.stem for path in (tmp_path / "out" / "train").glob("*.txt"))
    else:
        lines = (tmp_path / "out" / "train.json").read_text().splitlines()
        names = [json.loads(line)["doc_key"] for line in lines]
    assert names == ["d", "d.2"]


def test_parts_of_a_document_share_a_conll2012_file(tmp_path: Path) -> None:
    parts = [document("d"), Document("d", [Sentence(["More", "."])], part=1)]
    arguments = options(tmp_path / "out", "--to", "conll2012")
    corpus_writer.write_corpus(arguments, parts, ALL_TRAIN, Tally())
    read = list(conll2012.read_documents(tmp_path / "out" / "ner" / "train" / "d.gold_conll"))
    assert [(part.name, part.part) for part in read] == [("d", 0), ("d", 1)]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a/b", "a/b"),
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("..", "_"),
        ("a\\b:c\nd", "a_b_c_d"),
        ("", "_"),
        # Hidden files are no part of a corpus.
        ("a/.b", "a/_b"),
        ("..a", "_.a"),
    ],
)
def test_names_of_documents_lead_nowhere_else(name: str, path: str) -> None:
    assert safe_path(name).as_posix() == path


def test_names_beside_mentions_stay_names(tmp_path: Path) -> None:
    """Whatever the order of the documents, and even in those that have names alone."""
    name, mention = [Mention(2, 2, "PERSON")], [Mention(0, 0, "PER")]
    found = {"names": (name, []), "mentions": ([], mention), "both": (name, mention)}
    for number, order in enumerate(permutations([*found, "none"])):
        documents = []
        for each in order:
            names, mentions = found.get(each, ([], []))
            words = [Sentence(["Ada", "met", "Bo"])]
            documents.append(Document(each, words, names=names, mentions=mentions))
        for layout, expected in (
            ("like_conll", {each: mentions for each, (_, mentions) in found.items()}),
            ("conll2012", {each: names for each, (names, _) in found.items()}),
        ):
            out = tmp_path / f"{layout}{number}"
            tally = Tally()
            corpus_writer.write_corpus(options(out, "--to", layout), documents, ALL_TRAIN, tally)
            read = {each.name: each.mentions or each.names for each in written(out)}
            assert read == {**expected, "none": []}
            assert tally.unaccounted() == {}
            in_files = {file.stem: file for file in (out / "ner" / "train").iterdir()}
            in_ner = {each: next(conll2012.read_documents(file)) for each, file in in_files.items()}
            assert {each: document.names for each, document in in_ner.items()} == {
                **{each: names for each, (names, _) in found.items()},
                "none": [],
            }
            assert (tally.num_left_out == {}) == (layout == "like_conll")


def test_names_alone_are_mentions_where_those_are_learned(tmp_path: Path) -> None:
    documents = [
        Document(each, [Sentence(["Ada", "sings"])], names=[Mention(0, 0, "PERSON")])
        for each in "ab"
    ]
    corpus_writer.write_corpus(options(tmp_path / "out"), documents, ALL_TRAIN, Tally())
    assert [each.mentions for each in written(tmp_path / "out")] == [[Mention(0, 0, "PERSON")]] * 2
    assert not (tmp_path / "out" / "ner").exists()


def test_what_a_killed_import_left_is_removed_and_what_another_is_making_stays(
    tmp_path: Path,
) -> None:
    left, beside, at_work = (
        tmp_path / f".{name}.partial" for name in ("out.1", "out.b.1", "out.2")
    )
    for each in (left, beside, at_work):
        each.mkdir()
        (each / "file").touch()
    with held(at_work, "another"):
        corpus_writer.write_corpus(options(tmp_path / "out"), [document("a")], ALL_TRAIN, Tally())
    assert {each.name for each in tmp_path.iterdir()} == {"out", beside.name, at_work.name}


def test_names_in_lists_that_no_document_has_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    division = Splits({"a": "train"}.get, "by the lists in here", listed=frozenset({"a", "typo"}))
    corpus_writer.write_corpus(options(tmp_path / "out"), [document("a")], division, Tally())
    told = "1 of the 2 names in the lists in here are of no document that was converted: typo"
    assert told in caplog.text
