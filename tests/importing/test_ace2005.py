"""ACE from `.sgm` and `.apf.xml` to what the readers take."""

import argparse
import logging
import sys
import tempfile
from collections import Counter
from html import unescape
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st

from hmtl.data.readers.coref_ace import CorefAceReader
from hmtl.data.readers.mention_ace import MentionAceReader
from hmtl.data.readers.relation_ace import RelationAceReader
from hmtl.formats.annotated import Document
from hmtl.formats.brackets import Span
from hmtl.importing import ace2005, ace_conversion, tokenization
from hmtl.importing.ace_conversion import Converter
from hmtl.importing.tally import Tally
from tests.importing.accounts import assert_all_accounted_for
from tests.importing.ace_files import Entities, write_pair
from tests.running import Scripts

SEGMENT = tokenization.segmenter(
    argparse.Namespace(tokens="spacy", sentences="spacy", spacy_model=None, language="en")
)


def convert(
    directory: Path, template: str, entities: Entities, **others: Any
) -> Tuple[Document, Tally]:
    options = {name: others.pop(name) for name in ("values_too", "times_too") if name in others}
    text = write_pair(directory, "doc", template, entities, **others)
    tally = Tally()
    converter = Converter(
        SEGMENT,
        tally,
        values=options.get("values_too", False),
        times=options.get("times_too", False),
    )
    return converter.document("doc", text, directory / "doc.apf.xml"), tally


def words_of(document: Document, span: Span) -> str:
    return " ".join(document.words[span[0] : span[1] + 1])


def mentions_of(document: Document) -> List[Tuple[str, str]]:
    return [(words_of(document, mention.span), mention.type) for mention in document.mentions]


def sentences_of(document: Document) -> List[str]:
    return [" ".join(sentence.words) for sentence in document.sentences]


def test_heads_are_mentions_and_entities_clusters(tmp_path: Path) -> None:
    template = (
        "<DOC>\n<DOCID>doc</DOCID>\n<BODY>\n<TEXT>\nThe old {a}Lord Mayor{/a} of {b}Bremen{/b} spoke. "
        "{c}He{/c} smiled.\n</TEXT>\n</BODY>\n</DOC>\n"
    )
    document, tally = convert(
        tmp_path, template, {"a": ("E1", "PER"), "c": ("E1", "PER"), "b": ("E2", "GPE")}
    )
    assert sentences_of(document) == ["The old Lord Mayor of Bremen spoke .", "He smiled ."]
    assert mentions_of(document) == [("Lord Mayor", "PER"), ("He", "PER"), ("Bremen", "GPE")]
    assert document.clusters == [[(2, 3), (8, 8)], [(5, 5)]]
    assert not tally.num_left_out


def test_words_stand_at_their_offsets_in_the_text(tmp_path: Path) -> None:
    document, _ = convert(
        tmp_path, "<TURN>{a}AT&amp;T{/a} r<b>os</b>e.</TURN>", {"a": ("E1", "ORG")}
    )
    assert document.text == "AT&T rose."
    offsets = document.offsets()
    assert offsets is not None
    assert [document.text[begin:end] for begin, end in offsets] == document.words
    assert document.words == ["AT&T", "rose", "."]


def test_head_across_lines_is_one_mention_in_one_sentence(tmp_path: Path) -> None:
    template = "<TEXT>\nin {a}New\nYork{/a}, and {b}Dr. No\n\nJr.{/b} too\n\nlast\n</TEXT>"
    document, tally = convert(tmp_path, template, {"a": ("E1", "GPE"), "b": ("E2", "PER")})
    assert mentions_of(document) == [("New York", "GPE"), ("Dr. No Jr.", "PER")]
    assert sentences_of(document) == ["in New York , and Dr. No Jr. too", "last"]
    assert tally.num_changed["sentences", tokenization.JOINED] == 1


def test_word_is_split_where_a_head_begins_or_ends_inside(tmp_path: Path) -> None:
    template = "<TEXT>an {a}Anglo{/a}-{b}American{/b} non{c}US{/c}firm</TEXT>"
    entities = {"a": ("E1", "GPE"), "b": ("E2", "GPE"), "c": ("E3", "GPE")}
    document, tally = convert(tmp_path, template, entities)
    assert document.words == ["an", "Anglo", "-", "American", "non", "US", "firm"]
    assert [words for words, _ in mentions_of(document)] == ["Anglo", "American", "US"]
    assert tally.num_changed["words", tokenization.SPLIT_WORD] == 2


def test_sentence_ends_at_turns_posts_and_blank_lines(tmp_path: Path) -> None:
    template = (
        "<TEXT><TURN>\n<SPEAKER> {a}BAKER{/a} </SPEAKER>\nwell\nnow\n\nthen </TURN>"
        "<TURN> yes</TURN></TEXT>"
    )
    document, _ = convert(tmp_path, template, {"a": ("E1", "PER")})
    assert sentences_of(document) == ["BAKER", "well now", "then", "yes"]


def test_relation_stands_between_heads_without_its_times(tmp_path: Path) -> None:
    template = "<TEXT>{a}Ann{/a} left {b}Oslo{/b} in {t}1999{/t}.</TEXT>"
    document, tally = convert(
        tmp_path,
        template,
        {"a": ("E1", "PER"), "b": ("E2", "GPE")},
        relations=[("PHYS", {"Arg-2": "a", "Arg-1": "b", "Time-Within": "t"})],
        times=["t"],
    )
    (relation,) = document.relations
    assert (relation.type, relation.arg1, relation.arg2) == ("PHYS", (2, 2), (0, 0))
    assert tally.num_left_out == {
        ("arguments of relations", "Time-Within is neither the first nor second"): 1,
        ("times", ace_conversion.NOT_ASKED_FOR): 1,
    }


def test_relation_to_what_is_no_mention_is_left_out(tmp_path: Path) -> None:
    template = "<TEXT>{a}Ann{/a} in {b}Oslo{/b}</TEXT>"
    entities = {"a": ("E1", "PER"), "b": ("E2", "GPE")}
    relations = [
        ("PHYS", {"Arg-1": "a", "Arg-2": "V1"}),
        ("PHYS", {"Arg-1": "a"}),
        ("DISC", {"Arg-1": "a", "Arg-2": "b"}),
    ]
    document, tally = convert(tmp_path, template, entities, relations=relations)
    assert document.relations == []
    assert tally.num_left_out == {
        ("relations", ace_conversion.NO_ARGUMENT): 2,
        ("relations", "of type DISC"): 1,
    }


def test_head_with_another_text_than_stands_there_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    template = "<TEXT>{a}Ann{/a} met {b}Bob{/b}</TEXT>"
    entities = {"a": ("E1", "PER"), "b": ("E2", "PER")}
    relations = [("PER-SOC", {"Arg-1": "a", "Arg-2": "b"})]
    document, tally = convert(
        tmp_path, template, entities, relations=relations, stated={"b": "Rob"}
    )
    assert mentions_of(document) == [("Ann", "PER")]
    assert document.clusters == [[(0, 0)]]
    assert tally.num_left_out == {
        ("mentions", ace_conversion.DISAGREES): 1,
        ("relations", ace_conversion.ARGUMENT_LEFT_OUT): 1,
        ("cluster members", ace_conversion.MENTION_LEFT_OUT): 1,
        ("clusters", ace_conversion.MENTION_LEFT_OUT): 1,
    }
    (record,) = caplog.records
    assert "doc.apf.xml:11: 'Rob' is said to stand at characters 8 to 10" in record.getMessage()
    assert "there stands 'Bob'" in record.getMessage()


def test_reference_may_be_escaped_twice_in_the_annotation(tmp_path: Path) -> None:
    template = "<TEXT>by {a}AT&amp;T{/a}.</TEXT>"
    document, _ = convert(tmp_path, template, {"a": ("E1", "ORG")}, stated={"a": "AT&amp;T"})
    assert mentions_of(document) == [("AT&T", "ORG")]


def test_head_outside_the_text_is_left_out(tmp_path: Path) -> None:
    template = "<DOCID>{a}Ann{/a}</DOCID><TURN>x {b}y</TURN><TURN>z{/b}</TURN>"
    document, tally = convert(tmp_path, template, {"a": ("E1", "PER"), "b": ("E2", "PER")})
    assert document.mentions == []
    assert tally.num_left_out["mentions", ace_conversion.OUTSIDE] == 2


def test_mention_without_a_head_is_left_out(tmp_path: Path) -> None:
    text = write_pair(tmp_path, "doc", "<TEXT>{a}Ann{/a}</TEXT>", {"a": ("E1", "PER")})
    annotation = tmp_path / "doc.apf.xml"
    content = annotation.read_text()
    begin, end = content.index("<head>"), content.index("</head>") + len("</head>")
    annotation.write_text(content[:begin] + content[end:])
    tally = Tally()
    assert Converter(SEGMENT, tally).document("doc", text, annotation).mentions == []
    assert tally.num_left_out["mentions", ace_conversion.NO_HEAD] == 1


def test_values_and_times_are_mentions_on_demand_but_yield_to_heads(tmp_path: Path) -> None:
    template = "<TEXT>{t}Last {u}year{/u}{/t} {v}prime {a}minister{/a}{/v} {b}Ann{/b} paid {w}$5{/w}</TEXT>"
    document, tally = convert(
        tmp_path,
        template,
        {"a": ("E1", "PER"), "b": ("E1", "PER")},
        values=[("Job-Title", "v"), ("Numeric", "w")],
        times=["t"],
        values_too=True,
        times_too=True,
    )
    assert mentions_of(document) == [
        ("minister", "PER"),
        ("Ann", "PER"),
        ("$ 5", "Numeric"),
        ("Last year", "TIMEX2"),
    ]
    assert tally.num_left_out == {("values and times", ace_conversion.SHARES_WITH_HEAD): 1}


def test_mentions_of_one_id_are_refused(tmp_path: Path) -> None:
    text = write_pair(
        tmp_path, "doc", "<TEXT>{a}A{/a} {b}B{/b}</TEXT>", {"a": ("E1", "PER"), "b": ("E1", "PER")}
    )
    annotation = tmp_path / "doc.apf.xml"
    annotation.write_text(annotation.read_text().replace("doc-b", "doc-a"))
    with pytest.raises(ace2005.DataError, match=r"doc\.apf\.xml: two mentions have the ID 'doc-a'"):
        Converter(SEGMENT, Tally()).document("doc", text, annotation)


# What a text is made of: words, references, blanks, line ends, tags inside a sentence and between sentences.
PARTS = st.one_of(
    st.sampled_from(
        ["&amp;", "&lt;b&gt;", "&#233;", "AT&amp;T", "U.S.", "don't", "a-b", "é", "1,000", "x."]
    ),
    st.sampled_from([" ", "\n", "\n\n", "  ", ". ", "\t"]),
    st.sampled_from(["<b>", "</b>", '<x y="z">', "</TURN>\n<TURN>", "<DATETIME>1 2</DATETIME>"]),
    st.text(alphabet="abAB.,'-é\u2019\U0001f600", min_size=1, max_size=5),
)


@settings(max_examples=120)
@given(parts=st.lists(PARTS, min_size=1, max_size=25), data=st.data())
def test_each_head_inside_a_turn_becomes_exactly_its_text(parts: List[str], data: Any) -> None:
    heads, template, text_of = _draw_heads(parts, data)
    entities = {name: (f"E{index % 3}", "PER") for index, name in enumerate(heads)}
    with tempfile.TemporaryDirectory() as directory:
        document, tally = convert(
            Path(directory), f"<TEXT>q<TURN>{template}</TURN></TEXT>", entities
        )
    found = ["".join(document.words[m.start : m.end + 1]) for m in document.mentions]
    # Heads come in the order of the entities.
    ordered = sorted(heads, key=lambda name: int(entities[name][0][1:]))
    assert found == ["".join(unescape(text_of[name]).split()) for name in ordered]
    assert not tally.num_left_out
    assert sorted(span for cluster in document.clusters for span in cluster) == sorted(
        mention.span for mention in document.mentions
    )
    offsets = document.offsets()
    assert document.text is not None and offsets is not None
    assert [document.text[begin:end] for begin, end in offsets] == document.words


def _draw_heads(parts: List[str], data: Any) -> Tuple[List[str], str, Dict[str, str]]:
    """
    Names of heads, a template in which each begins before one part and ends after another, with no end of a
    turn and no header between, and the text of each. Heads may nest, cross, and share boundaries.
    """
    count = data.draw(st.integers(0, 5))
    text_of: Dict[str, str] = {}
    begins: Dict[int, List[str]] = {}
    ends: Dict[int, List[str]] = {}
    for number in range(count):
        first = data.draw(st.integers(0, len(parts) - 1))
        last = data.draw(st.integers(first, min(first + 4, len(parts) - 1)))
        covered = parts[first : last + 1]
        if any("TURN" in part or "DATETIME" in part for part in covered):
            continue
        text = "".join(part for part in covered if not part.startswith("<"))
        if not text.strip():
            continue
        name = f"h{number}"
        text_of[name] = text
        begins.setdefault(first, []).append(name)
        ends.setdefault(last, []).append(name)
    pieces = []
    for index, part in enumerate(parts):
        pieces += [f"{{{name}}}" for name in begins.get(index, ())]
        pieces.append(part)
        pieces += [f"{{/{name}}}" for name in ends.get(index, ())]
    return list(text_of), "".join(pieces), text_of


# One document in each of the layouts of the release.
LAYOUTS: Dict[str, str] = {
    "nw/timex2norm/AFP_ENG_20030101.0001": (
        "<DOC>\n<DOCID> AFP_ENG_20030101.0001 </DOCID>\n"
        '<DOCTYPE SOURCE="newswire"> NEWS STORY </DOCTYPE>\n<DATETIME> 2003-01-01 </DATETIME>\n<BODY>\n'
        "<HEADLINE>\n{a}Harbour{/a} opens\n</HEADLINE>\n<TEXT>\n"
        "{b}Lena Holt{/b} runs the {c}harbour{/c}.\n</TEXT>\n</BODY>\n</DOC>\n"
    ),
    "bn/timex2norm/CNN_ENG_20030101_130011.6": (
        "<DOC>\n<DOCID>CNN_ENG_20030101_130011.6</DOCID>\n"
        '<DOCTYPE SOURCE="broadcast news"> NEWS STORY </DOCTYPE>\n<DATETIME> 2003-01-01 13:38 </DATETIME>\n'
        "<BODY>\n<TEXT>\n<TURN>\nthe {a}harbour{/a} is open.\n{b}lena holt{/b} runs the {c}port{/c}.\n"
        "</TURN>\n</TEXT>\n<ENDTIME> 2003-01-01 13:39 </ENDTIME>\n</BODY>\n</DOC>\n"
    ),
    "bc/timex2norm/CNN_CF_20030101.1900.00": (
        "<DOC>\n<DOCID>CNN_CF_20030101.1900.00</DOCID>\n"
        '<DOCTYPE SOURCE="broadcast conversation">STORY</DOCTYPE>\n<BODY>\n<TEXT>\n'
        "<TURN>\n<SPEAKER> {b}HOLT{/b} </SPEAKER>\nThe {a}harbour{/a}?\n</TURN>\n<TURN>\n"
        "<SPEAKER> MOE </SPEAKER>\nShe runs the {c}docks{/c}.\n</TURN>\n</TEXT>\n</BODY>\n</DOC>\n"
    ),
    "cts/timex2norm/fsh_00001": (
        '<DOC>\n<DOCID>fsh_00001</DOCID>\n<DOCTYPE SOURCE="telephone">CONVERSATION</DOCTYPE>\n<BODY>\n'
        "<TEXT>\n<TURN>\n<SPEAKER> A </SPEAKER>\nuh {b}I{/b} run the\n{a}harbour{/a}\n</TURN>\n"
        "<TURN>\n<SPEAKER> B </SPEAKER>\nthe {c}harbour{/c}\n</TURN>\n</TEXT>\n</BODY>\n</DOC>\n"
    ),
    "un/timex2norm/alt.boats_20050101.0001": (
        "<DOC>\n<DOCID> alt.boats_20050101.0001 </DOCID>\n"
        '<DOCTYPE SOURCE="usenet"> USENET TEXT </DOCTYPE>\n<BODY>\n<HEADLINE>\nBoats\n</HEADLINE>\n<TEXT>\n'
        '<POST>\n<POSTER> "{b}L. Holt{/b}" &lt;lh&#64;a.b&gt; </POSTER>\n<POSTDATE> 2005-01-01 </POSTDATE>\n'
        "<SUBJECT> Re: {a}H&amp;H Harbour{/a} </SUBJECT>\n"
        '<QUOTE PREVIOUSPOST="\nis it open\n"/>\nyes, the {c}harbour{/c} is\n</POST>\n'
        "</TEXT>\n</BODY>\n</DOC>\n"
    ),
    "wl/timex2norm/HARBOURBLOG_20050101.0001": (
        "<DOC>\n<DOCID> HARBOURBLOG_20050101.0001 </DOCID>\n"
        '<DOCTYPE SOURCE="weblog"> WEBLOG </DOCTYPE>\n<DATETIME> 2005-01-01 </DATETIME>\n<BODY>\n<HEADLINE>\n'
        "At the {a}harbour{/a}\n</HEADLINE>\n<TEXT>\n<POST>\n<POSTER> {b}Lena{/b} </POSTER>\n"
        "<POSTDATE> 2005-01-01 </POSTDATE>\nI run the {c}port{/c}.\n</POST>\n</TEXT>\n</BODY>\n</DOC>\n"
    ),
}
HARBOUR: Entities = {"a": ("E1", "FAC"), "c": ("E1", "FAC"), "b": ("E2", "PER")}


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A release with one document of each kind, each in two stages of annotation."""
    root = tmp_path / "release" / "data"
    for path, template in LAYOUTS.items():
        final = root / "English" / path
        relations = [("ART", {"Arg-1": "b", "Arg-2": "c"})]
        write_pair(final.parent, final.name, template, HARBOUR, relations)
        write_pair(final.parent.parent / "adj", final.name, template, {"a": ("E1", "FAC")})
    write_pair(root / "Chinese" / "nw", "XIN", "<TEXT>{a}x{/a}</TEXT>", {"a": ("E1", "PER")})
    (root / "English" / "nw" / "alone.sgm").write_text("<TEXT>x</TEXT>")
    (root / "English" / "nw" / "other.apf.xml").write_text("<source_file/>")
    return tmp_path / "release"


def test_suffixes_may_be_in_capitals(tmp_path: Path) -> None:
    text, annotation = tmp_path / "A.SGM", tmp_path / "A.APF.XML"
    text.touch()
    annotation.touch()
    assert ace2005.find_pairs(tmp_path, Tally()) == [ace2005.Pair("A", text, annotation)]


def prepare(run_script: Scripts, *arguments: Any) -> str:
    finished = run_script("hmtl import", "ace2005", *arguments)
    assert finished.code == 0, finished.err
    return finished.out


def test_release_becomes_what_the_readers_take(
    release: Path, tmp_path: Path, run_script: Scripts
) -> None:
    out = tmp_path / "out"
    printed = prepare(run_script, release, out, "--split", "train", "--spacy-model", "rules")
    for reason in (
        ace2005.OTHER_STAGE,
        ace2005.OTHER_LANGUAGE,
        ace2005.NO_ANNOTATION,
        ace2005.NO_TEXT,
    ):
        assert reason in printed
    assert_all_accounted_for(out)
    mentions = list(MentionAceReader().read(out / "train"))
    tags = [tag for instance in mentions for tag in instance["metadata"]["tags"]]  # type: ignore[index]
    assert Counter(tag[2:] for tag in tags if tag[0] in "UB") == {"FAC": 12, "PER": 6}
    relations = list(RelationAceReader(skip_sentences_without_relations=False).read(out / "train"))
    found = [
        relation
        for instance in relations
        for relation in instance["metadata"]["relations"]  # type: ignore[index]
    ]
    # In the others the speaker or poster stands in a sentence of their own.
    assert [kind for _, _, kind in found] == ["ART"] * 2
    (file,) = (out / "single_file").iterdir()
    documents = list(CorefAceReader(max_span_width=8).read(file))
    names = [instance["metadata"]["document"] for instance in documents]  # type: ignore[index]
    assert names == sorted(path.rpartition("/")[2] for path in LAYOUTS)
    clusters = [instance["metadata"]["clusters"] for instance in documents]  # type: ignore[index]
    assert [[len(cluster) for cluster in of_document] for of_document in clusters] == [[2]] * 6


def test_same_release_gives_the_same_files(
    release: Path, tmp_path: Path, run_script: Scripts
) -> None:
    contents = []
    for out in (tmp_path / "first", tmp_path / "second"):
        prepare(run_script, release, out)
        files = sorted(file for file in out.rglob("*") if file.is_file())
        contents.append([(file.relative_to(out), file.read_bytes()) for file in files])
    assert contents[0] == contents[1]
    splits = {str(path.parent) for path, _ in contents[0]}
    assert {"train", "dev", "test"} <= splits


def test_documents_follow_the_lists(release: Path, tmp_path: Path, run_script: Scripts) -> None:
    lists = tmp_path / "lists"
    lists.mkdir()
    # As such lists are handed on: bare names, or with folders, or with suffixes.
    (lists / "train").write_text("CNN_ENG_20030101_130011.6\nCNN_CF_20030101.1900.00.apf.xml\n")
    (lists / "dev").write_text("nw/timex2norm/AFP_ENG_20030101.0001\n")
    (lists / "test").write_text("HARBOURBLOG_20050101.0001\n")
    out = tmp_path / "out"
    printed = prepare(run_script, release, out, "--split-lists", lists)
    names = {
        split: {
            line.split()[2][1:-2]
            for line in (out / "single_file" / f"{split}.like_conll").read_text().splitlines()
            if line.startswith("#begin")
        }
        for split in ("train", "dev", "test")
    }
    assert names == {
        "train": {"CNN_ENG_20030101_130011.6", "CNN_CF_20030101.1900.00"},
        "dev": {"AFP_ENG_20030101.0001"},
        "test": {"HARBOURBLOG_20050101.0001"},
    }
    assert "in none of the lists of --split-lists" in printed
    assert_all_accounted_for(out)


def test_other_lists_for_coreference_warn_of_documents_trained_on_and_scored(
    release: Path, tmp_path: Path, run_script: Scripts, caplog: pytest.LogCaptureFixture
) -> None:
    for name, content in (("a", "fsh_00001\n"), ("b", "HARBOURBLOG_20050101.0001\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "train.txt").write_text(content)
    (tmp_path / "a" / "dev.txt").write_text("CNN_CF_20030101.1900.00\n")
    (tmp_path / "b" / "test.txt").write_text("fsh_00001\n")
    out = tmp_path / "out"
    lists = ["--split-lists", tmp_path / "a", "--coref-split-lists", tmp_path / "b"]
    with caplog.at_level(logging.WARNING):
        prepare(run_script, release, out, *lists)
    assert "fsh_00001" in (out / "train" / "train_00.like_conll").read_text()
    assert "fsh_00001" in (out / "single_file" / "test.like_conll").read_text()
    assert any("1 document(s) are trained on" in message for message in caplog.messages)


def test_nested_and_crossing_heads_are_resolved_and_counted(
    tmp_path: Path, run_script: Scripts
) -> None:
    template = "<TEXT>the {a}{b}Oslo{/b} {c}city{/a} hall{/c} of {d}Norway{/d}</TEXT>"
    entities = {"b": ("E1", "GPE"), "a": ("E2", "ORG"), "c": ("E3", "FAC"), "d": ("E1", "GPE")}
    relations = [
        ("PART-WHOLE", {"Arg-1": "b", "Arg-2": "a"}),
        ("PHYS", {"Arg-1": "c", "Arg-2": "d"}),
    ]
    for name in ("d1", "d2", "d3"):
        write_pair(tmp_path / "in", name, template, entities, relations)
    out = tmp_path / "out"
    printed = prepare(run_script, tmp_path / "in", out, "--split", "train", "--singletons")
    instance = next(iter(MentionAceReader().read(out / "train")))
    # Of "Oslo city" and "city hall", equally long, the first in the text; "Oslo" is inside it.
    tags = instance["metadata"]["tags"]  # type: ignore[index]
    assert tags == ["O", "B-ORG", "L-ORG", "O", "O", "U-GPE"]
    assert "3  crosses another" in printed
    relation = next(iter(RelationAceReader().read(out / "train")))
    assert relation["metadata"]["relations"] == [[1, 2, "PART-WHOLE"], [3, 5, "PHYS"]]  # type: ignore[index]
    coref = next(
        iter(CorefAceReader(max_span_width=4).read(out / "single_file" / "train.like_conll"))
    )
    assert coref["metadata"]["clusters"] == [[(1, 1), (5, 5)], [(1, 2)], [(2, 3)]]  # type: ignore[index]


def test_annotation_of_2004_is_read_too(tmp_path: Path, run_script: Scripts) -> None:
    template = (
        "<DOC>\n<DOCNO> doc </DOCNO>\n<DATE_TIME> 2000-10-01 </DATE_TIME>\n<BODY>\n<TEXT>\n"
        "{a}Ann{/a} of {b}Acme{/b} met {c}Bob{/c}.\n</TEXT>\n</BODY>\n</DOC>\n"
    )
    entities = {"a": ("E1", "PER"), "b": ("E2", "ORG"), "c": ("E3", "PER")}
    relations = [
        ("EMP-ORG", {"Arg-1": "a", "Arg-2": "b"}),
        ("DISC", {"Arg-1": "a", "Arg-2": "c"}),
    ]
    write_pair(tmp_path / "in", "doc", template, entities, relations)
    annotation = tmp_path / "in" / "doc.apf.xml"
    content = annotation.read_text().replace("apf.v5.1.1.dtd", "apf.v4.0.1.dtd")
    content = content.replace("relation_mention_argument", "rel_mention_arg").replace(
        "REFID", "ENTITYMENTIONID"
    )
    annotation.write_text(content.replace('ROLE="Arg-', 'ARGNUM="'))
    printed = prepare(run_script, tmp_path / "in", tmp_path / "out", "--split", "train")
    assert "of type DISC" in printed
    (relation,) = RelationAceReader().read(tmp_path / "out" / "train")
    assert relation["metadata"]["relations"] == [[0, 2, "EMP-ORG"]]  # type: ignore[index]


@pytest.fixture
def semicolon_pipeline() -> Any:
    """A pipeline that ends sentences at semicolons alone."""
    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer", config={"punct_chars": [";"]})
    return pipeline


def sentences_in(out: Path) -> List[str]:
    instances = MentionAceReader().read(out / "train")
    return [" ".join(instance["metadata"]["words"]) for instance in instances]  # type: ignore[index]


def test_named_pipeline_finds_the_sentences(
    tmp_path: Path, run_script: Scripts, semicolon_pipeline: Any
) -> None:
    write_pair(tmp_path / "in", "doc", "<TEXT>One. Two; {a}three{/a}.</TEXT>", {"a": ("E1", "PER")})
    semicolon_pipeline.to_disk(tmp_path / "model")
    options = ["--split", "train", "--spacy-model", tmp_path / "model"]
    prepare(run_script, tmp_path / "in", tmp_path / "out", *options)
    assert sentences_in(tmp_path / "out") == ["One . Two ;", "three ."]


def test_pipeline_that_is_installed_is_used_without_being_named(
    tmp_path: Path,
    run_script: Scripts,
    semicolon_pipeline: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_pair(tmp_path / "in", "doc", "<TEXT>One. Two; {a}three{/a}.</TEXT>", {"a": ("E1", "PER")})
    monkeypatch.setattr(spacy.util, "is_package", lambda name: name == ace2005.DEFAULT_MODEL)
    # Not what may stand for it in this file (hmtl.compat): pytest would find no `load` in that to put back.
    monkeypatch.setattr(
        sys.modules["spacy"],
        "load",
        lambda name, **_: semicolon_pipeline if name == ace2005.DEFAULT_MODEL else None,
    )
    prepare(run_script, tmp_path / "in", tmp_path / "used", "--split", "train")
    assert sentences_in(tmp_path / "used") == ["One . Two ;", "three ."]
    rules = ["--split", "train", "--spacy-model", ace2005.RULES]
    prepare(run_script, tmp_path / "in", tmp_path / "rules", *rules)
    assert sentences_in(tmp_path / "rules") == ["One .", "Two ; three ."]


def test_folder_without_pairs_is_refused(tmp_path: Path, run_script: Scripts) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.sgm").write_text("<TEXT>x</TEXT>")
    finished = run_script("hmtl import", "ace2005", tmp_path / "in", tmp_path / "out")
    assert "has one beside it that ends in '.apf.xml'" in finished.error
    assert not (tmp_path / "out").exists()


def _template_of_brat(text: str, annotation: str) -> Tuple[str, Entities, List[Any]]:
    """The text of a brat file as SGML in which brackets are references, with its entities and relations."""
    entities: Entities = {}
    marks: Dict[int, str] = {}
    relations = []
    lines = [line.split("\t") for line in annotation.splitlines()]
    for name, what, *_ in lines:
        first, second, *rest = what.split(" ")
        if name.startswith("T"):
            entities[name] = (name, first)
            marks[int(second)] = marks.get(int(second), "") + f"{{{name}}}"
            marks[int(rest[0])] = f"{{/{name}}}" + marks.get(int(rest[0]), "")
        elif name.startswith("R"):
            relations.append((first, {"Arg-1": second[5:], "Arg-2": rest[0][5:]}))
    for _, what in (line for line in lines if line[0] == "*"):
        _, first, *others = what.split(" ")
        for name in others:
            entities[name] = (first, entities[name][1])
    pieces = ["<DOC>\n<TEXT>\n"]
    for offset, character in enumerate(text):
        pieces.append(marks.get(offset, ""))
        pieces.append(
            {"&": "&amp;", "<": "&lt;", "(": "&#40;", ")": "&#x29;"}.get(character, character)
        )
    return "".join([*pieces, "\n</TEXT>\n</DOC>"]), entities, relations


def test_real_text_gives_the_same_as_from_brat(
    shared_dir: Path, tmp_path: Path, run_script: Scripts
) -> None:
    brat = shared_dir / "data" / "raw" / "redocred_brat"
    texts = sorted(brat.glob("*.txt"))
    for text in texts:
        annotation = text.with_suffix(".ann").read_text(encoding="utf-8")
        content = text.read_text(encoding="utf-8")
        assert "{" not in content
        template, entities, relations = _template_of_brat(content, annotation)
        write_pair(tmp_path / "in", text.stem, template, entities, relations)
    prepare(
        run_script, tmp_path / "in", tmp_path / "ace", "--split", "dev", "--spacy-model", "rules"
    )
    finished = run_script("hmtl import", "brat", brat, tmp_path / "brat", "--split", "dev")
    assert finished.code == 0, finished.err
    assert len(texts) > 10
    for file in ("single_file/dev.like_conll", "dev/dev_00.like_conll"):
        ace, expected = ((tmp_path / source / file).read_text() for source in ("ace", "brat"))
        assert ace == expected
