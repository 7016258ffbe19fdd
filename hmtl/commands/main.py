"""The command `hmtl`: what it can do, by name."""

from __future__ import annotations

import argparse
import atexit
import gc
import importlib
import re
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import hmtl
from hmtl.common.reporting import did_you_mean

# By name, in the order of use: the module, its line in the list, an example. A module's docstring describes
# its command; `add_arguments` takes the parser, and `run` the arguments and returns an exit code, or nothing
# for 0. In a module, nothing heavy is imported before `run`: usage is answered at once. Arguments that do not
# go together are refused by `arguments.refuse(message)`.
COMMANDS = {
    "data": ("data", "fetch openly licensed corpora and convert them", "data open data/open"),
    "import": (
        "import_corpus",
        "convert a corpus of your own",
        "import brat data/sample/brat runs/my_corpus",
    ),
    "check": (
        "check",
        "show what a config's corpora hold, and all errors in both",
        "check configs/hmtl_sample.json",
    ),
    "train": (
        "train",
        "train a multi-task model from a config; resume it with --recover",
        "train -c configs/hmtl_sample.json -s runs/mine",
    ),
    "fine-tune": (
        "fine_tune",
        "train from the weights of a trained model",
        "fine-tune -c configs/fine_tune_open.json -s runs/tuned -p runs/mine -m best_ner.th",
    ),
    "evaluate": (
        "evaluate",
        "score a run on test data; report its errors",
        "evaluate -s runs/mine --report runs/mine/report",
    ),
    "calibrate": (
        "calibrate",
        "set thresholds and temperatures of a run on its validation data",
        "calibrate -s runs/mine",
    ),
    "predict": (
        "predict",
        "find named entities, mentions, relations and coreference in texts",
        "predict -s runs/mine article.txt -o found.jsonl",
    ),
    "serve": ("serve", "show a run in the browser; serve its API", "serve -s runs/mine"),
    "score": (
        "score",
        "score the annotations of any system against gold ones",
        "score gold/ predicted/",
    ),
    "probe": (
        "probe",
        "probe the layers of a run with SentEval's tasks",
        "probe -s runs/mine -t coref -l all --data probing/",
    ),
    "experiment": (
        "experiment",
        "train every setup of a grid with every seed",
        "experiment configs/grids/recipes.json --out runs/recipes",
    ),
    "report": ("report", "compare the runs of an experiment", "report runs/recipes"),
    "export": (
        "export",
        "write what prediction needs of a run, to share it",
        "export runs/mine mine-exported",
    ),
    "push": (
        "push",
        "upload an exported run to the Hugging Face hub",
        "push mine-exported me/hmtl-mine",
    ),
    "import-reference": (
        "import_reference",
        "make a run of a directory that the 2018 code trained",
        "import-reference trained_in_2018 runs/of_2018",
    ),
}


class Parser(argparse.ArgumentParser):
    """A parser that names what is known where a word is not, if it is near."""

    def error(self, message: str) -> NoReturn:
        """End with the message, as argparse does."""
        problem, _, choices = message.partition("(choose from ")
        unknown = re.search(r"(?:invalid choice: '|unrecognized arguments: )([^' =]+)", problem)
        known = (
            re.findall(r"[\w-]+", choices)
            if choices
            else re.findall(r"--[\w-]+", self.format_help())
        )
        hint = did_you_mean(unknown[1], known).strip() if unknown else ""
        super().error(f"{message}; {hint}" if hint else message)


class LazyParser(Parser):
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
        namespace, unknown = super().parse_known_args(args, namespace)
        if unknown:
            # Left to the parser above, they would be none of its own words.
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return namespace, unknown


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
    examples = "\n".join(f"  hmtl {example}" for _, _, example in COMMANDS.values())
    parser = Parser(
        prog="hmtl",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Train one model for named entities, mentions, relations, coreference, your own tasks.",
        epilog=f"examples, in the order of use:\n{examples}\n\n`hmtl COMMAND --help` explains a command.",
    )
    parser.add_argument("--version", action="version", version=f"hmtl {hmtl.__version__}")
    commands = parser.add_subparsers(
        metavar="COMMAND", required=True, parser_class=LazyParser, dest="command"
    )
    for name, (module, purpose, example) in COMMANDS.items():
        commands.add_parser(name, help=purpose, describe=_description_of(module, example))
    arguments = parser.parse_args(words)
    # Python's last search for garbage would go through all that the libraries made: 0.4 s, for nothing.
    atexit.register(gc.freeze)
    return arguments.run(arguments)


def _description_of(name: str, example: str) -> Callable[[argparse.ArgumentParser], None]:
    def describe(parser: argparse.ArgumentParser) -> None:
        module = importlib.import_module(f"hmtl.commands.{name}")
        parser.description = module.__doc__
        parser.epilog = f"example:\n  hmtl {example}"
        module.add_arguments(parser)
        parser.set_defaults(run=module.run, refuse=parser.error)

    return describe
