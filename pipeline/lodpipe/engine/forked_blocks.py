"""Work on a stream of blocks in several processes, for pure Python, which uses one core only.

This process reads the blocks, gives each to a process that has nothing to do, and takes the answers as
they come. Blocks and answers are bytes. Whatever a process raises is raised here.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import select
import signal
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, NoReturn

from lodpipe.sources.forked_reading import cores

_HEAD = 8  # bytes that say how long a block is, and in the first whether it is an error
_LOST = "a process that was making pages was ended from outside"
_PIPE = 1 << 20  # what a channel holds, where the system grants it


class _Process(NamedTuple):
    number: int
    blocks: int  # where its blocks are written to
    answers: int  # where its answers are read from


def answers(
    work: Callable[[bytes], bytes], blocks: Iterable[bytes], processes: int
) -> Iterator[bytes]:
    """The answer to each block, in no order.

    The processes are copies of this one as it is now, so `work` may use whatever is in memory, but
    no thread and no connection of this process. Raises what a process raises, and ChildProcessError
    if one was ended from outside.
    """
    working: list[_Process] = []
    gc.freeze()  # what is shared stays shared
    try:
        for _ in range(processes):
            working.append(_fork(work, working))
        free, busy = list(working), dict[int, _Process]()
        for block in blocks:
            if not free:
                yield from _received(busy, free)
            process = free.pop()
            _give(process, block)
            busy[process.answers] = process
        while busy:
            yield from _received(busy, free)
    finally:
        gc.unfreeze()
        for process in working:
            _end(process)


def _give(process: _Process, block: bytes) -> None:
    try:
        _write(process.blocks, b"\0" + len(block).to_bytes(_HEAD, "big") + block)
    except BrokenPipeError:  # of our channel, not of this program's output
        raise ChildProcessError(_LOST) from None


def _received(busy: dict[int, _Process], free: list[_Process]) -> Iterator[bytes]:
    """The answers of the processes that are done first."""
    readable, _, _ = select.select([*busy], [], [])
    for channel in readable:
        free.append(busy.pop(channel))
        yield _answer(channel)


def _answer(channel: int) -> bytes:
    head = _read(channel, _HEAD + 1)
    size = int.from_bytes(head[1:], "big")
    data = _read(channel, size)
    if len(head) <= _HEAD or len(data) < size:
        raise ChildProcessError(_LOST)
    if head[0]:
        raise pickle.loads(data)  # of a process of our own
    return data


def _end(process: _Process) -> None:
    for channel in (process.blocks, process.answers):
        with contextlib.suppress(OSError):
            os.close(channel)
    with contextlib.suppress(OSError):
        os.kill(process.number, signal.SIGKILL)
        os.waitpid(process.number, 0)


def _fork(work: Callable[[bytes], bytes], others: Iterable[_Process]) -> _Process:
    blocks, to_process = os.pipe()
    from_process, answered = os.pipe()
    for channel in (to_process, answered):
        _enlarge(channel)
    number = os.fork()
    if not number:
        # A channel of another process that stays open here would never end there.
        inherited = [channel for item in others for channel in (item.blocks, item.answers)]
        _serve(work, blocks, answered, [to_process, from_process, *inherited])
    os.close(blocks)
    os.close(answered)
    return _Process(number, to_process, from_process)


def _serve(
    work: Callable[[bytes], bytes], blocks: int, answered: int, inherited: Iterable[int]
) -> NoReturn:
    """Answers blocks until there are no more; the process ends with it."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends the others
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for channel in inherited:
            os.close(channel)
        while head := _read(blocks, _HEAD + 1):
            block = _read(blocks, int.from_bytes(head[1:], "big"))
            try:
                mark, data = b"\0", work(block)
            except BaseException as error:
                mark, data = b"\1", _pickled(error)
            _write(answered, mark + len(data).to_bytes(_HEAD, "big") + data)
    finally:
        os._exit(0)


def _pickled(error: BaseException) -> bytes:
    try:
        data = pickle.dumps(error)
        pickle.loads(data)
    except Exception:  # not every exception can be pickled
        return pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))
    return data


def _enlarge(channel: int) -> None:
    """Lets a channel hold more, where the system can do that: processes then wait less often."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(channel, fcntl.F_SETPIPE_SZ, _PIPE)


def _write(channel: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(channel, rest) :]


def _read(channel: int, size: int) -> bytes:
    """So many bytes, fewer where the channel ends."""
    parts = []
    while size and (part := os.read(channel, min(size, _PIPE))):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


__all__ = ["answers", "cores"]
