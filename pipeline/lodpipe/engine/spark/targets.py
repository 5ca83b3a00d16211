"""Folders of parts: made beside their place and moved to it when all is complete.

A folder of an earlier run is replaced; one that holds anything else is refused.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, SourceError
from lodpipe.engine.spark.storage import address, is_remote
from lodpipe.runtime.machine import unwritable
from lodpipe.runtime.scratch import part_folder

if TYPE_CHECKING:
    from lodpipe.engine.spark.storage import Storage

STATEMENTS = "statements"  # the folder of the statement table in that of the lines
_DONE = "_SUCCESS"
_CHECKSUM = re.compile(r"\.(.+)\.crc")  # Hadoop writes these files on a disk
_FILES = {
    "": re.compile(rf"part-[0-9]+\.n[qt]|{_DONE}"),
    STATEMENTS: re.compile(rf"part-[0-9]+\.parquet|{_DONE}"),
}


@contextmanager
def work_folder(target: Path | str | None) -> Iterator[str]:
    """The address of a folder for what a run stores: beside a target in a store, else beside the
    target on this machine. What a killed run has left there is removed. Raises SourceError (LP706).
    """
    if target is not None and is_remote(str(target)):
        yield f"{str(target).rstrip('/')}.work"
        return
    parent = Path(target).absolute().parent if target else Path(tempfile.gettempdir())
    folder = part_folder(parent)
    try:
        path = folder.__enter__()
    except OSError as error:
        raise SourceError([unwritable(str(target), error)]) from None
    try:
        yield address(path)
    finally:
        folder.__exit__(None, None, None)


def check_target(storage: Storage, target: str) -> None:
    """Raises InvalidDeclaration (LP601) where a folder cannot be replaced, because there are files in
    it that no run has written.
    """
    folder = address(target)
    if storage.is_file(folder):
        raise _refused(f"`{target}` is a file; parts are written into a folder")
    if not storage.exists(folder):
        return
    for below, known in _FILES.items():
        if below and not storage.exists(f"{folder}/{below}"):
            continue
        for name, is_folder in storage.entries(f"{folder}/{below}".rstrip("/")):
            plain = match[1] if (match := _CHECKSUM.fullmatch(name)) else name
            if is_folder and below == "" and name == STATEMENTS:
                continue
            if is_folder or not known.fullmatch(plain):
                path = f"{below}/{name}".lstrip("/")
                raise _refused(
                    f"the folder `{target}` is not replaced, because it has `{path}`, which is no part"
                )


def put_in_place(storage: Storage, complete: str, target: str, work: str) -> None:
    """Moves a complete folder to its place. At any moment there is the old one, none, or the new one.

    A store without folders copies file by file; there `_SUCCESS` is written last.
    """
    check_target(storage, target)
    folder = address(target)
    if storage.exists(folder):
        storage.rename(folder, f"{work}/replaced")
    storage.rename(complete, folder)
    if is_remote(target):
        storage.create_file(f"{folder}/{_DONE}")


def _refused(detail: str) -> InvalidDeclaration:
    return InvalidDeclaration([Finding("LP601", None, {"detail": detail})])
