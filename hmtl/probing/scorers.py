"""Two ways to score a layer on a task: our own probe, and SentEval's engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Protocol

import numpy

from hmtl.formats.senteval import DEV, PARTITIONS, TEST, TRAIN
from hmtl.probing import bag_of_embeddings
from hmtl.probing.bag_of_embeddings import BagOfEmbeddings
from hmtl.probing.classifiers import Classifier, Examples, Splits
from hmtl.probing.features import FeatureStore, Vectors
from hmtl.probing.senteval_engine import SentEvalEngine
from hmtl.probing.tasks import (
    WITHOUT_HIDDEN_LAYER,
    ProbingData,
    Sentence,
)


class TaskVectors:
    """
    The vectors of one task's sentences in each row of the table: of the baseline, and of the layers.

    # Parameters

    store : `FeatureStore`
    task : `str`
    """

    def __init__(self, store: FeatureStore, task: str) -> None:
        self.store = store
        self.task = task
        self._sentences: list[Sentence] = []
        self._vectors: dict[str, Vectors] = {}

    def of(self, row: str, sentences: Sequence[Sentence]) -> Vectors:
        """Those of all layers come at once, so that the model reads each sentence once."""
        if sentences != self._sentences:
            self._sentences, self._vectors = list(sentences), {}
        if row not in self._vectors:
            if row == bag_of_embeddings.NAME:
                bag = BagOfEmbeddings().encode(sentences)
                self._vectors[row] = Vectors(bag, numpy.arange(len(bag)))
            else:
                self._vectors.update(self.store.open(self.task, sentences))
        return self._vectors[row]


class Scorer(Protocol):
    """Scores a row of the table on one task."""

    def score(self, row: str, seed: int) -> dict[str, float]:
        """
        # Returns

        scores : `dict[str, float]`
            `devacc` and `acc`, in percent, and what else is to be kept.
        """


class OwnProbe:
    """
    # Parameters

    data : `ProbingData`
    vectors : `TaskVectors`
    classifier : `Classifier`
    standardize : `bool`
        Give each dimension the mean 0 and the variance 1 on the training partition. SentEval does not; but
        then one strength of regularisation means another thing for each layer.
    """

    def __init__(
        self, data: ProbingData, vectors: TaskVectors, classifier: Classifier, standardize: bool
    ) -> None:
        self.data = data
        self.vectors = vectors
        self.classifier = classifier
        self.standardize = standardize
        self._splits: tuple[str, Splits] | None = None

    def score(self, row: str, seed: int) -> dict[str, float]:
        """See `Scorer`."""
        if self._splits is None or self._splits[0] != row:
            self._splits = row, self._read(row)
        return asdict(self.classifier.score(self._splits[1], seed))

    def _read(self, row: str) -> Splits:
        vectors = self.vectors.of(row, self.data.sentences)
        number = {label: index for index, label in enumerate(self.data.classes)}
        examples = {}
        first = 0
        for name in PARTITIONS:
            labels = self.data.partitions[name].labels
            last = first + len(labels)
            classes = numpy.array([number[label] for label in labels], dtype=numpy.int64)
            examples[name] = Examples(vectors.take(range(first, last)), classes)
            first = last
        if self.standardize:
            _standardize(examples)
        may_hide = self.data.task not in WITHOUT_HIDDEN_LAYER
        return Splits(
            examples[TRAIN],
            examples[DEV],
            examples[TEST],
            num_classes=len(number),
            may_hide=may_hide,
        )


def _standardize(examples: dict[str, Examples]) -> None:
    mean = examples[TRAIN].vectors.mean(axis=0)
    deviation = examples[TRAIN].vectors.std(axis=0)
    # A dimension that is always the same tells nothing, whatever its scale.
    deviation[deviation == 0] = 1.0
    for each in examples.values():
        each.vectors = (each.vectors - mean) / deviation


class EngineProbe:
    """
    # Parameters

    engine : `SentEvalEngine`
        It reads the task's file itself, and asks for vectors in whatever order it likes.
    vectors : `TaskVectors`
    """

    def __init__(self, engine: SentEvalEngine, vectors: TaskVectors) -> None:
        self.engine = engine
        self.vectors = vectors

    def score(self, row: str, seed: int) -> dict[str, float]:
        """See `Scorer`."""

        def prepare(
            samples: Sequence[Sentence],
        ) -> Callable[[Sequence[Sentence]], numpy.ndarray]:
            vectors = self.vectors.of(row, samples)
            place = {tuple(words): position for position, words in enumerate(samples)}
            return lambda batch: vectors.take([place[tuple(words)] for words in batch])

        return self.engine.score(self.vectors.task, seed, prepare)
