"""Documents as brat standoff: a `.txt` file and an `.ann` file, as `hmtl.importing.brat` reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hmtl.formats.annotated import Document
from hmtl.formats.standoff import to_standoff

EQUIVALENCE = "Equiv"
NOTE = "AnnotatorNotes"


def annotation_lines(document: Document) -> Iterator[str]:
    """
    The lines of the `.ann` file, without their ends. Scores of entities and relations are notes.

    # Parameters

    document : `Document`
        With text and offsets, as `with_text` returns it. Types hold no blanks. Clusters of one span have no
        place in it.
    """
    linked = [cluster for cluster in document.clusters if len(cluster) > 1]
    standoff = to_standoff(replace(document, clusters=linked))
    for name, entity in standoff.entities.items():
        places = ";".join(f"{begin} {end}" for begin, end in entity.pieces)
        # A line end would end the line here, and brat writes a blank for it too.
        quoted = " ".join(
            word for begin, end in entity.pieces for word in standoff.text[begin:end].split()
        )
        yield f"{name}\t{entity.type} {places}\t{quoted}"
    for number, relation in enumerate(standoff.relations, start=1):
        yield f"R{number}\t{relation.type} Arg1:{relation.arg1} Arg2:{relation.arg2}"
    for cluster in standoff.clusters:
        yield f"*\t{EQUIVALENCE} {' '.join(cluster)}"
    scores = {name: entity.score for name, entity in standoff.entities.items()}
    scores.update((f"R{number}", each.score) for number, each in enumerate(standoff.relations, 1))
    told = ((name, score) for name, score in scores.items() if score is not None)
    for number, (name, score) in enumerate(told, start=1):
        yield f"#{number}\t{NOTE} {name}\tscore {score:.4f}"
