"""Files of lines are divided into blocks of whole records, wherever their splits begin."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lodpipe.engine.spark import disk_blocks
from lodpipe.engine.spark.disk_blocks import Span, blocks_of, ends_of
from lodpipe.engine.spark.text_blocks import ends_inside

TEXTS = st.text(alphabet='ab,"\n', max_size=80).map(str.encode)


def record_starts(data: bytes) -> list[int]:
    """Where records begin, by all lines from the first."""
    starts, at, inside = [], 0, False
    for line in data.splitlines(keepends=True):
        if not inside:
            starts.append(at)
        inside = ends_inside(line, inside=inside)
        at += len(line)
    return starts


def blocks(data: bytes, size: int, *, csv: bool = True) -> list[Span]:
    """The blocks of a file that is divided at so many bytes."""
    file = io.BytesIO(data)
    splits = [Span(0, at, min(at + size, len(data))) for at in range(0, len(data), size)]
    rows = [ends_of(file, split, csv=csv) for split in splits]
    return blocks_of(reversed(rows), {0: len(data)})  # tasks end in any order


@pytest.fixture(scope="module", autouse=True)
def short_suffixes() -> Iterator[None]:
    """The ends of splits are looked for in a few bytes first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disk_blocks, "_SUFFIXES", (3, 9))
        yield


@settings(max_examples=600, deadline=None)
@given(TEXTS, st.integers(1, 30))
@example(b'a,b\n"a\nb","c\n\n"\n', 4)
@example(b'"a\n', 1)
def test_a_block_begins_with_the_first_record_of_its_split(data: bytes, size: int) -> None:
    expected: list[int] = []
    for start in record_starts(data):
        if not expected or start // size != expected[-1] // size:
            expected.append(start)
    spans = blocks(data, size)
    assert [block.start for block in spans] == expected
    assert [block.end for block in spans] == [*expected[1:], len(data)][: len(expected)]


@given(TEXTS, st.integers(1, 30))
def test_each_line_is_a_record_of_json_lines(data: bytes, size: int) -> None:
    spans = blocks(data, size, csv=False)
    assert b"".join(data[block.start : block.end] for block in spans) == data
    assert all(data[block.end - 1 : block.end] == b"\n" for block, _ in pairwise(spans))
