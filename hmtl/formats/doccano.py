"""
Documents as doccano's JSON lines: its form of relations, and that of sequence labelling alone.

What corefers is linked by relations of the type `Coref`, each entity with the next one.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hmtl.formats.annotated import Document
from hmtl.formats.standoff import Standoff, to_standoff

# Where the name of a document stands: `id` is doccano's own.
NAME = "document"


def relation_line(document: Document) -> str:
    """
    The line for one document with entities and relations, without its end.

    # Parameters

    document : `Document`
        With text and offsets, as `with_text` returns it, and in one piece each.
    """
    standoff = to_standoff(document)
    number_of = {name: number for number, name in enumerate(standoff.entities)}
    entities = [
        {"id": number, "label": label, "start_offset": begin, "end_offset": end}
        for number, (begin, end, label) in enumerate(_triples(standoff))
    ]
    relations = [
        {
            "id": number,
            "from_id": number_of[link.arg1],
            "to_id": number_of[link.arg2],
            "type": link.type,
        }
        for number, link in enumerate([*standoff.relations, *standoff.chained()])
    ]
    return _line(document, standoff, {"entities": entities, "relations": relations})


def label_line(document: Document) -> str:
    """The same with entities alone, as a project of sequence labelling has them."""
    standoff = to_standoff(replace(document, relations=[], clusters=[]))
    return _line(document, standoff, {"label": _triples(standoff)})


def _triples(standoff: Standoff) -> list[tuple[int, int, str]]:
    return [(*entity.extent, entity.type) for entity in standoff.entities.values()]


def _line(document: Document, standoff: Standoff, annotations: dict[str, Any]) -> str:
    content = {"text": standoff.text, NAME: document.name, **annotations}
    return json.dumps(content, ensure_ascii=False)
