"""Records that are kept by what their files contain: the same rows and findings with and without,
whatever happens to the log.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lodpipe.sources import Lexicon, RecordReader, file_reading, read_declaration
from lodpipe.sources.record_cache import MAGIC, MOST_BYTES, RecordCache, cache_folder, digest
from lodpipe.sources.record_tables import RowTable

LEXICON = Lexicon({}, {}, ("en",))
RECORDS = """people:
  files: '{state}/*.yaml'
  ignore: extras
  fields:
    id: {type: text, required: true}
    name: {type: text, required: true}
    roles: {list: {fields: {type: {type: text}, since: {type: partial-date}}}}
"""
NUMBER = 24  # files


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(file_reading, "LARGE", 1000)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("LODPIPE_CACHE", raising=False)
    root = tmp_path / "project"
    (root / "source/wy").mkdir(parents=True)
    (root / "source/records.yaml").write_text(RECORDS, "utf-8")
    for number in range(NUMBER):
        write(root, number, f"Ann {number}")
    return root


def write(root: Path, number: int, name: str, more: str = "") -> None:
    text = (
        f"id: p/{number}\nname: {name}\nextras: {{a: 1}}\nroles:\n"
        f"- {{type: mayor, since: '2020'}}\n- type: clerk\n{more}"
    )
    (root / f"source/wy/{number:02}.yaml").write_text(text, "utf-8")


def outcome(root: Path) -> tuple[Any, ...]:
    """All that reading gives: rows, lines, places of cells, findings, unread keys."""
    declared = read_declaration(root / "source/records.yaml", "source/records.yaml")
    reader = RecordReader(root / "source", "source/", LEXICON)
    tables = reader.read(declared.values())
    rows = {
        name: (table.rows, list(table.lines), [table.locate(row[0], "name") for row in table.rows])  # type: ignore[arg-type]  # a number
        for name, table in tables.items()
        if isinstance(table, RowTable)
    }
    return rows, reader.findings, reader.unread_keys


def without_cache(root: Path) -> tuple[Any, ...]:
    folder = cache_folder()
    os.environ["LODPIPE_CACHE"] = "off"
    try:
        return outcome(root)
    finally:
        del os.environ["LODPIPE_CACHE"]
        assert cache_folder() == folder


def the_log(root: Path) -> Path:
    (log,) = (root.parent / "cache/lodpipe").iterdir()
    return log


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that this process reads as records."""
    names: list[str] = []
    original = file_reading._read

    def counted(reader: Any, file: Any) -> Any:
        names.append(file.name)
        return original(reader, file)

    monkeypatch.setattr(file_reading, "_read", counted)
    monkeypatch.setattr(file_reading, "cores", lambda: 1)
    return names


def test_results_are_the_same_cold_warm_and_without(project: Path) -> None:
    cold, warm, without = outcome(project), outcome(project), without_cache(project)
    assert cold == warm == without
    assert cold[2] == {"people": {"extras": NUMBER}}
    rows, _, places = cold[0]["people"]
    assert (len(rows), places[0].line) == (NUMBER, 2)


def test_only_what_changed_is_read_again(project: Path, parsed: list[str]) -> None:
    outcome(project)
    assert len(parsed) == NUMBER
    parsed.clear()
    outcome(project)
    assert parsed == []
    write(project, 7, "Bo")
    assert outcome(project) == without_cache(project)
    assert parsed[0] == "source/wy/07.yaml"
    assert len(parsed) == 1 + NUMBER


def test_files_with_findings_are_reported_each_time(project: Path) -> None:
    write(project, 3, "Bo", more="nmae: x\n")
    write(project, 5, "Bo")
    (project / "source/wy/99.yaml").write_text("id: p/5\nname: Bo\n", "utf-8")
    cold, warm, without = outcome(project), outcome(project), without_cache(project)
    assert [finding.code for finding in cold[1]] == ["LP201", "LP207"]
    assert cold == warm == without


def test_a_file_that_moves_has_the_values_of_its_new_path(project: Path) -> None:
    outcome(project)
    (project / "source/nv").mkdir()
    (project / "source/wy/01.yaml").rename(project / "source/nv/01.yaml")
    assert outcome(project) == without_cache(project)


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "source/records.yaml").write_text(
            RECORDS.replace("{type: text, required: true}\n    roles", "{type: text, from: id}\n    roles"),
            "utf-8",
        ),
    ],
    ids=["another declaration"],
)  # fmt: skip
def test_what_else_decides_the_records_counts(
    project: Path, change: Callable[[Path], object]
) -> None:
    outcome(project)
    change(project)
    assert outcome(project) == without_cache(project)


def damages(data: bytes) -> Iterator[tuple[str, bytes]]:
    yield "empty", b""
    yield "another format", b"x" * len(data)
    for at in range(0, len(data), max(1, len(data) // 10)):
        yield f"a bit at {at}", data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        yield f"cut at {at}", data[:at]
    yield "longer", data + b"\0" * 100


def test_a_damaged_log_changes_nothing(project: Path) -> None:
    expected = outcome(project)
    data = the_log(project).read_bytes()
    for name, damaged in damages(data):
        the_log(project).write_bytes(damaged)
        assert outcome(project) == expected, name
        assert outcome(project) == expected, name  # and with the repaired log
        the_log(project).write_bytes(data)


def test_the_log_is_private_whatever_the_umask(project: Path) -> None:
    before = os.umask(0)
    try:
        outcome(project)
    finally:
        os.umask(before)
    log = the_log(project)
    assert (log.stat().st_mode & 0o777, log.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_log_that_others_can_write_is_not_read(
    project: Path, parsed: list[str], mode: int
) -> None:
    outcome(project)
    the_log(project).chmod(mode)
    parsed.clear()
    outcome(project)
    assert len(parsed) == NUMBER


def test_a_folder_that_others_can_write_is_not_used(project: Path, parsed: list[str]) -> None:
    (project.parent / "cache/lodpipe").mkdir(parents=True)
    (project.parent / "cache/lodpipe").chmod(0o777)
    outcome(project)
    outcome(project)
    assert len(parsed) == 2 * NUMBER
    assert list((project.parent / "cache/lodpipe").iterdir()) == []


def test_a_link_in_the_place_of_the_log_is_not_followed(project: Path) -> None:
    expected = outcome(project)
    log, elsewhere = the_log(project), project / "elsewhere"
    log.rename(elsewhere)
    data = elsewhere.read_bytes()
    log.symlink_to(elsewhere)
    write(project, 1, "Bo")
    assert outcome(project) != expected
    assert elsewhere.read_bytes() == data


def test_a_folder_that_cannot_be_written_is_no_obstacle(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.parent / "file").write_text("", "utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(project.parent / "file"))
    assert outcome(project) == without_cache(project)


def test_a_second_writer_does_without(project: Path) -> None:
    outcome(project)
    size = the_log(project).stat().st_size
    write(project, 1, "Bo")
    handle = os.open(the_log(project).parent, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        assert outcome(project) == without_cache(project)
        assert the_log(project).stat().st_size == size
    finally:
        os.close(handle)
    outcome(project)
    assert the_log(project).stat().st_size > size


def test_many_at_once_leave_a_whole_log(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)

    def run(number: int) -> None:
        for turn in range(20):
            cache = RecordCache(tmp_path, "log")
            for other in range(8):
                key = digest(str(other).encode())
                assert cache.get(key) in (None, str(other).encode())
            cache.put(digest(str(number).encode()), str(number).encode())
            if turn % 3 == 0:
                cache.write()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(run, range(8)))
    data = (tmp_path / "log.records").read_bytes()
    assert data.startswith(MAGIC)
    assert {path.name for path in tmp_path.iterdir()} == {"log.records"}


def test_a_log_of_waste_is_written_again(project: Path) -> None:
    outcome(project)
    once = the_log(project).stat().st_size
    sizes = []
    for turn in range(6):
        for number in range(NUMBER):
            write(project, number, f"Bo {turn} {number}")
        outcome(project)
        sizes.append(the_log(project).stat().st_size)
    print(once, sizes)
    assert max(sizes) <= 2.1 * once


def test_all_logs_together_have_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lodpipe.sources.record_cache.MOST_BYTES", 3000)
    tmp_path.chmod(0o700)
    for number in range(8):
        cache = RecordCache(tmp_path, f"log{number}")
        cache.put(digest(b"key"), b"x" * 900)
        cache.write()
        os.utime(tmp_path / f"log{number}.records", (number, number))
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["log5", "log6", "log7"]
    assert MOST_BYTES == 1_000_000_000


def test_the_cache_can_be_turned_off_and_moved() -> None:
    assert cache_folder({"HOME": "/home/ann"}) == Path("/home/ann/.cache/lodpipe")
    assert cache_folder({"XDG_CACHE_HOME": "/x", "HOME": "/h"}) == Path("/x/lodpipe")
    assert cache_folder({"XDG_CACHE_HOME": "x", "HOME": "/h"}) == Path("/h/.cache/lodpipe")
    assert cache_folder({"LODPIPE_CACHE": "off", "HOME": "/h"}) is None
    assert cache_folder({}) is None


def test_processes_give_the_same_as_one(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = without_cache(project)
    for processes in (2, 5, NUMBER + 3):
        monkeypatch.setattr(file_reading, "cores", lambda number=processes: number)
        assert without_cache(project) == expected


def test_a_process_that_dies_loses_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = without_cache(project)
    parent, original = os.getpid(), file_reading._read

    def dying(reader: Any, file: Any) -> Any:
        if os.getpid() != parent:
            os.kill(os.getpid(), 9)
        return original(reader, file)

    monkeypatch.setattr(file_reading, "_read", dying)
    monkeypatch.setattr(file_reading, "cores", lambda: 3)
    assert without_cache(project) == expected
