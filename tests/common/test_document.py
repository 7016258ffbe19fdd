from html.parser import HTMLParser

from hmtl.common.document import (
    Code,
    Drawing,
    Heading,
    Paragraph,
    Part,
    Picture,
    Table,
    as_html,
    as_markdown,
)

PARTS: list[Part] = [
    Heading("A <study>", 1),
    Paragraph("What is & what is not."),
    Table(["setup", "ner"], [["a|b", "1.0"], ["c", "<2>"]]),
    Picture("curve.png", b"\x89PNG", "a curve"),
    Code(["python train.py -o '{\"a\": 1}'"]),
]


class Reader(HTMLParser):
    """What a browser would see: the text, and the addresses that it would fetch."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.fetched: list[str | None] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, "str | None"]]) -> None:
        if tag not in ("meta", "img"):
            self.open.append(tag)
        self.fetched += [value for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_markdown_has_all_parts() -> None:
    assert as_markdown(PARTS, "pictures").split("\n\n") == [
        "# A <study>",
        "What is & what is not.",
        "| setup | ner |\n| --- | ---: |\n| a\\|b | 1.0 |\n| c | <2> |",
        "![a curve](pictures/curve.png)",
        "```sh\npython train.py -o '{\"a\": 1}'\n```\n",
    ]


def test_markdown_of_data_holds_no_element_link_or_code() -> None:
    text = "<b> [x](y) `z`"
    plain = as_markdown([Paragraph(text), Table([text], [])], "", plain=True)
    assert plain.splitlines()[0] == "&lt;b> [x\\](y) \\`z\\`"
    assert plain.splitlines()[2] == "| &lt;b> [x\\](y) \\`z\\` |"


def test_drawings_are_html_there_and_lines_of_text_here() -> None:
    parts = [Drawing("<b>drawn</b>", ["two\nlines"])]
    assert as_markdown(parts, "") == "    two\n    lines\n"
    assert "<b>drawn</b>" in as_html(parts)


def test_html_shows_text_as_it_is() -> None:
    reader = Reader(as_html(PARTS))
    for text in ("A <study>", "What is & what is not.", "a|b", "<2>", "-o '{\"a\": 1}'"):
        assert text in reader.text
    assert reader.open == []


def test_html_needs_nothing_beside_it() -> None:
    (address,) = Reader(as_html(PARTS)).fetched
    assert address == "data:image/png;base64,iVBORw=="
