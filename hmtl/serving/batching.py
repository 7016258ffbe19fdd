"""Texts of requests that wait at the same time become one batch for the model."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from hmtl.serving.limits import Limits

logger = logging.getLogger("hmtl.demo")

T = TypeVar("T")


class Overloaded(Exception):
    """More texts wait for the model than may."""


@dataclass(frozen=True)
class Answer(Generic[T]):
    """
    # Parameters

    prediction : `T`
    waited, computed : `float`
        Seconds until the text's batch was begun, and that the batch took.
    """

    prediction: T
    waited: float
    computed: float


@dataclass(frozen=True)
class _Job(Generic[T]):
    text: str
    answer: "Future[Answer[T]]" = field(default_factory=Future)
    submitted: float = field(default_factory=time.perf_counter)


class Batcher(Generic[T]):
    """
    A queue of texts and one thread that gives the model what is waiting, first come, first served. While a
    batch is computed the next one gathers; a text that comes alone does not wait at all.

    # Parameters

    predict : `Callable[[list[str]], Sequence[T]]`
        Called in one thread only. Its result for a text must not depend on the others of the batch.
    limits : `Limits`
    """

    def __init__(self, predict: Callable[[list[str]], Sequence[T]], limits: Limits) -> None:
        self._predict = predict
        self._limits = limits
        self._waiting: deque[_Job[T]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._worker = threading.Thread(target=self._work, name="model", daemon=True)
        self._worker.start()

    @property
    def num_waiting(self) -> int:
        """Texts whose batch has not begun."""
        return len(self._waiting)

    def submit(self, texts: Sequence[str]) -> "list[Future[Answer[T]]]":
        """
        Queues texts, all or none. A future that is cancelled before its batch has begun costs nothing.

        # Raises

        Overloaded
            When there is no room for all of them.
        """
        jobs: list[_Job[T]] = [_Job(text) for text in texts]
        with self._changed:
            if len(self._waiting) + len(jobs) > self._limits.max_waiting:
                self._waiting = deque(job for job in self._waiting if not job.answer.cancelled())
            if self._closed or len(self._waiting) + len(jobs) > self._limits.max_waiting:
                raise Overloaded
            self._waiting.extend(jobs)
            self._changed.notify()
        return [job.answer for job in jobs]

    def close(self) -> None:
        """Cancels what is waiting, and returns when the batch in the model is done."""
        with self._changed:
            self._closed = True
            for job in self._waiting:
                job.answer.cancel()
            self._changed.notify()
        self._worker.join()

    def _work(self) -> None:
        while batch := self._next_batch():
            wanted = [job for job in batch if job.answer.set_running_or_notify_cancel()]
            if wanted:
                self._answer(wanted)

    def _next_batch(self) -> list[_Job[T]]:
        """Waits for a text; empty when there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            batch: list[_Job[T]] = []
            characters = 0
            while self._waiting and len(batch) < self._limits.max_batch_texts:
                characters += len(self._waiting[0].text)
                if batch and characters > self._limits.max_batch_characters:
                    break
                batch.append(self._waiting.popleft())
            return batch

    def _answer(self, batch: list[_Job[T]]) -> None:
        begun = time.perf_counter()
        # Whatever the model does with one text, the thread lives on, and the others get their answers.
        try:
            pairs = list(zip(batch, self._predict([job.text for job in batch]), strict=True))
        except Exception as error:
            if len(batch) > 1:
                for job in batch:
                    self._answer([job])
            else:
                logger.exception("the model failed on a text of %d characters", len(batch[0].text))
                batch[0].answer.set_exception(error)
            return
        computed = time.perf_counter() - begun
        for job, prediction in pairs:
            job.answer.set_result(Answer(prediction, begun - job.submitted, computed))
