"""Compressed copies: the same bytes whether members of an older copy are at hand or not."""

from __future__ import annotations

import gzip as standard
import random
import shutil
from pathlib import Path

import deflate
import pytest

from lodpipe.publish.compression import gzip

LINES = 400_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of about 30 MB with its compressed copy."""
    chance = random.Random(7)
    path = tmp_path_factory.mktemp("large") / "statements.nq"
    path.write_text(
        "".join(
            f"<https://example.org/{n}> <https://example.org/name> {chance.random()} .\n"
            for n in range(LINES)
        )
    )
    gzip(path)
    return path


def packed(path: Path) -> bytes:
    return path.with_name(f"{path.name}.gz").read_bytes()


def test_a_small_file_is_one_member_and_an_empty_one_none(tmp_path: Path) -> None:
    path = tmp_path / "small.nt"
    path.write_bytes(b"<s> <p> <o> .\n")
    gzip(path)
    assert packed(path) == deflate.gzip_compress(path.read_bytes(), 9)
    path.write_bytes(b"")
    gzip(path)
    assert packed(path) == b""


@pytest.mark.parametrize("edit", ["none", "begin", "middle", "end", "shorter", "all"])
def test_members_of_an_older_copy_give_the_same_bytes(
    large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edit: str
) -> None:
    lines = large.read_bytes().splitlines(keepends=True)
    place = {"begin": 3, "middle": LINES // 2, "end": LINES - 1}.get(edit)
    if place is not None:
        lines[place : place + 1] = [b"<s> <p> <a> .\n", b"<s> <p> <b> .\n"]
    if edit == "shorter":
        del lines[1000:]
    if edit == "all":
        lines.reverse()
    path = tmp_path / large.name
    path.write_bytes(b"".join(lines))
    gzip(path)
    expected = packed(path)
    assert standard.decompress(expected) == path.read_bytes()
    sizes: list[int] = []
    compress = deflate.gzip_compress

    def counted(data: bytes, level: int) -> bytes:
        sizes.append(len(data))
        return bytes(compress(data, level))

    monkeypatch.setattr(deflate, "gzip_compress", counted)
    gzip(path, (large, large.with_name(f"{large.name}.gz")))
    assert packed(path) == expected
    if edit in ("none", "begin", "middle", "end"):
        assert sum(sizes) < path.stat().st_size / 2


@pytest.mark.parametrize("damage", ["cut short", "longer", "empty", "of another file"])
def test_a_damaged_older_copy_is_not_used(large: Path, tmp_path: Path, damage: str) -> None:
    path = Path(shutil.copy(large, tmp_path))
    old, copy = tmp_path / "old.nq", tmp_path / "old.nq.gz"
    shutil.copy(large, old)
    data = packed(large)
    changed = {"cut short": data[:-4], "longer": data + b"x", "empty": b"", "of another file": data}
    copy.write_bytes(changed[damage])
    if damage == "of another file":
        old.write_bytes(large.read_bytes().replace(b"name", b"NAME"))
    gzip(path, (old, copy))
    assert packed(path) == data
