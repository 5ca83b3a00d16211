"""Files in other encodings, compressed or as the only member of an archive: the same bytes in each
run, without names of people and times.
"""

from __future__ import annotations

import codecs
import lzma
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from lodpipe.publish.compression import gzip

_CHUNK = 1 << 20
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # the first that ZIP knows


def encode_utf16(path: Path, out: Path) -> None:
    """A UTF-8 file in UTF-16: with a byte order mark, little-endian (RFC 2781).

    XML declares its encoding; what it declares is replaced.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as data, out.open("wb") as encoded:
        encoded.write(codecs.BOM_UTF16_LE)
        first = True
        while chunk := data.read(_CHUNK):
            text = decoder.decode(chunk)
            if first and text.startswith("<?xml"):
                text = text.replace('encoding="UTF-8"', 'encoding="UTF-16"', 1)
            encoded.write(text.encode("utf-16-le"))
            first = False


def _gzip(path: Path, out: Path, _: str) -> None:
    gzip(path)
    path.with_name(f"{path.name}.gz").replace(out)


def _zip(path: Path, out: Path, member: str) -> None:
    entry = zipfile.ZipInfo(member, _FIRST_DAY)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    entry.create_system = 3  # Unix, on every machine
    entry.file_size = path.stat().st_size
    with (
        zipfile.ZipFile(out, "w") as archive,
        path.open("rb") as data,
        archive.open(entry, "w") as target,
    ):
        shutil.copyfileobj(data, target, _CHUNK)


def _tar(path: Path, out: Path, member: str) -> None:
    entry = tarfile.TarInfo(member)
    entry.size = path.stat().st_size
    with tarfile.open(out, "w", format=tarfile.PAX_FORMAT) as archive, path.open("rb") as data:
        archive.addfile(entry, data)


def _tar_gz(path: Path, out: Path, member: str) -> None:
    archive = path.with_name(f"{path.name}.tar")
    _tar(path, archive, member)
    _gzip(archive, out, member)
    archive.unlink()


def _tar_xz(path: Path, out: Path, member: str) -> None:
    archive = path.with_name(f"{path.name}.tar")
    _tar(path, archive, member)
    with archive.open("rb") as data, lzma.open(out, "wb") as target:
        shutil.copyfileobj(data, target, _CHUNK)
    archive.unlink()


PACKERS: Mapping[str, Callable[[Path, Path, str], None]] = {
    "gzip": _gzip,
    "zip": _zip,
    "targz": _tar_gz,
    "tarxz": _tar_xz,
}
"""What writes each compression: of a file, to another, with the name of its member. Both are on one
disk, and more files may be beside the first.
"""
