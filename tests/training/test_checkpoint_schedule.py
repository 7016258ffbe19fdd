"""When checkpoints inside an epoch are due."""

import pytest
from allennlp.common.checks import ConfigurationError

from hmtl.training.checkpoint_schedule import CheckpointSchedule


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_nothing_is_due_by_default() -> None:
    assert not any(CheckpointSchedule().is_due(step) for step in range(1, 1000))


def test_checkpoint_is_due_at_multiples_of_steps() -> None:
    schedule = CheckpointSchedule(every_n_steps=3)
    assert [step for step in range(1, 10) if schedule.is_due(step)] == [3, 6, 9]


def test_checkpoint_is_due_some_minutes_after_the_last() -> None:
    clock = Clock()
    schedule = CheckpointSchedule(every_minutes=2.0, clock=clock)
    clock.now += 119
    assert not schedule.is_due(1)
    clock.now += 1
    assert schedule.is_due(2)
    schedule.note_checkpoint()
    assert not schedule.is_due(3)
    clock.now += 120
    assert schedule.is_due(4)


def test_steps_and_minutes_go_together() -> None:
    clock = Clock()
    schedule = CheckpointSchedule(every_n_steps=100, every_minutes=1.0, clock=clock)
    assert schedule.is_due(100)
    assert not schedule.is_due(101)
    clock.now += 60
    assert schedule.is_due(102)


@pytest.mark.parametrize("every", [{"every_n_steps": 0}, {"every_minutes": -1.0}])
def test_what_is_not_positive_is_refused(every: dict) -> None:
    with pytest.raises(ConfigurationError, match="checkpoint_every_.* write a positive number"):
        CheckpointSchedule(**every)
