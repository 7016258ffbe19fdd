"""Trackers with stand-ins for the packages, which are not required."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from hmtl.config.building import build
from hmtl.config.checking import check_config
from hmtl.runs.training import train
from hmtl.training.callbacks import Callback, EpochReport, RunReport, StepReport
from hmtl.training.trackers import MlflowTracker, Tracker
from tests.training.small_runs import Crash, CrashAtStep, one_thread, small_config, small_trainer

CONFIG = {"seed": 1}


class Service(ModuleType):
    """Keeps what it is told, under both packages' names."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.begun: list[dict[str, Any]] = []
        self.logged: list[dict[str, Any]] = []
        self.ended = 0

    def _begin(self, run_id: "str | None", told: dict[str, Any]) -> str:
        self.begun.append({"run_id": run_id, **told})
        return run_id or f"run-{len(self.begun)}"

    def _end(self) -> None:
        self.ended += 1


class Wandb(Service):
    def init(self, id: "str | None", **told: Any) -> SimpleNamespace:
        return SimpleNamespace(
            id=self._begin(id, told),
            define_metric=lambda name, step_metric: None,
            log=self.logged.append,
            finish=self._end,
        )


class Mlflow(Service):
    uri = experiment = None

    def set_tracking_uri(self, uri: str) -> None:
        self.uri = uri

    def set_experiment(self, experiment: str) -> None:
        self.experiment = experiment

    def start_run(self, run_id: "str | None" = None, **told: Any) -> SimpleNamespace:
        return SimpleNamespace(info=SimpleNamespace(run_id=self._begin(run_id, told)))

    def log_dict(self, content: dict[str, Any], name: str) -> None:
        self.begun[-1][name] = content

    def log_metrics(self, figures: dict[str, float], step: int) -> None:
        self.logged.append({**figures, "step": step})

    def end_run(self) -> None:
        self._end()


@pytest.fixture(params=[Wandb, Mlflow])
def service(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Service:
    name = request.param.__name__.lower()
    found: Service = request.param(name)
    monkeypatch.setitem(sys.modules, name, found)
    return found


def tracker(service: Service, directory: Path, **options: Any) -> Tracker:
    block = {"type": service.__name__, **options}
    built = build(Callback, block, serialization_dir=directory, config=CONFIG)
    assert isinstance(built, Tracker)
    return built


def start(callback: Tracker) -> None:
    callback.on_start(RunReport(0, 0, 0, 4, 2, {"ner": "f1"}, torch.nn.Linear(1, 1)))


def test_a_run_begins_with_its_config_and_its_directory_s_name(
    service: Service, tmp_path: Path
) -> None:
    callback = tracker(service, tmp_path / "mine")
    start(callback)
    (begun,) = service.begun
    assert begun["run_id"] is None
    assert "mine" in (begun.get("name"), begun.get("run_name"))
    assert CONFIG in (begun.get("config"), begun.get("config.json"))
    assert callback.run_id == "run-1"


def test_an_epoch_is_told_in_full(service: Service, tmp_path: Path) -> None:
    callback = tracker(service, tmp_path)
    start(callback)
    callback.on_epoch(
        EpochReport(
            epoch=0,
            step=4,
            duration_in_seconds=2.0,
            training={"ner": {"loss": 0.5}},
            validation={"ner": {"f1": 0.25, "muc": {"precision": 0.125}}},
            proportions={"ner": 1.0},
            learning_rates={"ner": 0.01},
        )
    )
    assert service.logged == [
        {
            "epoch": 1,
            "seconds": 2.0,
            "training/ner/loss": 0.5,
            "validation/ner/f1": 0.25,
            "validation/ner/muc/precision": 0.125,
            "proportion/ner": 1.0,
            "learning_rate/ner": 0.01,
            "step": 4,
        }
    ]


def test_losses_are_told_every_so_many_steps(service: Service, tmp_path: Path) -> None:
    callback = tracker(service, tmp_path, step_interval=2)
    start(callback)
    for step in range(1, 6):
        callback.on_step(StepReport(step, "ner", torch.tensor(float(step))))
    assert service.logged == [
        {"step/ner/loss": 2.0, "step": 2},
        {"step/ner/loss": 4.0, "step": 4},
    ]


def test_resumed_run_is_the_same_one_there(service: Service, tmp_path: Path) -> None:
    trackers = [{"type": service.__name__, "step_interval": 1}]
    with one_thread():
        stopped = small_trainer(tmp_path, multi_task_trainer__trackers=trackers)
        stopped.callbacks.append(CrashAtStep(5))
        with pytest.raises(Crash):
            stopped.train()
        resumed = small_trainer(tmp_path, multi_task_trainer__trackers=trackers)
        assert resumed.recover()
        resumed.train()
    assert [begun["run_id"] for begun in service.begun] == [None, "run-1"]
    assert service.ended == 2
    assert [each["step"] for each in service.logged if "epoch" in each] == [4, 8, 12]


def test_mlflow_is_told_where_to_write(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    service = Mlflow("mlflow")
    monkeypatch.setitem(sys.modules, "mlflow", service)
    start(tracker(service, tmp_path, tracking_uri="file:runs", experiment="mine"))
    assert (service.uri, service.experiment) == ("file:runs", "mine")


# What cannot be


@pytest.mark.parametrize("package", ["wandb", "mlflow"])
def test_a_package_that_is_not_installed_is_one_message_before_anything_is_written(
    package: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    config = small_config(multi_task_trainer__trackers=[package])
    with pytest.raises(ConfigurationError, match=rf"not installed.*pip install {package}"):
        train(config, tmp_path / "run", recover=False, force=False)
    assert not (tmp_path / "run").exists()


def test_a_run_can_be_read_where_the_package_is_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    check_config(small_config(multi_task_trainer__trackers=["wandb"]))


@pytest.mark.parametrize(
    "block, message",
    [
        ({"type": "wandb", "projekt": "a"}, r"trackers\.0\.projekt: .*project"),
        ({"type": "other"}, r"trackers\.0.*other"),
        ({"type": "mlflow", "step_interval": "1"}, r"trackers\.0\.step_interval"),
    ],
)
def test_a_wrong_key_is_named_with_its_path(block: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        check_config(small_config(multi_task_trainer__trackers=[block]))


def test_an_interval_below_one_is_an_error(service: Service, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="step_interval is 0; write at least 1"):
        tracker(service, tmp_path, step_interval=0)


def test_name_of_the_run_out_of_a_checkpoint_leads_nowhere_else() -> None:
    with pytest.raises(ConfigurationError, match="the name of the run '../../x'"):
        MlflowTracker(Path(), {}).load_state_dict({"run_id": "../../x"})
