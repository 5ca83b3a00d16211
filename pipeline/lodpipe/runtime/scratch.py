"""Folders that a run needs only while it runs: named so that people recognise them, locked so that
no other run removes them.

    lodpipe-run-4711-k3x9…     in the temporary folder: spilled rows, stores, what libraries put into TMPDIR
    lodpipe-task-4711-a7b1…    the same, of a task of Spark, in a folder of its executor
    .lodpipe-4711-p0q2….part   beside an output: the file before it takes its place

The owner holds a lock (flock) on the folder, which the system releases however the process ends. A
folder whose lock is free, and that belongs to the same user, was left by a process that was killed:
the next run removes it. The number in the name is that of the process, for people; numbers are used
again and differ between containers, so nothing is decided by it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from lodpipe.runtime.locks import lock

RUN = re.compile(r"lodpipe-run-[0-9]+-[0-9a-f]{16}")
PART = re.compile(r"\.lodpipe-[0-9]+-[0-9a-f]{16}\.part")
_LEDGER = (
    "ledger"  # in the folder of a run: what else has to be cleared after it, a line of JSON each
)
_run_folder: Path | None = None  # of this process, set by `enter`


class Scratch:
    """A new, locked folder; `remove` removes it with all that is in it."""

    def __init__(
        self, parent: Path, name: str, announce: Callable[[Path], None] = lambda _: None
    ) -> None:
        """Calls `announce` with the path before it is made. Raises OSError where it cannot be made."""
        self._lock: int | None = None
        while self._lock is None:
            self.path = parent / name.format(pid=os.getpid(), random=secrets.token_hex(8))
            announce(self.path)
            self.path.mkdir()
            # Another run may take it for abandoned before it is locked; then the next name is
            # tried.
            with contextlib.suppress(FileNotFoundError, BlockingIOError):
                self.path.chmod(0o700)  # whatever the umask
                lock = _opened(self.path)
                if _lock(lock) and not _is_at(self.path, lock):
                    os.close(lock)
                    continue
                self._lock = lock

    def remove(self) -> None:
        """Removes the folder, then releases its lock."""
        delete(self.path)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def run_folder() -> Scratch | None:
    """The folder of a run, in the temporary folder; None where the system offers none. Folders of
    killed runs are cleared first.
    """
    try:
        parent = Path(tempfile.gettempdir())
        clear_abandoned(parent, RUN)
        return Scratch(parent, "lodpipe-run-{pid}-{random}")
    except OSError:
        return None


@contextlib.contextmanager
def part_folder(parent: Path) -> Iterator[Path]:
    """A folder on the disk of an output, for a file that takes its place when it is complete.
    Raises OSError.
    """
    clear_abandoned(parent, PART)
    # Noted first: a process may be killed in the moment between.
    scratch = Scratch(parent, ".lodpipe-{pid}-{random}.part", lambda path: note("part", path))
    try:
        yield scratch.path
    finally:
        scratch.remove()


def enter(folder: Path) -> None:
    """Makes this process, and those that it starts, put temporary files into the folder of the run."""
    global _run_folder
    _run_folder = folder
    tempfile.tempdir = str(folder)
    os.environ["TMPDIR"] = str(folder)


def note(kind: str, path: Path) -> None:
    """Records what has to be cleared up outside of the folder of the run: a `part`, or a `project`
    that is built.
    """
    if _run_folder is not None:
        with (
            contextlib.suppress(OSError),
            (_run_folder / _LEDGER).open("a", encoding="utf-8") as ledger,
        ):
            ledger.write(json.dumps([kind, os.fsdecode(path.resolve())]) + "\n")


def noted(folder: Path) -> Iterator[tuple[str, Path]]:
    """What a run has recorded."""
    with contextlib.suppress(OSError, ValueError):
        for line in (folder / _LEDGER).read_text("utf-8").splitlines():
            kind, path = json.loads(line)
            yield str(kind), Path(path)


def clear_abandoned(parent: Path, names: re.Pattern[str]) -> None:
    """Removes the folders of that name whose owner is gone; never one that is locked, is a link, or
    belongs to another user.
    """
    try:
        with os.scandir(parent) as entries:
            folders = [Path(entry.path) for entry in entries if names.fullmatch(entry.name)]
    except OSError:
        return
    for path in folders:
        remove_if_abandoned(path)


def remove_if_abandoned(path: Path) -> None:
    """Removes a folder with this user's rights whose lock is free; what it has recorded is removed
    first.
    """
    try:
        if path.lstat().st_uid != os.geteuid():
            return
        _give_rights(path)
        lock = _opened(path)
    except OSError:
        return
    try:
        if _lock(lock) and _is_at(path, lock):
            for kind, other in noted(path):
                if kind == "part" and PART.fullmatch(other.name):
                    remove_if_abandoned(other)
            delete(path)
    except BlockingIOError:
        pass  # its owner is running
    finally:
        os.close(lock)


def delete(path: Path) -> None:
    """Removes a folder of one's own, read-only folders inside it as well; what cannot be removed
    stays.
    """
    if path.is_symlink() or not path.is_dir():
        return
    shutil.rmtree(path, ignore_errors=True)
    if path.exists():
        with contextlib.suppress(OSError):
            _give_rights(path)
        for top, folders, _ in os.walk(path):
            for name in folders:
                with contextlib.suppress(OSError):
                    _give_rights(Path(top, name))
        shutil.rmtree(path, ignore_errors=True)


def _give_rights(path: Path) -> None:
    """Lets the owner of a folder list and change it."""
    mode = stat.S_IMODE(path.lstat().st_mode)
    if mode & 0o700 != 0o700:
        path.chmod(mode | 0o700)


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def _lock(descriptor: int) -> bool:
    """Takes the lock of an open folder; False where the file system has no locks. Raises
    BlockingIOError where another process has it.
    """
    try:
        lock(descriptor)
    except BlockingIOError:
        raise
    except OSError:
        return False
    return True


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether an open folder still has its name."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except OSError:
        return False
