"""XML that is not trusted."""

from pathlib import Path

import pytest

from hmtl.errors import DataError
from hmtl.importing.safe_xml import read_xml


def write(directory: Path, content: str) -> Path:
    path = directory / "file.xml"
    path.write_text(content, encoding="utf-8")
    return path


def test_elements_have_lines_attributes_and_text(tmp_path: Path) -> None:
    root = read_xml(write(tmp_path, '<a>\n<b x="1">one <c/>two &amp; &#51;</b>\n<b/></a>'))
    first, second = root.children
    assert (first.line, first.attributes, first.text) == (2, {"x": "1"}, "one two & 3")
    assert (second.line, second.text) == (3, "")
    assert root.find("b") is first
    assert root.find("d") is None


def test_descendants_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    root = read_xml(write(tmp_path, "<a><b><c/><d><c/></d></b>\n<c/><d/></a>"))
    assert [element.tag for element in root.descendants("c", "d")] == ["c", "d", "c", "c", "d"]


def test_document_type_is_not_fetched(tmp_path: Path) -> None:
    missing = tmp_path / "missing.dtd"
    path = write(tmp_path, f'<!DOCTYPE a SYSTEM "{missing.as_uri()}">\n<a/>')
    assert read_xml(path).tag == "a"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        pytest.param('<!DOCTYPE a [\n<!ENTITY b "bb">]>\n<a>&b;</a>', 2, id="internal"),
        pytest.param(
            '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', 1, id="external"
        ),
        pytest.param('<!DOCTYPE a [<!ENTITY % b SYSTEM "file:///x">%b;]><a/>', 1, id="parameter"),
    ],
)
def test_declared_entity_is_refused(tmp_path: Path, content: str, line: int) -> None:
    with pytest.raises(DataError, match=rf"file\.xml:{line}: the file declares the entity 'b'"):
        read_xml(write(tmp_path, content))


def test_entity_of_the_document_type_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, '<!DOCTYPE a SYSTEM "a.dtd">\n<a>\n&eacute;</a>')
    with pytest.raises(DataError, match=r"file\.xml:3: unknown entity '&eacute;'"):
        read_xml(path)


@pytest.mark.parametrize("content", ["<a>\n<b></a>", "<a>\n", "<a/>\n<b/>", "<a>\n&x;</a>"])
def test_malformed_file_is_refused_with_its_line(tmp_path: Path, content: str) -> None:
    with pytest.raises(DataError, match=r"file\.xml:2: not well-formed XML"):
        read_xml(write(tmp_path, content))


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.xml: the file cannot be read"):
        read_xml(tmp_path / "none.xml")


def test_deep_nesting_is_no_recursion(tmp_path: Path) -> None:
    depth = 5000
    root = read_xml(write(tmp_path, "<a>" * depth + "</a>" * depth))
    assert sum(1 for _ in root.descendants("a")) == depth - 1
