"""
Documents as JSON lines with places of characters: the form that every script can write.

docs/char_jsonl.schema.json describes it. All that a document holds has a place in it.
"""

from __future__ import annotations

import json
from typing import Any

from hmtl.formats.annotated import Document
from hmtl.formats.standoff import score_field, to_standoff


def json_line(document: Document) -> str:
    """
    The line for one document, without its end.

    # Parameters

    document : `Document`
        With text and offsets, as `with_text` returns it.
    """
    standoff = to_standoff(document)
    spans = []
    for name, entity in standoff.entities.items():
        begin, end = entity.extent
        span: dict[str, Any] = {"id": name, "start": begin, "end": end, "label": entity.type}
        if len(entity.pieces) > 1:
            span["pieces"] = entity.pieces
        spans.append({**span, **score_field(entity)})
    content = {
        "id": document.name,
        "text": standoff.text,
        "sentences": [sentence.offsets for sentence in document.sentences],
        "spans": spans,
        "relations": [
            {
                "head": relation.arg1,
                "tail": relation.arg2,
                "label": relation.type,
                **score_field(relation),
            }
            for relation in standoff.relations
        ],
        "clusters": standoff.clusters,
    }
    return json.dumps(content, ensure_ascii=False)
