"""Sorts more lines than memory holds: in runs of a fixed size, which are then merged.

c, a, d, b, a  →  runs: a c | a b d  →  blocks up to the same line, sorted together: a b c d
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import chain, groupby
from pathlib import Path
from typing import IO

from lodpipe.releases.difference import aligned

_RUN = 128 * 1024 * 1024
"""Bytes of a run in memory, the objects of its lines included."""
_OBJECT = 80  # bytes that a line costs beside its text
_BLOCKS = 32 * 1024 * 1024  # of text, of all runs together while they are merged
_SMALLEST_BLOCK = 1 << 16


def sort_lines(lines: Iterable[bytes], folder: Path) -> Path:
    """A file in a folder with the lines in byte order, each once; `lines` end with a line break."""
    runs = [
        _write(folder / f"run-{number}", (line for line, _ in groupby(part)))
        for number, part in enumerate(_sorted_runs(lines))
    ]
    if len(runs) == 1:
        return runs[0]
    size = max(_BLOCKS // max(len(runs), 1), _SMALLEST_BLOCK)
    with ExitStack() as files:
        sides = [_chunks(files.enter_context(path.open("rb")), size) for path in runs]
        merged = _write(folder / "sorted", chain.from_iterable(map(_merged, aligned(sides))))
    for path in runs:
        path.unlink()
    return merged


def _sorted_runs(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    run: list[bytes] = []
    size = 0
    for line in lines:
        run.append(line)
        size += len(line) + _OBJECT
        if size >= _RUN:
            run.sort()
            yield run
            run, size = [], 0
    if run:
        run.sort()
        yield run


def _merged(blocks: Iterable[list[bytes]]) -> Iterator[bytes]:
    """The lines of some sorted blocks in order, each once, with line breaks. Sorting uses the order
    that they have.
    """
    lines = sorted(chain.from_iterable(blocks))
    if lines:
        yield b"\n".join(dict.fromkeys(lines)) + b"\n"


def _chunks(file: IO[bytes], size: int) -> Iterator[bytes]:
    while chunk := file.read(size):
        yield chunk


def _write(path: Path, lines: Iterable[bytes]) -> Path:
    with path.open("wb") as out:
        out.writelines(lines)
    return path
