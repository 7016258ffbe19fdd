"""Batches of one task: an endless shuffled stream for training, a fixed sequence for evaluation."""

import random
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Deque, Dict, Iterator, List, Tuple

from allennlp.data import Instance
from allennlp.data.data_loaders import allennlp_collate

from hmtl.training.batching import Batches, Batching

# One batch ahead hides the time to collate it; more would only hold memory.
PREFETCHED = 2

Batch = Dict[str, Any]
# How many passes are over, and how many batches of the current one.
Place = Tuple[int, int]


class BatchStream:
    """
    An endless stream of training batches, shuffled anew on each pass over the data.

    The order of a pass follows from the seed and the number of the pass alone, so the stream's whole
    state is where it stands. The batches to come are made by a thread in the background; that changes
    nothing in what comes.

    # Parameters

    instances : `List[Instance]`
        Indexed, at least one.
    batching : `Batching`
    seed : `int`
        Streams with different seeds are shuffled differently.
    """

    def __init__(self, instances: List[Instance], batching: Batching, seed: int) -> None:
        self.instances = instances
        self.batching = batching
        self.seed = seed
        self._executor = ThreadPoolExecutor(max_workers=1)
        self._rewind(passes=0, position=0)

    def __len__(self) -> int:
        """Batches in one pass over the data."""
        return len(self._order)

    def next_batch(self) -> Batch:
        """The next batch, on the CPU."""
        while len(self._pending) < PREFETCHED:
            self._pending.append(self._start_next())
        batch, self._reached = self._pending.popleft()
        return batch.result()

    def _start_next(self) -> Tuple[Future, Place]:
        """A batch in the making, and the place that is reached once it is consumed."""
        chosen = [self.instances[index] for index in self._order[self._next]]
        self._next += 1
        if self._next == len(self._order):
            self._pass, self._next = self._pass + 1, 0
            self._order = self._order_of(self._pass)
        return self._executor.submit(collate, chosen), (self._pass, self._next)

    def _order_of(self, number: int) -> Batches:
        # A string seeds the same way in every process and version of Python, which a tuple does not.
        return self.batching.batches(self.instances, random.Random(f"{self.seed}/{number}"))

    def _rewind(self, passes: int, position: int) -> None:
        self._pass, self._next = self._reached = (passes, position)
        self._order = self._order_of(passes)
        self._pending: Deque[Tuple[Future, Place]] = deque()

    def state_dict(self) -> Dict[str, int]:
        passes, position = self._reached
        return {"passes": passes, "position": position}

    def load_state_dict(self, state: Dict[str, int]) -> None:
        self._rewind(state["passes"], state["position"])


class EvaluationBatches:
    """
    A data set in batches, each instance once and always in the same order.

    # Parameters

    instances : `List[Instance]`
        Indexed.
    batching : `Batching`
    """

    def __init__(self, instances: List[Instance], batching: Batching) -> None:
        self.instances = instances
        self._order = batching.batches(instances, rng=None)

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Batch]:
        """The batches, on the CPU; a thread makes the next one meanwhile."""
        with ThreadPoolExecutor(max_workers=1) as executor:
            pending: Deque[Future] = deque()
            for positions in self._order:
                chosen = [self.instances[position] for position in positions]
                pending.append(executor.submit(collate, chosen))
                if len(pending) > PREFETCHED:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()


def collate(instances: List[Instance]) -> Batch:
    """Pads instances to a common size and stacks their tensors."""
    return allennlp_collate(instances)
