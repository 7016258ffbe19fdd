"""Tables of what probing found, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from hmtl.common.document import Heading, Paragraph, Part, Table, as_markdown
from hmtl.probing.results import MAJORITY, Results, Summary, standard_error

MEAN = "mean"


def markdown_report(results: Sequence[Results]) -> str:
    """
    A table of test accuracies in percent: a row per layer, from the bottom up, a column per task; and what
    they mean.

    # Parameters

    results : `Sequence[Results]`
        Several models stand one below the other; the baselines are those of the first.
    """
    first = results[0]
    tasks = first.tasks
    rows = [["majority class", *_majority(first, tasks)]]
    rows += [[row, *_cells(first, row, tasks)] for row in first.baselines]
    for each in results:
        for layer in each.layers:
            name = f"{each.name}: {layer}" if len(results) > 1 else layer
            rows.append([name, *_cells(each, layer, tasks)])
    parts: list[Part] = [
        Heading(f"Probing {first.name}", level=1),
        Table(["layer", *tasks, MEAN], rows),
        *map(Paragraph, _notes(first, tasks)),
    ]
    return as_markdown(parts, pictures="")


def _majority(results: Results, tasks: Sequence[str]) -> list[str]:
    figures = [float(results.facts(task)[MAJORITY]["acc"]) for task in tasks]
    return [*(f"{figure:.1f}" for figure in figures), f"{fmean(figures):.1f}"]


def _cells(results: Results, row: str, tasks: Sequence[str]) -> list[str]:
    found = [results.summary(task, row) for task in tasks]
    whole = [summary.mean for summary in found if summary is not None]
    mean = f"{fmean(whole):.1f}" if len(whole) == len(tasks) else ""
    return [*map(_cell, found), mean]


def _cell(summary: Summary | None) -> str:
    if summary is None:
        return ""
    if summary.deviation is None:
        return f"{summary.mean:.1f}"
    return f"{summary.mean:.1f} ± {summary.deviation:.1f}"


def _notes(results: Results, tasks: Sequence[str]) -> list[str]:
    protocol = results.content["protocol"]
    classifier = "logistic regression"
    if protocol["hidden"]:
        classifier = f"a hidden layer of {protocol['hidden']} units"
    if protocol["standardized"]:
        classifier += " on standardised vectors"
    seeds = sorted({each["seed"] for each in results.content["results"]})
    over = f"with seed {seeds[0]}"
    if len(seeds) > 1:
        over = f"mean and standard deviation over the seeds {', '.join(map(str, seeds))}"
    errors = ", ".join(
        f"{task} {facts['ntest']} (± {standard_error(facts[MAJORITY]['acc'], facts['ntest']):.1f})"
        for task in tasks
        for facts in [results.facts(task)]
    )
    return [
        f"Accuracy on the test partition in percent: {classifier} ({protocol['classifier']}, "
        f"{protocol['engine']}), {over}.",
        "Sentences in the test partition, and the standard error that their number alone gives an accuracy "
        f"like the majority's: {errors}.",
    ]
