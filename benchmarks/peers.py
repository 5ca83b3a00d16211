"""The mapping engines that lodpipe is measured against, each in an environment of its own below
benchmarks/.peers/.

python benchmarks/peers.py        installs those that are missing, and prints their versions
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
CACHE = FOLDER / ".peers"
RUNNERS = FOLDER / "runners"
_MORPH = """[CONFIGURATION]
output_file: {out}
output_format: N-TRIPLES
logging_level: ERROR
number_of_processes: {processes}
[data]
mappings: {mapping}
"""
_RDFIZER = """[default]
main_directory: .

[datasets]
number_of_datasets: 1
output_folder: .
all_in_one_file: no
remove_duplicate: yes
name: all
enrichment: yes
ordered: yes
large_file: false
new_formulation: no

[dataset1]
name: {name}
mapping: {mapping}
"""


@dataclass(frozen=True)
class Task:
    """One mapping to run: its name, the folder with mapping and sources side by side, and the file
    that the statements go to.
    """

    name: str
    folder: Path
    out: Path

    @property
    def legacy(self) -> str:
        """The mapping in the vocabulary before RML-Core."""
        return f"{self.name}.rr.ttl"


@dataclass(frozen=True)
class Peer:
    """An engine: what pip installs, which cases it can run (all where empty), and the command for a
    task.
    """

    name: str
    requirement: str
    command: Callable[[Path, Task], Sequence[str | Path]]
    cases: frozenset[str] = frozenset()
    home: str = ""

    @property
    def folder(self) -> Path:
        """Its environment; that of another peer where it is the same engine."""
        return CACHE / (self.home or self.name)

    @property
    def python(self) -> Path:
        return self.folder / "bin/python"

    def runs(self, case: str) -> bool:
        return not self.cases or case in self.cases

    def version(self) -> str:
        package = self.requirement.split("==")[0]
        code = f"import importlib.metadata as m; print(m.version({package!r}))"
        return subprocess.run(
            [self.python, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()


def _morph(python: Path, task: Task) -> Sequence[str | Path]:
    return _morph_with(os.cpu_count() or 1, python, task)


def _morph_alone(python: Path, task: Task) -> Sequence[str | Path]:
    return _morph_with(1, python, task)


def _morph_with(processes: int, python: Path, task: Task) -> Sequence[str | Path]:
    config = task.folder / f"morph-kgc-{processes}.ini"
    config.write_text(
        _MORPH.format(out=task.out, mapping=task.legacy, processes=processes), "utf-8"
    )
    return [python, "-m", "morph_kgc", config]


def _rdfizer(python: Path, task: Task) -> Sequence[str | Path]:
    config = task.folder / "rdfizer.ini"
    config.write_text(_RDFIZER.format(name=task.out.stem, mapping=task.legacy), "utf-8")
    return [python, RUNNERS / "with_rdfizer.py", config]


def _maplib(python: Path, task: Task) -> Sequence[str | Path]:
    return [python, RUNNERS / "with_maplib.py", task.name, task.folder, task.out]


PEERS: tuple[Peer, ...] = (
    Peer("morph-kgc", "morph-kgc==2.10.0", _morph),
    Peer("morph-kgc, one process", "morph-kgc==2.10.0", _morph_alone, home="morph-kgc"),
    Peer("maplib", "maplib==0.20.26", _maplib, frozenset({"organisations", "memberships"})),
    Peer("SDM-RDFizer", "rdfizer==4.7.5.15.4.1", _rdfizer),
)


def cache(folder: Path) -> Path:
    """A folder that git and the linters leave alone."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n", "utf-8")
    return folder


def install(peer: Peer) -> None:
    """Makes a peer's environment, unless it is there."""
    done = peer.folder / ".done"
    if done.exists() and done.read_text("utf-8") == peer.requirement:
        return
    subprocess.run(
        [sys.executable, "-m", "venv", "--clear", cache(CACHE) / peer.folder.name], check=True
    )
    subprocess.run(
        [
            peer.python,
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            peer.requirement,
        ],
        check=True,
    )
    done.write_text(peer.requirement, "utf-8")


if __name__ == "__main__":
    for peer in PEERS:
        install(peer)
        print(f"{peer.name} {peer.version()}")
