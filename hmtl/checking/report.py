"""What was found in the data of a config, for programs (as plain data) and for people (as a table)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from hmtl.checking.judging import Judgement
from hmtl.checking.reading import Reading, SplitName
from hmtl.checking.split_counts import Longest
from hmtl.common.reporting import counted, table
from hmtl.config.schema import SPLITS

# The rarest labels of a large set are summed up, unless all are asked for.
LABELS_SHOWN = 12
UNREAD = "unread"
# The task has no such thing, or it is not known.
NOT_APPLICABLE = "-"

Summary = dict[str, Any]


def summaries(reading: Reading, judgement: Judgement) -> dict[str, dict[str, Summary]]:
    """
    By task and split what was counted, ready to be written as JSON: `null` where the task has no such thing
    or it is not known. Splits that could not be read are absent.
    """
    found: dict[str, dict[str, Summary]] = {task: {} for task in reading.readers}
    for task, split in reading.counts:
        found[task][split] = _summary((task, split), reading, judgement)
    return found


def _summary(name: SplitName, reading: Reading, judgement: Judgement) -> Summary:
    counts = reading.counts[name]
    has_sentences, has_documents = bool(counts.sentence_digests), bool(counts.documents)
    return {
        "documents": len(counts.documents) or None,
        "sentences": counts.sentences,
        "tokens": counts.tokens,
        "spans": counts.spans,
        "relations": counts.relations,
        "entities": counts.entities,
        "entity_relations": counts.entity_relations,
        "clusters": counts.clusters,
        "mentions": counts.mentions,
        "mentions_too_wide": counts.too_wide,
        "longest_sentence": _longest(counts.longest_sentence) if has_sentences else None,
        "longest_document": _longest(counts.longest_document) if has_documents else None,
        "repeated_sentences": counts.repeated_sentences if has_sentences else None,
        "sentences_in_training": judgement.sentences_in_training.get(name),
        "words_unseen_in_training": judgement.unseen_words.get(name),
        "words_unknown_to_model": judgement.unknown_words.get(name),
        "labels": dict(counts.labels.most_common()),
    }


def _longest(longest: Longest) -> Summary:
    return {"tokens": longest.tokens, "where": longest.where}


def as_json(reading: Reading, judgement: Judgement) -> dict[str, Any]:
    """All that was found, as plain data."""
    found = summaries(reading, judgement)
    return {
        "tasks": {
            task: {"reader": reader, "splits": found[task]}
            for task, reader in reading.readers.items()
        },
        "errors": judgement.errors,
        "warnings": judgement.warnings,
    }


def as_table(reading: Reading, judgement: Judgement, all_labels: bool = False) -> str:
    """
    One table: under the name of each task a line for each thing counted, a column for each split.

    # Parameters

    reading : `Reading`
    judgement : `Judgement`
    all_labels : `bool`, optional (default = `False`)
        Show also the rarest of more than a dozen labels.
    """
    unread = {name for names in reading.unread.values() for name in names}
    rows = [["", *SPLITS]]
    for task, found in summaries(reading, judgement).items():
        absent = {split: UNREAD if (task, split) in unread else NOT_APPLICABLE for split in SPLITS}
        heading = f"{task} ({reading.readers[task]})"
        rows.append([heading, *("" if split in found else absent[split] for split in SPLITS)])
        for title, measure in (*MEASURES.items(), *_label_measures(found, all_labels)):
            shown = {split: measure(summary) for split, summary in found.items()}
            if any(cell is not None for cell in shown.values()):
                cells = {**absent, **{key: cell or NOT_APPLICABLE for key, cell in shown.items()}}
                rows.append([f"  {title}", *(cells[split] for split in SPLITS)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    aligned = [[row[0], *map(str.rjust, row[1:], widths[1:])] for row in rows]
    return table(aligned[0], aligned[1:])


def as_text(judgement: Judgement) -> str:
    """What is wrong, a line each, and how much that is."""
    lines = [f"error: {message}" for message in judgement.errors]
    lines += [f"warning: {message}" for message in judgement.warnings]
    lines.append(
        ", ".join(
            [counted(len(judgement.errors), "errors"), counted(len(judgement.warnings), "warnings")]
        )
    )
    return "\n".join(lines)


Measure = Callable[[Summary], "str | None"]


def _number_of(key: str) -> Measure:
    return lambda summary: None if summary[key] is None else f"{summary[key]:,}"


def _share_of(key: str) -> Measure:
    return lambda summary: None if summary[key] is None else f"{100 * summary[key]:.1f} %"


def _tokens_of(key: str) -> Measure:
    return lambda summary: None if summary[key] is None else f"{summary[key]['tokens']:,}"


def _part_of(key: str, whole: str) -> Measure:
    """A number, and what share of another it is."""

    def measure(summary: Summary) -> str | None:
        if summary[key] is None:
            return None
        return f"{summary[key]:,} = {100 * summary[key] / max(summary[whole] or 0, 1):.1f} %"

    return measure


# What is shown of a split, in order.
MEASURES: Mapping[str, Measure] = {
    "documents": _number_of("documents"),
    "sentences": _number_of("sentences"),
    "tokens": _number_of("tokens"),
    "spans": _number_of("spans"),
    "relations": _number_of("relations"),
    "entities": _number_of("entities"),
    "relations of entities": _number_of("entity_relations"),
    "clusters": _number_of("clusters"),
    "mentions in clusters": _number_of("mentions"),
    "  too wide to be found": _part_of("mentions_too_wide", "mentions"),
    "tokens in the longest sentence": _tokens_of("longest_sentence"),
    "tokens in the longest document": _tokens_of("longest_document"),
    "sentences repeated": _part_of("repeated_sentences", "sentences"),
    "sentences also in train": _part_of("sentences_in_training", "sentences"),
    "words never in train": _share_of("words_unseen_in_training"),
    "words unknown to the model": _share_of("words_unknown_to_model"),
}


def _label_measures(
    found: Mapping[str, Summary], all_labels: bool
) -> Iterator[tuple[str, Measure]]:
    """A line for each label, the most frequent in training first, and one for the sum of the rest."""
    in_all = {label for summary in found.values() for label in summary["labels"]}

    def rank(label: str) -> tuple[Any, ...]:
        counts = (found[split]["labels"].get(label, 0) for split in SPLITS if split in found)
        return (*(-count for count in counts), label)

    ordered = sorted(in_all, key=rank)
    shown = ordered if all_labels else ordered[:LABELS_SHOWN]
    for label in shown:
        yield f"label {label}", _number_of_labels([label])
    rest = ordered[len(shown) :]
    if rest:
        yield f"{len(rest)} more labels", _number_of_labels(rest)


def _number_of_labels(labels: Sequence[str]) -> Measure:
    return lambda summary: f"{sum(summary['labels'].get(label, 0) for label in labels):,}"
