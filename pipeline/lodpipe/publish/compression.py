"""Compressed copies of files: the same bytes on every machine.

A large file becomes several members (RFC 1952, 2.2), which every gunzip reads as one file. They end
at lines that are chosen by what is in them, not by their place, so that a change of a few lines
changes a member or two, and the others are those of the last build.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

_WHOLE = 16 * 1024 * 1024  # bytes of a file that is one member
_LEAST, _MOST = 4 * 1024 * 1024, 12 * 1024 * 1024  # bytes of a member
_ENDS = 256  # of so many lines, about one may end a member
_MAGIC = b"\x1f\x8b\x08"
_TRAILER = struct.Struct("<II")


def gzip(path: Path, old: tuple[Path, Path] | None = None) -> None:
    """A .gz beside the file: no name, no time, libdeflate whatever zlib the system has. `old` are
    a former version of the file and its compressed copy, as this function wrote it.
    """
    import deflate

    with path.open("rb") as data, path.with_name(path.name + ".gz").open("wb") as out:
        large = path.stat().st_size > _WHOLE
        known = _members_of(*old) if old and large else {}
        for block in _blocks(data):
            out.write(known.get(_digest(block)) or deflate.gzip_compress(block, 9))


def is_one_member(path: Path) -> bool:
    """Whether the copy of a file has one member. Only such a copy can be sent with `Content-Encoding:
    gzip`: Chromium and wget stop after the first member without an error, curl with one.
    """
    return path.stat().st_size <= _WHOLE


def _blocks(data: IO[bytes]) -> Iterator[bytes]:
    """What becomes a member each."""
    rest = data.read(_WHOLE + 1)
    if 0 < len(rest) <= _WHOLE:
        yield rest
        return
    while rest:
        rest += data.read(max(0, _MOST - len(rest)))
        end = _end(rest)
        yield rest[:end]
        rest = rest[end:]


def _end(data: bytes) -> int:
    """Where the first member ends."""
    start = data.find(b"\n", _LEAST, _MOST) + 1
    while start:
        end = data.find(b"\n", start, _MOST) + 1
        if end and zlib.crc32(data[start:end]) % _ENDS == 0:
            return end
        start = end
    return min(len(data), _MOST)


def _members_of(path: Path, packed: Path) -> dict[bytes, bytes]:
    """The members of a compressed file by the digests of their content. Each ends with checksum
    and length of its content; none where they are not where they should be.
    """
    data, members, start = packed.read_bytes(), {}, 0
    with path.open("rb") as file:
        for block in _blocks(file):
            trailer = _TRAILER.pack(zlib.crc32(block), len(block))
            end = data.find(trailer, start) + len(trailer)
            if end < start or data[end : end + 3] not in (_MAGIC, b""):
                return {}
            members[_digest(block)] = data[start:end]
            start = end
    return members if start == len(data) else {}


def _digest(block: bytes) -> bytes:
    return hashlib.sha256(block).digest()
