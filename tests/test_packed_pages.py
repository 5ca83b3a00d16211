"""Pages in one file (`site: {packed: true}`): a server answers from it as from files."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import which
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from lodpipe.config.publication import Project
from lodpipe.engine.site_archive import ArchiveWriter, SiteArchive
from lodpipe.site.resource_files import ResourceFiles
from lodpipe.workflow.pipeline import build
from serving import Answer, Served, cases, serving
from support import TESTS, copy_project, run_process
from test_incremental import from_nothing

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


# -- after a change --------------------------------------------------------------------------------


def rename(project: Path) -> None:
    replace(project / "source/libraries.yaml", "Central Library", "Main Library")


def add(project: Path) -> None:
    path = project / "source/libraries.yaml"
    more = (
        "\n- id: aachener-platz\n  name: {en: A Branch, de: Eine Zweigstelle}\n  isil: DE-0001-9\n"
    )
    path.write_text(path.read_text("utf-8") + more, "utf-8")


def change_a_note_of_one_work(project: Path) -> None:
    replace(project / "source/works.json", "Metropolis", "Metropolis (1927)")


def withdraw_all_choice(project: Path) -> None:
    replace(project / "publication.yaml", "  packed: true\n", "  packed: true\n  formats: [nt]\n")


def overwrite_an_entry(project: Path) -> None:
    with sqlite3.connect(project / "dist/site/pages.sqlar") as connection:
        connection.execute("UPDATE sqlar SET data = 'x' WHERE name = 'library/central.ttl'")
    connection.close()
    rename(project)


def delete_an_entry_in_secret(project: Path) -> None:
    path = project / "dist/site/pages.sqlar"
    state = path.stat()
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM sqlar WHERE name = 'library/central.ttl'")
    connection.close()
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    rename(project)


def damage_the_archive_in_secret(project: Path) -> None:
    path = project / "dist/site/pages.sqlar"
    state = path.stat()
    path.write_bytes(b"no database" * 1000)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    rename(project)


def remove_the_archive(project: Path) -> None:
    (project / "dist/site/pages.sqlar").unlink()
    rename(project)


def unpack(project: Path) -> None:
    replace(project / "publication.yaml", "  packed: true\n", "")


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


@pytest.mark.parametrize(
    ("change", "is_partial"),
    [
        (rename, True),
        (add, True),
        (change_a_note_of_one_work, True),
        (withdraw_all_choice, False),
        (overwrite_an_entry, False),
        (delete_an_entry_in_secret, True),
        (damage_the_archive_in_secret, False),
        (remove_the_archive, False),
        (unpack, False),
    ],
)
def test_after_a_change_the_archive_is_that_of_a_build_from_nothing(
    change: Callable[[Path], None],
    is_partial: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`is_partial`: only some pages are rendered, else all."""
    project = copy_project(tmp_path / "project", LIBRARIES)
    pack(project)
    build(Project.open(project))
    every = len(json_documents(project))
    change(project)
    rendered: list[int] = []
    original = ResourceFiles.rendered
    monkeypatch.setattr(
        ResourceFiles,
        "rendered",
        lambda self, items: rendered.append(len(items)) or original(self, items),
    )
    build(Project.open(project))
    print(f"{sum(rendered)} of {every} resources")
    assert 0 < sum(rendered) < every if is_partial else sum(rendered) >= every
    monkeypatch.undo()
    dist = {p.relative_to(project / "dist").as_posix(): p.read_bytes() for p in (project / "dist").rglob("*") if p.is_file()}  # fmt: skip
    assert dist == from_nothing(project, tmp_path / "fresh")


def json_documents(project: Path) -> list[str]:
    return [name for name in packed_files(project) if name.endswith(".json")]
