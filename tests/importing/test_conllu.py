"""CoNLL-U with `Entity=`, as GUM and CorefUD write it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmtl.errors import DataError
from hmtl.formats.annotated import Document
from hmtl.importing.tally import Tally
from tests.importing.importing import covered, run_import, written

HEADER = "# newdoc id = {}\n# global.Entity = eid-etype-head\n"


def conllu(*sentences: str, header: str = HEADER.format("doc")) -> str:
    """A file of sentences, given as `word`, or `word:what stands in Entity=`, with blanks between."""
    blocks = []
    for sentence in sentences:
        rows, number = [], 0
        for token in sentence.split():
            word, _, entity = token.partition(":")
            # *word is an empty node.
            number += not word.startswith("*")
            name = f"{number}.1" if word.startswith("*") else str(number)
            misc = f"SpaceAfter=No|Entity={entity}" if entity else "_"
            cells = [name, word.strip("*"), "_", "NOUN", "NN", "_", "0", "root", "_", misc]
            rows.append("\t".join(cells) + "\n")
        blocks.append("".join(rows))
    return header + "\n".join(blocks)


def imported(tmp_path: Path, content: str, *options: str) -> tuple[Document, Tally]:
    source = tmp_path / "in.conllu"
    source.write_text(content, encoding="utf-8")
    tally = run_import("conllu", source, tmp_path / "out", "--split", "train", *options)
    (document,) = written(tmp_path / "out")
    return document, tally


@pytest.mark.parametrize(
    ("sentence", "clusters"),
    [
        ("Ada:(e1-person-1) saw her:(e1-person-1)", [[(0, 0), (2, 2)]]),
        ("the:(e1-place-2 old port:e1) , it:(e1-place-1)", [[(0, 2), (4, 4)]]),
        # One inside the other, and both end with one word.
        (
            "Ada:(e1-person-1(e2-person-1) 's boat:e1) her:(e2-person-1) it:(e1--1)",
            [[(0, 2), (4, 4)], [(0, 0), (3, 3)]],
        ),
        # Of one entity in itself the inner mention closes first.
        ("a:(e1-x-1 b:(e1-x-1 c:e1) d:e1)", [[(0, 3), (1, 2)]]),
        # Crossing, of two entities.
        (
            "a:(e1-x-1 b:(e2-x-1 c:e1) d:e2) e:(e1-x-1)(e2-x-1)",
            [[(0, 2), (4, 4)], [(1, 3)]],
        ),
        ("a:(e1-x-1)(e2-x-1 b:e2) c:(e2-x-1) d:(e1-x-1)", [[(0, 0), (3, 3)], [(0, 1), (2, 2)]]),
    ],
)
def test_brackets_become_clusters(
    tmp_path: Path, sentence: str, clusters: list[list[tuple[int, int]]]
) -> None:
    document, _ = imported(tmp_path, conllu(sentence), "--singletons")
    assert sorted(document.clusters) == sorted(clusters)


def test_mentions_have_the_types_of_their_brackets(tmp_path: Path) -> None:
    document, tally = imported(tmp_path, conllu("Ada:(e1-person-1) left Selby:(e2--1)"))
    assert covered(document) == [("person", "Ada")]
    assert tally.num_left_out["mentions", "has no type"] == 1


@pytest.mark.parametrize(
    ("fields", "entity"),
    [("GRP-etype-infstat-link", "1-person-new-a-b"), ("entity-GRP-infstat", "person-1-new")],
)
def test_fields_are_where_the_header_says(tmp_path: Path, fields: str, entity: str) -> None:
    header = f"# newdoc id = doc\n# global.Entity = {fields}\n"
    content = conllu(f"Ada:({entity} Wren:1) left she:({entity})", header=header)
    document, _ = imported(tmp_path, content)
    assert covered(document) == [("person", "Ada Wren"), ("person", "she")]
    assert document.clusters == [[(0, 1), (3, 3)]]


def test_file_with_clusters_alone_has_no_mentions(tmp_path: Path) -> None:
    header = "# newdoc id = doc\n# global.Entity = GRP\n"
    document, _ = imported(tmp_path, conllu("Ada:(1) saw her:(1)", header=header))
    assert (document.mentions, document.clusters) == ([], [[(0, 0), (2, 2)]])


def test_numbers_of_more_digits_than_python_reads_are_none(tmp_path: Path) -> None:
    many = "9" * 5000
    document, _ = imported(
        tmp_path, conllu(f"Ada:(e1-p-{many}) left").replace("\t0\t", f"\t{many}\t")
    )
    assert [(each.span, each.type) for each in document.mentions] == [((0, 0), "p")]


def test_mention_over_a_sentence_end_is_left_out(tmp_path: Path) -> None:
    _, tally = imported(tmp_path, conllu("Ada:(e1-person-1 left", "Selby:e1)"))
    assert tally.num_left_out["mentions", "crosses the end of a sentence"] == 1
    assert tally.num_left_out["cluster members", "crosses the end of a sentence"] == 1


SPLIT = conllu("put:(e1[1/2]-act-1) it:(e2-x-1) off:(e1[2/2]-act-1) that:(e1-act-1) it:(e2-x-1)")


def test_mention_in_pieces_is_left_out(tmp_path: Path) -> None:
    document, tally = imported(tmp_path, SPLIT)
    assert document.clusters == [[(1, 1), (4, 4)]]
    assert tally.num_left_out["cluster members", "is discontinuous"] == 1


def test_mention_in_pieces_is_widened_on_request(tmp_path: Path) -> None:
    document, _ = imported(tmp_path, SPLIT, "--discontinuous", "widen")
    assert document.clusters == [[(0, 2), (3, 3)], [(1, 1), (4, 4)]]


def test_mention_in_pieces_keeps_them_where_there_is_a_place(tmp_path: Path) -> None:
    source = tmp_path / "in.conllu"
    source.write_text(SPLIT)
    run_import("conllu", source, tmp_path / "out", "--split", "train", "--to", "brat")
    annotations = (tmp_path / "out" / "train" / "doc.ann").read_text().splitlines()
    assert annotations == [
        "T1\tact 0 3;7 10\tput off",
        "T2\tx 4 6\tit",
        "T3\tact 11 15\tthat",
        "T4\tx 16 18\tit",
        "*\tEquiv T1 T3",
        "*\tEquiv T2 T4",
    ]


@settings(max_examples=100)
@given(st.integers(0, len(SPLIT) - 1), st.integers(0, 6), st.text("()[]/12-e\t\n|=_#.", max_size=4))
def test_whatever_stands_in_a_file_is_read_or_refused(place: int, cut: int, text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            imported(Path(folder), SPLIT[:place] + text + SPLIT[place + cut :])
        except DataError as error:
            assert "in.conllu" in str(error)


def test_empty_nodes_are_no_words(tmp_path: Path) -> None:
    content = conllu("*she:(e1-x-1) left *it:(e2-x-1 there:e2) her:(e1-x-1) then:(e2-x-1 *so:e2)")
    document, tally = imported(tmp_path, content)
    assert document.words == ["left", "there", "her", "then"]
    # A mention that an empty node begins or ends keeps its words.
    assert document.clusters == [[(1, 1), (3, 3)]]
    assert tally.num_left_out["cluster members", "covers no word"] == 1


def test_tokens_of_several_words_are_passed_over(tmp_path: Path) -> None:
    content = conllu("do n't").replace("1\tdo", "1-2\tdon't" + "\t_" * 8 + "\n1\tdo")
    document, _ = imported(tmp_path, content)
    assert document.words == ["do", "n't"]


def test_columns_of_the_treebank_are_kept(tmp_path: Path) -> None:
    content = conllu("a b").replace("1\ta\t_\t", "# speaker = Ada Wren\n1\ta\tA bit\t")
    document, _ = imported(tmp_path, content, "--to", "conll2012")
    treebank = document.sentences[0].treebank
    assert treebank is not None
    assert (treebank.pos_tags, treebank.lemmas) == (["NN", "NN"], ["Abit", "_"])
    assert treebank.speakers == ["AdaWren", "AdaWren"]


def test_parts_of_speech_are_universal_where_there_are_no_others(tmp_path: Path) -> None:
    document, _ = imported(tmp_path, conllu("a b").replace("\tNN\t", "\t_\t"), "--to", "conll2012")
    treebank = document.sentences[0].treebank
    assert treebank is not None and treebank.pos_tags == ["NOUN", "NOUN"]


def test_documents_begin_at_their_marks_and_have_names_of_their_own(tmp_path: Path) -> None:
    source = tmp_path / "in.conllu"
    unnamed = "# newdoc\n# global.Entity = eid\n"
    headers = [HEADER.format("one"), HEADER.format("one"), unnamed]
    source.write_text("\n".join(conllu("a", "b", header=header) for header in headers))
    run_import("conllu", source, tmp_path / "out", "--split", "train")
    documents = written(tmp_path / "out")
    assert [document.name for document in documents] == ["one", "one.2", "in-00003"]
    assert [len(document.sentences) for document in documents] == [2, 2, 2]


def test_files_of_a_treebank_are_its_splits(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for split in ("train", "dev", "test"):
        path = tmp_path / "in" / f"en_gum-ud-{split}.conllu"
        path.write_text(conllu("a", header=HEADER.format(split)))
    run_import("conllu", tmp_path / "in", tmp_path / "out")
    assert [written(tmp_path / "out", s)[0].name for s in ("train", "dev", "test")] == [
        "train",
        "dev",
        "test",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1\ta\n", r"in\.conllu:1: the row has 2 columns; expected at least 10: ID FORM"),
        (conllu("a b").replace("\n2\t", "\n3\t"), r":4: the word's number .* is 3; expected 2"),
        (conllu("a b").replace("\n2\t", "\nx\t"), r":4: ID \(column 1\) is 'x'"),
        (conllu("a").replace("\t_\n", "\t_\t_\n"), r":3: the row has 11 columns; expected ten"),
        (conllu("*a"), ":3: the sentence holds no word"),
        ("# only = comments\n", "the file holds no sentence"),
        (conllu("a b:e1)"), r":4: Entity='e1\)' closes a mention of 'e1', but none is open"),
        (conllu("a b:(e1-x-1 c"), ":4: the mention of 'e1' is never closed"),
        (conllu("a:((e1"), r":3: malformed Entity='\(\(e1'"),
        (conllu("a:(e1[2/2]-x-1)"), r":3: '\(e1\[2/2\]' is no first piece"),
        (conllu("a:(e1)", header="# newdoc id = x\n"), r":2: .* no '# global\.Entity = ' above"),
    ],
)
def test_malformed_file_is_an_error_with_its_line(
    tmp_path: Path, content: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        imported(tmp_path, content)


# word, tag, governor, relation, Entity
SENTENCE = """
The DT 5 det (1-organization-4
old JJ 5 amod
Royal NNP 5 amod
Society NNP 5 compound
Club NNP 12 nsubj
of IN 8 case
the DT 8 det (2-place-2
City NNP 5 nmod 1)2)
in IN 11 case
late JJ 11 amod (3-time-2
May NNP 12 obl 3)
met VBD 0 root
both DT 14 det
Ada NNP 12 obj (4-person-1)(5-animal-1)
"""


def with_syntax(text: str) -> str:
    rows = []
    for number, line in enumerate(text.strip().splitlines(), start=1):
        word, tag, governor, relation, *entity = line.split()
        misc = f"Entity={entity[0]}" if entity else "_"
        cells = [number, word, "_", "X", tag, "_", governor, relation, "_", misc]
        rows.append("\t".join(map(str, cells)) + "\n")
    return HEADER.format("doc").replace("eid", "GRP") + "".join(rows)


def test_names_are_the_stretch_around_a_proper_noun(tmp_path: Path) -> None:
    document, tally = imported(tmp_path, with_syntax(SENTENCE), "--names", "--to", "conll2012")
    assert covered(document) == [
        ("ORG", "Royal Society Club of the City"),
        ("PLACE", "City"),
        ("TIME", "May"),
        ("PERSON", "Ada"),
    ]
    assert tally.num_left_out["names", "its type is none of those of names"] == 1


NAMES = [
    # Adjectives in small letters and determiners are out; a capital one is in.
    ("the DT 3 det (1-place-1\nGreat JJ 3 amod\nWall NNP 0 root 1)", ["Great Wall"]),
    ("old JJ 2 amod (1-place-1\nYork NNP 0 root 1)", ["York"]),
    # No proper noun at the head, though one is inside.
    ("York NNP 2 compound (1-place-1\nminster NN 0 root 1)", []),
    # A hyphen between two parts is bridged, a comma only in times.
    ("A NNP 3 compound (1-place-1\n- HYPH 1 punct\nB NNP 0 root 1)", ["A - B"]),
    ("A NNP 0 root (1-place-1\n, , 3 punct\nB NNP 1 flat 1)", ["A"]),
    ("May NNP 0 root (1-time-1\n, , 3 punct\n1 CD 1 nmod:unmarked 1)", ["May , 1"]),
    # Numbers are names of times only.
    ("1999 CD 0 root (1-time-1)", ["1999"]),
    ("1999 CD 0 root (1-object-1)", []),
    # An attribute with a preposition other than `of`.
    ("Ada NNP 0 root (1-person-1\nfrom IN 3 case\nYork NNP 1 nmod 1)", ["Ada"]),
    ("Anne NNP 0 root (1-person-1\nMarie NNP 1 flat:name 1)", ["Anne Marie"]),
]


@pytest.mark.parametrize(("rows", "names"), NAMES)
def test_rule_of_names(tmp_path: Path, rows: str, names: list[str]) -> None:
    document, _ = imported(tmp_path, with_syntax(rows), "--names", "--to", "conll2012")
    assert [words for _, words in covered(document)] == names


def test_name_over_a_sentence_end_is_left_out(tmp_path: Path) -> None:
    content = conllu("Ada:(e1-person-1 left", "Selby:e1)")
    _, tally = imported(tmp_path, content, "--names", "--to", "conll2012")
    assert tally.num_left_out["names", "crosses the end of a sentence"] == 1


def test_governor_outside_the_sentence_is_an_error_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r":3: HEAD \(column 7\) is '9'"):
        imported(tmp_path, with_syntax("Ada NNP 9 obj (1-person-1)"), "--names")
