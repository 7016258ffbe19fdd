"""
Documents as brat standoff: a `.txt` file and an `.ann` file, as `hmtl.importing.brat` reads them.

brat has one kind of entity: it stands for mentions or for names. Where a document has both, the types of
names begin with `NAME_PREFIX`. A span of a relation or cluster that no entity covers becomes an entity of
type `BARE_SPAN`, as brat relates entities only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hmtl.formats.annotated import Document, Mention
from hmtl.formats.brackets import Span

NAME_PREFIX = "Name-"
BARE_SPAN = "Span"
EQUIVALENCE = "Equiv"


def annotation_lines(document: Document) -> Iterator[str]:
    """
    The lines of the `.ann` file, without their ends.

    # Parameters

    document : `Document`
        With text and offsets, as `with_text` returns it. Types hold no blanks.
    """
    text, offsets = document.text, document.offsets()
    if text is None or offsets is None:
        raise ValueError(f"document {document.name!r} has no text; expected what with_text returns")
    entities = _entities(document)
    name_of: dict[Span, str] = {}
    for number, entity in enumerate(entities, start=1):
        begin, end = offsets[entity.start][0], offsets[entity.end][1]
        # A line end would end the line here, and brat writes a blank for it too.
        quoted = " ".join(text[begin:end].split())
        yield f"T{number}\t{entity.type} {begin} {end}\t{quoted}"
        name_of.setdefault(entity.span, f"T{number}")
    for number, relation in enumerate(document.relations, start=1):
        arg1, arg2 = name_of[relation.arg1], name_of[relation.arg2]
        yield f"R{number}\t{relation.type} Arg1:{arg1} Arg2:{arg2}"
    for cluster in document.clusters:
        if len(cluster) > 1:
            yield f"*\t{EQUIVALENCE} {' '.join(name_of[span] for span in cluster)}"


def _entities(document: Document) -> list[Mention]:
    names = document.names
    if document.mentions:
        names = [replace(name, type=NAME_PREFIX + name.type) for name in names]
    entities = [*document.mentions, *names]
    covered = {entity.span for entity in entities}
    used = [span for cluster in document.clusters if len(cluster) > 1 for span in cluster]
    used += [span for relation in document.relations for span in (relation.arg1, relation.arg2)]
    bare = {Mention(*span, BARE_SPAN) for span in used if span not in covered}
    return sorted([*entities, *bare], key=lambda entity: (entity.start, entity.end))
