"""Same in, same out: nothing of the machine, the user, the clock or the run gets into dist/."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lodpipe.releases.ledger import read_ledger
from support import ROOT, TESTS, copy_project, fingerprint, run_process

ANOTHER_DAY = "2031-07-09"
"""A day that no record names."""
_LIBRARY = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)
CLOCK = {"LD_PRELOAD": str(_LIBRARY), "FAKETIME": f"@{ANOTHER_DAY} 12:00:00"} if _LIBRARY else {}


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The publication built by another user on another machine, as far as a test can pretend that."""
    project = copy_project(
        tmp_path_factory.mktemp("elsewhere") / "ein anderer Ort" / "Veröffentlichung"
    )
    home = str(project.parent)
    other = {
        "PYTHONHASHSEED": "4711",
        "LC_ALL": "C",
        "LANG": "C",
        "TZ": "Pacific/Kiritimati",
        "HOME": home,
        "TMPDIR": home,
        **CLOCK,
    }
    done = run_process("build", "--no-site", cwd=project, environment=other)
    assert done.returncode == 0, done.stderr
    return project


def test_two_builds_give_the_same_bytes(dist: Path, elsewhere: Path) -> None:
    assert fingerprint(elsewhere / "dist") == fingerprint(dist)
    assert [path.name for path in elsewhere.parent.iterdir()] == [elsewhere.name], (
        "a build leaves nothing behind"
    )


def test_a_build_of_an_unchanged_project_touches_nothing(elsewhere: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (elsewhere / "dist").rglob("*")}
    assert before
    assert run_process("build", "--no-site", "--project", elsewhere).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in (elsewhere / "dist").rglob("*")} == before


@pytest.fixture(scope="module")
def another_day() -> dict[str, str]:
    """The environment in which programs see ANOTHER_DAY."""
    if not CLOCK:
        pytest.skip("libfaketime is not installed: apt-get install libfaketime")
    program = [sys.executable, "-c", "import datetime; print(datetime.date.today())"]
    done = subprocess.run(program, env=os.environ | CLOCK, capture_output=True, text=True)
    assert done.stdout.strip() == ANOTHER_DAY, done.stderr
    return CLOCK


@pytest.mark.usefixtures("another_day")
def test_no_output_holds_the_clock(elsewhere: Path, dist: Path) -> None:
    """Built on a day that no record names, at a time that the clock of this machine does not have."""
    assert fingerprint(elsewhere / "dist") == fingerprint(dist)
    assert holding(ANOTHER_DAY, elsewhere / "dist") == []


def test_no_page_holds_the_clock(another_day: dict[str, str], tmp_path: Path) -> None:
    sites = []
    for name, environment in (("now", {}), ("then", another_day)):
        project = copy_project(tmp_path / name, TESTS / "projects/libraries")
        done = run_process("build", "--project", project, environment=environment)
        assert done.returncode == 0, done.stderr
        sites.append(fingerprint(project / "dist/site"))
        assert holding(ANOTHER_DAY, project / "dist/site") == []
    assert sites[0] == sites[1] and len(sites[0]) > 100


def test_no_output_holds_a_path(dist: Path) -> None:
    for word in (str(dist.parent), str(ROOT), f"{Path.home()}/", "/tmp/"):
        assert holding(word, dist) == []


def holding(word: str, folder: Path) -> list[str]:
    """The files below a folder that hold a word, also compressed ones."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    assert paths
    return [path.name for path in paths if word.encode() in unpacked(path)]


def unpacked(path: Path) -> bytes:
    """The bytes of a file, without its compression."""
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def test_the_committed_dist_is_what_the_sources_give(copy_of_project: Path) -> None:
    if not (ROOT / "dist").is_dir():
        pytest.skip("the repository has no dist/ yet")
    shutil.copytree(ROOT / "releases", copy_of_project / "releases")
    for release in read_ledger(
        ROOT
    ).releases:  # they never change, whatever the program writes today
        shutil.copytree(ROOT / "dist" / release.folder, copy_of_project / "dist" / release.folder)
    assert run_process("build", "--project", copy_of_project, "--no-site").returncode == 0
    assert fingerprint(ROOT / "dist") == fingerprint(copy_of_project / "dist"), (
        "dist/ is stale: run `lodpipe build` and commit dist/"
    )
