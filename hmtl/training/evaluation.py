"""Scoring a model on a task's data."""

from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional

import torch

from hmtl.common.answers import COREFERENCE, LABEL, judged, label_of
from hmtl.common.devices import to_device
from hmtl.data.batch_stream import Batch, EvaluationBatches
from hmtl.metrics.calibration import ScoredAnswers
from hmtl.models.heads.head import Head
from hmtl.models.hmtl import Hmtl
from hmtl.training.distributed import SINGLE_PROCESS, ProcessGroup
from hmtl.training.memory import naming_batch_if_too_large
from hmtl.training.tasks import TaskData

# Wraps an iterable in a progress bar with a title.
ProgressBar = Callable[[Iterable[Batch], str, int], Iterable[Batch]]


def no_progress_bar(batches: Iterable[Batch], title: str, total: int) -> Iterable[Batch]:
    """Show nothing."""
    return batches


def evaluate(
    model: Hmtl,
    task_name: str,
    batches: EvaluationBatches,
    device: torch.device,
    full: bool = False,
    progress_bar: ProgressBar = no_progress_bar,
    processes: ProcessGroup = SINGLE_PROCESS,
    scored: Optional[ScoredAnswers] = None,
) -> Dict[str, Any]:
    """
    Score the model as it is; its training mode is left as it was.

    # Parameters

    model : `Hmtl`
        On `device`.
    task_name : `str`
    batches : `EvaluationBatches`
    device : `torch.device`
    full : `bool`, optional (default = `False`)
        Include the detail of `Head.get_metrics`.
    progress_bar : `ProgressBar`, optional
    processes : `ProcessGroup`, optional
        Between which the batches are shared out.
    scored : `ScoredAnswers`, optional (default = `None`)
        Counts the answers with their probabilities, where the head tells both these and what is gold.

    # Returns

    metrics : `Dict[str, Any]`
        The head's metrics, and `loss`, the mean over the batches.
    """
    was_training = model.training
    model.eval()
    model.get_metrics(task_name, reset=True)
    scoring = processes.scoring(model, task_name, device)
    own = ScoredAnswers()
    try:
        with torch.inference_mode():
            for batch in progress_bar(batches, task_name, len(batches)):
                # Empty where only other processes have a batch left.
                if batch:
                    with naming_batch_if_too_large(task_name, batch):
                        output = model(task_name, to_device(batch, device), full=full)
                        scoring.add(output["loss"])
                    if scored is not None:
                        count_scored(model, task_name, batch, output, own)
        mean_loss = scoring.finish()
    finally:
        model.train(was_training)
    if scored is not None:
        for part in processes.in_turn([own]):
            scored.merge(part)
    metrics = model.get_metrics(task_name, reset=True, full=full)
    metrics["loss"] = mean_loss
    return metrics


def count_scored(
    model: Hmtl,
    task_name: str,
    batch: Batch,
    output: Dict[str, torch.Tensor],
    scored: ScoredAnswers,
) -> None:
    """Count the answers of a batch with their probabilities; see `evaluate`."""
    head = model.heads[task_name]
    assert isinstance(head, Head)
    own, metadata = head.get_answers(), batch.get("metadata")
    if own is None or metadata is None:
        return
    answers = model.decode(task_name, output)[own.key]
    probabilities = model.probabilities(task_name, output, answers)
    for found, each, entry in zip(answers, probabilities or (), metadata):
        gold = head.gold_answers(entry)
        if gold is not None:
            labels = [gold] if own.kind == LABEL else gold
            scored.update(
                judged(own.kind, found, each, gold),
                () if own.kind == COREFERENCE else (label_of(own.kind, label) for label in labels),
            )


def evaluate_on_test(
    model: Hmtl,
    tasks: List[TaskData],
    device: torch.device,
    progress_bar: ProgressBar = no_progress_bar,
    processes: ProcessGroup = SINGLE_PROCESS,
    scored: Optional[Mapping[str, ScoredAnswers]] = None,
) -> Dict[str, Dict[str, Any]]:
    """
    Return the full test metrics, by task, of every task that is to be evaluated on its test split; `scored`
    are by task those of `evaluate`.
    """
    return {
        data.task.name: evaluate(
            model,
            data.task.name,
            data.test,
            device,
            True,
            progress_bar,
            processes,
            (scored or {}).get(data.task.name),
        )
        for data in tasks
        if data.test is not None
    }
