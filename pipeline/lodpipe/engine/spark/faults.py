"""What Spark throws, as findings: one line for people instead of pages of Java.

| what failed | finding |
|---|---|
| memory of a task or of Java | LP707 |
| the disk of an executor | LP706 |
| a file that Spark's own reader cannot read | LP102 |
| a file of lines that a task cannot read | LP106 |
| packages, versions, lost executors, the master | LP613 |
| an error of the program in a task | RuntimeError with the traceback of the task |
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from lodpipe.diagnostics.finding import (
    Finding,
    InvalidData,
    InvalidDeclaration,
    LodpipeError,
    Origin,
    SourceError,
)

_MEMORY = re.compile(r"OutOfMemoryException|Out of Memory Error|OutOfMemoryError|\bMemoryError\b")
_ROOM = re.compile(r"No space left on device|Disk quota exceeded")
_FILE = re.compile(r"\[FAILED_READ_FILE\.(?!FILE_NOT_EXIST)\w+\][^.\n]*?file (\S+?)\.? ")
_TRACEBACK = re.compile(r"Traceback \(most recent call last\):\n(?:[ \t].*\n|\n)*(\S.*)")
_ENVIRONMENT = re.compile(
    r"(?:[\w.]+\.)?(?:EnvironmentDiffers|PySparkRuntimeError|ImportError|ModuleNotFoundError|OSError|"
    r"PermissionError|FileNotFoundError|IOException|PackageNotFoundError|EOFError)\b"
)
_UNREADABLE = re.compile(r"[\w.]*\bUnreadableFile: (.*): (.*)")
_LONGEST = 300  # characters of a detail


@contextmanager
def spark_faults(master: str) -> Iterator[None]:
    """Raises what Spark or its bridge to Java raise inside as findings."""
    try:
        yield
    except LodpipeError:
        raise
    except Exception as error:
        if not is_of_spark(error):
            raise
        raise failure(master, text_of(error)) from None


def is_of_spark(error: BaseException) -> bool:
    """Whether an error comes from Spark or from its bridge to Java."""
    return any(kind.__module__.split(".")[0] in ("py4j", "pyspark") for kind in type(error).__mro__)


def text_of(error: BaseException) -> str:
    """The message of an error; also where Java is gone and cannot be asked for it."""
    description = getattr(error, "_desc", None)
    if description:
        return str(description)
    try:
        return str(error)
    except Exception:
        return type(error).__name__


def failure(master: str, message: str) -> LodpipeError | RuntimeError:
    """The error for a message of Spark."""
    if match := _MEMORY.search(message):
        detail = _line_with(message, match)
        return SourceError([Finding("LP707", None, {"detail": detail})])
    if match := _ROOM.search(message):
        params = {"file": "the disk of Spark", "detail": match[0]}
        return SourceError([Finding("LP706", None, params)])
    if match := _FILE.search(message):
        params = {"format": "Parquet", "detail": _reason(message)}
        return InvalidData([Finding("LP102", Origin(match[1].rpartition("/")[2]), params)])
    if match := _TRACEBACK.search(message):
        if unreadable := _UNREADABLE.match(match[1]):
            params = {"file": unreadable[1], "detail": unreadable[2]}
            return SourceError([Finding("LP106", Origin(unreadable[1]), params)])
        if _ENVIRONMENT.match(match[1]):
            return unavailable(master, match[1])
        return RuntimeError(f"a task of Spark has failed:\n{match[0]}")
    return unavailable(master, _reason(message))


def unavailable(master: str, detail: str) -> InvalidDeclaration:
    """The finding for a master that cannot run a plan (LP613)."""
    params = {"master": master, "detail": detail.strip()[:_LONGEST]}
    return InvalidDeclaration([Finding("LP613", None, params)])


def _line_with(message: str, match: re.Match[str]) -> str:
    start = message.rfind("\n", 0, match.start()) + 1
    end = message.find("\n", match.end())
    return message[start : end if end >= 0 else None].strip()[:_LONGEST]


def _reason(message: str) -> str:
    """The line of a message of Java that says why."""
    if match := re.search(r"most recent failure: (.*)", message):
        reason = re.sub(r"^Lost task \S+ in stage \S+ \(TID [0-9]+\) \([^)]*\): ", "", match[1])
        if "ExecutorLostFailure" in reason or "Exception" not in reason:
            return reason
    lines = [
        line.strip()
        for line in message.splitlines()
        if line.strip() and not re.match(r"\s*(?:at |\.\.\. )", line)
    ]
    causes = [line for line in lines if line.startswith("Caused by:")]
    if causes:
        return causes[-1].removeprefix("Caused by: ")
    reasons = [line for line in lines if "Error:" in line or "Exception:" in line]
    return (reasons or lines or ["no reason is known"])[-1]
