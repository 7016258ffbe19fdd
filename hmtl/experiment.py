"""
From a config to a run. This is the only reader of the config's top-level keys, and the one place where
the order of assembly can be seen: tasks -> data -> vocabulary -> batches -> model -> trainer.
"""

import copy
import logging
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import (
    Any,
    Callable,
    ContextManager,
    Dict,
    Iterable,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
)

import torch
from allennlp.common import Lazy, Params
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import import_module_and_submodules
from allennlp.data import DatasetReader, Instance, Vocabulary
from allennlp.models import Model
from allennlp.modules import TextFieldEmbedder
from allennlp.nn import InitializerApplicator, RegularizerApplicator
from allennlp.training.learning_rate_schedulers import LearningRateScheduler

from hmtl.config import (
    TASK_PREFIX,
    Config,
    level_names,
    load_config,
    task_names,
    token_embedders,
)
from hmtl.config_check import check_block, check_fields, check_patterns, check_type
from hmtl.config_safety import check_is_data, check_plain_names
from hmtl.corpora import TaskCorpora, locate_splits
from hmtl.data_cache.cached_split import CachedSplit
from hmtl.data_cache.columns import NotRepresentable
from hmtl.data_cache.corpus_cache import CorpusCache, Sources
from hmtl.data_cache.settings import FIELDS as CACHE
from hmtl.data_cache.settings import CacheSettings
from hmtl.dataset_readers.unseen_labels import UNSEEN_LABEL_RULES, apply_unseen_label_rule
from hmtl.errors import DataError
from hmtl.files import sha256_of, sha256_of_tree, sole_writer, write_json
from hmtl.fine_tuning.options import FineTuningOptions
from hmtl.model_card import write_model_card
from hmtl.models.encoders import Level
from hmtl.models.heads.coreference_resolver import CoreferenceResolver
from hmtl.models.hmtl import Hmtl
from hmtl.modules.embedding_cache import cache_frozen_embedders
from hmtl.run_directory import (
    CONFIG_FILE,
    PRETRAINED_DIR,
    config_written_in,
    load_vocabulary,
    prepare_directory,
    save_vocabulary,
)
from hmtl.run_environment import record_environment
from hmtl.shared_documents import warn_of_shared_documents
from hmtl.split_source import SplitSource
from hmtl.tasks.task import Task
from hmtl.training.batch_stream import BatchStream, EvaluationBatches
from hmtl.training.batching import Batching
from hmtl.training.callbacks import Callback
from hmtl.training.checkpointer import Checkpointer, CheckpointReader, best_weights_name
from hmtl.training.console import ConsoleCallback, progress_bar
from hmtl.training.distributed import (
    ALONE,
    TIMEOUT_MINUTES,
    Processes,
    begun_again,
    taking_part,
)
from hmtl.training.evaluation import ProgressBar, evaluate_on_test, no_progress_bar
from hmtl.training.history import HistoryCallback
from hmtl.training.parameter_groups import check_parameter_groups
from hmtl.training.parts import Part
from hmtl.training.random_state import seed_everything
from hmtl.training.streamed_instances import StreamedInstances
from hmtl.training.task_training import TaskData
from hmtl.training.tensorboard import TensorBoardCallback
from hmtl.training.trackers import Tracker, build_trackers, check_trackers
from hmtl.training.trainer import MultiTaskTrainer
from hmtl.transformer_files import (
    check_transformers,
    warn_of_lost_case,
    with_kept_transformers,
    with_word_starts,
)

logger = logging.getLogger(__name__)

DEFAULT_SEED = 13370
VOCABULARY_DIR = "vocabulary"
METRICS_FILE = "metrics.json"
EVALUATION_FILE = "evaluate_metrics.json"

SPLITS = ("train", "validation", "test")
# The keys of the sections that no constructor takes as they are, and what stands there.
TOP_LEVEL: Dict[str, Any] = {
    "seed": int,
    "data_root": str,
    "unseen_labels": str,
    "vocabulary": Any,
    "model": Dict[str, Any],
    "iterators": Dict[str, Any],
    "multi_task_trainer": Dict[str, Any],
    "regularizer": Optional[RegularizerApplicator],
    "fine_tuning": Optional[FineTuningOptions],
    "cache": Dict[str, Any],
}
TASK_SECTION = {"task_description": Dict[str, Any], "data_params": Dict[str, Any]}
TASK_DESCRIPTION = {
    "task_name": str,
    "validation_metric_name": str,
    "validation_metric_decreases": bool,
    "evaluate_on_test": bool,
}
DATA_PARAMS = {
    "dataset_reader": DatasetReader,
    "validation_dataset_reader": Optional[DatasetReader],
    "train_data_path": Optional[str],
    "validation_data_path": Optional[str],
    "test_data_path": Optional[str],
    "max_instances_in_memory": Optional[int],
    "train_fraction": Optional[float],
    "datasets_for_vocab_creation": List[str],
}
# Keys of `multi_task_trainer` that are not the trainer's own but say who watches it and where it runs.
LOGGING = {
    "summary_interval": int,
    "log_parameter_statistics": bool,
    "log_gradient_statistics": bool,
}
SURROUNDINGS = {
    **LOGGING,
    "no_tqdm": bool,
    "keep_last": int,
    "cuda_device": Optional[int],
    "distributed_timeout_minutes": float,
    "scheduler": Optional[LearningRateScheduler],
    "trackers": Optional[List[Tracker]],
}
# What the trainer is handed beside its block of the config.
BUILT_PARTS = (
    *("model", "tasks", "device", "checkpointer", "callbacks", "seed", "schedulers", "processes"),
    *("optimizer.model_parameters", "scheduler.optimizer", "scheduler.then.optimizer"),
    *("sampling_method.batches_per_pass", "sampling_method.seed"),
    *("sampling_method.num_epochs", "sampling_method.metric_decreases"),
    *("loss_weighting.tasks", "loss_weighting.device"),
    *("gradient_surgery.model", "gradient_surgery.tasks", "gradient_surgery.seed"),
)
# What the model adds to a head's block.
HEAD_SIZES = ("tagger.vocab", "tagger.input_dim", "tagger.encoded_dim")

# A run may go on with other values of these: they change how long it runs, where, and what is shown and
# kept. (That the data are the same is checked by their content.)
HARMLESS_CHANGES = (
    "data_root",
    "cache",
    *(f"cache.{key}" for key in CACHE),
    *(
        f"multi_task_trainer.{key}"
        for key in (
            "num_epochs",
            "cuda_device",
            "distributed_timeout_minutes",
            "no_tqdm",
            "checkpoint_every_n_steps",
            "checkpoint_every_minutes",
            "on_invalid_loss",
            "max_skipped_batches",
            "keep_last",
            "trackers",
            *LOGGING,
        )
    ),
)

# Makes a vocabulary from all instances that it is to be made from, and the config's block `vocabulary`.
MakeVocabulary = Callable[[Iterable[Instance], Dict[str, Any]], Vocabulary]

# Readers, heads and layers are reached by their registered names, which exist once they are imported.
for _package in ("hmtl.dataset_readers", "hmtl.models", "hmtl.modules", "hmtl.training"):
    import_module_and_submodules(_package)


@dataclass
class Experiment:
    """
    A model with its data: what training, evaluation, probing and prediction have in common.

    `serialization_dir` holds the run's files; the model is on `device`. `processes` are those that train and
    score it together.
    """

    config: Config
    serialization_dir: Path
    vocab: Vocabulary
    tasks: List[TaskData]
    model: Hmtl
    device: torch.device
    processes: Processes = ALONE

    @property
    def progress_bar(self) -> ProgressBar:
        """As the config wants it."""
        hidden = self.config["multi_task_trainer"].get("no_tqdm", False)
        return no_progress_bar if hidden or not self.processes.is_main else progress_bar

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
            By task. Tasks with one best epoch have one set of weights, which is then scored once; where
            it is not told, the content of the files is compared.
        """
        results: Dict[str, Any] = {}
        by_weights: Dict[Any, Dict[str, Any]] = {}
        for data in self.tasks:
            name = data.task.name
            weights: Any = (best_epochs or {}).get(name)
            path = self.serialization_dir / best_weights_name(name)
            if weights is None and path.is_file():
                weights = sha256_of(path)
            if weights not in by_weights:
                self.load_best(name)
                logger.info("scoring the best weights of %s on the test splits", name)
                by_weights[weights] = evaluate_on_test(
                    self.model, self.tasks, self.device, self.progress_bar, self.processes
                )
            results[name] = {"test": by_weights[weights]}
        return results


def train(config: Config, serialization_dir: Path, recover: bool, force: bool) -> Dict[str, Any]:
    """
    Trains what a config describes, and scores it; together with other processes, if torchrun has started
    several.

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
    check_trackers(config["multi_task_trainer"].get("trackers"))
    recover, force = begun_again(recover, force)
    if recover and (serialization_dir / PRETRAINED_DIR).is_dir():
        raise ConfigurationError(
            f"the run in {serialization_dir} was started by fine_tune.py. Recover it with fine_tune.py."
        )
    if "fine_tuning" in config:
        logger.warning("train.py starts from nothing: the config's section fine_tuning is not used")
    config = with_word_starts(config, config_written_in(serialization_dir) if recover else None)
    warn_of_lost_case(config)
    with _taking_part(config) as processes, ExitStack() as stack:
        if processes.is_main:
            stack.enter_context(sole_writer(serialization_dir))
            prepare_directory(config, serialization_dir, recover, force, HARMLESS_CHANGES)
        _check_is_shared(serialization_dir, processes)
        with processes.main_first():
            experiment = assemble(config, serialization_dir, SPLITS, processes=processes)
        _check_same_everywhere(experiment)
        processes.draw_apart()
        trainer = build_trainer(experiment)
        if recover:
            go_on(trainer)
        metrics = train_and_score(experiment, trainer)
        if processes.is_main:
            write_json(serialization_dir / METRICS_FILE, metrics)
    return metrics


def _taking_part(config: Config) -> ContextManager[Processes]:
    block = config["multi_task_trainer"]
    timeout = block.get("distributed_timeout_minutes", TIMEOUT_MINUTES)
    return taking_part(block.get("cuda_device"), timeout)


def _check_is_shared(serialization_dir: Path, processes: Processes) -> None:
    """All must see the directory that process 0 has just written to."""
    with processes.main_first():
        written = serialization_dir / CONFIG_FILE
        moment = int(written.stat().st_mtime) if written.is_file() else None
    processes.check_same(
        f"{serialization_dir} (which must be on a file system that all machines share)", moment
    )


def _check_same_everywhere(experiment: Experiment) -> None:
    """Several machines may have different files."""
    processes = experiment.processes
    processes.check_same("the config", experiment.config)
    for data in experiment.tasks:
        processes.check_same(f"the data of task {data.task.name!r}", data.digests)


def go_on(trainer: MultiTaskTrainer) -> bool:
    """Goes back to the run's last checkpoint; false, with a warning, if it had not reached its first."""
    reached = trainer.recover()
    if not reached:
        logger.warning("the run had not reached its first checkpoint: it starts at its beginning")
    return reached


def train_and_score(experiment: Experiment, trainer: MultiTaskTrainer) -> Dict[str, Any]:
    """
    Trains on to the end, and scores each task's best weights.

    # Returns

    metrics : `Dict[str, Any]`
        As they stand in `metrics.json`.
    """
    is_main = experiment.processes.is_main
    if is_main:
        record_environment(experiment.serialization_dir)
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
    if is_main:
        write_model_card(
            experiment.serialization_dir,
            *(experiment.config, metrics, experiment.model, experiment.tasks),
        )
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


def load(
    serialization_dir: Path, prepare: Optional[Callable[[Config], Config]] = None
) -> Experiment:
    """
    The experiment of an existing run, with its test data and its saved vocabulary; the model's weights
    are still to be loaded.

    # Parameters

    serialization_dir : `Path`
    prepare : `Callable[[Config], Config]`, optional (default = `None`)
        What is to be done with the run's config before it is used.

    # Raises

    DataError
        When the directory holds no run.
    """
    config = config_of_run(serialization_dir, prepare)
    return assemble(config, serialization_dir, ("test",))


def config_of_run(
    serialization_dir: Path,
    prepare: Optional[Callable[[Config], Config]] = None,
    weights_follow: bool = True,
) -> Config:
    """
    The config of an existing run, checked.

    # Parameters

    serialization_dir : `Path`
    prepare : `Callable[[Config], Config]`, optional (default = `None`)
        What is to be done with it before it is used.
    weights_follow : `bool`, optional (default = `True`)
        The run's own weights are to be loaded: the pretrained files that it began with are not needed.

    # Raises

    DataError
        When the directory holds no run.
    """
    path = serialization_dir / CONFIG_FILE
    if not path.is_file():
        raise DataError(
            f"there is no {CONFIG_FILE} here, so this is no run of train.py. Give the directory that was "
            "its --serialization_dir.",
            serialization_dir,
        )
    config = load_config(path, prepare=prepare)
    if weights_follow:
        config = without_pretrained_files(config, serialization_dir)
    check_config(config)
    return config


def check_config(config: Config) -> None:
    """
    # Raises

    ConfigurationError
        When a key or a type anywhere in the config is unknown.
    """
    tasks = task_names(config)
    check_is_data(config)
    check_plain_names(tasks, "the task name")
    sections = {TASK_PREFIX + name: Dict[str, Any] for name in tasks}
    check_fields(config, {**TOP_LEVEL, **sections}, "")
    for section in sections:
        check_fields(config[section], TASK_SECTION, section)
        for key, fields in (("task_description", TASK_DESCRIPTION), ("data_params", DATA_PARAMS)):
            check_fields(config[section][key], fields, f"{section}.{key}")
    check_fields(config.get("cache", {}), CACHE, "cache")
    check_block(Optional[Vocabulary], config.get("vocabulary"), "vocabulary", skip=("instances",))
    known_iterators = {f"iterator_{name}": Batching for name in tasks}
    check_fields(config["iterators"], {"iterator": Batching, **known_iterators}, "iterators")
    _check_model(config)
    check_block(
        MultiTaskTrainer,
        config["multi_task_trainer"],
        "multi_task_trainer",
        skip=BUILT_PARTS,
        beside=SURROUNDINGS,
    )
    check_transformers(config)


def _check_model(config: Config) -> None:
    model = config["model"]
    check_type(Model, model["type"], "model.type")
    check_block(TextFieldEmbedder, model["text_field_embedder"], "model.text_field_embedder")
    check_block(Optional[InitializerApplicator], model.get("initializer"), "model.initializer")
    for name in level_names(config):
        check_block(Level, model[name], f"model.{name}", skip=HEAD_SIZES)


def new_vocabulary(instances: Iterable[Instance], block: Dict[str, Any]) -> Vocabulary:
    """The vocabulary that a config's block describes."""
    return Vocabulary.from_params(Params(copy.deepcopy(block)), instances=instances)


def assemble(
    config: Config,
    serialization_dir: Path,
    splits: Sequence[str],
    make_vocabulary: MakeVocabulary = new_vocabulary,
    processes: Processes = ALONE,
) -> Experiment:
    """
    Reads the data, makes or loads the vocabulary, and builds the model.

    # Parameters

    config : `Config`
    serialization_dir : `Path`
        A vocabulary that is there already is taken as it is.
    splits : `Sequence[str]`
        Which of the tasks' splits to read.
    make_vocabulary : `MakeVocabulary`, optional
        Where there is no vocabulary yet.
    processes : `Processes`, optional
        Between which the batches are shared out.
    """
    seed = config.get("seed", DEFAULT_SEED)
    seed_everything(seed)
    tasks = [read_task(name, config[TASK_PREFIX + name]) for name in task_names(config)]
    sources = {
        task.name: locate_splits(
            task,
            config[TASK_PREFIX + task.name]["data_params"],
            config.get("data_root", ""),
            splits,
        )
        for task in tasks
    }
    corpora, vocab = _corpora(config, tasks, sources, serialization_dir, make_vocabulary)
    data = [
        _batches(task, corpora[task.name], config["iterators"], seed + number, processes.part)
        for number, task in enumerate(tasks)
    ]
    device = processes.device(config["multi_task_trainer"].get("cuda_device"))
    model = build_model(config, vocab).to(device)
    cache_frozen_embedders(model, CacheSettings.of(config.get("cache", {})))
    return Experiment(config, serialization_dir, vocab, data, model, device, processes)


def read_task(name: str, section: Dict[str, Any]) -> Task:
    """A task from its section of the config."""
    description = section["task_description"]
    return Task(
        name,
        description.get("validation_metric_name", Task.validation_metric),
        description.get("validation_metric_decreases", Task.metric_decreases),
        description.get("evaluate_on_test", Task.evaluate_on_test),
    )


def _corpora(
    config: Config,
    tasks: List[Task],
    sources: Sources,
    serialization_dir: Path,
    make_vocabulary: MakeVocabulary,
) -> Tuple[Dict[str, TaskCorpora], Vocabulary]:
    """Indexed instances, from the cache or from the corpora themselves, and what they are indexed with."""
    rule = config.get("unseen_labels", "error")
    if rule not in UNSEEN_LABEL_RULES:
        raise ConfigurationError(
            f"unseen_labels is {rule!r}; choose one of {', '.join(UNSEEN_LABEL_RULES)}"
        )
    saved = serialization_dir / VOCABULARY_DIR
    # Only what follows from the config alone can be known again.
    makers = [] if make_vocabulary is not new_vocabulary else _vocabulary_sources(config, sources)
    cache = CorpusCache(
        CacheSettings.of(config.get("cache", {})),
        *(sources, config.get("vocabulary", {}), makers, rule),
    )
    cached = cache.load(saved)
    corpora = {
        task.name: TaskCorpora.of(
            task,
            sources[task.name],
            {
                split: source.read()
                if cached is None
                else cached[task.name].get(split) or source.read()
                for split, source in sources[task.name].items()
            },
        )
        for task in tasks
    }
    warn_of_shared_documents(corpora)
    vocab = _vocabulary(config, corpora, serialization_dir, make_vocabulary)
    _index(corpora, sources, vocab, rule)
    if cached is None:
        cache.keep({name: of_task.splits for name, of_task in corpora.items()}, saved)
    return corpora, vocab


def _vocabulary_splits(config: Config, task_name: str) -> List[str]:
    """Which splits of a task the vocabulary is made from."""
    return config[TASK_PREFIX + task_name]["data_params"].get(
        "datasets_for_vocab_creation", ["train"]
    )


def _vocabulary_sources(config: Config, sources: Sources) -> List[SplitSource]:
    """Where the vocabulary comes from; nothing where a split of these is not to be read."""
    names = [(task, split) for task in sources for split in _vocabulary_splits(config, task)]
    if any(split not in sources[task] for task, split in names):
        return []
    return [sources[task][split] for task, split in names]


def _vocabulary(
    config: Config,
    corpora: Dict[str, TaskCorpora],
    serialization_dir: Path,
    make_vocabulary: MakeVocabulary,
) -> Vocabulary:
    saved = serialization_dir / VOCABULARY_DIR
    if saved.is_dir():
        return load_vocabulary(saved)
    # One at a time: a corpus may be larger than memory.
    instances = (
        instance
        for name, task_corpora in corpora.items()
        for split in _vocabulary_splits(config, name)
        for instance in task_corpora.split_named(split)
    )
    try:
        vocab = make_vocabulary(instances, config.get("vocabulary", {}))
    except (OSError, ValueError) as error:
        # A directory or a file of vectors that is not there.
        raise ConfigurationError(f"vocabulary cannot be made: {error}") from error
    save_vocabulary(vocab, saved)
    return vocab


def _index(
    corpora: Dict[str, TaskCorpora], sources: Sources, vocab: Vocabulary, unseen_labels: str
) -> None:
    for name, task_corpora in corpora.items():
        for split, instances in task_corpora.splits.items():
            source = sources[name][split]
            prepare = partial(_indexed, vocab=vocab, rule=unseen_labels, what=source.what)
            if isinstance(instances, StreamedInstances):
                instances.prepare_with(prepare)
            elif not isinstance(instances, CachedSplit):
                with source.recording():
                    task_corpora.splits[split] = prepare(list(instances))


def _indexed(
    instances: List[Instance], vocab: Vocabulary, rule: str, what: str
) -> Sequence[Instance]:
    apply_unseen_label_rule(instances, vocab, rule, what)
    try:
        return CachedSplit.of(instances, vocab)
    except NotRepresentable as reason:
        logger.debug("%s stay as they are: %s", what, reason)
        for instance in instances:
            instance.index_fields(vocab)
        return instances


def _batches(
    task: Task, corpora: TaskCorpora, iterators: Dict[str, Any], seed: int, part: Part
) -> TaskData:
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
        training=BatchStream(splits["train"], batching, seed, part) if "train" in splits else None,
        validation=(
            EvaluationBatches(list(splits["validation"]), batching, part)
            if "validation" in splits
            else None
        ),
        test=None if test is None else EvaluationBatches(list(test), batching, part),
        digests={split: sha256_of_tree(path) for split, path in corpora.paths.items()},
    )


def build_model(config: Config, vocab: Vocabulary) -> Hmtl:
    """The model that a config describes, with fresh weights, on the CPU."""
    block = config["model"]
    levels = {name: block[name] for name in level_names(config)}
    params = {key: value for key, value in block.items() if key not in levels}
    params["levels"] = levels
    if "regularizer" in config:
        params["regularizer"] = config["regularizer"]
    try:
        model = Model.from_params(Params(copy.deepcopy(params)), vocab=vocab)
    except (OSError, ValueError, RuntimeError) as error:
        # Pretrained embeddings that are not there, and values that a layer of torch cannot take.
        raise ConfigurationError(f"model cannot be built: {error}") from error
    assert isinstance(model, Hmtl)
    _check_patterns(config, model)
    return model


def _check_patterns(config: Config, model: Hmtl) -> None:
    names = [name for name, _ in model.named_parameters()]
    check_patterns(config["model"].get("initializer"), names, "model.initializer")
    check_patterns(config.get("regularizer"), names, "regularizer")
    for level, head in model.heads.items():
        check_patterns(
            config["model"][level]["tagger"].get("initializer"),
            [name for name, _ in head.named_parameters()],
            f"model.{level}.tagger.initializer",
        )


def without_pretrained_files(config: Config, serialization_dir: Path) -> Config:
    """
    A copy for a model that is to be given a run's weights: it does without the files of word vectors and of
    transformers that training started from.
    """
    config = with_kept_transformers(config, serialization_dir)
    for embedder in token_embedders(config).values():
        embedder.pop("pretrained_file", None)
    return config


def build_trainer(experiment: Experiment) -> MultiTaskTrainer:
    """The trainer that a config describes."""
    config = experiment.config
    _check_parameter_groups(config, experiment.model)
    own, surrounding = _split_trainer_block(config)
    own.setdefault("type", MultiTaskTrainer.list_available()[0])
    kept = {key: surrounding[key] for key in ("keep_last",) if key in surrounding}
    processes = experiment.processes
    write_or_read = Checkpointer if processes.is_main else CheckpointReader
    try:
        return MultiTaskTrainer.from_params(
            Params(own),
            model=experiment.model,
            tasks={data.task.name: data for data in experiment.tasks},
            device=experiment.device,
            checkpointer=write_or_read(experiment.serialization_dir, **kept),
            callbacks=_watchers(experiment, surrounding) if processes.is_main else [],
            seed=config.get("seed", DEFAULT_SEED),
            schedulers=_schedulers(surrounding.get("scheduler"), experiment.tasks),
            processes=processes,
        )
    except ValueError as error:
        # How an optimizer or a scheduler of torch answers a value out of range.
        raise ConfigurationError(f"multi_task_trainer: {error}") from error


def _watchers(experiment: Experiment, surrounding: Dict[str, Any]) -> List[Callback]:
    """Those that show and log."""
    directory = experiment.serialization_dir
    figures = {key: surrounding[key] for key in LOGGING if key in surrounding}
    return [
        ConsoleCallback(show_progress_bars=not surrounding.get("no_tqdm", False)),
        TensorBoardCallback(directory, **figures),
        HistoryCallback(directory),
        *build_trackers(surrounding.get("trackers"), directory, experiment.config),
    ]


def _check_parameter_groups(config: Config, model: Hmtl) -> None:
    optimizer = config["multi_task_trainer"].get("optimizer")
    if isinstance(optimizer, dict):
        names = [name for name, each in model.named_parameters() if each.requires_grad]
        check_parameter_groups(optimizer.get("parameter_groups"), names)


def _split_trainer_block(config: Config) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """The trainer's own parameters, and those that say who watches it and where it runs."""
    block = copy.deepcopy(config["multi_task_trainer"])
    surrounding = {key: block.pop(key) for key in SURROUNDINGS if key in block}
    return block, surrounding


def _schedulers(
    block: Optional[Dict[str, Any]], tasks: List[TaskData]
) -> Dict[str, Lazy[LearningRateScheduler]]:
    """A scheduler per task; one that waits for a metric is told the direction of the task's."""
    if block is None:
        return {}
    return {
        data.task.name: Lazy(LearningRateScheduler, Params(_directed(block, data.task)))
        for data in tasks
    }


def _directed(block: Any, task: Task) -> Dict[str, Any]:
    """A scheduler's block, with the task's direction where it or the one that follows it waits for one."""
    block = {"type": block} if isinstance(block, str) else copy.deepcopy(block)
    if block["type"] == "reduce_on_plateau":
        block["mode"] = "min" if task.metric_decreases else "max"
    if block.get("then") is not None:
        block["then"] = _directed(block["then"], task)
    return block


def format_duration(seconds: float) -> str:
    """Days, hours, minutes and seconds as `DD:HH:MM:SS`, days from 00."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    return f"{day:02}:{hour:02}:{minute:02}:{second:02}"
