"""Outputs that cannot be written, readers that go away, and too little memory: a finding or
silence, the documented exit code, no traceback.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration
from lodpipe.runtime.machine import machine_faults
from support import PROGRAM, ROOT, copy_project, errors_in, fingerprint, invoke, run_process
from test_signals import COMMANDS, Place, prepared

LIBRARIES = ROOT / "tests" / "projects" / "libraries"
PIPED = [
    ("map", "map.yaml"),
    ("validate", "data.nt", "--shapes", "strict.ttl", "--engine", "columns"),
    ("query", "--project", "project", "all.rq"),
    ("explain", "--project", "project", "library/central"),
    ("explain", "LP206"),
    ("check", "--project", "project", "--format", "json"),
    ("build", "--project", "project", "-v"),
    ("--help",),
    ("check", "--help"),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    prepared_place = prepared(
        tmp_path_factory.mktemp("outputs"),
        rows=5_000,
        measured=("check", "map to a file", "map to Turtle"),
    )
    shapes = (prepared_place.folder / "shapes.ttl").read_text("utf-8")
    (prepared_place.folder / "strict.ttl").write_text(
        shapes.replace("sh:minLength 6", "sh:minLength 14"), "utf-8"
    )
    return prepared_place


def run_in(place: Place, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"TMPDIR": str(place.temporary)}
    settings: dict[str, object] = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "env": environment,
        **options,
    }
    return subprocess.run(
        [*PROGRAM, *arguments], cwd=place.folder, text=True, check=False, timeout=120, **settings
    )  # type: ignore[call-overload]


# -- a reader that goes away -----------------------------------------------------------------------


@pytest.mark.parametrize("arguments", PIPED, ids=" ".join)
def test_a_pipe_that_is_closed_ends_the_run_in_silence(
    arguments: tuple[str, ...], place: Place
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        together = arguments[0] in ("validate", "build")  # what these say goes to standard error
        done = run_in(
            place, *arguments, stdout=writing, **({"stderr": writing} if together else {})
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr or "") == (141, "")
    assert place.left() == []


# -- a full disk -----------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", PIPED[:1] + PIPED[2:6], ids=" ".join)
def test_a_full_standard_output_is_reported(arguments: tuple[str, ...], place: Place) -> None:
    with Path("/dev/full").open("w") as full:
        done = run_in(place, *arguments, stdout=full)
    assert (done.returncode, [finding.code for finding in errors_in(done.stderr)]) == (
        2,
        ["LP706"],
    ), done.stderr
    assert "standard output" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("map to a file", 100),
        ("map to a file", 0),
        ("map to Turtle", 100),
        ("validate", 100),
        ("check", 100),
    ],
)
def test_an_output_without_room_is_reported_by_its_name(
    name: str, limit: int, place: Place
) -> None:
    """A bound on the size of files represents the disk (EFBIG for ENOSPC): the engine's and
    Python's own writers.
    """
    arguments, file = COMMANDS[name], COMMANDS[name][-1]
    if name == "validate":
        arguments = (
            "validate",
            "data.nt",
            "--shapes",
            "strict.ttl",
            "--engine",
            "columns",
            "--report",
            file,
        )
    done = run_in(
        place,
        *arguments,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert (done.returncode, {finding.code for finding in errors_in(done.stderr)}) == (
        2,
        {"LP706"},
    ), done.stderr
    assert Path(file).name in done.stderr or "TMPDIR" in done.stderr
    assert "Traceback" not in done.stderr
    assert place.left() == []
    assert fingerprint(place.folder / "out").items() <= place.outputs.items()


def test_a_full_disk_is_reported_and_the_old_file_is_kept(
    place: Place, tmp_path: Path, is_root: bool
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(disk)]
    if not is_root or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no right to mount a disk")
    try:
        for name in ("made.nq", "made.ttl", "made.trig"):
            (disk / name).write_text("old")
            done = run_in(place, "map", "map.yaml", "-o", str(disk / name))
            assert (done.returncode, [finding.code for finding in errors_in(done.stderr)]) == (
                2,
                ["LP706"],
            ), done.stderr
            assert name in done.stderr
            assert (disk / name).read_text() == "old"
            assert {path.name for path in disk.iterdir()} <= {"made.nq", "made.ttl", "made.trig"}
        done = run_in(place, "map", "map.yaml", env=os.environ | {"TMPDIR": str(disk)})
        assert (done.returncode, [finding.code for finding in errors_in(done.stderr)]) == (
            2,
            ["LP706"],
        ), done.stderr
        assert "TMPDIR" in done.stderr
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


# -- too little memory -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "megabytes"),
    [
        ("map to a file", 150),
        ("map to a file", 400),
        ("validate", 250),
        ("query", 250),
        ("check", 400),
    ],
)
def test_too_little_memory_is_reported(name: str, megabytes: int, place: Place) -> None:
    bound = megabytes << 20
    done = run_in(
        place,
        *COMMANDS[name],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (bound, bound)),
    )
    if done.returncode != 0:
        assert (done.returncode, [finding.code for finding in errors_in(done.stderr)]) == (
            2,
            ["LP707"],
        ), done.stderr
        assert "Traceback" not in done.stderr
    assert place.left() == []


def kill_worker(place: Place, number: signal.Signals) -> tuple[int, str]:
    """Sends a signal to the process that works, as the system does."""
    process = place.start("map to Turtle")
    worker = 0
    while not worker:
        time.sleep(0.02)
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == process.pid:
                worker = int(path.parent.name)
    time.sleep(0.05)  # it has begun, and has not finished yet
    os.kill(worker, number)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


@pytest.mark.skipif(sys.platform != "linux", reason="finds the worker in /proc")
@pytest.mark.parametrize(
    ("number", "code", "finding"),
    [(signal.SIGKILL, 137, "LP708"), (signal.SIGXCPU, 152, "LP708"), (signal.SIGSEGV, 3, "LP709")],
)
def test_a_worker_that_dies_is_reported_and_cleared_up_after(
    number: signal.Signals, code: int, finding: str, place: Place
) -> None:
    returned, errors = kill_worker(place, number)
    assert (returned, [finding.code for finding in errors_in(errors)]) == (code, [finding]), errors
    assert place.left() == []


# -- what is in the way ----------------------------------------------------------------------------


def bound_by_rights() -> None:
    """Takes from root what lets it pass over permissions: from the next program on, they bind it as
    they bind its files' owner.
    """
    for capability in range(64):
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


@pytest.fixture
def built(tmp_path: Path) -> Path:
    project = copy_project(tmp_path / "project", LIBRARIES)
    assert run_process("build", "--project", project).returncode == 0
    return project


def rebuild(
    project: Path, name: str, before: Callable[[], object] = lambda: None
) -> subprocess.CompletedProcess[str]:
    """A build after a change of the records, by a user whom permissions bind."""
    path = project / "source" / "libraries.yaml"
    path.write_text(
        path.read_text("utf-8").replace("Central Library", name).replace("Main Library", name),
        "utf-8",
    )

    def prepare() -> None:
        bound_by_rights()
        before()

    return subprocess.run(
        [*PROGRAM, "build", "--project", str(project), "--lang", "en"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        preexec_fn=prepare,
    )


def test_a_read_only_dist_is_replaced_again_and_again(built: Path) -> None:
    for name in ("Main Library", "Central Library"):
        for path in (built / "dist", *(built / "dist").rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        done = rebuild(built, name)
        assert done.returncode == 0, done.stderr
        assert [path.name for path in built.glob("dist*")] == ["dist"]
        assert name in (built / "dist" / "libraries.ttl").read_text("utf-8")


def test_a_dist_of_another_user_is_reported_before_anything_is_done(
    built: Path, is_root: bool
) -> None:
    if not is_root:
        pytest.skip("no right to give files away")
    for path in (built / "dist", *(built / "dist").rglob("*")):
        os.chown(path, 12345, 12345)
    before = fingerprint(built / "dist")
    done = rebuild(built, "Main Library")
    assert (done.returncode, [finding.code for finding in errors_in(done.stderr)]) == (
        2,
        ["LP701"],
    ), done.stderr
    assert fingerprint(built / "dist") == before
    assert [path.name for path in built.glob("dist*")] == ["dist"]


def test_a_next_folder_that_a_kill_left_read_only_is_cleared(built: Path) -> None:
    (built / "dist.next" / "schema").mkdir(parents=True)
    (built / "dist.next" / "schema" / "x.json").write_text("{}")
    for path in (built / "dist.next" / "schema", built / "dist.next"):
        path.chmod(0o500)
    assert rebuild(built, "Main Library").returncode == 0
    assert [path.name for path in built.glob("dist*")] == ["dist"]


@pytest.mark.parametrize("mask", [0o077, 0o777])
def test_no_umask_changes_a_byte_or_blocks_the_next_build(mask: int, built: Path) -> None:
    first = rebuild(built, "Main Library")
    assert first.returncode == 0
    wanted = fingerprint(built / "dist")
    assert rebuild(built, "Central Library").returncode == 0
    done = rebuild(built, "Main Library", lambda: os.umask(mask) and None)
    if mask == 0o777:  # the files that are made can be read by no one, their owner included
        assert done.returncode == 2, done.stderr
        assert {finding.code for finding in errors_in(done.stderr)} <= {"LP701", "LP706"}, (
            done.stderr
        )
        assert rebuild(built, "Main Library").returncode == 0
    assert fingerprint(built / "dist") == wanted
    assert [path.name for path in built.glob("dist*")] == ["dist"]


def test_only_abandoned_folders_of_this_user_are_cleared(tmp_path: Path, is_root: bool) -> None:
    from lodpipe.runtime import scratch

    owned = scratch.Scratch(tmp_path, "lodpipe-run-{pid}-{random}")
    names = {
        word: f"lodpipe-run-1-{number:016x}"
        for number, word in enumerate(["abandoned", "foreign", "link", "file"])
    }
    for word in ("abandoned", "foreign"):
        (tmp_path / names[word] / "deep").mkdir(parents=True)
    (tmp_path / "lodpipe-mine").mkdir()
    (tmp_path / names["link"]).symlink_to(tmp_path / "lodpipe-mine")
    (tmp_path / names["file"]).write_text("")
    if is_root:
        os.chown(tmp_path / names["foreign"], 12345, 12345)
    (tmp_path / names["abandoned"] / "deep").chmod(stat.S_IRUSR)
    scratch.clear_abandoned(tmp_path, scratch.RUN)
    remaining = {
        owned.path.name,
        "lodpipe-mine",
        names["link"],
        names["file"],
        *([names["foreign"]] if is_root else []),
    }
    assert {path.name for path in tmp_path.iterdir()} == remaining
    owned.remove()
    assert not owned.path.exists()


# -- what fails a run ------------------------------------------------------------------------------


def test_with_fail_on_never_only_wrong_declarations_fail_a_check(built: Path) -> None:
    path = built / "source" / "libraries.yaml"
    path.write_text(path.read_text("utf-8").replace("parent: central", "parent: centre"), "utf-8")
    result = invoke("check", "--project", built, "--lang", "en", "--fail-on", "never")
    assert (result.exit_code, {finding.code for finding in errors_in(result.stderr)}) == (
        0,
        {"LP206"},
    )
    assert invoke("check", "--project", built).exit_code == 1
    assert invoke("build", "--project", built, "--fail-on", "never").exit_code == 1
    (built / "shapes" / "libraries.ttl").write_text("no Turtle")
    assert invoke("check", "--project", built, "--fail-on", "never").exit_code == 2


def test_an_error_that_has_no_message_any_more_is_no_traceback() -> None:
    """As errors of Spark when its Java has ended."""

    class Silent(Exception):
        def __str__(self) -> str:
            raise AssertionError("Java has ended")

    finding = Finding("LP613", None, {"master": "local", "detail": "it has ended"})
    with pytest.raises(InvalidDeclaration), machine_faults():
        try:
            raise Silent
        except Silent:
            raise InvalidDeclaration([finding]) from None
