"""
The config of a run, described once: one entry a key says its type, its default, whether a resumed run may
change it, and what it means. From these entries come the check with its messages, the defaults in a run's
`config.json`, `docs/config.md` and the JSON Schema for editors.

What AllenNLP registers (readers, embedders, encoders, heads, optimizers) stays a block of JSON, a `Block`,
and is built by whoever needs it.
"""

import copy
import dataclasses
import importlib
import typing
from dataclasses import MISSING, dataclass, field
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple, Type, TypeVar, Union

from allennlp.data import DatasetReader, Vocabulary
from allennlp.modules import TextFieldEmbedder
from allennlp.nn import InitializerApplicator, RegularizerApplicator
from allennlp.training.learning_rate_schedulers import LearningRateScheduler
from allennlp.training.optimizers import Optimizer

from hmtl.common.precision import EXACT, FULL, MATMUL_PRECISIONS, PRECISIONS

Config = Dict[str, Any]
# The name of a registered class, or an object with its `type` and what its constructor takes.
Block = Union[str, Dict[str, Any]]

TASK_PREFIX = "task_"
ITERATOR = "iterator"
SPLITS = ("train", "validation", "test")
# What stands for the name of a split in paths and readers, and those names.
SPLIT_IN_PATH = "{split}"
FOLDER_OF_SPLIT = {"train": "train", "validation": "dev", "test": "test"}
# What a level `model.<name>` is not called, since the model has these keys itself.
MODEL_KEYS_THAT_ARE_NO_LEVELS = ("type", "text_field_embedder", "initializer")


@dataclass(frozen=True)
class Key:
    """
    What is known of a key besides its type and its default.

    # Parameters

    doc : `str`
        What it means.
    built : `Any`, optional
        What is built from a block: an annotation, or the dotted path of a class of ours. (This module stands
        below those classes, so it names them and does not import them.)
    given : `Tuple[str, ...]`, optional
        Constructor parameters of what is built that are not for the config to set.
    harmless : `bool`, optional
        Whether a run with another value is the same run: where it runs, and what is shown and kept.
    changeable : `bool` or `Tuple[str, ...]`, optional
        Whether a run may be resumed with another value, which its log then names; or the paths of what may
        change in the block (`*` stands for anything).
    minimum : `float`, optional
        The smallest value.
    above : `float`, optional
        A value that it must be more than.
    choices : `Tuple[str, ...]`, optional
        All values that there are.
    example : `Any`, optional
        For the reference in the docs.
    """

    doc: str
    built: Any = None
    given: Tuple[str, ...] = ()
    harmless: bool = False
    changeable: Union[bool, Tuple[str, ...]] = False
    minimum: Optional[float] = None
    above: Optional[float] = None
    choices: Tuple[str, ...] = ()
    example: Any = None

    @property
    def kind(self) -> Any:
        """The annotation of what is built; `None` where the value is taken as it is."""
        return registered_class(self.built) if isinstance(self.built, str) else self.built


def registered_class(path: str) -> Any:
    """Return what a dotted path names."""
    module, name = path.rsplit(".", 1)
    return getattr(importlib.import_module(module), name)


def key(doc: str, default: Any = MISSING, **more: Any) -> Any:
    """An entry of a section. Without a default, the config must have it."""
    metadata = {"key": Key(doc, **more)}
    if isinstance(default, (list, dict)):
        return field(default_factory=lambda: copy.deepcopy(default), metadata=metadata)
    if default is MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(kw_only=True)
class Section:
    """An object in the config whose keys are all known. Subclasses list them."""

    @classmethod
    def entries(cls) -> Iterator[Tuple[str, Any, Any, Key]]:
        """Name, annotation, default (`MISSING` where there is none) and `Key` of each, in order."""
        annotations = typing.get_type_hints(cls)
        for each in dataclasses.fields(cls):
            if "key" not in each.metadata:
                continue
            factory = each.default_factory
            default = each.default if factory is MISSING else factory()
            yield each.name, annotations[each.name], default, each.metadata["key"]

    @classmethod
    def of(cls: "Type[S]", block: Mapping[str, Any]) -> "S":
        """From a block that was checked; keys that the section does not know are left out."""
        known = {name for name, *_ in cls.entries()}
        return cls(**{name: copy.deepcopy(block[name]) for name in block if name in known})

    @classmethod
    def defaults(cls) -> Config:
        """Return those that say something, by name: not null, and not empty."""
        return {
            name: default
            for name, _, default, _ in cls.entries()
            if default is not MISSING and default not in (None, "", [], {})
        }


S = TypeVar("S", bound=Section)


@dataclass(kw_only=True)
class TaskDescription(Section):
    """`task_<name>.task_description`: what a task is judged by."""

    task_name: str = key("The task's name, that of the section.", "")
    validation_metric_name: Optional[str] = key(
        "The validation metric that decides which weights are best. The head's own where it is left out: "
        "`f1-measure-overall` of taggers and relations, `coref_f1` of coreference.",
        None,
        example="coref_f1",
    )
    validation_metric_decreases: bool = key("Whether less of that metric is better.", False)
    evaluate_on_test: bool = key("Whether test data are scored after training.", False)


@dataclass(kw_only=True)
class DataParams(Section):
    """`task_<name>.data_params`: what a task reads."""

    dataset_reader: Block = key(
        "What reads the data.", built=DatasetReader, example={"type": "conll2003"}
    )
    validation_dataset_reader: Optional[Block] = key(
        "What reads validation and test data, if something else.", None, built=DatasetReader
    )
    train_data_path: Optional[str] = key("Training data; starts from `data_root`.", None)
    validation_data_path: Optional[str] = key("Validation data.", None)
    test_data_path: Optional[str] = key("Test data.", None)
    text_field: Optional[str] = key(
        "The reader's name for the field that is encoded. Left out: `text`, or else the one `TextField` that "
        "its instances have.",
        None,
        example="tokens",
    )
    max_instances_in_memory: Optional[int] = key(
        "Stream the training data, with so many instances in memory at a time.", None, minimum=1
    )
    train_fraction: Optional[float] = key(
        "Train on about this fraction of the training data, 0 to 1; a smaller one is part of a larger one.",
        None,
        above=0,
    )
    datasets_for_vocab_creation: List[str] = key(
        "The splits whose words and labels the vocabulary is made from.", ["train"]
    )

    def reader_key(self, split: str) -> str:
        """Return under which key the block of what reads a split stands."""
        if split == "train" or self.validation_dataset_reader is None:
            return "dataset_reader"
        return "validation_dataset_reader"

    def reader(self, split: str) -> Config:
        """
        Return the block of what reads a split, as an object. A value that is `{split}` becomes `train`,
        `dev` or `test`: of corpora with all splits in one file.
        """
        block = getattr(self, self.reader_key(split))
        if isinstance(block, str):
            return {"type": block}
        return {
            key: FOLDER_OF_SPLIT[split] if value == SPLIT_IN_PATH else value
            for key, value in block.items()
        }

    def path(self, split: str) -> Optional[str]:
        """Return the path of a split, if there is one."""
        paths = (self.train_data_path, self.validation_data_path, self.test_data_path)
        return dict(zip(SPLITS, paths))[split]


@dataclass(kw_only=True)
class TaskConfig(Section):
    """`task_<name>`: a task and its data."""

    name: str
    task_description: TaskDescription
    data_params: DataParams

    @classmethod
    def named(cls, name: str, config: Mapping[str, Any]) -> "TaskConfig":
        """From a complete config."""
        section = config[TASK_PREFIX + name]
        return cls(
            name=name,
            task_description=TaskDescription.of(section["task_description"]),
            data_params=DataParams.of(section["data_params"]),
        )


@dataclass(kw_only=True)
class ModelConfig(Section):
    """`model`: the base embedding, and a level for each task."""

    type: str = key("`hmtl`; the 2018 names say which levels to expect.", "hmtl")
    text_field_embedder: Block = key(
        "The base embedding that every level reads.",
        built=TextFieldEmbedder,
        example={"token_embedders": {"tokens": {"type": "embedding", "embedding_dim": 100}}},
    )
    initializer: Optional[Block] = key(
        "How parameters start, where not as their layers start them.",
        None,
        built=InitializerApplicator,
    )
    levels: Dict[str, Config] = field(default_factory=dict)


@dataclass(kw_only=True)
class TrainerConfig(Section):
    """`multi_task_trainer`: how the model is trained, what is logged, and where it runs."""

    type: str = key(
        "The one there is.", "sampler_multi_task_trainer", choices=("sampler_multi_task_trainer",)
    )
    sampling_method: Block = key(
        "Which task comes next.",
        "proportional",
        built="hmtl.training.samplers.TaskSampler",
        given=("batches_per_pass", "seed", "num_epochs", "metric_decreases"),
        example={"type": "temperature", "temperature": 2.0},
    )
    loss_weighting: Optional[Block] = key(
        "How much a task's loss counts.",
        None,
        built="hmtl.training.balancing.LossWeighting",
        given=("tasks", "device"),
        example={"type": "fixed", "weights": {"coref": 2.0}},
    )
    gradient_surgery: Optional[Block] = key(
        "What becomes of gradients that pull against each other.",
        None,
        built="hmtl.training.balancing.GradientSurgery",
        given=("model", "tasks", "seed"),
        example="pcgrad",
    )
    gradient_accumulation_steps: int = key(
        "How many batches, all of one task, a step learns from.", 1, minimum=1
    )
    num_epochs: int = key("Epochs at most.", 20, minimum=1, changeable=True)
    patience: Optional[int] = key(
        "A task votes to stop after so many epochs without a better metric; null never.",
        None,
        minimum=1,
        changeable=True,
    )
    min_lr: float = key(
        "A task votes to stop once its learning rate is below.", 0.0, changeable=True
    )
    optimizer: Block = key(
        "One is made for each task, over the shared parameters.",
        {"type": "adam", "lr": 0.001},
        built=Optimizer,
        given=("model_parameters",),
        changeable=("lr", "parameter_groups.*.1.lr"),
    )
    lr_factor_below: float = key(
        "By what a task's learning rate is multiplied for the encoders of the levels below its own; 0 leaves "
        "each encoder to the tasks whose heads read it.",
        1.0,
        minimum=0,
    )
    scheduler: Optional[Block] = key(
        "The learning-rate scheduler; one is made for each task. One that waits for a metric follows "
        "`validation_metric_decreases`.",
        None,
        built=LearningRateScheduler,
        given=("optimizer", "then.optimizer", "expected_steps", "then.expected_steps"),
        example={"type": "reduce_on_plateau", "factor": 0.5, "patience": 3},
    )
    grad_norm: Optional[float] = key(
        "Clip the norm of all gradients together to this.", None, changeable=True
    )
    grad_clipping: Optional[float] = key(
        "Clip each entry of the gradients to this first.", None, changeable=True
    )
    freeze: List[str] = key(
        "Parameters that are not trained, as regular expressions.",
        [],
        example=["^encoders.encoders.ner"],
    )
    unfreeze: List[Tuple[int, List[str]]] = key(
        "Which of them are trained from some epoch on: pairs of an epoch and patterns.",
        [],
        built="hmtl.training.optimization.Unfreezing",
        example=[[2, ["ner"]]],
    )
    training_metrics_interval: int = key(
        "Decode and score every so many training steps; 0 never.", 0, minimum=0
    )
    checkpoint_every_n_steps: Optional[int] = key(
        "Write checkpoints inside an epoch, every so many steps.", None, above=0, harmless=True
    )
    checkpoint_every_minutes: Optional[float] = key(
        "Write checkpoints inside an epoch, every so many minutes.", None, above=0, harmless=True
    )
    keep_last: int = key("How many checkpoints are kept; better 2.", 2, minimum=1, harmless=True)
    on_invalid_loss: str = key(
        "What a loss that is not finite does: stop the training, or skip its batch.",
        "stop",
        choices=("stop", "skip"),
        harmless=True,
    )
    max_skipped_batches: int = key("Stop after so many skipped batches.", 10, harmless=True)
    summary_interval: int = key(
        "Steps between two points of a curve in TensorBoard.", 100, minimum=1, harmless=True
    )
    log_parameter_statistics: bool = key(
        "Log mean and standard deviation of every parameter.", True, harmless=True
    )
    log_gradient_statistics: bool = key("Log the same of every gradient.", False, harmless=True)
    no_tqdm: bool = key("Show no progress bars.", False, harmless=True)
    # The order in which they hear of an epoch. The console first: its table is in the log even if a full
    # disk stops a writer. History last: a program that finds an epoch in history.json finds its curves, too.
    callbacks: List[Block] = key(
        "What shows and logs the run, told of each epoch in this order. A list replaces the default one. "
        "Your own come in with `--include-package`.",
        ["console", "tensorboard", "history"],
        built="hmtl.training.callbacks.Callback",
        given=("serialization_dir", "settings", "config"),
        changeable=True,
        example=["console", "tensorboard", "history", {"type": "mine", "every": 10}],
    )
    trackers: List[Block] = key(
        "Services that keep a run's metrics: callbacks that come after the others, as a network may be slow.",
        [],
        built="hmtl.training.callbacks.Callback",
        given=("serialization_dir", "settings", "config"),
        harmless=True,
        example=["wandb"],
    )
    precision: str = key(
        "What the model computes in: `fp32`; or `bf16` or `fp16` (for a GPU) where that is safe (losses are "
        "in single precision in any case), `fp16` with a scaled loss.",
        FULL,
        choices=PRECISIONS,
        changeable=True,
    )
    matmul_precision: str = key(
        "How exact products of matrices in single precision are, as "
        "`torch.set_float32_matmul_precision` takes it: less is faster on some processors.",
        EXACT,
        choices=MATMUL_PRECISIONS,
        changeable=True,
    )
    cuda_device: Optional[int] = key(
        "A GPU's number; -1 is the CPU. Left out: the first GPU, if there is one.",
        None,
        harmless=True,
    )
    distributed_timeout_minutes: float = key(
        "How long processes of one run wait for each other.", 30.0, above=0, harmless=True
    )


@dataclass(kw_only=True)
class FineTuningConfig(Section):
    """`fine_tuning`: how a model starts from a trained one's weights, and what of its tasks comes along."""

    initialize_from: Dict[str, str] = key(
        "For a level, the level of the trained model whose encoder and head it starts from, where the names "
        "differ.",
        {},
        example={"ner_news": "ner"},
    )
    start_new: List[str] = key(
        "Parameters that are not taken from the trained model, as regular expressions.", []
    )
    old_labels: str = key(
        "What becomes of labels that only the trained model knows: `drop` lets each head know those of the "
        "new data only.",
        "keep",
        choices=("keep", "drop"),
    )
    replay: Dict[str, float] = key(
        "Tasks of the trained model that come along with their data, and how often they are drawn: 1 is as "
        "often as any other, 0 never (kept and scored).",
        {},
        example={"ner": 0.2},
    )
    report_forgetting: bool = key(
        "Score the tasks of the trained model on their test data, before and after.", True
    )


@dataclass(kw_only=True)
class CacheConfig(Section):
    """`cache`: what is kept from one run to the next."""

    directory: str = key(
        "Where; `off` is nowhere. Left out: `HMTL_CACHE_DIR`, or the user's cache.", ""
    )
    corpora: bool = key("Keep indexed corpora.", True)
    embeddings: bool = key("Keep what frozen embedders make of each text.", False)
    max_corpora_gigabytes: float = key(
        "Beyond that, what was not used for longest is deleted.", 10.0, minimum=0
    )
    max_embeddings_gigabytes: float = key(
        "Beyond that, nothing more is kept; what nobody uses is deleted first.", 100.0, minimum=0
    )


@dataclass(kw_only=True)
class RunConfig(Section):
    """
    The whole config of a run. `source` is its JSON form, complete, as it stands in the run's `config.json`.
    """

    seed: int = key("The seed of everything random.", 13370)
    data_root: str = key("The folder that data paths start from.", "", harmless=True)
    unseen_labels: str = key(
        "What a label is that only validation or test data have: an error, or scored as a miss.",
        "error",
        choices=("error", "miss"),
    )
    vocabulary: Config = key(
        "How the vocabulary is made from the data.",
        {},
        built=Vocabulary,
        given=("instances",),
        example={"min_count": {"tokens": 2}},
    )
    regularizer: Optional[Block] = key(
        "A penalty on the weights, added to every loss.", None, built=RegularizerApplicator
    )
    tasks: List[TaskConfig] = field(default_factory=list)
    model: ModelConfig
    iterators: Dict[str, Block] = field(default_factory=dict)
    trainer: TrainerConfig
    fine_tuning: FineTuningConfig
    cache: CacheConfig
    source: Config = field(default_factory=dict)

    @classmethod
    def of(cls, block: Mapping[str, Any]) -> "RunConfig":
        """Return the typed form of a complete config that was checked."""
        config = copy.deepcopy(dict(block))
        top = {name: config[name] for name, *_ in cls.entries() if name in config}
        model = ModelConfig.of(config["model"])
        model.levels = {name: config["model"][name] for name in level_names(config)}
        return cls(
            **top,
            tasks=[TaskConfig.named(name, config) for name in task_names(config)],
            model=model,
            iterators=config.get("iterators", {}),
            trainer=TrainerConfig.of(config["multi_task_trainer"]),
            fine_tuning=FineTuningConfig.of(config.get("fine_tuning") or {}),
            cache=CacheConfig.of(config.get("cache", {})),
            source=copy.deepcopy(config),
        )

    @property
    def task_names(self) -> List[str]:
        """The names of the tasks, in the order of the file."""
        return [task.name for task in self.tasks]

    def task(self, name: str) -> TaskConfig:
        """Return the task of that name."""
        return next(task for task in self.tasks if task.name == name)

    def path(self, task_name: str, split: str) -> Path:
        """Return where the data of a task's split lie."""
        return Path(self.data_root) / str(self.task(task_name).data_params.path(split))


# The sections whose keys are all known, by their dotted path.
SECTIONS: Dict[str, Type[Section]] = {
    "": RunConfig,
    "model": ModelConfig,
    "multi_task_trainer": TrainerConfig,
    "fine_tuning": FineTuningConfig,
    "cache": CacheConfig,
}


def task_names(config: Mapping[str, Any]) -> List[str]:
    """Return the names of the tasks, in the order of the file."""
    return [key[len(TASK_PREFIX) :] for key in config if key.startswith(TASK_PREFIX)]


def level_names(config: Mapping[str, Any]) -> List[str]:
    """Return the names of the levels, in the order of the file."""
    return [key for key in config["model"] if key not in MODEL_KEYS_THAT_ARE_NO_LEVELS]


def harmless_changes() -> List[str]:
    """Return the dotted paths of keys whose values do not decide what a run's results are."""
    paths = [path for path, key in _keys() if key.harmless or path.startswith("cache.")]
    return [*paths, "cache"]


def changeable_on_recovery() -> List[str]:
    """
    Return the dotted paths (`*` stands for anything) of what may have another value when a run is resumed.
    (That the data are the same is checked by their content.)
    """
    changeable = harmless_changes()
    for path, key in _keys():
        if isinstance(key.changeable, tuple):
            changeable += [f"{path}.{below}" for below in key.changeable]
        elif key.changeable:
            changeable.append(path)
    return changeable


def _keys() -> Iterator[Tuple[str, Key]]:
    for path, section in SECTIONS.items():
        for name, _, _, key in section.entries():
            yield (f"{path}.{name}" if path else name), key
