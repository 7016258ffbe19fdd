"""The engine's face: `SE(params, batcher, prepare).eval(name or list of names)`."""

from pathlib import Path
from typing import Any

import numpy

from senteval.classifier import TorchClassifier  # type: ignore[import-not-found]

FILES = {"Length": "sentence_length.txt", "Tense": "past_present.txt"}
PARTITIONS = {"tr": "train", "va": "dev", "te": "test"}

# What was called, for the tests: (callback, task, number of sentences).
calls: list[tuple[str, str, int]] = []


class DotDict(dict):
    """Its entries are attributes, and those that are not there are None."""

    def __getattr__(self, name: str) -> Any:
        return self.get(name)

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


class SE:
    def __init__(self, params: dict, batcher: Any, prepare: Any = None) -> None:
        self.params = DotDict(params)
        self.batcher = batcher
        self.prepare = prepare or (lambda params, samples: None)

    def eval(self, name: Any) -> Any:
        if isinstance(name, list):
            return {each: self.eval(each) for each in name}
        data = _read(Path(self.params.task_path) / "probing" / FILES[name])
        self.params.current_task = name
        samples = data["train"][0] + data["dev"][0] + data["test"][0]
        calls.append(("prepare", name, len(samples)))
        assert self.prepare(self.params, samples) is None
        vectors = {each: self._embed(*data[each]) for each in data}
        return self._classify(vectors)

    def _embed(self, sentences: list, labels: list) -> tuple[numpy.ndarray, numpy.ndarray]:
        # By length, so that the batches come in another order than the samples.
        pairs = sorted(zip(sentences, labels), key=lambda pair: (len(pair[0]), pair[1]))
        size = self.params.batch_size
        parts = []
        for first in range(0, len(pairs), size):
            batch = [words for words, _ in pairs[first : first + size]]
            calls.append(("batcher", self.params.current_task, len(batch)))
            part = self.batcher(self.params, batch)
            assert isinstance(part, numpy.ndarray)
            assert part.ndim == 2 and len(part) == len(batch)
            parts.append(part)
        return numpy.vstack(parts), numpy.array([label for _, label in pairs])

    def _classify(self, vectors: dict) -> dict[str, Any]:
        known = sorted(set(vectors["train"][1].tolist()))
        dim = vectors["train"][0].shape[1]
        classes = {each: numpy.searchsorted(known, pair[1]) for each, pair in vectors.items()}
        assert self.params.usepytorch
        model = TorchClassifier(self.params.classifier, dim, len(known), self.params.seed)
        model.fit(vectors["train"][0], classes["train"])
        return {
            "devacc": round(100 * model.score(vectors["dev"][0], classes["dev"]), 2),
            "acc": round(100 * model.score(vectors["test"][0], classes["test"]), 2),
            "ndev": len(classes["dev"]),
            "ntest": len(classes["test"]),
        }


def _read(path: Path) -> dict[str, tuple[list, list]]:
    data: dict[str, tuple[list, list]] = {name: ([], []) for name in PARTITIONS.values()}
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = line.split("\t")
        sentences, labels = data[PARTITIONS[fields[0]]]
        sentences.append(fields[-1].split())
        labels.append(fields[1])
    return data
