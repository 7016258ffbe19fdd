"""Annotated documents for property tests: whatever a corpus may hold."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from hmtl.formats.annotated import Document, Mention, Relation, Sentence

TYPES = st.sampled_from(["PER", "ORG-AFF", "part_of", "Location"])
# Letters, marks that column files give a meaning, and what lies outside the Basic Multilingual Plane.
WORDS = st.text("aB7é(*)|-_#:/.\U0001f600", min_size=1, max_size=5)


@st.composite
def spans(draw: st.DrawFn, length: int) -> tuple[int, int]:
    first = draw(st.integers(0, length - 1))
    return first, draw(st.integers(first, min(length - 1, first + 4)))


@st.composite
def documents(draw: st.DrawFn, with_names: bool = False) -> Document:
    """Mentions, arguments and clusters over any spans: nested, crossing, in pieces, over sentence ends."""
    words = draw(st.lists(st.lists(WORDS, min_size=1, max_size=6), min_size=1, max_size=4))
    length = sum(map(len, words))
    span = spans(length)
    mention = st.builds(lambda place, label: Mention(place[0], place[1], label), span, TYPES)
    entities = draw(st.lists(mention, max_size=6))
    document = Document(
        draw(st.from_regex(r"[a-z]{1,4}(/[a-z0-9][a-z0-9.-]{0,5}[a-z0-9])?", fullmatch=True)),
        [Sentence(sentence) for sentence in words],
        mentions=entities,
        relations=draw(st.lists(st.builds(Relation, TYPES, span, span), max_size=4)),
        clusters=draw(st.lists(st.lists(span, min_size=1, max_size=4), max_size=3)),
    )
    used = {mention.span for mention in entities}.union(*document.clusters)
    in_pieces = [(first, last) for first, last in sorted(used) if last - first > 1]
    for first, last in draw(st.lists(st.sampled_from(in_pieces), max_size=2)) if in_pieces else ():
        gap = draw(st.integers(first + 1, last - 1))
        document.pieces[first, last] = ((first, gap - 1), (gap + 1, last))
    return replace(document, mentions=[], names=entities) if with_names else document


def sorted_document(document: Document) -> Document:
    """With all in the order of the text, so that two that say the same are equal."""
    return replace(
        document,
        sentences=[Sentence(sentence.words) for sentence in document.sentences],
        mentions=sorted(document.mentions),
        names=sorted(document.names),
        relations=sorted(document.relations),
        clusters=sorted(sorted(cluster) for cluster in document.clusters),
        text=None,
    )
