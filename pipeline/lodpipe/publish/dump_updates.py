"""Dumps of the last build that are used again.

Where few statements changed, a dump is written from the old one: the blocks of resources (in TriG:
of graphs) that changed are written again, all others are copied. The new blocks are a small document
of the same format, written by the format's own writer and read back as a whole dump is:

    old dump    head  <a> "A"  <b> "B"  <c> "C"  end
    document    head  <b> "D"  end                       <b> was changed, <c> is no longer described
    new dump    head  <a> "A"  <b> "D"  end

The file `.dumps` of the old site says who made them: it is a digest of this program, the
declarations, and SHA256SUMS, whose digests the files must have. Where anything is not as it was,
dumps are written as if there were no old ones.
"""

from __future__ import annotations

import hashlib
import heapq
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

from lodpipe.engine.statements import Statements
from lodpipe.releases.difference import NotSorted, differences
from lodpipe.releases.naming import split_object

MARK = ".dumps"
_BLOCK = 1 << 22
_MANY = 2_000  # statements that changed, or are in blocks that did, ten times as many


class Layout(NamedTuple):
    """How a dump is made of blocks, one for each value of a column of the statements."""

    column: str
    head: bytes  # what the part before the first block ends with
    between: bytes
    end: bytes
    next: bytes = b""  # a pattern of what begins the block after `between`


LAYOUTS = {
    "ttl": Layout("s", b"\n\n", b"\n\n", b"\n"),
    "trig": Layout("g", b"\n\n", b"\n}\n\n", b"\n}\n"),
    "jsonld": Layout("s", b'\n"@graph": [\n', b",\n", b"\n]\n}\n"),
    "rdf": Layout("s", b'">\n\t<', b">\n\t<", b">\n</rdf:RDF>", rb"(?=[^/])"),
}


class NotUpdated(ValueError):
    """A dump that must be written from nothing: too much changed, or the old one has another form."""


class OldDumps:
    """The files of the old dist/, as far as they are of this program and these declarations."""

    def __init__(self, dist: Path, origin: Callable[[], str]) -> None:
        self._dist = dist
        self._digests = self._read(origin)
        self._files: dict[str, Path | None] = {}

    def _read(self, origin: Callable[[], str]) -> dict[str, str]:
        """The digest of each file; none where another program or other declarations made them."""
        try:
            content = (self._dist / "site" / MARK).read_text("utf-8")
            sums = (self._dist / "SHA256SUMS").read_text("utf-8")
            if content != mark(origin(), sums):
                return {}
        except (OSError, ValueError):
            return {}
        rows = (line.partition("  ") for line in sums.splitlines())
        return {name: digest for digest, _, name in rows}

    def file(self, name: str) -> Path | None:
        """A file of the old dist/; None where it is not as that build wrote it."""
        if name not in self._files:
            self._files[name] = self._checked(name)
        return self._files[name]

    def _checked(self, name: str) -> Path | None:
        path = self._dist / name
        if name not in self._digests or path.is_symlink():
            return None
        try:
            with path.open("rb") as file:
                digest: Any = hashlib.file_digest(file, "sha256")
        except OSError:
            return None
        return path if digest.hexdigest() == self._digests[name] else None

    def compressed(self, name: str) -> tuple[Path, Path] | None:
        """A file of the old dist/ and its compressed copy."""
        file, packed = self.file(name), self.file(f"{name}.gz")
        return (file, packed) if file and packed else None


def mark(origin: str, sums: str) -> str:
    """The content of the file MARK: who made the files that SHA256SUMS lists."""
    return hashlib.sha256(f"{origin}\n{sums}".encode()).hexdigest() + "\n"


class Changes(NamedTuple):
    """The lines that two versions of a graph do not share: those added, and how many were removed
    from and added to each value of a column.
    """

    added: tuple[bytes, ...]
    removed_from: Mapping[str, Counter[str]]
    added_to: Mapping[str, Counter[str]]

    @property
    def are_none(self) -> bool:
        """Whether both versions are the same."""
        return not self.added and not self.removed_from["s"]


def changes_between(old: Path, new: Path) -> Changes:
    """What changed between two files of N-Quads or N-Triples. Raises NotUpdated where it is much."""
    lines: list[bytes] = []
    removed, added = ({"s": Counter[str](), "g": Counter[str]()} for _ in range(2))
    try:
        for change in differences(_chunks(old), _chunks(new)):
            lines += change.added
            for counts, side in ((removed, change.removed), (added, change.added)):
                for line in side:
                    subject, _, rest = line.split(b" ", 2)
                    counts["s"][subject.decode()] += 1
                    counts["g"][split_object(rest)[1]] += 1
            if removed["s"].total() + added["s"].total() > _MANY:
                raise NotUpdated("much changed")
    except NotSorted as error:
        raise NotUpdated(str(error)) from None
    return Changes(tuple(lines), removed, added)


class Selection(NamedTuple):
    """The blocks that changed, and how many statements are in each; where there are none any more,
    none are.
    """

    column: str
    counts: Mapping[str, int]

    @property
    def described(self) -> list[str]:
        """The values of the column that have statements."""
        return sorted(key for key, count in self.counts.items() if count)


def selection(statements: Statements, column: str, changes: Changes) -> Selection:
    """The blocks that changed. Raises NotUpdated where they are large, or empty all."""
    changed = changes.removed_from[column].keys() | changes.added_to[column].keys()
    counts = dict(statements.sizes(column, sorted(changed)))
    if not counts or sum(counts.values()) > 10 * _MANY:
        raise NotUpdated("large blocks changed")
    return Selection(column, {key: counts.get(key, 0) for key in changed})


def update(
    old: Path, part: Path, target: Path, layout: Layout, blocks: Iterator[tuple[bool, bool, bool]]
) -> None:
    """Writes a dump from an old one and the document of the blocks that changed. `blocks` says of
    each block in order whether it changed, whether the old dump has it, and whether the new one has
    it. Raises NotUpdated.
    """
    with old.open("rb") as before, part.open("rb") as document, target.open("wb") as out:
        copied, written = _pieces(before, layout), _pieces(document, layout)
        head = next(written)
        if next(copied) != head:
            raise NotUpdated("another head")
        out.write(head)
        between = b""
        try:
            for is_changed, is_old, is_new in blocks:
                block = next(copied) if is_old else b""
                if is_new:
                    out.write(between)
                    out.write(next(written) if is_changed else block)
                    between = layout.between
        except StopIteration:
            raise NotUpdated("blocks are missing") from None
        if next(copied, None) is not None or next(written, None) is not None:
            raise NotUpdated("there are more blocks")
        out.write(layout.end)


def blocks_of(
    statements: Statements, changes: Changes, changed: Selection
) -> Iterator[tuple[bool, bool, bool]]:
    """The blocks of the old and the new dump in order, as `update` needs them."""
    removed, added = changes.removed_from[changed.column], changes.added_to[changed.column]
    gone = sorted((key, 0) for key, count in changed.counts.items() if not count)
    for key, count in heapq.merge(statements.sizes(changed.column), gone):
        if key in changed.counts:
            yield True, count - added[key] + removed[key] > 0, count > 0
        else:
            yield False, True, True


def _pieces(file: IO[bytes], layout: Layout) -> Iterator[bytes]:
    """The head of a dump, then its blocks. Raises NotUpdated for another form."""
    between = re.compile(re.escape(layout.between) + layout.next)
    head, start, rest = file.read(_BLOCK).partition(layout.head)
    yield head + start
    while chunk := file.read(_BLOCK):
        *blocks, rest = between.split(rest + chunk)
        yield from blocks
    *blocks, last = between.split(rest)
    yield from blocks
    if not start or not last.endswith(layout.end):
        raise NotUpdated("another end")
    yield last[: -len(layout.end)]


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_BLOCK):
            yield chunk


def line_count(path: Path) -> int:
    """How many lines a file has."""
    return sum(chunk.count(b"\n") for chunk in _chunks(path))
