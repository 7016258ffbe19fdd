"""A split that is larger than memory: it is read anew on each pass, a part at a time."""

from itertools import islice
from typing import Callable, Iterable, Iterator, List, Sequence, Union

from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance

Prepare = Callable[[List[Instance]], Sequence[Instance]]


class StreamedInstances:
    """
    # Parameters

    read : `Callable[[], Iterable[Instance]]`
        Reads the split from its beginning, always in the same order.
    max_in_memory : `int`
        How many instances to hold at a time.

    # Raises

    ConfigurationError
        When `max_in_memory` is not positive.
    """

    def __init__(self, read: Callable[[], Iterable[Instance]], max_in_memory: int) -> None:
        if max_in_memory < 1:
            raise ConfigurationError(
                f"max_instances_in_memory is {max_in_memory}; it must be at least 1"
            )
        self.max_in_memory = max_in_memory
        self._read = read
        self._prepare: Prepare = lambda chunk: chunk

    def prepare_with(self, prepare: Prepare) -> None:
        """What makes of each chunk the instances that are used: indexing."""
        self._prepare = prepare

    def __iter__(self) -> Iterator[Instance]:
        """All instances, as they are read."""
        return iter(self._read())

    def chunks(self) -> Iterator[Sequence[Instance]]:
        """All instances, prepared, `max_in_memory` at a time; the last may be fewer."""
        reading = iter(self)
        while True:
            chunk = list(islice(reading, self.max_in_memory))
            if not chunk:
                return
            prepared = self._prepare(chunk)
            del chunk
            yield prepared
            # Or it would be in memory still while the next one is read.
            del prepared


Instances = Union[Sequence[Instance], StreamedInstances]


def chunks_of(instances: Instances) -> Iterator[Sequence[Instance]]:
    """The instances in as many lists as are to be in memory one after the other."""
    if isinstance(instances, StreamedInstances):
        yield from instances.chunks()
    else:
        yield instances
