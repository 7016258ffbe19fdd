"""
CoNLL-U with mentions in Entity= (GUM, CorefUD): one .conllu file, or a folder of them.

Entities become clusters, and mentions that have a type mentions too; with --names only the names among them
are kept. Words are those of the syntax (do and n't, not don't); empty nodes are left out, and mentions that
cover nothing else. Parts of speech (XPOS, or else UPOS), lemmas and speakers are kept in CoNLL-2012. A
mention in pieces keeps them in layouts that have a place for it; elsewhere --discontinuous says what becomes
of it. Syntax is not converted: tasks of it read the .conllu files themselves. Bridging and split antecedents
are not read.
"""

from __future__ import annotations

import argparse
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from pathlib import Path

from hmtl.formats.annotated import NO_LAYER, Document, Mention, Sentence, TreebankColumns
from hmtl.formats.brackets import Span
from hmtl.formats.conllu import (
    DEPREL,
    FORM,
    HEAD,
    LEMMA,
    NOTHING,
    NUMBER,
    SUFFIX,
    UPOS,
    XPOS,
    ConlluDocument,
    ConlluSentence,
    read_documents,
)
from hmtl.importing import corpus_writer
from hmtl.importing.conllu_entities import EntityMention, read_entities
from hmtl.importing.corpus_writer import WIDEN
from hmtl.importing.naming import UniqueNames
from hmtl.importing.proper_names import NameFinder
from hmtl.importing.resolution import CROSSES_SENTENCES, DISCONTINUOUS, WIDENED, printable
from hmtl.importing.sources import files_in, name_of
from hmtl.importing.standoff import gaps_of, without_false_gaps
from hmtl.importing.tally import Tally
from hmtl.importing.tokenization import COVERS_NO_WORD

SPEAKER = "speaker"
# The head of a word that has none.
ROOT = "0"
NO_TYPE = "has no type"
NO_NAME = "its head is no proper noun"
OTHER_TYPE = "its type is none of those of names"
# GUM's types whose mentions hold names, and what these are called.
NAME_TYPES = {
    "person": "PERSON",
    "organization": "ORG",
    **{name: name.upper() for name in ("place", "event", "time", "object", "abstract")},
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the format."""
    parser.add_argument(
        "--names",
        action="store_true",
        help="write names in place of mentions: of a mention whose head is a proper noun (XPOS NNP or NNPS; "
        "of a time also CD) the stretch around it that UD's relations tell, of the types "
        f"{', '.join(NAME_TYPES)}",
    )
    corpus_writer.add_arguments(parser, default_layout="like_conll")


def run(arguments: argparse.Namespace) -> Tally:
    """Converts a file or a folder."""
    tally = Tally()
    files = files_in(arguments.source, [SUFFIX])
    first, again = UniqueNames(Tally()), UniqueNames(tally)

    def names(file: Path, tally: Tally) -> Iterator[str]:
        return (name for name, _ in _Reader(arguments, tally).named(file, first))

    def documents(file: Path, tally: Tally) -> Iterator[Document]:
        return _Reader(arguments, tally).documents(file, again)

    return corpus_writer.convert_files(arguments, files, names, documents, tally)


@dataclass(frozen=True)
class _Reader:
    options: argparse.Namespace
    tally: Tally

    def named(self, path: Path, names: UniqueNames) -> Iterator[tuple[str, ConlluDocument]]:
        """The documents of a file with their names: what `# newdoc id` says, or the file's and a number."""
        file = name_of(path.with_suffix(""), self.options.source)
        for number, document in enumerate(read_documents(path, self.tally.faults.add), start=1):
            yield names.of(document.name or f"{file}-{number:05d}"), document

    def documents(self, path: Path, names: UniqueNames) -> Iterator[Document]:
        for name, document in self.named(path, names):
            with self.tally.faults:
                yield self._document(name, document)

    def _document(self, name: str, source: ConlluDocument) -> Document:
        found = read_entities(source)
        mentions = [mention for mention in found if mention.pieces]
        self.tally.dropped("cluster members", COVERS_NO_WORD, len(found) - len(mentions))
        gaps = gaps_of((without_false_gaps(mention.pieces) for mention in mentions), self.tally)
        whole = one_piece(mentions, True, Tally())
        document = Document(
            name,
            [sentence_of(sentence) for sentence in source.sentences],
            clusters=clusters_of(whole),
            heads={m.pieces[0]: m.head for m in whole if m.head},
            pieces=gaps,
        )
        if self.options.names:
            apart = one_piece(mentions, self.options.discontinuous == WIDEN, Tally())
            document.names = names_of(source, apart, self.tally)
        else:
            document.mentions = [Mention(*m.pieces[0], m.type) for m in whole if m.type]
            self.tally.dropped("mentions", NO_TYPE, len(whole) - len(document.mentions))
        return document


def one_piece(mentions: Iterable[EntityMention], widen: bool, tally: Tally) -> list[EntityMention]:
    """
    Mentions that are one stretch of words, or become one; the others are counted.

    # Parameters

    mentions : `Iterable[EntityMention]`
    widen : `bool`
        Whether a mention in pieces is widened over its gaps.
    tally : `Tally`
    """
    whole = []
    for mention in mentions:
        pieces = sorted(mention.pieces)
        has_gap = any(end + 1 < start for (_, end), (start, _) in pairwise(pieces))
        if not pieces:
            tally.dropped("cluster members", COVERS_NO_WORD)
        elif has_gap and not widen:
            tally.dropped("cluster members", DISCONTINUOUS)
        else:
            tally.changed("cluster members", WIDENED, has_gap)
            extent = pieces[0][0], max(end for _, end in pieces)
            whole.append(replace(mention, pieces=[extent]))
    return whole


def clusters_of(mentions: Iterable[EntityMention]) -> list[list[Span]]:
    """The spans of each entity, of mentions in one piece."""
    spans: dict[str, list[Span]] = {}
    for mention in mentions:
        spans.setdefault(mention.entity, []).append(mention.pieces[0])
    return list(spans.values())


def names_of(
    document: ConlluDocument, mentions: Iterable[EntityMention], tally: Tally
) -> list[Mention]:
    """
    The names in the mentions of a document.

    # Parameters

    document : `ConlluDocument`
    mentions : `Iterable[EntityMention]`
        In one piece.
    tally : `Tally`
        Counts the mentions that hold none.

    # Raises

    `DataError`
        With file and line, for a governor that is no word of its sentence.
    """
    finders = [NameFinder(sentence) for sentence in document.sentences]
    firsts = list(accumulate((len(s.words) for s in document.sentences), initial=0))
    names = []
    for mention in mentions:
        (start, end) = mention.pieces[0]
        index = bisect_right(firsts, start) - 1
        first = firsts[index]
        if mention.type not in NAME_TYPES:
            tally.dropped("names", OTHER_TYPE)
        elif end >= firsts[index + 1]:
            tally.dropped("names", CROSSES_SENTENCES)
        elif name := finders[index].name((start - first, end - first), mention.type):
            label = NAME_TYPES[mention.type]
            names.append(Mention(first + name[0], first + name[1], label))
        else:
            tally.dropped("names", NO_NAME)
    return names


def sentence_of(source: ConlluSentence) -> Sentence:
    """The words of a sentence, with what the columns of CoNLL-2012 hold of them."""
    words = source.column(FORM)
    tags = source.column(XPOS)
    if set(tags) == {NOTHING}:
        tags = source.column(UPOS)
    speaker = printable(source.comments.get(SPEAKER) or NO_LAYER)
    columns = replace(
        TreebankColumns.absent(len(words)),
        pos_tags=_cells(tags),
        lemmas=_cells(source.column(LEMMA)),
        speakers=[speaker] * len(words),
    )
    return Sentence(words, treebank=columns, line=source.rows.line, tree=_tree_of(source))


def _tree_of(source: ConlluSentence) -> list[tuple[int | None, str]] | None:
    """The heads as they stand there; `None` where not every word has one, or none but the root."""
    heads = source.column(HEAD)
    if not all(NUMBER.fullmatch(head) for head in heads) or (
        len(heads) > 1 and set(heads) == {ROOT}
    ):
        return None
    return [
        (None if head == ROOT else int(head) - 1, relation)
        for head, relation in zip(heads, source.column(DEPREL))
    ]


def _cells(values: Sequence[str]) -> list[str]:
    """What can stand in a column: a lemma may hold blanks here."""
    return [printable(value) for value in values]
