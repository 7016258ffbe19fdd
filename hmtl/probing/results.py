"""What probing found, kept in `senteval.json`: finished parts are not computed again."""

from __future__ import annotations

import json
import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hmtl.common.files import write_json
from hmtl.errors import DataError
from hmtl.formats.senteval import DEV, PARTITIONS, TEST, TRAIN
from hmtl.probing.tasks import ProbingData

RESULTS_FILE = "senteval.json"
MAJORITY = "majority"
# What a result must agree in with those beside it in one file.
IDENTITY = ("model", "protocol")
# What is told anew each time.
DESCRIPTION = ("name", "baselines", "layers")


@dataclass(frozen=True)
class Summary:
    """
    Test accuracies of several seeds, in percent: their mean, and their standard deviation (of a sample),
    which is `None` where there is but one.
    """

    mean: float
    deviation: float | None
    count: int


def facts_of(data: ProbingData) -> dict[str, Any]:
    """What is told of a task's data: its digest, its sizes, and what always guessing one class scores."""
    labels = {name: data.partitions[name].labels for name in PARTITIONS}
    counts = Counter(labels[TRAIN])
    # Of equally frequent ones the first in the alphabet.
    majority = min(counts, key=lambda label: (-counts[label], label))
    share = {name: 100.0 * labels[name].count(majority) / len(labels[name]) for name in PARTITIONS}
    return {
        "sha256": data.digest,
        "classes": len(counts),
        **{f"n{word}": len(labels[name]) for word, name in (("train", TRAIN), ("dev", DEV))},
        "ntest": len(labels[TEST]),
        MAJORITY: {"class": majority, "devacc": share[DEV], "acc": share[TEST]},
    }


def standard_error(accuracy: float, count: int) -> float:
    """Of an accuracy in percent, measured on `count` sentences (binomial)."""
    share = accuracy / 100.0
    return 100.0 * math.sqrt(share * (1.0 - share) / count)


class Results:
    """
    The results of one model and one protocol, in one directory.

    # Parameters

    directory : `Path`
    content : `dict[str, Any]`
        `name` (for people), `model`, `protocol`, `baselines` and `layers` (from the bottom up; of each,
        `dim` and the layer that it stacks `on`): the rows of the table; `data` (by task, as `facts_of`
        tells) and `results`.
    """

    def __init__(self, directory: Path, content: dict[str, Any]) -> None:
        self.directory = directory
        self.content = content

    @classmethod
    def load(cls, directory: Path) -> Results:
        """
        # Raises

        DataError
            When there are none, or not what this class writes.
        """
        path = directory / RESULTS_FILE
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise DataError(
                f"holds no {RESULTS_FILE}: give the --output of an earlier probing", directory
            ) from error
        except (OSError, ValueError, RecursionError) as error:
            raise DataError(f"cannot be read: {error}", path) from error
        expected = {"name", "model", "protocol", "baselines", "layers", "data", "results"}
        if not isinstance(content, dict) or not expected <= set(content):
            raise DataError(f"is not what hmtl probe writes; expected are {sorted(expected)}", path)
        return cls(directory, content)

    @classmethod
    def go_on(cls, directory: Path, content: dict[str, Any], force: bool) -> Results:
        """
        Those in the directory, to be added to; new ones where there are none, or with `force`.

        # Raises

        DataError
            When those there are of another model, protocol or data.
        """
        if force or not (directory / RESULTS_FILE).is_file():
            return cls(directory, {**content, "results": []})
        there = cls.load(directory)
        differing = [key for key in IDENTITY if there.content[key] != content[key]]
        for task, facts in content["data"].items():
            if there.content["data"].setdefault(task, facts) != facts:
                differing.append(f"data.{task}")
        if differing:
            raise DataError(
                f"the results here differ from those asked for in {', '.join(differing)}. Choose another "
                "--output, or replace them with --force.",
                directory / RESULTS_FILE,
            )
        there.content.update({key: content[key] for key in DESCRIPTION})
        return there

    @property
    def name(self) -> str:
        """For people."""
        return str(self.content["name"])

    @property
    def tasks(self) -> list[str]:
        """Those with results, in the order of the data."""
        done = {result["task"] for result in self.content["results"]}
        return [task for task in self.content["data"] if task in done]

    @property
    def baselines(self) -> list[str]:
        """Those with results."""
        return self._with_results(self.content["baselines"])

    @property
    def layers(self) -> list[str]:
        """Those with results, from the bottom up."""
        return self._with_results(self.content["layers"])

    def _with_results(self, rows: Iterable[str]) -> list[str]:
        done = {result["row"] for result in self.content["results"]}
        return [row for row in rows if row in done]

    def below(self, layer: str) -> str | None:
        """The layer that one stacks on."""
        below: str | None = self.content["layers"][layer]["on"]
        return below

    def facts(self, task: str) -> dict[str, Any]:
        """As `facts_of` tells."""
        return dict(self.content["data"][task])

    def has(self, task: str, row: str, seed: int) -> bool:
        """Whether this part is finished."""
        wanted = (task, row, seed)
        return any(
            (each["task"], each["row"], each["seed"]) == wanted for each in self.content["results"]
        )

    def add(self, task: str, row: str, seed: int, scores: dict[str, float]) -> None:
        """Keeps a finished part, on disk."""
        self.content["results"].append({"task": task, "row": row, "seed": seed, **scores})
        self.save()

    def save(self) -> None:
        """
        # Raises

        DataError
            When the file cannot be written.
        """
        summary = {
            row: {
                task: {"mean": found.mean, "deviation": found.deviation, "seeds": found.count}
                for task in self.tasks
                if (found := self.summary(task, row)) is not None
            }
            for row in [*self.baselines, *self.layers]
        }
        write_json(self.directory / RESULTS_FILE, {**self.content, "summary": summary})

    def summary(self, task: str, row: str) -> Summary | None:
        """Of a task's results in a row, `None` where there are none."""
        found = [
            each["acc"]
            for each in self.content["results"]
            if each["task"] == task and each["row"] == row
        ]
        if not found:
            return None
        deviation = statistics.stdev(found) if len(found) > 1 else None
        return Summary(statistics.fmean(found), deviation, len(found))


def check_comparable(results: Sequence[Results]) -> None:
    """
    # Raises

    DataError
        When two have a task in common whose data differ, or were not got by the same protocol.
    """
    first = results[0]
    for other in results[1:]:
        path = other.directory / RESULTS_FILE
        if other.content["protocol"] != first.content["protocol"]:
            raise DataError(
                f"its protocol is {other.content['protocol']}, that of {first.name} is "
                f"{first.content['protocol']}: they cannot stand side by side",
                path,
            )
        for task in set(first.content["data"]) & set(other.content["data"]):
            if first.content["data"][task] != other.content["data"][task]:
                raise DataError(
                    f"its data of {task} are not those of {first.name}: they cannot stand side by side",
                    path,
                )
