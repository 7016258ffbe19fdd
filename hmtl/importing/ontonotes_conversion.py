"""Documents from the annotated sentences of OntoNotes, as the CoNLL-2012 shared task made them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from hmtl.formats.annotated import Document, Mention, Sentence, TreebankColumns
from hmtl.formats.brackets import Span
from hmtl.importing.ontonotes_sentences import AnnotatedSentence
from hmtl.importing.penn_trees import Tree
from hmtl.importing.tally import Tally

_IDENTITY = "IDENT"
NO_WORDS = "holds no word but traces and disfluencies"
OTHER_CHAIN = "of a chain of type {}"
DISFLUENCY = "a disfluency (EDITED)"
EMPTY_SENTENCE = "of traces and disfluencies alone"


def documents(
    name: str, sentences: Iterable[AnnotatedSentence], tally: Tally
) -> Iterator[Document]:
    """
    The parts of a document, without traces and disfluencies; names and mentions shrink with them. Of the
    chains only those of identity (`IDENT`) are kept.

    # Parameters

    name : `str`
    sentences : `Iterable[AnnotatedSentence]`
    tally : `Tally`
        Counts what does not get into a document.
    """
    for part, of_part in groupby(sentences, key=lambda sentence: sentence.part):
        builder = _PartBuilder(Document(name, [], part=part), tally)
        for sentence in of_part:
            builder.add(sentence)
        if builder.document.sentences:
            yield builder.finish()


class _PartBuilder:
    def __init__(self, document: Document, tally: Tally) -> None:
        self.document = document
        self._tally = tally
        self._chains: dict[str, list[Span]] = {}
        self._first = 0

    def add(self, annotated: AnnotatedSentence) -> None:
        tree = annotated.tree
        spoken = tree.spoken()
        num_traces = sum(leaf.is_trace for leaf in tree.leaves)
        self._tally.dropped("words", DISFLUENCY, len(tree.leaves) - num_traces - len(spoken))
        # The word of each leaf that is kept.
        number = {leaf: self._first + index for index, leaf in enumerate(spoken)}
        for name in annotated.names:
            if span := _shrunk(name.span, number):
                self.document.names.append(Mention(*span, name.type))
            else:
                self._tally.dropped("names", NO_WORDS)
        for link in annotated.links:
            span = _shrunk(link.span, number)
            if link.type != _IDENTITY:
                self._tally.dropped("cluster members", OTHER_CHAIN.format(link.type))
            elif span is None:
                self._tally.dropped("cluster members", NO_WORDS)
            else:
                self._chains.setdefault(link.chain, []).append(span)
        if spoken:
            self.document.sentences.append(_sentence(tree, spoken))
            self._first += len(spoken)
        else:
            self._tally.dropped("sentences", EMPTY_SENTENCE)

    def finish(self) -> Document:
        self.document.clusters = list(self._chains.values())
        return self.document


def _shrunk(span: Span, number: dict[int, int]) -> Span | None:
    """The words of a span of leaves; `None` if none is left."""
    words = [number[leaf] for leaf in range(span[0], span[1] + 1) if leaf in number]
    return (words[0], words[-1]) if words else None


def _sentence(tree: Tree, spoken: list[int]) -> Sentence:
    columns = replace(
        TreebankColumns.absent(len(spoken)),
        pos_tags=[tree.leaves[leaf].tag for leaf in spoken],
        parse=tree.parse_cells(set(spoken)),
    )
    return Sentence([tree.leaves[leaf].word for leaf in spoken], treebank=columns)
