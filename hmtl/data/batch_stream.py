"""Batches of one task: an endless shuffled stream for training, a fixed sequence for evaluation."""

import random
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, Deque, Dict, Iterator, List, Sequence, Tuple

from allennlp.data import Batch as InstanceBatch
from allennlp.data import Instance
from allennlp.data.data_loaders import allennlp_collate

from hmtl.data.batching import TEXT, Batching, field_length
from hmtl.data.cache.cached_split import CachedInstance
from hmtl.data.parts import WHOLE, Part, RepeatedBatch
from hmtl.data.streamed_instances import Instances, chunks_of

# One batch ahead hides the time to collate it; more would only hold memory.
PREFETCHED = 2

Batch = Dict[str, Any]
# How many passes are over, and how many batches of the current one.
Place = Tuple[int, int]
# What a batch is made of, and the place that is reached once it is consumed.
Planned = Tuple[List[Instance], Place]


class BatchStream:
    """
    An endless stream of training batches, shuffled anew on each pass over the data.

    The order of a pass follows from the seed and the number of the pass alone, so the stream's whole
    state is where it stands. The batches to come are made by a thread in the background; that changes
    nothing in what comes.

    # Parameters

    instances : `Sequence[Instance]` or `StreamedInstances`
        Indexed, at least one. Those that are streamed are shuffled, and cut into batches, a chunk at a
        time, and to go on inside a pass the stream reads it from its beginning.
    batching : `Batching`
    seed : `int`
        Streams with different seeds are shuffled differently.
    part : `Part`, optional
        Which part of each batch to give; those of several processes make up the batch. Where the stream
        stands does not depend on it.
    """

    def __init__(
        self, instances: Instances, batching: Batching, seed: int, part: Part = WHOLE
    ) -> None:
        self.instances = instances
        self.batching = batching
        self.seed = seed
        self.part = part
        self._length = num_instances = longest = 0
        for batch in self._pass(0):
            self._length += 1
            num_instances += len(batch)
            longest = max(longest, *(field_length(each, TEXT) for each in batch))
        most = min(num_instances, batching.most_texts(longest))
        self._worst = (-(-most // part.world_size), longest)
        self._executor = ThreadPoolExecutor(max_workers=1)
        self._pending: Deque[Future] = deque()
        self._reached: Place = (0, 0)
        self._plan = self._batches_from(0, 0)

    def __len__(self) -> int:
        """Batches in the first pass over the data; in others they may be a few more or less."""
        return self._length

    @property
    def passes(self) -> int:
        """How many passes over the data are over."""
        return self._reached[0]

    @property
    def worst_batch(self) -> Tuple[int, int]:
        """
        How many texts at most a batch (or the part of it that this process has) may hold together with the
        longest one, and how many tokens that one has.
        """
        return self._worst

    def next_batch(self) -> Batch:
        """The next batch, on the CPU."""
        while len(self._pending) < PREFETCHED:
            self._pending.append(self._executor.submit(_make, self._plan, self.part))
        batch, self._reached = self._pending.popleft().result()
        return batch

    def _pass(self, number: int) -> Iterator[List[Instance]]:
        """What the batches of a pass are made of."""
        # A string seeds the same way in every process and version of Python, which a tuple does not.
        seed, part = f"{self.seed}/{number}", 0
        for chunk in chunks_of(self.instances):
            rng = random.Random(f"{seed}/{part}" if part else seed)
            for positions in self.batching.batches(chunk, rng):
                yield [chunk[position] for position in positions]
            part += 1
            # Or it would be in memory still while the next one is read.
            del chunk

    def _batches_from(self, passes: int, position: int) -> Iterator[Planned]:
        """What all batches to come are made of, each with the place that is reached once it is consumed."""
        while True:
            batches = islice(self._pass(passes), position, None)
            chosen = next(batches)
            for following in batches:
                position += 1
                yield chosen, (passes, position)
                chosen = following
            passes, position = passes + 1, 0
            yield chosen, (passes, position)

    def state_dict(self) -> Dict[str, int]:
        passes, position = self._reached
        return {"passes": passes, "position": position}

    def load_state_dict(self, state: Dict[str, int]) -> None:
        self._reached = (state["passes"], state["position"])
        self._plan = self._batches_from(*self._reached)
        self._pending.clear()


def _make(plan: Iterator[Planned], part: Part) -> Tuple[Batch, Place]:
    chosen, place = next(plan)
    return collate_part(chosen, part), place


class EvaluationBatches:
    """
    A data set in batches, each instance once and always in the same order.

    # Parameters

    instances : `Sequence[Instance]`
        Indexed.
    batching : `Batching`
    part : `Part`, optional
        Several processes take the batches in turn, each of them whole batches.

    `order` holds for each batch that is taken the positions of its instances.
    """

    def __init__(
        self, instances: Sequence[Instance], batching: Batching, part: Part = WHOLE
    ) -> None:
        self.instances = instances
        order = batching.batches(instances, rng=None)
        self.order = order[part.rank :: part.world_size]
        self._rounds = -(-len(order) // part.world_size)

    def __len__(self) -> int:
        """How many batches the process that takes most of them takes."""
        return self._rounds

    def __iter__(self) -> Iterator[Batch]:
        """
        As many as its length, on the CPU; a thread makes the next one meanwhile. The last is empty where
        this process has no batch left and another one has.
        """
        with ThreadPoolExecutor(max_workers=1) as executor:
            pending: Deque[Future] = deque()
            for positions in self.order:
                chosen = [self.instances[position] for position in positions]
                pending.append(executor.submit(collate, chosen))
                if len(pending) > PREFETCHED:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        if len(self.order) < self._rounds:
            yield {}


def sources_of(batch: Batch) -> List[str]:
    """Where the texts of a batch stand, as `file:line`, as far as their reader says so."""
    entries = [entry for entry in batch.get("metadata", []) if isinstance(entry, dict)]
    return [str(entry["source"]) for entry in entries if entry.get("source")] or ["unknown source"]


def collate(instances: List[Instance]) -> Batch:
    """Pads instances to a common size and stacks their tensors."""
    batch = CachedInstance.batch(instances)
    return allennlp_collate(instances) if batch is None else batch


def collate_part(instances: List[Instance], part: Part) -> Batch:
    """
    The same for a part of the instances, padded to the size of all of them, on which a loss may depend.
    Where none is left for this part, it is a `RepeatedBatch`.
    """
    if part.world_size == 1:
        return collate(instances)
    sizes = InstanceBatch(instances).get_padding_lengths()
    own = list(part.of(instances))
    batch = InstanceBatch(own or instances[:1]).as_tensor_dict(sizes)
    return batch if own else RepeatedBatch(batch)
