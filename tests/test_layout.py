"""The picture of a network: bounded work whatever its size, the same on every machine, and nodes
apart from each other.
"""

from __future__ import annotations

import hashlib
import random
from itertools import combinations

import pytest

from lodpipe.site.layout import MOST, Laid, lay_out

MOST_COMPARED = 6_000_000  # pairs: two groups of 150 nodes, moved 260 times


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
        (web(60), "60b3f0a0de55a18a"), pytest.param(web(400), "a55955900ec25dde", marks=pytest.mark.slow), (web(2_000), "96ddbb4bd4dc8931"),
        pytest.param(web(50_000), "46eb63139e6cae07", marks=pytest.mark.slow), (star(50_000), "501d709fe7e14b6d"),
        (([str(number) for number in range(50_000)], []), "474324306f908eda"),
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


def test_nodes_of_the_largest_picture_are_apart() -> None:
    laid = lay_out(*web(2_000))
    close = sum(
        abs(a - x) + abs(b - y) < 10 for (a, b), (x, y) in combinations(laid.places.values(), 2)
    )
    assert close <= len(laid.places) * 0.05
    assert all(0 <= x <= laid.width and 0 <= y <= laid.height for x, y in laid.places.values())
