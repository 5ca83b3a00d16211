"""Areas of the map: hulls hold their places, and names cover neither each other nor the border of
the picture, whatever the places are.
"""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from lodpipe.site.map_areas import LETTER, LINE, Name, hull, place_names

WIDTH, HEIGHT = 600, 800
Areas = list[tuple[str, list[tuple[float, float]]]]


def areas(count: int, spread: float, seed: int) -> Areas:
    """Areas of one to six places, around a centre each."""
    chance = random.Random(seed)
    drawn = []
    for number in range(count):
        x, y = chance.uniform(0, WIDTH), chance.uniform(0, HEIGHT)
        places = [
            (
                round(min(max(x + chance.uniform(-spread, spread), 0), WIDTH), 1),
                round(min(max(y + chance.uniform(-spread, spread), 0), HEIGHT), 1),
            )
            for _ in range(chance.randrange(1, 7))
        ]
        drawn.append((f"Bad {'Überlingen ' * chance.randrange(1, 3)}{number}", places))
    return drawn


def box(name: Name) -> tuple[float, float, float, float]:
    widest = max(len(line) for _, line in name.lines) * LETTER
    top, bottom = name.lines[0][0] - LINE * 0.76, name.lines[-1][0] + LINE * 0.24
    return name.x, top, name.x + widest, bottom


@pytest.mark.parametrize("count", [1, 13, 60])
@pytest.mark.parametrize("spread", [0, 30, 200])
def test_names_touch_neither_each_other_nor_the_border(count: int, spread: float) -> None:
    for seed in range(5):
        drawn = areas(count, spread, seed)
        names = place_names(drawn, [spot for _, spots in drawn for spot in spots], WIDTH, HEIGHT)
        if seed == 0:
            again = [spot for _, spots in drawn for spot in spots]
            assert names == place_names(drawn, again, WIDTH, HEIGHT)
        boxes = [box(name) for name in names if name]
        assert len(boxes) >= min(count, 10)
        assert all(a >= 0 and b >= 0 and c <= WIDTH and d <= HEIGHT + 0.1 for a, b, c, d in boxes)
        assert not [
            (a, b)
            for a, b in combinations(boxes, 2)
            if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
        ]


def test_a_hull_holds_its_places_in_any_order() -> None:
    for _, places in areas(40, 100, 1):
        corners = hull(places)
        assert set(corners) <= set(places) and hull(places[::-1]) == corners
        for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
            assert len(corners) < 3 or all(
                (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= -1e-6 for x, y in places
            )


def test_a_name_without_letters_has_no_place() -> None:
    assert place_names([("", [(10.0, 10.0)])], [], WIDTH, HEIGHT) == [None]
