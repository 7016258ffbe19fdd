"""What the entry points have in common. Nothing heavy is imported here: usage errors answer at once."""

import argparse
import logging
import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import Any

from hmtl.common.environment import is_main_process, set_thread_policy, world_size
from hmtl.common.interruption import Interrupted, answer_with, put_back, raise_interrupted
from hmtl.common.reporting import counted


def add_serialization_dir(parser: argparse.ArgumentParser, purpose: str) -> None:
    """The option that every entry point has."""
    parser.add_argument(
        "-s",
        "--serialization_dir",
        type=Path,
        required=True,
        metavar="DIR",
        help=purpose,
    )


def add_training(parser: argparse.ArgumentParser) -> None:
    """The options of an entry point that trains what a config describes."""
    add_serialization_dir(parser, "where the run is written: weights, vocabulary, log, metrics")
    parser.add_argument(
        "-c",
        "--config_file_path",
        type=Path,
        required=True,
        metavar="FILE",
        help="the config, JSON or Jsonnet",
    )
    existing = parser.add_mutually_exclusive_group()
    existing.add_argument(
        "-r", "--recover", action="store_true", help="resume the run in the directory"
    )
    existing.add_argument(
        "-f", "--force", action="store_true", help="replace the run in the directory"
    )
    parser.add_argument(
        "-o",
        "--overrides",
        default="",
        metavar="JSON",
        help="entries to replace in the config: '{\"multi_task_trainer.num_epochs\": 3}'",
    )
    add_include_package(parser)


def training_summary(metrics: Mapping[str, Any], serialization_dir: Path) -> str:
    """How long a training took, and where it lies."""
    # As a module of this Python: its own program is on no path unless the environment is activated.
    show = [sys.executable, "-m", "tensorboard.main", "--logdir", str(serialization_dir / "log")]
    return (
        f"Trained {counted(metrics['nb_epoch_trained'], 'epochs')} in {metrics['training_duration']} "
        f"(DD:HH:MM:SS). The run lies in {serialization_dir}; see its curves with\n"
        f"  {shlex.join(show)}"
    )


def refuse_unwritable(arguments: argparse.Namespace, path: Path | None) -> None:
    """Refuse a file that is there already, as `refuse_what_is_there` does, and one whose folder is not."""
    refuse_what_is_there(arguments, path)
    if path is not None and not path.parent.is_dir():
        arguments.refuse(f"{path}: there is no folder {path.parent}; make it first")


def refuse_what_is_there(arguments: argparse.Namespace, *paths: Path | None) -> None:
    """Refuse to replace a file without `--force`, and to write one where none can be."""
    for path in paths:
        if path is None:
            continue
        if path.exists() and not arguments.force:
            arguments.refuse(f"{path}: is there already; take another name, or say --force")
        if path.is_dir():
            arguments.refuse(f"{path}: is a folder; name a file")
        if any(each.exists() and not each.is_dir() for each in path.parents):
            arguments.refuse(f"{path}: one of its folders is a file; take another place")


def add_include_package(parser: argparse.ArgumentParser) -> None:
    """The option that brings in a user's own readers, heads, samplers."""
    parser.add_argument(
        "--include-package",
        action="append",
        default=[],
        metavar="PACKAGE",
        help="import this package first, to register its classes (readers, heads, ...); may be repeated",
    )


@contextmanager
def running(include_packages: list[str], by_several: bool = False) -> Iterator[None]:
    """
    Surrounds what an entry point does: settles the process, sets up the log, imports the user's packages,
    and turns the errors that are the user's to mend into one message and exit code 1, and signals that ask
    to stop into one message and 128 plus the signal's number.

    # Parameters

    include_packages : `list[str]`
    by_several : `bool`, optional (default = `False`)
        Whether several processes, which torchrun starts, can do it together. What is printed is then printed
        by the first of them.
    """
    if world_size() > 1 and not by_several:
        sys.exit("error: this is done by one process: start it without torchrun")
    set_thread_policy()
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("hmtl").setLevel(logging.INFO)
    # It warns of every size that a config writes out although it follows from the parts; hmtl checks those.
    logging.getLogger("allennlp.common.from_params").setLevel(logging.ERROR)
    with _answering_signals(), _answering_errors(), _printing_once():
        import_packages(include_packages)
        yield


@contextmanager
def _answering_signals() -> Iterator[None]:
    before = answer_with(raise_interrupted)
    try:
        yield
    except Interrupted as interruption:
        if is_main_process():
            with suppress(OSError):  # The terminal may be gone.
                print(interruption, file=sys.stderr)
        sys.exit(interruption.exit_code)
    finally:
        put_back(before)


@contextmanager
def _printing_once() -> Iterator[None]:
    if is_main_process():
        yield
        return
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        yield


@contextmanager
def _answering_errors() -> Iterator[None]:
    # Only now, after the arguments are known to be good: this takes seconds.
    from allennlp.common.checks import ConfigurationError
    from tqdm.contrib.logging import logging_redirect_tqdm

    from hmtl.compat import keep_bars_out_of_files
    from hmtl.errors import DataError

    keep_bars_out_of_files()
    try:
        with logging_redirect_tqdm():
            yield
    except ConfigurationError as error:
        # Its own text form wraps the message in quotes.
        sys.exit(f"error: {error.message}")
    except DataError as error:
        sys.exit(f"error: {error}")


def import_packages(packages: list[str]) -> None:
    """Imports packages from the Python path or the working directory, for what they register."""
    from allennlp.common.util import import_module_and_submodules

    sys.path.insert(0, "")
    for package in packages:
        try:
            import_module_and_submodules(package)
        except ModuleNotFoundError as error:
            if error.name != package.partition(".")[0]:
                raise
            sys.exit(
                f"error: --include-package {package}: there is no such package on the Python path or in "
                "the working directory"
            )
