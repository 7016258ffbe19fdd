"""Malformed corpora, and the message that each must give, with its file and line."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmtl.errors import DataError
from hmtl.formats import conll2003, conll2012, like_conll

BEGIN, END = "#begin document (d); part 000\n", "#end document\n"
PARSERS: dict[str, Callable[[Path], Iterable]] = {
    "conll2012": conll2012.read_documents,
    "like_conll": like_conll.read_documents,
    "conll2003": conll2003.read_sentences,
}


def onto(*rows: str) -> str:
    """A CoNLL-2012 document of one sentence from "word name coref" rows."""
    lines = []
    for index, (word, name, coref) in enumerate(row.split() for row in rows):
        lines.append(f"d 0 {index} {word} NN * - - - - {name} {coref}\n")
    return BEGIN + "".join(lines) + END


def ace(*rows: str) -> str:
    """A like_conll document of one sentence."""
    lines = [f"{index} {row}\n" for index, row in enumerate(rows)]
    return BEGIN + "".join(lines) + END


CASES = [
    # Files and lines.
    ("conll2012", b"", 1, "the file holds no document; expected '#begin document (name)'"),
    ("conll2012", b"\n \n\t\n", 3, "the file holds no document"),
    ("conll2003", b"", 1, "the file holds no sentence; expected rows of: word"),
    ("conll2003", b"-DOCSTART- -X- O O\n\n", 2, "the file holds no sentence"),
    ("conll2012", BEGIN.encode() + b"d 0 \xff", 2, "byte 0xff at position 5 of the line is not"),
    ("conll2003", b"a O\nb\xe9 O\n", 2, "byte 0xe9 at position 2 of the line is not UTF-8"),
    ("like_conll", "#begin document".encode("utf-16"), 1, "NUL byte"),
    ("like_conll", BEGIN.encode() + b"0 a\0b * -\n", 2, "the line holds a NUL byte"),
    ("conll2003", b"a O\rb O\r", 1, "a carriage return stands inside the line"),
    # Documents.
    ("like_conll", "0 a * -\n", 1, "the row '0 a * -' stands outside a document; expected '#begin"),
    ("like_conll", BEGIN + "0 a * -\n", 2, "the file ends inside document 'd' (begun on line 1)"),
    ("like_conll", BEGIN, 1, "the file ends inside document 'd'"),
    ("like_conll", END, 1, "'#end document' without a document"),
    ("like_conll", BEGIN + BEGIN, 2, "a document begins inside document 'd' (begun on line 1)"),
    ("conll2012", "#begin document\n", 1, "malformed '#begin document'; expected '#begin"),
    ("conll2012", "#begin document (d\n", 1, "malformed '#begin document (d'"),
    ("conll2012", "#begin document ()\n", 1, "malformed '#begin document ()'"),
    ("conll2012", "#begin document (d); part x\n", 1, "malformed"),
    ("conll2012", BEGIN + "# text\n", 2, "unknown line '# text'; expected '#begin document"),
    ("like_conll", BEGIN + "# text\n", 2, "Comments have no place here: remove them"),
    # Columns.
    ("conll2012", BEGIN + "d 0 0 a\n", 2, "4 columns; expected at least 5: doc"),
    ("conll2012", onto("a * -") + BEGIN + "x\n", 5, "the row has 1 column"),
    ("like_conll", ace("a *"), 2, "the row has 3 columns; expected at least 4: index, word"),
    ("like_conll", ace("a * -", "b * * -"), 3, "5 columns, but the sentence's first row (line 2)"),
    (
        "like_conll",
        BEGIN + "a * * -\n" + END,
        2,
        "the index (column 1) is 'a'; expected a whole number",
    ),
    (
        "conll2012",
        BEGIN + "d 0 a NN * - - - - * - -\n" + END,
        2,
        "the word number (column 3) is 'a'",
    ),
    ("conll2003", "a\n", 1, "the row has 1 column; expected at least 2: word, other columns"),
    ("conll2003", "a NN O\nb O\n", 2, "2 columns, but the sentence's first row (line 1) has 3"),
    # Names and mentions.
    ("conll2012", onto("a (GPE* -", "b * -"), 2, "names (column 11): the span '(GPE' is never"),
    ("conll2012", onto("a * -", "b *) -"), 3, "names (column 11): '*)' closes a span, but none"),
    ("conll2012", onto("a GPE -"), 2, "names (column 11): malformed cell 'GPE'; expected '*'"),
    ("conll2012", onto("a (* -", "b *) -"), 2, "no label after '('"),
    ("conll2012", onto("a (A* -", "b *)(B* -", "c *) -"), 3, "'(B' crosses another"),
    ("like_conll", ace("a () -"), 2, "mentions (column 3): no label after '('"),
    # Relation frames.
    ("like_conll", ace("a * * -", "b * (ARG1_X) -"), 3, "relation frame (column 4): no ARG2; exp"),
    ("like_conll", ace("a * (ARG2_X) -"), 2, "no ARG1; expected '(ARG1_X*'"),
    ("like_conll", ace("a * (ARG1_X)(ARG1_X) -"), 2, "a second ARG1, 'ARG1_X'; expected one ARG1"),
    ("like_conll", ace("a * (ARG1_X) -", "b * (ARG2_Y) -"), 2, "ARG1 is of type 'X' and ARG2 of"),
    ("like_conll", ace("a * (ARG3_X) -"), 2, "unknown argument 'ARG3_X'; expected 'ARG1_<type>'"),
    ("like_conll", ace("a * * (ARG1_) -"), 2, "relation frame (column 5): unknown argument"),
    ("like_conll", ace("a * (PHYS) -"), 2, "unknown argument 'PHYS'"),
    ("like_conll", ace("a * (ARG1_X* -", "b * * -"), 2, "'(ARG1_X' is never closed"),
    # Coreference.
    ("conll2012", onto("a * -", "b * (3"), 3, "coreference (column 12): the mention '(3' is never"),
    ("conll2012", onto("a * 3)"), 2, "coreference (column 12): '3)' closes a mention of cluster 3"),
    ("like_conll", ace("a * * *"), 2, "coreference (column 5): malformed cell '*'; expected '-'"),
    ("like_conll", ace("a * (1|(2)"), 2, "the mention '(1' is never closed"),
    (
        "conll2012",
        BEGIN + "d 0 0 a NN * - - - - * (3\n\nd 0 0 a NN * - - - - * 3)\n" + END,
        2,
        "expected '3)' on a later row of the same sentence",
    ),
    # Name tags.
    ("conll2003", "a O\nb PER\n", 2, "name tag (column 2): unknown BIO tag 'PER'; expected 'O'"),
    ("conll2003", "a X S-PER\n", 1, "name tag (column 3): unknown BIO tag 'S-PER'"),
    ("conll2003", "a X E-PER\n", 1, "a tag of BIOES or BIOUL: hmtl import conll2003"),
    # Comments.
    ("conll2003", "# 1\na O\n", 1, "hmtl import conll2003 leaves those out with --comment '#'"),
    ("conll2003", "# id 1\na O\n", 2, "with --comment '#'"),
    ("conll2003", "#\na O\n", 1, "with --comment '#'"),
]


@pytest.mark.parametrize("parser, content, line, message", CASES)
def test_malformed_corpus_is_named_with_file_and_line(
    tmp_path: Path, parser: str, content: "str | bytes", line: int, message: str
) -> None:
    path = tmp_path / "corpus"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(DataError) as caught:
        list(PARSERS[parser](path))
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert message in caught.value.message


BRACKETS = st.sampled_from("* * * * (A* (A) *) (A*) )( (*) *)(B* A \u00a0".split())
ARGUMENTS = st.sampled_from("* * (ARG1_X* (ARG2_X) *) (ARG1_X)(ARG2_X) (ARG2_Y) (ARG1_ ARG".split())
COREFERENCE = st.sampled_from("- - - - (1 1) (1) (1|(2 2)|1) 1 | || (x) *".split())
NAME_TAGS = st.sampled_from("O O O B-X I-X I-Y S-X B- \ufeff".split())
ROWS = [
    st.tuples(BRACKETS, COREFERENCE).map(lambda cells: "d 0 0 w NN * - - - - {} {}".format(*cells)),
    st.tuples(BRACKETS, ARGUMENTS, COREFERENCE).map(lambda cells: "0 w {} {} {}".format(*cells)),
    NAME_TAGS.map("w NN {}".format),
]
ODD_LINES = st.one_of(
    st.sampled_from([BEGIN.strip(), END.strip(), "#begin document", "#", "w", "-DOCSTART- O"]),
    st.text(max_size=12),
)


@st.composite
def corpora(draw: st.DrawFn) -> bytes:
    """Files of rows with the right number of columns, into which some odd lines may have come."""
    row = draw(st.sampled_from(ROWS))
    sentence = st.lists(row, max_size=4).map(lambda rows: [*rows, ""])
    lines = [line for rows in draw(st.lists(sentence, max_size=3)) for line in rows]
    if draw(st.booleans()):
        lines = [BEGIN.strip(), *lines, END.strip()]
    for odd_line in draw(st.lists(ODD_LINES, max_size=1)):
        lines.insert(draw(st.integers(0, len(lines))), odd_line)
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines).encode()


def errors_of(content: bytes) -> Iterator[DataError]:
    """Whatever the parsers raise about a file, which must be a `DataError`."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "corpus"
        path.write_bytes(content)
        for read in PARSERS.values():
            try:
                list(read(path))
            except DataError as error:
                assert str(error).startswith(f"{path}:")
                yield error


@given(st.one_of(corpora(), st.binary(max_size=200)))
def test_any_input_is_parsed_or_named_with_line(content: bytes) -> None:
    num_lines = max(1, len(content.split(b"\n")))
    for error in errors_of(content):
        assert error.line is not None
        assert 1 <= error.line <= num_lines
