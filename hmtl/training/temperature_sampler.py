"""Samplers between proportional and uniform."""

from typing import Any, Dict, List, Optional

from allennlp.common.checks import ConfigurationError

from hmtl.training.task_sampler import WHERE, TaskSampler


@TaskSampler.register("temperature")
class TemperatureSampler(TaskSampler):
    """
    A task is as likely as min(size, cap)^(1 / T), its size being its number of training batches: the
    temperature-scaled mixing, with a limit on the size, of Raffel et al., "Exploring the Limits of Transfer
    Learning with a Unified Text-to-Text Transformer" (JMLR 2020). T = 1 without a cap is proportional; the
    larger T, the more uniform.

    # Parameters

    temperature : `float`
        More than 0.
    cap : `float`, optional (default = `None`)
        In batches. No task counts as larger.

    # Raises

    ConfigurationError
        When the temperature or the cap is not positive.
    """

    def __init__(
        self,
        batches_per_pass: Dict[str, int],
        seed: int,
        temperature: float,
        cap: Optional[float] = None,
        factors: Optional[Dict[str, float]] = None,
    ) -> None:
        super().__init__(batches_per_pass, seed, factors)
        for name, value in (("temperature", temperature), ("cap", cap)):
            if value is not None and not value > 0:
                raise ConfigurationError(f"{WHERE}.{name} is {value}; write a number larger than 0")
        self.temperature = temperature
        self.cap = float("inf") if cap is None else cap

    def weights(self) -> List[float]:
        sizes = [min(self.batches_per_pass[task], self.cap) for task in self.tasks]
        return [size ** (1.0 / self.temperature) for size in sizes]


@TaskSampler.register("annealed")
class AnnealedSampler(TaskSampler):
    """
    A task is as likely as size^a, its size being its number of training batches, where a falls from 1, which
    is proportional, by the same amount after each epoch: Stickland and Murray, "BERT and PALs: Projected
    Attention Layers for Efficient Adaptation in Multi-Task Learning" (ICML 2019), who let it fall to 0.2.

    # Parameters

    final_exponent : `float`, optional (default = `0.0`)
        What a has come to in the last of the epochs; with 0 every task is equally likely then.
    epochs : `int`, optional (default = `None`)
        How many epochs it takes; those after them are as the last one. By default as many as the run was
        started to take at most, so that a run which patience ends stops on the way. A run that is recovered
        to go on for longer keeps the number that it was started with.

    # Raises

    ConfigurationError
        When the exponent is negative, or there is less than one epoch.
    """

    def __init__(
        self,
        batches_per_pass: Dict[str, int],
        seed: int,
        num_epochs: int,
        final_exponent: float = 0.0,
        epochs: Optional[int] = None,
        factors: Optional[Dict[str, float]] = None,
    ) -> None:
        super().__init__(batches_per_pass, seed, factors)
        if not 0.0 <= final_exponent < float("inf"):
            raise ConfigurationError(
                f"{WHERE}.final_exponent is {final_exponent}; write 0, for uniform, or more"
            )
        if epochs is not None and epochs < 1:
            raise ConfigurationError(f"{WHERE}.epochs is {epochs}; write at least 1")
        self.final_exponent = final_exponent
        self.epochs = num_epochs if epochs is None else epochs
        self.epoch = 0

    def begin_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    @property
    def exponent(self) -> float:
        """In the current epoch."""
        progress = min(self.epoch / max(self.epochs - 1, 1), 1.0)
        return 1.0 + progress * (self.final_exponent - 1.0)

    def weights(self) -> List[float]:
        return [self.batches_per_pass[task] ** self.exponent for task in self.tasks]

    def state_dict(self) -> Dict[str, Any]:
        return {**super().state_dict(), "epoch": self.epoch, "epochs": self.epochs}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.epoch = state["epoch"]
        self.epochs = state["epochs"]
