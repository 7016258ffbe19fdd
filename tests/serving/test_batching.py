"""Texts that wait at the same time become one batch, and each answer goes to its own request."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import Any

import pytest

from hmtl.serving.batching import Batcher, Overloaded
from hmtl.serving.limits import Limits

TIMEOUT = 30


class Gate:
    """Answers a text with itself in capitals, when the gate is open; `batches` is what was asked together."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.entered = threading.Semaphore(0)
        self.batches: list[list[str]] = []

    def predict(self, texts: Sequence[str]) -> list[str]:
        self.batches.append(list(texts))
        self.entered.release()
        assert self.open.wait(TIMEOUT)
        if any(text.startswith("fail") for text in texts):
            raise ValueError("as asked")
        return [text.upper() for text in texts]


class Waiting:
    """A batcher whose thread is busy with the text `busy` until the gate opens."""

    def __init__(self, **limits: int) -> None:
        self.gate = Gate()
        self.batcher: Batcher[str] = Batcher(self.gate.predict, Limits(**limits))
        (self.busy,) = self.batcher.submit(["busy"])
        assert self.gate.entered.acquire(timeout=TIMEOUT)

    def batches(self, *futures: "Future[Any]") -> list[list[str]]:
        """Opens the gate; what was asked together after `busy`, once these are done."""
        self.gate.open.set()
        for future in (self.busy, *futures):
            future.exception(TIMEOUT)
        return self.gate.batches[1:]


@pytest.fixture
def make_waiting() -> Iterator[Any]:
    made: list[Waiting] = []

    def make(**limits: int) -> Waiting:
        made.append(Waiting(**limits))
        return made[-1]

    yield make
    for waiting in made:
        waiting.gate.open.set()
        waiting.batcher.close()


def test_texts_that_wait_together_are_one_batch_in_their_order(make_waiting: Any) -> None:
    waiting = make_waiting()
    one = waiting.batcher.submit(["a", "b"])
    other = waiting.batcher.submit(["c"])
    assert waiting.batches(*one, *other) == [["a", "b", "c"]]
    assert [future.result().prediction for future in (*one, *other)] == ["A", "B", "C"]


def test_batch_has_at_most_so_many_texts(make_waiting: Any) -> None:
    waiting = make_waiting(max_batch_texts=2)
    futures = waiting.batcher.submit(list("abcde"))
    assert waiting.batches(*futures) == [["a", "b"], ["c", "d"], ["e"]]


def test_batch_has_at_most_so_many_characters_unless_it_is_one_text(make_waiting: Any) -> None:
    waiting = make_waiting(max_batch_characters=5)
    futures = waiting.batcher.submit(["aaa", "bb", "c", "dddddddd", "e"])
    assert waiting.batches(*futures) == [["aaa", "bb"], ["c"], ["dddddddd"], ["e"]]


def test_queue_takes_all_texts_of_a_request_or_none(make_waiting: Any) -> None:
    waiting = make_waiting(max_waiting=3)
    futures = waiting.batcher.submit(["a", "b"])
    with pytest.raises(Overloaded):
        waiting.batcher.submit(["c", "d"])
    futures += waiting.batcher.submit(["e"])
    assert waiting.batches(*futures) == [["a", "b", "e"]]


def test_cancelled_text_is_neither_computed_nor_in_the_way(make_waiting: Any) -> None:
    waiting = make_waiting(max_waiting=2)
    gone, stays = waiting.batcher.submit(["gone", "stays"])
    assert gone.cancel()
    futures = waiting.batcher.submit(["new"])
    assert waiting.batches(stays, *futures) == [["stays", "new"]]


def test_text_that_the_model_fails_on_does_not_take_others_along(make_waiting: Any) -> None:
    waiting = make_waiting()
    good, bad, fine = waiting.batcher.submit(["good", "fail", "fine"])
    waiting.batches(good, bad, fine)
    assert good.result().prediction == "GOOD"
    assert fine.result().prediction == "FINE"
    assert str(bad.exception()) == "as asked"
    (later,) = waiting.batcher.submit(["later"])
    assert later.result(TIMEOUT).prediction == "LATER"


def test_close_cancels_what_waits_and_refuses_what_comes(make_waiting: Any) -> None:
    waiting = make_waiting()
    (future,) = waiting.batcher.submit(["a"])
    closing = threading.Thread(target=waiting.batcher.close)
    closing.start()
    while not future.cancelled():
        assert closing.is_alive()
    waiting.gate.open.set()
    closing.join(TIMEOUT)
    assert waiting.busy.result().prediction == "BUSY"
    with pytest.raises(Overloaded):
        waiting.batcher.submit(["b"])
