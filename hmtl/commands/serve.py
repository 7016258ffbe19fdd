"""Serve a trained run: a page that shows what the model finds in a text, and an API with the same as JSON."""

import argparse
import ipaddress
import os
import re
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hmtl.commands.cli import add_include_package, running
from hmtl.serving.limits import LOCAL_HOSTS, Limits

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

MAX_PORT = 65535
# How long requests that are being answered may take when the server is asked to stop.
GRACE_SECONDS = 10
# A character of a text may take four bytes, each as three characters, in an address; headers come on top.
BYTES_PER_CHARACTER, BYTES_OF_HEADERS = 12, 2**16
# oneDNN keeps what it has prepared for a shape of tensors, by default for the last 1024 shapes. Texts of all
# lengths hardly ever have one again: that is memory that grows for hours, and no time saved.
PREPARED_SHAPES = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "32")
# The first text takes longer than the others, so it is not a user's.
WARM_UP = "Ann Lee lives in Oslo. She likes it there."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "-s",
        "--serialization_dir",
        type=Path,
        action="append",
        required=True,
        metavar="DIR",
        help="the run to serve, as training wrote it; may be repeated: the page and ?model= choose one by "
        "its directory's name",
    )
    parser.add_argument(
        "--choose-examples",
        action="store_true",
        help="choose the page's examples from the run's test data, texts that it gets right, and keep them "
        "in the run (examples.json)",
    )
    parser.add_argument(
        "--weights",
        metavar="FILE",
        help="one file of its weights for all tasks (best_coref.th; default: each task's own best ones)",
    )
    parser.add_argument("--device", help="cpu, cuda, cuda:1 (default: a GPU if there is one)")
    parser.add_argument(
        "--pipeline",
        metavar="NAME",
        help="the spaCy pipeline that splits texts (default: a blank English one)",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="default: %(default)s, this machine only"
    )
    parser.add_argument(
        "--port", type=_port, default=8000, help="default: %(default)s; 0: any free"
    )
    limits = Limits()
    for name, what in (
        ("max_text_length", "characters of a text"),
        ("max_texts", "texts of a request"),
        ("max_body_bytes", "bytes of a request's body"),
        ("max_buffered_bytes", "bytes of the bodies of all requests that are not answered yet"),
        ("max_request_seconds", "seconds until a request has come whole"),
        ("max_waiting", "texts that may wait for the model"),
        ("max_batch_texts", "texts given to the model at once"),
        (
            "max_batch_characters",
            "characters given to the model at once, where it is several texts",
        ),
    ):
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=_positive,
            default=getattr(limits, name),
            metavar="N",
            help=f"{what}, at most; default: %(default)s",
        )
    parser.add_argument(
        "--cors-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="let pages of this origin (https://example.org, or *) use the server; may be repeated",
    )
    parser.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        type=_host_pattern,
        metavar="NAME",
        help="answer also who calls the server by this name (example.org, *.example.org, or *), as behind a "
        "proxy; may be repeated. Default: localhost and its addresses; all names if --host is another",
    )
    add_include_package(parser)


def _port(value: str) -> int:
    if not value.isdecimal() or int(value) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"{value!r} is no port; choose one of 0 to {MAX_PORT}")
    return int(value)


def _host_pattern(value: str) -> str:
    if not re.fullmatch(r"\*|(\*\.)?[^*/]+", value):
        raise argparse.ArgumentTypeError(
            f"{value!r} is no host; write example.org, *.example.org or *"
        )
    return value


def _positive(value: str) -> int:
    if not value.isdecimal() or int(value) == 0:
        raise argparse.ArgumentTypeError(f"{value!r} is no positive number")
    return int(value)


def run(arguments: argparse.Namespace) -> None:
    """Carry it out."""
    names = [directory.resolve().name for directory in arguments.serialization_dir]
    if len(names) > len(set(names)):
        arguments.refuse("runs that are served together need different directory names")
    # Before the model is loaded, which takes seconds.
    listening = listen(arguments.host, arguments.port)
    # Read when torch is loaded.
    os.environ.setdefault(*PREPARED_SHAPES)
    with listening, running(arguments.include_package):
        limits = Limits(**{name: getattr(arguments, name) for name in vars(Limits())})
        app = load_app(arguments, limits)
        host, port = listening.getsockname()[:2]
        address = f"[{host}]" if ":" in host else host
        print(
            f"Serving {', '.join(map(str, arguments.serialization_dir))} at http://{address}:{port}/ "
            "(Ctrl-C stops)",
            flush=True,
        )
        serve(app, listening, limits)
        print("Stopped.")


def listen(host: str, port: int) -> socket.socket:
    """A socket on which requests may come, and wait for the model to be loaded."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        sys.exit(
            f"error: cannot listen on {host}, port {port}: {error.strerror}. Choose another --port "
            "(0: any that is free) or --host."
        )


def load_app(arguments: argparse.Namespace, limits: Limits) -> "FastAPI":
    """The web application around the runs' models."""
    from hmtl.prediction.predictor import Predictor
    from hmtl.runs.evaluation import config_of_run
    from hmtl.serving.about import about
    from hmtl.serving.app import create_app
    from hmtl.serving.examples import choose_examples, read_examples

    models = []
    for directory in arguments.serialization_dir:
        predictor = Predictor.from_serialization_dir(
            directory, arguments.weights, arguments.device, arguments.pipeline, scores=True
        )
        predictor.predict_texts([WARM_UP])
        if arguments.choose_examples and not read_examples(directory):
            choose_examples(directory, config_of_run(directory), predictor)
        models.append((predictor, about(directory, arguments.weights)))
    hosts = allowed_hosts(arguments.host, arguments.allowed_host)
    return create_app(models, limits, arguments.cors_origin, hosts)


def allowed_hosts(host: str, named: Sequence[str]) -> list[str]:
    """Return by which names the server may be called: all, where it is not for this machine only."""
    try:
        only_here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        only_here = host == "localhost"
    return [*LOCAL_HOSTS, host, *named] if only_here or named else ["*"]


def serve(app: "FastAPI", listening: socket.socket, limits: Limits) -> None:
    """Answer requests until SIGTERM or SIGINT, then those that have come, and return."""
    import uvicorn

    try:
        uvicorn.Server(server_config(app, limits)).run(sockets=[listening])
    except KeyboardInterrupt:
        # The server has stopped as it was asked to, and then passes the signal on.
        pass


def server_config(app: "FastAPI", limits: Limits) -> "uvicorn.Config":
    """Return how uvicorn is to serve the application."""
    import uvicorn

    from hmtl.serving.protection import in_time

    longest_address = BYTES_PER_CHARACTER * limits.max_text_length
    return uvicorn.Config(
        app,
        http=in_time(limits.max_request_seconds),
        ws="none",
        lifespan="on",
        log_level="warning",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        h11_max_incomplete_event_size=longest_address + BYTES_OF_HEADERS,
    )
