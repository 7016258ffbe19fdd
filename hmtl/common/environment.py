"""What is settled about the process before anything heavy is imported."""

import logging
import os
import tempfile
from collections.abc import Mapping, MutableMapping

logger = logging.getLogger(__name__)

# How many times a waiting thread looks before it sleeps: some microseconds.
SPIN_COUNT = "2000"


def set_thread_policy(environ: MutableMapping[str, str] = os.environ) -> None:
    """
    Settles how PyTorch uses the processor's cores, unless the user has chosen otherwise.

    One OpenMP thread. The layers of these models are small: to share one out among threads takes longer
    than to compute it, and several times longer as soon as the cores have anything else to do. What pays
    is to compute the two directions of an encoder, or two halves of the pairs of a document, on two cores
    (`hmtl.modules.side_by_side`), which is done with this setting. Where `OMP_NUM_THREADS` is set, as is
    right for a large transformer on many cores, it is left as it is.

    Idle OpenMP threads soon sleep. By default they wait in a busy loop, and where the cores are shared
    with anything else (another run, a neighbour on the machine) the waiting threads take the time of the
    working ones: on two busy cores one CRF loss took 2 to 6 seconds instead of 0.1. To sleep at once costs
    nearly as much where operations are short: with two threads a training step took 93 ms that took 41 ms
    with a bounded wait (2 quiet cores).

    OpenMP reads the settings once, when torch is loaded: call this before anything imports torch.

    # Parameters

    environ : `MutableMapping[str, str]`, optional (default = `os.environ`)
        The environment to write `OMP_NUM_THREADS=1`, `OMP_WAIT_POLICY=PASSIVE` and `GOMP_SPINCOUNT` to; the
        latter two only where `OMP_WAIT_POLICY` is not set.
    """
    environ.setdefault("OMP_NUM_THREADS", "1")
    if "OMP_WAIT_POLICY" not in environ:
        environ["OMP_WAIT_POLICY"] = "PASSIVE"
        environ.setdefault("GOMP_SPINCOUNT", SPIN_COUNT)


# The environment's word on where caches lie, `OFF` being nowhere; and on where those of all programs do.
CACHE_VARIABLE, OFF = "HMTL_CACHE_DIR", "off"
USER_CACHE_VARIABLE = "XDG_CACHE_HOME"


def ensure_home(environ: MutableMapping[str, str] = os.environ) -> None:
    """
    Give a process whose user has no home directory (a container that runs under a mere number, without
    `HOME`) an empty one, which goes with the process. No cache is kept there.

    Without this AllenNLP cannot be imported then ("Could not determine home directory"), and transformers
    makes a directory that is called `~`.

    # Parameters

    environ : `MutableMapping[str, str]`, optional (default = `os.environ`)
        The environment to write `HOME` and, unless it says where caches lie, `HMTL_CACHE_DIR` to.
    """
    if os.path.expanduser("~") != "~":
        return
    home = tempfile.TemporaryDirectory(prefix="hmtl-home-")
    _kept_to_the_end.append(home)
    environ["HOME"] = home.name
    if not environ.get(USER_CACHE_VARIABLE):
        environ.setdefault(CACHE_VARIABLE, OFF)
    logger.warning(
        "this user has no home directory (HOME is not set): %s stands in for it until the end, and caches "
        "are kept only where %s or the config says",
        home.name,
        CACHE_VARIABLE,
    )


_kept_to_the_end: "list[tempfile.TemporaryDirectory[str]]" = []

# What torchrun tells each process that it starts: its number, how many there are, how often it began anew.
PROCESS_NUMBER, PROCESS_COUNT = "RANK", "WORLD_SIZE"
NUMBER_OF_RESTARTS = "TORCHELASTIC_RESTART_COUNT"


def world_size(environ: Mapping[str, str] = os.environ) -> int:
    """How many work together: 1 unless torchrun has started more."""
    return int(environ.get(PROCESS_COUNT, 1)) if PROCESS_NUMBER in environ else 1


def is_main_process(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether this is the one of them that writes and prints."""
    return world_size(environ) == 1 or int(environ[PROCESS_NUMBER]) == 0


def number_of_restarts(environ: Mapping[str, str] = os.environ) -> int:
    """How often torchrun has started the same command before, and it failed."""
    return int(environ.get(NUMBER_OF_RESTARTS, 0))
