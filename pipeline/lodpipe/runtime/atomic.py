"""dist/ is exchanged in one step, by one build at a time; a build that was killed leaves the old
folder or the new one, whole.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import filecmp
import os
from collections.abc import Iterator
from pathlib import Path

from lodpipe.diagnostics.finding import Finding, LodpipeError, SourceError
from lodpipe.runtime import scratch
from lodpipe.runtime.locks import AVAILABLE, lock
from lodpipe.runtime.machine import not_written

_NOT_OFFERED = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM}


@contextlib.contextmanager
def exclusive(root: Path) -> Iterator[None]:
    """Holds the project against a second build; the lock falls with the process, however that ends."""
    if not AVAILABLE:
        yield
        return
    try:
        handle = os.open(root, os.O_RDONLY)
    except OSError as error:
        raise not_written(error) from None
    try:
        try:
            lock(handle)
        except OSError:
            raise SourceError(
                [Finding("LP702", None, {"detail": "the project folder is locked"})]
            ) from None
        yield
    finally:
        os.close(handle)


def recover(dist: Path) -> None:
    """Puts the old folder back where a killed exchange in two steps has left none."""
    old = dist.with_name("dist.old")
    if not dist.exists() and old.is_dir():
        old.rename(dist)


def prepare(root: Path) -> Path:
    """A new, empty folder dist.next/ for a build that holds the lock of the project; what killed
    builds left is removed before.

    Raises SourceError (LP701) where it cannot be had, or where the old dist/ belongs to another
    user and could not be removed later.
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
    with contextlib.suppress(LodpipeError), exclusive(root):
        recover(root / "dist")
        scratch.delete(root / "dist.next")


def swap(new: Path, dist: Path, keeping: str = "") -> None:
    """Puts the new folder in the place of the old one; where nothing changed, nothing is touched.
    Raises OSError.

    `keeping` names a folder that the new one lacks because the old one's is as good: it does not
    count as a change.
    """
    if dist.is_symlink() or (dist.exists() and not dist.is_dir()):
        raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), "dist")
    if not dist.exists():
        new.rename(dist)
    elif not _same(new, dist, keeping):
        _exchange(new, dist)


def _same(path: Path, other: Path, without: str = "") -> bool:
    """Whether two folders hold the same files with the same bytes; a folder of that name at the top
    does not count.

    Files come before folders, because any change shows in the checksums at the top.
    """
    entries = _entries(path, without)
    if entries != _entries(other, without):
        return False
    files = (name for name, is_folder in entries.items() if not is_folder)
    folders = (name for name, is_folder in entries.items() if is_folder)
    return all(filecmp.cmp(path / name, other / name, shallow=False) for name in files) and all(
        _same(path / name, other / name) for name in folders
    )


def _entries(folder: Path, without: str) -> dict[str, bool]:
    """What is in a folder, and whether it is a folder."""
    with os.scandir(folder) as entries:
        return {
            entry.name: entry.is_dir(follow_symlinks=False)
            for entry in entries
            if entry.name != without
        }


def _exchange(new: Path, dist: Path) -> None:
    """Exchanges two folders in one step where the system offers it, else in two with the old one
    kept beside.
    """
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


def _exchanged(data: bytes, other: bytes) -> bool:
    """Exchanges two names by renameat2 (Linux) or renamex_np (macOS); False where there is no such
    call, or not on this disk.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "renameat2"):
        at_cwd, exchange = -100, 2
        done = libc.renameat2(at_cwd, data, at_cwd, other, exchange)
    elif hasattr(libc, "renamex_np"):
        done = libc.renamex_np(data, other, 2)
    else:
        return False
    if done == 0:
        return True
    number = ctypes.get_errno()
    if number in _NOT_OFFERED:
        return False
    raise OSError(number, os.strerror(number), "dist")
