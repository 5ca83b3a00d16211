"""How the file of a source is written and where it is (RML-IO, rml:Source and rml:FilePath)."""

from __future__ import annotations

import codecs
from pathlib import PurePath
from typing import Literal

from msgspec import Struct

from lodpipe.documents.csv_dialect import COMMAS, Dialect

Compression = Literal["none", "gzip", "zip", "targz", "tarxz", "xz", "bzip2"]
WORKING_DIRECTORY = "."
# What the end of a file's name says of its compression; the longest that fits counts.
SUFFIXES: dict[str, Compression] = {
    ".tar.gz": "targz", ".tgz": "targz", ".tar.xz": "tarxz", ".txz": "tarxz",
    ".gz": "gzip", ".zip": "zip", ".xz": "xz", ".bz2": "bzip2",
}  # fmt: skip


class Access(Struct, frozen=True):
    """`encoding` is a name that Python knows, None where none is declared. `compression` is None
    where the name of the file says it. `root` is what a relative path begins at: the folder of the
    mapping (empty) or the working directory (`.`).
    """

    encoding: str | None = None
    compression: Compression | None = None
    dialect: Dialect = COMMAS
    root: str = ""

    def compression_of(self, path: str) -> Compression:
        """The compression of a file, declared or by its name."""
        return self.compression or split_name(path)[1]


def encoding_name(word: str) -> str | None:
    """The name that Python has for an encoding of texts, None where it knows none.

    >>> encoding_name("ISO-8859-1"), encoding_name("base64"), encoding_name("klingon")
    ('iso8859-1', None, None)
    """
    try:
        info = codecs.lookup(word)
    except LookupError:
        return None
    return info.name if info._is_text_encoding else None  # hex and base64 are none


PLAIN = Access()
TABS = Dialect(delimiter="\t")


def dialect_of(path: str) -> Dialect:
    """The dialect of a file by its name: tabs where it ends in .tsv or .tab."""
    return TABS if split_name(path)[0].lower().endswith((".tsv", ".tab")) else COMMAS


def split_name(path: str) -> tuple[str, Compression]:
    """The name of a file without what says that it is compressed, and the compression.

    >>> split_name("places.csv.gz"), split_name("places.tgz"), split_name("places.csv")
    (('places.csv', 'gzip'), ('places', 'targz'), ('places.csv', 'none'))
    """
    lower = path.lower()
    for suffix, compression in SUFFIXES.items():
        if lower.endswith(suffix) and len(PurePath(path).name) > len(suffix):
            return path[: -len(suffix)], compression
    return path, "none"
