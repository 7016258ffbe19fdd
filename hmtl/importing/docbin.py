"""
spaCy's DocBin: a .spacy file, or a folder of them.

Entities (doc.ents) become names, and groups of spans (doc.spans) mentions. What the component hmtl found, and
DocBin(store_user_data=True) kept, is read again: mentions, relations and clusters. Groups named
coref_clusters_1 and so on are clusters, as spacy-experimental has them. Of these, a group that holds just the
entities or a task's mentions again, and one of whole sentences, is no mention of its own. Sentences are those
of the documents; where one has none, spaCy's sentencizer finds them. Words are spaCy's tokens, but for white
space. Labels of documents and of sentences are left out and counted. Nothing in a file is unpickled.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hmtl.errors import DataError
from hmtl.formats.annotated import CharacterSlice, Document, Mention, Relation
from hmtl.formats.spacy_data import CLUSTERS, MENTIONS, RELATIONS, kept_in
from hmtl.formats.spacy_text import read_doc
from hmtl.importing import corpus_writer
from hmtl.importing.sources import files_in, name_of, told_as_data_errors
from hmtl.importing.tally import Tally
from hmtl.importing.tokenization import COVERS_NO_WORD, WordIndex

if TYPE_CHECKING:
    from spacy.tokens import Doc, DocBin, Span

SUFFIX = ".spacy"
NO_DOCBIN = "is no DocBin of spaCy 3"
WRITERS = "what DocBin.to_disk or `python -m spacy convert` writes"
CLUSTER_GROUPS = "coref_clusters"
# The task of names in our configs, which the component puts into `doc.ents` too.
NAMES_TASK = "ner"
AGAIN = "are entities or mentions of the document again"
OF_SENTENCES = "are labels of whole sentences"
NOT_ASKED_FOR = "are in none of the groups of --spans"
NO_PLACE = "nothing is learned from them"
# zlib makes a thousand of one: more than so much of one is no text, and not unpacked where it is so large.
_MOST_PACKED, _LARGE, _CHUNK = 200, 2**26, 2**20

# The type and the place of a span.
Labelled = tuple[str, CharacterSlice]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the format."""
    parser.add_argument(
        "--spans",
        action="append",
        metavar="GROUP",
        help="the groups of doc.spans that are mentions; may be repeated (default: all but clusters)",
    )
    parser.add_argument(
        "--clusters",
        default=CLUSTER_GROUPS,
        metavar="BEGIN",
        help="what the names of groups begin with that are a cluster each (default: %(default)s)",
    )
    corpus_writer.add_arguments(parser, default_layout="like_conll")


def run(arguments: argparse.Namespace) -> Tally:
    """Converts a file or a folder."""
    tally = Tally()
    source = arguments.source
    files = files_in(source, [SUFFIX])

    # Of one file, which is all that most corpora have; of more, each is read twice.
    load = lru_cache(1)(_load)

    def names(file: Path, _: Tally) -> list[str]:
        return _names(file, source, len(load(file)))

    def documents(file: Path, tally: Tally) -> Iterator[Document]:
        return _Reader(arguments, tally).documents(file, load(file))

    return corpus_writer.convert_files(arguments, files, names, documents, tally)


def _names(path: Path, source: Path, number: int) -> list[str]:
    file = name_of(path, source).removesuffix(SUFFIX)
    return [f"{file}-{each:05d}" for each in range(1, number + 1)]


def _load(path: Path) -> DocBin:
    from spacy.tokens import DocBin

    try:
        packed = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", path) from error
    with told_as_data_errors(path, NO_DOCBIN, WRITERS):
        _check_size(packed, path)
        return DocBin().from_bytes(packed)


@contextmanager
def _knowing(decoders: Mapping[str, Any]) -> Iterator[None]:
    """
    srsly looks through all that Python's packages register for each group of spans that it reads, which takes
    most of the time: here it is told what it would find.
    """
    from srsly.msgpack import msgpack_decoders

    own = vars(msgpack_decoders)
    own["get_all"] = lambda: decoders
    try:
        yield
    finally:
        del own["get_all"]


def _same(packed: DocBin) -> DocBin:
    """A DocBin of the same columns: spaCy's own copies lack user data."""
    from spacy.tokens import DocBin

    same = DocBin()
    vars(same).update(vars(packed))
    return same


def _after(packed: DocBin, number: int) -> DocBin:
    """What comes after the document of this number, of one whose strings are known."""
    rest = _same(packed)
    rest.strings = set()
    for column in ("tokens", "spaces", "cats", "span_groups", "flags"):
        of_documents = getattr(packed, column)
        # Whatever else stands there is no column: the first of the rest then tells.
        if hasattr(of_documents, "__getitem__"):
            setattr(rest, column, of_documents[number + 1 :])
    return rest


def _check_size(packed: bytes, path: Path) -> None:
    """Whether the file unpacks to a size that a file of texts may have."""
    unpacker = zlib.decompressobj()
    size, rest = 0, packed
    while rest and not unpacker.eof:
        size += len(unpacker.decompress(rest, _CHUNK))
        rest = unpacker.unconsumed_tail
        if size > max(_LARGE, _MOST_PACKED * len(packed)):
            raise DataError(f"unpacks to more than {size:,} bytes; expected texts", path)


@dataclass(frozen=True)
class _Reader:
    options: argparse.Namespace
    tally: Tally

    def documents(self, path: Path, packed: DocBin) -> Iterator[Document]:
        """The documents of a file, one in memory at a time beside what the file unpacks to."""
        from spacy.lang.lex_attrs import LEX_ATTRS
        from spacy.vocab import Vocab
        from srsly.msgpack import msgpack_decoders

        decoders = msgpack_decoders.get_all()
        packed = _same(packed)
        # Read here and without the decoders that other packages may have registered.
        user_data, packed.user_data = packed.user_data, []
        # These tell white space.
        vocab = Vocab(lex_attr_getters=LEX_ATTRS)
        docs = packed.get_docs(vocab)
        for number, name in enumerate(_names(path, self.options.source, len(packed))):
            what = f"document {number + 1} {NO_DOCBIN}"
            doc = None
            with self.tally.faults, told_as_data_errors(path, what, WRITERS), _knowing(decoders):
                doc = next(docs)
            if doc is None:
                # An error ends the iterator: go on with the next.
                docs = _after(packed, number).get_docs(vocab)
                continue
            with self.tally.faults, told_as_data_errors(path, what, WRITERS):
                kept = user_data[number] if number < len(user_data) else None
                document = self._document(doc, _plain(kept))
                document.name = name
                yield document

    def _document(self, doc: Doc, user_data: Mapping[Any, Any]) -> Document:
        document = read_doc(doc)
        text = document.text or ""
        places = _Places(document, self.tally)
        names = [_labelled(span) for span in doc.ents]
        mentions: list[Labelled] = []
        for task, label, (place,) in kept_in(user_data, text, MENTIONS):
            (names if task == NAMES_TASK else mentions).append((label, place))
        mentions += self._of_groups(doc, {*names, *mentions})
        document.names = places.mentions(names, "names")
        document.mentions = places.mentions(mentions, "mentions")
        for _, label, arguments in kept_in(user_data, text, RELATIONS):
            if len(arguments) == len(("arg1", "arg2")):
                document.relations.append(Relation(label, *places.spans(arguments, "arguments")))
        clusters = [found for _, _, found in kept_in(user_data, text, CLUSTERS)]
        clusters += [
            [_labelled(span)[1] for span in group]
            for key, group in doc.spans.items()
            if key.startswith(self.options.clusters)
        ]
        found = [places.spans(cluster, "cluster members") for cluster in clusters]
        document.clusters = [spans for spans in found if spans]
        self.tally.dropped("labels of documents", NO_PLACE, len(doc.cats))
        return document

    def _of_groups(self, doc: Doc, known: set[Labelled]) -> list[Labelled]:
        """The mentions in groups of spans that are not known from elsewhere."""
        asked_for = self.options.spans
        sentences = {(begin, end) for begin, end in _sentences(doc)}
        found: list[Labelled] = []
        for key, group in doc.spans.items():
            spans = [_labelled(span) for span in group]
            if key.startswith(self.options.clusters) or not spans:
                continue
            if asked_for and key not in asked_for:
                self.tally.dropped("spans", NOT_ASKED_FOR, len(spans))
            elif known.issuperset(spans):
                self.tally.dropped("spans", AGAIN, len(spans))
            elif not asked_for and sentences.issuperset(place for _, place in spans):
                self.tally.dropped("spans", OF_SENTENCES, len(spans))
            else:
                found += spans
        return found


def _plain(user_data: Any) -> Mapping[Any, Any]:
    """`user_data` as plain values: no object is made of it."""
    if not user_data:
        return {}
    from srsly import msgpack

    # A hook for pairs of its own keeps srsly's decoders out.
    content = msgpack.loads(user_data, raw=False, use_list=False, object_pairs_hook=dict)
    return content if isinstance(content, dict) else {}


def _sentences(doc: Doc) -> Iterator[CharacterSlice]:
    if doc.has_annotation("SENT_START"):
        for sentence in doc.sents:
            yield sentence.start_char, sentence.end_char


def _labelled(span: Span) -> Labelled:
    return span.label_, (span.start_char, span.end_char)


class _Places:
    """Places in a document as spans of its words."""

    def __init__(self, document: Document, tally: Tally) -> None:
        self._index = WordIndex(document.text or "", document.sentences)
        self._tally = tally

    def spans(self, places: Iterable[CharacterSlice], kind: str) -> list[tuple[int, int]]:
        """Those that cover a word; the others are counted."""
        spans = [self._index.span(place) for place in places]
        found = [span for span in spans if span]
        self._tally.dropped(kind, COVERS_NO_WORD, len(spans) - len(found))
        return found

    def mentions(self, labelled: Iterable[Labelled], kind: str) -> list[Mention]:
        """The same as mentions, each once."""
        unique = dict.fromkeys(labelled)
        return [
            Mention(*span, label) for label, place in unique for span in self.spans([place], kind)
        ]
