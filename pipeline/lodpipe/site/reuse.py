"""Pages of the last build that are used again: those that would be made of the same things.

A page of a resource, with its siblings in other formats, is made of the rows that the page store
gives for the resource and of what all pages share: the program, the declarations, the menu. The
file `.digest` of a site has a digest of each:

    <of the whole site: while it is the same, nothing is written>
    <of what all pages share>
    <of the rows of a resource> <size of its files in bytes> <page>
    …

A page of the old site with the same two digests gets a second name in the new one (a hard link
where the disk can). The rest is rendered. What cannot be read, was changed by hand, is no regular
file, or has another size, owner or other rights than a new file is rendered as well, so a damaged
site costs time and nothing else.

Packed pages are written into a new archive in the same order, so that a build after a change gives
the same bytes as one from nothing; the entries of an unchanged page are copied as they are.
"""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import os
import shutil
import sqlite3
import stat
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lodpipe.publish.packed_pages import FILE as PACKED
from lodpipe.publish.packed_pages import Entry, SiteArchive

DIGEST = ".digest"
_PROGRAM = Path(__file__).parent.parent
_LIBRARIES = ("duckdb", "jinja2", "markupsafe", "pyoxigraph")


@cache
def program_digest() -> str:
    """This program's own files, and the libraries whose work is seen in pages."""
    total = hashlib.sha256(" ".join(map(version, _LIBRARIES)).encode())
    for path in sorted(_PROGRAM.rglob("*")):
        if "__pycache__" not in path.parts and path.is_file():
            total.update(_file(path, _PROGRAM))
    return total.hexdigest()


def files_digest(root: Path, names: Iterable[str], *given: object) -> str:
    """Files and folders of a project, the program, and what else is `given` (in a spelling that
    is always the same).
    """
    total = hashlib.sha256(repr((program_digest(), *given)).encode())
    for name in names:
        for path in sorted((root / name, *(root / name).rglob("*"))):
            if path.is_file():
                total.update(_file(path, root))
    return total.hexdigest()


def _file(path: Path, root: Path) -> bytes:
    name = Path(os.path.relpath(path, root)).as_posix().encode()  # it may be beside the project
    return name + b"\0" + hashlib.sha256(path.read_bytes()).digest()


def is_fresh(site: Path, digest: str) -> bool:
    """Whether a whole site was made of the same things."""
    try:
        with (site / DIGEST).open(encoding="utf-8") as lines:
            return next(lines, "").rstrip("\n") == digest
    except (OSError, ValueError):
        return False


def rows_digest(rows: Any) -> str:
    """A digest of what one page is made of: texts, numbers and truth values in tuples and lists."""
    return hashlib.blake2b(marshal.dumps(rows, 2), digest_size=16).hexdigest()


def link(source: Path | str, target: Path | str) -> None:
    """A second name for a file; a copy where the disk has no such thing. Raises FileExistsError."""
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:
        shutil.copyfile(source, target)


def link_tree(source: Path, target: Path, without: str = "") -> None:
    """Every file of a folder under a second name; the same bytes take no place twice where the disk
    can do that.
    """
    folders: set[str] = set()
    for name in _tree(source, without):
        folder = name.rpartition("/")[0]
        if folder not in folders:
            (target / folder).mkdir(parents=True, exist_ok=True)
            folders.add(folder)
        link(f"{source}/{name}", f"{target}/{name}")


def _tree(folder: Path, without: str) -> Iterator[str]:
    """The files of a folder, but not those in a folder of that name at its top."""
    for top, folders, files in os.walk(folder):
        if without in folders and Path(top) == folder:
            folders.remove(without)
        start = "" if Path(top) == folder else f"{Path(top).relative_to(folder).as_posix()}/"
        yield from (start + name for name in files)


class PageReuse:
    """The pages of the old site, and those of the new one as they are written.

    `dist` is the new folder, which holds everything but the pages, `old` the last one.
    """

    def __init__(self, dist: Path, old: Path, shared: str) -> None:
        self._old, self._new, self.shared = old / "site", dist / "site", shared
        before, now = ({*_tree(folder, "site")} for folder in (old, dist))
        self._of_dist, self._replaced = now, before ^ now
        # What a new file would have: a folder's rights show the umask.
        mode = stat.S_IFREG | self._new.stat().st_mode & 0o666
        self._mode_and_owner = mode, os.geteuid()
        self._lines: list[str] = []
        self._done: set[str] = set()
        self._folder: str | None = None
        self._descriptors: list[int] = []
        self._newest, self._known = _read(self._old / DIGEST, shared)

    def take(self, page: str, names: Sequence[str], digest: str) -> bool:
        """Whether a page needs no rendering: its files are those of the old site, or were written
        for another resource whose page has that name.
        """
        if not self.begin(page):
            return True
        own = [name for name in names if name not in self._of_dist]
        size = self._take(page, own, digest) if self._replaced.isdisjoint(names) else None
        if size is None:
            return False
        self._lines.append(f"{digest} {size} {page}\n")
        return True

    def begin(self, page: str) -> bool:
        """Whether no other resource has a page of that name."""
        is_new = page not in self._done
        self._done.add(page)
        return is_new

    def take_packed(self, page: str, names: Sequence[str], digest: str) -> list[Entry] | None:
        """The files of a page in the old archive, where they are as they were; else None."""
        known, size = self._known.get(page, ("", 0))
        if known != digest or self._archive is None or not self._replaced.isdisjoint(names):
            return None
        own = [name for name in names if name not in self._of_dist]
        try:
            entries = self._archive.entries(own)
        except sqlite3.Error:  # it is damaged
            return None
        if len(entries) != len(own) or sum(entry.size for entry in entries) != size:
            return None
        self.noted(page, size, digest)
        return entries

    @cached_property
    def _archive(self) -> SiteArchive | None:
        """The packed pages of the old site; None where there are none, or they were changed."""
        path = self._old / PACKED
        with contextlib.suppress(OSError, sqlite3.Error):
            state = path.lstat()
            if (state.st_mode, state.st_uid) == self._mode_and_owner and (
                state.st_mtime_ns <= self._newest
            ):
                return SiteArchive(path)
        return None

    def _take(self, page: str, names: Sequence[str], digest: str) -> int | None:
        """The size of the files of a page that were linked; None where one is not as it was."""
        known, size = self._known.get(page, ("", 0))
        if known != digest:
            return None
        try:
            states = [self._state(name) for name in names]
            if (
                sum(state.st_size for state in states) != size
                or any(state.st_mtime_ns > self._newest for state in states)
                or any((state.st_mode, state.st_uid) != self._mode_and_owner for state in states)
            ):
                return None
            for name in names:
                self._link(name)
        except OSError:  # what was linked before is as good as what is rendered
            return None
        return size

    def _state(self, path: str) -> os.stat_result:
        name, old, _ = self._opened(path)
        return os.stat(name, dir_fd=old, follow_symlinks=False)

    def _link(self, path: str) -> None:
        name, old, new = self._opened(path)
        try:
            os.link(name, name, src_dir_fd=old, dst_dir_fd=new)
        except FileExistsError:
            raise
        except OSError:
            shutil.copyfile(f"{self._old}/{path}", f"{self._new}/{path}")

    def _opened(self, path: str) -> tuple[str, int, int]:
        """The name of a file and its folders in the old and the new site. They stay open, because
        most files are in the folder of the one before, and a long path takes longer than a link.
        """
        folder, _, name = path.rpartition("/")
        if folder != self._folder:
            self._close()
            (self._new / folder).mkdir(parents=True, exist_ok=True)
            for site in (self._old, self._new):
                self._descriptors.append(os.open(site / folder, os.O_RDONLY | os.O_DIRECTORY))
            self._folder = folder
        old, new = self._descriptors
        return name, old, new

    def _close(self) -> None:
        self._folder = None
        while self._descriptors:
            os.close(self._descriptors.pop())

    def rendered(self, page: str, names: Sequence[str], digest: str) -> None:
        """Notes a page whose files were written."""
        own = [name for name in names if name not in self._of_dist]
        with contextlib.suppress(FileNotFoundError):
            size = sum(os.lstat(f"{self._new}/{name}").st_size for name in own)
            self.noted(page, size, digest)

    def noted(self, page: str, size: int, digest: str) -> None:
        """Notes a page whose files have been written and have so many bytes together."""
        self._lines.append(f"{digest} {size} {page}\n")

    def is_of_dist(self, name: str) -> bool:
        """Whether a file is one of dist/, and none of the pages."""
        return name in self._of_dist

    def write(self, digest: str) -> None:
        """The digests of the new site, when all its pages are written."""
        self._close()
        with (self._new / DIGEST).open("w", encoding="utf-8", newline="\n") as out:
            out.write(f"{digest}\n{self.shared}\n")
            out.writelines(sorted(self._lines))


def _read(mark: Path, shared: str) -> tuple[int, dict[str, tuple[str, int]]]:
    """When a site was finished, and page → digest and size; none where it shared something else."""
    try:
        newest = mark.lstat().st_mtime_ns
        lines = mark.read_text("utf-8").split("\n")
        if lines[1] != shared:
            return 0, {}
        rows = [line.split(" ", 2) for line in lines[2:-1]]
        return newest, {page: (digest, int(size)) for digest, size, page in rows}
    except (OSError, ValueError, IndexError):
        return 0, {}
