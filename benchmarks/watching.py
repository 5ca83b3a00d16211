"""What an editor waits for with `lodpipe check --watch`: from a save to the end of the report, beside a
check that begins with nothing but the caches. By hand.

    python benchmarks/watching.py . source/labs/brandis.yaml
    python benchmarks/watching.py docs/examples/legislators data/al/legislature/NAME.yml --changes 5

The file needs a line `name: …`; it is given its text back at the end.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measure import measure

ROOT = Path(__file__).resolve().parent.parent
_TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def watching(project: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has checked the project once."""
    command = [sys.executable, "-m", "lodpipe", "check", "--watch", "--fail-on", "never"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "pipeline"), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [*command, "--lang", "en", "--project", str(project)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
    )  # fmt: skip
    try:
        wait(process)
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def wait(process: subprocess.Popen[str]) -> None:
    """Reads the report of a check."""
    assert process.stdout is not None
    while not re.match(r"[0-9,]+ errors?\b", line := process.stdout.readline()):
        assert line, "the watch has ended"


def cpu(process: subprocess.Popen[str]) -> float:
    """Processor seconds of the worker and of its children that have ended."""
    (worker,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    fields = Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("project", type=Path)
    parser.add_argument("file", type=Path, help="a record file, relative to the project")
    parser.add_argument("--changes", type=int, default=9)
    options = parser.parse_args()
    project = options.project.resolve()
    path = project / options.file
    text = path.read_text("utf-8")
    times, processor = [], []
    try:
        with watching(project) as process:
            for number in range(options.changes + 1):
                time.sleep(1)
                before, started = cpu(process), time.perf_counter()
                change = r"\1 " + "x" * (number % 3 + 1)
                path.write_text(re.sub(r"(?m)^(name: .+)$", change, text, count=1), "utf-8")
                wait(process)
                times.append(time.perf_counter() - started)
                time.sleep(0.5)
                processor.append(cpu(process) - before)
            command = [sys.executable, "-m", "lodpipe", "check", "--fail-on", "never"]
            run, _ = measure(
                [*command, "--project", str(project)],
                project,
                extra={"PYTHONPATH": str(ROOT / "pipeline")},
            )
    finally:
        path.write_text(text, "utf-8")
    wall, used = (
        statistics.median(times[1:]),
        statistics.median(processor[1:]),
    )  # the first warms up
    print(f"after a save, median of {options.changes}: {wall:.2f} s, processor {used:.2f} s")
    print(f"a check by itself: {run.wall:.2f} s, processor {run.cpu:.2f} s")
    print(f"ratios {wall / run.wall:.2f} and {used / run.cpu:.2f}")


if __name__ == "__main__":
    main()
