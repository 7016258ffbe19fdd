"""Opening a run that is there, and scoring it."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Callable, Dict, Optional, Sequence

from hmtl.config.elmo_files import with_kept_elmo
from hmtl.config.loading import load_config
from hmtl.config.safety import within_the_run
from hmtl.config.schema import Config, RunConfig
from hmtl.config.transformers import FOLDER as TRANSFORMERS
from hmtl.config.transformers import with_kept_transformers
from hmtl.errors import DataError
from hmtl.models.heads.head import Head
from hmtl.runs.assembly import Experiment, assemble, parse_config
from hmtl.runs.directory import CONFIG_FILE, VOCABULARY_DIR, check_vocabulary
from hmtl.runs.training import check_same_everywhere
from hmtl.training.checkpoints import Checkpointer, best_weights_name
from hmtl.training.distributed import SINGLE_PROCESS, ProcessGroup, joining_process_group

# What is to be done with a run's config before it is used.
Prepare = Callable[[Config], Config]


def scoring_together(serialization_dir: Path) -> AbstractContextManager[ProcessGroup]:
    """Join the processes that score a run together, if torchrun has started several; see `evaluate`."""
    settings = config_of_run(serialization_dir).trainer
    return joining_process_group(settings.cuda_device, settings.distributed_timeout_minutes)


def evaluate(
    serialization_dir: Path, gold_mentions: bool, processes: ProcessGroup = SINGLE_PROCESS
) -> Dict[str, Any]:
    """
    Score each task's best weights of a run on the test splits.

    # Parameters

    serialization_dir : `Path`
        What a training wrote.
    gold_mentions : `bool`
        Heads that can, as that of coreference, are given the gold mentions as candidates.
    processes : `ProcessGroup`, optional
        Between which the batches are shared out; all return the same.

    # Returns

    metrics : `Dict[str, Any]`
        What belongs into `evaluate_metrics.json`; nothing is written, as the run may be read-only.
    """
    experiment = load(serialization_dir, processes=processes)
    if gold_mentions:
        for head in experiment.model.heads.values():
            assert isinstance(head, Head)
            head.eval_on_gold_mentions = True
    metrics = experiment.evaluate_best_weights(with_calibration=True)
    for entry in metrics.values():
        entry["gold_mentions"] = gold_mentions
    return metrics


def load(
    serialization_dir: Path,
    prepare: Optional[Prepare] = None,
    splits: Sequence[str] = ("test",),
    processes: ProcessGroup = SINGLE_PROCESS,
) -> Experiment:
    """
    Return the experiment of an existing run, with its test data (or other splits) and its saved vocabulary;
    the model's weights are still to be loaded.

    # Raises

    DataError
        When the directory holds no run, one that never trained, or no vocabulary; or several processes see
        different data.
    """
    config = config_of_run(serialization_dir, prepare)
    checkpointer = Checkpointer(serialization_dir)
    if not any(checkpointer.has(best_weights_name(name)) for name in config.task_names):
        raise DataError(
            "this run never trained: it has neither weights nor a checkpoint. Start it again with the same "
            "command and --recover.",
            serialization_dir,
        )
    check_vocabulary(serialization_dir / VOCABULARY_DIR)
    with processes.main_first():
        experiment = assemble(config, serialization_dir, splits, processes=processes)
    processes.check_can_score(experiment.model)
    check_same_everywhere(experiment)
    return experiment


def config_of_run(
    serialization_dir: Path, prepare: Optional[Prepare] = None, weights_follow: bool = True
) -> RunConfig:
    """
    Return the config of an existing run, checked.

    # Parameters

    serialization_dir : `Path`
    prepare : `Prepare`, optional (default = `None`)
        What is to be done with it before it is used.
    weights_follow : `bool`, optional (default = `True`)
        The run's own weights are to be loaded: the pretrained files that it started from are not needed.

    # Raises

    DataError
        When the directory holds no run.
    """
    path = serialization_dir / CONFIG_FILE
    if not serialization_dir.is_dir():
        raise DataError(
            f"there is no {CONFIG_FILE} here, nor such a folder; check the path of the run",
            serialization_dir,
        )
    if not path.is_file():
        raise DataError(
            f"there is no {CONFIG_FILE} here, so this is no run of hmtl train. Give the directory that was "
            "its --serialization_dir.",
            serialization_dir,
        )
    config = load_config(path, prepare=prepare, jsonnet=False)
    if weights_follow:
        config = without_pretrained_files(config, serialization_dir)
    return parse_config(config)


def without_pretrained_files(config: Config, serialization_dir: Path) -> Config:
    """
    Return a copy for a model that is to be given a run's weights: it does without the files that training
    started from, and takes its transformers' from the run.

    # Raises

    ConfigurationError
        When something in it still leads to a file outside the run, or to the network.
    """
    config = with_kept_elmo(with_kept_transformers(config, serialization_dir), serialization_dir)
    within: Config = within_the_run(config, serialization_dir / TRANSFORMERS)
    return within
