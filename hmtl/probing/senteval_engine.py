"""
Lets the engine of SentEval (https://github.com/facebookresearch/SentEval), as a user has checked it out,
train and score its own classifiers on our vectors. What its code of 2020 needs from the libraries of today
stands in `_as_its_code_expects` and nowhere else.
"""

from __future__ import annotations

import importlib
import inspect
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy
import torch

from hmtl.errors import DataError
from hmtl.probing.classifiers import BATCH_SIZE, EPOCH_SIZE, TENACITY
from hmtl.probing.tasks import Sentence

PACKAGE = "senteval"
# Of its cross-validation, which no probing task uses; the value in its own examples.
FOLDS = 5

# Takes sentences that the next batches will come from, and returns what turns batches of them into
# vectors of shape (num_sentences, dim).
Prepare = Callable[[Sequence[Sentence]], Callable[[Sequence[Sentence]], numpy.ndarray]]


class SentEvalEngine:
    """
    # Parameters

    directory : `Path`
        A checkout of SentEval.
    data_dir : `Path`
        Its data: the directory that holds `probing/`.
    hidden : `int`
        Units of the classifier's hidden layer; 0 is logistic regression.
    device : `torch.device`
        Where the classifier is trained.

    # Raises

    DataError
        When the directory is no checkout.
    """

    def __init__(self, directory: Path, data_dir: Path, hidden: int, device: torch.device) -> None:
        self.directory = directory
        self.data_dir = data_dir
        self.hidden = hidden
        self.device = device
        self._engine = _import_engine(directory)

    def score(self, task: str, seed: int, vectors_of: Prepare) -> dict[str, float]:
        """
        # Parameters

        task : `str`
            SentEval's name.
        seed : `int`
        vectors_of : `Prepare`

        # Returns

        scores : `dict[str, float]`
            `devacc` and `acc`, in percent.
        """
        caller = _Callbacks(vectors_of)
        with _as_its_code_expects(self.device):
            engine = self._engine.SE(self._params(seed), caller.batcher, caller.prepare)
            result = engine.eval(task)
        return {name: float(result[name]) for name in ("devacc", "acc")}

    def _params(self, seed: int) -> dict[str, Any]:
        return {
            "task_path": str(self.data_dir),
            "usepytorch": True,
            "seed": seed,
            "batch_size": BATCH_SIZE,
            "kfold": FOLDS,
            "classifier": {
                "nhid": self.hidden,
                "optim": "rmsprop",
                "batch_size": BATCH_SIZE,
                "tenacity": TENACITY,
                "epoch_size": EPOCH_SIZE,
            },
        }


class _Callbacks:
    """What the engine calls. Its `params` hold nothing that our vectors depend on."""

    def __init__(self, vectors_of: Prepare) -> None:
        self._vectors_of = vectors_of
        self._batch: Callable[[Sequence[Sentence]], numpy.ndarray] | None = None

    def prepare(self, params: Any, samples: Sequence[Sentence]) -> None:
        """Called once a task, with the tokens of all its sentences."""
        self._batch = self._vectors_of(samples)

    def batcher(self, params: Any, batch: Sequence[Sentence]) -> numpy.ndarray:
        """Called for each batch; returns an array of shape `(len(batch), dim)`."""
        if self._batch is None:
            self.prepare(params, batch)
        assert self._batch is not None
        return self._batch(batch)


def _import_engine(directory: Path) -> Any:
    if not (directory / PACKAGE / "engine.py").is_file():
        raise DataError(
            f"has no {PACKAGE}/engine.py: give a checkout of "
            "https://github.com/facebookresearch/SentEval, or leave --senteval out to use our own probe",
            directory,
        )
    sys.path.insert(0, str(directory.resolve()))
    try:
        engine = importlib.import_module(f"{PACKAGE}.engine")
    except ImportError as error:
        raise DataError(f"cannot be imported: {error}", directory / PACKAGE) from error
    finally:
        sys.path.remove(str(directory.resolve()))
    found = Path(str(engine.__file__)).resolve()
    if directory.resolve() not in found.parents:
        raise DataError(f"another {PACKAGE} is in its way: {found}", directory)
    return engine


@contextmanager
def _as_its_code_expects(device: torch.device) -> Iterator[None]:
    """
    While the block runs:

    - `inspect.getargspec` is there again. It is gone since Python 3.11, and in 3.10 it refuses the
      annotated constructors of torch's optimizers; `senteval.utils.get_optimizer` reads their arguments
      by it.
    - On a CPU, `.cuda()` of tensors and modules returns them as they are: its classifier calls it always.
      On a CUDA device, that one is the current device.
    - torch's warning that `Variable(..., volatile=True)` has no effect any more is not shown for each batch.
    """

    def unmoved(self: Any, *args: Any, **kwargs: Any) -> Any:
        return self

    with ExitStack() as stack:
        stack.enter_context(
            _replaced(inspect, "getargspec", lambda function: inspect.getfullargspec(function)[:4])
        )
        if device.type == "cuda":
            stack.enter_context(torch.cuda.device(device))
        else:
            stack.enter_context(_replaced(torch.Tensor, "cuda", unmoved))
            stack.enter_context(_replaced(torch.nn.Module, "cuda", unmoved))
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", message="volatile was removed")
        yield


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    there = vars(owner).get(name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if there is None:
            delattr(owner, name)
        else:
            setattr(owner, name, there)
