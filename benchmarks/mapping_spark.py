"""Mappings on Apache Spark beside one machine: whole commands, and their output compared by its bytes.

    python benchmarks/mapping_spark.py [--rows 20000 1000000] [--runs 3] [--cluster] [--json FILE]

The register is `organisations` of mapping.py. Processor time is that of the whole process tree,
looked at ten times a second, and of it that of Java; memory is the largest sum of all its processes
at once. `--cluster` adds a standalone cluster of three workers on this machine.
"""

from __future__ import annotations

import argparse
import contextlib
import filecmp
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from generate import generate
from msgspec import Struct
from msgspec.structs import asdict
from spark_cluster import SparkCluster

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_MAPPING = Path(__file__).parent / "mappings/organisations.rml.ttl"


class Figures(Struct):
    """Seconds of the clock, of all processors, and of Java's, and MiB."""

    wall: float
    cpu: float
    java: float
    memory: float


class Process(Struct):
    """A process with its processor seconds and bytes of memory."""

    parent: int
    is_java: bool
    seconds: float
    memory: int


def processes() -> dict[int, Process]:
    """All processes of this machine."""
    table = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):  # it has ended
                name, _, rest = (folder / "stat").read_text().rpartition(")")
                fields = rest.split()
                seconds = (int(fields[11]) + int(fields[12])) / _TICKS
                memory = int(fields[21]) * _PAGE
                is_java = name.endswith("(java")
                table[int(folder.name)] = Process(int(fields[1]), is_java, seconds, memory)
    return table


def tree(roots: list[int]) -> dict[int, Process]:
    """Processes and all below them."""
    table = processes()
    members = {root for root in roots if root in table}
    while more := {pid for pid, item in table.items() if item.parent in members} - members:
        members |= more
    return {pid: table[pid] for pid in members}


def measured(command: list[str], others: list[int], environment: dict[str, str]) -> Figures:
    """Runs a command; `others` are processes that work for it (the workers of a cluster)."""
    before = tree(others)
    last: dict[int, Process] = {}
    memory, start = 0, time.perf_counter()
    process = subprocess.Popen(command, env=os.environ | environment)
    while process.poll() is None:
        now = tree([process.pid, *others])
        last |= now
        memory = max(memory, sum(item.memory for item in now.values()))
        time.sleep(0.1)
    wall = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    spent = {
        pid: item.seconds - (before[pid].seconds if pid in before else 0)
        for pid, item in last.items()
    }
    java = sum(seconds for pid, seconds in spent.items() if last[pid].is_java)
    return Figures(wall, sum(spent.values()), java, memory / 2**20)


@contextlib.contextmanager
def masters(
    folder: Path, *, cluster: bool
) -> Iterator[dict[str, tuple[list[int], dict[str, str]]]]:
    """What the mapping runs on, each with its processes and environment."""
    places: dict[str, tuple[list[int], dict[str, str]]] = {"": ([], {}), "local[2]": ([], {})}
    if not cluster:
        yield places
        return
    with SparkCluster(folder) as running:
        places[running.master] = (running.workers, running.environment)
        yield places


def run(rows: int, runs: int, *, cluster: bool) -> list[dict[str, object]]:
    """Figures of one size, medians of runs in turns."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(rows, folder)
        mapping = Path(shutil.copy(_MAPPING, folder))
        (folder / "cluster").mkdir()
        with masters(folder / "cluster", cluster=cluster) as places:
            figures: dict[str, list[Figures]] = {master: [] for master in places}
            for _ in range(runs):
                for number, (master, (others, environment)) in enumerate(places.items()):
                    out = folder / f"{number}.nq"
                    options = ["--on", master] if master else []
                    command = [
                        sys.executable,
                        "-m",
                        "lodpipe",
                        "map",
                        str(mapping),
                        "-o",
                        str(out),
                        *options,
                    ]
                    figures[master].append(measured(command, others, environment))
                    if not filecmp.cmp(folder / "0.nq", out, shallow=False):
                        raise SystemExit(f"{master} gives other bytes than one machine")
        return [
            {
                "rows": rows,
                "on": master or "one machine",
                **{
                    key: round(statistics.median(asdict(item)[key] for item in items), 1)
                    for key in ("wall", "cpu", "java", "memory")
                },
            }
            for master, items in figures.items()
        ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000, 1_000_000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--cluster", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    table = []
    for rows in options.rows:
        for row in run(rows, options.runs, cluster=options.cluster):
            table.append(row)
            print(row, flush=True)
    if options.json:
        options.json.write_text(json.dumps(table, indent=1), "utf-8")


if __name__ == "__main__":
    main()
