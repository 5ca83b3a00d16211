"""dist/ is there whole, old or new, whatever happens during a build."""

from __future__ import annotations

import resource
import shutil
import subprocess
from pathlib import Path

import pytest

from support import PROGRAM, errors_in, fingerprint, run_process


@pytest.fixture
def small(built_libraries: Path, tmp_path: Path) -> Path:
    """A small project with a dist/ of an older state of its sources."""
    project = Path(shutil.copytree(built_libraries, tmp_path / "project"))
    change(project, "Central Library", "Main Library")
    return project


def change(project: Path, old: str, new: str) -> None:
    path = project / "source" / "libraries.yaml"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


def leftovers(project: Path) -> list[str]:
    return sorted(path.name for path in project.iterdir() if path.name.startswith("dist."))


def test_a_failing_build_leaves_dist_as_it_was(small: Path) -> None:
    before = fingerprint(small / "dist")
    change(small, "parent: central", "parent: centre")
    assert run_process("build", "--project", small).returncode == 1
    assert fingerprint(small / "dist") == before
    assert leftovers(small) == []


def test_a_build_replaces_the_whole_dist(small: Path) -> None:
    (small / "dist" / "stray.txt").write_text("no build made this")
    assert run_process("build", "--project", small).returncode == 0
    assert not (small / "dist" / "stray.txt").exists()
    assert "Main Library" in (small / "dist" / "libraries.ttl").read_text("utf-8")
    assert leftovers(small) == []


def test_a_folder_that_cannot_be_written_is_reported(small: Path, is_root: bool) -> None:
    if is_root:
        pytest.skip("permissions do not bind this user")
    small.chmod(0o555)
    try:
        done = run_process("build", "--project", small, "--lang", "en")
    finally:
        small.chmod(0o755)
    assert (done.returncode, [finding.code for finding in errors_in(done.stderr)]) == (2, ["LP701"])


def test_a_place_that_is_taken_is_reported(small: Path) -> None:
    before = fingerprint(small / "dist")
    (small / "dist.next").write_text("a file of another user")
    done = run_process("build", "--project", small, "--lang", "en")
    assert (done.returncode, [finding.code for finding in errors_in(done.stderr)]) == (
        2,
        ["LP701"],
    ), done.stderr
    assert fingerprint(small / "dist") == before
    assert (small / "dist.next").read_text() == "a file of another user"


@pytest.mark.parametrize(
    "limit",
    [
        pytest.param(0, id="at once"),
        pytest.param(2_000, id="after 2 kB", marks=pytest.mark.slow),
        pytest.param(9_000, id="after 9 kB", marks=pytest.mark.slow),
    ],
)
def test_a_full_disk_is_reported(limit: int, small: Path) -> None:
    before = fingerprint(small / "dist")
    done = subprocess.run(
        [*PROGRAM, "build", "--project", str(small), "--lang", "en"], capture_output=True, text=True, check=False, timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    assert fingerprint(small / "dist") == before
    assert leftovers(small) == []
    assert (done.returncode, [finding.code for finding in errors_in(done.stderr)]) == (
        2,
        ["LP701"],
    ), done.stderr


@pytest.mark.slow
def test_of_two_builds_at_once_each_succeeds_or_says_so(small: Path) -> None:
    builds = [
        subprocess.Popen(
            [*PROGRAM, "build", "--project", str(small), "--lang", "en"],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    ends = [(build.communicate(timeout=120)[1], build.returncode) for build in builds]
    assert 0 in [code for _, code in ends]
    assert all(code == 0 or (code == 2 and "LP702" in output) for output, code in ends), ends
    assert "Main Library" in (small / "dist" / "libraries.ttl").read_text("utf-8")
    assert leftovers(small) == []
