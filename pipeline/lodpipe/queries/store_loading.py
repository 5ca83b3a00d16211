"""Data files into a store: any RDF format, compressed or not, and statement tables (Parquet).

Each triple is in the default graph once, however many graphs state it, and in each of its named
graphs: joined at query time, a triple of two graphs would count twice. This module imports little,
for the process that loads data is started with each `lodpipe query` and `check`.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import signal
import sys
from collections.abc import Iterator, Sequence
from typing import IO, Any, NamedTuple, cast

import pyoxigraph as ox

from lodpipe.rdf.file_formats import PARSERS, QUADS

Data = Sequence[
    tuple[str, str]
]  # paths and formats: a key of PARSERS or `parquet`; `.gz` behind it

_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG


class Place(NamedTuple):
    """Where a store on disk is, or will be (store_files.py): a folder for the stores of one
    publication, and its name there.
    """

    parent: str
    key: str


def die_with_parent() -> None:
    """Ends this process when the one that has started it ends (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)


def load(store: ox.Store, data: Data, *, trusted: bool = False) -> int:
    """Loads files: triples make the default graph; where there are quads alone, it is made of them.
    IRIs of `trusted` data are not checked again. Returns the number of triples.

    Raises what the engine raises for data that it cannot read: SyntaxError, ValueError, OSError.
    """
    triples = 0
    for path, name in sorted(data, key=lambda item: _has_graphs(item[1])):
        _load_file(store, path, name, trusted=trusted)
        triples = triples if _has_graphs(name) else len(store)
    if all(_has_graphs(name) for _, name in data):
        graph = ox.DefaultGraph()
        alone = sum(1 for _ in store.quads_for_pattern(None, None, None, graph))
        named = len(store) - alone
        for path, name in data:
            store.bulk_extend(
                ox.Quad(quad.subject, quad.predicate, quad.object)
                for quad in _quads(path, name, trusted=trusted)
            )
        triples = len(store) - named
    return triples


def _has_graphs(name: str) -> bool:
    plain = name.removesuffix(".gz")
    return plain in QUADS or plain == "parquet"


def _load_file(store: ox.Store, path: str, name: str, *, trusted: bool) -> None:
    if name in PARSERS:  # by path the engine reads in parallel
        store.bulk_load(path=path, format=PARSERS[name], lenient=trusted)
        return
    with _stream(path, name) as stream:
        store.bulk_load(input=stream, format=_syntax(name), lenient=trusted)


def _quads(path: str, name: str, *, trusted: bool) -> Iterator[ox.Quad]:
    if name in PARSERS:
        yield from ox.parse(path=path, format=PARSERS[name], lenient=trusted)
        return
    with _stream(path, name) as stream:
        yield from ox.parse(input=stream, format=_syntax(name), lenient=trusted)


def _syntax(name: str) -> ox.RdfFormat:
    return PARSERS["nq" if name == "parquet" else name.removesuffix(".gz")]


@contextlib.contextmanager
def _stream(path: str, name: str) -> Iterator[IO[bytes]]:
    if name == "parquet":
        from pathlib import Path

        from lodpipe.engine.parquet import statement_lines

        parts = (f"{line}\n".encode() for line in statement_lines(Path(path)))
        yield cast(IO[bytes], io.BufferedReader(_Lines(parts), 1 << 20))
        return
    import gzip

    with gzip.open(path) as stream:
        yield cast(IO[bytes], stream)


class _Lines(io.RawIOBase):
    """Parts of a text as a file."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts, self._left = parts, memoryview(b"")

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """The next bytes of the present part."""
        if not self._left:
            self._left = memoryview(next(self._parts, b""))
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count
