"""Faults of the machine: killed, out of room, out of time, disturbed. dist/ is old or new, never
between (more in test_atomic.py).

Many more kills than here: `python tests/test_faults.py 200`.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support import PROGRAM, ROOT, copy_project, errors_in, fingerprint, invoke, run_process

LIBRARIES = ROOT / "tests" / "projects" / "libraries"
NAMES = ("Central Library", "Main Library")


@pytest.fixture
def small(built_libraries: Path, tmp_path: Path) -> Path:
    """A small project with a dist/."""
    return Path(shutil.copytree(built_libraries, tmp_path / "project"))


def rename(project: Path, new: str) -> None:
    path = project / "source" / "libraries.yaml"
    text = path.read_text("utf-8")
    for name in NAMES:
        text = text.replace(name, new)
    path.write_text(text, "utf-8")


def leftovers(project: Path) -> list[str]:
    return sorted(path.name for path in project.iterdir() if path.name.startswith("dist."))


# -- kills -----------------------------------------------------------------------------------------


def states(project: Path, folder: Path) -> dict[str, dict[str, str]]:
    """The fingerprint of dist/ for each of two names; a built project has the first."""
    twin = copy_project(folder / "twin", LIBRARIES)
    rename(twin, NAMES[1])
    assert run_process("build", "--project", twin).returncode == 0
    return {NAMES[0]: fingerprint(project / "dist"), NAMES[1]: fingerprint(twin / "dist")}


def kill_builds(
    project: Path, whole: dict[str, dict[str, str]], number: int, seed: int
) -> dict[str, int]:
    """Kills builds at random moments, half of them about the time of the swap; each time dist/ must
    be the one or the other, whole.
    """
    chance = random.Random(seed)
    began = time.monotonic()
    assert run_process("build", "--project", project).returncode == 0
    length = time.monotonic() - began
    seen = {"killed": 0, "old": 0, "new": 0, "done before": 0}
    for turn in range(number):
        before = fingerprint(project / "dist")
        name = NAMES[turn % 2]
        rename(project, name)
        share = chance.uniform(0.05, 1.05) if turn % 2 else chance.uniform(0.75, 1.1)
        process = subprocess.Popen(
            [*PROGRAM, "build", "--project", str(project)],
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        time.sleep(length * share)
        process.send_signal(signal.SIGKILL)
        seen["killed" if process.wait() == -signal.SIGKILL else "done before"] += 1
        after = fingerprint(project / "dist")
        assert after in whole.values(), f"turn {turn}: dist/ is neither the old nor the new one"
        seen["new" if after == whole[name] and after != before else "old"] += 1
        assert after in (before, whole[name])
    assert run_process("build", "--project", project).returncode == 0
    assert fingerprint(project / "dist") == whole[NAMES[(number - 1) % 2]]
    assert leftovers(project) == []
    return seen


def test_a_kill_at_any_moment_leaves_a_whole_dist(small: Path, tmp_path: Path) -> None:
    seen = kill_builds(small, states(small, tmp_path), 20, 20261123)
    print(seen)
    assert seen["killed"] >= 5


def test_a_polite_end_leaves_nothing_about(small: Path) -> None:
    before = fingerprint(small / "dist")
    rename(small, "Main Library")
    process = subprocess.Popen(
        [*PROGRAM, "build", "--project", str(small), "-v"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "reading records" in line:
            break
    process.terminate()
    process.stderr.read()
    assert process.wait() in (143, 0)
    assert leftovers(small) == []
    if process.returncode:
        assert fingerprint(small / "dist") == before


# -- disk ------------------------------------------------------------------------------------------


@pytest.fixture
def tiny_disk(tmp_path: Path, is_root: bool) -> Path:
    """A disk of its own with little room; needs the right to mount."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16M", "tmpfs", str(place)]
    if not is_root or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no right to mount a disk; test_atomic.py bounds the size of files instead")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("left", [0, 4, 16, 40, 90], ids=lambda left: f"{left} KB left")
def test_a_full_disk_is_reported_and_leaves_dist_as_it_was(
    left: int, tiny_disk: Path, built_libraries: Path
) -> None:
    project = Path(shutil.copytree(built_libraries, tiny_disk / "project"))
    before = fingerprint(project / "dist")
    rename(project, "Main Library")
    with (tiny_disk / "ballast").open("wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(4096))
        except OSError:
            pass
        ballast.truncate(max(0, ballast.tell() - left * 1024))
    done = run_process("build", "--project", project, "--lang", "en")
    assert fingerprint(project / "dist") == before
    assert leftovers(project) == []
    assert (done.returncode, [finding.code for finding in errors_in(done.stderr)]) == (
        2,
        ["LP701"],
    ), done.stderr
    assert "Traceback" not in done.stderr
    (tiny_disk / "ballast").unlink()
    assert run_process("build", "--project", project).returncode == 0


def test_a_project_that_may_only_be_read_is_reported(
    tiny_disk: Path, built_libraries: Path
) -> None:
    project = Path(shutil.copytree(built_libraries, tiny_disk / "project"))
    before = fingerprint(project / "dist")
    rename(project, "Main Library")
    subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
    done = run_process("build", "--project", project, "--lang", "en")
    assert (done.returncode, [finding.code for finding in errors_in(done.stderr)]) == (
        2,
        ["LP701"],
    ), done.stderr
    assert fingerprint(project / "dist") == before
    assert run_process("check", "--project", project).returncode == 0


def test_a_report_that_cannot_be_written_is_reported(small: Path) -> None:
    done = run_process(
        "check", "--project", small, "--lang", "en", "--report", "/proc/nowhere/x.sarif"
    )
    assert (done.returncode, [finding.code for finding in errors_in(done.stderr)]) == (
        2,
        ["LP703"],
    ), done.stderr


@pytest.mark.parametrize("kind", ["file", "link"])
def test_something_else_in_the_place_of_dist_is_reported(
    kind: str, small: Path, tmp_path: Path
) -> None:
    (small / "dist").rename(tmp_path / "kept")
    if kind == "file":
        (small / "dist").write_text("a file of another user")
    else:
        (small / "dist").symlink_to(tmp_path / "kept")
    before = fingerprint(tmp_path / "kept")
    rename(small, "Main Library")
    done = run_process("build", "--project", small, "--lang", "en")
    assert (done.returncode, [finding.code for finding in errors_in(done.stderr)]) == (
        2,
        ["LP701"],
    ), done.stderr
    assert leftovers(small) == []
    assert fingerprint(tmp_path / "kept") == before


def test_an_exchange_in_two_steps_that_was_killed_is_completed(small: Path) -> None:
    before = fingerprint(small / "dist")
    (small / "dist").rename(small / "dist.old")
    path = small / "source" / "libraries.yaml"
    path.write_text(path.read_text("utf-8").replace("parent: central", "parent: centre"), "utf-8")
    assert run_process("build", "--project", small).returncode == 1
    assert fingerprint(small / "dist") == before


# -- sources ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["changed", "gone", "added"])
def test_a_source_that_changes_during_the_build_is_reported(
    change: str, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib

    build = importlib.import_module("lodpipe.workflow.pipeline")
    before = fingerprint(small / "dist")
    rename(small, "Main Library")
    original = build.write_dist

    def disturbed(*arguments: object) -> None:
        original(*arguments)
        path = small / "source" / ("new.yaml" if change == "added" else "libraries.yaml")
        path.unlink() if change == "gone" else path.write_text("- {}\n", "utf-8")

    monkeypatch.setattr(build, "write_dist", disturbed)
    result = invoke("build", "--project", small, "--lang", "en")
    assert (result.exit_code, [finding.code for finding in errors_in(result.stderr)]) == (
        2,
        ["LP704"],
    ), result.stderr
    assert fingerprint(small / "dist") == before
    assert leftovers(small) == []


@pytest.mark.parametrize(
    "name", ["libraries.yaml", "media.csv", "works.json", "holdings.jsonl", "visits.parquet"]
)
def test_a_source_that_vanishes_while_it_is_read_is_reported(
    name: str, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lodpipe.sources.record_tables import RecordReader

    before = fingerprint(small / "dist")
    original = RecordReader._files

    def vanishing(self: RecordReader, table: object) -> object:
        files = original(self, table)
        for file in files:
            if file.path.name == name:
                file.path.unlink()
        return files

    monkeypatch.setattr(RecordReader, "_files", vanishing)
    result = invoke("build", "--project", small, "--lang", "en")
    assert result.exit_code in (1, 2)
    assert {finding.file for finding in errors_in(result.stderr)} == {f"source/{name}"}, (
        result.stderr
    )
    assert fingerprint(small / "dist") == before
    assert leftovers(small) == []


@pytest.mark.parametrize(
    "name",
    [
        "ontology/terms.ttl",
        "shapes/libraries.ttl",
        "source/records.yaml",
        "publication.yaml",
        "source/libraries.yaml",
    ],
)
def test_a_folder_in_the_place_of_a_file_is_reported(name: str, small: Path) -> None:
    (small / name).unlink()
    (small / name).mkdir()
    result = invoke("check", "--project", small, "--lang", "en")
    assert result.exit_code in (1, 2)
    assert [(finding.code, finding.file) for finding in errors_in(result.stderr)] == [
        ("LP106", name)
    ], result.stderr


def test_out_of_time_is_reported(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    build = importlib.import_module("lodpipe.workflow.pipeline")
    before = fingerprint(small / "dist")
    with (small / "publication.yaml").open("a", encoding="utf-8") as file:
        file.write("limits: {time: 1}\n")
    monkeypatch.setattr(build, "read_declarations", lambda _: time.sleep(5))
    began = time.monotonic()
    result = invoke("build", "--project", small, "--lang", "en")
    assert time.monotonic() - began < 3
    assert (result.exit_code, [finding.code for finding in errors_in(result.stderr)]) == (
        2,
        ["LP705"],
    ), result.stderr
    assert fingerprint(small / "dist") == before
    assert leftovers(small) == []


def main(number: int) -> None:
    """Many kills by hand: how many builds were killed, and in which state they left dist/."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        project = copy_project(Path(folder) / "project", LIBRARIES)
        assert run_process("build", "--project", project).returncode == 0
        print(kill_builds(project, states(project, Path(folder)), number, os.getpid()))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
