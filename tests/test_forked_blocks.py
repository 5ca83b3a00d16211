"""Work in several processes: every block is answered once, errors arrive, a lost process is noticed."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from lodpipe.engine.forked_blocks import answers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pages are forked on Linux only")


def reversed_block(block: bytes) -> bytes:
    return block[::-1]


def test_every_block_is_answered_once_whatever_its_size() -> None:
    """Blocks and answers are larger than what a channel holds, so that writers have to wait."""
    blocks = [bytes([number]) * (3_000_000 * (number % 2) + number) for number in range(1, 12)]
    assert sorted(answers(reversed_block, iter(blocks), 3)) == sorted(blocks)
    assert list(answers(reversed_block, [], 2)) == []


def test_what_a_process_raises_is_raised_here() -> None:
    def full(block: bytes) -> bytes:
        raise OSError(28, "No space left on device", "place.html")

    with pytest.raises(OSError, match="No space left") as caught:
        list(answers(full, [b"x"], 2))
    assert (caught.value.errno, caught.value.filename) == (28, "place.html")


def test_a_process_that_is_killed_is_an_error_not_an_endless_wait() -> None:
    def killed(block: bytes) -> bytes:
        os.kill(os.getpid(), signal.SIGKILL)
        return block

    with pytest.raises(ChildProcessError):
        list(answers(killed, [b"x"] * 5, 2))


def test_a_caller_that_stops_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    fork = os.fork

    def counted() -> int:
        begun.append(fork())
        return begun[-1]

    monkeypatch.setattr(os, "fork", counted)
    stream = answers(reversed_block, iter([b"x"] * 100), 2)
    next(stream)
    stream.close()
    assert len(begun) == 2
    for process in begun:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
