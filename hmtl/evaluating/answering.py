"""What a run answers on data, instance by instance, and what that scores: of any data its readers read."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from allennlp.data import Instance

from hmtl.checking.example import Example, example_of
from hmtl.common.answers import (
    COREFERENCE,
    LABEL,
    LABELS,
    MENTIONS,
    RELATIONS,
    TOKENS,
    Answers,
)
from hmtl.common.devices import to_device
from hmtl.config.schema import TASK_PREFIX, Config
from hmtl.data.batch_stream import EvaluationBatches, collate
from hmtl.data.corpora import read_corpora
from hmtl.errors import DataError
from hmtl.formats.annotated import Relation
from hmtl.metrics.calibration import ScoredAnswers
from hmtl.models.heads.head import Head
from hmtl.runs.assembly import Experiment
from hmtl.training.evaluation import count_scored, evaluate
from hmtl.training.memory import naming_batch_if_too_large

FILE, GENRE = "file", "genre"
NO_GROUP = "(not told)"
# Names as GUM_academic_art have the corpus before the genre.
_PARTS_WITH_GENRE = 3

GroupOf = Callable[[Instance], str]


@dataclass
class Answered:
    """
    What a task's best weights answer on its data.

    # Parameters

    task : `str`
    answers : `Answers`, optional
        Of the head; `None` where it cannot be asked.
    metrics : `dict[str, Any]`
        All metrics of the head, and the mean `loss` of the batches.
    by_group : `dict[str, dict[str, Any]]`
        The metrics of each group of instances, if there are groups.
    scored : `ScoredAnswers`
        The answers with their probabilities, where the head tells these.
    gold : `list[Example]`
        As far as it is asked for, the instances in order; of several processes one has them.
    found : `list[Example]`
        The same with the answers in place of the gold annotation.
    """

    task: str
    answers: Answers | None
    metrics: dict[str, Any] = field(default_factory=dict)
    by_group: dict[str, dict[str, Any]] = field(default_factory=dict)
    scored: ScoredAnswers = field(default_factory=ScoredAnswers)
    gold: list[Example] = field(default_factory=list)
    found: list[Example] = field(default_factory=list)


def on_other_data(config: Config, paths: Mapping[str, str], split: str, source: Path) -> Config:
    """
    Return a run's config with other data in the place of its test data.

    # Parameters

    config : `Config`
        The whole config of a run.
    paths : `Mapping[str, str]`
        By task, seen from the working directory; the other tasks are left out. Without any, all tasks are
        scored on `split`.
    split : `str`
        `train`, `validation` or `test`.
    source : `Path`
        The run, for messages.

    # Raises

    DataError
        When one of the names is no task of the run's, or a path leads nowhere.
    """
    config = copy.deepcopy(config)
    tasks = [key.removeprefix(TASK_PREFIX) for key in config if key.startswith(TASK_PREFIX)]
    for name, path in paths.items():
        if name not in tasks:
            raise DataError(f"has no task {name!r}; its tasks are {', '.join(tasks)}", source)
        if not Path(path).exists():
            raise DataError(f"there is nothing here to score task {name} on; check the path", path)
    for name in tasks:
        section = config[TASK_PREFIX + name]
        params, description = section["data_params"], section.setdefault("task_description", {})
        if paths:
            description["evaluate_on_test"] = name in paths
            if name in paths:
                params["test_data_path"] = str(Path(paths[name]).absolute())
        elif split != "test":
            params["test_data_path"] = params[f"{split}_data_path"]
            description["evaluate_on_test"] = True
    return config


def answer(
    experiment: Experiment,
    group_of: GroupOf | None = None,
    with_examples: bool = False,
    with_others: bool = False,
) -> tuple[list[Answered], dict[str, dict[str, Any]]]:
    """
    Score each tested task with its own best weights.

    # Parameters

    experiment : `Experiment`
        With the data to score as test data.
    group_of : `GroupOf`, optional
        Which group an instance is in; without it there are none.
    with_examples : `bool`, optional (default = `False`)
        Keep what is gold and what is answered.
    with_others : `bool`, optional (default = `False`)
        Score with each task's weights the other tasks, too.

    # Returns

    answered : `list[Answered]`
        Of the tested tasks.
    metrics : `dict[str, dict[str, Any]]`
        By the task whose weights they are, the metrics of the tasks that were scored.
    """
    tested = {data.task.name: data for data in experiment.tasks if data.test is not None}
    found: dict[str, Answered] = {}
    by_weights: dict[str, dict[str, Any]] = {}
    for names in experiment.tasks_by_weights():
        own = [name for name in names if name in tested]
        if not own and not with_others:
            continue
        experiment.load_best(names[0])
        metrics: dict[str, Any] = {}
        for name, data in tested.items():
            assert data.test is not None
            if name in own:
                found[name] = Answered(name, _head(experiment, name).get_answers())
                _run(experiment, data.test, found[name], group_of, with_examples)
                metrics[name] = found[name].metrics
            elif with_others:
                metrics[name] = evaluate(
                    *(experiment.model, name, data.test, experiment.device, True),
                    *(experiment.progress_bar, experiment.processes),
                )
        by_weights.update({name: metrics for name in names if own or with_others})
    in_order = [data.task.name for data in experiment.tasks if data.task.name in by_weights]
    return [found[name] for name in tested], {name: by_weights[name] for name in in_order}


def _head(experiment: Experiment, name: str) -> Head:
    head = experiment.model.heads[name]
    assert isinstance(head, Head)
    return head


class _Scored(NamedTuple):
    """
    The instances of one group in a batch: their loss, the answers by position if asked for, and what was
    counted unless the head goes on counting.
    """

    group: str
    loss: float
    decoded: dict[int, Any]
    counts: Any = None


def _run(
    experiment: Experiment,
    batches: EvaluationBatches,
    answered: Answered,
    group_of: GroupOf | None,
    with_examples: bool,
) -> None:
    model, name, processes = experiment.model, answered.task, experiment.processes
    model.eval()
    model.get_metrics(name, reset=True)
    mine: list[list[_Scored]] = []
    # Else the head has all of them in the end.
    apart = group_of is not None or processes.is_distributed
    own = ScoredAnswers()
    key = answered.answers.key if answered.answers and with_examples else None
    with torch.inference_mode():
        title = experiment.progress_bar(batches.order, name, len(batches.order))  # type: ignore[arg-type]
        for positions in title:
            groups = _by_group(positions, batches.instances, group_of)  # type: ignore[arg-type]
            mine.append([])
            for group, members in groups.items():
                batch = collate([batches.instances[position] for position in members])
                with naming_batch_if_too_large(name, batch):
                    output = model(name, to_device(batch, experiment.device), full=True)
                count_scored(model, name, batch, output, own)
                found = [] if key is None else model.decode(name, output)[key]
                decoded = dict(zip(members, found, strict=True)) if key is not None else {}
                mine[-1].append(_Scored(group, float(output["loss"]), decoded))
                if apart:
                    mine[-1][-1] = mine[-1][-1]._replace(counts=model.counts(name))
                    model.get_metrics(name, reset=True)
    for part in processes.in_turn([own]):
        answered.scored.merge(part)
    scored = [each for batch in processes.in_turn(mine) for each in batch]
    if group_of is not None:
        for group in sorted({each.group for each in scored}):
            of_group = [each for each in scored if each.group == group]
            answered.by_group[group] = _metrics(experiment, name, of_group)
    answered.metrics = _metrics(experiment, name, scored)
    # What is to be shown is shown by one.
    if key is not None and answered.answers is not None and processes.is_main:
        decoded = {position: found for each in scored for position, found in each.decoded.items()}
        # Instances of a cache know no words any more.
        for position, instance in enumerate(read_split(experiment, name, "test")):
            example = _with_labels(example_of(instance), answered.answers)
            answered.gold.append(example)
            answered.found.append(_answered(example, answered.answers, decoded[position]))


def read_split(experiment: Experiment, task: str, split: str) -> Iterable[Instance]:
    """Read a task's instances as they are before they are indexed, in the same order."""
    (own,) = [data.task for data in experiment.tasks if data.task.name == task]
    params = experiment.config.task(task).data_params
    return read_corpora(own, params, experiment.config.data_root, (split,)).splits[split]


def _by_group(
    positions: Sequence[int], instances: Sequence[Instance], group_of: GroupOf | None
) -> dict[str, list[int]]:
    if group_of is None:
        return {NO_GROUP: list(positions)}
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for position in positions:
        groups[group_of(instances[position])].append(position)
    return groups


def _metrics(experiment: Experiment, name: str, scored: Sequence[_Scored]) -> dict[str, Any]:
    for each in scored:
        if each.counts is not None:
            experiment.model.add_counts(name, each.counts)
    metrics = experiment.model.get_metrics(name, reset=True, full=True)
    return {**metrics, "loss": sum(each.loss for each in scored) / max(len(scored), 1)}


def grouping(by: str) -> GroupOf:
    """
    Return what tells the group of an instance by its metadata.

    # Parameters

    by : `str`
        `FILE`; or `GENRE`: the first folder in the document's name, as in `bc/cnn/00`, or what follows the
        corpus in it, as in `GUM_academic_art`.
    """

    def group_of(instance: Instance) -> str:
        # A field is made when it is asked for, and this one is cheap.
        metadata = getattr(instance.fields.get("metadata"), "metadata", None) or {}
        if by == FILE:
            return str(metadata.get("source") or "").rpartition(":")[0] or NO_GROUP
        return genre_of(str(metadata.get("document") or ""))

    return group_of


def genre_of(document: str) -> str:
    """Return the genre that a document's name tells."""
    if "/" in document:
        return document.partition("/")[0]
    parts = document.split("_")
    return parts[1] if len(parts) >= _PARTS_WITH_GENRE else NO_GROUP


def _with_labels(example: Example, answers: Answers) -> Example:
    """With the labels of a text as spans over the whole of it, so that all labels are spans."""
    if answers.kind not in (LABEL, LABELS):
        return example
    whole = (0, max(len(example.words) - 1, 0))
    return replace(example, spans=[(label, whole) for label in example.labels])


def _answered(example: Example, answers: Answers, decoded: Any) -> Example:
    whole = (0, max(len(example.words) - 1, 0))
    if answers.kind == MENTIONS:
        return replace(example, spans=[(label, (start, end)) for label, (start, end) in decoded])
    if answers.kind == TOKENS:
        labels = list(decoded)[: len(example.words)]
        return replace(example, spans=[(label, (n, n)) for n, label in enumerate(labels)])
    if answers.kind in (LABEL, LABELS):
        labels = [decoded] if answers.kind == LABEL else list(decoded)
        return replace(example, spans=[(label, whole) for label in labels])
    if answers.kind == RELATIONS:
        found = [Relation(label, (a, a), (b, b)) for a, b, label in decoded]
        return replace(example, relations=found)
    if answers.kind == COREFERENCE:
        return replace(
            example, clusters=[[(start, end) for start, end in cluster] for cluster in decoded]
        )
    return example
