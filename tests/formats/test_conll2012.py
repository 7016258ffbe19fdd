from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hmtl.errors import DataError
from hmtl.formats.annotated import Document, Mention
from hmtl.formats.conll2012 import (
    corpus_files,
    read_coreference,
    read_documents,
    read_names,
)

TWO_PARTS = """\
#begin document (bc/cnn/00/cnn_0000); part 000
bc/cnn/00/cnn_0000 0 0 Ann NNP (TOP(S(NP* - - - Ann (PERSON* (ARG0* * (1
bc/cnn/00/cnn_0000 0 1 Lee NNP *) - - - Ann *) *) * 1)
bc/cnn/00/cnn_0000 0 2 saw VBD (VP* see 01 1 Ann * (V*) * -
bc/cnn/00/cnn_0000 0 3 Oslo NNP (NP*)) - - - Ann (GPE) (ARG1*) * (2)
bc/cnn/00/cnn_0000 0 4 /. . *)) - - - Ann * * * -

bc/cnn/00/cnn_0000 0 0 She PRP (TOP(S* - - - Ann - (1)
bc/cnn/00/cnn_0000 0 1 - : *)) - - - Ann - -

#end document
#begin document (bc/cnn/00/cnn_0000); part 001
bc/cnn/00/cnn_0000\t1\t0\tYes\tUH\t(TOP*)\t-\t-\t-\tBob\t*\t-
#end document
"""


@pytest.fixture
def two_parts(tmp_path: Path) -> Path:
    path = tmp_path / "cnn_0000.v4_gold_conll"
    path.write_text(TWO_PARTS, encoding="utf-8")
    return path


def test_read_documents_gives_each_part(two_parts: Path) -> None:
    first, second = read_documents(two_parts)
    assert (first.name, first.part, first.line) == ("bc/cnn/00/cnn_0000", 0, 1)
    assert (second.name, second.part, second.line) == ("bc/cnn/00/cnn_0000", 1, 12)


def test_read_documents_gives_sentences_whatever_their_predicates(two_parts: Path) -> None:
    document = next(read_documents(two_parts))
    assert [sentence.line for sentence in document.sentences] == [2, 8]
    first, second = document.sentences
    assert first.treebank is not None
    assert first.treebank.pos_tags == ["NNP", "NNP", "VBD", "NNP", "."]
    assert second.words == ["She", "-"]
    assert document.names == [Mention(0, 1, "PERSON"), Mention(3, 3, "GPE")]


def test_read_documents_drops_slash_of_escaped_marks(two_parts: Path) -> None:
    document = next(read_documents(two_parts))
    assert document.sentences[0].words == ["Ann", "Lee", "saw", "Oslo", "."]


def test_clusters_count_tokens_from_start_of_document(two_parts: Path) -> None:
    document = next(read_documents(two_parts))
    assert document.clusters == [[(0, 1), (5, 5)], [(3, 3)]]


def test_read_documents_ends_sentence_at_end_of_document(tmp_path: Path) -> None:
    path = tmp_path / "d"
    path.write_text("#begin document (d)\nd 0 0 a NN * - - - - * -\n#end document\n")
    (document,) = read_documents(path)
    assert (document.part, len(document.sentences)) == (0, 1)


def test_read_documents_reads_crlf_and_byte_order_mark(two_parts: Path) -> None:
    plain = list(read_documents(two_parts))
    windows = b"\xef\xbb\xbf" + two_parts.read_bytes().replace(b"\n", b"\r\n")
    two_parts.write_bytes(windows)
    assert list(read_documents(two_parts)) == plain


def test_read_documents_gives_document_without_sentence(tmp_path: Path) -> None:
    path = tmp_path / "d"
    path.write_text("#begin document (d); part 000\n\n#end document\n")
    assert [document.sentences for document in read_documents(path)] == [[]]


def test_read_documents_reads_sentence_of_a_hundred_thousand_tokens(tmp_path: Path) -> None:
    path = tmp_path / "d"
    row = "d 0 0 a NN * - - - - * (1)\n"
    path.write_text(f"#begin document (d)\n{row * 100_000}#end document\n")
    (document,) = read_documents(path)
    assert len(document.clusters[0]) == 100_000


def read_rows(tmp_path: Path, rows: str, read: Callable[[Path], Iterator[Document]]) -> Document:
    path = tmp_path / "d"
    path.write_text(f"#begin document d; part 002\n{rows}#end document\n")
    (document,) = read(path)
    return document


def test_documents_may_be_named_without_parentheses(tmp_path: Path) -> None:
    document = read_rows(tmp_path, "d 0 0 a NN * - - - - * -\n", read_documents)
    assert (document.name, document.part) == ("d", 2)


def test_columns_that_a_corpus_does_not_use_may_hold_underscores(tmp_path: Path) -> None:
    rows = "d 0 0 Ann _ _ _ _ _ _ _ (1)\nd 0 1 left _ _ _ _ _ _ _ _\n"
    document = read_rows(tmp_path, rows, read_documents)
    assert (document.names, document.clusters) == ([], [[(0, 0)]])


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(["NN\t*\t-\t-\t-\t-\t*\t(1)", "VB\t*\t-\t-\t-\t-\t*\t"], id="too short"),
        pytest.param(["_\t_\t_\t_\t_\t_\t_\t(1)", "_\t_\t_\t_\t_\t_\t_\t"], id="underscores"),
        pytest.param(["_\t_\t_\t_\t_\t_\t_\t_\t(1)", *["_\t_\t_\t_\t_\t_\t_\t_\t"] * 2], id="wide"),
        pytest.param(["_\t_\t_\t_\t_\t_\t_\t_\t"] * 2 + ["_\t_\t_\t_\t_\t_\t_\t_\t(1)"], id="late"),
        pytest.param(
            ["N\t*\t-\t-\t-\t-\t(GPE)\t(V*)\t(1)", "N\t*\t-\t-\t-\t-\t*\t*\t"], id="verbs"
        ),
        pytest.param(["NN\t*\t-\t-\t-\t-\t*\t(1)\t", "VB\t*\t-\t-\t-\t-\t*\t-\t"], id="stray tabs"),
    ],
)
@pytest.mark.parametrize("read", [read_documents, read_coreference])
def test_last_cell_may_be_empty_between_tabs(
    tmp_path: Path, rows: list[str], read: Callable[[Path], Iterator[Document]]
) -> None:
    lines = "".join(f"d\t0\t{index}\tw\t{row}\n" for index, row in enumerate(rows))
    place = next(index for index, row in enumerate(rows) if "(1)" in row)
    assert read_rows(tmp_path, lines, read).clusters == [[(place, place)]]


def test_coreference_is_read_from_five_columns(tmp_path: Path) -> None:
    document = read_rows(tmp_path, "d 0 0 Ann (e1)\n", read_coreference)
    assert (document.words, document.clusters) == (["Ann"], [[(0, 0)]])


def test_coreference_is_read_whatever_stands_among_the_names(tmp_path: Path) -> None:
    rows = "d 0 0 Ann NN * - - - - B-PER (1)\n"
    assert read_rows(tmp_path, rows, read_coreference).clusters == [[(0, 0)]]


@pytest.mark.parametrize("last", [" x", ""], ids=["malformed", "absent"])
def test_names_are_read_whatever_stands_as_coreference(tmp_path: Path, last: str) -> None:
    rows = f"d 0 0 Ann NN * - - - - (PER){last}\n"
    assert read_rows(tmp_path, rows, read_names).names == [Mention(0, 0, "PER")]


def test_corpus_files_leaves_out_predicted_copies(tmp_path: Path) -> None:
    for name in ("a.v4_gold_conll", "a.v4_auto_conll", "a.v4_gold_skel"):
        (tmp_path / name).touch()
    assert corpus_files(tmp_path) == [tmp_path / "a.v4_gold_conll"]


def test_corpus_files_takes_predicted_copy_asked_for_by_name(tmp_path: Path) -> None:
    file = tmp_path / "a.v4_auto_conll"
    file.touch()
    assert corpus_files(file) == [file]


def test_corpus_files_refuses_predicted_copies_alone(tmp_path: Path) -> None:
    (tmp_path / "a.v4_auto_conll").touch()
    with pytest.raises(DataError, match=r"expected '\*gold_conll'"):
        corpus_files(tmp_path)


@pytest.mark.parametrize(
    "split, documents, sentences, tokens, names, clusters, mentions",
    [
        ("train", 94, 4719, 90063, 4988, 2690, 11084),
        ("dev", 16, 604, 14256, 573, 406, 1671),
        ("test", 16, 667, 14713, 923, 461, 1778),
    ],
)
def test_read_documents_counts_ontogum_as_its_readme(
    shared_dir: Path,
    split: str,
    documents: int,
    sentences: int,
    tokens: int,
    names: int,
    clusters: int,
    mentions: int,
) -> None:
    corpus = shared_dir / "data" / "open" / "ontonotes"
    one_file = list(read_documents(corpus / "coref" / f"{split}.gold_conll"))
    tree = [
        document
        for file in corpus_files(corpus / "ner" / split)
        for document in read_documents(file)
    ]
    for read in (one_file, tree):
        all_sentences = [sentence for document in read for sentence in document.sentences]
        all_clusters = [spans for document in read for spans in document.clusters]
        assert len(read) == documents
        assert len(all_sentences) == sentences
        assert sum(len(sentence.words) for sentence in all_sentences) == tokens
        assert sum(len(document.names) for document in read) == names
        assert (len(all_clusters), sum(map(len, all_clusters))) == (clusters, mentions)
