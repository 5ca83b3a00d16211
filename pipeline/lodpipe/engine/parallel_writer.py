"""Texts made from the rows of a table by all cores, and written in the order of the rows.

Each core makes every n-th block of rows with one query over the table, and writes a block when its
turn comes. A block is as small as one vector of the engine, so that its text is still in the core's
cache when it is written, and its memory is used again for the next one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Protocol

from lodpipe.engine.sql_session import Session

_ROWS = 2048  # of a block


class Out(Protocol):
    """Where texts are written to."""

    def write(self, data: memoryview, /) -> object:
        """Writes all of the data."""


OnBlock = Callable[[float, list[memoryview]], None]
"""Called after each block with the share of the rows that are done, and the texts of the block."""


def write_blocks(
    session: Session, table: str, texts: Callable[[str], str], out: Out, on_block: OnBlock | None = None,
    check: Callable[[list[memoryview]], None] = lambda _: None,
) -> None:  # fmt: skip
    """Writes one text for each row of a table, in the order of the rows; NULL is left out.

    `texts` gives the SELECT that makes the texts of the rows of a relation, all of them and in
    their order. `check` sees each block before it is written. Raises ValueError where the engine
    gives fewer or more texts than the table has rows.
    """
    ((rows,),) = session.rows(f"SELECT count(*) FROM {table}")
    blocks = -(-rows // _ROWS)
    cores = min(session.threads, blocks)
    turns = _Turns()

    def write_share(core: int) -> None:
        share = f"(SELECT rowid, * FROM {table} WHERE rowid // {_ROWS} % {cores} = {core})"
        texts_of_share = _blocks(
            session.texts(texts(share), _ROWS),
            sum(min(_ROWS, rows - number * _ROWS) for number in range(core, blocks, cores)),
        )
        for number, block in zip(range(core, blocks, cores), texts_of_share, strict=True):
            check(block)
            with turns.take(number):
                for piece in block:
                    out.write(piece)
                if on_block:
                    on_block(min((number + 1) * _ROWS / rows, 1), block)

    with session.one_core_per_query(), ThreadPoolExecutor(max(cores, 1)) as pool:
        try:
            for done in as_completed([pool.submit(write_share, core) for core in range(cores)]):
                done.result()
        finally:
            turns.end()


def _blocks(
    batches: Iterable[tuple[memoryview, memoryview]], rows: int
) -> Iterator[list[memoryview]]:
    """The texts of each block of so many rows, whatever the size of the batches in which they come."""
    block: list[memoryview] = []
    missing = _ROWS
    for places, texts in batches:
        first, last = 0, len(places) - 1
        rows -= last
        while first < last:
            end = min(last, first + missing)
            block.append(texts[places[first] : places[end]])
            missing -= end - first
            first = end
            if not missing:
                yield block
                block, missing = [], _ROWS
    if rows:
        raise ValueError(
            f"{abs(rows)} rows of a table {'are not written' if rows > 0 else 'are written and not in it'}"
        )
    if block:
        yield block


class _Turns:
    """Lets threads write one after the other by their numbers; none any more once it has ended."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._next = 0
        self._ended = False

    @contextmanager
    def take(self, number: int) -> Iterator[None]:
        """Waits for the turn of a number, and passes it on. Raises RuntimeError once it has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._next == number)
            if self._ended:
                raise RuntimeError("another thread has failed")
        yield
        with self._changed:
            self._next += 1
            self._changed.notify_all()

    def end(self) -> None:
        """Wakes all waiters with an error."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
