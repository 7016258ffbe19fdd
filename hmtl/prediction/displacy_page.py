"""A page with what was found, as spaCy's displaCy draws it. It loads nothing from anywhere."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any

from hmtl.prediction.results import REFERENCE_NAMES, Prediction, Relation, Sentence

PAGE_BEGIN = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>HMTL</title>
<style>
body { font: 16px/1.6 sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
article { border-top: 1px solid #ccc; margin-top: 2rem; }
figure { margin: 1rem 0; overflow-x: auto; }
</style>
</head>
<body>
"""
PAGE_END = "</body>\n</html>\n"

# Labels take these in turn, readable under black text.
COLORS = (
    *("#aa9cfc", "#feca74", "#7aecec", "#ff9561", "#bfeeb7", "#f0d0ff", "#9cc9cc", "#ffeb80"),
    *("#c887fb", "#bfe1d9", "#ff8197", "#e4e7d2"),
)
# Pixels from word to word under arcs.
WORD_DISTANCE = 100


def figures(prediction: Prediction) -> str:
    """A figure for each task, under its name."""
    drawn = [
        (task, _names(prediction, task) if task == REFERENCE_NAMES else _spans(prediction, task))
        for task in prediction.mentions
    ]
    drawn += [
        (task, _arcs(prediction, relations)) for task, relations in prediction.relations.items()
    ]
    drawn += [(task, _clusters(prediction, task)) for task in prediction.clusters]
    drawn += [(task, _labels_of_tokens(prediction, task)) for task in prediction.token_labels]
    drawn += [(task, _labels_of_texts(prediction, task)) for task in prediction.text_labels]
    return "\n".join(
        f"<h3>{html.escape(task)}</h3>\n<figure>{figure}</figure>" for task, figure in drawn
    )


def _names(prediction: Prediction, task: str) -> str:
    ents = [
        {"start": each.begin_char, "end": each.end_char, "label": html.escape(each.type)}
        for each in prediction.mentions[task]
    ]
    return _render({"text": prediction.text, "ents": ents}, "ent", _labels(prediction, task))


def _spans(prediction: Prediction, task: str) -> str:
    found = [(each.begin_token, each.end_token, each.type) for each in prediction.mentions[task]]
    return _token_spans(prediction, found, _labels(prediction, task))


def _labels_of_tokens(prediction: Prediction, task: str) -> str:
    found = [(index, index, label) for index, label in enumerate(prediction.token_labels[task])]
    return _token_spans(prediction, found, _labels(prediction, task))


def _labels_of_texts(prediction: Prediction, task: str) -> str:
    items = [
        f"<li>{html.escape(each.type)}: {html.escape(each.text)}</li>"
        for each in prediction.text_labels[task]
    ]
    return f"<ul>{''.join(items)}</ul>"


def _clusters(prediction: Prediction, task: str) -> str:
    numbered = [
        (span.begin_token, span.end_token, str(number))
        for number, cluster in enumerate(prediction.clusters[task], start=1)
        for span in cluster
    ]
    labels = [str(number + 1) for number in range(len(prediction.clusters[task]))]
    return _token_spans(prediction, numbered, labels)


def _token_spans(
    prediction: Prediction, found: Iterable[tuple[int, int, str]], labels: Iterable[str]
) -> str:
    spans = [
        {"start_token": first, "end_token": last + 1, "label": html.escape(label)}
        for first, last, label in found
    ]
    tokens = [token.text for token in prediction.tokens]
    return _render({"text": prediction.text, "spans": spans, "tokens": tokens}, "span", labels)


def _arcs(prediction: Prediction, relations: Sequence[Relation]) -> str:
    """A drawing for each sentence that holds a relation."""
    drawings = []
    for sentence in prediction.sentences:
        inside = [
            relation
            for relation in relations
            if sentence.begin_token <= relation.arg1.end_token <= sentence.end_token
            # A token's relation to itself has no arc.
            and relation.arg1.end_token != relation.arg2.end_token
        ]
        if inside:
            drawings.append(_sentence_arcs(prediction, sentence, inside))
    return "\n".join(drawings)


def _sentence_arcs(
    prediction: Prediction, sentence: Sentence, relations: Sequence[Relation]
) -> str:
    tokens = prediction.tokens[sentence.begin_token : sentence.end_token + 1]
    arcs = []
    for relation in relations:
        first = relation.arg1.end_token - sentence.begin_token
        second = relation.arg2.end_token - sentence.begin_token
        arcs.append(
            {
                "start": min(first, second),
                "end": max(first, second),
                "label": html.escape(relation.type),
                "dir": "right" if first < second else "left",
            }
        )
    words = [{"text": token.text, "tag": ""} for token in tokens]
    return _render({"words": words, "arcs": arcs}, "dep", ())


def _labels(prediction: Prediction, task: str) -> list[str]:
    """All that a task may find, so that one label has one colour in all texts."""
    return next(info.labels for info in prediction.tasks if info.name == task)


def _render(content: dict[str, Any], style: str, labels: Iterable[str]) -> str:
    from spacy import displacy

    colors = {html.escape(label): COLORS[index % len(COLORS)] for index, label in enumerate(labels)}
    options = {"colors": colors, "compact": True, "distance": WORD_DISTANCE}
    return displacy.render(content, style=style, manual=True, jupyter=False, options=options)
