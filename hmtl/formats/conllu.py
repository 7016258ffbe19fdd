"""
CoNLL-U files (https://universaldependencies.org/format.html): ten columns, parted by tabs, a word a line,
with comments above each sentence and a blank line below.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike

from hmtl.errors import DataError, OnFault, passing_over
from hmtl.formats.columns import Rows, SentenceBuffer, read_lines, shown

ID, FORM, LEMMA, UPOS, XPOS, FEATS, HEAD, DEPREL, DEPS, MISC = range(10)
COLUMNS = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
LAYOUT = f"{' '.join(COLUMNS)}, parted by tabs"
NOTHING = "_"
SUFFIX = ".conllu"
NO_SPACE = "SpaceAfter=No"
UNIVERSAL_TAGS = frozenset(
    "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X".split()
)
NEW_DOCUMENT, ENTITY_FIELDS = "newdoc", "global.Entity"

# 8, 8-9 over the words that are written as one, 8.1 for one that is not written.
_ID = re.compile(r"(?P<word>[0-9]{1,9})(?P<other>[-.][0-9]{1,9})?")
NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(slots=True)
class ConlluSentence:
    """
    # Parameters

    comments : `dict[str, str]`
        `# key = value`; the value of a comment without `=` is empty.
    rows : `Rows`
        Of all ten columns.
    words : `list[int]`
        Which of the rows are words: neither the tokens that several are written as nor empty nodes.
    """

    comments: dict[str, str]
    rows: Rows
    words: list[int]

    @property
    def line(self) -> int:
        """The line of the first word."""
        return self.rows.line + self.words[0]

    def column(self, index: int) -> list[str]:
        """One column of the words."""
        return [self.rows.cells[row][index] for row in self.words]

    def error(self, message: str, word: int = 0) -> DataError:
        """The error to raise about one word, counted from 0."""
        return self.rows.error(message, self.words[word])

    def labels(self, index: int) -> list[str]:
        """
        One column of the words, in which none may be missing.

        # Raises

        `DataError`
            With file and line, for an empty cell or `_`.
        """
        labels = self.column(index)
        for word, label in enumerate(labels):
            # A word without features is nothing unusual.
            if not label or (label == NOTHING and index != FEATS):
                raise self.error(
                    f"{COLUMNS[index]} (column {index + 1}) is {shown(label)}; expected a label",
                    word,
                )
        return labels

    def tree(self) -> tuple[list[int], list[str]]:
        """
        The syntax of the sentence: for each word the number of its head, counted from 1, with 0 for the one
        root; and its relation to that.

        # Raises

        `DataError`
            With file and line, for what is no tree with one root: a head that is no other word of the
            sentence, no root or a second one, a cycle, a relation that is missing.
        """
        heads = [self._head(word, cell) for word, cell in enumerate(self.column(HEAD))]
        roots = [word for word, head in enumerate(heads) if head == 0]
        if not roots:
            raise self.error(
                "the sentence has no root; expected one word whose HEAD (column 7) is 0"
            )
        if len(roots) > 1:
            raise self.error(
                f"a second root, beside the word on line {self.rows.line + self.words[roots[0]]}; expected "
                "one word whose HEAD (column 7) is 0 in a sentence",
                roots[1],
            )
        if cycle := _cycle(heads):
            raise self.error(
                f"HEAD (column 7) leads in a circle: {' -> '.join(map(str, cycle))}; expected a tree",
                cycle[0] - 1,
            )
        return heads, self.labels(DEPREL)

    def _head(self, word: int, cell: str) -> int:
        length = len(self.words)
        if not NUMBER.fullmatch(cell) or int(cell) > length:
            raise self.error(
                f"HEAD (column 7) is {shown(cell)}; expected the number of a word, 1 to {length}, or 0 for "
                "the root",
                word,
            )
        if int(cell) == word + 1:
            raise self.error(
                f"HEAD (column 7) is {cell}, the word itself; expected another one", word
            )
        return int(cell)


@dataclass(slots=True)
class ConlluDocument:
    """
    # Parameters

    name : `str`
        What `# newdoc id =` says; may be empty.
    entity_fields : `list[str]`
        What stands in the brackets of `Entity=`, by the `# global.Entity =` of the file.
    sentences : `list[ConlluSentence]`
    """

    name: str
    entity_fields: list[str]
    sentences: list[ConlluSentence] = field(default_factory=list)


def read_documents(
    path: str | PathLike[str], on_error: OnFault | None = None
) -> Iterator[ConlluDocument]:
    """
    Streams the documents of a file, one in memory at a time. What stands before the first `# newdoc` is one.

    # Parameters

    path : `str` or `PathLike`
    on_error : `Callable[[DataError], None]`, optional (default = `None`)
        Is given the errors of sentences in place of raising them; their documents are passed over.

    # Raises

    `DataError`
        With file and line, for whatever is no CoNLL-U, or if there is no sentence.
    """
    document: ConlluDocument | None = None
    entity_fields: list[str] = []
    faults: list[DataError] = []

    def passed_on(fault: DataError) -> None:
        assert on_error is not None
        faults.append(fault)
        on_error(fault)

    for sentence in read_sentences(path, passed_on if on_error else None):
        comments = sentence.comments
        if ENTITY_FIELDS in comments:
            entity_fields = comments[ENTITY_FIELDS].split("-")
        marks = [key for key in comments if key.split()[:1] == [NEW_DOCUMENT]]
        if document is None or marks:
            if document is not None and not faults:
                yield document
            # A fault before the first sentence of a document may have been its own.
            faults.clear()
            name = comments[marks[0]] if marks else ""
            document = ConlluDocument(name, entity_fields)
        document.sentences.append(sentence)
    if faults:
        return
    if document is None:
        raise DataError("the file holds no sentence", path)
    yield document


def read_sentences(
    path: str | PathLike[str], on_error: OnFault | None = None
) -> Iterator[ConlluSentence]:
    """
    Streams the sentences of a file; `on_error` is given the errors of sentences, which are then passed over,
    in place of raising them.

    # Raises

    `DataError`
        With file and line, for whatever is no CoNLL-U.
    """
    buffer = SentenceBuffer(path, LAYOUT, MISC + 1, on_error=on_error)
    comments: dict[str, str] = {}
    is_inside = False
    for line, text in read_lines(path):
        if not text.strip():
            yield from _sentence(comments, buffer.take(), on_error)
            comments = {} if is_inside else comments
            is_inside = False
        elif is_inside or not text.startswith("#"):
            buffer.add(line, text.split("\t"))
            is_inside = True
        else:
            key, _, value = text[1:].partition("=")
            comments[key.strip()] = value.strip()
    yield from _sentence(comments, buffer.take(), on_error)


def _sentence(
    comments: dict[str, str], rows: Rows | None, on_error: OnFault | None
) -> Iterator[ConlluSentence]:
    if rows is not None:
        with passing_over(on_error):
            yield _checked(comments, rows)


def _checked(comments: dict[str, str], rows: Rows) -> ConlluSentence:
    if rows.num_columns != MISC + 1:
        raise rows.error(f"the row has {rows.num_columns} columns; expected ten: {LAYOUT}")
    words: list[int] = []
    for row, cells in enumerate(rows.cells):
        match = _ID.fullmatch(cells[ID])
        if match is None:
            raise rows.error(
                f"ID (column 1) is {shown(cells[ID])}; expected the number of a word, as 8, or 8-9 or 8.1",
                row,
            )
        if not match["other"]:
            words.append(row)
            if int(match["word"]) != len(words):
                raise rows.error(
                    f"the word's number (column 1) is {cells[ID]}; expected {len(words)}. Is a row missing?",
                    row,
                )
    if not words:
        raise rows.error("the sentence holds no word")
    return ConlluSentence(comments, rows, words)


def label_column(labels: Collection[str]) -> int:
    """Return the column for these labels of words: UPOS or FEATS if all are such, else XPOS."""
    if UNIVERSAL_TAGS.issuperset(labels):
        return UPOS
    return FEATS if all(label == NOTHING or "=" in label for label in labels) else XPOS


def conllu_lines(
    words: Sequence[str],
    joined: Sequence[bool],
    labels: Mapping[int, Sequence[str]],
    tree: Sequence[tuple[int, str]] | None,
) -> Iterator[str]:
    """
    Give the lines of a sentence, without their ends.

    # Parameters

    words : `Sequence[str]`
    joined : `Sequence[bool]`
        For each word whether the next one stands right behind it; may end before the last word.
    labels : `Mapping[int, Sequence[str]]`
        By column, for each word.
    tree : `Sequence[tuple[int, str]]`, optional
        For each word the number of its head, counted from 1, with 0 for the root, and the relation.
    """
    # A word may hold anything.
    forms = [" ".join(word.split()) or NOTHING for word in words]
    ends = [*joined, *[False] * (len(forms) - len(joined))]
    text = "".join(form + " " * (not end) for form, end in zip(forms, ends))
    yield f"# text = {text.rstrip()}"
    for index, (form, end) in enumerate(zip(forms, ends)):
        cells = [NOTHING] * len(COLUMNS)
        cells[ID], cells[FORM] = str(index + 1), form
        for column, of_words in labels.items():
            cells[column] = of_words[index]
        if tree is not None:
            cells[HEAD], cells[DEPREL] = str(tree[index][0]), tree[index][1]
        if end:
            cells[MISC] = NO_SPACE
        yield "\t".join(cells)
    yield ""


def _cycle(heads: Sequence[int]) -> list[int]:
    """Return words, counted from 1, of which each has the next one as its head, back to the first; if any."""
    leads_to_root: set[int] = {0}
    for word in range(1, len(heads) + 1):
        # In the order in which they are met.
        path: dict[int, None] = {}
        while word not in leads_to_root:
            if word in path:
                met = list(path)
                return [*met[met.index(word) :], word]
            path[word] = None
            word = heads[word - 1]
        leads_to_root.update(path)
    return []
