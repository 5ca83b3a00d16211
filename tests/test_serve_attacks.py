"""A small part of `benchmarks/attacks.py`: random requests from a seed, and attacks that no other
test has.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import serve_attacks
from serve_fuzz import KINDS, Requests, fuzz_for, queries
from serving import Served, serving, until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(publication: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    log = tmp_path_factory.mktemp("attacks") / "log"
    with serving(publication, log, "--timeout", 2, "--client-timeout", 1) as server:
        yield server


def test_random_requests_are_answered_with_reasons(served: Served) -> None:
    processes = len(served.processes())
    report = fuzz_for(served.port, KINDS, seconds=6, seed=20, clients=4, limit=15)
    print(f"{sum(report.statuses.values())} requests: {dict(report.statuses)}")
    assert not report.wrong, "\n".join(report.wrong)
    assert {200, 303, 400, 403, 404, 406} <= report.statuses.keys()
    assert serve_attacks.is_well(served) == []
    until(
        lambda: len(served.processes()) == processes,
        seconds=20,
        what="as many processes as before",
    )
    served.lines()  # each is JSON


def test_a_seed_gives_the_same_requests() -> None:
    first, second = (Requests(5, queries(), (*KINDS, "mcp")) for _ in range(2))
    sent = [first.next() for _ in range(200)]
    assert sent == [second.next() for _ in range(200)]
    assert len({request.data for request in sent}) > 150
    assert any(b"/mcp" in request.data and _is_json(request.data) for request in sent)


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data.partition(b"\r\n\r\n")[2])
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    "attack",
    [
        serve_attacks.forged_requests,
        serve_attacks.smuggled_requests,
        serve_attacks.killed_workers,
        serve_attacks.stopped_worker,
        serve_attacks.killed_holder,
    ],
    ids=lambda attack: attack.__name__,
)
def test_an_attack_is_withstood(attack: serve_attacks.Attack, served: Served) -> None:
    assert attack(served) == []
