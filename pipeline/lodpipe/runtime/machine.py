"""What the machine does to a run: no memory, no room, no right, no more time; each is a finding.
Files are written whole or not at all.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from lodpipe.diagnostics.finding import Finding, LodpipeError, Origin, SourceError
from lodpipe.runtime import scratch

_GRACE = 15.0  # seconds between the word and the end, for work that ignores signals
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_ROOM_WORDS = (
    "No space left on device",
    "Disk quota exceeded",
    "File too large",
    "No usable temporary directory",
    "max_temp_directory_size",
)
# Messages of the linker, of threads and of native code that get no memory.
_WANTS_MEMORY = re.compile(
    "cannot allocate memory|failed to map segment|can't start new thread|bad_alloc|memory allocation",
    re.I,
)


def not_written(error: Exception) -> SourceError:
    """The error where dist/ cannot be written (LP701), or the temporary folder (LP706)."""
    finding = unwritable(_file_of(error), error)
    name, detail = finding.params["file"], finding.params["detail"]
    unnamed = (
        isinstance(error, OSError) and not error.filename
    )  # as what Python writes to an open file is: a dump
    if name == "TMPDIR" and not unnamed:
        return SourceError([finding])
    if name not in ("TMPDIR", "–"):
        detail += f" ({name})"
    return SourceError(
        [Finding("LP701", Origin("dist"), {"detail": detail}, caused_by=finding.code)]
    )


@contextlib.contextmanager
def machine_faults() -> Iterator[None]:
    """Raises SourceError where the machine, not the program or the data, is the reason that work
    inside fails.

    A pipe that its reader has closed is no fault: BrokenPipeError stays what it is.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except LodpipeError as error:
        reason = error.__context__  # a file is blamed, but the engine had no memory or room
        known = any(item.code.startswith("LP7") for item in error.findings)
        if (
            not known
            and isinstance(reason, Exception)
            and (finding := _of_the_machine(reason))
            and finding.code in ("LP706", "LP707")
        ):
            raise SourceError([finding]) from error
        raise
    except Exception as error:
        if (finding := _of_the_machine(error)) is None:
            raise
        raise SourceError([finding]) from error


def _of_the_machine(error: Exception) -> Finding | None:
    """The finding for a lack of memory (LP707) or of room (LP706), or for what the system refuses
    (LP703).
    """
    whole = _message(error)
    message = whole.split("\n")[0]
    kind = f"{type(error).__module__}.{type(error).__name__}"
    number = error.errno if isinstance(error, OSError) else None
    if number in _NO_ROOM or any(words in whole for words in _NO_ROOM_WORDS):
        return unwritable(_file_of(error), error)
    if (
        isinstance(error, MemoryError)
        or number == errno.ENOMEM
        or kind == "_duckdb.OutOfMemoryException"
        or _WANTS_MEMORY.search(message)
    ):
        return Finding("LP707", None, {"detail": message or "MemoryError"})
    if kind == "_duckdb.IOException":
        return Finding("LP703", None, {"file": _file_of(error), "detail": message})
    if isinstance(error, OSError):
        return Finding(
            "LP703", None, {"file": _file_of(error), "detail": error.strerror or message}
        )
    return None


def _message(error: Exception) -> str:
    """The message of an error; that of an error of Spark needs Java, which may have ended."""
    try:
        return str(error)
    except Exception:
        return type(error).__name__


def unwritable(name: str, error: Exception) -> Finding:
    """An output, or the temporary folder, that has no room or may not be written (LP706)."""
    words = next(
        (words for words in _NO_ROOM_WORDS if words in str(error)), str(error).split("\n")[0]
    )
    detail = (error.strerror if isinstance(error, OSError) else None) or words
    return Finding("LP706", None, {"file": name, "detail": detail})


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Where to write a file that is to be there whole or not at all: it takes its place when all is
    written.

    A pipe or a device is written to as it is; so is a file in a folder that takes no new ones.
    Raises SourceError (LP706) where there is no room or no right.
    """
    target = target_part = path.resolve()
    plain = target.is_file() or not target.exists()
    try:
        with contextlib.ExitStack() as stack:
            try:
                if plain:
                    target_part = (
                        stack.enter_context(scratch.part_folder(target.parent)) / target.name
                    )
            except PermissionError:
                if not os.access(target, os.W_OK):
                    raise
            yield target_part
            if target_part != target:
                if target.exists():
                    shutil.copymode(target, target_part)
                target_part.replace(target)
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.filename and Path(os.fsdecode(error.filename)).parent not in (
            target.parent,
            target_part.parent,
        ):
            raise
        raise SourceError([unwritable(path.name, error)]) from None


def _file_of(error: Exception) -> str:
    """The name of the file that an error is about; TMPDIR where it is none that the user knows."""
    if isinstance(error, OSError) and error.filename:
        path = os.fsdecode(error.filename)
    elif match := re.search(r'file \\?"([^"\\]+)', str(error)):
        path = match[1]
    else:
        # An output is named by its writer (whole_file), so what has no name is a temporary file.
        return (
            "–"
            if isinstance(error, OSError) and error.errno not in _NO_ROOM | {None, errno.ENOENT}
            else "TMPDIR"
        )
    return "TMPDIR" if path.startswith(tempfile.gettempdir() + os.sep) else Path(path).name


@contextlib.contextmanager
def deadline(seconds: int) -> Iterator[None]:
    """Raises SourceError (LP705) where the work inside takes longer; 0 means no bound.

    Work that ignores signals is ended with the process after a grace: dist/ is untouched until its
    very last step.
    """
    if not seconds or threading.current_thread() is not threading.main_thread():
        yield
        return

    def raise_it(_: int, __: FrameType | None) -> None:
        raise SourceError([Finding("LP705", Origin("publication.yaml"), {"limit": str(seconds)})])

    def end_it() -> None:
        sys.stderr.write(f"publication.yaml: error LP705: not finished after {seconds} seconds\n")
        sys.stderr.flush()
        os._exit(2)

    last = threading.Timer(seconds + _GRACE, end_it)
    last.daemon = True
    last.start()
    if not hasattr(signal, "SIGALRM"):  # Windows
        try:
            yield
        finally:
            last.cancel()
        return
    before = signal.signal(signal.SIGALRM, raise_it)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        last.cancel()
        signal.signal(signal.SIGALRM, before)
