"""All changes between two versions of a graph: counted, and read as often as needed."""

from __future__ import annotations

import pickle
import tempfile
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from types import TracebackType

from lodpipe.releases.difference import ResourceChange, differences
from lodpipe.releases.graph_versions import GraphVersion, SortedLines

_IN_MEMORY = 64 * 1024 * 1024  # bytes of changes
_OWN_SIZE = 500  # of a change, about, besides its lines


@dataclass
class ChangeCounts:
    """How many statements were added and removed, and how many resources of each kind of change."""

    added: int = 0
    removed: int = 0
    resources: dict[str, int] = field(
        default_factory=lambda: {"added": 0, "changed": 0, "withdrawn": 0}
    )

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)


class ChangeSet(AbstractContextManager["ChangeSet"]):
    """The changes from one version to another, resource by resource in the order of their IRIs.

    They are computed once, when the set is opened; what is more than 64 MB is kept in a temporary file.
    Where one version has no graphs, statements are compared without theirs.
    """

    def __init__(self, old: GraphVersion, new: GraphVersion) -> None:
        self.names = old.name, new.name
        graphs = old.has_graphs and new.has_graphs
        self.versions = SortedLines(old, graphs=graphs), SortedLines(new, graphs=graphs)
        self.counts = ChangeCounts()
        self._stack = ExitStack()
        self._first: list[ResourceChange] = []  # the rest is in the file

    def __enter__(self) -> ChangeSet:
        with ExitStack() as opening:
            old, new = (opening.enter_context(version) for version in self.versions)
            self._file = opening.enter_context(tempfile.SpooledTemporaryFile(max_size=1))
            free = _IN_MEMORY
            for change in differences(old.chunks(), new.chunks()):
                old.check(change.removed)
                new.check(change.added)
                self.counts.added += len(change.added)
                self.counts.removed += len(change.removed)
                self.counts.resources[change.kind] += 1
                free -= _OWN_SIZE + sum(map(len, change.removed)) + sum(map(len, change.added))
                if free > 0:
                    self._first.append(change)
                else:
                    pickle.dump(tuple(change), self._file)
            self._end = self._file.tell()
            self._stack = opening.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def __iter__(self) -> Iterator[ResourceChange]:
        yield from self._first
        at = 0
        while at < self._end:
            self._file.seek(at)
            change = ResourceChange(*pickle.load(self._file))
            at = self._file.tell()
            yield change

    def named(self, old: str, new: str) -> ChangeSet:
        """The same set with other names of its versions."""
        self.names = old, new
        return self

    def statements(self, subjects: Sequence[bytes], *, new: bool) -> Iterator[bytes]:
        """The lines of some subjects (sorted terms) in the new or the old version, in order."""
        return statements_of(subjects, self.versions[new])


def statements_of(subjects: Sequence[bytes], version: SortedLines) -> Iterator[bytes]:
    """The lines of some subjects (sorted terms) in a version, in order."""
    if not subjects:
        return
    rest = b""
    for chunk in version.chunks(subjects[0] + b" "):
        *lines, rest = (rest + chunk).split(b"\n")
        if not lines:
            continue
        if lines[0] > subjects[-1] + b"!":
            return
        first = bisect_left(subjects, lines[0].partition(b" ")[0])
        last = lines[-1].partition(b" ")[0]
        for subject in subjects[first:]:
            if subject > last:
                break
            start = bisect_left(lines, subject + b" ")
            yield from lines[start : bisect_left(lines, subject + b"!", start)]
