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
_NAME, _LINES, _GAP = 206.0, 54.0, 26.0  # room for a name of some lines, and between groups
_AIR = 5.0  # around rings and names
_SHAPE = 1.5  # width of the picture by its height
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
    places = _separated(_forces(core, edges, radius), radius)
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
    top = min(y for _, y in places.values())
    bottom = _LINES + max(
        max(y for _, y in places.values()), max(places[item][1] + radius[item] for item in core)
    )
    placed = {place: (x - left, y - top) for place, (x, y) in places.items()}
    rings = {item: far for item, far in radius.items() if far}
    return _Group(
        placed,
        rings,
        right - left,
        bottom - top,
        _rounds(len(core)) * len(core) * (len(core) - 1),  # by forces, and to free the names
    )


def _packed(groups: list[_Group]) -> Laid:
    """Groups in a picture that is half again as wide as high: the high ones first, each as far up
    as there is room, then to the left.
    """
    if not groups:
        return Laid({}, {}, 0, 0)
    groups = sorted(groups, key=lambda item: (-item.height, sorted(item.places)))
    area = sum((item.width + _GAP) * (item.height + _GAP) for item in groups)
    limit = max([sqrt(area * _SHAPE), *(item.width + _GAP for item in groups)])
    places: dict[str, Point] = {}
    rings: dict[str, float] = {}
    skyline = [(0.0, limit, 0.0)]  # left, right, and what is taken from above
    widest, lowest = 0.0, 0.0
    for group in groups:
        wide = group.width + _GAP
        x, y = min(
            ((left, _taken(skyline, left, left + wide)) for left, _, _ in skyline),
            key=lambda spot: (spot[0] + wide > limit + 0.1, spot[1], spot[0]),
        )
        for node, (nx, ny) in group.places.items():
            places[node] = (round(x + nx + _GAP, 1), round(y + ny + _GAP, 1))
        rings |= {node: round(far, 1) for node, far in group.rings.items()}
        bottom = y + group.height + _GAP
        skyline = sorted(
            [*_outside(skyline, x, x + wide), (x, x + wide, bottom)], key=lambda part: part[0]
        )
        widest, lowest = max(widest, x + wide), max(lowest, bottom)
    compared = sum(item.compared for item in groups)
    return Laid(places, rings, int(widest + _GAP), int(lowest + _GAP), compared)


_Part = tuple[float, float, float]


def _taken(skyline: Sequence[_Part], left: float, right: float) -> float:
    """How far down everything between two sides is taken."""
    return max(down for start, end, down in skyline if start < right and left < end)


def _outside(skyline: Sequence[_Part], left: float, right: float) -> list[_Part]:
    """The parts of a skyline, without what is between two sides."""
    parts = []
    for start, end, down in skyline:
        if start < left:
            parts.append((start, min(end, left), down))
        if end > right:
            parts.append((max(start, right), end, down))
    return parts


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
    """How often a group of so many nodes is moved, by forces and to free the names."""
    return ROUNDS if count <= 150 else 60


def _separated(places: dict[str, Point], radius: Mapping[str, float]) -> dict[str, Point]:
    """The same places, moved apart until no ring or name covers another: of two that do, each goes
    half of the way, in the direction in which it is shorter.
    """
    names = list(places)
    xs, ys = [places[item][0] for item in names], [places[item][1] for item in names]
    wide = [max(radius[item], _NAME / 2) + _AIR for item in names]
    above = [radius[item] + _AIR for item in names]
    below = [radius[item] + _LINES + 2 * _AIR for item in names]
    for _ in range(_rounds(len(names))):
        moved = False
        for a in range(len(names)):
            for b in range(a + 1, len(names)):
                x = wide[a] + wide[b] - abs(xs[a] - xs[b])
                upper, lower = (a, b) if (ys[a], a) < (ys[b], b) else (b, a)
                y = ys[upper] + below[upper] - (ys[lower] - above[lower])
                if x <= 0.5 or y <= 0.5:
                    continue
                moved = True
                if x < y:
                    left, right = (a, b) if (xs[a], a) < (xs[b], b) else (b, a)
                    xs[left] -= x / 2
                    xs[right] += x / 2
                else:
                    ys[upper] -= y / 2
                    ys[lower] += y / 2
        if not moved:
            break
    return {item: (xs[place], ys[place]) for place, item in enumerate(names)}


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
