"""Pages in one file (`site: {packed: true}`): a server answers from it as from files."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import which
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from lodpipe.engine.site_archive import ArchiveWriter, SiteArchive
from serving import Answer, Served, cases, serving
from support import TESTS, run_process

CASES = cases("packed.yaml")
# These depend on when files were written.
TIMES = ("date", "etag", "last-modified")
LIBRARIES = TESTS / "projects" / "libraries"


class Both(NamedTuple):
    """The same publication with its pages as files, and packed."""

    files: Path
    packed: Path


@pytest.fixture(scope="module")
def projects(build_once: Callable[..., Path]) -> Both:
    return Both(
        build_once("libraries", origin=LIBRARIES),
        build_once("libraries-packed", origin=LIBRARIES, prepare=pack),
    )


def pack(project: Path) -> None:
    """Declares that pages are packed."""
    path = project / "publication.yaml"
    path.write_text(path.read_text("utf-8").replace("site:\n", "site:\n  packed: true\n"), "utf-8")


@pytest.fixture(scope="module")
def servers(
    projects: Both, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Served, Served]]:
    logs = tmp_path_factory.mktemp("servers")
    with (
        serving(projects.files, logs / "files") as files,
        serving(projects.packed, logs / "packed") as packed,
    ):
        yield files, packed


def site_files(project: Path) -> dict[str, bytes]:
    site = project / "dist" / "site"
    return {
        path.relative_to(site).as_posix(): path.read_bytes()
        for path in site.rglob("*")
        if path.is_file()
    }


def packed_files(project: Path) -> dict[str, bytes]:
    archive = project / "dist" / "site" / "pages.sqlar"
    with sqlite3.connect(archive) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlar ORDER BY rowid")]
    pages = SiteArchive(archive)
    return {name: pages.read(name) or b"" for name in names}


def test_the_archive_has_the_files_that_are_missing_in_the_tree(projects: Both) -> None:
    files, rest, packed = (
        site_files(projects.files),
        site_files(projects.packed),
        packed_files(projects.packed),
    )
    assert len(packed) > 50
    assert files.keys() == (rest.keys() | packed.keys()) - {"pages.sqlar"}
    assert not rest.keys() & packed.keys()
    assert {name for name, content in packed.items() if files[name] != content} == set()


def test_each_address_answers_the_same(projects: Both, servers: tuple[Served, Served]) -> None:
    names = [name for name in site_files(projects.files) if not name.startswith(".")]
    assert len(names) > 150
    different = {
        name for name in names if len({*map(comparable, from_both(servers, quote(name)))}) > 1
    }
    assert different <= {"SHA256SUMS"}


def comparable(answer: Answer) -> tuple[int, str, frozenset[tuple[str, str]]]:
    headers = frozenset(item for item in answer.headers.items() if item[0] not in TIMES)
    return answer.status, hashlib.sha256(answer.body).hexdigest(), headers


def from_both(servers: tuple[Served, Served], path: str) -> list[Answer]:
    return [server.request(f"/{path}") for server in servers]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_a_request_is_answered_the_same(
    case: dict[str, Any], servers: tuple[Served, Served]
) -> None:
    files, packed = (answer_of(server, case) for server in servers)
    assert files.status == packed.status == case.get("status", 200)
    if "boundary" not in packed.headers.get("content-type", ""):  # it is random
        assert comparable(files) == comparable(packed)
    assert files.headers.keys() == packed.headers.keys()


def answer_of(server: Served, case: dict[str, Any]) -> Answer:
    headers = dict(case.get("headers", {}))
    if condition := case.get("if"):
        first = server.request(f"/{case['path']}")
        wanted = "last-modified" if condition == "If-Modified-Since" else "etag"
        headers[condition] = first.headers[wanted]
    return server.request(f"/{case['path']}", method=case.get("method", "GET"), headers=headers)


def test_the_same_pages_give_the_same_archive(projects: Both, tmp_path: Path) -> None:
    contents = packed_files(projects.packed)
    for name in ("first", "second"):
        with ArchiveWriter(tmp_path / name) as archive:
            for page, content in contents.items():
                archive.put(page, content)
    first = (tmp_path / "first").read_bytes()
    assert first == (tmp_path / "second").read_bytes()
    assert first == (projects.packed / "dist/site/pages.sqlar").read_bytes()


def test_a_second_build_writes_nothing_and_checks_pass(projects: Both) -> None:
    archive = projects.packed / "dist/site/pages.sqlar"
    before = archive.stat()
    for command in ("build", "check"):
        done = run_process(command, "--project", projects.packed)
        assert done.returncode == 0, done.stderr
    assert archive.stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.skipif(which("sqlite3") is None, reason="the program of SQLite is not installed")
def test_sqlite_unpacks_the_archive(projects: Both, tmp_path: Path) -> None:
    archive = projects.packed / "dist/site/pages.sqlar"
    command = ["sqlite3", str(archive), "-A", "-x", "--directory", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    files = {
        path.relative_to(tmp_path).as_posix(): path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    assert files == packed_files(projects.packed)


def test_a_name_that_is_put_twice_stays_as_it_was_first(tmp_path: Path) -> None:
    path = tmp_path / "pages.sqlar"
    with ArchiveWriter(path) as archive:
        archive.put("a", b"first")
        archive.put("a", b"second" * 100)
        archive.put("empty", b"")
    pages = SiteArchive(path)
    assert (pages.read("a"), pages.read("empty"), pages.read("b")) == (b"first", b"", None)
    assert pages.has("empty") and not pages.has("b")
