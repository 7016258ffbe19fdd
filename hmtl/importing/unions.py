"""Clusters from links."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


def linked(groups: Iterable[Sequence[T]]) -> list[list[T]]:
    """
    Groups that share a member become one.

    # Returns

    `list[list[T]]`
        Each member in one group; the order depends on that of `groups` alone.
    """
    group_of: dict[T, list[T]] = {}
    for members in groups:
        merged: list[T] = []
        for member in members:
            merged += [other for other in group_of.get(member, [member]) if other not in merged]
        for member in merged:
            group_of[member] = merged
    return list({id(group): group for group in group_of.values()}.values())
