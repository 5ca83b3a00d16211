"""The picture of a network: bounded work whatever its size, the same on every machine, and nodes
apart from each other.
"""

from __future__ import annotations

import hashlib
import random
from itertools import combinations

import pytest

from lodpipe.site.layout import MOST, Laid, lay_out

MOST_COMPARED = 12_000_000  # pairs: two groups of 150 nodes, moved 260 times, and names freed


def web(count: int) -> tuple[list[str], list[tuple[str, str]]]:
    """Nodes that have several neighbours each: the costly ones."""
    chance = random.Random(count)
    names = [f"node {number}" for number in range(count)]
    edges = [(name, names[chance.randrange(count)]) for name in names for _ in range(3)]
    return names, edges


def star(count: int) -> tuple[list[str], list[tuple[str, str]]]:
    return [str(number) for number in range(count)], [
        ("0", str(number)) for number in range(1, count)
    ]


def digest(laid: Laid) -> str:
    listed = [f"{name} {x} {y}" for name, (x, y) in sorted(laid.places.items())]
    return hashlib.sha256("\n".join(listed).encode()).hexdigest()[:16]


@pytest.mark.parametrize(
    ("network", "places"),
    [
        (web(60), "3dc4cf8afa1eb5a5"), pytest.param(web(400), "3b9434db9aa65811", marks=pytest.mark.slow), (web(2_000), "362b8ee81840481e"),
        pytest.param(web(50_000), "ad56214c4704cd6a", marks=pytest.mark.slow), (star(50_000), "501d709fe7e14b6d"),
        (([str(number) for number in range(50_000)], []), "bf849f8667afaaf6"),
    ],
    ids=["60", "400", "2,000", "50,000", "a hub with 49,999 others", "50,000 alone"],
)  # fmt: skip
def test_work_is_bounded_and_places_are_the_same_on_every_machine(
    network: tuple[list[str], list[tuple[str, str]]], places: str
) -> None:
    names, edges = network
    laid = lay_out(names, edges)
    assert len(laid.places) == min(len(names), MOST)
    assert laid.compared <= MOST_COMPARED
    assert digest(laid) == places
    assert digest(lay_out(names[::-1], edges[::-1])) == places


def test_the_most_linked_nodes_are_shown() -> None:
    names, edges = star(2_000)
    edges += [("1", "2"), ("1", "1999")]
    assert {"0", "1", "2", "1999"} <= lay_out(names, edges).places.keys()


@pytest.mark.parametrize("network", [web(60), web(2_000)], ids=["60", "2,000"])
def test_no_name_touches_another(network: tuple[list[str], list[tuple[str, str]]]) -> None:
    laid = lay_out(*network)
    degree = dict.fromkeys(laid.places, 0)
    for edge in {(min(edge), max(edge)) for edge in network[1] if edge[0] != edge[1]}:
        if degree.keys() >= set(edge):
            degree |= {node: degree[node] + 1 for node in edge}
    names = [  # three lines of 26 letters below the ring, as on the start page
        (x - 103, y + laid.rings.get(node, 0.0), x + 103, y + laid.rings.get(node, 0.0) + 54)
        for node, (x, y) in laid.places.items()
        if degree[node] != 1
    ]
    assert len(names) > 30
    assert [
        (a, b)
        for a, b in combinations(names, 2)
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ] == []


def test_nodes_of_the_largest_picture_are_apart() -> None:
    laid = lay_out(*web(2_000))
    close = sum(
        abs(a - x) + abs(b - y) < 10 for (a, b), (x, y) in combinations(laid.places.values(), 2)
    )
    assert close <= len(laid.places) * 0.05
    assert all(0 <= x <= laid.width and 0 <= y <= laid.height for x, y in laid.places.values())
