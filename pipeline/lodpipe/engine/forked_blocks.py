"""Work on a stream of blocks in several processes, for pure Python, which uses one core only.

This process reads the blocks and sends each to a process that has room for it; the answers come when
all blocks are sent. A block is bytes, so that sending costs little. Whatever a process raises is
raised here.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import select
import signal
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

from lodpipe.sources.forked_reading import cores

Answer = TypeVar("Answer")
_HEAD = 8  # bytes that say how long a block is


class _Process(NamedTuple):
    number: int
    blocks: int  # where its blocks are written to
    answers: int  # where its answers are read from


class ForkedBlocks(Generic[Answer]):
    """Processes that answer blocks. They are copies of this one as it is now, so `work` may use
    whatever is in memory, but no thread and no connection of this process.
    """

    def __init__(self, work: Callable[[bytes], Answer], processes: int) -> None:
        self._work = work
        self._processes: list[_Process] = []
        gc.freeze()  # what is shared stays shared
        try:
            for _ in range(processes):
                self._processes.append(self._fork())
        except OSError:
            self.stop()
            raise
        finally:
            gc.unfreeze()

    def send(self, block: bytes) -> None:
        """Gives a block to a process that has room for it. Raises what a process has raised."""
        _, writable, _ = select.select([], [item.blocks for item in self._processes], [])
        try:
            _write(writable[0], len(block).to_bytes(_HEAD, "big") + block)
        except BrokenPipeError:
            self.answers()  # raises what ended the process
            raise

    def answers(self) -> list[Answer]:
        """The answers to all blocks, in the order of the processes; they end with it."""
        for item in self._processes:
            with contextlib.suppress(OSError):
                os.close(item.blocks)
        answers: list[Answer] = []
        while self._processes:
            process = self._processes[0]
            data = _read_all(process.answers)
            os.close(process.answers)
            os.waitpid(process.number, 0)
            del self._processes[0]
            answers += _answers_of(data)
        return answers

    def stop(self) -> None:
        """Ends the processes that are still there."""
        for item in self._processes:
            for channel in (item.blocks, item.answers):
                with contextlib.suppress(OSError):
                    os.close(channel)
            with contextlib.suppress(OSError):
                os.kill(item.number, signal.SIGKILL)
                os.waitpid(item.number, 0)
        self._processes = []

    def _fork(self) -> _Process:
        blocks, to_process = os.pipe()
        from_process, answers = os.pipe()
        number = os.fork()
        if number:
            os.close(blocks)
            os.close(answers)
            return _Process(number, to_process, from_process)
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # this process ends the others
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            for channel in (to_process, from_process, *self._channels()):
                os.close(channel)
            _write(answers, self._answered(blocks))
        finally:
            os._exit(0)

    def _channels(self) -> list[int]:
        """The channels of other processes: one that stays open here would never end there."""
        return [channel for item in self._processes for channel in (item.blocks, item.answers)]

    def _answered(self, blocks: int) -> bytes:
        """The answers of a process to all its blocks, or what was raised."""
        try:
            with os.fdopen(blocks, "rb") as channel:
                answers = []
                while head := channel.read(_HEAD):
                    answers.append(self._work(channel.read(int.from_bytes(head, "big"))))
                return pickle.dumps((answers, None))
        except BaseException as error:
            return _pickled_error(error)


__all__ = ["ForkedBlocks", "cores"]


def _pickled_error(error: BaseException) -> bytes:
    try:
        data = pickle.dumps(([], error))
        pickle.loads(data)
    except Exception:  # not every exception can be pickled
        return pickle.dumps(([], RuntimeError(f"{type(error).__name__}: {error}")))
    return data


def _answers_of(data: bytes) -> list[Any]:
    """The answers of a process. Raises what it has raised, and ChildProcessError if it was ended."""
    if not data:
        raise ChildProcessError("a process that writes pages was ended from outside")
    answers, error = pickle.loads(data)  # of a process of our own
    if error is not None:
        raise error
    return list(answers)


def _write(channel: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(channel, rest) :]


def _read_all(channel: int) -> bytes:
    parts = []
    while part := os.read(channel, 1 << 20):
        parts.append(part)
    return b"".join(parts)
