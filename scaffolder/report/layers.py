"""Places boxes in columns by what they need: a small layered layout.

Numbers in, numbers out: knows no format and nothing of what is in a box. The boxes of a
column are equally wide, and arrows over several columns get a gap in each column between: no arrow passes a box.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Place", "Placed", "Size", "place"]

PASSES = 4


@dataclass(frozen=True, slots=True)
class Size:
    """A box's width and height."""

    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Place:
    """A box's left upper corner and its size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """The height of the middle of its sides."""
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Placed:
    """Where every box is, where every arrow goes through between its ends, and how large all of it is."""

    boxes: Mapping[str, Place]
    gaps: Mapping[tuple[str, str], tuple[Place, ...]]
    width: float
    height: float


def place(
    sizes: Mapping[str, Size],
    arrows: Sequence[tuple[str, str]],
    *,
    column_gap: float,
    row_gap: float,
    gap_height: float,
) -> Placed:
    """Place boxes so that every arrow leads to the right. Same input, same places.

    ``sizes`` is in an order in which sources come before their targets, as stacks in deployment order do.
    """
    depth = _depths(list(sizes), arrows)
    columns, all_sizes, edges, chains = _with_gaps(sizes, arrows, depth, gap_height)
    ordered = _ordered(columns, edges)
    places = _coordinates(ordered, all_sizes, column_gap, row_gap)
    return Placed(
        boxes={name: places[name] for name in sizes},
        gaps={arrow: tuple(places[gap] for gap in chain) for arrow, chain in chains.items()},
        width=max((each.x + each.width for each in places.values()), default=0),
        height=max((each.y + each.height for each in places.values()), default=0),
    )


def _depths(names: Sequence[str], arrows: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return the length of the longest way to each box."""
    depth: dict[str, int] = {}
    for name in names:
        depth[name] = max((depth[source] + 1 for source, target in arrows if target == name), default=0)
    return depth


def _with_gaps(
    sizes: Mapping[str, Size], arrows: Sequence[tuple[str, str]], depth: Mapping[str, int], gap_height: float
) -> tuple[list[list[str]], dict[str, Size], list[tuple[str, str]], dict[tuple[str, str], list[str]]]:
    columns: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name, column in depth.items():
        columns[column].append(name)
    all_sizes = dict(sizes)
    edges: list[tuple[str, str]] = []
    chains: dict[tuple[str, str], list[str]] = {}
    for source, target in arrows:
        chain = [f"\0{source}\0{target}\0{column}" for column in range(depth[source] + 1, depth[target])]
        for gap, column in zip(chain, range(depth[source] + 1, depth[target]), strict=True):
            columns[column].append(gap)
            all_sizes[gap] = Size(0, gap_height)
        ways = [source, *chain, target]
        edges += itertools.pairwise(ways)
        chains[source, target] = chain
    return columns, all_sizes, edges, chains


def _ordered(columns: list[list[str]], edges: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Sort each column by where its neighbours stand, there and back, so that few arrows cross."""
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for source, target in edges:
        before.setdefault(target, []).append(source)
        after.setdefault(source, []).append(target)
    ordered = [list(column) for column in columns]
    for number in range(PASSES):
        neighbours, way = (before, ordered) if number % 2 == 0 else (after, ordered[::-1])
        for fixed, column in itertools.pairwise(way):
            stands = {name: (index + 0.5) / len(fixed) for index, name in enumerate(fixed)}
            column.sort(key=_mean(column, neighbours, stands).__getitem__)
    return ordered


def _mean(
    column: Sequence[str], neighbours: Mapping[str, list[str]], stands: Mapping[str, float]
) -> dict[str, float]:
    means = {}
    for index, name in enumerate(column):
        near = [stands[other] for other in neighbours.get(name, []) if other in stands]
        means[name] = sum(near) / len(near) if near else (index + 0.5) / len(column)
    return means


def _coordinates(
    columns: Sequence[Sequence[str]], sizes: Mapping[str, Size], column_gap: float, row_gap: float
) -> dict[str, Place]:
    heights = [sum(sizes[name].height for name in column) + row_gap * (len(column) - 1) for column in columns]
    places: dict[str, Place] = {}
    x = 0.0
    for column, height in zip(columns, heights, strict=True):
        width = max(sizes[name].width for name in column)
        y = (max(heights) - height) / 2
        for name in column:
            places[name] = Place(x, y, width, sizes[name].height)
            y += sizes[name].height + row_gap
        x += width + column_gap
    return places
