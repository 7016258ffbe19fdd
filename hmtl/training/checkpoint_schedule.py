"""When to checkpoint inside an epoch."""

import time
from typing import Callable, Optional

from allennlp.common.checks import ConfigurationError

SECONDS_PER_MINUTE = 60.0


class CheckpointSchedule:
    """
    A checkpoint is due after a number of steps or of minutes, whichever comes first; with neither, at the
    end of each epoch only.

    # Parameters

    every_n_steps : `int`, optional (default = `None`)
        When the number of steps made in the whole run is a multiple of this.
    every_minutes : `float`, optional (default = `None`)
        When so much time went by since the last checkpoint.
    clock : `Callable[[], float]`, optional
        Tells the time in seconds.

    # Raises

    ConfigurationError
        When either is not positive.
    """

    def __init__(
        self,
        every_n_steps: Optional[int] = None,
        every_minutes: Optional[float] = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        for name, value in (("n_steps", every_n_steps), ("minutes", every_minutes)):
            if value is not None and value <= 0:
                raise ConfigurationError(
                    f"multi_task_trainer.checkpoint_every_{name} is {value}: write a positive number, or "
                    "leave the key out to checkpoint at the end of each epoch only"
                )
        self.every_n_steps = every_n_steps
        self.every_minutes = every_minutes
        self._clock = clock
        self._last = clock()

    def is_due(self, step: int) -> bool:
        """Whether to checkpoint after this step, counted from 1 in the whole run."""
        if self.every_n_steps is not None and step % self.every_n_steps == 0:
            return True
        if self.every_minutes is None:
            return False
        return self._clock() - self._last >= self.every_minutes * SECONDS_PER_MINUTE

    def note_checkpoint(self) -> None:
        """The time starts anew."""
        self._last = self._clock()
