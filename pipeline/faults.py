"""What holds when the machine fails: one build at a time, a bound on time, dist/ exchanged in one step, sources that stay as they were."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import filecmp
import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from pipeline.errors import Finding, Origin, SourceError
from pipeline.reading.snapshot import Snapshot, changed, snapshot

_GRACE = 15.0  # seconds between the word and the end, for work that hears no signal
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


def not_written(error: OSError) -> SourceError:
    """What the system says where dist/ cannot be written (LP701)."""
    said = error.strerror or str(error)
    detail = f"{said} ({Path(str(error.filename)).name})" if error.filename else said
    return SourceError([Finding("LP701", Origin("dist"), {"detail": detail})])


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
    shutil.rmtree(old, ignore_errors=True)
    dist.rename(old)
    try:
        new.rename(dist)
    except OSError:
        old.rename(dist)
        raise
    shutil.rmtree(old, ignore_errors=True)


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
