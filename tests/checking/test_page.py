from html.parser import HTMLParser
from pathlib import Path

from hmtl.checking.example import Example
from hmtl.checking.page import page, write_page
from hmtl.formats.annotated import Relation

EVIL = "<script>alert('x')</script>"


class Text(HTMLParser):
    """The text of a page, and its elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.pieces: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.pieces.append(data.strip())


def test_page_shows_words_spans_clusters_and_relations() -> None:
    words = ["Ann", "met", "Bob", "."]
    tagged = Example(words, sentences=[(0, 3)], spans=[("PER", (0, 0))], document=("doc", 0))
    related = Example(
        words,
        sentences=[(0, 3)],
        relations=[
            Relation("KNOWS", (2, 2), (0, 0)),
            Relation("MET", (2, 2), (0, 0)),
            Relation("SELF", (1, 1), (1, 1)),
        ],
        mentions=[("PER", (0, 0)), ("PER", (2, 2))],
    )
    document = Example(
        words, 2, [(0, 1), (2, 3)], True, clusters=[[(0, 0), (2, 2)]], source="a.conll:1"
    )
    parsed = Text(page({"ner": [tagged], "relation": [related], "coref": [document]}))
    assert [parsed.pieces.count(name) for name in ("ner", "relation", "coref")] == [1, 1, 1]
    assert {"doc", "a.conll:1", "PER", "0"} <= set(parsed.pieces)
    # Relations of one pair share an arc.
    assert "KNOWS, MET" in parsed.pieces
    assert parsed.tags.count("svg") == 1
    # One drawing of the spans a sentence, and one of the arcs.
    assert parsed.tags.count("figure") == 1 + 2 + 2


def test_everything_from_the_data_is_escaped() -> None:
    example = Example(
        [EVIL, "b"],
        sentences=[(0, 1)],
        spans=[(EVIL, (0, 0))],
        relations=[Relation(EVIL, (0, 0), (1, 1))],
        document=(EVIL, 0),
        source=EVIL,
    )
    parsed = Text(page({EVIL: [example]}))
    assert "script" not in parsed.tags
    assert parsed.pieces.count(EVIL) >= 4


def test_page_is_written_in_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    write_page(path, {"ner": [Example(["Noghès"], sentences=[(0, 0)], spans=[])]})
    assert "Noghès" in path.read_text(encoding="utf-8")
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]
