"""What the trainer and the reports know of a task."""

from dataclasses import dataclass


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
    """

    name: str
    validation_metric: str = "f1-measure-overall"
    metric_decreases: bool = False
    evaluate_on_test: bool = False
