"""Tables of a run's scores, for people."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

# The three figures a head is judged by, under the names that heads give them.
HEADLINES = (
    ("precision-overall", "recall-overall", "f1-measure-overall"),
    ("coref_precision", "coref_recall", "coref_f1"),
)

# Of a column: what people read counts epochs from 1, as the log does; what programs read, from 0.
BEST_EPOCH = "best epoch (from 1)"

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


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of text, aligned; a rule stands under the header."""
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows)]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines
    )


def headline(scores: Mapping[str, Any]) -> tuple[float, float, float] | None:
    """
    # Parameters

    scores : `Mapping[str, Any]`
        A head's metrics.

    # Returns

    figures : `Tuple[float, float, float]`, optional
        Precision, recall and F1, from 0 to 1; `None` for a head that is judged by something else.
    """
    for precision, recall, f1 in HEADLINES:
        if precision in scores:
            return scores[precision], scores[recall], scores[f1]
    return None


def test_score_table(metrics: Mapping[str, Any]) -> str:
    """
    Each task's test scores with its own best weights.

    # Parameters

    metrics : `Mapping[str, Any]`
        As in `metrics.json` or `evaluate_metrics.json`.
    """
    rows = []
    for name, entry in metrics.items():
        scores = entry.get("test", {}).get(name) if isinstance(entry, dict) else None
        if scores is None:
            continue
        found = headline(scores)
        figures = ["", "", ""] if found is None else [f"{100 * figure:.2f}" for figure in found]
        best_epoch = entry.get("best_epoch")
        rows.append(
            [
                name,
                *figures,
                f"{scores['loss']:.4g}",
                "" if best_epoch is None else str(best_epoch + 1),
            ]
        )
    if not rows:
        return "no task has evaluate_on_test"
    return table(["test", "precision", "recall", "F1", "loss", BEST_EPOCH], rows)
