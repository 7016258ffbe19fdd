"""Tables of a run's scores, for people."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# Under this key of `metrics.json` a head says what it is judged by: names of metrics, by title.
HEADLINE = "headline"
# And under this one how its probabilities compare with what is right, in `evaluate_metrics.json`.
CALIBRATION = "calibration"
# And under this one, of relations between entities, what they and their entities score where these are found.
FOUND_ENTITIES = "found_entities"
# What it was before heads said so.
OLDER_HEADLINES = (
    {"precision": "precision-overall", "recall": "recall-overall", "F1": "f1-measure-overall"},
    {"precision": "coref_precision", "recall": "coref_recall", "F1": "coref_f1"},
)
# Less of what is called so is better, and it is no fraction.
NO_FRACTION = re.compile("loss|error|perplexity", re.IGNORECASE)

# Of a column: what people read counts epochs from 1, as the log does; what programs read, from 0.
BEST_EPOCH = "best epoch (from 1)"

# Of a task as many labels are shown, those with the most gold answers.
MOST_LABELS = 20
LABEL_FIGURES = ("precision", "recall", "f1-measure", "support")

# The first plural in a phrase, and what is taken off its end to make it singular.
PLURALS = (("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("s", ""))
PLURAL = re.compile(r"\b([a-z]+?)(" + "|".join(ending for ending, _ in PLURALS) + r")\b")


def counted(number: int, things: str) -> str:
    """
    A number of things, as in `1 text`, `2 texts`.

    # Parameters

    number : `int`
    things : `str`
        In the plural; a phrase whose first word in `-s` is the plural, as in `empty columns left out`.
    """
    if number == 1:
        things = PLURAL.sub(lambda word: word[1] + dict(PLURALS)[word[2]], things, count=1)
    return f"{number} {things}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question that ends with a space, or nothing if no known name is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]!r}? " if near else ""


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of text, aligned; a rule stands under the header."""
    rows = [[*row, *[""] * (len(header) - len(row))] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows)]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines
    )


def headline(
    metrics: Mapping[str, Any], task: str, weights_of: str | None = None
) -> dict[str, float]:
    """
    # Parameters

    metrics : `Mapping[str, Any]`
        As in `metrics.json` or `evaluate_metrics.json`.
    task : `str`
    weights_of : `str`, optional (default = `None`)
        The task whose best weights are scored; `None` is the task itself.

    # Returns

    figures : `dict[str, float]`
        What the task's head is judged by on the test data, by title, the one that counts last; nothing where
        it is not tested.
    """
    scores = metrics[weights_of or task].get("test", {}).get(task) or {}
    names = metrics[task].get(HEADLINE) or next(
        (names for names in OLDER_HEADLINES if names["F1"] in scores), {}
    )
    return {title: scores[name] for title, name in names.items() if name in scores}


def percent(title: str, figure: float) -> str:
    """Return a score as tables show it: a fraction in percent, anything else as it is."""
    return f"{figure:.4g}" if NO_FRACTION.search(title) else f"{100 * figure:.2f}"


def headline_columns(metrics: Mapping[str, Any]) -> tuple[list[str], dict[str, list[str]]]:
    """
    Return the titles of what the tested tasks are judged by, and by task a cell for each of them.

    # Parameters

    metrics : `Mapping[str, Any]`
        As in `metrics.json` or `evaluate_metrics.json`.
    """
    found = {
        task: headline(metrics, task)
        for task, entry in metrics.items()
        if isinstance(entry, dict) and entry.get("test", {}).get(task) is not None
    }
    titles = list(dict.fromkeys(title for figures in found.values() for title in figures))
    return titles, {
        task: [percent(title, figures[title]) if title in figures else "" for title in titles]
        for task, figures in found.items()
    }


def test_score_table(metrics: Mapping[str, Any]) -> str:
    """
    Each task's test scores with its own best weights.

    # Parameters

    metrics : `Mapping[str, Any]`
        As in `metrics.json` or `evaluate_metrics.json`.
    """
    titles, cells = headline_columns(metrics)
    rows = []
    for name, figures in cells.items():
        best_epoch = metrics[name].get("best_epoch")
        loss = f"{metrics[name]['test'][name]['loss']:.4g}"
        rows.append([name, *figures, loss, "" if best_epoch is None else str(best_epoch + 1)])
    if not rows:
        return "no task has evaluate_on_test"
    return table(["test", *titles, "loss", BEST_EPOCH], rows)


def label_tables(metrics: Mapping[str, Any]) -> str:
    """
    Each task's test scores by label, with its own best weights, where there are several; nothing where no
    task has any.

    # Parameters

    metrics : `Mapping[str, Any]`
        As in `metrics.json` or `evaluate_metrics.json`.
    """
    tables = []
    for task, entry in metrics.items():
        tested = entry.get("test", {}) if isinstance(entry, dict) else {}
        scores = tested.get(task) or {}
        labels = [name.removeprefix("support-") for name in scores if name.startswith("support-")]
        labels.sort(key=lambda label: (-scores[f"support-{label}"], label))
        rows = []
        for label in labels[:MOST_LABELS]:
            *figures, support = (scores[f"{figure}-{label}"] for figure in LABEL_FIGURES)
            rows.append([label, *(percent("", figure) for figure in figures), str(support)])
        if len(labels) > MOST_LABELS:
            rows.append([f"({len(labels) - MOST_LABELS} more)"])
        if len(labels) > 1:
            tables.append(
                table([f"{task}, by label", "precision", "recall", "F1", "support"], rows)
            )
    return "\n\n".join(tables)


def calibration_table(metrics: Mapping[str, Any]) -> str:
    """
    How the probabilities of each task's answers compare with how often they are right; nothing where no
    head tells them.

    # Parameters

    metrics : `Mapping[str, Any]`
        As in `evaluate_metrics.json`.
    """
    rows = [
        [
            name,
            str(found["answers"]),
            percent("", found["probability"]),
            percent("", found["right"]),
            percent("", found["expected_calibration_error"]),
        ]
        for name, entry in metrics.items()
        if isinstance(entry, dict) and (found := entry.get(CALIBRATION))
    ]
    header = ["answers", "number", "mean probability", "right", "calibration error"]
    return table(header, rows) if rows else ""


def found_entities_table(metrics: Mapping[str, Any]) -> str:
    """
    What relations score between the entities that the run finds, and what these entities score; nothing
    where no task has them.

    # Parameters

    metrics : `Mapping[str, Any]`
        As in `evaluate_metrics.json`.
    """
    rows = [
        [name, things, *(percent("", figure) for figure in figures.values())]
        for name, entry in metrics.items()
        if isinstance(entry, dict)
        for things, figures in entry.get(FOUND_ENTITIES, {}).items()
    ]
    header = ["with the entities found", "", "precision", "recall", "F1"]
    return table(header, rows) if rows else ""


def score_tables(metrics: Mapping[str, Any]) -> str:
    """Return all that a terminal shows of a run's scores."""
    tables = (test_score_table, found_entities_table, label_tables, calibration_table)
    return "\n\n".join(filter(None, (each(metrics) for each in tables)))
