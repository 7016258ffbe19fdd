"""How a data set is cut into batches."""

import random
from abc import abstractmethod
from typing import Iterator, List, Optional, Sequence

from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance

# The field that every instance has, whose tokens are counted.
TEXT = "text"
# A batch is a list of positions in the data set.
Batches = List[List[int]]


class Batching(Registrable):
    """
    Cuts a data set into batches.

    # Parameters

    batch_size : `int`
        Instances a batch; the last one may hold fewer.
    max_tokens_per_batch : `int`, optional (default = `None`)
        A batch with more tokens than this, padding included, is split into smaller ones. A text that has
        more by itself stays whole, in a batch of its own.
    """

    def __init__(self, batch_size: int, max_tokens_per_batch: Optional[int] = None) -> None:
        for name, number in (
            ("batch_size", batch_size),
            ("max_tokens_per_batch", max_tokens_per_batch),
        ):
            if number is not None and number < 1:
                raise ConfigurationError(f"{name} is {number}; it must be at least 1")
        self.batch_size = batch_size
        self.max_tokens_per_batch = max_tokens_per_batch

    def most_texts(self, num_tokens: int) -> int:
        """How many texts a batch may hold, if the longest of them has so many tokens."""
        if self.max_tokens_per_batch is None:
            return self.batch_size
        return min(self.batch_size, max(1, self.max_tokens_per_batch // max(1, num_tokens)))

    @abstractmethod
    def batches(self, instances: Sequence[Instance], rng: Optional[random.Random]) -> Batches:
        """
        # Parameters

        instances : `Sequence[Instance]`
        rng : `random.Random`, optional
            Where the order's randomness comes from; `None` asks for the one fixed order that evaluation
            uses.
        """

    def _cut(self, order: List[int], instances: Sequence[Instance]) -> Batches:
        size = self.batch_size
        batches = [order[first : first + size] for first in range(0, len(order), size)]
        if self.max_tokens_per_batch is None:
            return batches
        return [part for batch in batches for part in self._split(batch, instances)]

    def _split(self, batch: List[int], instances: Sequence[Instance]) -> Iterator[List[int]]:
        assert self.max_tokens_per_batch is not None
        part: List[int] = []
        longest = 0
        for position in batch:
            longest = max(longest, field_length(instances[position], TEXT))
            if part and (len(part) + 1) * longest > self.max_tokens_per_batch:
                yield part
                part, longest = [], field_length(instances[position], TEXT)
            part.append(position)
        yield part


@Batching.register("basic")
class BasicBatching(Batching):
    """Instances in random order, cut into batches."""

    def batches(self, instances: Sequence[Instance], rng: Optional[random.Random]) -> Batches:
        order = list(range(len(instances)))
        if rng is not None:
            rng.shuffle(order)
        return self._cut(order, instances)


@Batching.register("bucket")
class BucketBatching(Batching):
    """
    Instances of similar length in one batch, and the batches in random order.

    # Parameters

    batch_size : `int`
    sorting_keys : `List[str]`, optional (default = `["text"]`)
        The fields by whose lengths instances are sorted, the most important first.
    padding_noise : `float`, optional (default = `0.1`)
        In training, each length is first multiplied by a random factor up to this far from 1, so that
        batches differ from one pass to the next.
    max_tokens_per_batch : `int`, optional (default = `None`)
        As for every batching.
    """

    def __init__(
        self,
        batch_size: int,
        sorting_keys: Optional[List[str]] = None,
        padding_noise: float = 0.1,
        max_tokens_per_batch: Optional[int] = None,
    ) -> None:
        super().__init__(batch_size, max_tokens_per_batch)
        self.sorting_keys = sorting_keys or [TEXT]
        self.padding_noise = padding_noise

    def batches(self, instances: Sequence[Instance], rng: Optional[random.Random]) -> Batches:
        def key(position: int) -> List[float]:
            lengths = [float(length) for length in self._lengths(instances[position])]
            if rng is None:
                return lengths
            noise = self.padding_noise
            return [length * (1 + rng.uniform(-noise, noise)) for length in lengths]

        batches = self._cut(sorted(range(len(instances)), key=key), instances)
        if rng is not None:
            rng.shuffle(batches)
        return batches

    def _lengths(self, instance: Instance) -> List[int]:
        try:
            return [field_length(instance, name) for name in self.sorting_keys]
        except KeyError as error:
            raise ConfigurationError(
                f"sorting_keys names the field {error}, but the instances have "
                f"{sorted(instance.fields)}. Choose among these."
            ) from error


def field_length(instance: Instance, name: str) -> int:
    """Of a field that is a sequence."""
    return len(instance[name])
