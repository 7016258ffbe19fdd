"""What the entry points settle about the process before they import anything heavy."""

import os
from collections.abc import MutableMapping


def set_thread_policy(environ: MutableMapping[str, str] = os.environ) -> None:
    """
    Lets idle OpenMP threads sleep instead of spin, unless the user has chosen otherwise.

    By default the threads of PyTorch wait for work in a busy loop. As soon as the cores are shared
    with anything else (a data loader, another run, a neighbour on the machine) the waiting threads
    take the time of the working ones: on two busy cores one CRF loss took 2 to 6 seconds instead of
    0.1. Sleeping costs an idle machine next to nothing.

    OpenMP reads the setting once, when torch is loaded: call this before anything imports torch.

    # Parameters

    environ : `MutableMapping[str, str]`, optional (default = `os.environ`)
        The environment to write `OMP_WAIT_POLICY=PASSIVE` to, if it has no `OMP_WAIT_POLICY`.
    """
    environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
