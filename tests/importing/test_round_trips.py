"""Import, export, import: what is written is what is read again."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmtl.formats import conll2012, docred, like_conll
from hmtl.formats.annotated import Document
from hmtl.formats.brackets import Span
from hmtl.importing.layouts import LAYOUTS, Options
from hmtl.importing.tally import Tally, contents
from tests.importing.annotated import documents, sorted_document
from tests.importing.importing import TEXT_IN_LINES, run_import
from tests.importing.importing import written as import_written
from tests.importing.json_tools import FORMATS, documents_of

MANY = settings(max_examples=30)


def written(document: Document, layout: str, directory: Path) -> tuple[Document, Tally]:
    """What a layout holds of a document, written as the training data of a corpus, and what is lost."""
    tally = Tally()
    directory.mkdir(exist_ok=True)
    writer = LAYOUTS[layout](directory, tally, Options())
    recast = writer.recast(document)
    fitted = writer.fit(recast)
    writer.write(fitted, "train", "train")
    for kind, count in contents(recast).items():
        tally.read(kind, count)
    for kind, count in contents(fitted).items():
        tally.converted(kind, count)
    return fitted, tally


def imported(format_name: str, source: Path, to: str, *options: str) -> Document:
    """What an importer makes of a corpus of one document, read from what it writes."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "out")
        wanted = ["--split", "train", "--to", to, "--singletons"]
        run_import(format_name, source, target, *wanted, *options)
        (document,) = import_written(target)
    return document


@pytest.mark.parametrize("layout", LAYOUTS)
@MANY
@given(documents())
def test_layouts_account_for_whatever_they_are_given(layout: str, document: Document) -> None:
    if layout == "cas":
        pytest.importorskip("cassis")
    with tempfile.TemporaryDirectory() as folder:
        _, tally = written(document, layout, Path(folder))
    assert tally.unaccounted() == {}


@MANY
@given(documents())
def test_like_conll_holds_what_the_rules_leave(document: Document) -> None:
    with tempfile.TemporaryDirectory() as folder:
        fitted, _ = written(document, "like_conll", Path(folder))
        (read,) = like_conll.read_documents(Path(folder, "train", "train_00.like_conll"))
    assert sorted_document(read) == sorted_document(fitted)


@MANY
@given(documents(with_names=True))
def test_conll2012_holds_what_the_rules_leave(document: Document) -> None:
    # The readers take the treebank's `/.` and `/?` for `.` and `?`.
    for sentence in document.sentences:
        sentence.words = [word if word not in ("/.", "/?") else "." for word in sentence.words]
    with tempfile.TemporaryDirectory() as folder:
        fitted, _ = written(document, "conll2012", Path(folder))
        (file,) = Path(folder, "ner").rglob("*.gold_conll")
        (read,) = conll2012.read_documents(file)
    assert sorted_document(read) == sorted_document(fitted)


@settings(max_examples=15)
@given(documents(with_names=True), st.sampled_from(["BIO", "IOB1", "BIOUL"]))
def test_conll2003_holds_sentences_and_names(document: Document, scheme: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tally = Tally()
        writer = LAYOUTS["conll2003"](Path(folder), tally, Options(coding_scheme=scheme))
        fitted = writer.fit(writer.recast(document))
        writer.write(fitted, "train", None)
        read = imported("conll2003", Path(folder, "train.txt"), "conll2012", "--scheme", scheme)
    words = [[word.replace("/.", ".") for word in s.words] for s in read.sentences]
    assert words == [[word.replace("/.", ".") for word in s.words] for s in fitted.sentences]
    assert read.names == sorted(fitted.names)


@settings(max_examples=15)
@given(documents())
def test_dygie_loses_nothing_on_the_way_to_like_conll(document: Document) -> None:
    with tempfile.TemporaryDirectory() as folder:
        fitted, _ = written(document, "dygie", Path(folder))
        read = imported("dygie", Path(folder, "train.json"), "like_conll")
        expected, _ = expected_in_like_conll(document, folder)
    assert sorted_document(read) == expected
    assert fitted.mentions == [m for m in document.mentions if m in fitted.mentions]


@settings(max_examples=15)
@given(documents())
def test_brat_loses_nothing_on_the_way_to_like_conll(document: Document) -> None:
    # brat has no equivalence of one, and makes one of equivalences that share a member.
    document.clusters = [c for c in disjoint(document.clusters) if len(c) > 1]
    with tempfile.TemporaryDirectory() as folder:
        written(document, "brat", Path(folder))
        read = imported("brat", Path(folder, "train"), "like_conll", *TEXT_IN_LINES)
        expected, _ = expected_in_like_conll(document, folder)
    assert sorted_document(read) == expected


@MANY
@given(documents())
def test_docred_holds_what_its_layout_leaves(document: Document) -> None:
    with tempfile.TemporaryDirectory() as folder:
        fitted, _ = written(document, "docred", Path(folder))
        (read,) = docred.read_documents(Path(folder, "train.json"))
    assert docred.to_json(read) == docred.to_json(fitted)


def disjoint(clusters: list[list[Span]]) -> list[list[Span]]:
    seen: set[Span] = set()
    result = []
    for cluster in clusters:
        result.append([span for span in dict.fromkeys(cluster) if span not in seen])
        seen.update(cluster)
    return result


def expected_in_like_conll(document: Document, folder: str) -> tuple[Document, Tally]:
    tally = Tally()
    writer = LAYOUTS["like_conll"](Path(folder, "direct"), tally, Options(singletons=True))
    fitted = writer.fit(writer.recast(document))
    return sorted_document(fitted), tally


@pytest.mark.parametrize(
    ("layout", "format_name"),
    [(name, name) for name in FORMATS] + [("doccano_spans", "doccano")],
)
@MANY
@given(documents())
def test_json_of_tools_holds_what_its_layout_leaves(
    layout: str, format_name: str, document: Document
) -> None:
    if layout != "char_jsonl":
        # A link makes one cluster of two that share a member.
        document.clusters = [c for c in disjoint(document.clusters) if len(c) > 1]
    with tempfile.TemporaryDirectory() as folder:
        fitted, tally = written(document, layout, Path(folder))
        (file,) = Path(folder).iterdir()
        (read,) = documents_of(format_name, file.read_bytes())
        again, _ = written(read, layout, Path(folder, "again"))
        (file_again,) = Path(folder, "again").iterdir()
        assert file_again.read_bytes() == file.read_bytes()
    assert sorted_document(read) == sorted_document(fitted)
    if layout == "char_jsonl":
        assert tally.num_left_out == {}
