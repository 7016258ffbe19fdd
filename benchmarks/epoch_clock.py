"""How long the training of each epoch takes."""

import time

from hmtl.training.callbacks import Callback


class EpochClock(Callback):
    """Keeps the seconds of each epoch, from its first step to its validation."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._started = 0.0

    def on_epoch_start(self, epoch: int, steps_done: int) -> None:
        self._started = time.perf_counter()

    def on_validation_start(self, num_batches: int) -> None:
        self.seconds.append(time.perf_counter() - self._started)
