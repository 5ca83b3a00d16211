"""Pages in one file instead of a tree of millions: an SQLite Archive, of which a reader needs the
bytes of an entry and a few pages of an index.

    sqlar    name, mode, mtime, sz: bytes of the file, data: as they are, or by zlib where that is
             shorter (then it has fewer bytes than sz)

`sqlite3 pages.sqlar -A --list` and `--extract` read it. Entries come in the order in which they were
put, without a time, so that the same pages give the same bytes.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

_TABLE = "CREATE TABLE sqlar (name TEXT PRIMARY KEY, mode INT, mtime INT, sz INT, data BLOB)"
_PAGE = 16_384  # bytes: of pages with 4 kB, every second one would be half empty
_AT_ONCE = 1000  # entries
_MODE = 0o100644
_FAST = 1  # level of zlib: a page has a third of its bytes; the best level gains a tenth more


class Entry(NamedTuple):
    """A file as it is in an archive: its name, its size in bytes, and its data, packed or as they
    are.
    """

    name: str
    size: int
    data: bytes


class ArchiveWriter:
    """Writes a new archive; it is complete when the context ends."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._entries: list[Entry] = []

    def __enter__(self) -> ArchiveWriter:
        for pragma in (f"page_size = {_PAGE}", "journal_mode = OFF", "synchronous = OFF"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute(_TABLE)
        self._connection.execute("BEGIN")
        return self

    def put(self, name: str, content: bytes) -> int:
        """Adds a file and returns its size; of two with one name, the first stays."""
        packed = zlib.compress(content, _FAST)
        data = packed if len(packed) < len(content) else content
        self.add([Entry(name, len(content), data)])
        return len(content)

    def add(self, entries: Iterable[Entry]) -> None:
        """Adds files as another archive has them."""
        self._entries.extend(entries)
        if len(self._entries) >= _AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        self._connection.executemany(
            f"INSERT OR IGNORE INTO sqlar VALUES (?, {_MODE}, 0, ?, ?)", self._entries
        )
        self._entries.clear()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._flush()
            self._connection.execute("COMMIT")
        self._connection.close()


class SiteArchive:
    """An archive to read from, from any thread. It stays readable when another takes its place."""

    def __init__(self, path: Path) -> None:
        self.modified = path.stat().st_mtime_ns
        address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        self._connection = sqlite3.connect(address, uri=True, check_same_thread=False)

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        rows = self._connection.execute("SELECT 1 FROM sqlar WHERE name = ?", (name,))
        return rows.fetchone() is not None

    def entries(self, names: Sequence[str]) -> list[Entry]:
        """The files of these names that there are, in their order in the archive."""
        marks = ", ".join("?" * len(names))
        query = f"SELECT name, sz, data FROM sqlar WHERE name IN ({marks}) ORDER BY rowid"
        return [Entry(*row) for row in self._connection.execute(query, names)]

    def read(self, name: str) -> bytes | None:
        """The bytes of a file; None where there is none of this name."""
        rows = self._connection.execute("SELECT sz, data FROM sqlar WHERE name = ?", (name,))
        if (row := rows.fetchone()) is None:
            return None
        size, data = row
        return bytes(data) if len(data) == size else zlib.decompress(data)
