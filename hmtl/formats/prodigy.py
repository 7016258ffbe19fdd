"""
Documents as Prodigy's JSON lines: tasks with tokens, spans and relations, for `ner.manual`, `rel.manual` and
`coref.manual`.

What corefers is linked by relations of the type `COREF`, as `coref.manual` has it, each span with the next.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from hmtl.formats.annotated import Document
from hmtl.formats.standoff import COREFERENCE, Standoff, score_field, to_standoff

COREF_LABEL = "COREF"
# Where the name of a document stands.
META, NAME = "meta", "id"


def json_line(document: Document) -> str:
    """
    The line for one document, without its end.

    # Parameters

    document : `Document`
        With text and offsets, as `with_text` returns it, and in one piece each.
    """
    standoff = to_standoff(document)
    offsets = document.offsets() or []
    begins = {begin: number for number, (begin, _) in enumerate(offsets)}
    ends = {end: number for number, (_, end) in enumerate(offsets)}
    spans = {}
    for name, entity in standoff.entities.items():
        begin, end = entity.extent
        spans[name] = {
            "start": begin,
            "end": end,
            "token_start": begins[begin],
            "token_end": ends[end],
            "label": entity.type,
            **score_field(entity),
        }
    followed = [after[0] > before[1] for before, after in pairwise(offsets)]
    tokens = [
        {"text": word, "start": begin, "end": end, "id": number, "ws": blank}
        for number, (word, (begin, end), blank) in enumerate(
            zip(document.words, offsets, [*followed, False])
        )
    ]
    content = {
        "text": standoff.text,
        META: {NAME: document.name},
        "tokens": tokens,
        "spans": list(spans.values()),
        "relations": _relations(standoff, spans),
    }
    return json.dumps(content, ensure_ascii=False)


def _relations(standoff: Standoff, spans: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """A relation stands between the last tokens of spans, and says which these are."""
    relations = []
    for link in [*standoff.relations, *standoff.chained()]:
        head, child = spans[link.arg1], spans[link.arg2]
        relations.append(
            {
                "head": head["token_end"],
                "child": child["token_end"],
                "head_span": head,
                "child_span": child,
                "label": COREF_LABEL if link.type == COREFERENCE else link.type,
                **score_field(link),
            }
        )
    return relations
