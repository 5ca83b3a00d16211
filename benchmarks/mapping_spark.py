"""Mappings on Apache Spark beside one machine: whole commands, and their output compared by its bytes.

    python benchmarks/mapping_spark.py [--rows 20000 1000000] [--runs 3] [--cluster] [--json FILE]

The register is `organisations` of mapping.py. Processor time is that of the whole process tree,
Java and the kernels of Spark in it, looked at ten times a second; memory is the largest sum of all
its processes at once. `--cluster` adds a standalone cluster of three workers on this machine.
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
    """Seconds of the clock and of all processors, and MiB."""

    wall: float
    cpu: float
    memory: float


def processes() -> dict[int, tuple[int, float, int]]:
    """The parent, the processor seconds and the memory of each process."""
    table = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):  # it has ended
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                seconds = (int(fields[11]) + int(fields[12])) / _TICKS
                table[int(folder.name)] = (int(fields[1]), seconds, int(fields[21]) * _PAGE)
    return table


def tree(roots: list[int]) -> dict[int, tuple[float, int]]:
    """Processor seconds and memory of processes and all below them."""
    table = processes()
    members = {root for root in roots if root in table}
    while more := {pid for pid, (parent, *_) in table.items() if parent in members} - members:
        members |= more
    return {pid: table[pid][1:] for pid in members}


def measured(command: list[str], others: list[int], environment: dict[str, str]) -> Figures:
    """Runs a command; `others` are processes that work for it (the workers of a cluster)."""
    before = {pid: seconds for pid, (seconds, _) in tree(others).items()}
    seconds: dict[int, float] = {}
    memory, start = 0, time.perf_counter()
    process = subprocess.Popen(command, env=os.environ | environment)
    while process.poll() is None:
        now = tree([process.pid, *others])
        seconds |= {pid: figures[0] for pid, figures in now.items()}
        memory = max(memory, sum(figures[1] for figures in now.values()))
        time.sleep(0.1)
    wall = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    cpu = sum(total - before.get(pid, 0) for pid, total in seconds.items())
    return Figures(wall, cpu, memory / 2**20)


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
                    for key in ("wall", "cpu", "memory")
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
