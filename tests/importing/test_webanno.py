"""
WebAnno TSV 3.3. The examples are those of the format's documentation in INCEpTION's user guide, retold with
other words.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmtl.errors import DataError
from hmtl.formats.annotated import Document, Mention, Relation, Sentence, with_text
from hmtl.formats.webanno import webanno_lines
from hmtl.importing import webanno
from hmtl.importing.annotators import NOT_ANNOTATED, OTHERS, OUTVOTED
from hmtl.importing.layers import LayerConverter
from hmtl.importing.tally import Tally
from hmtl.importing.webanno_files import read_tsv
from tests.importing.annotated import documents, sorted_document
from tests.importing.importing import run_import

ENTITIES = "#T_SP=de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity|identifier|value"
CHAINS = "#T_CH=de.tudarmstadt.ukp.dkpro.core.api.coref.type.CoreferenceLink|referenceType|referenceRelation"
SPANS = "#T_SP=custom.Span|label"
RELATIONS = "#T_RL=custom.Relation|label|BT_custom.Span"


def tsv(text: str, *headers: str, cells: str = "") -> str:
    """
    A file of sentences, a line each. `cells` has a line for each row that is not blank, begun by its word;
    words that it lacks have no annotation.
    """
    columns = sum(max(header.rstrip("|").count("|"), 1) for header in headers)
    rows = [line.split() for line in cells.splitlines() if line.strip()]
    lines, begin = ["#FORMAT=WebAnno TSV 3.3", *headers, ""], 0
    for number, sentence in enumerate(text.splitlines(), start=1):
        lines += ["", f"#Text={sentence}"]
        for token, word in enumerate(sentence.split(" "), start=1):
            units = len(word.encode("utf-16-le")) // 2
            own = rows.pop(0)[1:] if rows and rows[0][0] == word else ["_"] * columns
            place = f"{begin}-{begin + units}"
            lines.append("\t".join([f"{number}-{token}", place, word, *own]) + "\t")
            begin += units + 1
            while rows and rows[0][0].startswith("."):
                part, place, *own = rows.pop(0)
                shift = begin - units - 1
                first, _, last = place.partition("-")
                place = f"{int(first) + shift}-{int(last) + shift}"
                lines.append("\t".join([f"{number}-{token}{part}", place, "", *own]))
    assert not rows, rows
    return "\n".join(lines) + "\n"


def read(path: Path, *options: str) -> tuple[Document, Tally]:
    parser = argparse.ArgumentParser()
    webanno.add_arguments(parser)
    tally = Tally()
    converter = LayerConverter(parser.parse_args(options), tally)
    (document,) = converter.documents({"in": [path]}, read_tsv)
    return document, tally


def imported(tmp_path: Path, content: str, *options: str) -> tuple[Document, Tally]:
    path = tmp_path / "in.tsv"
    path.write_text(content, encoding="utf-8")
    return read(path, *options)


def test_entities_are_names_and_those_over_several_tokens_are_one(tmp_path: Path) -> None:
    content = tsv(
        "Ms. Vane left 😊 .\nShe ran .",
        ENTITIES,
        cells="Ms. *[1]|* PER[1]|TITLE[2]\nVane *[1] PER[1]\nShe * PER",
    )
    document, tally = imported(tmp_path, content)
    assert document.names == [Mention(0, 1, "PER"), Mention(0, 0, "TITLE"), Mention(5, 5, "PER")]
    assert [sentence.words for sentence in document.sentences] == [
        ["Ms.", "Vane", "left", "😊", "."],
        ["She", "ran", "."],
    ]
    assert document.text == "Ms. Vane left 😊 .\nShe ran ."
    assert not tally.num_left_out


def test_file_without_a_token_is_an_empty_document(tmp_path: Path) -> None:
    document, _ = imported(tmp_path, tsv("", SPANS))
    assert document.sentences == [] and document.text == ""


def test_chains_are_clusters(tmp_path: Path) -> None:
    content = tsv(
        "He shot himself .",
        CHAINS,
        cells="He pr[1]|*[2] coref->1-1|*->2-1\nshot *[2] *->2-1\nhimself pr[1] *->1-2",
    )
    document, tally = imported(tmp_path, content)
    assert document.clusters == [[(0, 0), (2, 2)], [(0, 1)]]
    assert document.mentions == document.names == []
    assert tally.num_left_out == {("labels of CoreferenceLink", "nothing is learned from them"): 2}


def test_relations_are_told_by_their_numbers(tmp_path: Path) -> None:
    content = tsv(
        "a b c",
        SPANS,
        RELATIONS,
        cells="a X[1]|Y[2] _ _\nb X[1] _ _\nc Z R|S|T 1-1[2_0]|1-1[1_0]|1-3",
    )
    document, _ = imported(tmp_path, content)
    assert document.relations == [
        Relation("R", (0, 0), (2, 2)),
        Relation("S", (0, 1), (2, 2)),
        Relation("T", (2, 2), (2, 2)),
    ]


def test_span_without_a_label_stands_in_relations_only(tmp_path: Path) -> None:
    content = tsv("a b", SPANS, RELATIONS, cells="a * _ _\nb X R 1-1")
    document, tally = imported(tmp_path, content)
    assert document.mentions == [Mention(1, 1, "X")]
    assert document.relations == [Relation("R", (0, 0), (1, 1))]
    assert tally.num_left_out == {("mentions", "has no label"): 1}


def test_own_label_like_that_of_spans_without_one_is_a_mention(tmp_path: Path) -> None:
    content = tsv("a b", SPANS, CHAINS, RELATIONS, cells="a Span _ _ _ _\nb X * *->1-1 R 1-1")
    document, tally = imported(tmp_path, content)
    assert document.mentions == [Mention(0, 0, "_Span"), Mention(1, 1, "X")]
    assert document.relations == [Relation("R", (0, 0), (1, 1))]
    # That of a chain is none, but no label says so.
    assert tally.num_changed == {("labels", "are told from the own ones by '_'"): 1}


@pytest.mark.parametrize(
    ("borders", "words", "mentions"),
    [
        ("split", ["play", "s", "on"], [Mention(0, 0, "A"), Mention(1, 2, "B")]),
        ("widen", ["plays", "on"], [Mention(0, 0, "A"), Mention(0, 1, "B")]),
        ("cut", ["plays", "on"], [Mention(1, 1, "B")]),
    ],
)
def test_parts_of_tokens_meet_words_by_the_rule(
    tmp_path: Path, borders: str, words: list[str], mentions: list[Mention]
) -> None:
    cells = "plays _\n.1 0-4 A\n.2 4-5 B[1]\non B[1]"
    document, _ = imported(tmp_path, tsv("plays on", SPANS, cells=cells), "--borders", borders)
    assert document.words == words
    assert document.mentions == mentions


def test_escapes_are_undone(tmp_path: Path) -> None:
    content = tsv("a b", SPANS, cells=r"a x\|y\[1\]\->\\[3]|\_" + "\n")
    document, _ = imported(tmp_path, content)
    assert [mention.type for mention in document.mentions] == ["x|y[1]->\\", "_"]


def test_layers_are_chosen_by_name(tmp_path: Path) -> None:
    other = "#T_SP=custom.Mood|when|tone"
    content = tsv("a b", SPANS, other, cells="a X _ _\nb Y now glad")
    document, tally = imported(
        tmp_path, content, "--mentions", "Mood:tone", "--names", "custom.Span"
    )
    assert document.mentions == [Mention(1, 1, "glad")]
    assert document.names == [Mention(0, 0, "X"), Mention(1, 1, "Y")]
    assert tally.num_left_out == {("values of Mood:when", "one feature of a layer is read"): 1}
    with pytest.raises(
        DataError, match="--names Mod: there is no such layer; there are custom.Span"
    ):
        imported(tmp_path, content, "--names", "Mod")


def test_layers_of_dkpro_and_slots_are_left_out(tmp_path: Path) -> None:
    pos = "#T_SP=de.tudarmstadt.ukp.dkpro.core.api.lexmorph.type.pos.POS|PosValue"
    slots = "#T_SP=custom.Frame|ROLE_custom.Frame:args_custom.FrameArgs|uima.tcas.Annotation"
    content = tsv("a b", pos, slots, cells="a DT one;two 1-1;1-2\nb NN _ _")
    document, tally = imported(tmp_path, content)
    assert document.mentions == [Mention(0, 0, "Frame")]
    assert tally.num_left_out == {
        ("spans of POS", "the layer is not chosen"): 2,
        ("slots of annotations", "nothing is learned from them"): 2,
    }


def test_text_of_a_sentence_may_be_several_lines(tmp_path: Path) -> None:
    content = tsv("a b", SPANS, cells="b X").replace("#Text=a b", "#Text=a\n#Text=b")
    document, _ = imported(tmp_path, content)
    assert (document.words, document.text) == (["a", "b"], "a\nb")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "1-1\t0-1\ta\n",
            r"in\.tsv:1: the file begins with '1-1.*'; expected '#FORMAT=WebAnno TSV 3\.3'",
        ),
        (
            "#id=1\n#text=a\n",
            r"in\.tsv:1: .* older format: export the document as WebAnno TSV 3\.3",
        ),
        (tsv("a", SPANS).replace("\t_\t", ""), r":6: the row has 3 columns, .* expected 4"),
        (tsv("a", SPANS).replace("1-1\t", "x\t"), r":6: the row begins with 'x'"),
        (tsv("a", SPANS).replace("0-1", "0-9"), r":6: the place 0-9 is not within the sentence"),
        (tsv("ab c", SPANS).replace("3-4", "1-2"), r":7: the token is 'c', but .* stands 'b'"),
        (tsv("a b", SPANS).replace("1-2", "1-1"), ":7: a second row 1-1"),
        (tsv("a", SPANS).replace("#Text=a\n", ""), r":5: a row stands before '#Text='"),
        (tsv("a", CHAINS, cells="a x[1] y"), r":6: the link of CoreferenceLink is 'y'"),
        (tsv("a", SPANS, RELATIONS, cells="a X R x"), ":7: the address of Relation is 'x'"),
        (tsv("a", SPANS, RELATIONS, cells="a X R 2-1"), ":7: Relation names the row 2-1, but"),
        (tsv("a", SPANS, RELATIONS, cells="a X R 1-1[3_0]"), r":7: .* at 1-1\[3\], but no such"),
        (
            tsv("a", ENTITIES, cells="a *|* X"),
            ":6: the columns of NamedEntity hold 2, 1 annotations",
        ),
        (tsv("a", "#T_RL=R|label", cells="a _"), ":2: the relations of 'R' do not say"),
    ],
)
def test_malformed_file_is_an_error_with_its_line(
    tmp_path: Path, content: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        imported(tmp_path, content)


@settings(max_examples=60)
@given(documents(), st.lists(st.integers(0, 3), max_size=3))
def test_what_is_written_is_what_is_read(document: Document, as_names: list[int]) -> None:
    document.pieces = {}
    document.names = [document.mentions[i] for i in as_names if i < len(document.mentions)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "in.tsv")
        lines = webanno_lines(with_text(document))
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        again, _ = read(path)
    again.name, again.pieces = document.name, {}
    assert sorted_document(again) == sorted_document(document)


def test_text_is_written_with_what_stands_between_words() -> None:
    text = "A\tb\\ 😊c\nd."
    places = [(0, 1), (2, 4), (5, 7), (8, 9), (9, 10)]
    sentence = Sentence([text[begin:end] for begin, end in places], places)
    lines = list(webanno_lines(Document("a", [sentence], text=text)))
    assert lines[3:] == [
        "#Text=A\\tb\\\\ 😊c",
        "#Text=d.",
        "1-1\t0-1\tA\t",
        "1-2\t2-4\tb\\\\\t",
        "1-3\t5-8\t😊c\t",
        "1-4\t9-10\td\t",
        "1-5\t10-11\t.\t",
    ]


FULL = tsv(
    "Ms. Vane 😊\nleft .",
    ENTITIES,
    SPANS,
    CHAINS,
    RELATIONS,
    cells="Ms. * PER[1] X[2]|*[3] *[1] *->1-1 _ _\nVane * PER[1] X[2] _ _ _ _\n"
    "left _ _ * y[1] *->1-2 R 1-1[2_0]",
)


@settings(max_examples=150)
@given(
    st.integers(0, len(FULL) - 1),
    st.integers(0, 6),
    st.text("\t\n|_*[]->1-2.\\#a😊", max_size=4),
)
def test_whatever_stands_in_a_file_is_read_or_refused(place: int, cut: int, text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            imported(Path(folder), FULL[:place] + text + FULL[place + cut :])
        except DataError as error:
            assert "in.tsv" in str(error)


def test_folder_becomes_a_corpus_and_a_corpus_a_folder(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / "in" / name).mkdir(parents=True)
        content = FULL.replace("left", name * 4)
        (tmp_path / "in" / name / "me.tsv").write_text(content, encoding="utf-8")
    run_import("webanno", tmp_path / "in", tmp_path / "out", "--to", "webanno")
    files = sorted(path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*.tsv"))
    assert {path.parts[0] for path in files} == {"train", "dev", "test"}
    document, _ = read(tmp_path / "out" / files[0])
    same = Path(tmp_path, "in", *files[0].parts[1:])
    assert sorted_document(document) == sorted_document(read(same)[0])


def test_files_of_one_text_are_those_of_its_annotators(tmp_path: Path) -> None:
    marks = {"anna": "She X", "ben": "She Y", "carl": "She Y"}
    for name, cells in marks.items():
        of_one(tmp_path, f"annotation/one.txt/{name}", tsv("She ran", SPANS, cells=cells))
    of_one(tmp_path, "annotation/one.txt/INITIAL_CAS", tsv("She ran", SPANS))
    of_one(tmp_path, "annotation/two.txt/anna", tsv("He ran", SPANS, cells="He X"))
    of_one(tmp_path, "curation/two.txt/CURATION_USER", tsv("He ran", SPANS, cells="He Z"))
    of_one(tmp_path, "annotation/three.txt/INITIAL_CAS", tsv("No", SPANS))

    def read_by(*options: str) -> tuple[dict[str, list[str]], dict[tuple[str, str], int]]:
        target: list[Document] = []
        parser = argparse.ArgumentParser()
        webanno.add_arguments(parser)
        arguments = parser.parse_args(["--split", "train", *options])
        arguments.source, arguments.target = tmp_path, target
        tally = webanno.run(arguments)
        return {each.name: [m.type for m in each.mentions] for each in target}, tally.num_left_out

    assert read_by() == (
        {"annotation/one.txt": ["X"], "two.txt": ["Z"]},
        {("annotations", OTHERS): 3, ("documents", NOT_ANNOTATED): 1},
    )
    assert read_by("--annotators", "last")[0]["annotation/one.txt"] == ["Y"]
    assert read_by("--annotators", "ben")[0]["annotation/one.txt"] == ["Y"]
    found, left_out = read_by("--annotators", "vote")
    assert found["annotation/one.txt"] == ["Y"]
    assert left_out["mentions", OUTVOTED] == 1


def of_one(folder: Path, name: str, content: str) -> None:
    """A file of one annotator's."""
    path = folder / f"{name}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def test_vote_keeps_chains_and_what_corefers(tmp_path: Path) -> None:
    cells = "He * *->1-1\nshot _ _\nhimself * *->1-2"
    for name in "abc":
        content = tsv("He shot himself", CHAINS, cells=cells if name != "b" else "He * *->1-1")
        of_one(tmp_path / "in", f"{name}/one", content)
    options = "--split", "train", "--annotators", "vote", "--to", "char_jsonl"
    run_import("webanno", tmp_path / "in", tmp_path / "out", *options)
    record = json.loads((tmp_path / "out" / "train.jsonl").read_text())
    assert record["id"] == "one" and record["clusters"] == [["T1", "T2"]]


def test_documents_of_folders_of_splits_are_called_without_these(tmp_path: Path) -> None:
    for folder in ("train", "test"):
        (tmp_path / "in" / folder).mkdir(parents=True)
        content = tsv(f"She ran {folder}", SPANS)
        (tmp_path / "in" / folder / f"{folder}-news.tsv").write_text(content)
    run_import("webanno", tmp_path / "in", tmp_path / "out", "--to", "char_jsonl")
    found = {
        file.name: json.loads(file.read_text())["id"] for file in (tmp_path / "out").glob("*.jsonl")
    }
    assert found == {"train.jsonl": "train-news", "test.jsonl": "test-news"}
