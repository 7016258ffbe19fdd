"""A linear layer over products of rows that stand near each other, without keeping the products."""

from typing import Any, Callable, List, NamedTuple, Optional, Tuple, TypeVar

import torch
from torch.autograd.function import once_differentiable

from hmtl.modules.side_by_side import side_by_side

T = TypeVar("T")

# How many rows of products are made and multiplied at once: enough to keep the multiplication busy,
# few enough to stay in a cache.
ROWS_AT_ONCE = 512


def shifted_products(
    rows: torch.Tensor,
    weight: torch.Tensor,
    later: torch.Tensor,
    earlier: torch.Tensor,
    distances: torch.Tensor,
    stride: int,
) -> torch.Tensor:
    """
    For each distance d from 1 on, and each row r that has a row r' = r - d * stride before it:
    `later[r] + earlier[r'] + distances[d - 1] + weight (rows[r] * rows[r'])`.

    Only the arguments are kept for the gradient. The products are made in pieces of about
    `ROWS_AT_ONCE` rows, and made again for the gradient.

    # Parameters

    rows : `torch.Tensor`
        Shape `(num_rows, dim)`.
    weight : `torch.Tensor`
        Shape `(hidden_dim, dim)`.
    later, earlier : `torch.Tensor`
        What each row adds as the later or earlier of a pair. Shape `(num_rows, hidden_dim)`.
    distances : `torch.Tensor`
        What each distance adds; how many there are says how far to reach. Shape `(reach,
        hidden_dim)`.
    stride : `int`
        How many rows apart rows at distance 1 are; divides `num_rows`, which is more than
        `reach * stride`.

    # Returns

    output : `torch.Tensor`
        All pairs at distance 1 in the order of r, then those at distance 2, and so on.
        Shape `(num_pairs, hidden_dim)`.
    """
    return _ShiftedProducts.apply(rows, weight, later, earlier, distances, stride)


class _Shift(NamedTuple):
    """The pairs at one distance: how many rows apart, and where their output begins and ends."""

    distance: int
    rows: int
    start: int
    stop: int


class _ShiftedProducts(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        rows: torch.Tensor,
        weight: torch.Tensor,
        later: torch.Tensor,
        earlier: torch.Tensor,
        distances: torch.Tensor,
        stride: int,
    ) -> torch.Tensor:
        ctx.save_for_backward(rows, weight)
        ctx.shifts = shifts = _shifts(len(rows), stride, len(distances))
        output = later.new_empty(shifts[-1].stop, later.size(1))
        for shift in shifts:
            part = output[shift.start : shift.stop]
            torch.add(later[shift.rows :], earlier[: -shift.rows], out=part)
            part += distances[shift.distance - 1]
        _in_halves(rows, shifts, lambda pieces: _add_products(output, rows, weight, pieces))
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> Tuple[Optional[torch.Tensor], ...]:
        rows, weight = ctx.saved_tensors
        of_rows, of_weight = _gradients_of_product(gradient, rows, weight, ctx.shifts)
        of_sums = _gradients_of_sums(gradient, len(rows), ctx.shifts)
        return (of_rows, of_weight, *of_sums, None)


def _add_products(
    output: torch.Tensor, rows: torch.Tensor, weight: torch.Tensor, pieces: List[List[_Shift]]
) -> None:
    products = _buffer(rows, pieces)
    for piece in pieces:
        made = _multiply(rows, piece, products)
        output[piece[0].start : piece[-1].stop].addmm_(made, weight.t())


def _gradients_of_product(
    gradient: torch.Tensor, rows: torch.Tensor, weight: torch.Tensor, shifts: List[_Shift]
) -> Tuple[torch.Tensor, torch.Tensor]:
    halves = _in_halves(rows, shifts, lambda pieces: _add_up(gradient, rows, weight, pieces))
    of_rows, of_weight = (sum(parts[1:], start=parts[0]) for parts in zip(*halves, strict=True))
    return of_rows.to(rows.dtype), of_weight.to(weight.dtype)


def _add_up(
    gradient: torch.Tensor, rows: torch.Tensor, weight: torch.Tensor, pieces: List[List[_Shift]]
) -> Tuple[torch.Tensor, torch.Tensor]:
    of_rows, of_weight = _accumulator(rows), _accumulator(weight)
    products = _buffer(rows, pieces)
    for piece in pieces:
        part = gradient[piece[0].start : piece[-1].stop]
        of_weight += torch.mm(part.t(), _multiply(rows, piece, products))
        of_products = torch.mm(part, weight, out=products[: len(part)])
        for shift, of_product in zip(piece, of_products.split(_lengths(piece)), strict=True):
            of_rows[shift.rows :].addcmul_(of_product, rows[: -shift.rows])
            of_rows[: -shift.rows].addcmul_(of_product, rows[shift.rows :])
    return of_rows, of_weight


def _in_halves(
    rows: torch.Tensor, shifts: List[_Shift], work: Callable[[List[List[_Shift]]], T]
) -> List[T]:
    """
    Works on two halves of the pieces, side by side on the CPU. The halves are the same on any machine, so
    what is added up over them is, too.
    """
    pieces = _pieces(shifts)
    middle = (len(pieces) + 1) // 2
    first, second = pieces[:middle], pieces[middle:]
    if not second:
        return [work(first)]
    if rows.device.type == "cpu":
        return list(side_by_side(lambda: work(first), lambda: work(second)))
    return [work(first), work(second)]


def _gradients_of_sums(
    gradient: torch.Tensor, num_rows: int, shifts: List[_Shift]
) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    of_later = _accumulator(gradient[:1].expand(num_rows, -1))
    of_earlier = torch.zeros_like(of_later)
    of_distances = []
    for shift, part in zip(shifts, gradient.split(_lengths(shifts)), strict=True):
        of_later[shift.rows :] += part
        of_earlier[: -shift.rows] += part
        of_distances.append(part.sum(dim=0))
    dtype = gradient.dtype
    return of_later.to(dtype), of_earlier.to(dtype), torch.stack(of_distances)


def _shifts(num_rows: int, stride: int, reach: int) -> List[_Shift]:
    shifts, start = [], 0
    for distance in range(1, reach + 1):
        stop = start + num_rows - distance * stride
        shifts.append(_Shift(distance, distance * stride, start, stop))
        start = stop
    return shifts


def _pieces(shifts: List[_Shift]) -> List[List[_Shift]]:
    """Neighbouring distances whose pairs together are about `ROWS_AT_ONCE`."""
    pieces: List[List[_Shift]] = [[]]
    for shift in shifts:
        if pieces[-1] and shift.stop - pieces[-1][0].start > ROWS_AT_ONCE:
            pieces.append([])
        pieces[-1].append(shift)
    return pieces


def _lengths(shifts: List[_Shift]) -> List[int]:
    return [shift.stop - shift.start for shift in shifts]


def _buffer(rows: torch.Tensor, pieces: List[List[_Shift]]) -> torch.Tensor:
    return rows.new_empty(max(sum(_lengths(piece)) for piece in pieces), rows.size(1))


def _multiply(rows: torch.Tensor, piece: List[_Shift], out: torch.Tensor) -> torch.Tensor:
    """The products of a piece's pairs, written to the first rows of `out`."""
    out = out[: sum(_lengths(piece))]
    for shift, part in zip(piece, out.split(_lengths(piece)), strict=True):
        torch.mul(rows[shift.rows :], rows[: -shift.rows], out=part)
    return out


def _accumulator(like: torch.Tensor) -> torch.Tensor:
    """Zeros to add up many gradients in, in single precision at least."""
    dtype = torch.promote_types(like.dtype, torch.float32)
    return torch.zeros(like.shape, dtype=dtype, device=like.device)
