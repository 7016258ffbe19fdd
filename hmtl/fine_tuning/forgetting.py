"""What a trained model's tasks lose, or gain, while the model is trained on."""

import logging
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Sequence, Set

import torch

from hmtl.common.files import write_json
from hmtl.common.random_state import random_state, restore_random_state
from hmtl.common.reporting import percent, table
from hmtl.config.schema import RunConfig
from hmtl.errors import DataError
from hmtl.fine_tuning.axes import EMBEDDER, ENCODERS, HEADS, parameter_axes, source_name
from hmtl.fine_tuning.pretrained import Pretrained
from hmtl.fine_tuning.transfer import LOADED, UNUSED, Transfer, carry_over
from hmtl.formats.json_files import read_json
from hmtl.models.hmtl import Hmtl
from hmtl.runs.assembly import Experiment, assemble
from hmtl.training.checkpoints import Checkpointer
from hmtl.training.evaluation import evaluate_on_test

logger = logging.getLogger(__name__)

BEFORE_FILE = "scores_before.json"

Scores = Dict[str, Dict[str, Any]]


class Forgetting:
    """
    The test scores of a trained model's tasks before and after fine-tuning.

    A task that the fine-tuned model has as well is scored in it, on the test data of its config. Any other
    is scored in the trained model, on the test data of that one's config; after fine-tuning, with the
    fine-tuned weights in place of all that the two models share. Where that is not possible, because
    something that the task stands on has other inputs now, there is no score after.

    # Parameters

    experiment : `Experiment`
        That is fine-tuned.
    pretrained : `Pretrained`
        The trained model, as it is kept in the run's directory.
    known_as : `Mapping[str, str]`
        What levels are called in the trained model, where they have another name there.
    """

    def __init__(
        self, experiment: Experiment, pretrained: Pretrained, known_as: Mapping[str, str]
    ) -> None:
        self.experiment = experiment
        self.pretrained = pretrained
        self.known_as = known_as
        self._before_file = experiment.serialization_dir / BEFORE_FILE

    def score_before(self) -> None:
        """
        Scores the model that has just been given its first weights; they are kept for `compare`. No random
        number is drawn, as seen from outside.
        """
        state = random_state()
        processes = self.experiment.processes
        if processes.is_main:
            logger.info(
                "scoring the tasks of the trained model on their test splits, before training"
            )
        continued = [
            data
            for data in self.experiment.tasks
            if self.known_as.get(data.task.name, data.task.name)
            in self.pretrained.own_config().task_names
        ]
        experiment = self.experiment
        before = evaluate_on_test(
            experiment.model, continued, experiment.device, experiment.progress_bar, processes
        )
        if processes.is_main:
            others = self._others()
            if others is not None:
                before.update(_test_scores(others))
            write_json(self._before_file, before)
        restore_random_state(state)

    def compare(self, metrics: Mapping[str, Any], trained_tasks: Sequence[str]) -> Dict[str, Any]:
        """
        # Parameters

        metrics : `Mapping[str, Any]`
            As `train_and_score` returns them.
        trained_tasks : `Sequence[str]`
            Those of the fine-tuned model that it was trained on.

        # Returns

        forgetting : `Dict[str, Any]`
            By task: `metric`, the one by which it is judged; `before`, the test metrics of the trained
            model; `after`, those with the best weights of each of the tasks that were trained on, or
            `None`.

        # Raises

        DataError
            When the scores before, which a run that was recovered kept, are lost or damaged.
        """
        try:
            before: Scores = read_json(self._before_file)
            if not isinstance(before, dict):
                raise DataError("holds no scores of tasks", self._before_file)
        except DataError as error:
            raise DataError(
                f"{error.message}. The trained model's scores belong there: put back a copy, or start the "
                "run over with --force.",
                self._before_file,
                error.line,
            ) from error
        others = self._others()
        after = {
            name: {**metrics[name]["test"], **self._others_after(name, others)}
            for name in trained_tasks
        }
        return {
            task: {
                "metric": self._judged_by(task),
                "before": scores,
                "after": {name: after[name].get(task) for name in trained_tasks},
            }
            for task, scores in before.items()
        }

    def _judged_by(self, task: str) -> str:
        configs = (self.experiment.config, self.pretrained.own_config())
        config = next(config for config in configs if task in config.task_names)
        return str(config.task(task).task_description.validation_metric_name)

    def _others(self) -> Optional[Experiment]:
        """The trained model with those of its tasks that the fine-tuned model does not have, if any."""
        config = self.pretrained.own_config()
        ours = self.experiment.config
        # Those that are of the process, not of the model.
        for key in ("cuda_device", "no_tqdm", "matmul_precision"):
            setattr(config.trainer, key, getattr(ours.trainer, key))
        continued = [self.known_as.get(name, name) for name in ours.task_names]
        others_names = [name for name in config.task_names if name not in continued]
        scored = [name for name in others_names if _has_test_data(name, config)]
        for task in config.tasks:
            task.task_description.evaluate_on_test = task.name in scored
        if not scored:
            return None
        others = assemble(config, self.pretrained.directory, ("test",))
        others.model.load_state_dict(self.pretrained.weights())
        return others

    def _others_after(self, best_of: str, others: Optional[Experiment]) -> Scores:
        if others is None:
            return {}
        weights = Checkpointer(self.experiment.serialization_dir).load_best(best_of)
        transfer = self._put_back(weights, others)
        changed = {each.name for each in transfer.outcomes if each.kind not in (LOADED, UNUSED)}
        changed -= {each.name for each in transfer.outcomes if each.source is None}
        others.model.load_state_dict(transfer.state)
        whole = [
            data
            for data in others.tasks
            if not _stands_on_any(others.model, data.task.name, changed)
        ]
        return evaluate_on_test(others.model, whole, others.device, others.progress_bar)

    def _put_back(self, weights: Mapping[str, torch.Tensor], others: Experiment) -> Transfer:
        """The weights of the trained model, with the fine-tuned ones for all that both have."""
        ours = self.experiment.model
        names = {source_name(name, self.known_as): name for name in ours.state_dict()}
        trained = self.pretrained.weights()
        return carry_over(
            weights,
            parameter_axes(ours, self.experiment.config.source, self.known_as),
            trained,
            parameter_axes(others.model, others.config.source),
            {name: names.get(name) for name in trained},
        )


def _test_scores(experiment: Experiment) -> Scores:
    return evaluate_on_test(
        experiment.model, experiment.tasks, experiment.device, experiment.progress_bar
    )


def _has_test_data(name: str, config: RunConfig) -> bool:
    """Whether it is evaluated on test data that are still there; a warning tells if they are not."""
    task = config.task(name)
    if not task.task_description.evaluate_on_test:
        return False
    path = Path(config.data_root) / (task.data_params.test_data_path or "")
    if not path.exists():
        logger.warning("%s is not there: whether %s is forgotten is not told", path, name)
    return path.exists()


def _stands_on_any(model: Hmtl, task: str, parameters: Set[str]) -> bool:
    """Whether any of these parameters takes part in what the model makes of a task."""
    parts = [f"{HEADS}.{task}.", f"{EMBEDDER}."]
    parts += [f"{ENCODERS}.{level}." for level in model.encoders.path_to(task)]
    return any(name.startswith(tuple(parts)) for name in parameters)


def forgetting_table(forgetting: Mapping[str, Any]) -> str:
    """
    For each task of the trained model: its test score before, and with the best weights of each task that
    was trained on.

    # Parameters

    forgetting : `Mapping[str, Any]`
        As in `metrics.json`.
    """
    trained = next((list(entry["after"]) for entry in forgetting.values()), [])
    rows = []
    for task, entry in forgetting.items():
        figures = [entry["before"], *(entry["after"][name] for name in trained)]
        rows.append([task, entry["metric"], *(_figure(each, entry["metric"]) for each in figures)])
    return table(["test", "metric", "before", *(f"best of {name}" for name in trained)], rows)


def _figure(scores: Optional[Mapping[str, Any]], metric: str) -> str:
    if scores is None:
        return "-"
    return percent(metric, scores[metric])
