"""Queries that would take all time or memory: each is stopped at its bounds, and the others notice
nothing.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serving import Answer, Served, cases, descendants, filled, serving, until

CASES = cases("hostile.yaml")
SECONDS, MEMORY, PROCESSES = 0.5, 300_000_000, 3
LIMITS = (
    "--timeout",
    SECONDS,
    "--memory",
    "300MB",
    "--max-result",
    "5MB",
    "--processes",
    PROCESSES,
)


@pytest.fixture(scope="module")
def served(publication: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(publication, tmp_path_factory.mktemp("hostile") / "log", *LIMITS) as server:
        yield server


def text_of(case: dict[str, Any]) -> str:
    return case["query"] if "query" in case else filled(case["repeat"])


def workers(server: Served) -> list[int]:
    (holder,) = [pid for pid in descendants(server.process.pid) if descendants(pid)]
    return descendants(holder)


def limits(pid: int) -> dict[str, str]:
    """The bounds that the system holds a process to: name and hard limit."""
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]
    return {line[:26].strip(): line[47:68].strip() for line in lines}


def memory(pid: int) -> int:
    """The most memory of its own (bytes) that a process had; 0 where it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(
        int(line.split()[1]) * 1024 for line in lines if line.startswith(("RssAnon:", "VmSwap:"))
    )


class Watch(threading.Thread):
    """Asks simple questions all the time, and looks at the memory of every worker."""

    def __init__(self, server: Served) -> None:
        super().__init__(daemon=True)
        self.server, self.ending = server, threading.Event()
        self.wrong: list[Answer] = []
        self.queries, self.slowest, self.largest = 0, 0.0, 0

    def run(self) -> None:
        while not self.ending.wait(0.02):
            started = time.monotonic()
            answer = self.server.query(
                f"SELECT ({self.queries} AS ?n) {{ ?s ?p ?o }} LIMIT 1"
            )  # another text each time: nothing comes from the cache
            self.slowest = max(self.slowest, time.monotonic() - started)
            if answer.status != 200 or answer.rows() != [(str(self.queries),)]:
                self.wrong.append(answer)
            self.queries += 1
            self.largest = max(
                self.largest, *(memory(pid) for pid in descendants(self.server.process.pid))
            )


@pytest.mark.skipif(sys.platform != "linux", reason="memory of processes is read from /proc")
def test_every_hostile_query_is_stopped_and_others_are_answered(served: Served) -> None:
    print(f"{len(CASES)} cases")
    assert len(CASES) >= 50
    before = max(memory(pid) for pid in workers(served))
    watch = Watch(served)
    watch.start()
    wrong, ends = [], {}
    for case in CASES:
        started = time.monotonic()
        answer = served.query(text_of(case), "text/csv, text/turtle", post=True)
        passed = time.monotonic() - started
        ends[answer.status] = ends.get(answer.status, 0) + 1
        if answer.status not in case["status"] or passed > SECONDS + 1 or not answer.body:
            wrong.append((case["case"], answer.status, round(passed, 2), answer.body[:150]))
    watch.ending.set()
    watch.join()
    print(
        ends,
        f"{watch.queries} simple queries meanwhile, slowest {watch.slowest:.2f} s, largest worker {watch.largest / 1e6:.0f} MB",
    )
    assert not wrong, "\n".join(map(str, wrong))
    assert watch.wrong == []
    assert watch.queries > len(CASES)
    assert watch.largest < before + MEMORY + 50_000_000
    until(
        lambda: served.health()["free"] == PROCESSES,
        seconds=5,
        what="as many workers as before are ready",
    )
    until(lambda: len(workers(served)) == PROCESSES, seconds=5, what="no others are left")
    assert not [line for line in served.lines() if line["status"] == 500]
    assert served.metrics()["lodpipe_workers_replaced"] >= ends[504]


def test_hostile_queries_all_at_once_leave_the_server_whole(served: Served) -> None:
    """Three times as many as there are processes: they are stopped or turned away with 503, and
    afterwards all is well.
    """
    answers: list[Answer] = []
    text = text_of(CASES[0])

    def send(number: int) -> None:
        answers.append(served.query(f"{text} LIMIT {number}", post=True))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(3 * PROCESSES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(answers) == 3 * PROCESSES
    assert {answer.status for answer in answers} <= {503, 504}
    assert all(
        int(answer.headers["retry-after"]) >= 1 for answer in answers if answer.status == 503
    )
    assert served.query("ASK {}").status == 200
    until(
        lambda: served.health()["free"] == PROCESSES, seconds=5, what="all workers are free again"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="limits of processes are read from /proc")
def test_a_worker_is_bounded_by_the_system(served: Served) -> None:
    assert served.query("ASK {}").status == 200
    for pid in workers(served):
        bounds = limits(pid)
        assert bounds["Max open files"] == "0"
        assert bounds["Max core file size"] == "0"
        assert int(bounds["Max address space"]) < 10_000_000_000
        assert [
            path.resolve().name
            for path in Path(f"/proc/{pid}/fd").iterdir()
            if path.resolve().is_file()
        ] == []


@pytest.mark.skipif(sys.platform != "linux", reason="the bounds are Linux's")
@pytest.mark.parametrize(
    ("attempt", "raised"),
    [
        ("open('/etc/passwd')", "OSError"), ("open('/tmp/written', 'w')", "OSError"), ("socket.socket()", "OSError"), ("os.pipe()", "OSError"),
        ("os.dup(0)", "OSError"), ("subprocess.run(['true'])", "OSError"), ("bytearray(200_000_000)", "MemoryError"),
    ],
)  # fmt: skip
def test_a_confined_process_can_open_nothing(attempt: str, raised: str) -> None:
    """What a worker calls on itself before its first query, tried from inside."""
    script = (
        f"import os, socket, subprocess\nfrom lodpipe.queries.worker import confine\nconfine(100_000_000)\n"
        f"try:\n    {attempt}\nexcept {raised} as error:\n    print('refused')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=False
    )
    assert done.stdout == "refused\n", done.stderr
