"""brat standoff: what its annotations become, and what is said of those that nothing becomes of."""

from pathlib import Path

import pytest

from hmtl.errors import DataError
from hmtl.formats.annotated import Document, Mention, Relation, Sentence, with_text
from hmtl.formats.brat import annotation_lines
from hmtl.importing.annotators import OTHERS
from tests.importing.importing import TEXT_IN_LINES, covered, run_import, written

TEXT = "Ada Wren lives in Port-Sel.\nShe left the harbour.\n"
ENTITIES = "T1\tPER 0 8\tAda Wren\nT2\tGPE 18 26\tPort-Sel\nT3\tPER 28 31\tShe\n"


def corpus(directory: Path, annotations: str, text: str = TEXT) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / "one.txt").write_bytes(text.encode())
    (directory / "one.ann").write_text(annotations, encoding="utf-8")
    return directory


def converted(tmp_path: Path, annotations: str, *options: str, text: str = TEXT) -> Document:
    source = corpus(tmp_path / "in", annotations, text)
    run_import("brat", source, tmp_path / "out", "--split", "train", *options)
    (document,) = written(tmp_path / "out")
    return document


def test_entities_become_mentions(tmp_path: Path) -> None:
    document = converted(tmp_path, ENTITIES)
    assert covered(document) == [("PER", "Ada Wren"), ("GPE", "Port - Sel"), ("PER", "She")]


def test_relations_become_relations(tmp_path: Path) -> None:
    document = converted(tmp_path, ENTITIES + "R1\tPHYS Arg1:T1 Arg2:T2\t\n")
    assert document.relations == [Relation("PHYS", (0, 1), (4, 6))]


def test_bare_span_in_nothing_is_counted(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in", ENTITIES + "T9\tSpan 0 3\tAda\n", TEXT)
    tally = run_import("brat", source, tmp_path / "out", "--split", "train")
    (lost,) = tally.num_left_out.items()
    assert lost[0][1].startswith("of the type Span, without a relation") and lost[1] == 1


@pytest.mark.parametrize(
    "link",
    ["*\tEquiv T1 T3", "*\tCoref T1 T3", "R7\tCoref Arg1:T3 Arg2:T1", "R7\tsame Arg1:T3 Arg2:T1"],
)
def test_links_of_coreference_become_a_cluster(tmp_path: Path, link: str) -> None:
    document = converted(
        tmp_path,
        f"{ENTITIES}{link}\n",
        "--coref-type",
        "same",
        "--coref-type",
        "Equiv",
        "--coref-type",
        "Coref",
    )
    assert document.clusters == [[(0, 1), (8, 8)]]
    assert document.relations == []


def test_equivalences_that_share_an_entity_are_one_cluster(tmp_path: Path) -> None:
    document = converted(tmp_path, ENTITIES + "*\tEquiv T1 T2\n*\tEquiv T2 T3\n")
    assert document.clusters == [[(0, 1), (4, 6), (8, 8)]]


DISCONTINUOUS = "T1\tPER 0 3;28 31\tAda She\nT2\tGPE 18 26\tPort-Sel\nR1\tPHYS Arg1:T1 Arg2:T2\n"


def test_discontinuous_entity_is_left_out_with_its_relations(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in", DISCONTINUOUS)
    tally = run_import("brat", source, tmp_path / "out", "--split", "train")
    assert tally.num_left_out == {
        ("mentions", "is discontinuous"): 1,
        ("relations", "one of its arguments is discontinuous"): 1,
    }


def test_discontinuous_entity_is_widened_on_request(tmp_path: Path) -> None:
    annotations = "T1\tPER 0 3;9 14\tAda lives\n"
    document = converted(tmp_path, annotations, "--discontinuous", "widen")
    assert covered(document) == [("PER", "Ada Wren lives")]


def test_discontinuous_entity_is_kept_where_the_layout_has_pieces(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in", DISCONTINUOUS)
    tally = run_import("brat", source, tmp_path / "out", "--split", "train", "--to", "brat")
    assert (tmp_path / "out" / "train" / "one.ann").read_text() == DISCONTINUOUS
    assert tally.num_left_out == {}
    assert tally.num_not_learned == {
        ("mentions", "is discontinuous"): 1,
        ("relations", "one of its arguments is discontinuous"): 1,
    }


def test_entity_in_pieces_over_the_words_of_a_whole_one_is_widened(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in", "T1\tPER 0 14\tAda Wren lives\nT2\tPER 0 3;9 14\tAda lives\n")
    tally = run_import("brat", source, tmp_path / "out", "--split", "train", "--to", "brat")
    assert tally.num_changed == {
        ("mentions", "widened over its gaps, as another covers the same words otherwise"): 1
    }


@pytest.mark.parametrize(
    ("borders", "words"),
    [("split", "Wr"), ("widen", "Ada Wren"), ("cut", "Ada"), ("drop", None)],
)
def test_entity_that_ends_inside_a_word_meets_its_borders(
    tmp_path: Path, borders: str, words: str | None
) -> None:
    begin = 4 if borders == "split" else 0
    place = f"T1\tPER {begin} 6\t{TEXT[begin:6]}\n"
    document = converted(tmp_path, place, "--borders", borders)
    assert covered(document) == ([("PER", words)] if words else [])


def test_entity_cut_at_a_line_end_is_one_piece(tmp_path: Path) -> None:
    text = "We saw Ada\nWren there.\n"
    document = converted(tmp_path, "T1\tPER 7 10;11 15\tAda Wren\n", text=text)
    assert covered(document) == [("PER", "Ada Wren")]


def test_annotations_that_nothing_becomes_of_are_counted(tmp_path: Path) -> None:
    others = "E1\tMove:T1 To:T2\nA1\tNegated E1\nN1\tReference T1 Wiki:1\tx\n#1\tNote T1\ty\n"
    others += "R1\tCause Arg1:E1 Arg2:T1\n*\tSynonym T1 T3\n"
    source = corpus(tmp_path / "in", ENTITIES + others)
    tally = run_import("brat", source, tmp_path / "out", "--split", "train")
    assert {kind for kind, _ in tally.num_left_out} == {
        "events",
        "event triggers",
        "attributes",
        "normalizations",
        "notes",
        "relations of events",
        "equivalences of type Synonym",
    }


def test_places_count_both_characters_of_a_windows_line_end(tmp_path: Path) -> None:
    text = "Ada Wren left.\r\nShe came back.\r\n"
    document = converted(tmp_path, "T1\tPER 16 19\tShe\n", *TEXT_IN_LINES, text=text)
    assert covered(document) == [("PER", "She")]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param("Ada Wren left.\r\nShe came back.\r\n", "15 18", id="line ends as one"),
        pytest.param("Ada Wren left.\nShe came back.\n", "16 19", id="line ends as two"),
        pytest.param("\ufeffAda Wren left. She came back.\n", "15 18", id="no byte order mark"),
    ],
)
def test_places_that_were_counted_otherwise_are_found_by_their_quotes(
    tmp_path: Path, text: str, place: str
) -> None:
    source = corpus(tmp_path / "in", f"T1\tPER {place}\tShe\n", text)
    tally = run_import("brat", source, tmp_path / "out", "--split", "train", *TEXT_IN_LINES)
    (document,) = written(tmp_path / "out")
    assert covered(document) == [("PER", "She")]
    assert sum(tally.num_changed.values()) == 1


def test_trigger_of_an_event_is_no_mention(tmp_path: Path) -> None:
    event = "T4\tMove 32 36\tleft\nE1\tMove:T4 Agent:T3\nR1\tBy Arg1:T4 Arg2:T3\n"
    source = corpus(tmp_path / "in", ENTITIES + event)
    tally = run_import("brat", source, tmp_path / "out", "--split", "train")
    (document,) = written(tmp_path / "out")
    assert covered(document) == [("PER", "Ada Wren"), ("GPE", "Port - Sel"), ("PER", "She")]
    assert tally.num_left_out == {
        ("event triggers", "nothing is learned from them"): 1,
        ("events", "nothing is learned from them"): 1,
        ("relations", "one of its mentions was left out"): 1,
    }


@pytest.mark.parametrize(
    "relations",
    [
        "R1\tPHYS Arg2:T2 Arg1:T1\n",
        "R1\tPHYS Who:T1 Where:T2\nR2\tPHYS Where:T2 Who:T1\n",
    ],
    ids=["numbered", "named"],
)
def test_arguments_are_told_by_their_roles(tmp_path: Path, relations: str) -> None:
    document = converted(tmp_path, ENTITIES + relations)
    assert document.relations == [Relation("PHYS", (0, 1), (4, 6))]


def test_relation_of_two_in_one_role_stays_as_it_is(tmp_path: Path) -> None:
    document = converted(tmp_path, ENTITIES + "R1\tMet Who:T2 Who:T1\n")
    assert document.relations == [Relation("Met", (4, 6), (0, 1))]


def test_suffixes_may_be_in_capitals(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in", ENTITIES)
    (source / "one.txt").rename(source / "one.TXT")
    (source / "one.ann").rename(source / "one.Ann")
    run_import("brat", source, tmp_path / "out", "--split", "train")
    (document,) = written(tmp_path / "out")
    assert (document.name, len(document.mentions)) == ("one", 3)


def test_two_texts_of_one_document_are_an_error(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in", ENTITIES)
    (source / "one.TXT").write_text("Another.\n")
    with pytest.raises(DataError, match=r"one\.txt: there is one\.TXT beside it; remove one"):
        run_import("brat", source, tmp_path / "out", "--split", "train")


def test_annotations_of_bionlp_are_read_together(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in", "")
    (source / "one.ann").unlink()
    (source / "one.a1").write_text(ENTITIES)
    (source / "one.a2").write_text("*\tEquiv T1 T3\n")
    run_import("brat", source, tmp_path / "out", "--split", "train")
    (document,) = written(tmp_path / "out")
    assert len(document.mentions) == 3 and len(document.clusters) == 1


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ("T1\tPER 0 8\tAda Wrem\n", r"one\.ann:1: the entity quotes 'Ada Wrem'.*stands 'Ada Wren'"),
        ("T1\tPER 0 99\tAda\n", r"one\.ann:1: the characters 0 to 99 are not within the 50"),
        ("T1\tPER 0 51\n", r"one\.ann:1: the characters 0 to 51 are not within the 50"),
        (f"T1\tPER 0 {'9' * 5000}\tAda\n", r"one\.ann:1: malformed entity 'PER 0 999"),
        ("T1\tPER 0\tAda\n", r"one\.ann:1: malformed entity 'PER 0'"),
        ("\nT1\tPER 8 0\tAda\n", r"one\.ann:2: the characters 8 to 0"),
        (ENTITIES + "T1\tPER 0 8\tAda Wren\n", r"one\.ann:4: a second entity of the name T1"),
        (ENTITIES + "R1\tPHYS Arg1:T1 Arg2:T9\n", r"one\.ann:4: T9 is named here, but"),
        (ENTITIES + "R1\tPHYS T1 T2\n", r"one\.ann:4: malformed relation 'PHYS T1 T2'"),
        (ENTITIES + "*\tEquiv T1\n", r"one\.ann:4: malformed equivalence"),
        ("X1\tPER 0 8\tAda\n", r"one\.ann:1: unknown annotation 'X1'"),
    ],
)
def test_malformed_annotation_is_an_error_with_its_line(
    tmp_path: Path, annotations: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        converted(tmp_path, annotations)


@pytest.mark.parametrize(
    ("file", "reason"),
    [("README.txt", "no .ann beside the .txt"), ("lost.ann", "no .txt beside the .ann")],
)
def test_file_without_its_partner_is_left_out(tmp_path: Path, file: str, reason: str) -> None:
    source = corpus(tmp_path / "in", ENTITIES)
    (source / file).write_text("About this corpus.\n")
    tally = run_import("brat", source, tmp_path / "out", "--split", "train")
    assert [document.name for document in written(tmp_path / "out")] == ["one"]
    assert tally.num_left_out == {("documents", reason): 1}


def test_folder_of_texts_alone_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "one.txt").write_text(TEXT)
    with pytest.raises(DataError, match="holds no document: expected files that"):
        run_import("brat", tmp_path / "in", tmp_path / "out")


def test_names_and_mentions_are_told_apart_again(tmp_path: Path) -> None:
    document = Document(
        "one",
        [Sentence(["Ada", "left"])],
        mentions=[Mention(0, 0, "PER")],
        names=[Mention(0, 0, "PERSON")],
    )
    document = with_text(document)
    annotations = "".join(f"{line}\n" for line in annotation_lines(document))
    source = corpus(tmp_path / "in", annotations, document.text or "")
    run_import(
        "brat", source, tmp_path / "names", "--split", "train", "--to", "conll2012", *TEXT_IN_LINES
    )
    (read,) = written(tmp_path / "names")
    assert read.names == document.names


def test_folders_of_annotators_make_one_document(tmp_path: Path) -> None:
    for name, label in (("anna", "X"), ("ben", "Y"), ("carl", "Y")):
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "one.txt").write_text("She ran. He sat.")
        (tmp_path / "in" / name / "one.ann").write_text(
            f"T1\t{label} 0 3\tShe\nT2\tZ 9 11\tHe\n*\tEquiv T1 T2\n"
        )
    found = {}
    for choice in ("first", "vote", "anna"):
        options = "--split", "train", "--annotators", choice
        tally = run_import("brat", tmp_path / "in", tmp_path / choice, *options)
        (document,) = written(tmp_path / choice)
        assert document.name == "one" and len(document.clusters) == 1
        found[choice] = [mention.type for mention in document.mentions]
    assert found == {"first": ["X", "Z"], "vote": ["Y", "Z"], "anna": ["X", "Z"]}
    assert tally.num_left_out == {("annotations", OTHERS): 2}
