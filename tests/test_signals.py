"""Signals and kills at random moments of every command: the right exit code, no traceback, nothing
left behind, outputs old or new.

Many more than here: `python tests/test_signals.py 60` (so many for each signal, over all commands
in turn).
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from support import PROGRAM, ROOT, copy_project, fingerprint, run_process

LIBRARIES = ROOT / "tests" / "projects" / "libraries"
ROWS = 30_000
MAPPING = """
prefixes: {ex: "http://example.org/"}
mappings:
  thing:
    sources: ["rows.csv~csv"]
    s: http://example.org/thing/$(id)
    po:
      - [a, ex:Thing]
      - [ex:name, $(name)]
      - [ex:group, "http://example.org/group/$(group)~iri"]
"""
SHAPES = """
@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix ex: <http://example.org/> .
ex:ThingShape a sh:NodeShape ; sh:targetClass ex:Thing ; sh:property [ sh:path ex:name ; sh:minCount 1 ; sh:minLength 6 ] .
"""
COMMANDS = {
    "build": ("build", "--project", "project"),
    "check": ("check", "--project", "project", "--report", "out/check.json"),
    "map to a file": ("map", "map.yaml", "-o", "out/made.nq"),
    "map to standard output": ("map", "map.yaml"),
    "map to Turtle": ("map", "map.yaml", "-o", "out/made.ttl"),
    "validate": (
        "validate",
        "data.nt",
        "--shapes",
        "shapes.ttl",
        "--engine",
        "columns",
        "--report",
        "out/report.nt",
    ),
    "query": ("query", "--project", "project", "all.rq", "--format", "json"),
    "catalogue": ("catalogue", "--project", "project"),
    "explain": ("explain", "--project", "project", "library/central"),
}
OWN_CODES = (0, 1)  # of commands that were done before


@dataclass(frozen=True)
class Place:
    """A folder with a project and other inputs, how long each command takes there, and what it
    writes.
    """

    folder: Path
    lengths: Mapping[str, float]
    outputs: Mapping[str, str]

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"

    def start(self, name: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*PROGRAM, *COMMANDS[name]], cwd=self.folder, env=os.environ | {"TMPDIR": str(self.temporary)},
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def left(self) -> list[str]:
        """What no run may leave: anything in the temporary folder, and hidden or half things beside
        outputs.
        """
        odd = [
            *self.temporary.iterdir(),
            *(self.folder / "out").glob(".*"),
            *(self.folder / "project").glob("dist.*"),
        ]
        return sorted(path.name for path in odd)


def prepared(folder: Path, rows: int = ROWS, measured: Iterable[str] = tuple(COMMANDS)) -> Place:
    """A place in which these commands have been run once."""
    project = copy_project(folder / "project", LIBRARIES)
    for name in ("tmp", "out"):
        (folder / name).mkdir()
    lines = "".join(f"{number},name of {number},{number % 7}\n" for number in range(rows))
    (folder / "rows.csv").write_text("id,name,group\n" + lines)
    (folder / "map.yaml").write_text(MAPPING)
    (folder / "shapes.ttl").write_text(SHAPES)
    (folder / "all.rq").write_text("SELECT * { ?s ?p ?o . ?o ?q ?r }")
    assert run_process("build", "--project", project).returncode == 0
    assert run_process("map", "map.yaml", "-o", "data.nt", cwd=folder).returncode == 0
    place, lengths = Place(folder, {}, {}), {}
    for name in measured:
        began = time.monotonic()
        process = place.start(name)
        _, errors = process.communicate(timeout=120)
        lengths[name] = time.monotonic() - began
        assert process.returncode in OWN_CODES, f"{name}: {errors}"
    assert place.left() == []
    return Place(folder, lengths, written(folder))


def written(folder: Path) -> dict[str, str]:
    """The outputs; half ones in folders of their own do not count."""
    digests = fingerprint(folder / "out") | fingerprint(folder / "project" / "dist")
    return {name: digest for name, digest in digests.items() if not name.startswith(".lodpipe-")}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return prepared(tmp_path_factory.mktemp("signals"))


def end(place: Place, name: str, number: signal.Signals, share: float) -> str:
    """Sends a signal to a command at a moment of its run; gives how it ended."""
    process = place.start(name)
    time.sleep(place.lengths[name] * share)
    process.send_signal(number)
    started = time.monotonic()
    _, errors = process.communicate(timeout=60)
    moment = f"{name}, {number.name} at {share:.3f} of {place.lengths[name]:.2f} s: {process.returncode}\n{errors}"
    assert time.monotonic() - started < 20, moment
    before_it_began = process.returncode == -number  # the interpreter was starting
    assert process.returncode in (128 + number, -number, *OWN_CODES), moment
    assert before_it_began or "Traceback" not in errors, moment
    assert "fault of lodpipe" not in errors, moment
    if number != signal.SIGKILL:
        assert place.left() == [], moment
    assert written(place.folder) == place.outputs, moment
    return (
        "starting"
        if before_it_began and number != signal.SIGKILL
        else "ended"
        if process.returncode not in OWN_CODES
        else "done before"
    )


def run(place: Place, name: str, number: signal.Signals, times: int, seed: int) -> Counter[str]:
    """Random moments; after kills, one more run that must clear what they left."""
    chance = random.Random(f"{seed} {name} {number}")
    seen = Counter(end(place, name, number, chance.uniform(0.1, 1.0)) for _ in range(times))
    if number == signal.SIGKILL:
        process = place.start("check")
        process.communicate(timeout=60)
        if name == "build":
            place.start("build").communicate(timeout=60)
        assert process.returncode == 0
        assert place.left() == []
    return seen


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name
)
def test_a_command_that_is_ended_leaves_nothing_behind(
    name: str, number: signal.Signals, place: Place
) -> None:
    print(run(place, name, number, 1, 20261128))


def main(times: int) -> None:
    """Many by hand: how each ended."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        place = prepared(Path(folder))
        print({name: round(length, 2) for name, length in place.lengths.items()})
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            seen: Counter[str] = Counter()
            for turn in range(times):
                name = list(COMMANDS)[turn % len(COMMANDS)]
                seen += run(place, name, number, 1, os.getpid() + turn)
            print(number.name, dict(seen))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
