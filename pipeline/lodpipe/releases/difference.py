"""The difference of two versions of a graph, resource by resource, in memory of a fixed size.

Canonical N-Quads are sorted lines, so two versions are compared like two sorted lists: a block is
read of each, both are cut at the last line that both have reached, and what is in one block only is
added or removed. From

    old   <a> <name> "A" .          new   <a> <name> "B" .
          <b> <name> "C" .                <c> <name> "D" .

come three changes: `<a>` changed, `<b>` is no longer described, `<c>` is new.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from lodpipe.rdf.namespaces import OWL

BLOCK = 1 << 22
_DEPRECATED = f" <{OWL}deprecated> ".encode()

Lines = list[bytes]


class NotSorted(ValueError):
    """Lines that are not in byte order, so that they cannot be compared in one pass."""


class ResourceChange(NamedTuple):
    """What changed in the statements of one subject.

    `removed` and `added` are lines of N-Quads without the line break, in order; `before` and
    `after` say whether the old and the new version describe the subject, which a deprecated one is
    not; `unchanged` counts the statements that both have.
    """

    subject: bytes
    removed: tuple[bytes, ...]
    added: tuple[bytes, ...]
    before: bool
    after: bool
    unchanged: int = 0

    @property
    def iri(self) -> str:
        """The subject without its brackets."""
        return self.subject.decode().strip("<>")

    @property
    def kind(self) -> str:
        """`added`, `withdrawn` or `changed`."""
        if self.before and not self.after:
            return "withdrawn"
        return "added" if self.after and not self.before else "changed"


def differences(old: Iterable[bytes], new: Iterable[bytes]) -> Iterator[ResourceChange]:
    """The subjects whose statements differ, in order.

    `old` and `new` are chunks of bytes: sorted lines of N-Quads or N-Triples, each with its line
    break, without duplicates. Raises NotSorted.
    """
    subject = _Subject(b"")
    for before, after in aligned([old, new]):
        subject.count(before, after)
        for line, is_new in _different_lines(before, after):
            name = line[: line.index(b" ")]
            if subject.name != name:
                yield from subject.change()
                subject = _Subject(name)
                subject.count(before, after)
            (subject.added if is_new else subject.removed).append(line)
        # The next block may go on with the last subject of this one.
        name = max(lines[-1] for lines in (before, after) if lines).partition(b" ")[0]
        if subject.name != name:
            yield from subject.change()
            subject = _Subject(name)
            subject.count(before, after)
    yield from subject.change()


def _different_lines(before: Lines, after: Lines) -> Iterator[tuple[bytes, bool]]:
    """The lines that only one of two sorted lists has, in order, and whether it is the second.

    What both have is skipped in steps that grow, because most lines of two versions are the same.
    """
    at, at_new = 0, 0
    while at < len(before) and at_new < len(after):
        line, line_new = before[at], after[at_new]
        if line == line_new:
            step = 16
            while before[at : at + step] == after[at_new : at_new + step] and at < len(before):
                at, at_new, step = at + step, at_new + step, min(step * 2, 1 << 14)
            while step > 1:
                step //= 2
                if before[at : at + step] == after[at_new : at_new + step]:
                    at, at_new = at + step, at_new + step
        elif line < line_new:
            yield line, False
            at += 1
        else:
            yield line_new, True
            at_new += 1
    yield from ((line, False) for line in before[at:])
    yield from ((line, True) for line in after[at_new:])


class _Subject:
    """A subject whose statements differ, while its lines are read."""

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.removed: Lines = []
        self.added: Lines = []
        self._lines = [0, 0]
        self._deprecated = [False, False]

    def count(self, before: Lines, after: Lines) -> None:
        """Counts the lines of the subject in a block of both versions."""
        for side, lines in enumerate((before, after)):
            start, end = bisect_left(lines, self.name + b" "), bisect_left(lines, self.name + b"!")
            self._lines[side] += end - start
            if any(_DEPRECATED in line for line in lines[start:end]):
                self._deprecated[side] = True

    def change(self) -> Iterator[ResourceChange]:
        """What was collected; nothing where both versions say the same."""
        if not self.removed and not self.added:
            return
        before, after = (
            count > 0 and not deprecated
            for count, deprecated in zip(self._lines, self._deprecated, strict=True)
        )
        unchanged = self._lines[0] - len(self.removed)
        yield ResourceChange(
            self.name, tuple(self.removed), tuple(self.added), before, after, unchanged
        )


class _Blocks:
    """Chunks of bytes as lists of whole lines."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""
        self._last = b""
        self.lines: Lines = []
        self.ended = False

    def fill(self) -> None:
        """Reads the next chunk if all lines of the last one have been taken."""
        while not self.lines and not self.ended:
            chunk = next(self._chunks, None)
            if chunk is None:
                self.ended = True
                self.lines = [self._rest] if self._rest else []
                self._rest = b""
            else:
                *self.lines, self._rest = (self._rest + chunk).split(b"\n")
            if self.lines:
                if self.lines[0] <= self._last or self.lines != sorted(self.lines):
                    raise NotSorted
                self._last = self.lines[-1]

    def take(self, bound: bytes | None) -> Lines:
        """The lines up to `bound`, all of them where it is None."""
        at = len(self.lines) if bound is None else bisect_right(self.lines, bound)
        taken, self.lines = self.lines[:at], self.lines[at:]
        return taken


def aligned(sides: Sequence[Iterable[bytes]]) -> Iterator[list[Lines]]:
    """Blocks of all sides between the same two lines; a side without lines there has an empty block.

    Each side is chunks of sorted lines without duplicates. Raises NotSorted.
    """
    blocks = [_Blocks(side) for side in sides]
    while True:
        for side in blocks:
            side.fill()
        ends = [side.lines[-1] for side in blocks if side.lines]
        if not ends:
            return
        bound = min(ends) if len(ends) > 1 else None
        yield [side.take(bound) for side in blocks]
