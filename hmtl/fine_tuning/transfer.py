"""Carrying the weights of one model over to another: functions of state dictionaries, and of nothing else."""

from dataclasses import dataclass
from typing import Collection, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import torch

from hmtl.common.reporting import table
from hmtl.fine_tuning.axes import Axes, Axis, Words

State = Mapping[str, torch.Tensor]

# What becomes of a parameter. LOADED: each of its entries has its trained value. EXTENDED: some have, and
# others are added (words: with the value that all unknown words had).
# NEW: none; it starts as a fresh model's does. UNUSED: the trained model had it, here it has no place.
# MISFIT: it has another shape, and it is not known which entry is which.
LOADED, EXTENDED, NEW, UNUSED, MISFIT = "loaded", "extended", "new", "unused", "misfit"

Shape = Tuple[int, ...]


@dataclass(frozen=True)
class Outcome:
    """
    What became of a parameter.

    `name` is the one it has in the model that is to be trained; `source`, in the trained model. The shapes
    are those in the trained model and in the one to be trained.
    """

    name: str
    kind: str
    source: Optional[str] = None
    trained_shape: Optional[Shape] = None
    shape: Optional[Shape] = None


@dataclass
class Transfer:
    """The weights to begin with, and what became of each parameter of either model."""

    state: Dict[str, torch.Tensor]
    outcomes: List[Outcome]

    def of_kind(self, *kinds: str) -> List[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.kind in kinds]


def carry_over(
    trained: State,
    trained_axes: Mapping[str, Axes],
    fresh: State,
    fresh_axes: Mapping[str, Axes],
    sources: Mapping[str, Optional[str]],
) -> Transfer:
    """
    # Parameters

    trained, fresh : `Dict[str, torch.Tensor]`
        The weights of the trained model, and of the one that is to take them over; neither is changed.
    trained_axes, fresh_axes : `Dict[str, Axes]`
        What the entries of their parameters stand for, as `parameter_axes` tells.
    sources : `Dict[str, Optional[str]]`
        For each parameter of the fresh model, the trained one whose entries it takes, if there is one of
        that name; `None` for one that is to start new.

    # Returns

    transfer : `Transfer`
        In the fresh model's order, what is unused last.
    """
    state: Dict[str, torch.Tensor] = {}
    outcomes: List[Outcome] = []
    for name, tensor in fresh.items():
        source = sources[name]
        if source is None or source not in trained:
            state[name] = tensor.detach().clone()
            outcomes.append(Outcome(name, NEW, shape=tuple(tensor.shape)))
            continue
        state[name], kind = fill(
            tensor, fresh_axes.get(name), trained[source], trained_axes.get(source)
        )
        shapes = tuple(trained[source].shape), tuple(tensor.shape)
        outcomes.append(Outcome(name, kind, source, *shapes))
    used = set(sources.values())
    for name, tensor in trained.items():
        if name not in used:
            outcomes.append(Outcome(name, UNUSED, name, tuple(tensor.shape)))
    return Transfer(state, outcomes)


def fill(
    fresh: torch.Tensor,
    fresh_axes: Optional[Axes],
    trained: torch.Tensor,
    trained_axes: Optional[Axes],
) -> Tuple[torch.Tensor, str]:
    """
    # Parameters

    fresh, trained : `torch.Tensor`
        Of any shapes.
    fresh_axes, trained_axes : `Axes`, optional
        What their entries stand for.

    # Returns

    filled : `torch.Tensor`
        The fresh tensor with the entries of the trained one for all that stands for the same.
    kind : `str`
        `LOADED`, `EXTENDED`, `NEW` or `MISFIT`. A misfit is left fresh.
    """
    filled = fresh.detach().clone()
    if fresh.dim() != trained.dim():
        return filled, MISFIT
    nothing_known: Axes = (None,) * fresh.dim()
    matches: List[Match] = []
    for axis, (here, there) in enumerate(
        zip(fresh_axes or nothing_known, trained_axes or nothing_known)
    ):
        match = _match(here, fresh.size(axis), there, trained.size(axis))
        if match is None:
            return filled, MISFIT
        matches.append(match)
    if not all(match.num_same for match in matches):
        return filled, NEW
    into = _mesh([match.into for match in matches])
    filled[into] = trained[_mesh([match.out_of for match in matches])].to(filled)
    whole = all(match.num_same == size for match, size in zip(matches, fresh.shape))
    return filled, LOADED if whole else EXTENDED


class Match(NamedTuple):
    """Positions along an axis of the fresh tensor, and those of the trained one whose entries go there."""

    into: torch.Tensor
    out_of: torch.Tensor
    # How many of them are the trained ones of the same.
    num_same: int


def _match(here: Axis, size: int, there: Axis, trained_size: int) -> Optional[Match]:
    """`None` where the sizes differ, and nothing tells which entry is which."""
    if here is None or there is None:
        positions = torch.arange(size)
        return Match(positions, positions, size) if size == trained_size else None
    found = {entry: position for position, entry in enumerate(there)}
    stand_in = found.get(here.unknown) if isinstance(here, Words) else None
    sources = [found.get(entry, stand_in) for entry in here]
    pairs = [(into, source) for into, source in enumerate(sources) if source is not None]
    into, out_of = torch.tensor(pairs, dtype=torch.long).reshape(-1, 2).unbind(dim=1)
    return Match(into, out_of, sum(entry in found for entry in here))


def _mesh(positions: List[torch.Tensor]) -> Tuple[torch.Tensor, ...]:
    """The index of all combinations of positions, each along its axis."""
    last = len(positions) - 1
    return tuple(
        each.reshape(-1, *(1 for _ in range(last - axis))) for axis, each in enumerate(positions)
    )


def outcome_table(outcomes: Sequence[Outcome], frozen: Collection[str] = ()) -> str:
    """
    A line a parameter: what becomes of it, its shapes in the trained model and here, and whether it is one
    of those that are frozen at the start.
    """
    rows = [
        [
            outcome.name,
            outcome.kind + (", frozen" if outcome.name in frozen else ""),
            _shape_text(outcome.trained_shape),
            _shape_text(outcome.shape),
            outcome.source if outcome.source not in (None, outcome.name) else "",
        ]
        for outcome in outcomes
    ]
    return table(["parameter", "is", "trained", "here", "from"], rows)


def _shape_text(shape: Optional[Shape]) -> str:
    return "" if shape is None else "x".join(map(str, shape)) or "1"
