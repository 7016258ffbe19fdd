"""The sampler between proportional and uniform."""

from typing import Dict, List, Optional

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
