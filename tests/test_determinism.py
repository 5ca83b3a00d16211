"""Same in, same out: nothing of the machine, the user, the clock or the run gets into dist/."""

from __future__ import annotations

import gzip
import shutil
from datetime import date
from pathlib import Path

import pytest

from lodpipe.releases.ledger import read_ledger
from support import ROOT, copy_project, fingerprint, run_process


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


def test_no_output_holds_a_path_or_the_clock(dist: Path) -> None:
    today = date.today().isoformat()
    records = [path for path in (ROOT / "source").rglob("*") if path.suffix in (".yaml", ".csv")]
    named = {"2026-11-23"} | {today for path in records if today in path.read_text("utf-8")}
    forbidden = {str(dist.parent), str(ROOT), f"{Path.home()}/", "/tmp/"} | ({today} - named)
    files = [path for path in sorted(dist.rglob("*")) if path.is_file()]
    print(f"{len(files)} files")
    for path in files:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        assert [word for word in forbidden if word.encode() in data] == [], path.name


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
