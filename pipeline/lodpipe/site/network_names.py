"""Names in the picture of a network: below their nodes, or where a line would run through them, above or
beside, so that each can be read.

Only + − × ÷ of IEEE 754 numbers in a fixed order: the same picture on every machine.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lodpipe.site.map_areas import Point, Rect

LETTER, LINE = 8.6, 15.0  # room for a letter (of a wide font) and a line, in units of the picture
_WIDTHS = (26, 17)  # letters of a line
_MOST_LINES = 3
_RISE, _FALL = 12.0, 4.0  # of letters above and below their line
_DOT = 6.0  # half the side of what a node takes
_SHIFTS = (0.0, -0.5, 0.5)  # of a name above or below, in its own widths
_FARTHER = (0.0, 14.0, 30.0)
_MANY = 150  # nodes of which names stay close: in a crowd a distant one seems to be another's


@dataclass(frozen=True)
class Name:
    """Lines of text around their middle, each with its own baseline."""

    x: float
    lines: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Network:
    """Where nodes are, how far what is around them reaches, the lines between them, and the size of
    the picture.
    """

    places: Mapping[str, Point]
    rings: Mapping[str, float]
    edges: Sequence[tuple[str, str]]
    width: float
    height: float

    def names(self, texts: Mapping[str, str]) -> dict[str, Name]:
        """The names of nodes: first those that have a free place below."""
        placing = _Placing(self)
        waiting = [node for node in texts if not placing.put(node, texts[node], only_free=True)]
        for node in waiting:
            placing.put(node, texts[node])
        return placing.names


@dataclass
class _Placing:
    network: Network
    names: dict[str, Name] = field(default_factory=dict)
    _taken: list[Rect] = field(default_factory=list)

    def __post_init__(self) -> None:
        places = self.network.places
        self._close: dict[str, tuple[list[tuple[Point, Point]], list[Point]]] = {}
        self._lines = [(places[a], places[b]) for a, b in self.network.edges]

    def put(self, node: str, text: str, *, only_free: bool = False) -> bool:
        """Puts a name where it covers least; `only_free`: below, where it covers nothing, or not."""
        near = self._near(node)
        best: tuple[int, Name, Rect] | None = None
        for number, (name, rect) in enumerate(self._candidates(node, text)):
            if only_free and number:
                break
            if not self._is_free(rect):
                continue
            cost = self._covered(rect, near)
            if best is None or cost < best[0]:
                best = cost, name, rect
            if not cost:
                break
        if only_free and (best is None or best[0]):
            return False
        if best is None:
            name, rect = next(self._candidates(node, text))
            best = 0, name, rect
        self.names[node] = best[1]
        self._taken.append(best[2])
        return True

    def _candidates(self, node: str, text: str) -> Iterator[tuple[Name, Rect]]:
        """Places for a name, the usual one first."""
        x, y = self.network.places[node]
        reach = self.network.rings.get(node, 0.0)
        crowded = len(self.network.places) > _MANY
        for far in _FARTHER[:1] if crowded else _FARTHER:
            for letters in _WIDTHS:
                lines = textwrap.wrap(text, letters)
                if letters != _WIDTHS[0] and len(lines) > _MOST_LINES:
                    continue
                lines = lines[:_MOST_LINES]
                width = LETTER * max(map(len, lines), default=1)
                high = LINE * (len(lines) - 1)
                side = reach + 14 + far + width / 2
                middle = y - high / 2 + 5
                below, above = y + reach + 20 + far, y - reach - 13 - far - high
                spots = [
                    *((x + shift * width, below) for shift in _SHIFTS),
                    *((x + shift * width, above) for shift in _SHIFTS),
                    (x + side, middle),
                    (x - side, middle),
                ]
                for centre, first in spots:
                    baselines = tuple(
                        (round(first + LINE * row, 1), line) for row, line in enumerate(lines)
                    )
                    rect = (
                        centre - width / 2,
                        first - _RISE,
                        centre + width / 2,
                        first + high + _FALL,
                    )
                    yield Name(round(centre, 1), baselines), rect

    def _is_free(self, rect: Rect) -> bool:
        left, top, right, bottom = rect
        inside = left > 0 and top > 0
        return (
            inside
            and right < self.network.width
            and bottom < self.network.height
            and not any(
                left < other[2] + 4
                and other[0] < right + 4
                and top < other[3] + 2
                and other[1] < bottom + 2
                for other in self._taken
            )
        )

    def _near(self, node: str) -> tuple[list[tuple[Point, Point]], list[Point]]:
        """The lines and nodes that a name of a node could cover."""
        if node in self._close:
            return self._close[node]
        x, y = self.network.places[node]
        reach = self.network.rings.get(node, 0.0) + LETTER * _WIDTHS[0] + _FARTHER[-1] + 30
        box = x - reach, y - reach, x + reach, y + reach
        dots = [place for place in self.network.places.values() if _is_in(box, place)]
        self._close[node] = [line for line in self._lines if crosses(box, *line)], dots
        return self._close[node]

    @staticmethod
    def _covered(rect: Rect, near: tuple[list[tuple[Point, Point]], list[Point]]) -> int:
        lines, dots = near
        wide = rect[0] - _DOT, rect[1] - _DOT, rect[2] + _DOT, rect[3] + _DOT
        return sum(crosses(rect, a, b) for a, b in lines) + 3 * sum(
            _is_in(wide, dot) for dot in dots
        )


def _is_in(rect: Rect, point: Point) -> bool:
    return rect[0] < point[0] < rect[2] and rect[1] < point[1] < rect[3]


def crosses(rect: Rect, a: Point, b: Point) -> bool:
    """Whether a line between two points passes a rectangle (Liang and Barsky).

    >>> crosses((0, 0, 10, 10), (-5, 5), (15, 5)), crosses((0, 0, 10, 10), (-5, 0), (0, 15))
    (True, False)
    """
    first, last = 0.0, 1.0
    for axis in (0, 1):
        step, least, most = b[axis] - a[axis], rect[axis], rect[axis + 2]
        if step == 0:
            if not least < a[axis] < most:
                return False
            continue
        enters, leaves = (least - a[axis]) / step, (most - a[axis]) / step
        first = max(first, min(enters, leaves))
        last = min(last, max(enters, leaves))
    return first < last
