"""The real publication: lodpipe beside one plain script, whole process, medians of alternating
runs.

python benchmarks/flagship.py [--project DIR] [--runs 5] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from measure import Run, alternating, machine, measure, plain, table

FOLDER = Path(__file__).resolve().parent
PARTS = ("publication.yaml", "source", "ontology", "shapes", "queries")
PACKAGES = ("lodpipe", "duckdb", "pyoxigraph", "rdflib", "pyshacl", "PyYAML")
BUILD, SCRIPT = "lodpipe build", "plain script"
_STEP = re.compile(r"^ *([\d.]+) s  (.+)$", re.MULTILINE)
# Whether two dumps hold the same triples, found by another process, so that this one stays small
# (see measure.py).
_COMPARE = """
import sys, pyoxigraph as ox
one, other = ({str(quad) for quad in ox.parse(path=path, format=ox.RdfFormat.N_TRIPLES)} for path in sys.argv[1:])
print(len(one), len(other), len(one - other), len(other - one))
for sign, lines in (("-", one - other), ("+", other - one)):
    for line in sorted(lines)[:5]:
        print(sign, line)
"""


class Flagship:
    """The commands that are measured, each in its own fresh folder."""

    def __init__(self, project: Path, work: Path) -> None:
        self.project, self.work = project, work
        self.lodpipe = Path(sys.executable).with_name("lodpipe")
        self.steps: list[dict[str, float]] = []
        self.built = self.fresh("built")

    def fresh(self, name: str) -> Path:
        """A copy of the project without anything built."""
        target = self.work / name
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        for part in PARTS:
            path = self.project / part
            if path.is_dir():
                shutil.copytree(path, target / part)
            elif path.exists():
                shutil.copy(path, target / part)
        return target

    def build(self) -> Run:
        self.built = self.fresh("built")
        run, log = measure([self.lodpipe, "build", "-v"], self.built)
        self.steps.append(_steps(log, run.wall))
        return run

    def check(self) -> Run:
        return measure([self.lodpipe, "check"], self.built)[0]

    def help(self) -> Run:
        return measure([self.lodpipe, "--help"], self.built)[0]

    def script(self, validator: str) -> Callable[[], Run]:
        return lambda: measure(
            [
                sys.executable,
                FOLDER / "plain_script.py",
                self.project,
                self.work / "plain",
                validator,
            ],
            self.work,
        )[0]

    def same_triples(self) -> tuple[list[int], str]:
        """Triples of lodpipe and of the script, and how many each has alone; with samples."""
        dumps = [self.built / "dist/rogl.nt", self.work / "plain/rogl.nt"]
        output = subprocess.run(
            [sys.executable, "-c", _COMPARE, *dumps], capture_output=True, text=True, check=True
        ).stdout
        first, _, samples = output.partition("\n")
        return [int(number) for number in first.split()], samples


def _steps(log: str, wall: float) -> dict[str, float]:
    """How long each step took, from the times at which `build -v` says they begin; the rest is the
    interpreter's start and end.
    """
    marks = [(float(time), name) for time, name in _STEP.findall(log)]
    durations = {name: marks[at + 1][0] - time for at, (time, name) in enumerate(marks[:-1])}
    return {**durations, "starting and ending": wall - sum(durations.values())}


def breakdown(steps: list[dict[str, float]]) -> dict[str, float]:
    """The median of each step."""
    return {name: statistics.median(step[name] for step in steps) for name in steps[0]}


def main() -> int:
    parser = argparse.ArgumentParser(
        description="lodpipe beside one plain script, on the real publication."
    )
    parser.add_argument(
        "--project",
        type=Path,
        default=FOLDER.parent,
        help="a publication's folder (default: this repository)",
    )
    parser.add_argument(
        "--runs", type=int, default=5, help="rounds; each runs every command once (default: 5)"
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        flagship = Flagship(options.project.resolve(), Path(folder))
        runs = alternating(
            {
                BUILD: flagship.build,
                "lodpipe check": flagship.check,
                "lodpipe --help": flagship.help,
                SCRIPT: flagship.script("pyshacl"),
                "plain script, no validation": flagship.script("none"),
            },
            options.runs,
        )
        (ours, of_script, alone, lacking), samples = flagship.same_triples()
    steps = breakdown(flagship.steps)
    print("\n" + table(runs, BUILD) + "\n")
    print("| step of lodpipe build | s |\n|---|---:|")
    print("\n".join(f"| {name} | {seconds:.2f} |" for name, seconds in steps.items()))
    print(
        f"\ntriples: lodpipe {ours}, plain script {of_script}; only lodpipe {alone}, only plain script {lacking}\n{samples}"
    )
    if options.json:
        figures = {
            "machine": machine(PACKAGES),
            "runs": options.runs,
            "figures": plain(runs),
            "steps": steps,
            "triples": [ours, of_script],
        }
        options.json.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    return 0 if not alone and not lacking else 1


if __name__ == "__main__":
    sys.exit(main())
