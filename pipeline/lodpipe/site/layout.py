"""A picture of a network, laid out the same on every machine: only + − × ÷ and square roots of IEEE
754 numbers, in a fixed order.

Nodes that hang on one other node alone are placed around it; the rest finds its place by forces
(Fruchterman and Reingold 1991). The forces between all pairs of nodes cost the square of their
number, and a picture of thousands cannot be read: MOST bounds both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

MOST = 300  # nodes of a picture: those with the most neighbours
ROUNDS = 260
_NAME, _LINES, _GAP = 170.0, 46.0, 26.0  # room for a name of some lines, and between groups
Point = tuple[float, float]
# Sixteen directions, as fractions: sines from a library may differ in their last digit.
_TURN = (0.9238795325112867, 0.3826834323650898)


@dataclass(frozen=True)
class Laid:
    """Where nodes are, how far the ring around a node is, the size of the picture, and how many
    pairs of nodes were compared for it.
    """

    places: Mapping[str, Point]
    rings: Mapping[str, float]
    width: int
    height: int
    compared: int = 0


def lay_out(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> Laid:
    """Places for the nodes with the most neighbours, MOST at the most; edges between unknown nodes
    and doubled ones do not count.
    """
    names = frozenset(nodes)
    joined = sorted(
        {(min(a, b), max(a, b)) for a, b in edges if a != b and a in names and b in names}
    )
    known = most_linked(names, joined)
    existing = frozenset(known)
    joined = [(a, b) for a, b in joined if a in existing and b in existing]
    near: dict[str, list[str]] = {item: [] for item in known}
    for a, b in joined:
        near[a].append(b)
        near[b].append(a)
    return _packed([_group(group, near) for group in _groups(near)])


def most_linked(nodes: Iterable[str], edges: Iterable[tuple[str, str]]) -> list[str]:
    """The nodes of the picture in order; of those with equally many neighbours, the first by name.

    >>> len(most_linked(map(str, range(1000)), [("1", "2"), ("2", "3")])) == MOST
    True
    """
    degree = dict.fromkeys(nodes, 0)
    for edge in edges:
        for node in edge:
            degree[node] += 1
    return sorted(sorted(degree, key=lambda node: (-degree[node], node))[:MOST])


@dataclass(frozen=True)
class _Group:
    """Nodes that hang together: their places, the rings around them, and the box that they take."""

    places: dict[str, Point]
    rings: dict[str, float]
    width: float
    height: float
    compared: int


def _groups(near: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """The connected parts of a network, each in order."""
    groups: list[list[str]] = []
    seen: set[str] = set()
    for start in near:
        if start in seen:
            continue
        group, waiting = [], [start]
        seen.add(start)
        while waiting:
            node = waiting.pop()
            group.append(node)
            for other in near[node]:
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
        groups.append(sorted(group))
    return groups


def _group(nodes: Sequence[str], near: Mapping[str, Sequence[str]]) -> _Group:
    """The places of one connected part, from its own corner."""
    hubs = {
        node: near[node][0]
        for node in nodes
        if len(near[node]) == 1 and len(near[near[node][0]]) > 1
    }
    core = [node for node in nodes if node not in hubs]
    leaves: dict[str, list[str]] = {item: [] for item in core}
    for leaf, hub in hubs.items():
        leaves[hub].append(leaf)
    radius = {item: _ring(len(leaves[item])) for item in core}
    edges = sorted({(min(a, b), max(a, b)) for a in core for b in near[a] if b in leaves})
    places = _forces(core, edges, radius)
    for hub in core:
        places |= _around(places[hub], leaves[hub], radius[hub])
    left = min(
        min(places[item][0] - max(radius[item], _NAME / 2) for item in core),
        min(x for x, _ in places.values()),
    )
    right = max(
        max(places[item][0] + max(radius[item], _NAME / 2) for item in core),
        max(x for x, _ in places.values()),
    )
    top, bottom = min(y for _, y in places.values()), max(y for _, y in places.values()) + _LINES
    placed = {place: (x - left, y - top) for place, (x, y) in places.items()}
    rings = {item: far for item, far in radius.items() if far}
    return _Group(
        placed,
        rings,
        right - left,
        bottom - top,
        _rounds(len(core)) * len(core) * (len(core) - 1) // 2,
    )


def _packed(groups: list[_Group]) -> Laid:
    """Groups side by side in rows, the high ones first."""
    groups = sorted(groups, key=lambda item: (-item.height, sorted(item.places)))
    area = sum((item.width + _GAP) * (item.height + _GAP) for item in groups)
    limit = max([sqrt(area) * 1.25, *(item.width for item in groups)])
    places: dict[str, Point] = {}
    rings: dict[str, float] = {}
    x, y, high, widest = 0.0, 0.0, 0.0, 0.0
    for group in groups:
        if x > 0 and x + group.width > limit:
            x, y, high = 0.0, y + high + _GAP, 0.0
        for node, (nx, ny) in group.places.items():
            places[node] = (round(x + nx + _GAP, 1), round(y + ny + _GAP, 1))
        rings |= {node: round(far, 1) for node, far in group.rings.items()}
        x += group.width + _GAP
        high, widest = max(high, group.height), max(widest, x)
    return (
        Laid(
            places,
            rings,
            int(widest + _GAP),
            int(y + high + 2 * _GAP),
            sum(item.compared for item in groups),
        )
        if groups
        else Laid({}, {}, 0, 0)
    )


def _ring(count: int) -> float:
    """Distance of a ring of leaves from its hub."""
    return 0.0 if count == 0 else 34.0 + 3.0 * count


def _direction(number: int, count: int) -> Point:
    """A unit vector, `number` of `count` steps round, by halving turns and straight chords: no
    sine.
    """
    part = number * 16 / count
    whole = int(part)
    x, y = _on_sixteen(whole)
    nx, ny = _on_sixteen(whole + 1)
    rest = part - whole
    x, y = x + (nx - x) * rest, y + (ny - y) * rest
    length = sqrt(x * x + y * y)
    return x / length, y / length


def _on_sixteen(number: int) -> Point:
    x, y = 1.0, 0.0
    for _ in range(number % 16):
        x, y = x * _TURN[0] - y * _TURN[1], x * _TURN[1] + y * _TURN[0]
    return x, y


def _around(hub: Point, leaves: Sequence[str], radius: float) -> dict[str, Point]:
    places = {}
    for number, leaf in enumerate(leaves):
        x, y = _direction(number, len(leaves))
        places[leaf] = (hub[0] + x * radius, hub[1] + y * radius)
    return places


def _rounds(count: int) -> int:
    """How often the forces move a group of so many nodes."""
    return ROUNDS if count <= 150 else 60


def _forces(
    core: Sequence[str], edges: Sequence[tuple[str, str]], radius: Mapping[str, float]
) -> dict[str, Point]:
    count = len(core)
    number = {item: place for place, item in enumerate(core)}
    xs, ys = [0.0] * count, [0.0] * count
    for place in range(count):
        x, y = _direction(place * 7 % max(1, count), max(1, count))
        far = 120.0 + 300.0 * (place % 5) / 5
        xs[place], ys[place] = x * far, y * far
    pairs = [(number[a], number[b]) for a, b in edges]
    size = [radius[item] + 24.0 for item in core]
    heat = 60.0
    for _ in range(_rounds(count)):
        dx, dy = [0.0] * count, [0.0] * count
        for a in range(count):
            for b in range(a + 1, count):
                x, y = xs[a] - xs[b], ys[a] - ys[b]
                square = x * x + y * y + 0.01
                apart = size[a] + size[b]
                push = apart * apart * 1.1 / square
                dx[a] += x * push / 12
                dy[a] += y * push / 12
                dx[b] -= x * push / 12
                dy[b] -= y * push / 12
        for a, b in pairs:
            x, y = xs[a] - xs[b], ys[a] - ys[b]
            far = sqrt(x * x + y * y) + 0.01
            pull = (far - size[a] - size[b] - 30.0) / far / 4
            dx[a] -= x * pull
            dy[a] -= y * pull
            dx[b] += x * pull
            dy[b] += y * pull
        for a in range(count):
            dx[a] -= xs[a] * 0.03  # what hangs together with nothing stays near
            dy[a] -= ys[a] * 0.03
            step = sqrt(dx[a] * dx[a] + dy[a] * dy[a]) + 0.01
            scale = min(step, heat) / step
            xs[a] += dx[a] * scale
            ys[a] += dy[a] * scale
        heat = max(1.0, heat * 0.98)
    return {item: (xs[place], ys[place]) for item, place in number.items()}
