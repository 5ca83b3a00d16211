"""A mapping on a cluster of this machine, of which a worker is killed in the middle; the bytes are
compared with those of one machine.

    python benchmarks/spark_demo.py [--rows 1000000] [--case organisations] [--workers 3]
    [--kill worker | executor | nothing]

Everything is in a temporary folder, which is removed; Ctrl-C ends all processes.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from generate import generate
from spark_cluster import SparkCluster

MAPPINGS = Path(__file__).resolve().parent / "mappings"
LODPIPE = [sys.executable, "-m", "lodpipe.commands.cli", "map"]
_PIECE = 1 << 20


def log(message: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {message}", flush=True)


@contextmanager
def measured(what: str) -> Iterator[None]:
    """Prints how long something took; the CPU time is that of the processes that it waited for."""
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    yield
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    log(f"{what}: {time.monotonic() - began:,.1f} s, {cpu:,.1f} s of CPU")


def run_on(
    cluster: SparkCluster, mapping: Path, out: Path, kill: Callable[[], int | None] | None
) -> None:
    """Runs a mapping on a cluster, and kills something while rows are made."""
    command = [*LODPIPE, str(mapping), "-o", f"{out}/", "--on", cluster.master]
    driver = subprocess.Popen(command, env=os.environ | cluster.environment)
    try:
        tasks = ".lodpipe-*/sent/0/_temporary/0/_temporary/*"
        while driver.poll() is None:
            if kill and any(out.parent.glob(tasks)):
                log(f"killed process {kill()} (kill -9)")
                kill = None
            time.sleep(0.05)
    finally:
        if driver.poll() is None:
            driver.terminate()
            driver.wait()
    if driver.returncode:
        raise SystemExit(f"the run on the cluster has failed with exit code {driver.returncode}")
    if kill:
        log("the run was over before anything could be killed: take more rows")


def equal_bytes(file: Path, folder: Path) -> tuple[bool, int, int]:
    """Whether the parts of a folder in order are a file; its size, and how many parts there are."""
    parts = sorted(folder.glob("part-*.nq"))
    with file.open("rb") as expected:
        for part in parts:
            with part.open("rb") as actual:
                while piece := actual.read(_PIECE):
                    if piece != expected.read(len(piece)):
                        return False, file.stat().st_size, len(parts)
        return expected.read(1) == b"", file.stat().st_size, len(parts)


def demo(options: argparse.Namespace, folder: Path) -> bool:
    data = folder / "data"
    log(f"generating {options.rows:,} rows")
    generate(options.rows, data)
    mapping = data / f"{options.case}.rml.ttl"
    shutil.copy(MAPPINGS / mapping.name, data)
    expected = folder / "expected.nq"
    with measured("one machine"):
        subprocess.run([*LODPIPE, str(mapping), "-o", str(expected)], check=True)
    with (
        measured(f"master and {options.workers} workers, with their start"),
        SparkCluster(folder / "cluster", options.workers) as cluster,
    ):
        log(f"{cluster.master} is ready")
        kills = {"worker": cluster.kill_worker, "executor": cluster.kill_executor}
        run_on(cluster, mapping, folder / "out", kills.get(options.kill))
    is_equal, size, parts = equal_bytes(expected, folder / "out")
    log(f"{size:,} bytes in {parts} parts are {'equal' if is_equal else 'NOT EQUAL'} (cmp)")
    return is_equal


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--case", choices=["organisations", "memberships"], default="organisations")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--kill", choices=["worker", "executor", "nothing"], default="worker")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with tempfile.TemporaryDirectory(prefix="lodpipe-spark-demo-") as folder:
            is_equal = demo(options, Path(folder))
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0 if is_equal else 1)


if __name__ == "__main__":
    main()
