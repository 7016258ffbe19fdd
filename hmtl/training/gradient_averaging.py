"""The gradients of several processes become one."""

from typing import Dict, Iterable, Iterator, List, Tuple

import torch

from hmtl.training.collectives import Collectives

# Large enough that what a single exchange costs beside its bytes does not count, small enough that a copy
# of it is no burden on memory.
BUCKET_BYTES = 2**26


def average_gradients(
    parameters: Iterable[torch.nn.Parameter],
    collectives: Collectives,
    bucket_bytes: int = BUCKET_BYTES,
) -> None:
    """
    Puts the mean over all processes in the place of each one's gradients, a few large pieces at a time. A
    parameter that had no part in the step of any process stays without a gradient.

    # Parameters

    parameters : `Iterable[torch.nn.Parameter]`
        In the same order in every process.
    collectives : `Collectives`
    bucket_bytes : `int`, optional
        How much to exchange at a time, at most; a larger parameter goes by itself.
    """
    parameters = list(parameters)
    for bucket in _buckets(_used_anywhere(parameters, collectives), bucket_bytes):
        _average(bucket, collectives)


def _used_anywhere(
    parameters: List[torch.nn.Parameter], collectives: Collectives
) -> List[torch.nn.Parameter]:
    """
    Those that some process has a gradient of. All have drawn the same task, but a head may leave out a part
    for the instances of one of them.
    """
    used = torch.tensor([each.grad is not None for each in parameters], dtype=torch.uint8)
    collectives.largest(used)
    return [parameter for parameter, is_used in zip(parameters, used.tolist()) if is_used]


def _buckets(
    parameters: Iterable[torch.nn.Parameter], bucket_bytes: int
) -> Iterator[List[torch.nn.Parameter]]:
    """Parameters in their order, those of one type and device together."""
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
    # A table of word vectors alone in its bucket is not copied.
    flat = (
        gradients[0].view(-1)
        if len(gradients) == 1
        else torch.cat([gradient.view(-1) for gradient in gradients])
    )
    collectives.sum(flat)
    flat.div_(collectives.part.total)
    for parameter, piece in zip(bucket, flat.split([each.numel() for each in bucket])):
        parameter.grad = piece.view(parameter.shape)
