"""Stores: loaded from files into memory, or written to disk once and opened by each start.

A store on disk is a folder whose name is a digest of the data that it was written from:

    PARENT/3f0c…/store/        what the engine (RocksDB) has written
    PARENT/3f0c…/manifest.json format, engine, number of triples, size of each file

It is written beside, renamed when it is complete, and never changed after that. One whose manifest
does not fit its files, or that another version has written, is written again. Those of other data
are removed unless a process still has them open (it holds a lock on the manifest).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import cast

import pyoxigraph as ox
from msgspec import Struct, structs

from lodpipe.queries.store_loading import Data, Place, die_with_parent, load
from lodpipe.runtime.locks import lock

IN_MEMORY = 12_000_000  # bytes of data that are loaded within half a second
_FORMAT = 2
_MANIFEST = "manifest.json"
_UNCOMPRESSED = 10  # what a compressed byte of N-Quads is at most, about
_KEY_LENGTH = 32
_BY_PREDICATE = "SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p ORDER BY ?p"


class Opened(Struct, frozen=True):
    """A store that can be asked. `triples` are those of the default graph, `predicates` how many have
    each; `files` are those that its engine may open; `event` is what was done, `reason` why a store that exists was not used.
    """

    store: ox.Store
    triples: int
    files: int
    predicates: Mapping[str, int]
    event: str
    reason: str = ""
    lock: int = -1


def _folder(place: Place) -> Path:
    return Path(place.parent) / place.key


# -- the data --------------------------------------------------------------------------------------


def size_of(data: Data) -> int:
    """Bytes of the data, those of compressed files as if they were not. Raises OSError."""
    return sum(
        Path(path).stat().st_size * (_UNCOMPRESSED if name.endswith((".gz", "parquet")) else 1)
        for path, name in data
    )


def key_of(data: Data) -> str:
    """A digest of the data: of the checksums beside the files (SHA256SUMS) where they are listed
    there, else of their path, size and time of change. Raises OSError.
    """
    digest = hashlib.sha256(f"{_FORMAT} {ox.__version__}".encode())
    for path, name in data:
        state = Path(path).stat()
        known = _checksum(Path(path))
        mark = known or f"{Path(path).resolve()} {state.st_mtime_ns} {state.st_ino}"
        digest.update(f"\n{name} {state.st_size} {mark}".encode())
    return digest.hexdigest()[:_KEY_LENGTH]


def _checksum(path: Path) -> str:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        for line in path.with_name("SHA256SUMS").read_text("utf-8").splitlines():
            checksum, _, name = line.partition("  ")
            if name == path.name:
                return checksum
    return ""


# -- stores ----------------------------------------------------------------------------------------


def on_disk(data: Data, place: Place, *, trusted: bool = False) -> Opened:
    """The store of that place, written first where it is not there or not whole. Raises what `load`
    raises, and OSError.
    """
    with contextlib.suppress(_Unusable):
        return _opened(place)
    parent = Path(place.parent)
    parent.mkdir(parents=True, exist_ok=True)
    with _locked(parent):
        try:
            return _opened(place)  # another process has written it meanwhile
        except _Unusable as unusable:
            reason = str(unusable)
        started = time.perf_counter()
        _in_a_child(data, place, trusted=trusted)
        opened = _opened(place)
        _remove_others(place)
    event = f"written in {time.perf_counter() - started:.1f} s"
    return structs.replace(opened, event=event, reason=reason)


class _Unusable(Exception):
    """A store that is not there or not whole; empty where it is not there."""


def _opened(place: Place) -> Opened:
    """The store of a place, with a shared lock as long as the process lives. Raises _Unusable."""
    folder = _folder(place)
    if not folder.exists():
        raise _Unusable
    handle = -1
    try:
        handle = os.open(folder / _MANIFEST, os.O_RDONLY)
        lock(handle, shared=True, wait=True)
        manifest = json.loads((folder / _MANIFEST).read_bytes())
        if (manifest["format"], manifest["engine"]) != (_FORMAT, ox.__version__):
            raise _Unusable("another version has written it")
        if manifest["files"] != _sizes(folder / "store"):
            raise _Unusable("its files are not those that were written")
        store = ox.Store.read_only(str(folder / "store"))
        next(iter(store.quads_for_pattern(None, None, None, ox.DefaultGraph())), None)
        return Opened(
            store,
            manifest["triples"],
            len(manifest["files"]),
            manifest["predicates"],
            "opened",
            lock=handle,
        )
    except (OSError, ValueError, KeyError, TypeError, _Unusable) as error:
        if handle >= 0:
            os.close(handle)
        raise error if isinstance(error, _Unusable) else _Unusable(str(error)) from None


def _sizes(folder: Path) -> dict[str, int]:
    """The files that hold data; the engine's log is not among them."""
    return {
        path.name: path.stat().st_size
        for path in sorted(folder.iterdir())
        if not path.name.startswith("LOG") and path.name != "LOCK"
    }


def _write(data: Data, place: Place, *, trusted: bool) -> None:
    """Writes a store beside its place, then renames it. Raises what `load` raises, and OSError."""
    parent = Path(place.parent)
    for left in parent.glob("*.part"):  # the lock of the parent is held: its writer is gone
        shutil.rmtree(left, ignore_errors=True)
    part = parent / f"{place.key}.part"
    (part / "store").mkdir(parents=True)
    try:
        store = ox.Store(str(part / "store"))
        triples = load(store, data, trusted=trusted)
        store.flush()
        predicates = {
            row["p"].value: int(row["n"].value)
            for row in cast(ox.QuerySolutions, store.query(_BY_PREDICATE))
        }
        del store  # closes it
        manifest = {
            "format": _FORMAT, "engine": ox.__version__, "triples": triples, "predicates": predicates, "files": _sizes(part / "store"),
        }  # fmt: skip
        (part / _MANIFEST).write_text(json.dumps(manifest, indent=1), "utf-8")
        shutil.rmtree(_folder(place), ignore_errors=True)
        part.rename(_folder(place))
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _in_a_child(data: Data, place: Place, *, trusted: bool) -> None:
    """Writes a store in a process of its own, whose memory goes with it: a fork would not do, for
    the engine's threads are not in it. Raises OSError with what went wrong.
    """
    start = f"import sys; sys.path[:] = {sys.path!r}; from lodpipe.queries.store_files import main; main()"
    task = json.dumps([list(data), place, trusted])
    done = subprocess.run(
        [sys.executable, "-S", "-c", start, task],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise OSError(done.stdout or "the process that writes the store was ended")


def main() -> None:
    """Writes the store that the first argument names."""
    die_with_parent()
    data, place, trusted = json.loads(sys.argv[1])
    try:
        _write([(path, name) for path, name in data], Place(*place), trusted=trusted)
    except (OSError, ValueError, SyntaxError) as error:
        sys.stdout.write(str(error))
        sys.exit(1)


def _remove_others(place: Place) -> None:
    """Removes the stores of other data, unless a process has them open."""
    for path in Path(place.parent).iterdir():
        if len(path.name) != _KEY_LENGTH or path.name == place.key:
            continue
        with contextlib.suppress(OSError):
            handle = os.open(path / _MANIFEST, os.O_RDONLY)
            try:
                lock(handle)
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(handle)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        lock(handle, wait=True)
        yield
    finally:
        os.close(handle)


def is_written(place: Place) -> bool:
    """Whether there is a store of that place, whole or not."""
    return (_folder(place) / _MANIFEST).is_file()


def discard(place: Place) -> None:
    """Makes the next start write a store again: it was found damaged."""
    with contextlib.suppress(OSError):
        (_folder(place) / _MANIFEST).unlink()


def cache_folder(name: str, of: Path) -> Path:
    """The folder for the stores of a publication or file: in the user's cache (XDG), else in the
    temporary folder.
    """
    import tempfile

    mark = hashlib.sha256(os.fsencode(of.resolve())).hexdigest()[:8]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    for base in (cache / "lodpipe", Path(tempfile.gettempdir()) / f"lodpipe-{os.geteuid()}"):
        folder = base / "stores" / f"{name}-{mark}"
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if base.stat().st_uid == os.geteuid() and os.access(folder, os.W_OK):
                return folder
    return Path(tempfile.mkdtemp(prefix="lodpipe-store-"))


def place_of(data: Data, parent: Callable[[], Path], most: int = IN_MEMORY) -> Place | None:
    """Where the store of such data is, or will be; None where it is small enough to be loaded into
    memory at each start. Raises OSError.
    """
    return Place(str(parent()), key_of(data)) if size_of(data) > most else None
