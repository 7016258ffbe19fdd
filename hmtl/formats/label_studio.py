"""
Documents as tasks of Label Studio (labelstud.io), as annotations or as pre-annotations ("predictions").

Entities are regions of a control `label` over a text `text`. What corefers is linked by relations of the type
`Coref`, each region with the next one.
"""

from __future__ import annotations

import json
from typing import Any

from hmtl.formats.annotated import Document
from hmtl.formats.standoff import score_field, to_standoff

# The key of the text, and of the document's name, in a task's data; names of the controls in the labelling
# configuration.
TEXT, NAME = "text", "id"
CONTROL, OBJECT = "label", "text"
MODEL_VERSION = "hmtl"
# A file of tasks is one array.
BEGIN, BETWEEN, END = "[\n", ",\n", "\n]\n"


def annotated_task(document: Document) -> str:
    """
    The task for one document with its annotations as an annotator's.

    # Parameters

    document : `Document`
        With text and offsets, as `with_text` returns it, and in one piece each.
    """
    return _task(document, {"annotations": [{"result": _result(document)}]})


def predicted_task(document: Document) -> str:
    """The same as a model's, which an annotator corrects."""
    predictions = [{"model_version": MODEL_VERSION, "result": _result(document)}]
    return _task(document, {"predictions": predictions})


def _task(document: Document, annotations: dict[str, Any]) -> str:
    data = {TEXT: document.text, NAME: document.name}
    return json.dumps({"data": data, **annotations}, ensure_ascii=False)


def _result(document: Document) -> list[dict[str, Any]]:
    standoff = to_standoff(document)
    result: list[dict[str, Any]] = []
    for name, entity in standoff.entities.items():
        begin, end = entity.extent
        value = {
            "start": begin,
            "end": end,
            "text": standoff.text[begin:end],
            "labels": [entity.type],
        }
        region = {"id": name, "from_name": CONTROL, "to_name": OBJECT, "type": "labels"}
        result.append({**region, "value": value, **score_field(entity)})
    for link in [*standoff.relations, *standoff.chained()]:
        ends = {"from_id": link.arg1, "to_id": link.arg2}
        relation = {"type": "relation", **ends, "direction": "right", "labels": [link.type]}
        result.append({**relation, **score_field(link)})
    return result
