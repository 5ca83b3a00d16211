"""Which files a project is made of, and whether one of them has changed."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from lodpipe.diagnostics.finding import Finding, Origin, SourceError
from lodpipe.documents.readers import is_hidden_name

SOURCES = ("source", "ontology", "shapes", "queries")
DECLARED = "source/records.yaml"
"""The file that names folders besides the project's own."""

Snapshot = dict[str, tuple[int, int, int]]
Listing = Callable[[], Iterable[str]]
"""Names of files relative to a project, as they are when it is called."""
_REST = 4  # times as long as a look at all files takes, between two looks


def snapshot(root: Path, others: Iterable[Listing] = ()) -> Snapshot:
    """Time, size and number of every file that a build may read, by its name; `others` list files
    besides those of the project's own folders.
    """
    states: Snapshot = {}
    folder = f"{root}/"
    for name in ("publication.yaml", *(file for top in SOURCES for file in _files(root, top))):
        _add(states, folder, name)
    for names in others:
        for name in names():
            _add(states, folder, name)
    return states


def _files(root: Path, top: str) -> Iterator[str]:
    """The files below a folder that are not hidden, as names that begin with it."""
    for folder, folders, names in os.walk(root / top):
        folders[:] = [name for name in folders if not is_hidden_name(name)]
        below = Path(folder).relative_to(root / top).as_posix()
        start = top if below == "." else f"{top}/{below}"
        yield from (f"{start}/{name}" for name in names if not is_hidden_name(name))


def _add(states: Snapshot, folder: str, name: str) -> None:
    with contextlib.suppress(OSError):  # gone between the listing and the look
        state = os.stat(name if name.startswith("/") else folder + name)  # noqa: PTH116  # of many files
        states[name] = (state.st_mtime_ns, state.st_size, state.st_ino)


def changed(before: Snapshot, after: Snapshot) -> list[str]:
    """The names of files that were changed, added or removed."""
    return sorted(
        name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
    )


class Change(NamedTuple):
    """The files that were changed, and the state of all."""

    names: list[str]
    states: Snapshot


def changes(
    root: Path,
    before: Snapshot,
    pause: float = 0.05,
    ended: Callable[[float], object] = time.sleep,
    others: Callable[[], Iterable[Listing]] = tuple,
) -> Iterator[Change]:
    """Waits for changes since a snapshot, for ever, or until `ended` says so, which is called with
    the seconds to wait; gives each once no more follow, for editors save in several steps.

    It looks again after `pause` seconds, or after four times as long as a look takes: few files
    are looked at more often than many. `others` gives those of `snapshot`, again after a change
    of the declarations that name them.
    """
    watched = tuple(others())
    while True:
        now, rest = _look(root, watched, pause)
        names = changed(before, now)
        while names:
            if ended(pause):
                return
            # The other files have their turn with the next look.
            states = dict(now)
            for name in names:
                states.pop(name, None)
                _add(states, f"{root}/", name)
            if states == now:
                break
            now = states
        if names:
            if DECLARED in names:
                watched = tuple(others())
                now = snapshot(root, watched)
            yield Change(names, now)
            before = now
        elif ended(rest):
            return


def _look(root: Path, others: Iterable[Listing], pause: float) -> tuple[Snapshot, float]:
    """The present state, and how long to wait before the next look."""
    started = time.perf_counter()
    now = snapshot(root, others)
    return now, max(pause, _REST * (time.perf_counter() - started))


def unchanged(root: Path, before: Snapshot, others: Iterable[Listing] = ()) -> None:
    """Raises SourceError (LP704) where a source file is no longer what it was: half of the old and
    half of the new is published nowhere.
    """
    if names := changed(before, snapshot(root, others)):
        raise SourceError([Finding("LP704", Origin(name), {"file": name}) for name in names[:10]])
