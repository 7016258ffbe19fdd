"""CoNLL-2003 and its many relatives."""

from pathlib import Path

import pytest

from hmtl.errors import DataError
from hmtl.formats.annotated import Document
from hmtl.formats.conll2003 import read_sentences
from tests.importing.importing import covered, run_import, written

NAMES = [("PER", "Ada Wren"), ("LOC", "Selby")]


def converted(tmp_path: Path, content: str, *options: str) -> list[Document]:
    source = tmp_path / "in.txt"
    source.write_text(content, encoding="utf-8")
    run_import(
        "conll2003", source, tmp_path / "out", "--split", "train", "--to", "conll2012", *options
    )
    return written(tmp_path / "out")


@pytest.mark.parametrize(
    ("tags", "options"),
    [
        ("B-PER I-PER O B-LOC", ()),
        ("I-PER I-PER O I-LOC", ()),
        ("I-PER I-PER O I-LOC", ("--scheme", "IOB1")),
        ("B-PER L-PER O U-LOC", ()),
        ("B-PER E-PER O S-LOC", ()),
        ("B-PER E-PER O S-LOC", ("--scheme", "BIOES")),
    ],
)
def test_all_schemes_give_the_same_names(
    tmp_path: Path, tags: str, options: tuple[str, ...]
) -> None:
    rows = zip("Ada Wren left Selby".split(), tags.split())
    (document,) = converted(
        tmp_path, "".join(f"{word} NNP O {tag}\n" for word, tag in rows), *options
    )
    assert covered(document) == NAMES


def test_columns_are_where_the_options_say(tmp_path: Path) -> None:
    content = "1\tAda\tNNP\tB-PER\tx\n2\tWren\tNNP\tI-PER\ty\n"
    options = ("--word", "2", "--tag", "-2", "--pos", "3", "--tabs")
    (document,) = converted(tmp_path, content, *options)
    assert covered(document) == [("PER", "Ada Wren")]
    treebank = document.sentences[0].treebank
    assert treebank is not None and treebank.pos_tags == ["NNP", "NNP"]


def test_words_with_blanks_are_kept_apart_by_tabs(tmp_path: Path) -> None:
    (document,) = converted(tmp_path, "1 000\tB-NUM\nships\tO\n", "--tabs")
    assert covered(document) == [("NUM", "1000")]


def test_comments_are_passed_over_on_request(tmp_path: Path) -> None:
    (document,) = converted(tmp_path, "# id 1\nAda B-PER\n\n# id 2\nleft O\n", "--comment", "# ")
    assert [sentence.words for sentence in document.sentences] == [["Ada"], ["left"]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("#Oslo B-LOC\nwins O\n", ["#Oslo", "wins"]),
        ("wins O\n#Oslo B-LOC\n", ["wins", "#Oslo"]),
        ("Ada O\n# O\n1 O\n", ["Ada", "#", "1"]),
        ("#\tO\n1\tO\n", ["#", "1"]),
        ("#id 1\n# O\n#\nOslo O\n", ["Oslo"]),
        ("# Oslo wins O\nOslo O\nwins O\n", ["Oslo", "wins"]),
    ],
)
def test_words_that_begin_as_comments_do_are_words(
    tmp_path: Path, content: str, words: list[str]
) -> None:
    (document,) = converted(tmp_path, content, "--comment", "#")
    assert [sentence.words for sentence in document.sentences] == [words]


def test_single_document_that_is_to_be_split_tells_how_to_cut_it(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("a O\n\nb O\n")
    with pytest.raises(DataError, match=r"-DOCSTART-.*--sentences-per-document N"):
        run_import("conll2003", tmp_path / "in.txt", tmp_path / "out")


def test_documents_begin_at_their_marks(tmp_path: Path) -> None:
    content = "-DOCSTART- -X- O O\n\nAda B-PER\n\nleft O\n\n-DOCSTART- -X- O O\n\nWren B-PER\n"
    documents = converted(tmp_path, content, "--sentences-per-document", "1")
    assert [len(document.sentences) for document in documents] == [2, 1]
    assert [document.name for document in documents] == ["in.txt-00001", "in.txt-00002"]


def test_file_without_marks_is_cut_on_request(tmp_path: Path) -> None:
    documents = converted(tmp_path, "a O\n\n" * 5, "--sentences-per-document", "2")
    assert [len(document.sentences) for document in documents] == [2, 2, 1]


def test_files_of_the_shared_task_are_its_splits(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("eng.train", "eng.testa", "eng.testb"):
        (tmp_path / "in" / name).write_text(f"{name} NNP O I-ORG\n")
    run_import("conll2003", tmp_path / "in", tmp_path / "out")
    made = {
        path.name: list(read_sentences(path)) for path in sorted((tmp_path / "out").glob("*.txt"))
    }
    assert {name: sentence.words for name, [(sentence, _)] in made.items()} == {
        "dev.txt": ["eng.testa"],
        "test.txt": ["eng.testb"],
        "train.txt": ["eng.train"],
    }


def test_ill_formed_bioul_tags_are_counted(tmp_path: Path) -> None:
    source = tmp_path / "in.txt"
    source.write_text("Ada B-PER\nWren I-PER\nleft O\nSelby U-LOC\n")
    tally = run_import("conll2003", source, tmp_path / "out", "--split", "train")
    assert tally.num_left_out == {("tags", "are of no well-formed name"): 2}


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("Ada B-PER\nWren X-PER\n", (), r"in\.txt:2: tag .*X-PER.*--tag and --scheme"),
        ("Ada B-PER\nWren E-PER\n", ("--scheme", "BIO"), r"in\.txt:2: tag .*E-PER"),
        ("Ada B-PER\n", ("--tag", "4"), r"in\.txt:1: the row has 2 columns; expected at least 4"),
        ("# id 1\nAda B-PER\n", (), r"in\.txt:2: the row has 2 .* with --comment '#'"),
        ("# id\nAda B-PER\n", (), r"in\.txt:1: tag .* with --comment '#'"),
        ("\n\n", (), r"in\.txt:2: the file holds no sentence"),
    ],
)
def test_malformed_file_is_an_error_with_its_line(
    tmp_path: Path, content: str, options: tuple[str, ...], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        converted(tmp_path, content, *options)


def test_column_zero_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        converted(tmp_path, "Ada O\n", "--word", "0")
    assert "counted from 1" in capsys.readouterr().err


def test_folders_named_after_splits_divide_files_of_one_name(tmp_path: Path) -> None:
    for split in ("train", "dev", "test"):
        (tmp_path / "in" / split).mkdir(parents=True)
        (tmp_path / "in" / split / "a.conll").write_text(f"In O\n{split} B-LOC\n")
    run_import("conll2003", tmp_path / "in", tmp_path / "out")
    for split in ("train", "dev", "test"):
        assert split in (tmp_path / "out" / f"{split}.txt").read_text()
