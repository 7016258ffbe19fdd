"""Services outside that keep a run's metrics: Weights & Biases, MLflow. Their packages are not required."""

import importlib
from abc import abstractmethod
from pathlib import Path
from types import ModuleType
from typing import Any, Dict, Optional

from allennlp.common.checks import ConfigurationError

from hmtl.config.safety import check_plain_names
from hmtl.training.callbacks import Callback, EpochReport, RunReport, StepReport, flat

WHERE = "multi_task_trainer.trackers"


class Tracker(Callback):
    """
    Sends the metrics of a run to a service. A run that is resumed is the same one there.

    # Parameters

    serialization_dir : `Path`
    config : `Dict[str, Any]`
        The whole one.
    step_interval : `int`, optional (default = `100`)
        Steps between two points of the curves of training losses.

    # Raises

    ConfigurationError
        When the interval is less than 1.
    """

    # The package that speaks to the service, and what it is installed as.
    package: str

    def __init__(
        self, serialization_dir: Path, config: Dict[str, Any], step_interval: int = 100
    ) -> None:
        if step_interval < 1:
            raise ConfigurationError(f"{WHERE}: step_interval is {step_interval}; write at least 1")
        self.step_interval = step_interval
        self.serialization_dir = serialization_dir
        self.config = config
        self.run_id: Optional[str] = None

    @classmethod
    def library(cls) -> ModuleType:
        """
        Return the package, imported.

        # Raises

        ConfigurationError
            When it is not installed.
        """
        try:
            return importlib.import_module(cls.package)
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"{WHERE} names a tracker that needs the package {cls.package}, which is not installed, or "
                f"not with all that it needs ({error.msg}). Install it (pip install {cls.package}), or take "
                "the tracker out of the config."
            ) from error

    @classmethod
    def check_available(cls) -> None:
        cls.library()

    @abstractmethod
    def begin(self) -> str:
        """Begin a run at the service, or resume `run_id`; return its name there."""

    @abstractmethod
    def log(self, metrics: Dict[str, float], step: int) -> None:
        """Send the metrics of a step."""

    @abstractmethod
    def finish(self) -> None:
        """End the run at the service."""

    def on_start(self, report: RunReport) -> None:
        self.run_id = self.begin()

    def on_step(self, report: StepReport) -> None:
        if report.step % self.step_interval == 0:
            self.log({f"step/{report.task_name}/loss": float(report.loss)}, report.step)

    def on_epoch(self, report: EpochReport) -> None:
        metrics: Dict[str, float] = {
            "epoch": report.epoch + 1,
            "seconds": report.duration_in_seconds,
        }
        for kind, by_task in (("training", report.training), ("validation", report.validation)):
            metrics.update({f"{kind}/{name}": value for name, value in flat(by_task)})
        for kind, of_tasks in (
            ("proportion", report.proportions),
            ("learning_rate", report.learning_rates),
        ):
            metrics.update({f"{kind}/{name}": value for name, value in of_tasks.items()})
        self.log(metrics, report.step)

    def on_end(self) -> None:
        self.finish()

    def state_dict(self) -> Dict[str, Any]:
        return {"run_id": self.run_id}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        # A run that was started without the tracker has no name there.
        self.run_id = state.get("run_id")
        if self.run_id is not None:
            # Where the service is a folder, it is the name of one in it.
            check_plain_names([self.run_id], f"{WHERE}: the name of the run")


@Callback.register("wandb")
class WandbTracker(Tracker):
    """
    Weights & Biases. Who one is there is for its own settings to say (`wandb login`).

    # Parameters

    project : `str`, optional (default = `"hmtl"`)
    entity : `str`, optional (default = `None`)
        The user or team; `None` is the default one.
    name : `str`, optional (default = `None`)
        The run's; `None` is that of its directory.
    mode : `str`, optional (default = `None`)
        `"online"`, `"offline"` or `"disabled"`; `None` leaves it to W&B's settings.
    step_interval : `int`, optional (default = `100`)
        As for every tracker.
    """

    package = "wandb"

    def __init__(
        self,
        serialization_dir: Path,
        config: Dict[str, Any],
        project: str = "hmtl",
        entity: Optional[str] = None,
        name: Optional[str] = None,
        mode: Optional[str] = None,
        step_interval: int = 100,
    ) -> None:
        super().__init__(serialization_dir, config, step_interval)
        self.project = project
        self.entity = entity
        self.name = name
        self.mode = mode

    def begin(self) -> str:
        self._run = self.library().init(
            project=self.project,
            entity=self.entity,
            name=self.name or self.serialization_dir.name,
            mode=self.mode,
            dir=str(self.serialization_dir),
            config=self.config,
            id=self.run_id,
            resume=None if self.run_id is None else "allow",
        )
        # W&B's own steps cannot go back, as those of a run do that is resumed from a checkpoint.
        self._run.define_metric("*", step_metric="step")
        return str(self._run.id)

    def log(self, metrics: Dict[str, float], step: int) -> None:
        self._run.log({**metrics, "step": step})

    def finish(self) -> None:
        self._run.finish()


@Callback.register("mlflow")
class MlflowTracker(Tracker):
    """
    MLflow.

    # Parameters

    experiment : `str`, optional (default = `"hmtl"`)
    tracking_uri : `str`, optional (default = `None`)
        Of the server or the folder; `None` leaves it to MLflow's settings.
    name : `str`, optional (default = `None`)
        The run's; `None` is that of its directory.
    step_interval : `int`, optional (default = `100`)
        As for every tracker.
    """

    package = "mlflow"

    def __init__(
        self,
        serialization_dir: Path,
        config: Dict[str, Any],
        experiment: str = "hmtl",
        tracking_uri: Optional[str] = None,
        name: Optional[str] = None,
        step_interval: int = 100,
    ) -> None:
        super().__init__(serialization_dir, config, step_interval)
        self.experiment = experiment
        self.tracking_uri = tracking_uri
        self.name = name

    def begin(self) -> str:
        mlflow = self.library()
        if self.tracking_uri is not None:
            mlflow.set_tracking_uri(self.tracking_uri)
        mlflow.set_experiment(self.experiment)
        if self.run_id is not None:
            run = mlflow.start_run(run_id=self.run_id)
        else:
            run = mlflow.start_run(run_name=self.name or self.serialization_dir.name)
            # As a file: as parameters, MLflow would take a part of it only.
            mlflow.log_dict(self.config, "config.json")
        return str(run.info.run_id)

    def log(self, metrics: Dict[str, float], step: int) -> None:
        self.library().log_metrics(metrics, step=step)

    def finish(self) -> None:
        self.library().end_run()
