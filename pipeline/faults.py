"""What holds when the machine fails: one build at a time, a bound on time, dist/ exchanged in one step, sources that stay as they were."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import filecmp
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from pipeline import scratch
from pipeline.errors import Finding, LodpipeError, Origin, SourceError
from pipeline.reading.snapshot import Snapshot, changed, snapshot

_GRACE = 15.0  # seconds between the word and the end, for work that hears no signal
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_ROOM_WORDS = ("No space left on device", "Disk quota exceeded", "File too large", "No usable temporary directory", "max_temp_directory_size")
# Messages of the linker, of threads and of native code that get no memory.
_WANTS_MEMORY = re.compile("cannot allocate memory|failed to map segment|can't start new thread|bad_alloc|memory allocation", re.I)
_NOT_OFFERED = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM}


@contextlib.contextmanager
def only_one(root: Path) -> Iterator[None]:
    """Holds the project against a second build; the lock falls with the process, however that ends."""
    try:
        handle = os.open(root, os.O_RDONLY)
    except OSError as error:
        raise not_written(error) from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SourceError([Finding("LP702", None, {"detail": "the project folder is locked"})]) from None
        yield
    finally:
        os.close(handle)


def not_written(error: Exception) -> SourceError:
    """The error where dist/ cannot be written (LP701), or the temporary folder (LP706)."""
    finding = unwritable(_file_of(error), error)
    name, detail = finding.words["file"], finding.words["detail"]
    unnamed = isinstance(error, OSError) and not error.filename  # as what Python writes to an open file is: a dump
    if name == "TMPDIR" and not unnamed:
        return SourceError([finding])
    if name not in ("TMPDIR", "–"):
        detail += f" ({name})"
    return SourceError([Finding("LP701", Origin("dist"), {"detail": detail})])


@contextlib.contextmanager
def machine_faults() -> Iterator[None]:
    """Raises SourceError where the machine, not the program or the data, is the reason that work inside fails.

    A pipe that its reader has closed is no fault: BrokenPipeError stays what it is.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except LodpipeError as error:
        reason = error.__context__  # a file is blamed, but the engine had no memory or room
        known = any(one.code.startswith("LP7") for one in error.findings)
        if not known and isinstance(reason, Exception) and (finding := _of_the_machine(reason)) and finding.code in ("LP706", "LP707"):
            raise SourceError([finding]) from error
        raise
    except Exception as error:
        if (finding := _of_the_machine(error)) is None:
            raise
        raise SourceError([finding]) from error


def _of_the_machine(error: Exception) -> Finding | None:
    """The finding for a lack of memory (LP707) or of room (LP706), or for what the system refuses (LP703)."""
    message = str(error).split("\n")[0]
    kind = f"{type(error).__module__}.{type(error).__name__}"
    number = error.errno if isinstance(error, OSError) else None
    if number in _NO_ROOM or any(words in str(error) for words in _NO_ROOM_WORDS):
        return unwritable(_file_of(error), error)
    if isinstance(error, MemoryError) or number == errno.ENOMEM or kind == "_duckdb.OutOfMemoryException" or _WANTS_MEMORY.search(message):
        return Finding("LP707", None, {"detail": message or "MemoryError"})
    if kind == "_duckdb.IOException":
        return Finding("LP703", None, {"file": _file_of(error), "detail": message})
    if isinstance(error, OSError):
        return Finding("LP703", None, {"file": _file_of(error), "detail": error.strerror or message})
    return None


def unwritable(name: str, error: Exception) -> Finding:
    """An output, or the temporary folder, that has no room or may not be written (LP706)."""
    words = next((words for words in _NO_ROOM_WORDS if words in str(error)), str(error).split("\n")[0])
    detail = (error.strerror if isinstance(error, OSError) else None) or words
    return Finding("LP706", None, {"file": name, "detail": detail})


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Where to write a file that is to be there whole or not at all: it takes its place when all is written.

    A pipe or a device is written to as it is; so is a file in a folder that takes no new ones. Raises SourceError (LP706) where there is
    no room or no right.
    """
    target = made = path.resolve()
    plain = target.is_file() or not target.exists()
    try:
        with contextlib.ExitStack() as stack:
            try:
                if plain:
                    made = stack.enter_context(scratch.part_folder(target.parent)) / target.name
            except PermissionError:
                if not os.access(target, os.W_OK):
                    raise
            yield made
            if made != target:
                if target.exists():
                    shutil.copymode(target, made)
                made.replace(target)
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.filename and Path(os.fsdecode(error.filename)).parent not in (target.parent, made.parent):
            raise
        raise SourceError([unwritable(path.name, error)]) from None


def _file_of(error: Exception) -> str:
    """The name of the file that an error is about; TMPDIR where it is none that the user knows."""
    if isinstance(error, OSError) and error.filename:
        path = os.fsdecode(error.filename)
    elif found := re.search(r'file \\?"([^"\\]+)', str(error)):
        path = found[1]
    else:
        # An output is named by its writer (whole_file), so what has no name is a temporary file.
        return "–" if isinstance(error, OSError) and error.errno not in _NO_ROOM | {None, errno.ENOENT} else "TMPDIR"
    return "TMPDIR" if path.startswith(tempfile.gettempdir() + os.sep) else Path(path).name


@contextlib.contextmanager
def deadline(seconds: int) -> Iterator[None]:
    """Raises SourceError (LP705) where the work inside takes longer; 0 means no bound.

    Work that hears no signal is ended with the process after a grace: dist/ is untouched until its very last step.
    """
    if not seconds or threading.current_thread() is not threading.main_thread():
        yield
        return

    def raise_it(_: int, __: FrameType | None) -> None:
        raise SourceError([Finding("LP705", Origin("publication.yaml"), {"limit": str(seconds)})])

    def end_it() -> None:
        sys.stderr.write(f"publication.yaml: error LP705: not done after {seconds} seconds\n")
        sys.stderr.flush()
        os._exit(2)

    before = signal.signal(signal.SIGALRM, raise_it)
    last = threading.Timer(seconds + _GRACE, end_it)
    last.daemon = True
    last.start()
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        last.cancel()
        signal.signal(signal.SIGALRM, before)


def unchanged(root: Path, before: Snapshot) -> None:
    """Raises SourceError (LP704) where a source file is no longer what it was: half of the old and half of the new is published nowhere."""
    if names := changed(before, snapshot(root)):
        raise SourceError([Finding("LP704", Origin(name), {"file": name}) for name in names[:10]])


def recover(dist: Path) -> None:
    """Puts the old folder back where a killed exchange in two steps has left none."""
    old = dist.with_name("dist.old")
    if not dist.exists() and old.is_dir():
        old.rename(dist)


def prepare(root: Path) -> Path:
    """A new, empty folder dist.next/ for a build that holds the lock of the project; what killed builds left is removed before.

    Raises SourceError (LP701) where it cannot be had, or where the old dist/ belongs to another user and could not be removed later.
    """
    scratch.note("project", root)
    target, dist = root / "dist.next", root / "dist"
    try:
        recover(dist)
        for left in (target, root / "dist.old"):
            scratch.delete(left)
        for top, _, _ in os.walk(dist):
            if Path(top).stat().st_uid != os.geteuid() and not os.access(top, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), top)
        target.mkdir()
    except OSError as error:
        raise not_written(error) from None
    return target


def clear_project(root: Path) -> None:
    """Removes what a killed build left in a project, unless another build is running there."""
    with contextlib.suppress(LodpipeError), only_one(root):
        recover(root / "dist")
        scratch.delete(root / "dist.next")


def swap(new: Path, dist: Path, keeping: str = "") -> None:
    """Puts the new folder in the place of the old one; where nothing changed, nothing is touched. Raises OSError.

    `keeping` names a folder that the new one lacks because the old one's is as good: it does not count as a change.
    """
    if dist.is_symlink() or (dist.exists() and not dist.is_dir()):
        raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), "dist")
    if not dist.exists():
        new.rename(dist)
    elif not _same(new, dist, keeping):
        _exchange(new, dist)


def _same(one: Path, other: Path, without: str = "") -> bool:
    """Whether two folders hold the same files with the same bytes; a folder of that name at the top does not count."""
    mine, theirs = _files(one, without), _files(other, without)
    return mine == theirs and all(filecmp.cmp(one / name, other / name, shallow=False) for name in mine)


def _files(folder: Path, without: str) -> set[str]:
    found: set[str] = set()
    for top, folders, files in os.walk(folder):
        if without in folders and top == str(folder):
            folders.remove(without)
        found |= {(Path(top) / name).relative_to(folder).as_posix() for name in files}
    return found


def _exchange(new: Path, dist: Path) -> None:
    """Exchanges two folders in one step where the system offers it, else in two with the old one kept beside."""
    if _exchanged(os.fsencode(new), os.fsencode(dist)):
        return
    old = dist.with_name("dist.old")
    scratch.delete(old)
    dist.rename(old)
    try:
        new.rename(dist)
    except OSError:
        old.rename(dist)
        raise
    scratch.delete(old)


def _exchanged(one: bytes, other: bytes) -> bool:
    """Exchanges two names by renameat2 (Linux) or renamex_np (macOS); False where there is no such call, or not on this disk."""
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "renameat2"):
        at_cwd, exchange = -100, 2
        done = libc.renameat2(at_cwd, one, at_cwd, other, exchange)
    elif hasattr(libc, "renamex_np"):
        done = libc.renamex_np(one, other, 2)
    else:
        return False
    if done == 0:
        return True
    number = ctypes.get_errno()
    if number in _NOT_OFFERED:
        return False
    raise OSError(number, os.strerror(number), "dist")
