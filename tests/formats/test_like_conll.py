from pathlib import Path
from typing import Any

import pytest

from hmtl.formats.annotated import Document, Mention, Relation
from hmtl.formats.files import documents_in
from hmtl.formats.like_conll import SUFFIX, read_documents

DOCUMENT = """\
#begin document (nw/AFP_1); part 000
0 The * * * * -
1 Rome (GPE) * * (ARG2_PART_WHOLE) (2)
2 police (ORG* (ARG2_ORG-AFF* * (ARG1_PART_WHOLE* (1
3 chief *) *) * *) 1)
4 Rossi (PER) (ARG1_ORG-AFF) * * (3|(4)
5 . * * * * 3)

0\tHe\t(PER)\t(3)
#end document
"""


def document_of(tmp_path: Path, rows: str) -> Document:
    path = tmp_path / "a.like_conll"
    path.write_text(f"#begin document (d)\n{rows}\n#end document\n", encoding="utf-8")
    (document,) = read_documents(path)
    return document


def test_read_documents_gives_mentions_relations_and_clusters(tmp_path: Path) -> None:
    path = tmp_path / "a.like_conll"
    path.write_text(DOCUMENT, encoding="utf-8")
    (document,) = read_documents(path)
    first, second = document.sentences
    assert (document.name, first.line, second.line) == ("nw/AFP_1", 2, 9)
    assert first.words == ["The", "Rome", "police", "chief", "Rossi", "."]
    assert document.by_sentence(document.mentions) == [
        [Mention(1, 1, "GPE"), Mention(2, 3, "ORG"), Mention(4, 4, "PER")],
        [Mention(0, 0, "PER")],
    ]
    assert document.clusters == [[(1, 1)], [(2, 3)], [(4, 4)], [(4, 5), (6, 6)]]


def test_relation_labels_are_split_at_first_underscore(tmp_path: Path) -> None:
    # The reference splits at every underscore, and would make this type PART (SPEC 8.11).
    path = tmp_path / "a.like_conll"
    path.write_text(DOCUMENT, encoding="utf-8")
    (document,) = read_documents(path)
    assert document.relations == [
        Relation(arg1=(4, 4), arg2=(2, 3), type="ORG-AFF"),
        Relation(arg1=(2, 3), arg2=(1, 1), type="PART_WHOLE"),
    ]


@pytest.mark.parametrize(
    "cells, arg1, arg2",
    [
        (["*", "(ARG1_X)(ARG2_X)", "*"], (1, 1), (1, 1)),
        (["(ARG1_X(ARG2_X*", "*))", "*"], (0, 1), (0, 1)),
        (["(ARG2_X*", "(ARG1_X*", "*))"], (1, 2), (0, 2)),
    ],
)
def test_both_arguments_may_end_on_one_token(
    tmp_path: Path, cells: list[str], arg1: tuple, arg2: tuple
) -> None:
    # The reference silently takes the previous relation's arguments here (SPEC 8.11).
    rows = "\n".join(f"{index} w * {cell} -" for index, cell in enumerate(cells))
    assert document_of(tmp_path, rows).relations == [Relation("X", arg1, arg2)]


def test_empty_relation_columns_are_counted(tmp_path: Path) -> None:
    document = document_of(tmp_path, "0 a * * (ARG1_X) * -\n1 b * * (ARG2_X) * -")
    assert len(document.relations) == 1
    assert document.sentences[0].empty_frames == 2


def test_words_may_be_what_stands_for_nothing_elsewhere(tmp_path: Path) -> None:
    document = document_of(tmp_path, "0 * * -\n1 - * -\n2 ( * -\n3 # * -\n4 1\u00a02 * -")
    assert document.words == ["*", "-", "(", "#", "1\u00a02"]


@pytest.mark.parametrize(
    "split, documents, sentences, related, tokens, mentions, relations, clusters, coreferent",
    [
        ("train", 600, 4929, 2177, 122753, 15766, 9839, 2239, 6380),
        ("dev", 125, 1012, 431, 24751, 3215, 1941, 436, 1233),
        ("test", 125, 976, 442, 24752, 3285, 2040, 442, 1260),
    ],
)
def test_read_documents_counts_redocred_as_its_readme(
    shared_dir: Path,
    split: str,
    documents: int,
    sentences: int,
    related: int,
    tokens: int,
    mentions: int,
    relations: int,
    clusters: int,
    coreferent: int,
) -> None:
    corpus = shared_dir / "data" / "open" / "ace"
    one_file = list(read_documents(corpus / "single_file" / f"{split}.like_conll"))
    tree = [
        document
        for file in documents_in(corpus / split, SUFFIX)
        for document in read_documents(file)
    ]
    for read in (one_file, tree):
        all_sentences = [sentence for document in read for sentence in document.sentences]
        all_clusters = [spans for document in read for spans in document.clusters]
        assert (len(read), len(all_sentences)) == (documents, sentences)
        by_sentence = [found for each in read for found in each.by_sentence(each.relations)]
        assert sum(map(bool, by_sentence)) == related
        assert sum(len(sentence.words) for sentence in all_sentences) == tokens
        assert sum(len(document.mentions) for document in read) == mentions
        assert sum(map(len, by_sentence)) == relations
        assert (len(all_clusters), sum(map(len, all_clusters))) == (clusters, coreferent)


@pytest.mark.parametrize(
    ("row", "unwanted", "found"),
    [
        ("0 a (PER *)) (1)", {"mentions": False, "relations": False}, (0, 0, 1)),
        ("0 a (PER) x (1", {"relations": False, "coreference": False}, (1, 0, 0)),
        ("0 a (PER) (ARG1_X)(ARG2_X) ?", {"coreference": False}, (1, 1, 0)),
    ],
)
def test_columns_that_are_not_wanted_are_not_looked_at(
    tmp_path: Path, row: str, unwanted: dict[str, Any], found: tuple[int, int, int]
) -> None:
    path = tmp_path / "d"
    path.write_text(f"#begin document (d)\n{row}\n#end document\n")
    (document,) = read_documents(path, **unwanted)
    assert (len(document.mentions), len(document.relations), len(document.clusters)) == found
