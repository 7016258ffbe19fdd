"""
Probe the layers of a trained model: train classifiers on their vectors, by the protocol of SentEval's
ten probing tasks. The same command resumes after an interruption; further layers, tasks and seeds are added
to the output.
"""

import argparse
from pathlib import Path

from hmtl.commands.cli import add_include_package, add_serialization_dir, running
from hmtl.probing.tasks import PROBING_FILES

DEFAULT_SEEDS = [1, 2, 3, 4, 5]
# What the 2018 script took where nothing else was said.
DEFAULT_TASK, DEFAULT_LAYER = "ner", "text_field_embedder"
SENTEVAL_DIR = Path("SentEval")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_serialization_dir(parser, "the run to probe, as training wrote it")
    weights = parser.add_mutually_exclusive_group()
    weights.add_argument(
        "-t",
        "--task",
        help="load best_<task>.th, the weights of this task's best epoch (default: "
        f"{DEFAULT_TASK})",
    )
    weights.add_argument(
        "--untrained", action="store_true", help="take fresh weights, for comparison"
    )
    parser.add_argument(
        "-l",
        "--layer_name",
        nargs="+",
        default=[DEFAULT_LAYER],
        metavar="LAYER",
        help=f"{DEFAULT_LAYER} (default), encoder_<level> or all",
    )
    parser.add_argument(
        "--tasks",
        nargs="+",
        choices=PROBING_FILES,
        metavar="TASK",
        help=f"probing tasks, of {', '.join(PROBING_FILES)} (default: all that have a file)",
    )
    _add_sources(parser)
    _add_classifier(parser)
    _add_output(parser)
    add_include_package(parser)


def _complete(arguments: argparse.Namespace) -> None:
    if arguments.task is None and not arguments.untrained:
        arguments.task = DEFAULT_TASK
    if arguments.data is None and arguments.senteval is None:
        arguments.senteval = SENTEVAL_DIR
        if not SENTEVAL_DIR.is_dir():
            arguments.refuse(
                f"where are the sentences? There is no checkout of SentEval in {SENTEVAL_DIR}: give "
                "--data, --senteval or both"
            )
    if arguments.hidden < 0:
        arguments.refuse(f"--hidden {arguments.hidden}: expected is 0 or a number of units")


def _add_sources(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="files of SentEval's format by its names (sentence_length.txt, ...), in DIR or DIR/probing",
    )
    parser.add_argument(
        "--senteval",
        type=Path,
        metavar="DIR",
        help="a checkout of facebookresearch/SentEval: let its engine train and score the classifiers "
        f"(default: our own probe, by the same protocol; without --data, {SENTEVAL_DIR})",
    )


def _add_classifier(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--hidden",
        type=int,
        default=0,
        metavar="UNITS",
        help="of the classifier's hidden layer (default 0: logistic regression)",
    )
    parser.add_argument(
        "--standardize",
        action="store_true",
        help="give each dimension of the vectors mean 0 and variance 1; SentEval does not, but thousands of "
        "sentences are too few without",
    )
    parser.add_argument(
        "--seeds",
        type=int,
        nargs="+",
        default=DEFAULT_SEEDS,
        metavar="SEED",
        help="of the classifier; mean and spread are reported (default: 1 2 3 4 5)",
    )
    parser.add_argument(
        "--device", help="cpu, cuda or cuda:<number> (default: a GPU if there is one)"
    )


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="where senteval.json, the table, the pictures and the cached vectors go (default: probing/"
        "best_<task> or probing/untrained in the run)",
    )
    parser.add_argument(
        "--beside",
        type=Path,
        nargs="+",
        default=[],
        metavar="DIR",
        help="outputs of other probings, to stand in the same table and pictures",
    )
    parser.add_argument("--name", help="what the model is called in table and pictures")
    parser.add_argument(
        "-f", "--force", action="store_true", help="replace the results in the output"
    )


def run(arguments: argparse.Namespace) -> None:
    """Carry it out."""
    _complete(arguments)
    with running(arguments.include_package):
        from hmtl.probing.report import markdown_report
        from hmtl.probing.results import Results
        from hmtl.probing.study import Request, probe

        results = probe(
            Request(
                serialization_dir=arguments.serialization_dir,
                task=arguments.task,
                layers=arguments.layer_name,
                data=arguments.data,
                tasks=arguments.tasks,
                senteval=arguments.senteval,
                hidden=arguments.hidden,
                standardize=arguments.standardize,
                seeds=arguments.seeds,
                device=arguments.device,
                output=arguments.output,
                beside=arguments.beside,
                name=arguments.name,
                force=arguments.force,
            )
        )
        others = [Results.load(directory) for directory in arguments.beside]
        print(markdown_report([results, *others]))
        print(f"Results, table, pictures and cached vectors are in {results.directory}")
