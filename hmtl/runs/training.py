"""Training a run, from its config to its metrics."""

import logging
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance
from allennlp.training.learning_rate_schedulers import LearningRateScheduler
from allennlp.training.optimizers import Optimizer

from hmtl.common.files import sole_writer, write_json
from hmtl.common.precision import FP16
from hmtl.common.reporting import counted
from hmtl.config.building import build, type_of
from hmtl.config.schema import SPLITS, Block, Config, RunConfig, TrainerConfig
from hmtl.config.task import Task
from hmtl.config.transformers import warn_of_lost_case, with_word_starts
from hmtl.data.batch_stream import BatchStream
from hmtl.data.streamed_instances import chunks_of
from hmtl.models.heads.head import Head
from hmtl.models.hmtl import Hmtl
from hmtl.runs.assembly import Experiment, assemble, parse_config, task_of
from hmtl.runs.directory import (
    CONFIG_FILE,
    METRICS_FILE,
    PRETRAINED_DIR,
    VOCABULARY_DIR,
    config_written_in,
    prepare_directory,
    vocabulary_records,
)
from hmtl.runs.environment import record_environment
from hmtl.runs.model_card import write_model_card
from hmtl.training.balancing import GradientSurgery, LossWeighting
from hmtl.training.callbacks import Callback
from hmtl.training.checkpoints import Checkpointer, CheckpointReader
from hmtl.training.distributed import ProcessGroup, after_elastic_restart, joining_process_group
from hmtl.training.invalid_loss import InvalidLossGuard
from hmtl.training.memory import warn_of_large_batch
from hmtl.training.optimization import (
    Freezing,
    check_group_options,
    check_parameter_groups,
    check_something_trains,
    scale_rates,
)
from hmtl.training.samplers import TaskSampler
from hmtl.training.tasks import SCHEDULER, RunningLoss, TaskData, TaskProgress, TaskTraining
from hmtl.training.trainer import MultiTaskTrainer

logger = logging.getLogger(__name__)

TRAINER = "multi_task_trainer"
# What comes of a split in which there is nothing for a task to find.
WITHOUT_GOLD = {
    "train": "the training data hold nothing for task %s to find: it will learn to find nothing.",
    "validation": "the validation data hold nothing for task %s to find: its scores will be 0 after each "
    "epoch, and the first one the best.",
    "test": "the test data hold nothing for task %s to find: its test scores will be 0.",
}
LOOK_AT_DATA = "hmtl check shows what is read."


def train(config: Config, serialization_dir: Path, recover: bool, force: bool) -> Dict[str, Any]:
    """
    Train what a config describes, and score it; together with other processes, if torchrun has started
    several.

    # Parameters

    config : `Config`
        As `load_config` returns it.
    serialization_dir : `Path`
        Where everything is written.
    recover : `bool`
        Resume the run that is there.
    force : `bool`
        Replace the run that is there.

    # Returns

    metrics : `Dict[str, Any]`
        What is written to `metrics.json`.
    """
    recover, force = after_elastic_restart(recover, force)
    config = with_word_starts(config, config_written_in(serialization_dir) if recover else None)
    run = parse_config(config)
    check_callbacks(run.trainer)
    if recover and (serialization_dir / PRETRAINED_DIR).is_dir():
        raise ConfigurationError(
            f"the run in {serialization_dir} was started by hmtl fine-tune. Recover it with hmtl fine-tune."
        )
    if "fine_tuning" in config:
        logger.warning(
            "hmtl train starts from nothing: the config's section fine_tuning is not used"
        )
    warn_of_lost_case(run.source)
    settings = run.trainer
    together = joining_process_group(settings.cuda_device, settings.distributed_timeout_minutes)
    with together as processes, ExitStack() as stack:
        if processes.is_main:
            stack.enter_context(sole_writer(serialization_dir))
            prepare_directory(run.source, serialization_dir, recover, force)
        check_is_shared(serialization_dir, processes)
        with processes.main_first():
            experiment = assemble(run, serialization_dir, SPLITS, processes=processes)
        check_same_everywhere(experiment)
        processes.seed_per_rank()
        trainer = build_trainer(experiment)
        if recover:
            resume(trainer)
        metrics = train_and_score(experiment, trainer)
        if processes.is_main:
            write_json(serialization_dir / METRICS_FILE, metrics)
    return metrics


def check_is_shared(serialization_dir: Path, processes: ProcessGroup) -> None:
    """Check that all ranks see the directory that rank 0 has just written to."""
    with processes.main_first():
        written = serialization_dir / CONFIG_FILE
        moment = int(written.stat().st_mtime) if written.is_file() else None
    processes.check_same(
        f"{serialization_dir} (which must be on a file system that all machines share)", moment
    )


def check_same_everywhere(experiment: Experiment) -> None:
    """Check that several machines do not have different files."""
    processes = experiment.processes
    processes.check_same("the config", experiment.config.source)
    for data in experiment.tasks:
        processes.check_same(f"the data of task {data.task.name!r}", data.digests)


def resume(trainer: MultiTaskTrainer) -> bool:
    """Go back to the run's last checkpoint; false, with a warning, if it had not reached its first."""
    reached = trainer.recover()
    if not reached:
        logger.warning("the run had not reached its first checkpoint: it starts at its beginning")
    return reached


def train_and_score(experiment: Experiment, trainer: MultiTaskTrainer) -> Dict[str, Any]:
    """
    Train on to the end, and score each task's best weights.

    # Returns

    metrics : `Dict[str, Any]`
        As they stand in `metrics.json`.
    """
    is_main = experiment.processes.is_main
    if is_main:
        record_environment(experiment.serialization_dir)
        forewarn(experiment)
    _prepare_heads(experiment)
    epochs_before = trainer.epoch
    trainer.train()
    if is_main:
        logger.info(
            "training is over%s after %s: %s",
            " already" if trainer.epoch == epochs_before else "",
            counted(trainer.epoch, "epochs"),
            trainer.why_over(),
        )
    progress = {name: training.progress for name, training in trainer.tasks.items()}
    results = experiment.evaluate_best_weights(
        {name: task.best_epoch for name, task in progress.items()}
    )
    metrics: Dict[str, Any] = {
        name: {
            "best_epoch": task.best_epoch,
            "nb_epoch_trained": trainer.tasks[name].stream.passes,
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
            experiment.config,
            metrics,
            experiment.model,
            experiment.tasks,
        )
    return metrics


def _prepare_heads(experiment: Experiment) -> None:
    """Show each head its training data; see `Head.prepare`."""
    for data in experiment.tasks:
        if data.training is not None:
            chunks = chunks_of(data.training.instances)
            head = experiment.model.heads[data.task.name]
            assert isinstance(head, Head)
            head.prepare(instance for chunk in chunks for instance in chunk)


def forewarn(experiment: Experiment) -> None:
    """Log what makes a training fail, or be of no use, although nothing is wrong by itself."""
    for data in experiment.tasks:
        name = data.task.name
        head = experiment.model.heads[name]
        assert isinstance(head, Head)
        for split, batches in data.splits():
            if not any(head.has_gold(_metadata_of(each)) for each in batches.instances):
                path = experiment.config.path(name, split)
                logger.warning("%s: %s %s", path, WITHOUT_GOLD[split] % name, LOOK_AT_DATA)
            if isinstance(batches, BatchStream):
                warn_of_large_batch(name, head, batches)


def _metadata_of(instance: Instance) -> Mapping[str, Any]:
    found = getattr(instance.fields.get("metadata"), "metadata", None)
    return found if isinstance(found, Mapping) else {}


def build_trainer(experiment: Experiment) -> MultiTaskTrainer:
    """Return the trainer that an experiment's config describes."""
    settings = experiment.config.trainer
    processes = experiment.processes
    checkpointer_class = Checkpointer if processes.is_main else CheckpointReader
    directory = experiment.serialization_dir
    checkpointer = checkpointer_class(
        directory, settings.keep_last, vocabulary_records(directory / VOCABULARY_DIR)
    )
    try:
        return _build_trainer(experiment, checkpointer)
    except ValueError as error:
        # How an optimizer or a scheduler of torch answers a value out of range.
        raise ConfigurationError(f"multi_task_trainer: {error}") from error


def _build_trainer(experiment: Experiment, checkpointer: Checkpointer) -> MultiTaskTrainer:
    config, settings = experiment.config, experiment.config.trainer
    model, processes = experiment.model, experiment.processes
    check_precision(settings, experiment.device)
    tasks = {data.task.name: data for data in experiment.tasks}
    sampler = build(
        TaskSampler,
        settings.sampling_method,
        f"{TRAINER}.sampling_method",
        batches_per_pass={name: data.num_training_batches for name, data in tasks.items()},
        seed=config.seed,
        num_epochs=settings.num_epochs,
        metric_decreases={name: data.task.metric_decreases for name, data in tasks.items()},
    )
    _check_parameter_groups(settings.optimizer, model)
    freezing = Freezing(
        model, settings.freeze, [(epoch, names) for epoch, names in settings.unfreeze]
    )
    check_something_trains(model, sampler.drawn_tasks)
    trainings = _task_trainings(config, tasks, model, freezing.trained_at_some_time(model), sampler)
    # Once more: a parameter group may say requires_grad: false.
    check_something_trains(model, sampler.drawn_tasks)
    callbacks: List[Callback] = [freezing]
    if processes.is_main:
        callbacks += _callbacks(experiment)
    return MultiTaskTrainer(
        model=model,
        tasks=trainings,
        sampler=sampler,
        device=experiment.device,
        checkpointer=checkpointer,
        callbacks=callbacks,
        loss_guard=InvalidLossGuard(
            experiment.serialization_dir,
            experiment.device,
            settings.on_invalid_loss,
            settings.max_skipped_batches,
            part=processes.part,
            batches_per_step=settings.gradient_accumulation_steps,
        ),
        settings=settings,
        loss_weighting=_loss_weighting(experiment),
        gradient_surgery=_gradient_surgery(experiment, sampler.drawn_tasks),
        processes=processes,
    )


def check_precision(settings: TrainerConfig, device: torch.device) -> None:
    """
    # Raises

    ConfigurationError
        When what is to be trained in fp16 cannot be.
    """
    if settings.precision != FP16:
        return
    where = f"{TRAINER}.precision is {FP16!r}"
    if device.type == "cpu":
        raise ConfigurationError(f"{where}, which is for a GPU; write 'bf16' or 'fp32' on the CPU")
    # Both go on from gradients, which are not scaled alike from step to step.
    for key in ("gradient_surgery", "loss_weighting"):
        block = getattr(settings, key)
        if block is not None and type_of(block) not in ("none", "fixed"):
            raise ConfigurationError(
                f"{where}, which does not go with {TRAINER}.{key} {type_of(block)!r}; write 'bf16' instead"
            )


def _task_trainings(
    config: RunConfig,
    tasks: Dict[str, TaskData],
    model: Hmtl,
    parameters: List[Tuple[str, torch.nn.Parameter]],
    sampler: TaskSampler,
) -> Dict[str, TaskTraining]:
    settings = config.trainer
    steps = expected_steps(settings, sampler)
    trainings: Dict[str, TaskTraining] = {}
    for name, data in tasks.items():
        optimizer = _optimizer(settings, parameters)
        if settings.lr_factor_below != 1.0:
            below = model.encoders.parameters_below(name)
            scale_rates(optimizer, below, settings.lr_factor_below)
        # Before a scheduler is made, which may change them.
        base_rates = [float(group["lr"]) for group in optimizer.param_groups]
        trainings[name] = TaskTraining(
            data=data,
            optimizer=optimizer,
            scheduler=_scheduler(settings.scheduler, data.task, optimizer, steps.get(name)),
            progress=TaskProgress(data.task, settings.patience, settings.min_lr),
            running_loss=RunningLoss(),
            base_rates=base_rates,
        )
    return trainings


def check_learning(config: RunConfig, model: Hmtl) -> None:
    """
    Build what changes a model's weights, without data and without a run.

    # Raises

    ConfigurationError
        When parameter groups, freezing, the optimizer or the scheduler are none for this model.
    """
    settings = config.trainer
    _check_parameter_groups(settings.optimizer, model)
    unfreeze = [(epoch, names) for epoch, names in settings.unfreeze]
    parameters = Freezing(model, settings.freeze, unfreeze).trained_at_some_time(model)
    try:
        for task in config.tasks:
            _scheduler(settings.scheduler, task_of(task), _optimizer(settings, parameters), 1)
    except ValueError as error:
        raise ConfigurationError(f"{TRAINER}: {error}") from error


def _optimizer(
    settings: TrainerConfig, parameters: List[Tuple[str, torch.nn.Parameter]]
) -> Optimizer:
    optimizer: Optimizer = build(
        Optimizer, settings.optimizer, f"{TRAINER}.optimizer", model_parameters=parameters
    )
    check_group_options(optimizer)
    return optimizer


def expected_steps(settings: TrainerConfig, sampler: TaskSampler) -> Dict[str, int]:
    """How many steps each task is to have, if the scheduler asks: a sampler may not know before it begins."""
    if settings.scheduler is None or type_of(settings.scheduler) != "linear_with_warmup":
        return {}
    steps = settings.num_epochs * sampler.steps_per_epoch / settings.gradient_accumulation_steps
    return {task: max(round(steps * share), 1) for task, share in sampler.shares().items()}


def _scheduler(
    block: Optional[Block], task: Task, optimizer: Optimizer, expected_steps: Optional[int]
) -> Optional[LearningRateScheduler]:
    if block is None:
        return None
    given = {"optimizer": optimizer, "expected_steps": expected_steps}
    return build(LearningRateScheduler, _directed(block, task), SCHEDULER, **given)


def _directed(block: Block, task: Task) -> Config:
    """A scheduler's block, with the task's direction where it or the one after it waits for a metric."""
    block = {"type": block} if isinstance(block, str) else dict(block)
    if block["type"] == "reduce_on_plateau":
        block["mode"] = "min" if task.metric_decreases else "max"
    if block.get("then") is not None:
        block["then"] = _directed(block["then"], task)
    return block


def _check_parameter_groups(optimizer: Block, model: Hmtl) -> None:
    if isinstance(optimizer, dict):
        names = [name for name, each in model.named_parameters() if each.requires_grad]
        check_parameter_groups(optimizer.get("parameter_groups"), names)


def _loss_weighting(experiment: Experiment) -> Optional[LossWeighting]:
    block = experiment.config.trainer.loss_weighting
    if block is None:
        return None
    tasks = experiment.config.task_names
    return build(
        LossWeighting, block, f"{TRAINER}.loss_weighting", tasks=tasks, device=experiment.device
    )


def _gradient_surgery(experiment: Experiment, tasks: List[str]) -> Optional[GradientSurgery]:
    block = experiment.config.trainer.gradient_surgery
    if block is None:
        return None
    path, seed = f"{TRAINER}.gradient_surgery", experiment.config.seed
    return build(GradientSurgery, block, path, model=experiment.model, tasks=tasks, seed=seed)


def check_callbacks(settings: TrainerConfig) -> None:
    """
    Check what can be known of the callbacks before a run writes anything.

    # Raises

    ConfigurationError
        When the package of one is not installed, or two are of one class.
    """
    paths: Dict[str, str] = {}
    for path, block in _callback_blocks(settings):
        callback, _ = Callback.resolve_class_name(type_of(block))
        # The name under which a checkpoint keeps its state.
        name = callback.__name__
        if name in paths:
            raise ConfigurationError(
                f"{path} is {type_of(block)!r}, as is {paths[name]}: write it once"
            )
        paths[name] = path
        callback.check_available()


def _callback_blocks(settings: TrainerConfig) -> Iterator[Tuple[str, Block]]:
    """Yield the callbacks' blocks in the order in which they are told, with their paths in the config."""
    for key, blocks in (("callbacks", settings.callbacks), ("trackers", settings.trackers)):
        for number, block in enumerate(blocks):
            yield f"{TRAINER}.{key}.{number}", block


def _callbacks(experiment: Experiment) -> List[Callback]:
    settings = experiment.config.trainer
    check_callbacks(settings)
    given = {
        "serialization_dir": experiment.serialization_dir,
        "settings": settings,
        "config": experiment.config.source,
    }
    return [build(Callback, block, path, **given) for path, block in _callback_blocks(settings)]


def format_duration(seconds: float) -> str:
    """Return days, hours, minutes and seconds as `DD:HH:MM:SS`, days from 00."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    return f"{day:02}:{hour:02}:{minute:02}:{second:02}"
