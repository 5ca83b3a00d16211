"""Areas of a map: the hull of the places of a resource, and its name beside it, where it covers
neither another name nor a place.

Only + − × ÷ and square roots of IEEE 754 numbers in a fixed order: the same picture on every machine.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt

Point = tuple[float, float]
Rect = tuple[float, float, float, float]
"""Left, top, right, bottom."""

LETTER, LINE = 11.6, 23.0  # room for a letter and a line of a name, in units of the picture
_WIDEST = 20  # letters of a line
_MOST_LINES = 3
_PAD = 12.0  # around the places of an area
_DOT = 8.0  # half the side of what a place takes
_FAR = (0.0, 8.0, 18.0, 30.0, 46.0, 66.0, 92.0, 124.0, 160.0)  # distances of names that are tried
_NEAR = 24.0  # a name further away from all places of its area has a line to one


@dataclass(frozen=True)
class Name:
    """The name of an area: lines of text with their own baseline, and a line that leads to it."""

    x: float
    lines: tuple[tuple[float, str], ...]
    lead: tuple[Point, Point] | None = None


def hull(points: Sequence[Point]) -> list[Point]:
    """The corners of the convex hull, in order (the monotone chain of Andrew 1979).

    >>> hull([(0, 0), (2, 0), (1, 1), (2, 2), (0, 2)])
    [(0, 0), (2, 0), (2, 2), (0, 2)]
    """
    ordered = sorted(set(points))
    if len(ordered) < 3:
        return ordered
    return _chain(ordered)[:-1] + _chain(ordered[::-1])[:-1]


def _chain(ordered: Sequence[Point]) -> list[Point]:
    chain: list[Point] = []
    for point in ordered:
        while len(chain) > 1 and _turn(chain[-2], chain[-1], point) <= 0:
            chain.pop()
        chain.append(point)
    return chain


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def hull_path(points: Sequence[Point]) -> str:
    """The `d` of an SVG path around the points; a single point is a line without length, which
    round ends make a dot.

    >>> hull_path([(1.5, 2)]), hull_path([(0, 0), (4, 3)])
    ('M1.5 2h0Z', 'M0 0L4 3Z')
    """
    corners = hull(points)
    if len(corners) == 1:
        return f"M{corners[0][0]:g} {corners[0][1]:g}h0Z"
    return f"M{'L'.join(f'{x:g} {y:g}' for x, y in corners)}Z"


def place_names(
    areas: Sequence[tuple[str, Sequence[Point]]], dots: Sequence[Point], width: int, height: int
) -> list[Name | None]:
    """A place for the name of each area, those in a crowd first; None where there is no room."""
    placed = _Placed(areas, dots, width, height)
    order = sorted(range(len(areas)), key=lambda number: (-placed.crowd(number), number))
    for number in order:
        placed.place(number)
    return [placed.names.get(number) for number in range(len(areas))]


class _Placed:
    """Names that have their places, and what the next ones may not or should not cover."""

    def __init__(
        self,
        areas: Sequence[tuple[str, Sequence[Point]]],
        dots: Sequence[Point],
        width: int,
        height: int,
    ) -> None:
        self.areas, self.dots, self.width, self.height = areas, sorted(set(dots)), width, height
        self.edges = [list(_along(hull(points))) for _, points in areas]
        self.names: dict[int, Name] = {}
        self.taken: list[Rect] = []
        self.leads: list[Point] = []

    def crowd(self, number: int) -> int:
        """How many places of other areas are near."""
        left, top, right, bottom = _around(self.areas[number][1], 120.0)
        return sum(
            left < x < right and top < y < bottom
            for other, (_, points) in enumerate(self.areas)
            if other != number
            for x, y in points
        )

    def place(self, number: int) -> None:
        """Finds the best place for a name, if there is one."""
        text, points = self.areas[number]
        lines = textwrap.wrap(text, _WIDEST)[:_MOST_LINES]
        size = max(map(len, lines), default=0) * LETTER, len(lines) * LINE
        best: tuple[float, Rect] | None = None
        for far in _FAR:
            for rect in _candidates(_around(points, _PAD), size, far):
                if self._is_free(rect):
                    cost = far * 0.6 + self._covered(rect, number)
                    if best is None or cost < best[0]:
                        best = cost, rect
        if best is None or not lines:
            return
        rect = best[1]
        lead = _lead(rect, points) if _distance(rect, points) > _NEAR else None
        self.taken.append(rect)
        self.leads += _between(*lead) if lead else []
        baselines = tuple(
            (round(rect[1] + LINE * (row + 0.76), 1), line) for row, line in enumerate(lines)
        )
        self.names[number] = Name(round(rect[0], 1), baselines, lead)

    def _is_free(self, rect: Rect) -> bool:
        inside = rect[0] > 2 and rect[1] > 2 and rect[2] < self.width - 2
        return (
            inside
            and rect[3] < self.height - 2
            and not any(_overlap(rect, other) for other in self.taken)
        )

    def _covered(self, rect: Rect, number: int) -> float:
        """What a name would cover: places, lines to other names, the edges of other areas."""
        wide = rect[0] - _DOT, rect[1] - _DOT, rect[2] + _DOT, rect[3] + _DOT
        edges = sum(
            _count(rect, points) for other, points in enumerate(self.edges) if other != number
        )
        others = [
            spot
            for other, (_, points) in enumerate(self.areas)
            if other != number
            for spot in points
        ]
        own = _distance(rect, self.areas[number][1])
        strange = 30.0 if others and _distance(rect, others) < own else 0.0  # seems to be another's
        dots, leads = _count(wide, self.dots), _count(rect, self.leads)
        if own > _NEAR:
            line = _between(*_lead(rect, self.areas[number][1]))
            leads += sum(_count(other, line) for other in self.taken)
        return 60.0 * dots + 40.0 * leads + 8.0 * edges + strange + own * 0.3


def _around(points: Sequence[Point], margin: float) -> Rect:
    return (
        min(x for x, _ in points) - margin,
        min(y for _, y in points) - margin,
        max(x for x, _ in points) + margin,
        max(y for _, y in points) + margin,
    )


def _candidates(box: Rect, size: tuple[float, float], far: float) -> Iterator[Rect]:
    """Places for a rectangle around a box: right, left, above, below, then the corners."""
    left, top, right, bottom = box[0] - far, box[1] - far, box[2] + far, box[3] + far
    width, height = size
    middle, centre = (top + bottom - height) / 2, (left + right - width) / 2
    for x, y in (
        (right, middle),
        (left - width, middle),
        (centre, top - height),
        (centre, bottom),
        (right, top - height / 2),
        (right, bottom - height / 2),
        (left - width, top - height / 2),
        (left - width, bottom - height / 2),
    ):
        yield x, y, x + width, y + height


def _overlap(a: Rect, b: Rect) -> bool:
    return a[0] < b[2] + 4 and b[0] < a[2] + 4 and a[1] < b[3] + 2 and b[1] < a[3] + 2


def _count(rect: Rect, points: Sequence[Point]) -> int:
    left, top, right, bottom = rect
    return len([x for x, y in points if left < x < right and top < y < bottom])


def _lead(rect: Rect, points: Sequence[Point]) -> tuple[Point, Point]:
    """From the side of a name to the nearest place of its area."""

    place = min(sorted(points), key=lambda point: _square(rect, point))
    x, y = _nearest(rect, place)
    return (round(x, 1), round(y, 1)), place


def _nearest(rect: Rect, point: Point) -> Point:
    """The point of a rectangle that is nearest to another."""
    return min(max(point[0], rect[0]), rect[2]), min(max(point[1], rect[1]), rect[3])


def _square(rect: Rect, point: Point) -> float:
    left, top, right, bottom = rect
    x, y = point
    across = left - x if x < left else x - right if x > right else 0.0
    down = top - y if y < top else y - bottom if y > bottom else 0.0
    return across * across + down * down


def _distance(rect: Rect, points: Sequence[Point]) -> float:
    return sqrt(min(_square(rect, point) for point in points))


def _along(corners: Sequence[Point]) -> Iterator[Point]:
    """Points on the edges of a hull."""
    for number, corner in enumerate(corners):
        yield from _between(corner, corners[(number + 1) % len(corners)])


def _between(a: Point, b: Point, steps: int = 8) -> list[Point]:
    return [
        (a[0] + (b[0] - a[0]) * step / steps, a[1] + (b[1] - a[1]) * step / steps)
        for step in range(steps)
    ]
