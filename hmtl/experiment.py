"""
From a config to a run. This is the only reader of the config's top-level keys, and the one place where
the order of assembly can be seen: tasks -> data -> vocabulary -> batches -> model -> trainer.
"""

import copy
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import torch
from allennlp.common import Lazy, Params
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import import_module_and_submodules
from allennlp.data import DatasetReader, Vocabulary
from allennlp.models import Model
from allennlp.modules import TextFieldEmbedder
from allennlp.nn import InitializerApplicator, RegularizerApplicator
from allennlp.training.learning_rate_schedulers import LearningRateScheduler

from hmtl.config import TASK_PREFIX, Config, differences, level_names, load_config, task_names
from hmtl.config_check import check_block, check_known
from hmtl.corpora import TaskCorpora, read_corpora
from hmtl.dataset_readers.unseen_labels import UNSEEN_LABEL_RULES, apply_unseen_label_rule
from hmtl.errors import DataError
from hmtl.files import write_json
from hmtl.models.encoders import Level
from hmtl.models.heads.coreference_resolver import CoreferenceResolver
from hmtl.models.hmtl import Hmtl
from hmtl.tasks.task import Task
from hmtl.training.batch_stream import BatchStream, EvaluationBatches
from hmtl.training.batching import Batching
from hmtl.training.callbacks import Callback
from hmtl.training.checkpointer import Checkpointer
from hmtl.training.console import ConsoleCallback, progress_bar
from hmtl.training.devices import choose_device
from hmtl.training.evaluation import ProgressBar, evaluate_on_test, no_progress_bar
from hmtl.training.random_state import seed_everything
from hmtl.training.task_training import TaskData
from hmtl.training.tensorboard import TensorBoardCallback
from hmtl.training.trainer import MultiTaskTrainer

logger = logging.getLogger(__name__)

DEFAULT_SEED = 13370
CONFIG_FILE = "config.json"
VOCABULARY_DIR = "vocabulary"
METRICS_FILE = "metrics.json"
EVALUATION_FILE = "evaluate_metrics.json"

SPLITS = ("train", "validation", "test")
TOP_LEVEL_KEYS = (
    "seed",
    "data_root",
    "unseen_labels",
    "vocabulary",
    "model",
    "iterators",
    "multi_task_trainer",
    "regularizer",
)
DATA_KEYS = (
    "dataset_reader",
    "validation_dataset_reader",
    "train_data_path",
    "validation_data_path",
    "test_data_path",
    "datasets_for_vocab_creation",
)
DESCRIPTION_KEYS = (
    "task_name",
    "validation_metric_name",
    "validation_metric_decreases",
    "evaluate_on_test",
)
# Keys of `multi_task_trainer` that are not the trainer's own but say who watches it and where it runs.
LOGGING_KEYS = ("summary_interval", "log_parameter_statistics", "log_gradient_statistics")
SURROUNDING_KEYS = (*LOGGING_KEYS, "no_tqdm", "cuda_device", "scheduler")
# What the trainer is handed beside its block of the config.
BUILT_PARTS = ("model", "tasks", "device", "checkpointer", "callbacks", "seed", "schedulers")

# A run may go on with other values of these: they change how long it runs, where, and what is shown.
HARMLESS_CHANGES = tuple(
    f"multi_task_trainer.{key}"
    for key in (
        "num_epochs",
        "cuda_device",
        "no_tqdm",
        "checkpoint_every_n_steps",
        *LOGGING_KEYS,
    )
)

# Readers, heads and layers are reached by their registered names, which exist once they are imported.
for _package in ("hmtl.dataset_readers", "hmtl.models", "hmtl.modules", "hmtl.training"):
    import_module_and_submodules(_package)


@dataclass
class Experiment:
    """
    A model with its data: what training, evaluation, probing and prediction have in common.

    `serialization_dir` holds the run's files; the model is on `device`.
    """

    config: Config
    serialization_dir: Path
    vocab: Vocabulary
    tasks: List[TaskData]
    model: Hmtl
    device: torch.device

    @property
    def progress_bar(self) -> ProgressBar:
        """As the config wants it."""
        hidden = self.config["multi_task_trainer"].get("no_tqdm", False)
        return no_progress_bar if hidden else progress_bar

    def load_best(self, task_name: str) -> None:
        """
        Gives the model the weights of a task's best epoch.

        # Raises

        DataError
            When there are none, or they are another model's.
        """
        checkpointer = Checkpointer(self.serialization_dir)
        try:
            self.model.load_state_dict(checkpointer.load_best(task_name))
        except RuntimeError as error:
            raise DataError(
                f"the best weights of {task_name!r} do not fit the model that {CONFIG_FILE} and "
                f"{VOCABULARY_DIR}/ beside them describe: {error}",
                self.serialization_dir,
            ) from error

    def evaluate_best_weights(
        self, best_epochs: Optional[Mapping[str, Optional[int]]] = None
    ) -> Dict[str, Any]:
        """
        For each task's best weights, the test metrics of every task that has `evaluate_on_test`.

        # Parameters

        best_epochs : `Dict[str, int]`, optional
            By task. Tasks with one best epoch have one set of weights, which is then scored once.
        """
        results: Dict[str, Any] = {}
        by_epoch: Dict[int, Dict[str, Any]] = {}
        for data in self.tasks:
            name = data.task.name
            epoch = (best_epochs or {}).get(name)
            if epoch is None or epoch not in by_epoch:
                self.load_best(name)
                logger.info("scoring the best weights of %s on the test splits", name)
                metrics = evaluate_on_test(self.model, self.tasks, self.device, self.progress_bar)
                if epoch is not None:
                    by_epoch[epoch] = metrics
            results[name] = {"test": by_epoch[epoch] if epoch is not None else metrics}
        return results


def train(config: Config, serialization_dir: Path, recover: bool, force: bool) -> Dict[str, Any]:
    """
    Trains what a config describes, and scores it.

    # Parameters

    config : `Config`
        As `load_config` returns it.
    serialization_dir : `Path`
        Where everything is written.
    recover : `bool`
        Go on with the run that is there.
    force : `bool`
        Replace the run that is there.

    # Returns

    metrics : `Dict[str, Any]`
        What is written to `metrics.json`.
    """
    check_config(config)
    prepare_directory(config, serialization_dir, recover, force)
    experiment = assemble(config, serialization_dir, SPLITS)
    trainer = build_trainer(experiment)
    if recover and not trainer.recover():
        logger.warning("the run had not reached its first checkpoint: it starts at its beginning")
    trainer.train()
    progress = {name: training.progress for name, training in trainer.tasks.items()}
    results = experiment.evaluate_best_weights(
        {name: task.best_epoch for name, task in progress.items()}
    )
    metrics: Dict[str, Any] = {
        name: {
            "best_epoch": task.best_epoch,
            "nb_epoch_trained": trainer.epoch,
            "best_epoch_val_metrics": task.best_metrics,
            **results[name],
        }
        for name, task in progress.items()
    }
    metrics["training_duration"] = format_duration(trainer.seconds_trained)
    metrics["nb_epoch_trained"] = trainer.epoch
    write_json(serialization_dir / METRICS_FILE, metrics)
    return metrics


def evaluate(serialization_dir: Path, gold_mentions: bool) -> Dict[str, Any]:
    """
    Scores each task's best weights of a run on the test splits.

    # Parameters

    serialization_dir : `Path`
        What a training wrote.
    gold_mentions : `bool`
        Coreference heads are given the gold mentions as candidates.

    # Returns

    metrics : `Dict[str, Any]`
        What is written to `evaluate_metrics.json`.
    """
    experiment = load(serialization_dir)
    if gold_mentions:
        for head in experiment.model.heads.values():
            if isinstance(head, CoreferenceResolver):
                head.eval_on_gold_mentions = True
    metrics = experiment.evaluate_best_weights()
    metrics["gold_mentions"] = gold_mentions
    write_json(serialization_dir / EVALUATION_FILE, metrics)
    return metrics


def load(serialization_dir: Path) -> Experiment:
    """
    The experiment of an existing run, with its test data and its saved vocabulary; the model's weights
    are still to be loaded.

    # Raises

    DataError
        When the directory holds no run.
    """
    if not (serialization_dir / CONFIG_FILE).is_file():
        raise DataError(
            f"there is no {CONFIG_FILE} here, so this is no run of train.py. Give the directory that was "
            "its --serialization_dir.",
            serialization_dir,
        )
    config = load_config(serialization_dir / CONFIG_FILE)
    check_config(config)
    return assemble(config, serialization_dir, ("test",))


def check_config(config: Config) -> None:
    """
    # Raises

    ConfigurationError
        When a key or a type anywhere in the config is unknown.
    """
    tasks = task_names(config)
    sections = [TASK_PREFIX + name for name in tasks]
    check_known(config, [*TOP_LEVEL_KEYS, *sections], "")
    for section in sections:
        check_known(config[section], ("task_description", "data_params"), section)
        check_known(
            config[section]["task_description"], DESCRIPTION_KEYS, f"{section}.task_description"
        )
        data_params, path = config[section]["data_params"], f"{section}.data_params"
        check_known(data_params, DATA_KEYS, path)
        for key in ("dataset_reader", "validation_dataset_reader"):
            check_block(DatasetReader, data_params.get(key), f"{path}.{key}")
    model = config["model"]
    check_block(TextFieldEmbedder, model["text_field_embedder"], "model.text_field_embedder")
    check_block(InitializerApplicator, model.get("initializer"), "model.initializer")
    for name in level_names(config):
        check_block(Level, model[name], f"model.{name}")
    check_known(
        config["iterators"], ["iterator", *(f"iterator_{name}" for name in tasks)], "iterators"
    )
    check_block(Dict[str, Batching], config["iterators"], "iterators")
    check_block(Vocabulary, config.get("vocabulary"), "vocabulary", skip=("instances",))
    check_block(RegularizerApplicator, config.get("regularizer"), "regularizer")
    own, surrounding = _split_trainer_block(config)
    check_block(MultiTaskTrainer, own, "multi_task_trainer", skip=BUILT_PARTS)
    check_block(
        LearningRateScheduler,
        surrounding.get("scheduler"),
        "multi_task_trainer.scheduler",
        skip=("optimizer",),
    )


def prepare_directory(config: Config, serialization_dir: Path, recover: bool, force: bool) -> None:
    """
    Makes the directory of a new run, or checks that the run there is the one to go on with.

    # Raises

    ConfigurationError
        When something is there already, and neither `recover` nor `force` says what to do with it, or
        when the run there has another config.
    """
    written = serialization_dir / CONFIG_FILE
    if recover:
        _check_same_run(config, serialization_dir)
    elif serialization_dir.exists() and any(serialization_dir.iterdir()):
        if not force:
            raise ConfigurationError(
                f"{serialization_dir} is not empty. Go on with the run there with --recover, replace it "
                "with --force, or choose another --serialization_dir."
            )
        if not written.is_file():
            raise ConfigurationError(
                f"{serialization_dir} holds no run ({CONFIG_FILE} is missing), so --force will not "
                "replace it. Choose another --serialization_dir."
            )
        shutil.rmtree(serialization_dir)
    try:
        serialization_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"cannot be made: {error.strerror}. Choose another --serialization_dir.",
            serialization_dir,
        ) from error
    write_json(written, config)


def _check_same_run(config: Config, serialization_dir: Path) -> None:
    written = serialization_dir / CONFIG_FILE
    if not written.is_file():
        raise ConfigurationError(
            f"{serialization_dir} holds no run to recover: {CONFIG_FILE} is missing. Start it without "
            "--recover."
        )
    changed = [
        path for path in differences(load_config(written), config) if path not in HARMLESS_CHANGES
    ]
    if changed:
        raise ConfigurationError(
            f"the run in {serialization_dir} was started with another config; these keys differ: "
            f"{', '.join(changed)}. Recover it with its own config, or start a new run elsewhere. "
            f"(These may differ: {', '.join(HARMLESS_CHANGES)}.)"
        )


def assemble(config: Config, serialization_dir: Path, splits: Sequence[str]) -> Experiment:
    """
    Reads the data, makes or loads the vocabulary, and builds the model.

    # Parameters

    config : `Config`
    serialization_dir : `Path`
        A vocabulary that is there already is taken as it is.
    splits : `Sequence[str]`
        Which of the tasks' splits to read.
    """
    seed = config.get("seed", DEFAULT_SEED)
    seed_everything(seed)
    tasks = [read_task(name, config[TASK_PREFIX + name]) for name in task_names(config)]
    corpora = {
        task.name: read_corpora(
            task,
            config[TASK_PREFIX + task.name]["data_params"],
            config.get("data_root", ""),
            splits,
        )
        for task in tasks
    }
    vocab = _vocabulary(config, corpora, serialization_dir)
    _index(corpora, vocab, config.get("unseen_labels", "error"))
    data = [
        _batches(task, corpora[task.name], config["iterators"], seed + number)
        for number, task in enumerate(tasks)
    ]
    device = choose_device(config["multi_task_trainer"].get("cuda_device"))
    model = build_model(config, vocab).to(device)
    return Experiment(config, serialization_dir, vocab, data, model, device)


def read_task(name: str, section: Dict[str, Any]) -> Task:
    """A task from its section of the config."""
    description = section["task_description"]
    return Task(
        name,
        description.get("validation_metric_name", Task.validation_metric),
        description.get("validation_metric_decreases", Task.metric_decreases),
        description.get("evaluate_on_test", Task.evaluate_on_test),
    )


def _vocabulary(
    config: Config, corpora: Dict[str, TaskCorpora], serialization_dir: Path
) -> Vocabulary:
    saved = serialization_dir / VOCABULARY_DIR
    if saved.is_dir():
        return Vocabulary.from_files(str(saved))
    instances = [
        instance
        for name, task_corpora in corpora.items()
        for split in config[TASK_PREFIX + name]["data_params"].get(
            "datasets_for_vocab_creation", ["train"]
        )
        for instance in task_corpora.split_named(split)
    ]
    vocab = Vocabulary.from_params(Params(dict(config.get("vocabulary", {}))), instances=instances)
    # Written under another name first: a vocabulary that is there is a whole one.
    partial = serialization_dir / f".{VOCABULARY_DIR}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    vocab.save_to_files(str(partial))
    partial.rename(saved)
    return vocab


def _index(corpora: Dict[str, TaskCorpora], vocab: Vocabulary, unseen_labels: str) -> None:
    if unseen_labels not in UNSEEN_LABEL_RULES:
        raise ConfigurationError(
            f"unseen_labels is {unseen_labels!r}; choose one of {', '.join(UNSEEN_LABEL_RULES)}"
        )
    for name, task_corpora in corpora.items():
        for split, instances in task_corpora.splits.items():
            apply_unseen_label_rule(instances, vocab, unseen_labels, f"{split} data of task {name}")
            for instance in instances:
                instance.index_fields(vocab)


def _batches(task: Task, corpora: TaskCorpora, iterators: Dict[str, Any], seed: int) -> TaskData:
    block = iterators.get(f"iterator_{task.name}", iterators.get("iterator"))
    if block is None:
        raise ConfigurationError(
            f"iterators says nothing for task {task.name!r}: write iterators.iterator_{task.name}, or "
            "iterators.iterator for all tasks"
        )
    batching = Batching.from_params(Params(dict(block)))
    splits = corpora.splits
    test = splits.get("test") if task.evaluate_on_test else None
    return TaskData(
        task,
        training=BatchStream(splits["train"], batching, seed) if "train" in splits else None,
        validation=(
            EvaluationBatches(splits["validation"], batching) if "validation" in splits else None
        ),
        test=None if test is None else EvaluationBatches(test, batching),
    )


def build_model(config: Config, vocab: Vocabulary) -> Hmtl:
    """The model that a config describes, with fresh weights, on the CPU."""
    block = config["model"]
    levels = {name: block[name] for name in level_names(config)}
    params = {key: value for key, value in block.items() if key not in levels}
    params["levels"] = levels
    if "regularizer" in config:
        params["regularizer"] = config["regularizer"]
    model = Model.from_params(Params(copy.deepcopy(params)), vocab=vocab)
    assert isinstance(model, Hmtl)
    return model


def build_trainer(experiment: Experiment) -> MultiTaskTrainer:
    """The trainer that a config describes."""
    config = experiment.config
    own, surrounding = _split_trainer_block(config)
    own.setdefault("type", MultiTaskTrainer.list_available()[0])
    callbacks: List[Callback] = [
        ConsoleCallback(show_progress_bars=not surrounding.get("no_tqdm", False)),
        TensorBoardCallback(
            experiment.serialization_dir,
            **{key: surrounding[key] for key in LOGGING_KEYS if key in surrounding},
        ),
    ]
    return MultiTaskTrainer.from_params(
        Params(own),
        model=experiment.model,
        tasks={data.task.name: data for data in experiment.tasks},
        device=experiment.device,
        checkpointer=Checkpointer(experiment.serialization_dir),
        callbacks=callbacks,
        seed=config.get("seed", DEFAULT_SEED),
        schedulers=_schedulers(surrounding.get("scheduler"), experiment.tasks),
    )


def _split_trainer_block(config: Config) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """The trainer's own parameters, and those that say who watches it and where it runs."""
    block = copy.deepcopy(config["multi_task_trainer"])
    surrounding = {key: block.pop(key) for key in SURROUNDING_KEYS if key in block}
    return block, surrounding


def _schedulers(
    block: Optional[Dict[str, Any]], tasks: List[TaskData]
) -> Dict[str, Lazy[LearningRateScheduler]]:
    """A scheduler per task; one that waits for a metric is told the direction of the task's."""
    if block is None:
        return {}
    schedulers = {}
    for data in tasks:
        params = copy.deepcopy(block)
        if params.get("type") == "reduce_on_plateau":
            params["mode"] = "min" if data.task.metric_decreases else "max"
        schedulers[data.task.name] = Lazy(LearningRateScheduler, Params(params))
    return schedulers


def format_duration(seconds: float) -> str:
    """Days, hours, minutes and seconds as `DD:HH:MM:SS`, days from 00."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    return f"{day:02}:{hour:02}:{minute:02}:{second:02}"
