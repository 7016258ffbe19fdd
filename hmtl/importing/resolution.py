"""
The rules for what column files cannot hold. Each is applied in this order, and counted with its reason.

0. A discontinuous span is left out (mentions, names, cluster members), and so is a relation one of whose
   arguments is one. If it is to be widened, it reaches from its first word to its last instead.
1. A span that crosses the end of a sentence is left out (mentions, names, cluster members), and so is a
   relation one of whose arguments does, or whose arguments stand in two sentences.
2. Of mentions that cross the longest stays; of equally long ones the one that begins first. One that is
   there twice (same type and tokens) is written once. Where there is no place for mentions that lie in
   others (tags), of those that share tokens the longest stays; of equally long ones the one that begins
   first; of those over the same tokens the first in the source. Names are treated likewise, apart from
   mentions. Each column keeps what it can express: a relation keeps an argument, and a cluster a span,
   whose mention was left out for its overlap only.
3. A relation that is there twice (same type and arguments) is written once; one whose arguments cross each
   other is left out. Arguments are told by their words alone, whatever mentions of several types stand there.
4. A span that stands in two clusters stays in the first. Of spans of one cluster that cross, the longest
   stays. A cluster of fewer than two spans then is left out, unless `singletons` are asked for: OntoNotes
   annotates none, and nothing can be learned from one alone.
5. Blanks, control and invisible characters are taken out of words, as columns are parted by blanks; a
   word that is empty then becomes `_`. In labels `(`, `)`, `*` and blanks become `-`; in the name of a
   document blanks, and a `#` at its beginning, become `_`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from hmtl.formats.annotated import Document, Mention, Relation, Sentence
from hmtl.formats.brackets import Span
from hmtl.importing.tally import Tally

EMPTY_WORD = "_"
DISCONTINUOUS = "is discontinuous"
OF_DISCONTINUOUS = "one of its arguments is discontinuous"
WIDENED = "widened over the gaps of a discontinuous one"
CROSSES_SENTENCES = "crosses the end of a sentence"
TWO_SENTENCES = "its arguments stand in two sentences"
OVERLAPS = "shares tokens with another, which is longer or came first"
TWICE = "is there twice"
BY_PLACE = "told by its words alone, over which another is, whose type comes first"
ARGUMENTS_CROSS = "its arguments cross each other"
SECOND_CLUSTER = "stands in another cluster already"
CROSSES = "crosses another, which is longer or came first"
CROSSES_IN_CLUSTER = "crosses a longer one of its cluster"
SINGLETON = "is the only one of its cluster"
TOO_FEW = "has fewer than two members"

T = TypeVar("T")
LabelledT = TypeVar("LabelledT", Mention, Relation)
_NOT_IN_LABELS = re.compile(r"[()*\s]+")
# Unicode's general categories of separators, control and format characters; of the latter, the two that
# join and part letters in Persian or Hindi belong to a word's spelling.
_INVISIBLE = {"Zs", "Zl", "Zp", "Cc", "Cf"}
_JOINERS = "\u200c\u200d"


def for_columns(
    document: Document,
    tally: Tally,
    singletons: bool = False,
    widen: bool = False,
    flat: bool = False,
) -> Document:
    """
    What like_conll and CoNLL-2012 columns can hold of a document, by the rules above.

    # Parameters

    document : `Document`
        Stays as it is.
    tally : `Tally`
        Counts what is left out or changed, as `mentions`, `names`, `relations`, `clusters`,
        `cluster members`, `words`, `labels`.
    singletons : `bool`, optional (default = `False`)
        Whether clusters of one span are kept.
    widen : `bool`, optional (default = `False`)
        Whether discontinuous spans are widened over their gaps.
    flat : `bool`, optional (default = `False`)
        Whether mentions that lie in others are left out, as tags have no place for them.
    """
    resolve = without_overlaps if flat else without_crossings
    document = within_sentences(in_one_piece(document, tally, widen), tally)
    document = with_plain_labels(document, tally)
    return replace(
        document,
        name=_plain_name(document.name),
        sentences=[_printable_words(sentence, tally) for sentence in document.sentences],
        mentions=resolve(document.mentions, tally, "mentions"),
        names=resolve(document.names, tally, "names"),
        relations=_expressible_relations(document.relations, tally),
        clusters=_expressible_clusters(document.clusters, tally, singletons),
    )


def in_one_piece(document: Document, tally: Tally, widen: bool) -> Document:
    """The document without discontinuous spans, which are left out or, with `widen`, widened (rule 0)."""
    pieces = document.pieces
    if not pieces:
        return document
    if widen:
        for kind, mentions in (("mentions", document.mentions), ("names", document.names)):
            tally.changed(kind, WIDENED, sum(mention.span in pieces for mention in mentions))
        members = sum(span in pieces for cluster in document.clusters for span in cluster)
        tally.changed("cluster members", WIDENED, members)
        return replace(document, pieces={})

    def kept(mentions: Iterable[Mention], kind: str) -> list[Mention]:
        return _without(mentions, lambda m: m.span in pieces, tally, kind, DISCONTINUOUS)

    return replace(
        document,
        mentions=kept(document.mentions, "mentions"),
        names=kept(document.names, "names"),
        relations=_without(
            document.relations,
            lambda relation: relation.arg1 in pieces or relation.arg2 in pieces,
            tally,
            "relations",
            OF_DISCONTINUOUS,
        ),
        clusters=[
            _without(cluster, pieces.__contains__, tally, "cluster members", DISCONTINUOUS)
            for cluster in document.clusters
        ],
        pieces={},
    )


def within_sentences(document: Document, tally: Tally, relations: bool = True) -> Document:
    """
    The document without what crosses the end of a sentence (rule 1); without `relations`, these may have
    their arguments in two. Relations whose arguments columns cannot tell from others over the same words are
    counted (rule 3).
    """
    sentences = document.sentence_of_words()
    by_place = sum(relation.arg_types is not None for relation in document.relations)
    tally.changed("relations", BY_PLACE, by_place)

    def crosses(span: Span) -> bool:
        return sentences[span[0]] != sentences[span[1]]

    def kept(mentions: Iterable[Mention], kind: str) -> list[Mention]:
        return _without(mentions, lambda m: crosses(m.span), tally, kind, CROSSES_SENTENCES)

    in_place = _without(
        document.relations,
        lambda relation: crosses(relation.arg1) or crosses(relation.arg2),
        tally,
        "relations",
        CROSSES_SENTENCES,
    )
    return replace(
        document,
        mentions=kept(document.mentions, "mentions"),
        names=kept(document.names, "names"),
        relations=_without(
            in_place,
            lambda relation: (
                relations and sentences[relation.arg1[0]] != sentences[relation.arg2[0]]
            ),
            tally,
            "relations",
            TWO_SENTENCES,
        ),
        clusters=[
            _without(cluster, crosses, tally, "cluster members", CROSSES_SENTENCES)
            for cluster in document.clusters
        ],
    )


def without_crossings(mentions: Sequence[Mention], tally: Tally, kind: str) -> list[Mention]:
    """Mentions that nest or share no token, ordered by start, outer ones first (rule 2)."""
    unique = list(dict.fromkeys(mentions))
    tally.left_out(kind, TWICE, len(mentions) - len(unique))
    kept: list[Mention] = []
    over: defaultdict[int, list[Mention]] = defaultdict(list)
    for mention in sorted(unique, key=lambda m: (m.start - m.end, m.start)):
        # What crosses it lies over one of its ends.
        others = [*over[mention.start], *over[mention.end]]
        if not any(_cross(mention.span, other.span) for other in others):
            kept.append(mention)
            for token in range(mention.start, mention.end + 1):
                over[token].append(mention)
    tally.left_out(kind, CROSSES, len(unique) - len(kept))
    return sorted(kept, key=lambda m: (m.start, -m.end))


def without_overlaps(mentions: Sequence[Mention], tally: Tally, kind: str) -> list[Mention]:
    """Mentions that share no token, ordered by start (rule 2)."""
    kept: list[Mention] = []
    taken: set[int] = set()
    for mention in sorted(mentions, key=lambda m: (m.start - m.end, m.start)):
        tokens = range(mention.start, mention.end + 1)
        if taken.isdisjoint(tokens):
            taken.update(tokens)
            kept.append(mention)
    tally.left_out(kind, OVERLAPS, len(mentions) - len(kept))
    return sorted(kept, key=lambda m: (m.start, m.end, m.type))


def _expressible_relations(relations: Sequence[Relation], tally: Tally) -> list[Relation]:
    unique = list(dict.fromkeys(relations))
    tally.left_out("relations", TWICE, len(relations) - len(unique))
    return _without(
        unique,
        lambda relation: _cross(relation.arg1, relation.arg2),
        tally,
        "relations",
        ARGUMENTS_CROSS,
    )


def _expressible_clusters(
    clusters: Iterable[Sequence[Span]], tally: Tally, singletons: bool
) -> list[list[Span]]:
    seen: set[Span] = set()
    result: list[list[Span]] = []
    for cluster in clusters:
        apart = _without(cluster, seen.__contains__, tally, "cluster members", SECOND_CLUSTER)
        seen.update(apart)
        unique = list(dict.fromkeys(apart))
        tally.left_out("cluster members", TWICE, len(apart) - len(unique))
        nested: list[Span] = []
        for span in sorted(unique, key=lambda span: (span[0] - span[1], span[0])):
            if any(_cross(span, other) for other in nested):
                tally.left_out("cluster members", CROSSES_IN_CLUSTER)
            else:
                nested.append(span)
        if len(nested) > 1 or (nested and singletons):
            result.append(sorted(nested))
        else:
            tally.left_out("cluster members", SINGLETON, len(nested))
            tally.left_out("clusters", TOO_FEW)
    return result


def _cross(first: Span, second: Span) -> bool:
    (start, end), (other_start, other_end) = sorted((first, second))
    return start < other_start <= end < other_end


def _without(
    items: Iterable[T], is_left_out: Callable[[T], bool], tally: Tally, kind: str, reason: str
) -> list[T]:
    items = list(items)
    kept = [item for item in items if not is_left_out(item)]
    tally.left_out(kind, reason, len(items) - len(kept))
    return kept


def _printable_words(sentence: Sentence, tally: Tally) -> Sentence:
    joined = "".join(sentence.words)
    if joined.isprintable() and " " not in joined and "" not in sentence.words:
        return sentence
    words = [printable(word) for word in sentence.words]
    changed = sum(word != before for word, before in zip(words, sentence.words))
    tally.changed("words", "blanks or invisible characters taken out", changed)
    return replace(sentence, words=words)


def printable(word: str) -> str:
    """A word without blanks, control and invisible characters; `_` if nothing is left."""
    if word and word.isprintable() and " " not in word:
        return word
    rest = "".join(filter(_is_kept, word))
    return rest if rest.strip(_JOINERS) else EMPTY_WORD


def _is_kept(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character) not in _INVISIBLE


def _plain_name(name: str) -> str:
    """Rows of CoNLL-2012 begin with it, and lines that begin with `#` are no rows."""
    return re.sub(r"\s+|^#", "_", name.strip()) or EMPTY_WORD


def with_plain_labels(document: Document, tally: Tally) -> Document:
    """The document with labels that can stand in a column (rule 5)."""

    def plain(labelled: Sequence[LabelledT]) -> list[LabelledT]:
        instead = {label: _NOT_IN_LABELS.sub("-", label) for label in {x.type for x in labelled}}
        changed = [
            x if instead[x.type] == x.type else replace(x, type=instead[x.type]) for x in labelled
        ]
        num_changed = sum(instead[x.type] != x.type for x in labelled)
        tally.changed("labels", "blanks, brackets or asterisks became '-'", num_changed)
        return changed

    def with_plain_types(relation: Relation) -> Relation:
        if relation.arg_types is None:
            return relation
        first, second = (_NOT_IN_LABELS.sub("-", each) for each in relation.arg_types)
        return replace(relation, arg_types=(first, second))

    return replace(
        document,
        mentions=plain(document.mentions),
        names=plain(document.names),
        relations=list(map(with_plain_types, plain(document.relations))),
    )
