"""Probing a model: its layers, from the bottom up, by each task and seed; what is finished is kept."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from allennlp.common.checks import ConfigurationError
from tqdm import tqdm

from hmtl.common.devices import named_device
from hmtl.common.files import replacing, sole_writer
from hmtl.common.interruption import Interrupted
from hmtl.probing import bag_of_embeddings
from hmtl.probing.classifiers import Classifier
from hmtl.probing.features import FeatureStore
from hmtl.probing.layers import ALL
from hmtl.probing.plots import heat_map, line_plot
from hmtl.probing.probed_model import ProbedModel, load_model
from hmtl.probing.report import markdown_report
from hmtl.probing.results import Results, check_comparable, facts_of
from hmtl.probing.scorers import EngineProbe, OwnProbe, Scorer, TaskVectors
from hmtl.probing.senteval_engine import SentEvalEngine
from hmtl.probing.tasks import (
    data_directory,
    probing_directory,
    read_probing_data,
    tasks_in,
)
from hmtl.training.checkpoints import best_weights_name

logger = logging.getLogger(__name__)

UNTRAINED = "untrained"
OWN_ENGINE, SENTEVAL_ENGINE = "own probe", "SentEval's engine"

PROBING_DIR = "probing"
FEATURES_DIR = "features"
TABLE_FILE = "senteval.md"
HEAT_MAP_FILE = "senteval_heat_map.png"
LINE_PLOT_FILE = "senteval_lines.png"

GOES_ON = "what is finished is kept; the same command resumes from there"


@dataclass
class Request:
    """
    What is to be probed, and how.

    # Parameters

    serialization_dir : `Path`
        The run.
    task : `str`, optional
        Whose best weights; `None` is the model with fresh weights.
    layers : `list[str]`
        Their names; `"all"` for every one.
    data : `Path`, optional
        Where SentEval's files are; `None` asks for those in the checkout of `senteval`.
    tasks : `list[str]`, optional
        SentEval's names; `None` asks for all that have a file.
    senteval : `Path`, optional
        A checkout of SentEval whose engine is to be used; `None` is our own probe.
    hidden : `int`
        Units of the classifier's hidden layer; 0 is logistic regression.
    standardize : `bool`
        Give each dimension of the vectors the mean 0 and the variance 1; not with `senteval`.
    seeds : `list[int]`
        Of the classifier.
    device : `str`, optional
        `"cpu"`, `"cuda"` or `"cuda:<number>"`; `None` takes a GPU if there is one.
    output : `Path`, optional
        A directory; `None` is one in the run's own.
    beside : `list[Path]`
        Outputs of other probings, to be shown in the same table and pictures.
    name : `str`, optional
        What the model is called there.
    force : `bool`
        Replace what is in `output`.
    """

    serialization_dir: Path
    task: str | None = None
    layers: list[str] = field(default_factory=lambda: [ALL])
    data: Path | None = None
    tasks: list[str] | None = None
    senteval: Path | None = None
    hidden: int = 0
    standardize: bool = False
    seeds: list[int] = field(default_factory=lambda: [1])
    device: str | None = None
    output: Path | None = None
    beside: list[Path] = field(default_factory=list)
    name: str | None = None
    force: bool = False

    @property
    def weights(self) -> str:
        """What they are called: as their file, without its ending."""
        return UNTRAINED if self.task is None else Path(best_weights_name(self.task)).stem

    @property
    def directory(self) -> Path:
        """Where everything is written."""
        return self.output or self.serialization_dir / PROBING_DIR / self.weights


def probe(request: Request) -> Results:
    """
    Probes, and writes the results, a table and two pictures to the request's directory.

    # Raises

    ConfigurationError
        When the run, a layer or the device is not to be had.
    DataError
        When a file is not what it should be.
    """
    if request.standardize and request.senteval is not None:
        raise ConfigurationError(
            "--standardize is for our own probe: leave it out, or leave --senteval out"
        )
    others = [Results.load(directory) for directory in request.beside]
    device = named_device(request.device)
    source = probing_directory(_data_of(request))
    # Every file is checked before the first is used.
    tasks = tasks_in(source, request.tasks)
    facts = {task: facts_of(read_probing_data(task, source)) for task in tasks}
    model = load_model(request.serialization_dir, request.task, request.layers, device)
    with sole_writer(request.directory):
        content = _content(request, model, facts)
        results = Results.go_on(request.directory, content, request.force)
        check_comparable([results, *others])
        try:
            _Study(request, model, source, results, device).run(tasks)
        except Interrupted as interruption:
            raise Interrupted(interruption.signal_number, GOES_ON) from interruption
        results.save()
        _write_report([results, *others], request.directory)
    return results


def _data_of(request: Request) -> Path:
    directory = request.data or request.senteval
    if directory is None:
        raise ConfigurationError(
            "where are the sentences? Give --data, a directory with SentEval's files, or --senteval, a "
            "checkout of SentEval"
        )
    return directory


def _content(request: Request, model: ProbedModel, facts: dict[str, Any]) -> dict[str, Any]:
    run = request.serialization_dir.resolve().name
    weights = UNTRAINED if request.task is None else request.task
    return {
        "name": request.name or f"{run} ({weights})",
        "model": {"weights": request.weights, "sha256": model.digest},
        "protocol": {
            "engine": OWN_ENGINE if request.senteval is None else SENTEVAL_ENGINE,
            # Results of before 2026-12 may be of scikit-learn's, and are not mixed with these.
            "classifier": "torch",
            "hidden": request.hidden,
            "standardized": request.standardize,
        },
        "baselines": [bag_of_embeddings.NAME],
        "layers": model.layers,
        "data": facts,
    }


class _Study:
    """What `probe` has set up, at work."""

    def __init__(
        self,
        request: Request,
        model: ProbedModel,
        source: Path,
        results: Results,
        device: torch.device,
    ) -> None:
        self.request = request
        self.source = source
        self.results = results
        self.rows = [bag_of_embeddings.NAME, *model.encoder.layers]
        self.classifier = Classifier(device, request.hidden)
        self.seeds = list(dict.fromkeys(request.seeds))
        self.store = FeatureStore(model.encoder, results.directory / FEATURES_DIR, model.digest)
        self.engine = None
        if request.senteval is not None:
            self.engine = SentEvalEngine(
                request.senteval,
                data_directory(source),
                request.hidden,
                device,
            )

    def run(self, tasks: Sequence[str]) -> None:
        """All parts that are not finished yet."""
        left = {task: self._left(task) for task in tasks}
        total = len(tasks) * len(self.rows) * len(self.seeds)
        done = total - sum(map(len, left.values()))
        if done:
            logger.info("%d of %d parts were finished before", done, total)
        with tqdm(total=total, initial=done, desc="probing", leave=False, disable=None) as progress:
            for task, parts in left.items():
                scorer = self._scorer(task) if parts else None
                for row, seed in parts:
                    assert scorer is not None
                    progress.set_postfix_str(f"{task}, {row}", refresh=False)
                    self.results.add(task, row, seed, scorer.score(row, seed))
                    progress.update()

    def _left(self, task: str) -> list[tuple[str, int]]:
        return [
            (row, seed)
            for row in self.rows
            for seed in self.seeds
            if not self.results.has(task, row, seed)
        ]

    def _scorer(self, task: str) -> Scorer:
        vectors = TaskVectors(self.store, task)
        if self.engine is not None:
            return EngineProbe(self.engine, vectors)
        return OwnProbe(
            read_probing_data(task, self.source), vectors, self.classifier, self.request.standardize
        )


def _write_report(results: Sequence[Results], directory: Path) -> None:
    with replacing(directory / TABLE_FILE) as file:
        file.write(markdown_report(results).encode("utf-8"))
    heat_map(results, directory / HEAT_MAP_FILE)
    line_plot(results, directory / LINE_PLOT_FILE)
