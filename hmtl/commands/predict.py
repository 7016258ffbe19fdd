"""Predict named entities, mentions, relations and coreference in texts, with a trained model."""

import argparse
import logging
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from hmtl.commands.cli import add_include_package, add_serialization_dir, running
from hmtl.common.reporting import counted

logger = logging.getLogger(__name__)

INPUT_FORMATS = ("text", "lines", "jsonl", "docred")
# Those that are files for each text, in a directory.
DIRECTORY_FORMATS = ("brat", "webanno", "cas")
# What annotation tools take as pre-annotations, in one file.
TOOL_FORMATS = ("char_jsonl", "label_studio", "prodigy", "doccano", "doccano_spans")
OUTPUT_FORMATS = (
    "jsonl",
    "conll",
    "like_conll",
    "conllu",
    "html",
    *DIRECTORY_FORMATS,
    *TOOL_FORMATS,
    "docred",
    "docred_submission",
)
# Of engines of many machines.
PARQUET = "parquet"
# How a shell reports a program whose reader went away.
BROKEN_PIPE_EXIT_CODE = 128 + signal.SIGPIPE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_serialization_dir(parser, "the run whose model is used, as training wrote it")
    parser.add_argument(
        "inputs",
        nargs="*",
        default=["-"],
        metavar="FILE",
        help="texts; - is standard input (the default)",
    )
    parser.add_argument(
        "--input-format",
        choices=(*INPUT_FORMATS, PARQUET),
        help="text: each file is one text; lines: each line is one; jsonl: each line is "
        '{"text": "..."}, {"tokens": [...]} or {"sentences": [[...], ...]}, with an "id" if you like; '
        "docred: DocRED's documents, with their entities; parquet, with --on ray: rows with such columns "
        "(default: jsonl for files named *.jsonl, else text)",
    )
    parser.add_argument(
        "--find-entities",
        action="store_true",
        help="find the entities of --input-format docred, too, instead of relating those that are given",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        help="the file to write, for brat, webanno, cas and --on ray a directory (default: standard output)",
    )
    parser.add_argument(
        "--output-format",
        choices=(*OUTPUT_FORMATS, PARQUET),
        default="jsonl",
        help="JSON lines, CoNLL-2012 columns (named entities, coreference), like_conll columns (mentions, "
        "relations, coreference), CoNLL-U (labels of tokens, trees), a page drawn by displaCy, or "
        "what is corrected in "
        "a tool: brat, WebAnno TSV (INCEpTION), Label Studio, Prodigy, doccano (doccano_spans: its sequence "
        "labelling), or by a script (char_jsonl); relations of documents as DocRED's documents, or as what "
        "its task takes; parquet, with --on ray: JSON in columns (default: %(default)s)",
    )
    parser.add_argument(
        "-w",
        "--weights",
        metavar="NAME",
        help="one file of weights in the run for all tasks, as best_coref.th, which takes less time and "
        "memory (default: each task's own best ones)",
    )
    parser.add_argument(
        "--scores",
        action="store_true",
        help="tell how probable each answer is: in JSON lines, and as notes in brat",
    )
    parser.add_argument(
        "--min-score",
        type=_probability,
        metavar="P",
        help="leave out answers that are less probable (between 0 and 1; means --scores, too)",
    )
    parser.add_argument(
        "--spacy-pipeline",
        metavar="NAME",
        help="an installed spaCy pipeline to split raw text (default: blank English, sentencizer)",
    )
    parser.add_argument(
        "--device", metavar="NAME", help="cpu or cuda:0 (default: a GPU if there is one)"
    )
    parser.add_argument(
        "--on",
        choices=("ray",),
        help="predict on a Ray cluster (that of RAY_ADDRESS, else this machine): a corpus that outgrows one "
        "machine, from and to any file system that fsspec knows, a shard at a time (docs/distributed.md)",
    )
    parser.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="with --on ray: how many at most (default: one a GPU, or a CPU where there are none)",
    )
    existing = parser.add_mutually_exclusive_group()
    existing.add_argument(
        "-r", "--recover", action="store_true", help="resume an output that was interrupted"
    )
    existing.add_argument("-f", "--force", action="store_true", help="replace the output")
    add_include_package(parser)


def _probability(text: str) -> float:
    value = float(text)
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"{text} is no probability; give one between 0 and 1")
    return value


def _check(arguments: argparse.Namespace) -> None:
    if arguments.output is None:
        if arguments.output_format in DIRECTORY_FORMATS:
            arguments.refuse(
                f"--output-format {arguments.output_format} writes a directory: give one with --output"
            )
        if arguments.recover:
            arguments.refuse("--recover resumes a file: name it with --output")
    if arguments.on:
        if arguments.output is None or "-" in arguments.inputs:
            arguments.refuse(
                "--on ray reads files, and writes a directory: name both, the latter with --output"
            )
        if arguments.output_format not in ("jsonl", PARQUET) or arguments.input_format == "docred":
            arguments.refuse(
                "--on ray reads text, lines, jsonl and parquet, and writes jsonl and parquet"
            )
    elif PARQUET in (arguments.input_format, arguments.output_format):
        arguments.refuse("parquet is read and written with --on ray")
    elif arguments.workers is not None:
        arguments.refuse("--workers are those of --on ray")
    if arguments.workers is not None and arguments.workers < 1:
        arguments.refuse(f"--workers {arguments.workers}: give 1 or more")


def run(arguments: argparse.Namespace) -> None:
    """Carry it out."""
    _check(arguments)
    with running(arguments.include_package):
        try:
            (predict_on_ray if arguments.on else predict)(arguments)
        except BrokenPipeError:
            # Python would report it once more when it closes standard output.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(BROKEN_PIPE_EXIT_CODE)


def predict(arguments: argparse.Namespace) -> None:
    from hmtl.common.files import sha256_of
    from hmtl.prediction.outputs import open_output
    from hmtl.prediction.predictor import Predictor
    from hmtl.prediction.records import check_inputs
    from hmtl.prediction.renderings import left_out
    from hmtl.prediction.stream import predict_all

    inputs = [Path(each) for each in arguments.inputs]
    check_inputs(inputs)
    predictor = Predictor.from_serialization_dir(
        arguments.serialization_dir,
        arguments.weights,
        arguments.device,
        arguments.spacy_pipeline,
        scores=arguments.scores or arguments.min_score is not None,
    )
    predictor.given_entities = not arguments.find_entities
    lost = left_out(arguments.output_format, predictor.kinds)
    if lost:
        logger.warning(
            "the answers of %s have no place in the format %s and are left out: %s. jsonl and html have them",
            counted(len(lost), "tasks"),
            arguments.output_format,
            ", ".join(lost),
        )
    given = arguments.input_format == "docred" and not arguments.find_entities
    blind = [] if given else predictor.without_entities
    if blind:
        logger.warning(
            "no level of this run finds the entities that %s relates, so it answers nothing. Train it with a "
            "level of mentions, as emd, or predict --input-format docred without --find-entities",
            ", ".join(blind),
        )
    settings = {
        "inputs": [str(path.absolute()) for path in inputs],
        "input_format": arguments.input_format,
        "output_format": arguments.output_format,
        "spacy_pipeline": arguments.spacy_pipeline,
        "weights": {task: sha256_of(path) for task, path in predictor.weights.items()},
        # Outputs that were begun before there were scores have none.
        "scores": predictor.scores or None,
        "min_score": arguments.min_score,
        # Likewise.
        "find_entities": arguments.find_entities or None,
    }
    path = None if arguments.output is None else Path(arguments.output)
    output = open_output(
        path, arguments.output_format, settings, arguments.recover, arguments.force
    )
    try:
        if output.is_complete:
            logger.info("%s is complete already", arguments.output)
            return
        if output.num_done:
            logger.info("resuming: %s done before", counted(output.num_done, "texts"))
        number = predict_all(
            predictor,
            inputs,
            arguments.input_format,
            output,
            arguments.min_score,
        )
    finally:
        output.close()
    where = arguments.output or "standard output"
    logger.info("%s predicted: %s", counted(number, "texts"), where)


def predict_on_ray(arguments: argparse.Namespace) -> None:
    from hmtl.common.files import sha256_of
    from hmtl.prediction import on_ray
    from hmtl.prediction.shards import Job, absolute, begin, plan

    on_ray.load_ray()
    model = on_ray.Model(
        str(arguments.serialization_dir.absolute()),
        arguments.weights,
        arguments.device,
        arguments.spacy_pipeline,
        arguments.scores or arguments.min_score is not None,
        arguments.include_package,
    )
    # What is wrong with the model is told here and now.
    predictor = replace(model, device="cpu").load()
    settings = {
        "inputs": arguments.inputs,
        "weights": {task: sha256_of(path) for task, path in predictor.weights.items()},
        "spacy_pipeline": arguments.spacy_pipeline,
        "scores": predictor.scores,
    }
    del predictor
    shards, input_format = plan(arguments.inputs, arguments.input_format)
    output, written = absolute(arguments.output), arguments.output_format
    job = Job(input_format, written, output, len(shards), arguments.min_score)
    numbers = begin(job, shards, settings, arguments.recover, arguments.force)
    logger.info("%d of %s to predict", len(numbers), counted(len(shards), "shards"))
    number = on_ray.predict_on_ray(model, job, shards, numbers, arguments.workers) if numbers else 0
    logger.info("%s predicted: %s", counted(number, "texts"), arguments.output)
