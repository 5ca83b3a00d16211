"""Several files that are to be there together or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from lodpipe.diagnostics.finding import SourceError
from lodpipe.runtime import scratch
from lodpipe.runtime.machine import unwritable

NEW, OLD, OTHER = "new", "old", "other"  # folders in that of the parts


@contextlib.contextmanager
def whole_files(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """Where to write files: beside their places, which they take together when all are written.

    Where one cannot take its place, those before it get back what they were. `work_file` has room
    for what is needed on the way. Raises SourceError (LP706) where there is no room or no right.
    """
    targets = [path.resolve() for path in paths]
    with contextlib.ExitStack() as stack:
        folders: dict[Path, Path] = {}
        parts: list[Path] = []
        for path, target in zip(paths, targets, strict=True):
            try:
                if target.parent not in folders:
                    folder = stack.enter_context(scratch.part_folder(target.parent))
                    for name in (NEW, OLD, OTHER):
                        (folder / name).mkdir()
                    folders[target.parent] = folder
            except OSError as error:
                raise SourceError([unwritable(path.name, error)]) from None
            parts.append(folders[target.parent] / NEW / target.name)
        try:
            yield parts
            _take_places(parts, targets)
        except OSError as error:
            if not targets:
                raise
            raise _named(error, targets, parts) from None


def work_file(part: Path, name: str) -> Path:
    """A file on the disk of a part, which is gone when the parts take their places."""
    return part.parent.parent / OTHER / name


def is_work_file(path: Path) -> bool:
    """Whether a file is one of those, and no part."""
    return path.parent.name == OTHER


def _take_places(parts: Sequence[Path], targets: Sequence[Path]) -> None:
    replaced: list[tuple[Path, Path | None]] = []
    try:
        for part, target in zip(parts, targets, strict=True):
            old = _second_name(part, target) if target.exists() else None
            replaced.append((target, old))
            part.replace(target)
    except BaseException:
        for target, old in reversed(replaced):
            with contextlib.suppress(OSError):
                if old is None:
                    target.unlink(missing_ok=True)
                else:
                    old.replace(target)
        raise


def _second_name(part: Path, target: Path) -> Path:
    """The old file under another name, from which it can come back; its rights are the new one's."""
    shutil.copymode(target, part)
    old = part.parent.parent / OLD / target.name
    try:
        os.link(target, old)
    except OSError:  # a file system without links
        target.rename(old)
    return old


def _named(error: OSError, targets: Sequence[Path], parts: Sequence[Path]) -> Exception:
    """The finding about the file that an error is about; the error itself where it is another's."""
    path = Path(os.fsdecode(error.filename)) if error.filename else None
    folders = {part.parent.parent for part in parts}
    if path is None:
        return SourceError([unwritable(targets[0].name, error)])
    if path in targets or folders.intersection(path.parents):
        return SourceError([unwritable(path.name, error)])
    return error
