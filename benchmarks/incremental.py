"""A build after a change of one record beside a build from nothing, whole process: the real
publication, or a register of tens of thousands of organisations. Both must give the same bytes. By
hand.

python benchmarks/incremental.py [--runs 3]
python benchmarks/incremental.py ../shared/data/scale/ror_all_51k.csv --runs 1
"""

from __future__ import annotations

import argparse
import csv
import filecmp
import re
import shutil
import sys
import tempfile
from pathlib import Path

from flagship import PARTS
from measure import Run, alternating, measure, table
from pages import project_of

ROOT = Path(__file__).resolve().parent.parent
FULL, CHANGED, UNCHANGED = "build from nothing", "one record changed", "nothing changed"
CHECK = "check, nothing changed"


class Project:
    """A project that is edited and built again and again, and a fresh copy of it."""

    def __init__(self, origin: Path, work: Path, names: Path) -> None:
        self.work, self.names = work, names
        self.lodpipe = Path(sys.executable).with_name("lodpipe")
        self.built = self._copy(origin, work / "built")
        self.number = 0
        self._build(self.built)

    def _copy(self, origin: Path, target: Path) -> Path:
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        for part in PARTS:
            if (origin / part).is_dir():
                shutil.copytree(origin / part, target / part)
            elif (origin / part).exists():
                shutil.copy(origin / part, target / part)
        return target

    def _build(self, folder: Path, command: str = "build") -> Run:
        return measure([self.lodpipe, command, "--project", folder], folder)[0]

    def changed(self) -> Run:
        """Renames one organisation and builds."""
        path = self.built / self.names
        text, self.number = path.read_text("utf-8"), self.number + 1
        path.write_text(renamed(path, text, self.number), "utf-8")
        return self._build(self.built)

    def unchanged(self) -> Run:
        return self._build(self.built)

    def check(self) -> Run:
        return self._build(self.built, "check")

    def full(self) -> Run:
        """Builds a fresh copy, and compares."""
        fresh = self._copy(self.built, self.work / "fresh")
        run = self._build(fresh)
        compare(self.built / "dist", fresh / "dist")
        return run


def renamed(path: Path, text: str, number: int) -> str:
    """A file of organisations with another name of the first."""
    if path.suffix == ".csv":
        row = next(csv.DictReader(text.splitlines()))
        name = row["name"]
    else:
        match = re.search(r"^  name: (.+)$", text, re.MULTILINE)
        assert match is not None
        name = match[1]
    return text.replace(name, f"{name.partition(' No. ')[0]} No. {number}", 1)


def compare(folder: Path, other: Path) -> None:
    """Raises AssertionError unless two folders hold the same files with the same bytes."""
    files, expected = (
        {path.relative_to(top) for path in top.rglob("*") if path.is_file()}
        for top in (folder, other)
    )
    wrong = files ^ expected or {
        name for name in files if not filecmp.cmp(folder / name, other / name, shallow=False)
    }
    assert not wrong, sorted(wrong)[:10]
    print(f"  {len(files)} files, the same bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path, nargs="?")
    parser.add_argument("--memory", default="1GB")
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="incremental-") as name:
        work = Path(name)
        if given.table:
            origin = project_of(given.table, work / "project", given.memory)
            project = Project(origin, work, Path("source/organisations.csv"))
        else:
            project = Project(ROOT, work, Path("source/organisations.yaml"))
        steps = {
            CHANGED: project.changed,
            FULL: project.full,
            UNCHANGED: project.unchanged,
            CHECK: project.check,
        }
        print("\n" + table(alternating(steps, given.runs), FULL))


if __name__ == "__main__":
    main()
