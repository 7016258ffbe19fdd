"""Documents as JSON lines of SciERC (Luan et al. 2018) and DyGIE++ (Wadden et al. 2019)."""

from __future__ import annotations

import json
from typing import Any

from hmtl.formats.annotated import Document


def json_line(document: Document) -> str:
    """
    The line for one document, without its end.

    Tokens are counted over the document, both ends inclusive. `ner` holds the mentions, or the names if
    there are no mentions; with `relations` it has a list for each sentence. What crosses the end of a
    sentence has no place there (`hmtl.importing.resolution.within_sentences` takes it out).
    """
    return json.dumps(to_json(document), ensure_ascii=False)


def to_json(document: Document) -> dict[str, Any]:
    """The same as plain values."""
    entities = document.mentions or document.names
    ner: list[list[Any]] = [[] for _ in document.sentences]
    relations: list[list[Any]] = [[] for _ in document.sentences]
    sentence_of = document.sentence_of_words()
    for entity in entities:
        ner[sentence_of[entity.start]].append([entity.start, entity.end, entity.type])
    for relation in document.relations:
        sentence = sentence_of[relation.arg1[0]]
        relations[sentence].append([*relation.arg1, *relation.arg2, relation.type])
    return {
        "doc_key": document.name,
        "sentences": [sentence.words for sentence in document.sentences],
        "ner": ner,
        "relations": relations,
        "clusters": document.clusters,
    }
