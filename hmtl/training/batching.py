"""How a data set is cut into batches."""

import random
from abc import abstractmethod
from typing import List, Optional

from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance

# A batch is a list of positions in the data set.
Batches = List[List[int]]


class Batching(Registrable):
    """
    Cuts a data set into batches.

    # Parameters

    batch_size : `int`
        Instances a batch; the last one may hold fewer.
    """

    def __init__(self, batch_size: int) -> None:
        if batch_size < 1:
            raise ConfigurationError(f"batch_size is {batch_size}; it must be at least 1")
        self.batch_size = batch_size

    @abstractmethod
    def batches(self, instances: List[Instance], rng: Optional[random.Random]) -> Batches:
        """
        # Parameters

        instances : `List[Instance]`
        rng : `random.Random`, optional
            Where the order's randomness comes from; `None` asks for the one fixed order that evaluation
            uses.
        """

    def _cut(self, order: List[int]) -> Batches:
        return [
            order[first : first + self.batch_size]
            for first in range(0, len(order), self.batch_size)
        ]


@Batching.register("basic")
class BasicBatching(Batching):
    """Instances in random order, cut into batches."""

    def batches(self, instances: List[Instance], rng: Optional[random.Random]) -> Batches:
        order = list(range(len(instances)))
        if rng is not None:
            rng.shuffle(order)
        return self._cut(order)


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
    """

    def __init__(
        self, batch_size: int, sorting_keys: Optional[List[str]] = None, padding_noise: float = 0.1
    ) -> None:
        super().__init__(batch_size)
        self.sorting_keys = sorting_keys or ["text"]
        self.padding_noise = padding_noise

    def batches(self, instances: List[Instance], rng: Optional[random.Random]) -> Batches:
        def key(position: int) -> List[float]:
            lengths = [float(length) for length in self._lengths(instances[position])]
            if rng is None:
                return lengths
            noise = self.padding_noise
            return [length * (1 + rng.uniform(-noise, noise)) for length in lengths]

        batches = self._cut(sorted(range(len(instances)), key=key))
        if rng is not None:
            rng.shuffle(batches)
        return batches

    def _lengths(self, instance: Instance) -> List[int]:
        try:
            return [len(instance.fields[name]) for name in self.sorting_keys]  # type: ignore[arg-type]
        except KeyError as error:
            raise ConfigurationError(
                f"sorting_keys names the field {error}, but the instances have "
                f"{sorted(instance.fields)}. Choose among these."
            ) from error
