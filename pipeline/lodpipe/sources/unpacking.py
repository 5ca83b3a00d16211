"""Copies of files that readers cannot take as they are: without compression, in UTF-8.

A copy is as long as the source says, up to a limit: compressed files can unfold without end. What
an archive calls its file is never used as a path.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from lodpipe.diagnostics.finding import Finding, InvalidData, Origin
from lodpipe.documents.readers import file_limit, unreadable
from lodpipe.sources.access import Access, Compression, split_name

GROWTH = 200  # times that a file may unfold
_ZERO = b"\0"
_CHUNK = 1 << 20
_SNIFFED = 64  # bytes in which a text in UTF-16 has a zero, for its first signs are ASCII
_BROKEN = (
    EOFError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
)
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32", codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16",
}  # fmt: skip


def needs_copy(path: Path, access: Access, kind: str) -> bool:
    """Whether a file has to be copied before it is read; XML readers know all encodings."""
    if access.compression_of(path.name) != "none":
        return True
    return kind not in ("xml", "parquet") and access.encoding not in (None, "utf-8")


def readable_copy(path: Path, name: str, access: Access, kind: str, target: Path) -> Path:
    """A copy of a file for the readers of its kind. Raises InvalidData (LP104, LP106),
    SourceError.
    """
    compression = access.compression_of(path.name)
    limit = max(file_limit(), GROWTH * path.stat().st_size)
    encoding = access.encoding if kind not in ("xml", "parquet") else None
    try:
        with _unpacked(path, name, compression) as source, target.open("wb") as file:
            chunks = _bounded(source, name, limit)
            if encoding not in (None, "utf-8"):
                chunks = _in_utf8(chunks, name, encoding)
            for chunk in chunks:
                file.write(chunk)
    except _BROKEN as error:
        raise _invalid(name, compression, _explained(error)) from None
    except OSError as error:
        raise unreadable(name, error) from None
    return target


def check_encoding(path: Path, name: str) -> None:
    """Raises InvalidData (LP101) for a file that begins as another encoding than UTF-8 does."""
    with path.open("rb") as file:
        start = file.read(4)
    encoding = next((word for mark, word in _MARKS.items() if start.startswith(mark)), None)
    if encoding:
        detail = f"it is {encoding}; declare `rml:encoding rml:{encoding}`"
        raise InvalidData([Finding("LP101", Origin(name, 1), {"file": name, "detail": detail})])


def _explained(error: Exception) -> str:
    if isinstance(error, EOFError) or "truncated" in str(error) or "unexpected end" in str(error):
        return "the file ends too early"
    return str(error) or type(error).__name__


def _invalid(name: str, form: str, detail: str, line: int = 0) -> InvalidData:
    words = {"file": name, "detail": f"as {form}: {detail}"}
    return InvalidData([Finding("LP106", Origin(name, line), words)])


def _bounded(source: IO[bytes] | gzip.GzipFile, name: str, limit: int) -> Iterator[bytes]:
    size = 0
    while chunk := source.read(_CHUNK):
        size += len(chunk)
        if size > limit:
            words = {"detail": "the unpacked file", "limit": f"{limit:,} bytes"}
            raise InvalidData([Finding("LP104", Origin(name), words)])
        yield chunk


@contextmanager
def _unpacked(
    path: Path, name: str, compression: Compression
) -> Iterator[IO[bytes] | gzip.GzipFile]:
    """The content of a compressed file, or of the only file in an archive."""
    if compression == "zip":
        with zipfile.ZipFile(path) as archive:
            members = [item for item in archive.infolist() if not item.is_dir()]
            chosen = _only(name, [item.filename for item in members], "zip")
            if members[chosen].flag_bits & 1:
                raise _invalid(name, "zip", "the file in the archive is encrypted")
            try:
                with archive.open(members[chosen]) as file:
                    yield file
            except NotImplementedError as error:
                raise _invalid(name, "zip", str(error)) from None
    elif compression in ("targz", "tarxz"):
        with tarfile.open(path, "r:gz" if compression == "targz" else "r:xz") as archive:
            files = [item for item in archive if item.isfile()]
            content = archive.extractfile(files[_only(name, [item.name for item in files], "tar")])
            assert content is not None  # it is a regular file
            with content:
                yield content
    else:
        with _opened(path, compression) as file:
            yield file


def _opened(path: Path, compression: Compression) -> IO[bytes] | gzip.GzipFile:
    if compression == "gzip":
        return gzip.open(path)
    if compression == "xz":
        return lzma.open(path)
    return bz2.open(path) if compression == "bzip2" else path.open("rb")


def _only(name: str, members: list[str], form: str) -> int:
    """The place of the only file in an archive, or of the one that is called like the archive."""
    own = Path(split_name(name)[0]).name
    files = [
        number
        for number, member in enumerate(members)
        if not member.startswith("__MACOSX/") and not Path(member).name.startswith(".")
    ]
    alike = [number for number in files if Path(members[number]).name == own]
    if len(files) != 1 and len(alike) != 1:
        detail = f"the archive has {len(files)} files; one, or one called `{own}`, is expected"
        raise _invalid(name, form, detail)
    return alike[0] if len(alike) == 1 else files[0]


def _in_utf8(chunks: Iterator[bytes], name: str, encoding: str) -> Iterator[bytes]:
    """A text of another encoding in UTF-8, without its byte-order mark. Raises InvalidData."""
    form, lines, is_first = encoding.upper(), 1, True
    decoder = codecs.getincrementaldecoder(encoding)()
    for chunk in chunks:
        if is_first:
            decoder = codecs.getincrementaldecoder(_encoding(chunk, name, encoding))()
        try:
            text = decoder.decode(chunk)
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode(error.encoding, "replace").count("\n")
            detail = f"byte 0x{error.object[error.start]:02x} cannot be decoded"
            raise _invalid(name, form, detail, lines + before) from None
        lines += text.count("\n")
        yield (text.removeprefix("\ufeff") if is_first else text).encode("utf-8", "surrogatepass")
        is_first = False
    try:
        yield decoder.decode(b"", final=True).encode()
    except UnicodeDecodeError:
        raise _invalid(name, form, "the file ends within a character", lines) from None


def _encoding(start: bytes, name: str, encoding: str) -> str:
    """The encoding of a file that begins so, with its byte order. Raises InvalidData.

    What is declared as UTF-16 and is not would be read as other signs, without any error.
    """
    wide = encoding.startswith(("utf-16", "utf-32"))
    marked = any(start.startswith(mark) for mark in _MARKS)
    if wide and not marked and _ZERO not in start[:_SNIFFED]:
        detail = "the file has no byte-order mark and no zero byte; it is another encoding"
        raise _invalid(name, encoding.upper(), detail, 1)
    if not wide and marked:
        detail = "the file begins with the byte-order mark of another encoding"
        raise _invalid(name, encoding.upper(), detail, 1)
    is_open = encoding in ("utf-16", "utf-32") and not marked
    return f"{encoding}-{'be' if start[:1] == _ZERO else 'le'}" if is_open else encoding
