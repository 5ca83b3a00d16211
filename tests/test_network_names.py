"""Names in the picture of a network: below their nodes where that is free, else where no line runs."""

from __future__ import annotations

from itertools import combinations

from lodpipe.site.network_names import LETTER, LINE, Name, Network, crosses

HUB = {"hub": (200.0, 200.0)}


def rect(name: Name) -> tuple[float, float, float, float]:
    half = LETTER * max(len(line) for _, line in name.lines) / 2
    baselines = [y for y, _ in name.lines]
    return name.x - half, baselines[0] - 12, name.x + half, baselines[-1] + 4


def test_a_name_is_below_its_node() -> None:
    names = Network(HUB, {"hub": 40.0}, [], 400, 400).names({"hub": "Laboratory"})
    assert names == {"hub": Name(200.0, ((260.0, "Laboratory"),))}


def test_a_line_from_below_sends_a_name_elsewhere() -> None:
    places = {**HUB, "south": (200.0, 390.0)}
    edges = [("hub", "south")]
    for texts in ({"hub": "Laboratory"}, {"hub": "A laboratory with a name of several lines"}):
        (name,) = Network(places, {"hub": 40.0}, edges, 400, 400).names(texts).values()
        assert not crosses(rect(name), *places.values())
        assert " ".join(line for _, line in name.lines) == texts["hub"]


def test_names_stay_in_the_picture_and_apart() -> None:
    """Where lines run everywhere, a name may be crossed, but it is there."""
    places = {f"n{x}{y}": (60.0 + 120 * x, 40.0 + 90 * y) for x in range(4) for y in range(4)}
    edges = list(combinations(places, 2))
    names = Network(places, {}, edges, 480, 380).names(dict.fromkeys(places, "A node"))
    assert set(names) == set(places)
    for a, b in combinations(map(rect, names.values()), 2):
        assert a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3]
    for left, top, right, bottom in map(rect, names.values()):
        assert left > 0 and top > 0 and right < 480 and bottom < 380 + LINE
