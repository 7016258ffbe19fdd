"""From a trained model and a config to a run that begins with that model's weights."""

import logging
import re
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

from allennlp.common.checks import ConfigurationError

from hmtl.common.files import sole_writer, write_json
from hmtl.config.checking import check_patterns_in
from hmtl.config.loading import load_config
from hmtl.config.schema import SPLITS, FineTuningConfig, RunConfig
from hmtl.config.transformers import warn_of_lost_case, with_word_starts
from hmtl.errors import DataError
from hmtl.fine_tuning.axes import parameter_axes, source_name
from hmtl.fine_tuning.forgetting import Forgetting
from hmtl.fine_tuning.pretrained import Pretrained, check_apart
from hmtl.fine_tuning.replay import with_replayed_tasks
from hmtl.fine_tuning.transfer import (
    EXTENDED,
    LOADED,
    MISFIT,
    Transfer,
    carry_over,
    outcome_table,
)
from hmtl.fine_tuning.vocabulary import grown_vocabulary
from hmtl.models.hmtl import Hmtl
from hmtl.runs.assembly import Experiment, assemble, parse_config
from hmtl.runs.directory import (
    METRICS_FILE,
    PRETRAINED_DIR,
    VOCABULARY_DIR,
    config_written_in,
    prepare_directory,
)
from hmtl.runs.training import (
    build_trainer,
    check_is_shared,
    check_same_everywhere,
    resume,
    train_and_score,
)
from hmtl.training.distributed import ProcessGroup, after_elastic_restart, joining_process_group

logger = logging.getLogger(__name__)

# Of an encoder of another size every weight is a misfit: a few tell which one it is.
MISFITS_SHOWN = 4


def fine_tune(
    config_path: Path,
    overrides: str,
    serialization_dir: Path,
    pretrained_dir: Path,
    weights_name: str,
    recover: bool = False,
    force: bool = False,
) -> Dict[str, Any]:
    """
    Trains what a config describes, beginning with the weights of a trained model, and scores it; together
    with other processes, if torchrun has started several.

    # Parameters

    config_path : `Path`
    overrides : `str`
        JSON whose entries replace those of the config.
    serialization_dir : `Path`
        Where everything is written.
    pretrained_dir : `Path`
        The trained model's directory. Once the run has started it is not needed any more.
    weights_name : `str`
        Which of the weights there.
    recover : `bool`, optional (default = `False`)
        Go on with the run that is there.
    force : `bool`, optional (default = `False`)
        Replace the run that is there.

    # Returns

    metrics : `Dict[str, Any]`
        What is written to `metrics.json`.
    """
    recover, force = after_elastic_restart(recover, force)
    check_apart(serialization_dir, pretrained_dir)
    kept = serialization_dir / PRETRAINED_DIR
    is_kept = recover and kept.is_dir()
    if recover and not is_kept and (serialization_dir / VOCABULARY_DIR).is_dir():
        raise ConfigurationError(
            f"the run in {serialization_dir} was not started by hmtl fine-tune. Recover it with hmtl train."
        )
    pretrained = Pretrained.open(kept if is_kept else pretrained_dir, weights_name)
    written = config_written_in(serialization_dir) if is_kept else None
    config = parse_config(
        with_word_starts(
            load_config(
                config_path, overrides, partial(with_replayed_tasks, trained=pretrained.config)
            ),
            written or pretrained.config,
        )
    )
    warn_of_lost_case(config.source)
    trained_model = pretrained.model()
    settings = config.trainer
    together = joining_process_group(settings.cuda_device, settings.distributed_timeout_minutes)
    with together as processes, ExitStack() as stack:
        if processes.is_main:
            stack.enter_context(sole_writer(serialization_dir))
            prepare_directory(config.source, serialization_dir, recover, force)
            if not is_kept:
                pretrained = pretrained.keep_in(kept)
        check_is_shared(serialization_dir, processes)
        return _fine_tune_in(
            serialization_dir, config, pretrained, trained_model, recover, processes
        )


def _fine_tune_in(
    serialization_dir: Path,
    config: RunConfig,
    pretrained: Pretrained,
    trained_model: Hmtl,
    recover: bool,
    processes: ProcessGroup,
) -> Dict[str, Any]:
    options = config.fine_tuning
    with processes.main_first():
        experiment = assemble(
            config,
            serialization_dir,
            SPLITS,
            partial(
                grown_vocabulary, known=pretrained.vocab, with_labels=options.old_labels == "keep"
            ),
            processes,
        )
    check_same_everywhere(experiment)
    processes.seed_per_rank()
    trainer = build_trainer(experiment)
    forgetting = (
        Forgetting(experiment, pretrained, options.initialize_from)
        if options.report_forgetting
        else None
    )
    if not (recover and resume(trainer)):
        with processes.main_first():
            begin_with(experiment, pretrained, trained_model)
        if forgetting is not None:
            forgetting.score_before()
    metrics = train_and_score(experiment, trainer)
    if not processes.is_main:
        return metrics
    # Nothing that may go wrong with the trained model's data is to cost these.
    write_json(serialization_dir / METRICS_FILE, metrics)
    if forgetting is not None:
        metrics["forgetting"] = forgetting.compare(metrics, trainer.sampler.drawn_tasks)
        write_json(serialization_dir / METRICS_FILE, metrics)
    return metrics


def begin_with(experiment: Experiment, pretrained: Pretrained, trained_model: Hmtl) -> Transfer:
    """
    Gives a fresh model the weights of a trained one, and logs what became of each parameter.

    # Raises

    ConfigurationError
        When the config's section `fine_tuning` names what is not there.
    DataError
        When a parameter cannot be carried over, naming both shapes, or none can.
    """
    options = experiment.config.fine_tuning
    model = experiment.model
    names = list(model.state_dict())
    check_patterns_in(options.start_new, names, "fine_tuning.start_new")
    _check_levels(options.initialize_from, model.levels, trained_model.levels)
    transfer = carry_over(
        trained_model.state_dict(),
        parameter_axes(trained_model, pretrained.config),
        {name: tensor.cpu() for name, tensor in model.state_dict().items()},
        parameter_axes(model, experiment.config.source, options.initialize_from),
        _sources(names, options),
    )
    _check(transfer, pretrained)
    model.load_state_dict(transfer.state)
    frozen = {name for name, each in model.named_parameters() if not each.requires_grad}
    logger.info(
        "The model begins with %s of %s:\n%s",
        pretrained.weights_name,
        pretrained.directory,
        outcome_table(transfer.outcomes, frozen),
    )
    return transfer


def _sources(names: Sequence[str], options: FineTuningConfig) -> Dict[str, Optional[str]]:
    """For each parameter the trained one that it is to begin with, if there is one of that name."""
    return {
        name: None
        if any(re.search(pattern, name) for pattern in options.start_new)
        else source_name(name, options.initialize_from)
        for name in names
    }


def _check_levels(
    initialize_from: Mapping[str, str], levels: List[str], trained_levels: List[str]
) -> None:
    for level, source in initialize_from.items():
        if level not in levels or source not in trained_levels:
            raise ConfigurationError(
                f"fine_tuning.initialize_from lets {level!r} begin with {source!r}: the first must be a "
                f"level of this config ({', '.join(levels)}), the second one of the trained model "
                f"({', '.join(trained_levels)})"
            )


def _check(transfer: Transfer, pretrained: Pretrained) -> None:
    misfits = [
        f"{outcome.name} is {outcome.shape}, trained {outcome.trained_shape}"
        for outcome in transfer.of_kind(MISFIT)
    ]
    where = pretrained.directory / pretrained.weights_name
    if misfits:
        more = len(misfits) - MISFITS_SHOWN
        misfits = [*misfits[:MISFITS_SHOWN], *([f"and {more} more"] if more > 0 else [])]
        raise DataError(
            "these weights have another shape than the config's model, and not because of words, labels "
            f"or what stacks on what: {'; '.join(misfits)}. Write the sizes that the trained model has in "
            "its config.json, or list the parameters in fine_tuning.start_new, as regular expressions, to "
            "let them start new.",
            where,
        )
    if not transfer.of_kind(LOADED, EXTENDED):
        raise DataError("has no weights that the config's model could begin with", where)
