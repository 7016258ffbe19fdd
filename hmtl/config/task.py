"""What the trainer and the reports know of a task."""

from dataclasses import dataclass, field
from typing import Dict, Mapping


@dataclass(frozen=True)
class Task:
    """
    One of the tasks a model is trained on.

    # Parameters

    name : `str`
        Names the task's level in the model, its files and its curves.
    validation_metric : `str`, optional (default = `"f1-measure-overall"`)
        The metric that decides which weights are the best ones.
    metric_decreases : `bool`, optional (default = `False`)
        True where a smaller value of that metric is better. Best weights, patience and plateau
        schedulers all follow this.
    evaluate_on_test : `bool`, optional (default = `False`)
        Whether the test split is scored after training.
    headline : `Mapping[str, str]`, optional
        The metrics that tables of test scores show, by title; see `Head.headline`.
    """

    name: str
    validation_metric: str = "f1-measure-overall"
    metric_decreases: bool = False
    evaluate_on_test: bool = False
    headline: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def judged_by(self) -> Dict[str, str]:
        """Return the headline; where the head has none, the validation metric."""
        return dict(self.headline) or {self.validation_metric: self.validation_metric}
