"""Parquet files of statements, which do not name the version of the program that wrote them: it would change their
bytes where no record did.

A file ends with its metadata, a struct in Thrift's compact protocol, their length, and PAR1. Field
6 of the struct (FileMetaData in parquet.thrift) is the writer. Nothing in a file points behind its
metadata, so they can become shorter.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from lodpipe.mapping.planning.plan import text

# readers look for `NAME version NUMBER`; the number is that of this way of writing
WRITER = b"lodpipe version 1"
_CREATED_BY, _BINARY = 6, 8
_MAGIC = b"PAR1"


def without_version(path: Path) -> None:
    """Puts WRITER in the place of the writer. Raises ValueError where the file is no Parquet or
    names none.
    """
    with path.open("r+b") as file:
        file.seek(-8, 2)
        length, magic = struct.unpack("<I4s", file.read(8))
        if magic != _MAGIC:
            raise ValueError(f"{path.name} is not a Parquet file")
        start = file.seek(-8 - length, 2)
        metadata = file.read(length)
        first, last = _field(metadata, _CREATED_BY)
        rewritten = metadata[:first] + _varint(len(WRITER)) + WRITER + metadata[last:]
        file.seek(start)
        file.write(rewritten + struct.pack("<I4s", len(rewritten), _MAGIC))
        file.truncate()


def statement_lines(path: Path) -> Iterator[str]:
    """The statements of a Parquet file of a dump as lines of N-Quads without the line break, in the
    order of the file.
    """
    import duckdb

    with duckdb.connect() as connection:
        rows = connection.execute(
            "SELECT concat_ws(' ', subject, predicate, object, CASE WHEN graph <> '' THEN graph END, '.') "
            f"FROM read_parquet({text(str(path))})"
        )
        while part := rows.fetchmany(100_000):
            yield from (row[0] for row in part)


def _field(data: bytes, wanted: int) -> tuple[int, int]:
    """Where the value of a field of binary type begins and ends, in a struct that begins at 0."""
    at, number = 0, 0
    while kind := data[at] & 15:
        delta = data[at] >> 4
        at += 1
        if delta:
            number += delta
        else:
            zigzag, at = _number(data, at)
            number = zigzag >> 1 ^ -(zigzag & 1)
        end = _end(data, at, kind)
        if number == wanted and kind == _BINARY:
            return at, end
        at = end
    raise ValueError("the metadata name no writer")


def _end(data: bytes, at: int, kind: int) -> int:
    """Where a value ends that begins at a place; `kind` is its type in the compact protocol (in a
    field: true and false have no bytes).
    """
    match kind:
        case 1 | 2:
            return at
        case 3:
            return at + 1
        case 4 | 5 | 6:
            return _number(data, at)[1]
        case 7:
            return at + 8
        case 8:
            length, at = _number(data, at)
            return at + length
        case 9 | 10:
            return _list_end(data, at)
        case 12:
            return _struct_end(data, at)
        case _:
            raise ValueError(f"type {kind} is not known in metadata of Parquet")


def _list_end(data: bytes, at: int) -> int:
    count, kind = data[at] >> 4, data[at] & 15
    at += 1
    if count == 15:
        count, at = _number(data, at)
    for _ in range(count):
        at = at + 1 if kind in (1, 2) else _end(data, at, kind)
    return at


def _struct_end(data: bytes, at: int) -> int:
    while kind := data[at] & 15:
        at = _end(data, at + 1 if data[at] >> 4 else _number(data, at + 1)[1], kind)
    return at + 1


def _number(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned variable-length number, and the place behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    return bytes([*encoded, number])
