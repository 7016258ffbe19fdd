"""The plateau scheduler, which follows each task's own metric."""

from typing import Any, Optional

import torch
from allennlp.training.learning_rate_schedulers import LearningRateScheduler


@LearningRateScheduler.register("reduce_on_plateau", exist_ok=True)
class ReduceOnPlateau(LearningRateScheduler):
    """
    Multiplies the learning rate by `factor` when the validation metric has stopped improving.

    AllenNLP's class of this name hands torch an argument that torch no longer takes. The parameters are
    those of `torch.optim.lr_scheduler.ReduceLROnPlateau`; `mode` is set from the task's metric.

    # Parameters

    optimizer : `torch.optim.Optimizer`
    mode : `str`
        `"max"` where a larger metric is better, `"min"` where a smaller one is.
    factor : `float`, optional (default = `0.1`)
    patience : `int`, optional (default = `10`)
        Epochs without improvement that are waited for.
    threshold : `float`, optional (default = `1e-4`)
        The smallest change that counts as improvement.
    threshold_mode : `str`, optional (default = `"rel"`)
        Whether `threshold` is a share of the best value (`"rel"`) or a difference (`"abs"`).
    cooldown : `int`, optional (default = `0`)
        Epochs after a reduction in which none is counted.
    min_lr : `float`, optional (default = `0.0`)
    eps : `float`, optional (default = `1e-8`)
        A smaller change of the rate is not made.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        mode: str,
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        # The base class would only note down initial rates, of which a plateau scheduler has no use.
        self._scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer,
            mode=mode,  # type: ignore[arg-type]
            factor=factor,
            patience=patience,
            threshold=threshold,
            threshold_mode=threshold_mode,  # type: ignore[arg-type]
            cooldown=cooldown,
            min_lr=min_lr,
            eps=eps,
        )

    def step(self, metric: Optional[float] = None) -> None:
        """Takes an epoch's validation metric into account."""
        if metric is None:
            raise ValueError("reduce_on_plateau needs the validation metric of the epoch")
        self._scheduler.step(metric)

    def state_dict(self) -> "dict[str, Any]":
        return self._scheduler.state_dict()

    def load_state_dict(self, state: "dict[str, Any]") -> None:
        self._scheduler.load_state_dict(state)
