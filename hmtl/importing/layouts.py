"""
The files of a corpus, by what reads them. A layout is given documents one by one and keeps few files open,
so that a corpus of any size can be written.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from hmtl.formats import cas, char_jsonl, doccano, docred, label_studio, prodigy, webanno
from hmtl.formats.annotated import Document, with_text
from hmtl.formats.brat import annotation_lines
from hmtl.formats.conll2003 import DOCUMENT_START, conll2003_lines
from hmtl.formats.conll2012 import conll2012_lines
from hmtl.formats.dygie import json_line
from hmtl.formats.entities import with_entities
from hmtl.formats.like_conll import like_conll_lines
from hmtl.formats.like_conll import read_documents as read_like_conll
from hmtl.formats.webanno import webanno_lines
from hmtl.importing import splits
from hmtl.importing.brat_files import ANNOTATION_SUFFIX, TEXT_SUFFIX
from hmtl.importing.naming import UniqueNames
from hmtl.importing.resolution import (
    CROSSES_SENTENCES,
    SINGLETON,
    TOO_FEW,
    TWICE,
    for_columns,
    in_one_piece,
    with_plain_labels,
    within_sentences,
)
from hmtl.importing.tally import TRIPLES, Tally

# So many documents stand in one like_conll file: a folder of some dozen files, none of them huge.
DOCUMENTS_PER_FILE = 25
# So many bytes has a part of a path, less than the 255 of most file systems by what follows it.
_LONGEST_PART = 200
_OF_FILES = re.compile(r"(\.(?:txt|ann|tsv|json|gold_conll))$")
NOT_EXPRESSIBLE = "the layout has no place for them"


@dataclass(frozen=True)
class Options:
    """
    # Parameters

    singletons : `bool`, optional (default = `False`)
        Whether clusters of one mention are kept where coreference is learned.
    coding_scheme : `str`, optional (default = `"BIO"`)
        Of tags.
    widen : `bool`, optional (default = `False`)
        Whether discontinuous spans are widened over their gaps where a layout cannot hold them.
    """

    singletons: bool = False
    coding_scheme: str = "BIO"
    widen: bool = False


class Layout:
    """
    # Parameters

    directory : `Path`
        Where the files go; is there already.
    tally : `Tally`
        Counts what the layout cannot hold.
    options : `Options`
    """

    # As what the spans of a corpus that has only names, or only mentions, are written.
    kind = "mentions"
    # Whether it has a place for more than training learns from.
    keeps_all = False
    # Whether it has no place for a mention that lies in another.
    flat = False
    # Whether it has a place for relations whose arguments stand in two sentences.
    crosses_sentences = False

    def __init__(self, directory: Path, tally: Tally, options: Options) -> None:
        self.directory = directory
        self.tally = tally
        self.options = options

    def recast(self, document: Document) -> Document:
        """
        The document as the layout has it: without entities, which mentions and clusters tell; if it has only
        names or only mentions, with them as what there is a place for.
        """
        return replace(document, entities=[], entity_relations=[])

    def fit(self, document: Document) -> Document:
        """What the layout can hold of a document; the rest is counted."""
        options = self.options
        return for_columns(document, self.tally, options.singletons, options.widen, self.flat)

    def write(self, document: Document, split: str | None, coref_split: str | None) -> None:
        """
        Adds what `fit` left of a document.

        # Parameters

        document : `Document`
        split, coref_split : `str` or `None`
            The split it belongs to, and that where coreference is learned; `None`: it is in none.
        """
        raise NotImplementedError


class _Columns(Layout):
    """A layout in which a document has a name without blanks; parts of one have the same."""

    def __init__(self, directory: Path, tally: Tally, options: Options) -> None:
        super().__init__(directory, tally, options)
        self._names = UniqueNames(tally)

    def fit(self, document: Document) -> Document:
        fitted = super().fit(document)
        return replace(fitted, name=self._names.instead_of(document.name, fitted.name))


class LikeConll(_Columns):
    """
    `<split>/<split>_00.like_conll` and so on (`mention_ace`, `relation_ace`), and all of a split again in
    `single_file/<split>.like_conll` (`coref_ace`). Of a corpus that has names beside its mentions, all
    documents with these in `ner/<split>/<document>.gold_conll` (`ner_ontonotes`).
    """

    # What the names of the files in `<split>/` begin with.
    prefix = ""

    def __init__(self, directory: Path, tally: Tally, options: Options) -> None:
        super().__init__(directory, tally, options)
        self._num_documents: Counter[str] = Counter()
        self._names_layout: Conll2012 | None = None

    def recast(self, document: Document) -> Document:
        return _with_mentions(super().recast(document))

    def write(self, document: Document, split: str | None, coref_split: str | None) -> None:
        text = as_text(like_conll_lines(document))
        if split and (document.names or self._names_layout):
            self._write_names(document, split)
        if split:
            number = self._num_documents[split] // DOCUMENTS_PER_FILE
            self._num_documents[split] += 1
            file = f"{self.prefix}{split}_{number:02d}.like_conll"
            append_text(self.directory / split / file, text)
        if coref_split:
            append_text(self.directory / "single_file" / f"{coref_split}.like_conll", text)

    def _write_names(self, document: Document, split: str) -> None:
        if self._names_layout is None:
            self._names_layout = Conll2012(self.directory, Tally(), self.options)
            # Those that came before had none.
            for before_split in splits.SPLITS:
                for file in sorted(self.directory.glob(f"{before_split}/*.like_conll")):
                    for before in read_like_conll(file, False, False, False):
                        self._names_layout.write(before, before_split, None)
        alone = replace(document, mentions=[], relations=[], clusters=[])
        self._names_layout.write(alone, split, None)


class Conll2012(_Columns):
    """
    `ner/<split>/<document>.gold_conll` (`ner_ontonotes`), and all of a split again in
    `coref/<split>.gold_conll` (`coref`).
    """

    kind = "names"

    def __init__(self, directory: Path, tally: Tally, options: Options) -> None:
        super().__init__(directory, tally, options)
        self._paths = UniqueNames(tally)

    def recast(self, document: Document) -> Document:
        return _with_names(super().recast(document))

    def fit(self, document: Document) -> Document:
        return super().fit(_without_mentions(document, self.tally))

    def write(self, document: Document, split: str | None, coref_split: str | None) -> None:
        text = as_text(conll2012_lines(document))
        if split:
            name = safe_path(self.file_name(document)).as_posix()
            path = self._paths.instead_of(document.name, name)
            append_text(self.directory / "ner" / split / f"{path}.gold_conll", text)
        if coref_split:
            append_text(self.directory / "coref" / f"{coref_split}.gold_conll", text)

    def file_name(self, document: Document) -> str:
        """What the document's own file is called below its split, without the suffix."""
        return document.name


class Conll2003(Layout):
    """`<split>.txt` in columns (`conll2003`), each name a tag."""

    kind = "names"
    flat = True

    def recast(self, document: Document) -> Document:
        return _with_names(super().recast(document))

    def fit(self, document: Document) -> Document:
        _leave_clusters_out(document, self.tally)
        fitted = super().fit(replace(_without_mentions(document, self.tally), clusters=[]))
        # A word that looks like the beginning of a document cannot stand in the first column.
        for sentence in fitted.sentences:
            sentence.words[:] = [
                word.strip("-") if word == DOCUMENT_START else word for word in sentence.words
            ]
        return fitted

    def write(self, document: Document, split: str | None, coref_split: str | None) -> None:
        if split:
            lines = conll2003_lines(document, self.options.coding_scheme)
            append_text(self.directory / f"{split}.txt", as_text(lines))


class _NamedApart(Layout):
    """A layout for other tools, in which all documents, and parts of one, have names of their own."""

    keeps_all = True
    crosses_sentences = True

    def __init__(self, directory: Path, tally: Tally, options: Options) -> None:
        super().__init__(directory, tally, options)
        self._names = UniqueNames(tally)


class Dygie(_NamedApart):
    """`<split>.json`, a document a line."""

    crosses_sentences = False

    def recast(self, document: Document) -> Document:
        return _with_mentions(super().recast(document))

    def fit(self, document: Document) -> Document:
        self.tally.left_out("names", NOT_EXPRESSIBLE, len(document.names))
        whole = in_one_piece(replace(document, names=[]), self.tally, self.options.widen)
        return within_sentences(whole, self.tally)

    def write(self, document: Document, split: str | None, coref_split: str | None) -> None:
        if split:
            named = replace(document, name=self._names.of(document.name))
            append_text(self.directory / f"{split}.json", as_text([json_line(named)]))


class _FileEach(_NamedApart):
    """A layout with files of its own for each document."""

    def path(self, document: Document, split: str) -> Path:
        """Where the files of a document go, without a suffix; their folder is there."""
        name = document.name
        # A corpus that is in folders by split already keeps them.
        if not splits.is_folder_of(split, name.partition("/")[0]):
            name = f"{split}/{name}"
        path = self.directory / self._names.of(safe_path(name).as_posix())
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


class Brat(_FileEach):
    """`<split>/<document>.txt` and `.ann`."""

    def fit(self, document: Document) -> Document:
        linked = _without_singletons(document, self.tally)
        return with_text(with_plain_labels(linked, self.tally))

    def write(self, document: Document, split: str | None, coref_split: str | None) -> None:
        if split:
            path = self.path(document, split)
            path.with_name(path.name + TEXT_SUFFIX).write_bytes((document.text or "").encode())
            path = path.with_name(path.name + ANNOTATION_SUFFIX)
            append_text(path, as_text(annotation_lines(document)))


class WebAnno(_FileEach):
    """`<split>/<document>.tsv`."""

    def fit(self, document: Document) -> Document:
        return with_text(in_one_piece(document, self.tally, self.options.widen))

    def write(self, document: Document, split: str | None, coref_split: str | None) -> None:
        if split:
            path = self.path(document, split)
            path = path.with_name(path.name + webanno.SUFFIX)
            append_text(path, as_text(webanno_lines(document)))


class Cas(WebAnno):
    """`<split>/<document>.json`."""

    def write(self, document: Document, split: str | None, coref_split: str | None) -> None:
        if split:
            path = self.path(document, split)
            append_text(path.with_name(path.name + cas.SUFFIX), cas.cas_json(document))


class CharJsonl(_NamedApart):
    """`<split>.jsonl`, a document a line."""

    suffix = ".jsonl"
    line: Callable[[Document], str] = staticmethod(char_jsonl.json_line)

    def fit(self, document: Document) -> Document:
        return with_text(replace(document, name=self._names.of(document.name)))

    def write(self, document: Document, split: str | None, coref_split: str | None) -> None:
        if split:
            self.add(self.directory / f"{split}{self.suffix}", document)

    def add(self, path: Path, document: Document) -> None:
        """Adds a document to a file."""
        append_text(path, as_text([type(self).line(document)]))


class _Linked(CharJsonl):
    """The same of a tool that has relations, but no clusters and no pieces."""

    def fit(self, document: Document) -> Document:
        whole = in_one_piece(document, self.tally, self.options.widen)
        return super().fit(_without_singletons(whole, self.tally))


class Prodigy(_Linked):
    line = staticmethod(prodigy.json_line)


class Doccano(_Linked):
    line = staticmethod(doccano.relation_line)


class DoccanoSpans(_Linked):
    line = staticmethod(doccano.label_line)

    def fit(self, document: Document) -> Document:
        self.tally.left_out("relations", NOT_EXPRESSIBLE, len(document.relations))
        _leave_clusters_out(document, self.tally)
        return super().fit(replace(document, relations=[], clusters=[]))


def _append_to_array(path: Path, text: str, begin: str, between: str, end: str) -> None:
    """Add an item to the one array of a file, which is whole after each."""
    is_first = not path.exists()
    with open(path, "a+b" if is_first else "r+b") as file:
        file.seek(0 if is_first else -len(end.encode()), os.SEEK_END)
        file.write(f"{begin if is_first else between}{text}{end}".encode())


class LabelStudio(_Linked):
    """`<split>.json`, one array of tasks."""

    suffix = ".json"
    line = staticmethod(label_studio.annotated_task)

    def add(self, path: Path, document: Document) -> None:
        array = label_studio.BEGIN, label_studio.BETWEEN, label_studio.END
        _append_to_array(path, type(self).line(document), *array)


class Docred(_NamedApart):
    """
    `<split>.json`, one array of documents with entities and relations between these (`docred`). Of a corpus
    of spans, each cluster is an entity, and each mention that is in none.
    """

    def recast(self, document: Document) -> Document:
        return with_entities(_with_mentions(document))

    def fit(self, document: Document) -> Document:
        self.tally.left_out("names", NOT_EXPRESSIBLE, len(document.names))
        whole = in_one_piece(replace(document, names=[]), self.tally, self.options.widen)
        fitted = within_sentences(whole, self.tally, relations=False)
        parts = [(d.mentions, d.clusters, d.relations) for d in (fitted, document)]
        if parts[0] != parts[1]:
            fitted = self._again(fitted)
        return replace(fitted, name=self._names.of(document.name))

    def _again(self, document: Document) -> Document:
        """With entities of what is left of a document."""
        again = with_entities(replace(document, entities=[], entity_relations=[]))
        lost = len(document.entities) - len(again.entities)
        self.tally.left_out("entities", CROSSES_SENTENCES, lost)
        lost = len(document.entity_relations) - len(again.entity_relations)
        self.tally.left_out(TRIPLES, CROSSES_SENTENCES, lost)
        return again

    def write(self, document: Document, split: str | None, coref_split: str | None) -> None:
        if split:
            array = docred.BEGIN, docred.BETWEEN, docred.END
            text = docred.document_text(document)
            _append_to_array(self.directory / f"{split}{docred.SUFFIX}", text, *array)


LAYOUTS: dict[str, type[Layout]] = {
    "like_conll": LikeConll,
    "conll2012": Conll2012,
    "conll2003": Conll2003,
    "docred": Docred,
    "dygie": Dygie,
    "brat": Brat,
    "webanno": WebAnno,
    "cas": Cas,
    "char_jsonl": CharJsonl,
    "label_studio": LabelStudio,
    "prodigy": Prodigy,
    "doccano": Doccano,
    "doccano_spans": DoccanoSpans,
}


def _with_mentions(document: Document) -> Document:
    if document.mentions or document.has_both:
        return document
    return replace(document, mentions=document.names, names=[])


def _with_names(document: Document) -> Document:
    if document.names or document.has_both:
        return document
    return replace(document, names=document.mentions, mentions=[])


def _without_singletons(document: Document, tally: Tally) -> Document:
    """
    With each span of a cluster once, and without clusters of one, where links between two spans are all there
    is: none leads from a span to itself.
    """
    unique = [list(dict.fromkeys(cluster)) for cluster in document.clusters]
    twice = sum(map(len, document.clusters)) - sum(map(len, unique))
    tally.left_out("cluster members", TWICE, twice)
    linked = [cluster for cluster in unique if len(cluster) > 1]
    tally.left_out("clusters", TOO_FEW, len(unique) - len(linked))
    alone = sum(map(len, unique)) - sum(map(len, linked))
    tally.left_out("cluster members", SINGLETON, alone)
    return replace(document, clusters=linked)


def _leave_clusters_out(document: Document, tally: Tally) -> None:
    tally.left_out("clusters", NOT_EXPRESSIBLE, len(document.clusters))
    tally.left_out("cluster members", NOT_EXPRESSIBLE, sum(map(len, document.clusters)))


def _without_mentions(document: Document, tally: Tally) -> Document:
    tally.left_out("mentions", NOT_EXPRESSIBLE, len(document.mentions))
    tally.left_out("relations", NOT_EXPRESSIBLE, len(document.relations))
    return replace(document, mentions=[], relations=[])


def as_text(lines: Iterable[str]) -> str:
    """Lines with their ends."""
    return "\n".join([*lines, ""])


def append_text(path: Path, content: str) -> None:
    """Adds a text to a UTF-8 file, which is made if it is not there, with its folders."""
    try:
        file = open(path, "a", encoding="utf-8", newline="\n")
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "a", encoding="utf-8", newline="\n")
    with file:
        file.write(content)


def safe_path(name: str) -> Path:
    """
    A document's name as a path below a folder: each part is plain and no longer than file systems allow, and
    none leads out of it or is hidden, since hidden files are no part of a corpus. No folder is called as a
    file may be.
    """
    parts = [re.sub(r"[\x00-\x1f\\:]", "_", part) for part in name.split("/")]
    plain = [re.sub(r"^\.", "_", part) for part in parts if part.strip(".")] or ["_"]
    *folders, file = (part.encode()[:_LONGEST_PART].decode(errors="ignore") for part in plain)
    return Path(*(_OF_FILES.sub(r"\1_", folder) for folder in folders), file)
