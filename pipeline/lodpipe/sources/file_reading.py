"""Reads all files of a table: what was read before comes from the cache, the rest is read on all
cores.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from lodpipe.diagnostics.finding import Finding, InvalidData
from lodpipe.documents.readers import current_limits, read_bytes
from lodpipe.sources.file_records import FileReader, FileRecords, ReadFile, SourceFile
from lodpipe.sources.forked_reading import cores, each
from lodpipe.sources.record_cache import RecordCache, cache_folder, digest
from lodpipe.sources.record_declaration import Table
from lodpipe.sources.schema import Lexicon

LARGE = 1_000_000  # bytes of a table's files below which neither cache nor processes are worth it


class KnownFiles:
    """What reading the files of one set of declarations gave, by the state that each file was in;
    `states` are those of today.
    """

    def __init__(self, states: Mapping[str, object]) -> None:
        self.states = states
        self.names: set[str] = set()
        self._readers: dict[str, FileReader] = {}
        self._read: dict[tuple[str, str], tuple[object, ReadFile]] = {}

    def reader(self, table: Table, lexicon: Lexicon) -> FileReader:
        """The reader of the files of a table."""
        if table.name not in self._readers:
            self._readers[table.name] = FileReader(table, lexicon)
        return self._readers[table.name]

    def read(
        self, reader: FileReader, files: Sequence[SourceFile], log_name: str
    ) -> Iterator[ReadFile]:
        """What reading each file gives or gave, in their order."""
        self.names.update(file.name for file in files)
        keys = [(log_name, file.name) for file in files]
        states = [self.states.get(file.name) for file in files]
        known = [self._known(key, state) for key, state in zip(keys, states, strict=True)]
        wanted = [file for file, read in zip(files, known, strict=True) if read is None]
        # The log of the cache is for all files of a table: a part would take the place of all.
        name = log_name if len(wanted) == len(files) else ""
        new = read_files(reader, wanted, name)
        for key, state, read in zip(keys, states, known, strict=True):
            if read is None:
                read = next(new)
                self._read[key] = state, read
            yield read

    def _known(self, key: tuple[str, str], state: object) -> ReadFile | None:
        before, read = self._read.get(key, (None, None))
        return read if state is not None and before == state else None


def read_files(
    reader: FileReader, files: Sequence[SourceFile], log_name: str
) -> Iterator[ReadFile]:
    """What reading each file gives, in their order; without a cache where `log_name` is empty.
    Raises SourceError (LP106) where one cannot be read.
    """
    if _share(files) < 1:
        yield from (_read(reader, file) for file in files)
        return
    cache = RecordCache(cache_folder() if log_name else None, log_name)
    salt = digest(program_digest(), reader.declared.encode(), repr(current_limits()).encode())
    keys = [_key(salt, reader, file) for file in files]
    known = [_decoded(cache.get(key)) if key else None for key in keys]
    missing = [file for file, records in zip(files, known, strict=True) if records is None]
    processes = min(cores(), 1 + _share(missing, cores()))
    answers = iter(each(lambda file: _encoded(reader, file), missing, processes) if missing else ())
    for key, records in zip(keys, known, strict=True):
        if records is not None:
            yield ReadFile(records, [], [])
            continue
        content, findings = next(answers)
        if key and not findings:
            cache.put(key, content)
        yield ReadFile(_DECODER.decode(content), findings, [])
    cache.write()


def _read(reader: FileReader, file: SourceFile) -> ReadFile:
    """What reading a file gives, with its nodes."""
    try:
        return reader.read(file, read_bytes(file.address, file.name))
    except InvalidData as error:  # too large
        return ReadFile(FileRecords(), list(error.findings), [])


_DECODER = msgspec.msgpack.Decoder(FileRecords)


def _encoded(reader: FileReader, file: SourceFile) -> tuple[bytes, list[Finding]]:
    """The same as bytes, without the nodes."""
    read = _read(reader, file)
    return msgspec.msgpack.encode(read.records), read.findings


def _decoded(content: bytes | None) -> FileRecords | None:
    try:
        return None if content is None else _DECODER.decode(content)
    except msgspec.DecodeError:
        return None


def _key(salt: bytes, reader: FileReader, file: SourceFile) -> bytes | None:
    """What decides the records of a file; None where it is too large to be read."""
    try:
        data = read_bytes(file.address, file.name)
    except InvalidData:
        return None
    path = repr((file.local, sorted(file.captures.items()))) if reader.knows_paths else ""
    kind = file.suffix.lower()
    return digest(salt, kind.encode(), path.encode(), data)


def _share(files: Sequence[SourceFile], most: int = 1) -> int:
    """How many times LARGE the files are, at most so many."""
    total = 0
    for file in files:
        with contextlib.suppress(OSError):  # reported where it is read
            total += os.stat(file.address).st_size  # noqa: PTH116  # of many files
        if total >= most * LARGE:
            break
    return total // LARGE


@functools.cache
def program_digest() -> bytes:
    """A digest of the modules that make records of files."""
    root = Path(__file__).parent.parent
    modules = sorted((*(root / "documents").glob("*.py"), *(root / "sources").glob("*.py")))
    return digest(*(path.read_bytes() for path in modules))
