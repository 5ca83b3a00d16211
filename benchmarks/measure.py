"""Measures whole processes as their user meets them: wall clock, processor time and peak memory;
the median of several runs.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One run of a process, or the median of several: seconds and MiB."""

    wall: float
    cpu: float
    rss: float


class Failed(Exception):
    """A measured command that did not end well; its figures would mean nothing."""


def measure(
    command: Sequence[str | Path],
    folder: Path,
    *,
    timeout: float = 3600,
    extra: Mapping[str, str] | None = None,
) -> tuple[Run, str]:
    """Runs a command and gives its figures and what it wrote to stderr. Raises Failed on any other
    exit code than 0.

    Peak memory is that of the largest process of the command's tree (getrusage(2), ru_maxrss): a
    child that a library starts counts by itself, not added. The parent must stay small, for a child
    begins with its parent's pages.
    """
    log = folder / ".measured"
    with log.open("wb") as out:
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            stdout=out,
            stderr=out,
            env={**os.environ, **(extra or {})},
        )
        usage = _wait(process, started + timeout)
        wall = time.perf_counter() - started
    output = log.read_text("utf-8", "replace")
    log.unlink()
    if process.returncode:
        raise Failed(
            f"exit code {process.returncode}: {' '.join(map(str, command))}\n{output[-2000:]}"
        )
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024), output


def _wait(process: subprocess.Popen[bytes], deadline: float):
    """Waits with wait4, for its resource usage is of this child alone. Kills it, and it only, at
    the deadline.
    """
    pause = 0.001
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage
        if time.perf_counter() > deadline:
            process.kill()
            deadline = float("inf")
        time.sleep(pause)
        pause = min(
            pause * 1.2, 0.02
        )  # a short command is measured to the millisecond, a long one is not disturbed


def median(runs: Iterable[Run]) -> Run:
    """Each figure's own median."""
    listed = list(runs)
    return Run(
        *(
            statistics.median(getattr(run, name) for run in listed)
            for name in ("wall", "cpu", "rss")
        )
    )


def alternating(
    work: Mapping[str, Callable[[], Run | None]],
    runs: int,
    on_progress: Callable[[str], None] = print,
) -> dict[str, list[Run]]:
    """Runs every piece of work once a round, in turn, so that a busy minute of the machine falls on
    all of them.

    Work that gives nothing has failed and counts no run.
    """
    runs_by_name: dict[str, list[Run]] = {name: [] for name in work}
    for number in range(1, runs + 1):
        for name, step in work.items():
            run = step()
            if run is None:
                continue
            runs_by_name[name].append(run)
            on_progress(
                f"  round {number}/{runs}  {name:<32} {run.wall:8.2f} s  {run.cpu:8.2f} s CPU  {run.rss:7.0f} MiB"
            )
    return runs_by_name


def table(runs_by_name: Mapping[str, Sequence[Run]], reference: str) -> str:
    """A Markdown table of medians; ratios are to the reference's, above 1 means more than it."""
    middle = {name: median(runs) for name, runs in runs_by_name.items() if runs}
    ground = middle.get(reference)
    lines = [
        f"| | wall s | spread | CPU s | peak MiB | wall : {reference} | CPU : {reference} | memory : {reference} |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, run in middle.items():
        walls = [run.wall for run in runs_by_name[name]]
        cells = [
            f"{run.wall:.2f}",
            f"{min(walls):.2f}–{max(walls):.2f}",
            f"{run.cpu:.2f}",
            f"{run.rss:.0f}",
        ]
        cells += [
            f"{getattr(run, key) / getattr(ground, key):.2f}" if ground else "–"
            for key in ("wall", "cpu", "rss")
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plain(runs_by_name: Mapping[str, Sequence[Run]]) -> dict[str, object]:
    """The figures for a JSON file: every run, and the medians."""
    return {
        name: {"median": asdict(median(runs)), "runs": [asdict(run) for run in runs]}
        for name, runs in runs_by_name.items()
        if runs
    }


def machine(packages: Iterable[str]) -> dict[str, object]:
    """What the figures depend on: processors, memory, system, and the versions of packages of this
    environment.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = {}
    for name in packages:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cores": os.cpu_count(),
        "memory GiB": round(memory),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **versions,
    }
