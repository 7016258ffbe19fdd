"""A sentence of OntoNotes as it is annotated: a tree, and on its leaves names and coreference."""

from __future__ import annotations

from dataclasses import dataclass, field

from hmtl.formats.annotated import Mention
from hmtl.formats.brackets import Span
from hmtl.importing.penn_trees import Tree


@dataclass(frozen=True, slots=True)
class Link:
    """
    A mention in a coreference chain.

    # Parameters

    chain : `str`
        Tells chains of a part apart.
    type : `str`
        `IDENT`, or `APPOS` for the parts of an apposition.
    span : `Span`
        Leaves of the sentence's tree, both inclusive.
    """

    chain: str
    type: str
    span: Span


@dataclass(slots=True)
class AnnotatedSentence:
    """
    # Parameters

    tree : `Tree`
    part : `int`
        Chains do not reach from one part of a document into another.
    names : `list[Mention]`
        Spans of the tree's leaves.
    links : `list[Link]`
    """

    tree: Tree
    part: int = 0
    names: list[Mention] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
