"""A large file goes to the disk while it is written: the same bytes, nothing passed over, and no
waiting for a slow disk.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from lodpipe.engine import page_cache as writebehind
from lodpipe.engine.page_cache import WriteBehind

PIECE = bytes(range(256)) * 300  # no divisor of a step


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writebehind, "_STEP", 1 << 20)
    monkeypatch.setattr(writebehind, "_CACHED", 4 << 20)


@pytest.mark.skipif(
    not hasattr(os, "posix_fadvise"), reason="this system cannot be advised to drop a file"
)
def test_every_byte_is_handed_over_and_all_but_the_last_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[int, int]] = []
    advise = os.posix_fadvise

    def noted(descriptor: int, start: int, size: int, advice: int) -> None:
        calls.append((start, start + size))
        advise(descriptor, start, size, advice)

    monkeypatch.setattr(os, "posix_fadvise", noted)
    write(tmp_path / "out", 300)
    size = 300 * len(PIECE)
    assert (tmp_path / "out").read_bytes() == PIECE * 300
    for position in range(0, size - (6 << 20), 4096):
        assert sum(start <= position < end for start, end in calls) == 2, position
    assert max(end for _, end in calls) > size - (2 << 20)


def test_a_slow_disk_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def slow(*_: int) -> None:
        calls.append(1)
        time.sleep(0.2)

    monkeypatch.setattr(os, "posix_fadvise", slow, raising=False)
    write(tmp_path / "out", 300)
    assert len(calls) == 1
    assert (tmp_path / "out").read_bytes() == PIECE * 300


def test_a_system_that_cannot_forget_writes_as_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "posix_fadvise", raising=False)
    write(tmp_path / "out", 100)
    assert (tmp_path / "out").read_bytes() == PIECE * 100


def write(path: Path, times: int) -> None:
    with path.open("wb") as file:
        out = WriteBehind(file)
        for _ in range(times):
            out.write(PIECE)
