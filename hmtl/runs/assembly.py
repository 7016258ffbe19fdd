"""
From a config to all that a run consists of. Here the order of assembly can be seen:
tasks -> data -> vocabulary -> batches -> model.
"""

import logging
from collections import deque
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Type

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import import_module_and_submodules
from allennlp.data import Instance, Vocabulary
from allennlp.models import Model

from hmtl.common.files import sha256_of, sha256_of_tree
from hmtl.common.random_state import seed_everything
from hmtl.common.reporting import CALIBRATION, HEADLINE
from hmtl.common.tensors import give_weights
from hmtl.config.building import build, type_of
from hmtl.config.cache_settings import CacheSettings
from hmtl.config.checking import check_config, check_patterns
from hmtl.config.schema import (
    ITERATOR,
    TASK_PREFIX,
    Config,
    RunConfig,
    TaskConfig,
    TrainerConfig,
)
from hmtl.config.task import Task
from hmtl.data.batch_stream import BatchStream, EvaluationBatches
from hmtl.data.batching import Batching
from hmtl.data.cache.cached_split import CachedSplit
from hmtl.data.cache.columns import NotRepresentable
from hmtl.data.corpora import TaskCorpora, locate_splits, minding_hidden_labels
from hmtl.data.corpus_cache import CorpusCache, Sources
from hmtl.data.parts import Part
from hmtl.data.readers.unseen_labels import apply_unseen_label_rule, warn_of_misses
from hmtl.data.shared_documents import warn_of_shared_documents
from hmtl.data.split_source import SplitSource
from hmtl.data.streamed_instances import StreamedInstances
from hmtl.metrics.calibration import ScoredAnswers
from hmtl.models.heads.head import Head
from hmtl.models.hmtl import Hmtl
from hmtl.modules.embedding_cache import cache_frozen_embedders
from hmtl.modules.size_limit import within_memory
from hmtl.modules.word_embedding import numbered_lines
from hmtl.runs.calibration import calibrate_heads, read_calibration
from hmtl.runs.directory import (
    VOCABULARY_DIR,
    check_vocabulary,
    load_vocabulary,
    save_vocabulary,
)
from hmtl.training.checkpoints import Checkpointer, best_weights_name
from hmtl.training.console import progress_bar
from hmtl.training.distributed import SINGLE_PROCESS, ProcessGroup
from hmtl.training.evaluation import ProgressBar, evaluate_on_test, no_progress_bar
from hmtl.training.tasks import TaskData

logger = logging.getLogger(__name__)

# Makes a vocabulary from all instances that it is to be made from, and the config's block `vocabulary`.
MakeVocabulary = Callable[[Iterable[Instance], Config], Vocabulary]

# Readers, heads and layers are reached by their registered names, which exist once they are imported.
for _package in ("hmtl.data.readers", "hmtl.models", "hmtl.modules", "hmtl.training"):
    import_module_and_submodules(_package)


@dataclass
class Experiment:
    """
    A model with its data: what training, evaluation, probing and prediction have in common.

    `serialization_dir` holds the run's files; the model is on `device`. `processes` are those that train and
    score it together.
    """

    config: RunConfig
    serialization_dir: Path
    vocab: Vocabulary
    tasks: List[TaskData]
    model: Hmtl
    device: torch.device
    processes: ProcessGroup = SINGLE_PROCESS

    @property
    def progress_bar(self) -> ProgressBar:
        """Return what shows how far an evaluation has come."""
        hidden = self.config.trainer.no_tqdm
        return no_progress_bar if hidden or not self.processes.is_main else progress_bar

    def load_best(self, task_name: str) -> None:
        """
        Give the model the weights of a task's best epoch, and its heads what was calibrated with these.

        # Raises

        DataError
            When there are none, or they are another model's.
        """
        checkpointer = Checkpointer(self.serialization_dir)
        path = self.serialization_dir / best_weights_name(task_name)
        give_weights(self.model, checkpointer.load_best(task_name), path)
        calibration = read_calibration(self.serialization_dir)
        calibrate_heads(dict(self.model.heads), calibration, [task_name])

    def evaluate_best_weights(
        self,
        best_epochs: Optional[Mapping[str, Optional[int]]] = None,
        with_calibration: bool = False,
    ) -> Dict[str, Any]:
        """
        Return, for each task's best weights, the test metrics of every task that has `evaluate_on_test`, and
        which of them the task's head is judged by.

        # Parameters

        best_epochs : `Dict[str, int]`, optional
            By task. Tasks with one best epoch have one set of weights, which is then scored once; where
            it is not told, the content of the files is compared.
        with_calibration : `bool`, optional (default = `False`)
            Tell under `calibration` how the probabilities of a task's answers compare with how often they are
            right, where its head knows both.
        """
        by_task: Dict[str, Dict[str, Any]] = {}
        for names in self.tasks_by_weights(best_epochs):
            self.load_best(names[0])
            logger.info("scoring the best weights of %s on the test splits", names[0])
            scored = {data.task.name: ScoredAnswers() for data in self.tasks}
            metrics = evaluate_on_test(
                self.model,
                self.tasks,
                self.device,
                self.progress_bar,
                self.processes,
                scored if with_calibration else None,
            )
            for name in names:
                by_task[name] = {"test": metrics}
                if scored[name].answers:
                    by_task[name][CALIBRATION] = scored[name].compute()
        return {
            data.task.name: {HEADLINE: data.task.judged_by, **by_task[data.task.name]}
            for data in self.tasks
        }

    def tasks_by_weights(
        self, best_epochs: Optional[Mapping[str, Optional[int]]] = None
    ) -> List[List[str]]:
        """Return the tasks that have the same best weights; see `evaluate_best_weights`."""
        by_weights: Dict[Any, List[str]] = {}
        checkpointer = Checkpointer(self.serialization_dir)
        for data in self.tasks:
            name = data.task.name
            weights: Any = (best_epochs or {}).get(name)
            path = checkpointer.whole_copy(best_weights_name(name))
            if weights is None:
                weights = sha256_of(path) if path.is_file() else path
            by_weights.setdefault(weights, []).append(name)
        return list(by_weights.values())


def parse_config(config: Config) -> RunConfig:
    """
    Check a complete config, and return its typed form, in which every task says by what it is judged.

    # Raises

    ConfigurationError
        When a key or a value anywhere in the config is not what it can be; names all that are.
    """
    check_config(config)
    run = RunConfig.of(config)
    for task in run.tasks:
        if task.task_description.validation_metric_name is None:
            metric = _head_class(run, task.name).validation_metric
            task.task_description.validation_metric_name = metric
            section = run.source[TASK_PREFIX + task.name]["task_description"]
            section["validation_metric_name"] = metric
    return run


def _head_class(run: RunConfig, task: str) -> Type[Head]:
    return Head.resolve_class_name(type_of(run.model.levels[task]["tagger"]))[0]


def new_vocabulary(instances: Iterable[Instance], block: Config) -> Vocabulary:
    """Return the vocabulary that a config's block describes."""
    return build(Vocabulary, block, instances=instances)


def assemble(
    config: RunConfig,
    serialization_dir: Path,
    splits: Sequence[str],
    make_vocabulary: MakeVocabulary = new_vocabulary,
    processes: ProcessGroup = SINGLE_PROCESS,
) -> Experiment:
    """
    Read the data, make or load the vocabulary, and build the model.

    # Parameters

    config : `RunConfig`
    serialization_dir : `Path`
        A vocabulary that is there already is taken as it is.
    splits : `Sequence[str]`
        Which of the tasks' splits to read.
    make_vocabulary : `MakeVocabulary`, optional
        Where there is no vocabulary yet.
    processes : `ProcessGroup`, optional
        Between which the batches are shared out.
    """
    seed_everything(config.seed)
    tasks = [
        replace(task_of(task), headline=_head_class(config, task.name).headline)
        for task in config.tasks
    ]
    sources = {
        task.name: locate_splits(task, config.task(task.name).data_params, config.data_root, splits)
        for task in tasks
    }
    corpora, vocab = _corpora(config, tasks, sources, serialization_dir, make_vocabulary)
    data = [
        _batches(task, corpora[task.name], config, config.seed + number, processes.part)
        for number, task in enumerate(tasks)
    ]
    device = processes.device(config.trainer.cuda_device)
    model = build_model(config, vocab).to(device)
    compute_as_said(model, config.trainer)
    for name, of_task in corpora.items():
        for split in of_task.splits.values():
            # The first of a stream would take the reading of many.
            first = () if isinstance(split, StreamedInstances) else islice(split, 1)
            for instance in first:
                model.check_fields(name, instance.fields)
    cache_frozen_embedders(model, CacheSettings.of(config.cache))
    return Experiment(config, serialization_dir, vocab, data, model, device, processes)


def compute_as_said(model: Hmtl, settings: TrainerConfig) -> None:
    """Let a model compute in the precision of its run, and products of matrices in this process as well."""
    model.precision = settings.precision
    torch.set_float32_matmul_precision(settings.matmul_precision)


def task_of(config: TaskConfig) -> Task:
    """Return what the trainer and the reports know of a task."""
    description = config.task_description
    return Task(
        config.name,
        description.validation_metric_name or Task.validation_metric,
        description.validation_metric_decreases,
        description.evaluate_on_test,
    )


def _corpora(
    config: RunConfig,
    tasks: List[Task],
    sources: Sources,
    serialization_dir: Path,
    make_vocabulary: MakeVocabulary,
) -> Tuple[Dict[str, TaskCorpora], Vocabulary]:
    """Indexed instances, from the cache or from the corpora themselves, and what they are indexed with."""
    saved = serialization_dir / VOCABULARY_DIR
    # Only what follows from the config alone can be known again.
    makers = [] if make_vocabulary is not new_vocabulary else _vocabulary_sources(config, sources)
    cache = CorpusCache(
        CacheSettings.of(config.cache), sources, config.vocabulary, makers, config.unseen_labels
    )
    is_new = not saved.is_dir()
    if not is_new:
        # Now, as to read the corpora may take long.
        check_vocabulary(saved)
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
    vocab = _vocabulary(config, corpora, saved, make_vocabulary)
    _index(corpora, sources, vocab, config.unseen_labels)
    if is_new:
        check_vocabulary(saved)
    if cached is None:
        cache.keep({name: of_task.splits for name, of_task in corpora.items()}, saved, is_new)
    return corpora, vocab


def _vocabulary_sources(config: RunConfig, sources: Sources) -> List[SplitSource]:
    """Where the vocabulary comes from; nothing where a split of these is not to be read."""
    names = [
        (task.name, split)
        for task in config.tasks
        for split in task.data_params.datasets_for_vocab_creation
    ]
    if any(split not in sources[task] for task, split in names):
        return []
    return [sources[task][split] for task, split in names]


def _vocabulary(
    config: RunConfig,
    corpora: Dict[str, TaskCorpora],
    saved: Path,
    make_vocabulary: MakeVocabulary,
) -> Vocabulary:
    if saved.is_dir():
        return load_vocabulary(saved)
    # One at a time: a corpus may be larger than memory.
    instances = (
        instance
        for task in config.tasks
        for split in task.data_params.datasets_for_vocab_creation
        for instance in corpora[task.name].split_named(split)
    )
    for path in (config.vocabulary.get("pretrained_files") or {}).values():
        # AllenNLP reads whole lines, however long they are.
        deque(numbered_lines(path), maxlen=0)
    try:
        vocab = make_vocabulary(instances, config.vocabulary)
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
            elif isinstance(instances, CachedSplit):
                warn_of_misses(source.what, instances.misses)
            else:
                with minding_hidden_labels(split):
                    task_corpora.splits[split] = prepare(list(instances))


def _indexed(
    instances: List[Instance], vocab: Vocabulary, rule: str, what: str
) -> Sequence[Instance]:
    misses = apply_unseen_label_rule(instances, vocab, rule, what)
    try:
        return CachedSplit.of(instances, vocab, misses)
    except NotRepresentable as reason:
        logger.debug("%s stay as they are: %s", what, reason)
        for instance in instances:
            instance.index_fields(vocab)
        return instances


def _batches(
    task: Task, corpora: TaskCorpora, config: RunConfig, seed: int, part: Part
) -> TaskData:
    key = next(key for key in (f"{ITERATOR}_{task.name}", ITERATOR) if key in config.iterators)
    batching = build(Batching, config.iterators[key], f"iterators.{key}")
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


def build_model(config: RunConfig, vocab: Vocabulary) -> Hmtl:
    """Return the model that a config describes, with fresh weights, on the CPU."""
    block: Config = {
        "type": config.model.type,
        "text_field_embedder": config.model.text_field_embedder,
        "levels": config.model.levels,
    }
    if config.model.initializer is not None:
        block["initializer"] = config.model.initializer
    if config.regularizer is not None:
        block["regularizer"] = config.regularizer
    try:
        with within_memory():
            model = build(Model, block, vocab=vocab)
    except (OSError, ValueError, RuntimeError, MemoryError) as error:
        # Pretrained embeddings that are not there, and values that a layer of torch cannot take.
        raise ConfigurationError(f"model cannot be built: {error}") from error
    assert isinstance(model, Hmtl)
    _check_patterns(config, model)
    return model


def _check_patterns(config: RunConfig, model: Hmtl) -> None:
    names = [name for name, _ in model.named_parameters()]
    check_patterns(config.model.initializer, names, "model.initializer")
    check_patterns(config.regularizer, names, "regularizer")
    for level, head in model.heads.items():
        check_patterns(
            config.model.levels[level]["tagger"].get("initializer"),
            [name for name, _ in head.named_parameters()],
            f"model.{level}.tagger.initializer",
        )
