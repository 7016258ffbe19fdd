"""
Training with several processes, one for each device, which `torchrun` starts: what they agree on, and when.

All of them go through the same steps. They draw the same tasks, have the same streams of batches, each
computes its part of every batch, and their gradients are averaged before anything is made of them; so they
hold the same weights, and what follows from weights and metrics (best epochs, votes to stop, learning rates)
needs no communication. What only one of them may notice is reduced over all: a signal, the clock, a loss that
is not finite. Only rank 0 writes.
"""

import logging
import os
import time
from contextlib import ExitStack, contextmanager, redirect_stderr, suppress
from datetime import timedelta
from itertools import zip_longest
from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

import torch
import torch.distributed
from allennlp.common.checks import ConfigurationError

from hmtl.common.devices import choose_device
from hmtl.common.environment import number_of_restarts, world_size
from hmtl.common.interruption import Interrupted
from hmtl.common.random_state import random_state, restore_random_state
from hmtl.data.parts import WHOLE, Part, RepeatedBatch
from hmtl.errors import DataError
from hmtl.models.heads.head import LOSS_KINDS, Head
from hmtl.models.hmtl import Hmtl
from hmtl.training.memory import is_out_of_memory

logger = logging.getLogger(__name__)

# One process may read corpora and write files for hours while the others wait. Should it die meanwhile, its
# closed connections tell at once; only a machine that vanishes is waited for so long.
PATIENCE = timedelta(days=1)


class ProcessLost(DataError):
    """Another process of the run has ended, or cannot be reached."""


class Collectives:
    """
    The operations of torch.distributed that a training needs, among all processes. Tensors on the CPU go by
    gloo, those on a device by the backend that the processes were started with.

    # Parameters

    timeout : `timedelta`
        How long to wait for the others.

    # Raises

    ProcessLost
        By every method, when it waits in vain.
    """

    def __init__(self, timeout: timedelta) -> None:
        self.part = Part(torch.distributed.get_rank(), torch.distributed.get_world_size())
        self._on_cpu = torch.distributed.new_group(backend="gloo", timeout=timeout)
        self._patient = torch.distributed.new_group(backend="gloo", timeout=PATIENCE)

    def all_reduce_sum(self, tensor: torch.Tensor) -> None:
        """Replace each rank's tensor by the sum over all ranks."""
        self._reduce(tensor, torch.distributed.ReduceOp.SUM)

    def all_reduce_max(self, tensor: torch.Tensor) -> None:
        """Replace each rank's entries by the largest of all ranks."""
        self._reduce(tensor, torch.distributed.ReduceOp.MAX)

    def _reduce(self, tensor: torch.Tensor, operation: Any) -> None:
        with naming_lost_processes():
            torch.distributed.all_reduce(tensor, operation, group=self._group_of(tensor))

    def broadcast(self, tensor: torch.Tensor) -> None:
        """Replace each rank's tensor by that of rank 0."""
        with naming_lost_processes():
            torch.distributed.broadcast(tensor, src=0, group=self._group_of(tensor))

    def all_gather(self, value: Any) -> List[Any]:
        """Return what all ranks have given, in their order: anything that is made of plain values."""
        values: List[Any] = [None] * self.part.world_size
        with naming_lost_processes():
            torch.distributed.all_gather_object(values, value, group=self._on_cpu)
        return values

    def barrier(self) -> None:
        """Return once all ranks have come to it."""
        with naming_lost_processes():
            torch.distributed.barrier(group=self._patient)

    def _group_of(self, tensor: torch.Tensor) -> Any:
        # None is that of all processes and of the backend that they were started with.
        return self._on_cpu if tensor.device.type == "cpu" else None


@contextmanager
def naming_lost_processes() -> Iterator[None]:
    """
    # Raises

    ProcessLost
        In place of the errors of torch.distributed.
    """
    try:
        yield
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise
        logger.debug("%s", error)
        raise ProcessLost(
            "another process of this run has ended, or cannot be reached; its own message says why. Start "
            "it again; a training goes on from its last checkpoint, which is whole, with --recover."
        ) from error


# Large enough that what a single exchange costs beside its bytes does not count, small enough that a copy
# of it is no burden on memory.
BUCKET_BYTES = 2**26


def average_gradients(
    parameters: Iterable[torch.nn.Parameter],
    collectives: Collectives,
    bucket_bytes: int = BUCKET_BYTES,
    noticed: Sequence[int] = (),
) -> List[int]:
    """
    Replace each rank's gradients by the mean over all ranks, a few large pieces at a time; of sparse ones
    only the rows that there are. A parameter that had no part in the step of any rank stays without a
    gradient.

    # Parameters

    parameters : `Iterable[torch.nn.Parameter]`
        In the same order on every rank.
    collectives : `Collectives`
    bucket_bytes : `int`, optional
        How much to exchange at a time, at most; a larger parameter goes by itself.
    noticed : `Sequence[int]`, optional (default = `()`)
        Numbers from 0 to 255 that ranks may see differently. They go along.

    # Returns

    largest : `List[int]`
        Of each of these that of all ranks.
    """
    parameters = list(parameters)
    # All ranks have drawn the same task, but a head may leave out a part for the instances of one of them.
    used = [0 if each.grad is None else 1 + each.grad.is_sparse for each in parameters]
    shared = torch.tensor([*used, *noticed], dtype=torch.uint8)
    collectives.all_reduce_max(shared)
    found = shared.tolist()
    dense, sparse = ([p for p, kind in zip(parameters, found) if kind == own] for own in (1, 2))
    for bucket in _buckets(dense, bucket_bytes):
        _average(bucket, collectives)
    for parameter in sparse:
        _average_rows(parameter, collectives)
    return found[len(parameters) :]


def _buckets(
    parameters: Iterable[torch.nn.Parameter], bucket_bytes: int
) -> Iterator[List[torch.nn.Parameter]]:
    """Yield parameters in their order, those of one type and device together."""
    filling: Dict[Tuple[torch.dtype, torch.device], List[torch.nn.Parameter]] = {}
    sizes: Dict[Tuple[torch.dtype, torch.device], int] = {}
    for parameter in parameters:
        kind = (parameter.dtype, parameter.device)
        size = parameter.numel() * parameter.element_size()
        if kind in filling and sizes[kind] + size > bucket_bytes:
            yield filling.pop(kind)
        if kind not in filling:
            filling[kind], sizes[kind] = [], 0
        filling[kind].append(parameter)
        sizes[kind] += size
    yield from filling.values()


def _average(bucket: List[torch.nn.Parameter], collectives: Collectives) -> None:
    gradients = [
        torch.zeros_like(each) if each.grad is None else each.grad.contiguous() for each in bucket
    ]
    # A table of word vectors that fills its bucket is not copied.
    flat = (
        gradients[0].view(-1)
        if len(gradients) == 1
        else torch.cat([gradient.view(-1) for gradient in gradients])
    )
    collectives.all_reduce_sum(flat)
    flat.div_(collectives.part.world_size)
    for parameter, piece in zip(bucket, flat.split([each.numel() for each in bucket])):
        parameter.grad = piece.view(parameter.shape)


def _average_rows(parameter: torch.nn.Parameter, collectives: Collectives) -> None:
    """The same for a gradient that is sparse, on ranks with different rows."""
    gradient, part = parameter.grad, collectives.part
    if gradient is None:
        nowhere = torch.empty((1, 0), dtype=torch.long, device=parameter.device)
        nothing = parameter.new_empty((0, *parameter.shape[1:]))
        gradient = torch.sparse_coo_tensor(
            nowhere, nothing, parameter.shape, check_invariants=False
        )
    gradient = gradient.coalesce()
    rows, values = gradient.indices()[0], gradient.values()
    numbers = collectives.all_gather(len(rows))
    begin = sum(numbers[: part.rank])
    own = slice(begin, begin + len(rows))
    all_rows = rows.new_zeros(sum(numbers))
    all_values = values.new_zeros((sum(numbers), *parameter.shape[1:]))
    all_rows[own], all_values[own] = rows, values / part.world_size
    collectives.all_reduce_sum(all_rows)
    collectives.all_reduce_sum(all_values)
    shared = torch.sparse_coo_tensor(
        all_rows.unsqueeze(0), all_values, parameter.shape, check_invariants=False
    )
    parameter.grad = shared.coalesce()


class Scoring:
    """
    Adds up the losses of the batches that are evaluated; the model's head counts by itself.

    # Parameters

    device : `torch.device`
        Where the losses are.
    """

    def __init__(self, device: torch.device) -> None:
        self._total = torch.zeros((), dtype=torch.float64, device=device)
        self._count = 0

    def add(self, loss: torch.Tensor) -> None:
        """Add the loss of a batch that was evaluated, a scalar on the device."""
        self._total += loss
        self._count += 1

    def finish(self) -> float:
        """Return the mean loss of the batches; 0 if there was none. Reads from the device."""
        return float(self._total) / max(self._count, 1)


class DistributedScoring(Scoring):
    """
    The same where each rank evaluates some of the batches, in turn: losses and counts are added up in the
    order of the batches, so that the metrics are those of one process to the last digit, and the same on
    every rank.

    # Parameters

    device : `torch.device`
    model : `Hmtl`
        Its head has counted nothing yet. In the end it has counted the batches of all ranks.
    task_name : `str`
    collectives : `Collectives`
    """

    def __init__(
        self, device: torch.device, model: Hmtl, task_name: str, collectives: Collectives
    ) -> None:
        super().__init__(device)
        self.model = model
        self.task_name = task_name
        self.collectives = collectives
        self._losses: List[torch.Tensor] = []
        self._counts: List[Dict[str, Any]] = []

    def add(self, loss: torch.Tensor) -> None:
        self._losses.append(loss.double())
        self._counts.append(self.model.counts(self.task_name))
        self.model.get_metrics(self.task_name, reset=True)

    def finish(self) -> float:
        losses = torch.stack(self._losses).tolist() if self._losses else []
        in_order = _in_turn(self.collectives, list(zip(losses, self._counts)))
        total = 0.0
        for loss, counts in in_order:
            total += loss
            self.model.add_counts(self.task_name, counts)
        return total / max(len(in_order), 1)


def _in_turn(collectives: Collectives, mine: List[Any]) -> List[Any]:
    """See `ProcessGroup.in_turn`."""
    by_rank = collectives.all_gather(mine)
    return [each for in_turn in zip_longest(*by_rank) for each in in_turn if each is not None]


TIMEOUT_MINUTES = 30.0
# The process with the reason is to say it first, and to be the one that torchrun names.
SECONDS_AFTER_YOU = 2.0
# Seeds of the other ranks are drawn from so many, below the largest seed.
SEEDS = 2**62
# Integers as wide as what they are to be summed for, whatever it means.
BITS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


class ProcessGroup:
    """
    The processes that train or score a model together, as one of them sees them. This one is the group of a
    single process, in which every operation is free.
    """

    part: Part = WHOLE

    @property
    def is_main(self) -> bool:
        """Whether this is rank 0, the one that writes and is watched."""
        return self.part.rank == 0

    @property
    def is_distributed(self) -> bool:
        return self.part.world_size > 1

    def device(self, cuda_device: Optional[int]) -> torch.device:
        """Return the device of this rank; `cuda_device` is the config's."""
        return choose_device(cuda_device)

    @contextmanager
    def main_first(self) -> Iterator[None]:
        """Run the block on rank 0 first, then on the others, which show nothing."""
        yield

    def check_same(self, what: str, value: Any) -> None:
        """
        # Parameters

        what : `str`
            For the message.
        value : `Any`
            Made of plain values.

        # Raises

        DataError
            When it is not the same on all ranks.
        """

    def check_can_distribute(self, model: Hmtl) -> None:
        """
        # Raises

        ConfigurationError
            When the model has a part that several processes cannot train or score together.
        """

    def check_can_score(self, model: Hmtl) -> None:
        """
        # Raises

        ConfigurationError
            When the model has a head that several processes cannot score together.
        """

    def broadcast_weights(self, model: Hmtl) -> None:
        """Give all ranks the weights of rank 0, as kinds of processors initialise them differently."""

    def check_same_weights(self, model: Hmtl) -> None:
        """
        # Raises

        DataError
            When the processes do not hold the same weights, to the last bit.
        """

    def seed_per_rank(self) -> None:
        """Seed torch's random numbers (dropout) differently on each rank."""

    def random_states(self) -> Dict[str, Any]:
        """Return the random states of all ranks, for the checkpoint."""
        return {"random": random_state()}

    def restore_random_states(self, state: Dict[str, Any]) -> None:
        """Resume from what `random_states` returned, with the same world size or another."""
        restore_random_state(state["random"])

    def any(self, flag: bool) -> bool:
        """Return whether it is so on any rank."""
        return flag

    def largest(self, numbers: List[int]) -> List[int]:
        """Return of each of these numbers that of all ranks."""
        return numbers

    @contextmanager
    def reducing_counts(self, model: Hmtl, task_name: str, batch: Dict[str, Any]) -> Iterator[None]:
        """Add up over all ranks what a head counts of a training batch in the block."""
        yield

    def reduce_loss(
        self, model: Hmtl, task_name: str, batch: Dict[str, Any], output: Dict[str, torch.Tensor]
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """
        # Parameters

        model : `Hmtl`
        task_name : `str`
        batch : `Dict[str, Any]`
            This rank's part of a training batch.
        output : `Dict[str, torch.Tensor]`
            What the model made of it.

        # Returns

        own : `torch.Tensor`
            The loss to learn from: its mean over the ranks, and the mean of its gradients, are those of
            the whole batch. A scalar.
        whole : `torch.Tensor`
            That of the whole batch, the same on all ranks. A detached scalar.
        """
        return output["loss"], output["loss"].detach()

    def average_gradients(
        self, parameters: Iterable[torch.nn.Parameter], noticed: Sequence[int] = ()
    ) -> Optional[List[int]]:
        """
        Replace each rank's gradients by the mean over all ranks.

        # Parameters

        parameters : `Iterable[torch.nn.Parameter]`
        noticed : `Sequence[int]`, optional (default = `()`)
            Numbers from 0 to 255, which go along with what has to be exchanged.

        # Returns

        largest : `List[int]`, optional
            Of each of these that of all ranks; `None` if there is no other rank.
        """
        return None

    def scoring(self, model: Hmtl, task_name: str, device: torch.device) -> Scoring:
        """Return what adds up the evaluation of a task, of which the head has counted nothing yet."""
        return Scoring(device)

    def in_turn(self, mine: List[Any]) -> List[Any]:
        """
        Return what all ranks have for the batches that they evaluate, in the order of the batches.

        # Parameters

        mine : `List[Any]`
            An entry for each batch of this rank, of plain values and not `None`.
        """
        return mine


SINGLE_PROCESS = ProcessGroup()


class DistributedProcessGroup(ProcessGroup):
    """
    The group of several processes, which torch.distributed connects.

    # Parameters

    collectives : `Collectives`
    local_rank : `int`
        Its rank among those of its machine: that is the number of its CUDA device.
    """

    def __init__(self, collectives: Collectives, local_rank: int) -> None:
        self.part = collectives.part
        self._collectives = collectives
        self._local_number = local_rank

    def device(self, cuda_device: Optional[int]) -> torch.device:
        return choose_device(cuda_device, self._local_number)

    @contextmanager
    def main_first(self) -> Iterator[None]:
        if self.is_main:
            yield
            self._collectives.barrier()
        else:
            self._collectives.barrier()
            with _silently():
                yield

    def check_same(self, what: str, value: Any) -> None:
        values = self._collectives.all_gather(value)
        others = [rank for rank, each in enumerate(values) if each != values[0]]
        if others:
            raise DataError(
                f"{what} must be the same on all ranks, but on rank {others[0]} (of {len(values)}, "
                "counted from 0) it is not what it is on rank 0. Give all machines the same files."
            )

    def check_can_distribute(self, model: Hmtl) -> None:
        for name, head in model.heads.items():
            assert isinstance(head, Head)
            _check_loss(name, head)
        self.check_can_score(model)

    def check_can_score(self, model: Hmtl) -> None:
        for name, head in model.heads.items():
            assert isinstance(head, Head)
            _check_counters(name, head)

    def broadcast_weights(self, model: Hmtl) -> None:
        for tensor in model.state_dict().values():
            self._collectives.broadcast(tensor)

    def check_same_weights(self, model: Hmtl) -> None:
        state = model.state_dict()
        # Integers are added up without rounding, in whatever order a device does it.
        sums = torch.stack([_bits_of(each).sum(dtype=torch.int64).cpu() for each in state.values()])
        first = sums.clone()
        self._collectives.broadcast(first)
        differing = [name for name, same in zip(state, (sums == first).tolist()) if not same]
        if self.any(bool(differing)):
            raise DataError(
                "the processes do not hold the same weights any more"
                f"{f' (here {differing[0]} differs from that of rank 0)' if differing else ''}. Train on "
                "machines of one kind, with the same versions; a head, sampler or callback of your own must "
                "not change weights on one rank only."
            )

    def seed_per_rank(self) -> None:
        # They have drawn the same numbers up to now, so this one is the same as well. Rank 0 draws on like a
        # single process.
        if not self.is_main:
            seed = int(torch.randint(SEEDS, ()))
            torch.manual_seed(seed + self.part.rank)

    def random_states(self) -> Dict[str, Any]:
        first, *others = self._collectives.all_gather(random_state())
        return {"random": first, "random_of_others": others}

    def restore_random_states(self, state: Dict[str, Any]) -> None:
        states = [state["random"], *state.get("random_of_others", [])]
        if len(states) == self.part.world_size:
            restore_random_state(states[self.part.rank])
        else:
            restore_random_state(states[0])
            self.seed_per_rank()

    def any(self, flag: bool) -> bool:
        return bool(self.largest([int(flag)])[0])

    def largest(self, numbers: List[int]) -> List[int]:
        shared = torch.tensor(numbers)
        self._collectives.all_reduce_max(shared)
        return shared.tolist()

    @contextmanager
    def reducing_counts(self, model: Hmtl, task_name: str, batch: Dict[str, Any]) -> Iterator[None]:
        before = model.counts(task_name)
        model.get_metrics(task_name, reset=True)
        yield
        mine = None if isinstance(batch, RepeatedBatch) else model.counts(task_name)
        model.restore_counts(task_name, before)
        for counts in self._collectives.all_gather(mine):
            if counts is not None:
                model.add_counts(task_name, counts)

    def reduce_loss(
        self, model: Hmtl, task_name: str, batch: Dict[str, Any], output: Dict[str, torch.Tensor]
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        loss = output["loss"]
        counts = 0.0 if isinstance(batch, RepeatedBatch) else 1.0
        divisor = model.loss_divisor(task_name, output)
        weight = torch.as_tensor(
            counts if divisor is None else counts * divisor, dtype=torch.float64, device=loss.device
        )
        # What was divided by is taken out again, and put in once all are added up.
        totals = torch.stack([loss.detach() * weight, weight])
        self._collectives.all_reduce_sum(totals)
        scale = torch.ones_like(weight) if divisor is None else totals[1]
        own = loss * (weight / scale * self.part.world_size).to(loss.dtype)
        return own, (totals[0] / scale).to(loss.dtype)

    def average_gradients(
        self, parameters: Iterable[torch.nn.Parameter], noticed: Sequence[int] = ()
    ) -> Optional[List[int]]:
        return average_gradients(parameters, self._collectives, noticed=noticed)

    def scoring(self, model: Hmtl, task_name: str, device: torch.device) -> Scoring:
        return DistributedScoring(device, model, task_name, self._collectives)

    def in_turn(self, mine: List[Any]) -> List[Any]:
        return _in_turn(self._collectives, mine)


def _check_loss(name: str, head: Head) -> None:
    kind = type(head).__name__
    if head.loss_kind not in LOSS_KINDS and type(head).loss_divisor is Head.loss_divisor:
        raise ConfigurationError(
            f"model.{name}.tagger: {kind} does not say whether its loss is a sum or a mean. Set its "
            f"loss_kind to one of {', '.join(LOSS_KINDS)}, define its method loss_divisor (see "
            "hmtl/models/heads/head.py), or train with one process."
        )


def _check_counters(name: str, head: Head) -> None:
    kind = type(head).__name__
    counters = head.counters()
    lacking = [key for key, counter in counters.items() if not hasattr(counter, "merge")]
    if lacking or (head.get_metrics() and not counters):
        what = f"its counters {lacking} have no merge()" if lacking else "it has no counters()"
        raise ConfigurationError(
            f"model.{name}.tagger: several processes cannot add up what {kind} counts, as {what}. See "
            "hmtl/models/heads/head.py, or use one process."
        )


def _bits_of(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().contiguous().view(BITS[tensor.element_size()])


@contextmanager
def _silently() -> Iterator[None]:
    """Show neither messages nor progress bars: rank 0 has shown them already."""
    handlers = logging.getLogger().handlers
    levels = [handler.level for handler in handlers]
    with ExitStack() as stack:
        nowhere = stack.enter_context(open(os.devnull, "w"))
        stack.enter_context(redirect_stderr(nowhere))
        for handler in handlers:
            handler.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for handler, level in zip(handlers, levels):
                handler.setLevel(level)


@contextmanager
def joining_process_group(
    cuda_device: Optional[int] = None, timeout_minutes: float = TIMEOUT_MINUTES
) -> Iterator[ProcessGroup]:
    """
    Join the process group of the run, if torchrun has started one, for as long as the block takes.

    # Parameters

    cuda_device : `int`, optional (default = `None`)
        As the config has it: -1 is the CPU.
    timeout_minutes : `float`, optional
        How long to wait for the others in training.

    # Raises

    ConfigurationError
        When the timeout is not positive, or there is no device for this process.
    ProcessLost
        When another process has ended, or is out of reach.
    """
    if timeout_minutes <= 0:
        raise ConfigurationError(
            f"multi_task_trainer.distributed_timeout_minutes is {timeout_minutes}; write more than 0"
        )
    if world_size() == 1:
        yield SINGLE_PROCESS
        return
    local_rank = int(os.environ.get("LOCAL_RANK", 0))
    device = choose_device(cuda_device, local_rank)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    timeout = timedelta(minutes=timeout_minutes)
    _join("nccl" if device.type == "cuda" else "gloo", timeout)
    in_good_order = False
    try:
        processes = DistributedProcessGroup(Collectives(timeout), local_rank)
        with _only_warnings_but_of_main(processes):
            yield processes
        in_good_order = True
    except ProcessLost:
        with suppress(Interrupted):
            time.sleep(SECONDS_AFTER_YOU)
        raise
    finally:
        _leave(in_good_order)


def _join(backend: str, timeout: timedelta) -> None:
    with naming_lost_processes():
        store, rank, world_size = next(torch.distributed.rendezvous("env://", timeout=timeout))
        # After an elastic restart, the addresses of the processes before are still there.
        store = torch.distributed.PrefixStore(f"start {number_of_restarts()}", store)
        torch.distributed.init_process_group(
            backend, timeout=timeout, store=store, rank=rank, world_size=world_size
        )


@contextmanager
def _only_warnings_but_of_main(processes: ProcessGroup) -> Iterator[None]:
    library = logging.getLogger(__name__.partition(".")[0])
    level = library.level
    if not processes.is_main:
        library.setLevel(logging.WARNING)
    else:
        logger.info("%d processes work together", processes.part.world_size)
    try:
        yield
    finally:
        library.setLevel(level)


def _leave(in_good_order: bool) -> None:
    """Leave the process group; the other ranks notice at once."""
    if not in_good_order:
        # To leave in good order waits for operations that another process may never come to.
        everyone = torch.distributed.group.WORLD
        assert everyone is not None
        everyone.abort()
    torch.distributed.destroy_process_group()


def after_elastic_restart(recover: bool, force: bool) -> Tuple[bool, bool]:
    """
    Return what `--recover` and `--force` mean to this process. With `--max-restarts`, torchrun restarts all
    processes when one has failed, with the same command: then the run is there, and is resumed.
    """
    return (True, False) if number_of_restarts() else (recover, force)
