"""Why a run scores what it scores, on a page: tables, errors by kind, parts of the data, and examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hmtl.checking.drawing import Pen, draw, drawn_spans
from hmtl.checking.example import Example
from hmtl.checking.page import drawings
from hmtl.common.answers import COREFERENCE, RELATIONS
from hmtl.common.document import Drawing, Heading, Paragraph, Part, Table
from hmtl.common.reporting import counted, percent
from hmtl.evaluating.answering import Answered
from hmtl.evaluating.errors import MEANINGS, errors_of, told
from hmtl.evaluating.judging import Item, Judged, is_known, judge
from hmtl.evaluating.slices import Training, by_part, slicings
from hmtl.formats.brackets import Span
from hmtl.metrics.clusterings import Comparison, best_pairs
from hmtl.metrics.fractions import Fractions

WORST = 20
# Of a document only the sentences with errors are drawn, this many.
SENTENCES_DRAWN = 4
LABELS_SHOWN = 15
SHOWN_OF_A_KIND = 4
NOTHING = "(nothing)"
OTHERS = "(other types)"
LINE_WIDTH = 110
FIGURES = ("precision", "recall", "F1")


@dataclass(frozen=True)
class TaskReport:
    """
    What there is to tell of a task.

    # Parameters

    answered : `Answered`
        With examples.
    training : `Training`, optional
        `None` where the training data are not there.
    """

    answered: Answered
    training: Training | None = None

    @property
    def kind(self) -> str | None:
        """Of its answers."""
        return self.answered.answers.kind if self.answered.answers else None


def parts_of_task(report: TaskReport, headline: Mapping[str, float]) -> list[Part]:
    """
    # Parameters

    report : `TaskReport`
    headline : `Mapping[str, float]`
        What the task is judged by, by title.
    """
    answered, kind = report.answered, report.kind
    cells = [f"{title} {percent(title, figure)}" for title, figure in headline.items()]
    parts: list[Part] = [Heading(answered.task), Paragraph("; ".join(cells) + ".")]
    if kind is None or not answered.gold or not is_known(kind):
        return [*parts, Paragraph("Answers of this kind are scored only, and not taken apart.")]
    judged = judge(kind, answered.gold, answered.found)
    if kind != COREFERENCE:
        parts += [Heading("By type", 3), _by_type(judged)]
        confusion = _confusion(judged)
        if confusion is not None:
            parts += [Heading("Types taken for others", 3), *confusion]
    parts += _errors(kind, judged)
    parts += _slices(report, judged)
    return parts + _worst(kind, judged)


def _by_type(judged: Sequence[Judged]) -> Table:
    counts: dict[str, Counter[str]] = {}
    for each in judged:
        for side, items in (("gold", each.gold_items), ("found", each.found_items)):
            for (label, _), is_right in items.items():
                counter = counts.setdefault(label, Counter())
                counter[side] += 1
                counter["right"] += is_right and side == "gold"
    rows = [
        [
            label,
            *_cells(Fractions(c["right"], c["found"], c["right"], c["gold"])),
            str(c["gold"]),
            str(c["found"]),
        ]
        for label, c in sorted(counts.items(), key=lambda entry: (-entry[1]["gold"], entry[0]))
    ]
    return Table(["type", *FIGURES, "gold", "found"], rows)


def _cells(fractions: Fractions) -> list[str]:
    figures = fractions.figures()
    has = (fractions.precision_denominator, fractions.recall_denominator)
    shown = [
        f"{100 * figures[name]:.1f}" if has_any else ""
        for name, has_any in zip(("precision", "recall"), has)
    ]
    return [*shown, f"{100 * figures['f1_score']:.1f}" if all(has) else ""]


def _confusion(judged: Sequence[Judged]) -> list[Part] | None:
    """Gold types against those that were found for the same words; `None` where there is one type only."""
    pairs: Counter[tuple[str, str]] = Counter()
    for each in judged:
        gold, found = _by_place(each.gold_items), _by_place(each.found_items)
        for place in gold.keys() | found.keys():
            theirs, ours = set(gold.get(place, ())), set(found.get(place, ()))
            pairs.update((label, label) for label in theirs & ours)
            missed, wrong = sorted(theirs - ours), sorted(ours - theirs)
            pairs.update(zip(missed, wrong))
            pairs.update((label, NOTHING) for label in missed[len(wrong) :])
            pairs.update((NOTHING, label) for label in wrong[len(missed) :])
    sizes: Counter[str] = Counter()
    for pair, number in pairs.items():
        sizes.update({label: number for label in set(pair) if label != NOTHING})
    labels = [label for label, _ in sorted(sizes.items(), key=lambda entry: (-entry[1], entry[0]))]
    if len(labels) < 2:
        return None
    shown = labels[:LABELS_SHOWN]
    rest = [OTHERS] if len(labels) > len(shown) else []

    def name(label: str) -> str:
        return label if label in shown or label == NOTHING else OTHERS

    table: Counter[tuple[str, str]] = Counter()
    for pair, number in pairs.items():
        table[name(pair[0]), name(pair[1])] += number
    names = [*shown, *rest, NOTHING]
    rows = [[row, *(str(table[row, column] or "") for column in names)] for row in names]
    what = "Rows are gold, columns what was found for just the same words."
    return [Paragraph(what), Table(["", *names], rows)]


def _by_place(items: Iterable[Item]) -> dict[object, list[str]]:
    found: dict[object, list[str]] = {}
    for label, place in items:
        found.setdefault(place, []).append(label)
    return found


def _errors(kind: str, judged: Sequence[Judged]) -> list[Part]:
    errors = errors_of(kind, judged)
    if not errors:
        return [Paragraph("No errors.")]
    numbers = Counter(error.kind for error in errors)
    rows = [
        [each, str(numbers[each]), f"{100 * numbers[each] / len(errors):.1f} %", meaning]
        for each, meaning in MEANINGS.items()
        if numbers[each]
    ]
    parts: list[Part] = [
        Heading("Errors by kind", 3),
        Table(["kind", "number", "of all errors", "what it is"], rows, words=True),
    ]
    shown: Counter[tuple[str, str]] = Counter(
        (error.kind, f"{error.gold}\0{error.found}") for error in errors
    )
    samples = []
    for each in MEANINGS:
        of_kind = [(pair, number) for (kind, pair), number in shown.most_common() if kind == each]
        for pair, number in of_kind[:SHOWN_OF_A_KIND]:
            samples.append([each, *pair.split("\0"), str(number)])
    parts.append(Paragraph("The most frequent of each kind:"))
    parts.append(Table(["kind", "gold", "found", "times"], samples, words=True))
    return parts


def _slices(report: TaskReport, judged: Sequence[Judged]) -> list[Part]:
    assert report.kind is not None
    rows = []
    for slicing in slicings(report.kind, report.training):
        title = slicing.title
        for part, found in by_part(judged, slicing).items():
            numbers = [int(found.recall_denominator), int(found.precision_denominator)]
            rows.append([title, part, *_cells(found), *map(str, numbers)])
            title = ""
    what = "Items are links from a mention to the one before it in its cluster. "
    parts: list[Part] = [Heading("Parts of the data", 3)]
    if report.kind == COREFERENCE:
        parts.append(Paragraph(what + "A link is right where both mentions are in one cluster."))
    if report.training is None:
        parts.append(Paragraph("The training data are not there to compare with."))
    return [*parts, Table(["items by", "", *FIGURES, "gold", "found"], rows)]


def _worst(kind: str, judged: Sequence[Judged]) -> list[Part]:
    worst = sorted((each for each in judged if each.num_errors), key=lambda each: -each.num_errors)
    parts: list[Part] = []
    if worst:
        parts.append(Heading(f"The {counted(min(WORST, len(worst)), 'worst examples')}", 3))
    for each in worst[:WORST]:
        parts += drawn(kind, each.gold, {"gold": each.gold, "found": each.found}, each.num_errors)
    return parts


def drawn(
    kind: str, gold: Example, sides: Mapping[str, Example], num_errors: int | None = None
) -> list[Part]:
    """
    Draw an example with several annotations, one above the other.

    # Parameters

    kind : `str`
        Of the answers.
    gold : `Example`
    sides : `Mapping[str, Example]`
        By what stands before each.
    num_errors : `int`, optional
    """
    document = gold.document[0] if gold.document else ""
    title = " ".join(part for part in (document, gold.source) if part) or "(no source)"
    if num_errors is not None:
        title += f": {counted(num_errors, 'errors')}"
    sentences = None
    if kind == RELATIONS:
        return [Heading(title, 4), *_relations(gold, sides)]
    if kind == COREFERENCE:
        sides = {name: _numbered_as(gold, side) for name, side in sides.items()}
        sentences = _differing(gold, sides)
    labels = sorted({label for side in sides.values() for label, _ in drawn_spans(side)})
    parts: list[Part] = [Heading(title, 4)]
    for name, side in sides.items():
        parts.append(Paragraph(f"{name}:"))
        lines = [draw(_excerpt(side, sentences), Pen(LINE_WIDTH)).partition("\n")[2]]
        shown = "\n".join(drawings(side, labels, sentences))
        parts.append(Drawing(shown, lines))
    return parts


def _relations(gold: Example, sides: Mapping[str, Example]) -> list[Part]:
    """The mentions drawn, and a table: arrows of dozens of relations are not to be read."""
    bare = replace(gold, relations=None, labels=Counter())
    labels = sorted({label for label, _ in gold.mentions})
    lines = [draw(bare, Pen(LINE_WIDTH)).partition("\n")[2]]
    items: dict[Item, list[str]] = {}
    for name, side in sides.items():
        for each in side.relations or ():
            item = (each.type, (each.arg1[1], each.arg2[1]))
            items.setdefault(item, []).append(name)
    rows = [
        [told(gold, item), *("yes" if name in has else "" for name in sides)]
        for item, has in sorted(items.items(), key=lambda entry: (entry[0][1], entry[0][0]))
    ]
    return [
        Drawing("\n".join(drawings(bare, labels)), lines),
        Table(["relation", *sides], rows, words=True),
    ]


def _numbered_as(gold: Example, found: Example) -> Example:
    """With each cluster under the number of the gold one that it is most like."""
    theirs, ours = gold.clusters or [], found.clusters or []
    if found is gold:
        return gold
    compared = Comparison([list(dict.fromkeys(each)) for each in ours], theirs)
    place = dict(best_pairs(compared.shared))
    numbered: list[list[Span]] = [[] for _ in theirs]
    for number, cluster in enumerate(ours):
        if number in place:
            numbered[place[number]] = cluster
        else:
            numbered.append(cluster)
    return replace(found, clusters=numbered)


def _differing(gold: Example, sides: Mapping[str, Example]) -> list[Span]:
    """The sentences in which the sides differ most, in order."""
    times = Counter(span for side in sides.values() for span in set(drawn_spans(side)))
    differing = [span for span, number in times.items() if number < len(sides)]
    number = Counter(
        sentence
        for _, (start, _end) in differing
        for sentence in gold.sentences
        if sentence[0] <= start <= sentence[1]
    )
    chosen = [sentence for sentence, _ in number.most_common(SENTENCES_DRAWN)]
    return sorted(chosen) or [(0, len(gold.words) - 1)]


def _excerpt(example: Example, sentences: Sequence[Span] | None) -> Example:
    return example if sentences is None else replace(example, sentences=list(sentences))
