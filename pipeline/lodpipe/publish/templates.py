"""Environments for the program's own templates.

A template is compiled once, as a Python module is: its code is beside it in `__pycache__`, under
Python's own rules (nothing is written into a folder that is read-only, or where
PYTHONDONTWRITEBYTECODE is set).
"""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import os
import sys
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import jinja2
from jinja2.bccache import Bucket

_OPTIONS: dict[str, Any] = {
    "trim_blocks": True,
    "lstrip_blocks": True,
    "keep_trailing_newline": True,
}
_DIGEST = hashlib.sha256().digest_size


def environment(folder: Path, escaped: str = "") -> jinja2.Environment:
    """An environment for the templates of a folder of this program; in those whose names end with
    `escaped` every value is escaped for HTML. A name without a value is an error.
    """
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        bytecode_cache=_Compiled(folder, repr((jinja2.__version__, _OPTIONS, escaped))),
        autoescape=lambda name: name is not None and name.endswith(escaped),
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
        **_OPTIONS,
    )


class _Compiled(jinja2.BytecodeCache):
    """Compiled templates beside their sources, in this form:

        <digest of source and options> <digest of the code> <code of this version of Python>

    What is damaged or was made of something else is compiled again.
    """

    def __init__(self, folder: Path, options: str) -> None:
        self._folder, self._options = folder, options

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """A template is known by its name in the folder."""
        return name

    def get_source_checksum(self, source: str) -> str:
        """What the code is made of."""
        return hashlib.sha256(f"{self._options}\n{source}".encode()).hexdigest()

    def load_bytecode(self, bucket: Bucket) -> None:
        """The code of a template that was compiled before."""
        with contextlib.suppress(OSError):
            data = self._path(bucket).read_bytes()
            checksum, digest, code = (
                data[:_DIGEST],
                data[_DIGEST : 2 * _DIGEST],
                data[2 * _DIGEST :],
            )
            if checksum.hex() == bucket.checksum and digest == hashlib.sha256(code).digest():
                bucket.code = marshal.loads(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Writes the code of a template completely or not at all."""
        if sys.dont_write_bytecode:
            return
        path, code = self._path(bucket), marshal.dumps(bucket.code)
        part = path.with_name(f"{path.name}.{os.getpid()}")
        with contextlib.suppress(OSError):
            path.parent.mkdir(exist_ok=True)
            part.write_bytes(bytes.fromhex(bucket.checksum) + hashlib.sha256(code).digest() + code)
            part.replace(path)

    def _path(self, bucket: Bucket) -> Path:
        return Path(cache_from_source(str(self._folder / f"{bucket.key}.py")))
