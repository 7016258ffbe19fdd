"""
What files seem to be, by their first bytes: which of the formats that `hmtl import` knows, or else what can
be said of them.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hmtl.errors import DataError
from hmtl.formats.documents import BEGIN_DOCUMENT
from hmtl.formats.files import documents_in
from hmtl.formats.webanno import FORMAT as WEBANNO
from hmtl.importing import conll_columns, json_corpus
from hmtl.importing.huggingface import INFO_FILES, TAG_COLUMNS, WORD_COLUMNS

# So much of a file is looked at, and so many files of a folder.
_HEAD, _LONG_HEAD, _MOST_FILES = 2**16, 2**22, 2000
# So many commands for single files are told.
_MOST_COMMANDS = 3
_FORMS = "docs/corpora.md has the formats and their forms"

_BINARY = {
    b"PK\x03\x04": "a ZIP archive: unpack it first, and look at what it holds",
    b"\x1f\x8b": "packed by gzip: unpack it first (gunzip, tar -xzf)",
    b"BZh": "packed by bzip2: unpack it first",
    b"\xfd7zXZ": "packed by xz: unpack it first",
    b"%PDF": "a PDF: its text must be taken out first",
    b"PAR1": "huggingface",
    b"ARROW1": "huggingface",
    b"\xff\xff\xff\xff": "huggingface",
    b"\x89HDF": "an HDF5 file, as of vectors: no annotations",
    b"\xff\xfe": "UTF-16: convert it to UTF-8, for instance with iconv",
    b"\xfe\xff": "UTF-16: convert it to UTF-8, for instance with iconv",
}
_SUFFIXES = {
    ".spacy": "docbin",
    ".sgm": "ace2005",
    ".onf": "ontonotes",
    ".parse": "ontonotes",
    ".coref": "ontonotes",
    ".name": "ontonotes",
}
_STANDOFF_SUFFIXES = (".ann", ".a1", ".a2")
_STANDOFF = re.compile(r"\s*([TREAMN*#][0-9]*\t|\*\t)|\s*\Z")
_KEY = re.compile(r'"((?:[^"\\\n]|\\.){1,60})"\s*:')
_TOKEN = re.compile(r'"(?P<key>(?:[^"\\]|\\.)*)"\s*:|"(?:[^"\\]|\\.)*(?:"|\Z)|[{}\[\]]', re.DOTALL)
_CONLLU = re.compile(r"[0-9]+(?:[-.][0-9]+)?(?:\t[^\t]*){9}\Z")
_TAG = re.compile(r"O|[BIELSU]-\S+")
_TREE = re.compile(r"\s*\(+\s*(TOP|S|ROOT|NP)\b")

# By what it is, the keys that tell it: each must be there, of a tuple of them one; at any depth where it
# begins with a slash, and else in the first record itself.
_JSON_KEYS: list[tuple[str, tuple[str | tuple[str, ...], ...]]] = [
    ("cas", (("%FEATURE_STRUCTURES", "%TYPES"),)),
    ("docred", ("vertexSet",)),
    ("dygie", ("sentences", "doc_key")),
    ("label_studio", ("data", ("annotations", "completions", "predictions"))),
    ("label_studio", (("annotation_id", "lead_time"), ("label", "labels"))),
    ("prodigy", ("text", ("_input_hash", "_task_hash", "answer", "_view_id", "/token_start"))),
    ("huggingface", (WORD_COLUMNS, TAG_COLUMNS)),
    ("doccano", (("text", "data"), ("label", "labels", "entities"))),
    ("char_jsonl", ("text", ("spans", "clusters"))),
    (
        "DyGIE++'s JSON without doc_key: give each document a name there, and import it as dygie",
        ("sentences", ("ner", "clusters", "relations")),
    ),
    (
        "training data of spaCy 2: `python -m spacy convert FILE OUT` makes a .spacy file of it",
        ("/paragraphs", ("/sentences", "/raw")),
    ),
    (
        "what `hmtl predict` answers: with --output-format char_jsonl it is read, and can be scored",
        ("tokenized_text", "tokens", "sentences"),
    ),
    ("questions and answers, as in SQuAD: no spans with labels", ("/paragraphs", "/qas")),
    (
        "words with entities by their places: no format here; DyGIE++'s JSON lines hold the same",
        (("tokens", "words"), ("entities", "relations")),
    ),
]
# What records may have that have no annotation: as texts alone they are read too.
_TEXT_ALONE = frozenset({"id", "text", "meta", "sentences", "spans", "relations", "clusters"})
_TEXTS = "texts alone"
_NO_RECORD = re.compile(r"[\[\]{}\s]+")
_OTHER_FIELDS = "JSON with the fields"
_NO_FORM = "bring it into the form of char_jsonl, which scripts write most easily"


@dataclass
class Found:
    """
    Files that seem to be the same.

    # Parameters

    what : `str`
        The name of a format, or what is said of them.
    files : `list[Path]`
    """

    what: str
    files: list[Path] = field(default_factory=list)


def look_at(path: Path) -> list[Found]:
    """
    What the files at a path seem to be, most first. Files that go with others (the text of an annotation) are
    not told.

    # Raises

    `DataError`
        If there is no file.
    """
    files = sorted(documents_in(path, ""), key=lambda file: file.parts)[:_MOST_FILES]
    found: dict[str, Found] = {}
    for file, what in _kinds(files):
        found.setdefault(what, Found(what)).files.append(file)
    return sorted(found.values(), key=lambda each: (-len(each.files), each.what))


def _kinds(files: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    annotated = {
        file.with_suffix("") for file in files if file.suffix.lower() in _STANDOFF_SUFFIXES
    }
    for file in files:
        if file.suffix.lower() == ".txt" and file.with_suffix("") in annotated:
            continue
        what = kind_of(file)
        if what:
            yield file, what


def kind_of(file: Path, num_bytes: int = _HEAD) -> str | None:
    """The name of a format, or what is said of a file; `None` where it goes with others."""
    try:
        with open(file, "rb") as opened:
            head = opened.read(num_bytes)
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", file) from error
    for begin, what in _BINARY.items():
        if head.startswith(begin):
            return what
    suffix = file.suffix.lower()
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    if b"\0" in head:
        return "no text"
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The last character may be cut.
        if error.start < len(head) - 4:
            return "not in UTF-8: convert it, for instance with iconv"
        text = head[: error.start].decode("utf-8-sig")
    if not text.strip():
        return None if suffix in _STANDOFF_SUFFIXES else "empty"
    if file.name in INFO_FILES:
        return None
    if text.lstrip().startswith("<"):
        return _kind_of_xml(text, file)
    if _NO_RECORD.fullmatch(text):
        return "JSON without a record"
    if text.lstrip()[0] in "{[" and _KEY.search(text):
        kind = _kind_of_json(text)
        # A long text may stand before what tells it.
        is_told = kind is None or not kind.startswith((_OTHER_FIELDS, _TEXTS))
        if is_told or len(head) < num_bytes or num_bytes > _HEAD:
            return "char_jsonl" if kind == _TEXTS else kind
        return kind_of(file, _LONG_HEAD)
    lines = text.splitlines()
    # The last one may be cut.
    return _kind_of_lines(lines[:-1] if len(head) == num_bytes and len(lines) > 1 else lines, file)


def _kind_of_xml(text: str, file: Path) -> str | None:
    if "<source_file" in text or file.name.lower().endswith(".apf.xml"):
        return "ace2005"
    if "xmi:XMI" in text or "http://www.omg.org/XMI" in text:
        return "cas"
    if "<typeSystemDescription" in text:
        return None
    root = re.search(r"<([A-Za-z_][\w:.-]*)", text)
    return f"XML of <{root[1] if root else '?'}>, which no format here is"


def _kind_of_json(text: str) -> str | None:
    top = _keys_of_first(text)
    if _TEXT_ALONE.issuperset(top):
        # Others may have annotations.
        top = _keys_of_first(text, and_others=True)
    keys = {*top, *(f"/{key}" for key in _KEY.findall(text))}
    for what, wanted in _JSON_KEYS:
        if all(
            any(key in keys for key in ([one] if isinstance(one, str) else one)) for one in wanted
        ):
            return what
    if "text" in top and _TEXT_ALONE.issuperset(top):
        return _TEXTS
    if all(re.fullmatch(r"P[0-9]+", key) for key in top):
        return None
    shown = ", ".join(top[:6])
    return f"{_OTHER_FIELDS} {shown}: {_NO_FORM}"


def _keys_of_first(text: str, and_others: bool = False) -> list[str]:
    """The keys of the first record, of an array or of lines, that are not in what it holds; or of all."""
    keys: dict[str, None] = {}
    depth = 0
    for token in _TOKEN.finditer(text.lstrip().removeprefix("[")):
        mark = token[0][0]
        if mark in "{[":
            depth += 1
        elif mark in "}]":
            depth -= 1
            if depth < 1 and not and_others:
                break
            depth = max(depth, 0)
        elif depth == 1 and token["key"] is not None:
            keys[token["key"]] = None
    return list(keys)


def _kind_of_lines(lines: list[str], file: Path) -> str | None:
    first = next(line for line in lines if line.strip())
    if first.startswith(WEBANNO):
        return "webanno"
    if first.startswith("#FORMAT=WebAnno") or first.startswith(("#id=1", " # webanno.custom")):
        return "an older WebAnno TSV: export it as WebAnno TSV 3.3"
    if file.suffix.lower() in _STANDOFF_SUFFIXES and _STANDOFF.match(first):
        return "brat"
    rows = [line for line in lines if line.strip() and not line.startswith("#")]
    if first.startswith(BEGIN_DOCUMENT):
        cells = rows[0].split() if rows else []
        if "[WORD]" in cells:
            return "skeletons of CoNLL-2012 without words: `hmtl import ontonotes --skeletons` puts them in"
        return "like_conll" if cells and cells[0].isdigit() else "conll2012"
    if not rows:
        return "comments only"
    if sum(bool(_CONLLU.match(row)) for row in rows) > len(rows) / 2:
        return "conllu"
    if _TREE.match(first):
        return "trees in brackets: OntoNotes has them as .parse beside .name and .coref"
    if _are_tagged(rows):
        return "conll2003"
    if all(row.count("\t") == rows[0].count("\t") > 0 for row in rows) or file.suffix == ".csv":
        return f"a table: {_NO_FORM}"
    return "plain text without annotations: `hmtl predict` finds some in it"


def _are_tagged(rows: list[str]) -> bool:
    """Whether the last column, or the second, holds tags of names."""
    cells = [row.split() for row in rows if not row.startswith("-DOCSTART-")]
    cells = [row for row in cells if len(row) > 1]
    if len(cells) < len(rows) / 2:
        return False
    return any(all(_TAG.fullmatch(row[column]) for row in cells) for column in (-1, 1))


def report(path: Path, formats: Iterable[str]) -> str:
    """
    What the files at a path seem to be, with the command that reads them.

    # Parameters

    path : `Path`
    formats : `Iterable[str]`
        The formats that `hmtl import` knows.

    # Raises

    `DataError`
        If there is no file, or none that a format fits.
    """
    known = set(formats)
    found = look_at(path)
    lines = []
    for each in found:
        number = f"{len(each.files):,} file{'s' if len(each.files) > 1 else ''}"
        example = each.files[0] if path.is_dir() else path
        as_this = f", as {example}" if path.is_dir() else ""
        if each.what in known:
            of_others = {file for other in found if other is not each for file in other.files}
            commands = "".join(f"\n  {line}" for line in _commands(each, of_others, path))
            lines.append(f"{number} of {each.what}{as_this}{commands}")
        else:
            lines.append(f"{number}{as_this}: {each.what}")
    if not any(each.what in known for each in found):
        told = "".join(f"\n{line}" for line in lines)
        raise DataError(f"none of the formats seems to fit; {_FORMS}{told}", path)
    return "\n".join(lines)


def _commands(found: Found, of_others: Collection[Path], path: Path) -> Iterator[str]:
    """
    The command for the folder in which all of the files are, or for each of them where an importer would stop
    at the files of others there.
    """
    folder = Path(os.path.commonpath([file.parent for file in found.files]))
    source = path if not path.is_dir() or path.is_relative_to(folder) else folder
    suffixes = {file.suffix.lower() for file in found.files}
    # An importer of JSON, or of columns, takes files of all of these.
    columns = conll_columns.SUFFIXES if found.what == "conll2003" else ()
    for read_alike in (json_corpus.SUFFIXES, columns):
        if not suffixes.isdisjoint(read_alike):
            suffixes.update(read_alike)
    if not any(
        file.suffix.lower() in suffixes and file.is_relative_to(source) for file in of_others
    ):
        yield f"hmtl import {found.what} {shlex.quote(str(source))} OUT"
        return
    for number, file in enumerate(found.files[:_MOST_COMMANDS], start=1):
        out = "OUT" if len(found.files) == 1 else f"OUT{number}"
        yield f"hmtl import {found.what} {shlex.quote(str(file))} {out}"
    if len(found.files) > 1:
        yield "or put these files into a folder of their own, and import that"
