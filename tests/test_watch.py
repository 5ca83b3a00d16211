"""`lodpipe check --watch`: checks again when a file is saved, and ends with Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from lodpipe.documents.snapshot import Listing, changed, changes, snapshot
from support import PROGRAM, ROOT, copy_project


@contextlib.contextmanager
def watching(
    project: Path, command: str = "check", *options: str
) -> Iterator[tuple[subprocess.Popen[str], Callable[[str], str]]]:
    """A process that watches a project, and a function that waits for a line with some text and returns it."""
    process = subprocess.Popen(
        [*PROGRAM, command, "--watch", *options, "--project", str(project), "--lang", "en"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    output = process.stdout
    assert output is not None
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=lambda: [lines.put(line) for line in output], daemon=True).start()

    def wait_for(text: str) -> str:
        while text not in (line := lines.get(timeout=30)):
            assert "Traceback" not in line
        return line

    try:
        yield process, wait_for
    finally:
        process.kill()


@pytest.mark.slow
def test_a_save_is_checked_and_ctrl_c_ends_with_the_last_exit_code(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project", ROOT / "tests" / "projects" / "libraries")
    with watching(project) as (process, wait_for):
        wait_for("0 errors")
        path = project / "source" / "libraries.yaml"
        path.write_text(
            path.read_text("utf-8").replace("parent: central", "parent: centre"), "utf-8"
        )
        wait_for("-- source/libraries.yaml")
        wait_for("LP206")
        wait_for("1 error")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 1


@pytest.mark.slow
def test_a_save_is_built(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project", ROOT / "tests" / "projects" / "libraries")
    with watching(project, "build") as (process, wait_for):
        wait_for("0 errors")
        built = (project / "dist" / "SHA256SUMS").read_text("utf-8")
        path = project / "source" / "libraries.yaml"
        before = path.read_text("utf-8")
        path.write_text(before.replace("parent: central", "parent: centre"), "utf-8")
        wait_for("1 error")
        assert (project / "dist" / "SHA256SUMS").read_text("utf-8") == built
        path.write_text(before.replace("Central Library", "New Library"), "utf-8")
        wait_for("0 errors")
        assert (project / "dist" / "SHA256SUMS").read_text("utf-8") != built
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0


@pytest.mark.slow
def test_a_process_that_dies_is_replaced_at_the_next_change(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project", ROOT / "tests" / "projects" / "libraries")
    with watching(project) as (process, wait_for):
        wait_for("0 errors")
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        (worker,) = children.read_text().split()
        os.kill(int(worker), signal.SIGKILL)
        wait_for("LP708")
        path = project / "source" / "libraries.yaml"
        path.write_text(
            path.read_text("utf-8").replace("parent: central", "parent: centre"), "utf-8"
        )
        wait_for("LP206")
        wait_for("1 error")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 1


def test_changes_waits_until_no_more_follow(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    steps = iter(["a: 1", "a: 12", None])

    def wait(_: float) -> None:
        if text := next(steps, None):
            (tmp_path / "source" / "x.yaml").write_text(text)

    (change,) = islice(changes(tmp_path, snapshot(tmp_path), 0, wait), 1)
    assert change.names == ["source/x.yaml"]
    assert change.states == snapshot(tmp_path)
    assert next(steps, "used up") == "used up"


def test_records_elsewhere_are_watched_from_when_records_yaml_names_them(tmp_path: Path) -> None:
    for name in ("source", "data"):
        (tmp_path / name).mkdir()
    declared = tmp_path / "source" / "records.yaml"
    declared.write_text("")
    steps = iter([(declared, "data"), None, (tmp_path / "data" / "x.csv", "id"), None])

    def wait(_: float) -> None:
        if step := next(steps, None):
            step[0].write_text(step[1])

    def others() -> list[Listing]:
        named = declared.read_text().split()
        return [lambda: (f"{name}/x.csv" for name in named)]

    before = snapshot(tmp_path)
    watched = changes(tmp_path, before, 0, wait, others)
    assert [change.names for change in islice(watched, 2)] == [
        ["source/records.yaml"],
        ["data/x.csv"],
    ]


def test_what_a_build_does_not_read_is_not_watched(tmp_path: Path) -> None:
    before = snapshot(tmp_path)
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "x.nq").write_text("x")
    assert changed(before, snapshot(tmp_path)) == []
