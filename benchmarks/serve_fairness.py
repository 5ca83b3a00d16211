"""Hostile clients beside ordinary ones: how many ordinary aggregates `lodpipe serve` answers.

    python benchmarks/serve_fairness.py FILE.nt        a register of 120,000 rows (generate.py, lodpipe map) has 0.9 million statements

Prints three rounds: one client alone; the same client beside four that keep queries without end
running, from addresses of their own and from its own address; eight clients at once. Clients connect
from addresses in 127.0.0.0/8, which Linux has on its loopback.
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode

from serve import JSON, Server, running

PRODUCT = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(?c != ?f) } # %s"
# Rows of a class, joined and grouped: some tenths of a second of processor time for 120,000 rows.
AGGREGATE = (
    "SELECT ?kind (COUNT(DISTINCT ?o) AS ?n) WHERE { ?o <http://www.w3.org/ns/org#classification> ?kind ; "
    "a <http://www.w3.org/ns/org#FormalOrganization> FILTER(STRLEN(STR(?o)) > %d) } GROUP BY ?kind"
)


def send(port: int, query: str, address: str) -> tuple[int, float, str]:
    """Status, seconds, and what Retry-After says."""
    started = time.perf_counter()
    connection = http.client.HTTPConnection(
        "127.0.0.1", port, timeout=60, source_address=(address, 0)
    )
    connection.request("GET", "/sparql?" + urlencode({"query": query}), headers={"Accept": JSON})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, time.perf_counter() - started, answer.headers.get("retry-after", "")


class Hostile(threading.Thread):
    """Keeps a query without end running."""

    def __init__(self, port: int, number: int, address: str) -> None:
        super().__init__(daemon=True)
        self.port, self.number, self.address = port, number, address
        self.ending = threading.Event()
        self.statuses: Counter[int] = Counter()

    def run(self) -> None:
        turn = 0
        while not self.ending.is_set():
            turn += 1
            status, passed, _ = send(self.port, PRODUCT % f"{self.number} {turn}", self.address)
            self.statuses[status] += 1
            if passed < 0.1:
                time.sleep(0.2)


def in_turn(port: int, count: int, first: int) -> list[tuple[int, float, str]]:
    """One client, one aggregate after the other, each another text."""
    return [send(port, AGGREGATE % (first + number), "127.0.0.9") for number in range(count)]


def at_once(port: int, clients: int, first: int) -> list[tuple[int, float, str]]:
    """Clients of their own addresses that ask one aggregate each at the same time."""
    answers: list[tuple[int, float, str]] = []
    threads = [
        threading.Thread(
            target=lambda number=number: answers.append(
                send(port, AGGREGATE % (first + number), f"127.0.1.{number + 1}")
            )
        )
        for number in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def row(name: str, answers: list[tuple[int, float, str]], hostile: Counter[int]) -> None:
    statuses = ", ".join(f"{status}: {n}" for status, n in Counter(a[0] for a in answers).items())
    times = sorted(answer[1] for answer in answers)
    others = ", ".join(f"{status}: {n}" for status, n in hostile.items())
    print(f"| {name} | {statuses} | {statistics.median(times):.1f} | {times[-1]:.1f} | {others} |")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--queries", type=int, default=20)
    options = parser.parse_args()
    program = ["lodpipe", "serve", options.file.absolute(), "-q", "--cache", "0MB", "--port"]
    server = Server("lodpipe serve", lambda port: [*program, str(port)], "/sparql")
    print("| ordinary queries | their statuses | median s | longest s | statuses of the hostile |")
    print("|---|---|---:|---:|---|")
    with (
        tempfile.TemporaryDirectory() as folder,
        running(server, Path(folder)) as (_, port),
    ):
        row("one client alone", in_turn(port, 5, 0), Counter())
        for first, name, addresses in (
            (
                100,
                "beside four hostile clients",
                [f"127.0.0.{number}" for number in (21, 22, 23, 24)],
            ),
            (200, "four hostile ones at the same address", ["127.0.0.9"] * 4),
        ):
            hostile = [Hostile(port, place, address) for place, address in enumerate(addresses)]
            for thread in hostile:
                thread.start()
            time.sleep(2)
            answers = in_turn(port, options.queries, first)
            for thread in hostile:
                thread.ending.set()
            for thread in hostile:
                thread.join(30)
            statuses: Counter[int] = sum((thread.statuses for thread in hostile), Counter())
            row(name, answers, statuses)
        row("eight clients at once", at_once(port, 8, 300), Counter())
        row("sixteen clients at once", at_once(port, 16, 400), Counter())


if __name__ == "__main__":
    main()
