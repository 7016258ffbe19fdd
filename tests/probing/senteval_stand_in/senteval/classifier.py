"""A classifier that asks for what Python 3.11 and a machine without CUDA do not have."""

import inspect
from typing import Any

import numpy
import torch
from torch.autograd import Variable

ROUNDS = 30


def optimizer_named(name: str, parameters: Any) -> torch.optim.Optimizer:
    kind = {"rmsprop": torch.optim.RMSprop}[name]
    # Not there for the type checker either.
    expected = vars(inspect)["getargspec"](kind.__init__)[0]
    assert expected[:2] == ["self", "params"]
    return kind(parameters)


class TorchClassifier:
    def __init__(self, settings: dict, dim: int, num_classes: int, seed: int) -> None:
        assert settings["nhid"] == 0, "the stand-in knows logistic regression only"
        numpy.random.seed(seed)
        torch.manual_seed(seed)
        torch.cuda.manual_seed(seed)
        self.model = torch.nn.Sequential(torch.nn.Linear(dim, num_classes)).cuda()
        self.loss = torch.nn.CrossEntropyLoss().cuda()
        self.optimizer = optimizer_named(settings["optim"], self.model.parameters())

    def fit(self, vectors: numpy.ndarray, classes: numpy.ndarray) -> None:
        inputs = torch.FloatTensor(vectors).cuda()
        targets = torch.LongTensor(classes).cuda()
        for _ in range(ROUNDS):
            loss = self.loss(self.model(Variable(inputs)), Variable(targets))
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()

    def score(self, vectors: numpy.ndarray, classes: numpy.ndarray) -> float:
        inputs: Any = torch.FloatTensor(vectors)
        if not isinstance(inputs, vars(torch.cuda)["FloatTensor"]):
            inputs = torch.FloatTensor(inputs).cuda()
        volatile: Any = {"volatile": True}
        guesses = self.model(Variable(inputs, **volatile)).data.max(1)[1]
        return float(guesses.cpu().eq(torch.LongTensor(classes)).double().mean())
