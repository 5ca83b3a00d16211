"""Records of files that were read before, by what the files contain.

A cache is one file for a table of a project, below `~/.cache/lodpipe` (or `$XDG_CACHE_HOME`). It is
a log: entries are added at its end, and the last one of a key counts.

    head   | MAGIC
    entry  | length of the content (4 bytes) | key (16) | digest of the content (16) | content

A key is a digest of the bytes of a file and of all else that decides what its records are: the
program, the declarations, the limits, and its path where a column has it. An entry whose digest is
wrong ends the log, as a log does that was cut off: what follows is read again from the sources and
replaces it. Nothing is taken from a folder or file that another user could have written. Entries
are data, never code.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path

from lodpipe.runtime.locks import lock

MAGIC = b"lodpipe records 1\n"
_KEY = _DIGEST = 16
_HEAD = 4 + _KEY + _DIGEST
MOST_BYTES = 1_000_000_000  # of all caches together
_MOST_WASTE = 2  # times that the log may be as large as what it is used for


def digest(*parts: bytes) -> bytes:
    """A digest of several parts, each with its length, so that no two lists of parts are alike."""
    total = blake2b(digest_size=_KEY)
    for part in parts:
        total.update(len(part).to_bytes(8, "big"))
        total.update(part)
    return total.digest()


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The folder of the caches; None where there is no home, or caches are not wanted
    (`LODPIPE_CACHE=off`).
    """
    if environment.get("LODPIPE_CACHE") == "off":
        return None
    if (named := environment.get("XDG_CACHE_HOME", "")) and Path(named).is_absolute():
        return Path(named) / "lodpipe"
    home = environment.get("HOME", "")
    return Path(home) / ".cache" / "lodpipe" if home and Path(home).is_absolute() else None


class RecordCache:
    """The log of one table. Whatever is wrong with it, it only has fewer entries."""

    def __init__(self, folder: Path | None, name: str) -> None:
        self._path = folder / f"{name}.records" if folder else None
        self._known: dict[bytes, bytes] = {}
        self._used: set[bytes] = set()
        self._new: dict[bytes, bytes] = {}
        self._size = self._end = 0
        if self._path:
            with contextlib.suppress(OSError):
                self._load(self._path)

    def _load(self, path: Path) -> None:
        if not _is_ours(path.parent):
            return
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            if _is_own_file(os.fstat(handle)):
                data = file.read()
                self._size = len(data)
                self._end = len(MAGIC) if data.startswith(MAGIC) else 0
                for key, content, end in _entries(data):
                    self._known[key] = content
                    self._end = end

    def get(self, key: bytes) -> bytes | None:
        """The content of a key."""
        content = self._known.get(key)
        if content is not None:
            self._used.add(key)
        return content

    def put(self, key: bytes, content: bytes) -> None:
        """Keeps the content of a key for the next run."""
        self._new[key] = content

    def write(self) -> None:
        """Adds what is new to the log, or writes the whole log again where most of it is not used. Another
        process that does the same goes before.
        """
        if self._path is None or not self._new:
            return
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _is_ours(self._path.parent):
                with _locked(self._path.parent):
                    self._write(self._path)
                    _shrink(self._path.parent, MOST_BYTES)

    def _write(self, path: Path) -> None:
        entries = b"".join(_entry(key, content) for key, content in self._new.items())
        used = sum(_HEAD + len(self._known[key]) for key in self._used) + len(entries)
        is_same = path.is_file() and path.stat().st_size == self._size and self._end > 0
        if is_same and self._end + len(entries) <= _MOST_WASTE * used:
            handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            with os.fdopen(handle, "wb") as file:
                file.seek(self._end)
                file.write(entries)
                file.truncate()
            return
        old = b"".join(_entry(key, self._known[key]) for key in sorted(self._used))
        new = path.with_suffix(f".{os.getpid()}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(new, flags, 0o600), "wb") as file:
                file.write(MAGIC + old + entries)
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)


def _entry(key: bytes, content: bytes) -> bytes:
    return b"".join((len(content).to_bytes(4, "big"), key, digest(key, content), content))


def _entries(data: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Key, content and end of each entry, up to the first that is not whole."""
    at = len(MAGIC)
    if not data.startswith(MAGIC):
        return
    while at + _HEAD <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        key = data[at + 4 : at + 4 + _KEY]
        begin, end = at + _HEAD, at + _HEAD + length
        content = data[begin:end]
        if end > len(data) or digest(key, content) != data[at + 4 + _KEY : begin]:
            return
        yield key, content, end
        at = end


def _is_ours(folder: Path) -> bool:
    """Whether a folder is this user's, and no one else can write in it."""
    state = folder.lstat()
    return (
        stat.S_ISDIR(state.st_mode)
        and state.st_uid == os.geteuid()
        and not state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )


def _is_own_file(state: os.stat_result) -> bool:
    return (
        stat.S_ISREG(state.st_mode)
        and state.st_uid == os.geteuid()
        and not state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        and state.st_size <= MOST_BYTES
    )


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Holds a folder against another writer. Raises BlockingIOError where there is one."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        lock(handle)
        yield
    finally:
        os.close(handle)


def _shrink(folder: Path, most: int) -> None:
    """Removes the logs that were written least lately, until all together are small enough."""
    logs = sorted(
        ((path.stat().st_mtime_ns, path.stat().st_size, path) for path in folder.iterdir()),
        reverse=True,
    )
    total = 0
    for _, size, path in logs:
        total += size
        if total > most:
            path.unlink(missing_ok=True)
