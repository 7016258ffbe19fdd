"""How a data set is cut into batches."""

import math
import random
from abc import abstractmethod
from typing import Callable, Iterable, Iterator, List, Optional, Sequence

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
        most = self.max_tokens_per_batch
        lengths = {position: field_length(instances[position], TEXT) for position in order}
        return [part for batch in batches for part in cut(batch, lengths.__getitem__, most)]


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


def cut(
    order: Iterable[int],
    length_of: Callable[[int], int],
    most_tokens: float = math.inf,
    most_texts: float = math.inf,
    most_pairs: float = math.inf,
) -> Iterator[List[int]]:
    """
    Texts in batches, in the order given. A text that is beyond a limit is in a batch of its own.

    # Parameters

    order : `Iterable[int]`
        Positions of texts.
    length_of : `Callable[[int], int]`
        The tokens of the text at a position.
    most_tokens, most_texts, most_pairs : `float`, optional (default = no limit)
        In a batch, padding included: tokens, texts, and pairs of tokens of one text.
    """
    batch: List[int] = []
    longest = 0
    for position in order:
        length = length_of(position)
        size, longest = len(batch) + 1, max(longest, length)
        if size * longest > most_tokens or size > most_texts or size * longest**2 > most_pairs:
            if batch:
                yield batch
            batch, longest = [], length
        batch.append(position)
    if batch:
        yield batch


def cut_by_length(lengths: Sequence[int], **limits: float) -> List[List[int]]:
    """Texts of similar length in one batch, the shortest first; `limits` are those of `cut`."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    return list(cut(order, lengths.__getitem__, **limits))


def field_length(instance: Instance, name: str) -> int:
    """Of a field that is a sequence."""
    return len(instance[name])
