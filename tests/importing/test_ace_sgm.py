"""ACE's texts: what counts as a character, and what is text."""

import re
from pathlib import Path

import pytest

from hmtl.errors import DataError
from hmtl.importing.ace_sgm import SgmText, read_sgm
from tests.importing.ace_files import read_template


def read(directory: Path, content: str) -> SgmText:
    path = directory / "document.sgm"
    path.write_bytes(content.encode())
    return read_sgm(path)


def slices_of(directory: Path, template: str) -> dict:
    """What `plain` holds at the place of each name in the template's braces."""
    markup, _, slices = read_template(template)
    sgm = read(directory, markup)
    places = {name: sgm.place(offsets) for name, offsets in slices.items()}
    return {name: place and sgm.plain[slice(*place)] for name, place in places.items()}


def test_offsets_count_line_ends_but_not_tags(tmp_path: Path) -> None:
    template = '<DOC>\n<DOCID> A </DOCID>\n<BODY>\n<TEXT a="b>c">\nin {a}Rome{/a}\n</TEXT>\n</BODY>\n</DOC>\n'
    # The template's own reading of tags knows no quotes, so they are written without `>`.
    assert slices_of(tmp_path, template.replace("b>c", "bc")) == {"a": "Rome"}


def test_tag_ends_at_the_first_bracket_outside_a_quoted_value(tmp_path: Path) -> None:
    assert read(tmp_path, '<TEXT><QUOTE PREVIOUSPOST="a > b\n<c>">yes</TEXT>').plain == "yes"


def test_tag_with_a_quote_that_is_never_closed_ends_at_the_first_bracket(tmp_path: Path) -> None:
    assert read(tmp_path, '<TEXT><QUOTE PREVIOUSPOST="a>yes</TEXT>').plain == "yes"


def test_less_than_sign_before_a_blank_is_text(tmp_path: Path) -> None:
    assert read(tmp_path, "<TEXT>3 < 4 > 2</TEXT>").plain == "3 < 4 > 2"


def test_reference_counts_as_the_characters_it_is_written_with(tmp_path: Path) -> None:
    template = (
        "<TEXT>{a}AT&amp;T{/a} &AMP; {b}B&#38;O{/b} &lt;{c}x{/c}&gt; &unknown; {d}y{/d}</TEXT>"
    )
    assert slices_of(tmp_path, template) == {"a": "AT&T", "b": "B&O", "c": "x", "d": "y"}
    assert read(tmp_path, read_template(template)[0]).plain == "AT&T & B&O <x> &unknown; y"


def test_slice_that_begins_inside_a_reference_has_no_place(tmp_path: Path) -> None:
    sgm = read(tmp_path, "<TEXT>AT&amp;T</TEXT>")
    assert sgm.place((0, 4)) is None
    assert sgm.place((4, 8)) is None
    assert sgm.place((2, 7)) == (2, 3)


def test_carriage_returns_before_line_ends_do_not_count(tmp_path: Path) -> None:
    sgm = read(tmp_path, "<TEXT>\r\nin Rome\r\n</TEXT>\r\n")
    place = sgm.place((4, 8))
    assert place is not None
    assert sgm.plain[slice(*place)] == "Rome"


def test_tag_inside_a_word_or_sentence_parts_nothing(tmp_path: Path) -> None:
    assert slices_of(tmp_path, "<TEXT>the {a}New<b> Yo</b>rk{/a} Times</TEXT>") == {"a": "New York"}


@pytest.mark.parametrize(
    ("markup", "blocks"),
    [
        pytest.param(
            "<DOC><DOCID>1</DOCID><DOCTYPE SOURCE='newswire'>NEWS</DOCTYPE><DATETIME>2003</DATETIME>\n"
            "<BODY>\n<HEADLINE>\nHead\n</HEADLINE>\n<TEXT>\nBody.\n</TEXT>\n</BODY>\n</DOC>",
            ["Head", "Body."],
            id="nw",
        ),
        pytest.param(
            "<DOC><BODY><TEXT><TURN>\none\n</TURN><TURN>two</TURN></TEXT><ENDTIME>9</ENDTIME></BODY></DOC>",
            ["one", "two"],
            id="bn",
        ),
        pytest.param(
            "<TEXT><TURN>\n<SPEAKER> B </SPEAKER>\nhi there</TURN></TEXT>",
            ["B", "hi there"],
            id="bc",
        ),
        pytest.param("<BODY><TURN>one</TURN>\n<TURN>two</TURN></BODY>", ["one", "two"], id="cts"),
        pytest.param(
            "<POST>\n<POSTER> P </POSTER>\n<POSTDATE> 2004 </POSTDATE>\n<SUBJECT> S </SUBJECT>\nt"
            '<QUOTE PREVIOUSPOST="x"/>u</POST>',
            ["P", "S", "t", "u"],
            id="un",
        ),
        pytest.param("<turn>lower case</turn>", ["lower case"], id="lower case"),
        pytest.param("<TEXT>never closed <TURN> at all", ["never closed", "at all"], id="open"),
        pytest.param("<DOCID>1\n<TEXT>a<POSTDATE>2\n<POST>b", ["a", "b"], id="open headers"),
        pytest.param("<TEXT></TURN>a<TURN><b>c</TEXT>d", ["a", "c"], id="closed twice"),
    ],
)
def test_blocks_are_what_stands_between_tags_of_structure(
    tmp_path: Path, markup: str, blocks: list
) -> None:
    assert re.split(r"\s*\n\n\s*", read(tmp_path, markup).plain.strip()) == blocks


def test_slice_across_the_end_of_a_block_has_no_place(tmp_path: Path) -> None:
    sgm = read(tmp_path, "<TURN>one</TURN><TURN>two</TURN>")
    assert sgm.place((0, 6)) is None
    assert sgm.place((0, 3)) == (0, 3)
    assert sgm.place((3, 6)) == (5, 8)


def test_slice_in_a_header_or_past_the_end_has_no_place(tmp_path: Path) -> None:
    sgm = read(tmp_path, "<DOCID>one</DOCID><TURN>two</TURN>")
    assert sgm.place((0, 3)) is None
    assert sgm.place((3, 7)) is None


def test_file_without_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"document\.sgm: there is no text .*<BODY>, <POST>"):
        read(tmp_path, "<DOC><DOCID>1</DOCID>\n<TEXT> \n</TEXT></DOC>")


def test_file_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.sgm"
    path.write_bytes("<TEXT>\ncaf\xe9</TEXT>".encode("latin-1"))
    with pytest.raises(DataError, match=r"latin\.sgm:2: .*UTF-8"):
        read_sgm(path)


def test_tags_that_never_end_are_text(tmp_path: Path) -> None:
    # Were the pattern to try all ways of reading the quotes, this would take for ever.
    markup = "<TEXT>x" + '<a b="c" d="e"' * 300
    assert read(tmp_path, markup).plain.startswith("x<a")
