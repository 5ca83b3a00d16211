"""Work on many items in several processes, for pure Python, which uses one core only.

Each process takes every n-th item and gives its answers when it is done. A process that fails, or
is killed, gives none; what it should have done is done here.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def cores() -> int:
    """How many processes can work at once."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def each(work: Callable[[Item], Answer], items: Sequence[Item], processes: int) -> list[Answer]:
    """The answer for each item, in the order of the items; exceptions are raised here."""
    shares = [items[at::processes] for at in range(processes)]
    children = [_begin(work, share) for share in shares[1:]]
    try:
        own = [work(item) for item in shares[0]]
        answers = [own]
        for child, share in zip(children, shares[1:], strict=True):
            answers.append(_end(child, len(share)) or [work(item) for item in share])
    finally:
        for process, channel in children:
            with contextlib.suppress(OSError):
                os.close(channel)
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)
    return [answers[at % processes][at // processes] for at in range(len(items))]


def _begin(work: Callable[[Item], Answer], share: Sequence[Item]) -> tuple[int, int]:
    """A process that works, and the channel on which its answers come."""
    read, write = os.pipe()
    process = os.fork()
    if process:
        os.close(write)
        return process, read
    code = 1
    try:
        os.close(read)
        data = pickle.dumps([work(item) for item in share])
        with os.fdopen(write, "wb") as channel:
            channel.write(data)
        code = 0
    finally:
        os._exit(code)


def _end(child: tuple[int, int], count: int) -> list[Answer] | None:
    """The answers of a process; None where it did not give them all."""
    with os.fdopen(os.dup(child[1]), "rb") as channel:
        data = channel.read()
    try:
        answers: list[Answer] = pickle.loads(data)  # of a process of our own
    except (pickle.UnpicklingError, EOFError, AttributeError, IndexError):
        return None
    return answers if len(answers) == count else None
