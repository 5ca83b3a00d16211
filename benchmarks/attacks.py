"""Attacks and random requests against `lodpipe serve` and `lodpipe mcp --http`, in full:

    python benchmarks/attacks.py [--project DIR] [--fuzz 300] [--seed 1] [--only NAME ...]

Prints each attack with what is wrong afterwards, then the statuses of the random requests, the most
memory of all processes together, and what is wrong in the log. Ends with 1 where anything is wrong.
Everything goes to the loopback interface.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.pop(0)  # this file's folder: its names would hide packages
sys.path.append(str(Path(__file__).parent.parent / "tests"))

from serve_attacks import ALL, Attack
from serve_fuzz import KINDS, Report, fuzz_for
from serving import Served, descendants, serving
from support import PROGRAM

OPTIONS = ("--timeout", 3, "--client-timeout", 3, "--memory", "500MB", "--max-result", "5MB")
LIMIT = 15.0  # seconds after which an answer of the fuzzed server is late


class Memory(threading.Thread):
    """The most memory (proportional set size, MB) of a process and its children, once a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.most, self.ending = pid, 0.0, threading.Event()

    def run(self) -> None:
        while not self.ending.wait(1):
            self.most = max(self.most, sum(map(_memory, [self.pid, *descendants(self.pid)])))


def _memory(pid: int) -> float:
    with contextlib.suppress(OSError):
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        if match := re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE):
            return int(match[1]) / 1000
    return 0.0


def attack(server: Served, attacks: tuple[Attack, ...]) -> int:
    """Runs the attacks; how many were not withstood."""
    failed = 0
    for function in attacks:
        started = time.monotonic()
        wrong = function(server)
        failed += bool(wrong)
        print(f"{function.__name__}: {'withstood' if not wrong else 'NOT WITHSTOOD'}, {time.monotonic() - started:.0f} s", flush=True)  # fmt: skip
        for complaint in wrong[:20]:
            print(f"    {complaint}")
    return failed


def invalid_lines(log: Path) -> list[str]:
    """The lines of a log that are no JSON, but for the one that says where the server listens."""
    wrong = []
    for line in log.read_text("utf-8", "replace").splitlines():
        try:
            json.loads(line)
        except ValueError:
            wrong += [] if line.startswith("serving http://") else [line[:200]]
    return wrong


def fuzz(port: int, pid: int, kinds: tuple[str, ...], options: argparse.Namespace) -> Report:
    """Random requests for so long, with what they cost."""
    memory, before = Memory(pid), len(descendants(pid))
    memory.start()
    report = fuzz_for(port, kinds, seconds=options.fuzz, seed=options.seed, clients=8, limit=LIMIT)
    time.sleep(5)
    memory.ending.set()
    statuses = ", ".join(f"{status}: {n}" for status, n in sorted(report.statuses.items()))
    print(f"{', '.join(sorted(set(kinds)))}: {sum(report.statuses.values())} requests ({statuses})")
    print(f"    slowest {report.slowest:.1f} s, most memory {memory.most:.0f} MB, {len(descendants(pid))} processes ({before} before)")  # fmt: skip
    for complaint in report.wrong[:20]:
        print(f"    {complaint}")
    return report


@contextlib.contextmanager
def agents(project: Path) -> Iterator[tuple[int, int]]:
    """Port and process of `lodpipe mcp --http`."""
    command = [
        *PROGRAM,
        "mcp",
        "--http",
        "--port",
        "0",
        "--project",
        str(project),
        "--timeout",
        "3",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # fmt: skip
    assert process.stdout
    try:
        while not (match := re.search(r"http://127\.0\.0\.1:(\d+)/", process.stdout.readline())):
            assert process.poll() is None
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield int(match[1]), process.pid
    finally:
        process.terminate()
        process.wait(30)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--project", type=Path, default=Path(__file__).parent.parent)
    parser.add_argument("--fuzz", type=float, default=300, help="seconds of random requests")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", help="names of attacks")
    options = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        log = Path(name) / "log"
        if options.fuzz:
            with serving(options.project, log, *OPTIONS) as server:
                failed += len(fuzz(server.port, server.process.pid, KINDS, options).wrong)
                failed += len(invalid_lines(log))
            with agents(options.project) as (port, pid):
                failed += len(fuzz(port, pid, ("mcp",), options).wrong)
        chosen = tuple(item for item in ALL if not options.only or item.__name__ in options.only)
        with serving(options.project, log, *OPTIONS) as server:
            failed += attack(server, chosen)
        for line in invalid_lines(log):
            failed += 1
            print(f"no JSON in the log: {line}")
    print("all withstood" if not failed else f"{failed} complaints")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
