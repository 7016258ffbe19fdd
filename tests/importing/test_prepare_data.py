"""`hmtl import`: what all formats have in common."""

import signal
from pathlib import Path

import pytest

from hmtl.importing import brat
from hmtl.importing.brat_files import Annotations
from hmtl.importing.registry import FORMATS, importer
from tests.importing.importing import written
from tests.running import Scripts, answer_without_heavy_imports

SCRIPT = "hmtl import"
NAMES = ["anna", "bert", "cleo", "dora", "emil"]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Five short texts in brat."""
    directory = tmp_path / "corpus"
    directory.mkdir()
    for name in NAMES:
        (directory / f"{name}.txt").write_text(f"{name.title()} sings .\nShe stops .\n")
        (directory / f"{name}.ann").write_text(f"T1\tPER 0 {len(name)}\t{name.title()}\n")
    return directory


def contents(directory: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(directory)): file.read_bytes()
        for file in sorted(directory.rglob("*"))
        if file.is_file()
    }


def test_same_source_gives_the_same_files(
    run_script: Scripts, corpus: Path, tmp_path: Path
) -> None:
    assert run_script(SCRIPT, "brat", corpus, tmp_path / "first").code == 0
    assert run_script(SCRIPT, "brat", corpus, tmp_path / "second").code == 0
    first = contents(tmp_path / "first")
    assert first == contents(tmp_path / "second")
    assert {"train/train_00.like_conll", "single_file/dev.like_conll"} <= set(first)


def test_summary_tells_what_was_read_and_left_out(
    run_script: Scripts, corpus: Path, tmp_path: Path
) -> None:
    (corpus / "anna.ann").write_text("T1\tPER 0 4\tAnna\nT2\tPER 0 4;13 16\tAnna She\n")
    finished = run_script(SCRIPT, "brat", corpus, tmp_path / "out")
    rows = [line.split() for line in finished.out.splitlines()]
    assert ["documents", "5", "0", "5", "3", "1", "1"] in rows
    assert ["mentions", "6", "1", "5", "3", "1", "1"] in rows
    assert ["mentions", "1", "is", "discontinuous"] in rows


def test_summary_tells_the_labels_of_each_split(
    run_script: Scripts, corpus: Path, tmp_path: Path
) -> None:
    for number in range(5):
        (corpus / f"x{number}.txt").write_text("It rained .\n")
        (corpus / f"x{number}.ann").write_text("T1\tTHING 0 2\tIt\n")
    finished = run_script(SCRIPT, "brat", corpus, tmp_path / "out", "--split-by", "labels")
    rows = [line.split() for line in finished.out.splitlines()]
    assert ["of", "label", "train", "dev", "test"] in rows
    assert ["documents", "10", "0", "10", "8", "1", "1"] in rows
    labels = {
        row[1]: list(map(int, row[2:]))
        for row in rows
        if row[:1] == ["mentions"] and row[1].isupper()
    }
    assert sorted(labels) == ["PER", "THING"]
    assert [sum(numbers) for numbers in zip(*labels.values())] == [8, 1, 1]


def test_nearly_the_same_texts_in_two_splits_are_told(
    run_script: Scripts, corpus: Path, tmp_path: Path
) -> None:
    text = " ".join(f"word{number}" for number in range(100))
    for split, more in (("train", "in the end"), ("test", "at last"), ("dev", "")):
        (corpus / split).mkdir()
        (corpus / split / "a.txt").write_text(text.replace("word7 ", f"{more} ") + more)
        (corpus / split / "a.ann").write_text("")
    for path in corpus.glob("*.*"):
        path.unlink()
    finished = run_script(SCRIPT, "brat", corpus, tmp_path / "out")
    assert "2 document(s) are nearly the same as one of another split" in finished.err
    assert "(test) and " in finished.err


def test_existing_directory_is_replaced_only_with_force(
    run_script: Scripts, corpus: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run_script(SCRIPT, "brat", corpus, out)
    assert "--force" in run_script(SCRIPT, "brat", corpus, out).error
    finished = run_script(SCRIPT, "brat", corpus, out, "--force", "--to", "dygie")
    assert finished.code == 0
    assert {name for name in contents(out) if not name.startswith(".")} == {
        "train.json",
        "dev.json",
        "test.json",
    }


def test_force_spares_what_the_script_did_not_write(
    run_script: Scripts, corpus: Path, tmp_path: Path
) -> None:
    precious = tmp_path / "thesis"
    precious.mkdir()
    (precious / "chapter.tex").write_text("...")
    assert "will not replace it" in run_script(SCRIPT, "brat", corpus, precious, "--force").error
    assert (precious / "chapter.tex").read_text() == "..."


def test_error_leaves_nothing_behind(run_script: Scripts, corpus: Path, tmp_path: Path) -> None:
    before = {path.name for path in tmp_path.iterdir()}
    (corpus / "emil.ann").write_text("T1\tPER 0 4\tOtto\n")
    assert "emil.ann:1" in run_script(SCRIPT, "brat", corpus, tmp_path / "out").error
    assert {path.name for path in tmp_path.iterdir()} == before


def test_error_under_force_leaves_what_was_there(
    run_script: Scripts, corpus: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run_script(SCRIPT, "brat", corpus, out)
    before = contents(out)
    (corpus / "emil.ann").write_text("T1\tPER 0 4\tOtto\n")
    assert run_script(SCRIPT, "brat", corpus, out, "--force").code == 1
    assert contents(out) == before


@pytest.mark.usefixtures("usual_signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_leaves_nothing_behind(
    run_script: Scripts,
    corpus: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
) -> None:
    before = {path.name for path in tmp_path.iterdir()}
    read = brat.read_annotations

    def interrupted(paths: list[Path], text: str) -> Annotations:
        if paths[0].stem == "emil":
            signal.raise_signal(number)
        return read(paths, text)

    monkeypatch.setattr(brat, "read_annotations", interrupted)
    finished = run_script(SCRIPT, "brat", corpus, tmp_path / "out")
    assert finished.code == 128 + number
    assert f"stopped by {number.name}: nothing was written" in finished.err
    assert {path.name for path in tmp_path.iterdir()} == before


def test_documents_in_no_list_are_left_out(
    run_script: Scripts, corpus: Path, tmp_path: Path
) -> None:
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "train.txt").write_text("anna\nbert.txt\n")
    (lists / "test.txt").write_text("cleo\n")
    finished = run_script(SCRIPT, "brat", corpus, tmp_path / "out", "--split-lists", lists)
    assert [document.name for document in written(tmp_path / "out")] == ["anna", "bert"]
    assert [document.name for document in written(tmp_path / "out", "test")] == ["cleo"]
    assert ["documents", "5", "2", "3", "2", "1"] in [
        line.split() for line in finished.out.splitlines()
    ]


def test_missing_source_is_one_message(run_script: Scripts, tmp_path: Path) -> None:
    assert "no such file" in run_script(SCRIPT, "brat", tmp_path / "no", tmp_path / "out").error


def test_folder_without_texts_is_one_message(run_script: Scripts, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    error = run_script(SCRIPT, "brat", tmp_path / "in", tmp_path / "out").error
    assert "holds no document" in error


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_has_help_and_imports_nothing_heavy(name: str) -> None:
    done = answer_without_heavy_imports(SCRIPT, name, "--help")
    assert done.code == 0
    assert "IN" in done.out and "--split-lists" in done.out


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_says_what_it_reads(name: str) -> None:
    assert (importer(name).__doc__ or "").strip()
