"""The command `hmtl`: what it can do, by name."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Sequence
from typing import Any

import hmtl

# By name: the module, and its line in the list. A module's docstring describes its command; `add_arguments`
# takes the parser, and `run` the arguments and returns an exit code, or nothing for 0. In a module, nothing
# heavy is imported before `run`: usage is answered at once. Arguments that do not go together are refused
# by `arguments.refuse(message)`.
COMMANDS = {
    "train": ("train", "train a multi-task model from a configuration file"),
    "fine-tune": ("fine_tune", "the same, beginning with the weights of a trained model"),
    "evaluate": ("evaluate", "score a run on the test data"),
    "score": ("score", "score files of annotations of any system against gold ones"),
    "calibrate": ("calibrate", "set thresholds and temperatures of a run with its validation data"),
    "predict": ("predict", "find names, mentions, relations and coreference in texts"),
    "probe": ("probe", "tell what the layers of a run know of a sentence"),
    "serve": ("serve", "show a run in the browser, and answer programs"),
    "export": ("export", "write what prediction needs of a run, to give it to others"),
    "push": ("push", "upload an exported run to the Hugging Face hub"),
    "check": ("check", "tell what a config's corpora hold, and all that is wrong with both"),
    "import": ("import_corpus", "convert a corpus of your own"),
    "data": ("data", "fetch and convert openly licensed corpora"),
    "experiment": ("experiment", "train every setup of a grid with every seed"),
    "report": ("report", "compare the runs of an experiment"),
    "import-reference": ("import_reference", "make a run of what the 2018 code trained"),
}


class LazyParser(argparse.ArgumentParser):
    """
    The parser of a subcommand. It is described only when that subcommand is chosen, as this imports its
    module.

    # Parameters

    describe : `Callable[[argparse.ArgumentParser], None]`
        Takes the parser, and gives it description and arguments.
    """

    def __init__(
        self, *, describe: Callable[[argparse.ArgumentParser], None], **options: Any
    ) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)
        self._describe: Callable[[argparse.ArgumentParser], None] | None = describe
        # What to make of the first word where it is no option: it may stand for another subcommand.
        self.read_first: Callable[[str], Sequence[str]] | None = None

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        describe, self._describe = self._describe, None
        if describe is not None:
            describe(self)
        if args and self.read_first is not None and not args[0].startswith("-"):
            args = [*self.read_first(args[0]), *args[1:]]
        return super().parse_known_args(args, namespace)


def main(words: Sequence[str] | None = None) -> int | None:
    """
    Carry out one command.

    # Parameters

    words : `Sequence[str]`, optional
        The command and its arguments (default: those of this process).

    # Returns

    `int`, optional
        The exit code, where it is not 0.
    """
    parser = argparse.ArgumentParser(
        prog="hmtl",
        description="Multi-task training of names, mentions, relations and coreference in one hierarchy.",
        epilog="`hmtl COMMAND --help` tells the arguments of a command.",
    )
    parser.add_argument("--version", action="version", version=f"hmtl {hmtl.__version__}")
    commands = parser.add_subparsers(
        metavar="COMMAND", required=True, parser_class=LazyParser, dest="command"
    )
    for name, (module, purpose) in COMMANDS.items():
        commands.add_parser(name, help=purpose, describe=_description_of(module))
    arguments = parser.parse_args(words)
    return arguments.run(arguments)


def _description_of(name: str) -> Callable[[argparse.ArgumentParser], None]:
    def describe(parser: argparse.ArgumentParser) -> None:
        module = importlib.import_module(f"hmtl.commands.{name}")
        parser.description = module.__doc__
        module.add_arguments(parser)
        parser.set_defaults(run=module.run, refuse=parser.error)

    return describe
