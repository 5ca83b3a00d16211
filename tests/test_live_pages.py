"""`lodpipe build --watch --serve`: pages in a browser load again after a build, show the errors of one that
failed, and what is published has nothing of it.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from browser_support import Browser
from support import PROGRAM, ROOT, copy_project
from test_watch import watching


@pytest.fixture
def served(
    tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[Path, str, Callable[[str], str]]]:
    """A project, the address of its pages, and a function that waits for a line of the terminal."""
    project = copy_project(tmp_path / "project", ROOT / "tests" / "projects" / "libraries")
    if getattr(request, "param", "files") == "packed":
        declared = project / "publication.yaml"
        text = declared.read_text("utf-8")
        declared.write_text(text.replace("site:\n", "site:\n  packed: true\n"), "utf-8")
    with watching(project, "build", "--serve", "--port", "0") as (_, wait_for):
        address = re.search(r"http://\S+", wait_for("serving "))
        assert address
        wait_for("0 errors")
        yield project, address[0], wait_for


def replaced(project: Path, old: str, new: str) -> None:
    path = project / "source" / "libraries.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_a_page_follows_what_is_saved(
    browser: Browser, served: tuple[Path, str, Callable[[str], str]]
) -> None:
    project, address, _ = served
    with browser.page() as page:
        page.goto(f"{address}library/central.html")
        page.get_by_role("heading", name="Central Library", level=1).wait_for()
        replaced(project, "Central Library", "New Library")
        page.get_by_role("heading", name="New Library", level=1).wait_for(timeout=30_000)
        assert page.url == f"{address}library/central.html"

        replaced(project, "parent: central", "parent: centre")
        alert = page.get_by_role("alert")
        alert.wait_for(timeout=30_000)
        assert "LP206" in alert.inner_text() and "libraries.yaml" in alert.inner_text()
        assert page.inner_text("h1") == "New Library"
        page.goto(f"{address}index.de.html")  # a page that is opened later shows them as well
        page.get_by_role("alert").get_by_text("Der letzte Build ist fehlgeschlagen").wait_for()

        replaced(project, "parent: centre", "parent: central")
        alert.wait_for(state="detached", timeout=30_000)

        path = project / "publication.yaml"
        declared = path.read_text("utf-8")
        path.write_text(f"{declared}nonsense: 1\n", "utf-8")
        alert.get_by_text("nonsense").wait_for(timeout=30_000)
        path.write_text(declared, "utf-8")
        alert.wait_for(state="detached", timeout=30_000)
    published = list((project / "dist" / "site").rglob("*"))
    assert published
    assert not [path for path in published if path.is_file() and b"/-/" in path.read_bytes()]


def test_pages_before_the_first_build_say_so_and_its_errors(
    browser: Browser, tmp_path: Path
) -> None:
    project = copy_project(tmp_path / "project", ROOT / "tests" / "projects" / "libraries")
    replaced(project, "parent: central", "parent: centre")
    with watching(project, "build", "--serve", "--port", "0") as (_, wait_for):
        address = re.search(r"http://\S+", wait_for("serving "))
        assert address
        with browser.page(allow=("404",)) as page:
            page.goto(address[0])
            page.get_by_role("alert").get_by_text("LP206").wait_for(timeout=30_000)
            replaced(project, "parent: centre", "parent: central")
            page.get_by_role("heading", name="Libraries of Exampletown").wait_for(timeout=30_000)


@pytest.mark.parametrize("served", ["files", "packed"], indirect=True)
def test_the_server_answers_this_machine_alone(
    served: tuple[Path, str, Callable[[str], str]],
) -> None:
    _, address, _ = served
    place = urlsplit(address)

    def got(path: str, host: str = place.netloc) -> tuple[int, str, str]:
        connection = http.client.HTTPConnection(place.netloc, timeout=20)
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        text = answer.read(400).decode("utf-8", "replace")
        return answer.status, answer.headers["Content-Type"], text

    assert got("/", "rebound.example")[0] == 421
    assert got("/-/builds", "rebound.example")[0] == 421
    assert got("/library/central")[:2] == (200, "text/html; charset=utf-8")
    assert got("/library/central.ttl")[:2] == (200, "text/turtle")
    assert got("/no/such/page")[0] == 404
    assert got("/../publication.yaml")[0] == 404
    assert got("/%2e%2e/%2e%2e/publication.yaml")[0] == 404
    connection = http.client.HTTPConnection(place.netloc, timeout=20)
    connection.request("GET", "/-/builds")
    answer = connection.getresponse()
    line = answer.fp.readline().decode()
    state = json.loads(line.removeprefix("data: "))
    assert state["report"] == "" and state["build"].endswith("-1")


def test_a_port_that_is_taken_is_one_finding(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project", ROOT / "tests" / "projects" / "libraries")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [*PROGRAM, "build", "--project", str(project), "--watch", "--serve"]
        done = subprocess.run(
            [*command, "--port", port], capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 2 and "LP821" in done.stderr and port in done.stderr
    assert not (project / "dist").exists()


@pytest.mark.parametrize("options", [["--serve"], ["--serve", "--watch", "--no-site"]])
def test_pages_that_are_not_made_again_are_not_served(options: list[str]) -> None:
    done = subprocess.run(
        [*PROGRAM, "build", *options], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2 and "--serve needs --watch" in done.stderr
