"""
The classifier of SentEval's protocol, trained on vectors that stay as they are: the strength of the
regularisation is the one that does best on the development partition, and the test partition is scored once.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy
import torch

# SentEval's published settings.
BATCH_SIZE = 128
# Passes over the training data between two looks at the development data.
EPOCH_SIZE = 2
# How many looks without a new best are borne; the next one ends the training.
TENACITY = 3
MAX_PASSES = 200
L2_GRID = tuple(10.0**exponent for exponent in range(-5, -1))


@dataclass
class Examples:
    """Vectors of shape `(num_sentences, dim)`, and classes, counted from 0, of shape `(num_sentences,)`."""

    vectors: numpy.ndarray
    classes: numpy.ndarray


@dataclass
class Splits:
    """
    What a classifier is trained on, chosen by, and scored on; `may_hide` tells whether SentEval allows a
    hidden layer.
    """

    train: Examples
    dev: Examples
    test: Examples
    num_classes: int
    may_hide: bool = True


@dataclass(frozen=True)
class Score:
    """Accuracies in percent on both partitions, and the regularisation that was chosen."""

    devacc: float
    acc: float
    regularisation: float


class Classifier:
    """
    Logistic regression, or a network of one hidden layer of sigmoid units, trained with RMSprop.

    # Parameters

    device : `torch.device`
    hidden : `int`, optional (default = `0`)
        Units of the hidden layer; 0 is logistic regression.
    """

    def __init__(self, device: torch.device, hidden: int = 0) -> None:
        self.device = device
        self.hidden = hidden

    def score(self, splits: Splits, seed: int) -> Score:
        """Train with each strength of regularisation, choose one, and score it."""
        hidden = self.hidden if splits.may_hide else 0
        train, dev, test = (
            _Tensors(each, self.device) for each in (splits.train, splits.dev, splits.test)
        )
        best: tuple[float, float, torch.nn.Module] | None = None
        for strength in L2_GRID:
            network = _network(train.vectors.shape[1], hidden, splits.num_classes, seed)
            network = network.to(self.device)
            accuracy, network = _train(network, train, dev, strength, seed)
            # The first of equals, as SentEval has it. It then trains the chosen one again with the same
            # seed, to the same weights; there is no need to.
            if best is None or accuracy > best[0]:
                best = accuracy, strength, network
        assert best is not None
        accuracy, strength, network = best
        return Score(accuracy, _accuracy(network, test), strength)


class _Tensors:
    def __init__(self, examples: Examples, device: torch.device) -> None:
        self.vectors = torch.from_numpy(examples.vectors).to(device)
        self.classes = torch.from_numpy(examples.classes).to(device)


def _network(dim: int, hidden: int, num_classes: int, seed: int) -> torch.nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if not hidden:
            return torch.nn.Linear(dim, num_classes)
        return torch.nn.Sequential(
            torch.nn.Linear(dim, hidden), torch.nn.Sigmoid(), torch.nn.Linear(hidden, num_classes)
        )


def _train(
    network: torch.nn.Module, train: _Tensors, dev: _Tensors, l2: float, seed: int
) -> tuple[float, torch.nn.Module]:
    """The best accuracy on `dev`, and the network as it was then."""
    optimizer = torch.optim.RMSprop(network.parameters(), weight_decay=l2)
    generator = torch.Generator().manual_seed(seed)
    best_accuracy, best = -1.0, network
    passes = looks_in_vain = 0
    while looks_in_vain <= TENACITY and passes <= MAX_PASSES:
        for _ in range(EPOCH_SIZE):
            _pass_over(network, train, optimizer, generator)
        passes += EPOCH_SIZE
        accuracy = _accuracy(network, dev)
        if accuracy > best_accuracy:
            best_accuracy, best = accuracy, copy.deepcopy(network)
        else:
            # Counted over the whole training: a new best does not set it back, in SentEval either.
            looks_in_vain += 1
    return best_accuracy, best


def _pass_over(
    network: torch.nn.Module,
    train: _Tensors,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
) -> None:
    order = torch.randperm(len(train.classes), generator=generator).to(train.classes.device)
    for batch in order.split(BATCH_SIZE):
        scores = network(train.vectors[batch])
        loss = torch.nn.functional.cross_entropy(scores, train.classes[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@torch.no_grad()
def _accuracy(network: torch.nn.Module, examples: _Tensors) -> float:
    """In percent."""
    right = network(examples.vectors).argmax(-1) == examples.classes
    return 100.0 * right.double().mean().item()
