"""Stores on disk: written once, opened at once, written again where they are damaged or of other data."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from lodpipe.queries.confined import Limits, confined
from lodpipe.queries.store_files import key_of, on_disk, place_of
from lodpipe.queries.store_loading import Place
from lodpipe.rdf.sparql import parse
from serving import descendants, serving_file, until
from support import ROOT, errors_in, run_process

TRIPLES = '<x:a> <x:p> "1" .\n<x:a> <x:q> "2" .\n'
QUADS = (
    '<x:a> <x:p> "1" <x:g> .\n<x:a> <x:p> "1" <x:h> .\n<x:a> <x:q> "2" <x:g> .\n<x:a> <x:p> "3" .\n'
)
COUNT = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
IN_GRAPHS = "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }"


@pytest.fixture
def data(tmp_path: Path) -> list[tuple[str, str]]:
    (tmp_path / "data.nt").write_text(TRIPLES, "utf-8")
    return [(str(tmp_path / "data.nt"), "nt")]


@pytest.fixture
def place(tmp_path: Path, data: list[tuple[str, str]]) -> Place:
    return Place(str(tmp_path / "stores"), key_of(data))


def done(data: list[tuple[str, str]], place: Place) -> tuple[str, str, int]:
    """What opening the store did, in a process of its own, as a server does it."""
    script = f"""
        from lodpipe.queries.store_files import on_disk
        from lodpipe.queries.store_loading import Place
        opened = on_disk({data!r}, Place(*{tuple(place)!r}))
        print(opened.event.split()[0], opened.triples, opened.reason)
    """
    output = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True
    ).stdout
    event, triples, *reason = output.strip().split(" ", 2)
    return event, "".join(reason), int(triples)


def test_a_store_is_written_once(data: list[tuple[str, str]], place: Place) -> None:
    assert done(data, place) == ("written", "", 2)
    assert done(data, place) == ("opened", "", 2)
    assert [path.name for path in Path(place.parent).iterdir()] == [place.key]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("cut", "its files are not those that were written"),
        ("more", "its files are not those that were written"),
        ("version", "another version has written it"),
        ("manifest", "No such file"),
        ("foreign", "No such file"),
        ("json", "Expecting value"),
    ],
)
def test_a_damaged_or_foreign_store_is_written_again(
    data: list[tuple[str, str]], place: Place, damage: str, reason: str
) -> None:
    folder = Path(place.parent) / place.key
    if damage == "foreign":
        folder.mkdir(parents=True)
        (folder / "something").write_text("else", "utf-8")
    else:
        done(data, place)
        manifest = folder / "manifest.json"
        table = max((folder / "store").glob("*.sst"))
        if damage == "cut":
            os.truncate(table, table.stat().st_size - 1)
        elif damage == "more":
            (folder / "store" / "000099.sst").write_bytes(b"")
        elif damage == "version":
            manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "engine": "0"}))
        elif damage == "json":
            manifest.write_text("")
        else:
            manifest.unlink()
    event, why, triples = done(data, place)
    assert (event, triples) == ("written", 2)
    assert reason in why
    assert done(data, place)[0] == "opened"


def test_a_store_of_other_data_is_removed_unless_it_is_open(
    data: list[tuple[str, str]], place: Place, tmp_path: Path
) -> None:
    opened = on_disk(data, place)
    (tmp_path / "data.nt").write_text(TRIPLES + '<x:b> <x:p> "4" .\n', "utf-8")
    second = Place(place.parent, key_of(data))
    assert second.key != place.key
    assert done(data, second) == ("written", "", 3)
    assert {path.name for path in Path(place.parent).iterdir()} == {place.key, second.key}
    assert len(list(opened.store.quads_for_pattern(None, None, None))) == 2
    os.close(opened.lock)
    (tmp_path / "data.nt").write_text(TRIPLES, "utf-8")
    os.utime(tmp_path / "data.nt", ns=(1, 1))
    third = Place(place.parent, key_of(data))
    done(data, third)
    assert [path.name for path in Path(place.parent).iterdir()] == [third.key]


def test_data_that_cannot_be_read_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "data.nt").write_text("<x:a> <x:b", "utf-8")
    data = [(str(tmp_path / "data.nt"), "nt")]
    with pytest.raises(OSError, match="Unexpected end of file"):
        on_disk(data, Place(str(tmp_path / "stores"), key_of(data)))
    assert list((tmp_path / "stores").iterdir()) == []


def test_the_key_is_that_of_the_listed_checksums(tmp_path: Path) -> None:
    """A build that writes the same bytes again has the same store."""
    path = tmp_path / "data.nt"
    path.write_text(TRIPLES, "utf-8")
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  data.nt\n", "utf-8")
    key = key_of([(str(path), "nt")])
    os.utime(path, ns=(1, 1))
    assert key_of([(str(path), "nt")]) == key
    (tmp_path / "SHA256SUMS").write_text(f"{'1' * 64}  data.nt\n", "utf-8")
    assert key_of([(str(path), "nt")]) != key


def test_small_data_is_loaded_into_memory(data: list[tuple[str, str]], tmp_path: Path) -> None:
    assert place_of(data, lambda: tmp_path) is None
    assert place_of(data, lambda: tmp_path, 10) == Place(str(tmp_path), key_of(data))


@pytest.mark.skipif(sys.platform != "linux", reason="the filter of system calls is Linux's")
def test_a_worker_of_a_store_on_disk_opens_its_files_and_no_socket(
    data: list[tuple[str, str]], place: Place
) -> None:
    """RocksDB opens files when it needs them, so the bound on open files cannot be nought."""
    with confined([(Path(path), name) for path, name in data], Limits(20), place=place) as store:
        assert store.run(parse(COUNT), "csv", "nt")[1].split() == [b"n", b"2"]
    script = (
        "import socket\nfrom lodpipe.queries.worker import confine\nconfine(100_000_000, files=20)\n"
        "open('/proc/self/stat').close()\n"
        "for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):\n"
        "    try:\n        socket.socket(family)\n    except PermissionError:\n        print('refused')\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    assert output == "refused\n" * 3


def test_service_reaches_nothing_from_a_store_on_disk(
    data: list[tuple[str, str]], place: Place
) -> None:
    """With the query's text as it would be if the first wall did not see SERVICE."""
    from lodpipe.queries.confined import Failed

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.5)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        parsed = parse(f"SELECT * {{ SERVICE <{url}> {{ ?s ?p ?o }} }}")
        task = {**parsed.task(), "service": False}
        hidden = type(
            "Hidden", (), {"task": lambda self: task, "totally_ordered": lambda self: None}
        )()
        files = [(Path(path), name) for path, name in data]
        with confined(files, Limits(10), place=place) as store, pytest.raises(Failed):
            store.run(hidden, "csv", "nt")
        with pytest.raises(TimeoutError):
            listening.accept()


# -- files without a project -----------------------------------------------------------------------

FILES = {
    "data.nt": (TRIPLES.encode(), 2, 0),
    "data.nq": (QUADS.encode(), 3, 3),
    "data.ttl": (b"PREFIX : <x:> :a :p 1, 2 .", 2, 0),
    "data.trig": (b"PREFIX : <x:> :g { :a :p 1, 2 } :h { :a :p 1 }", 2, 3),
    "data.nq.gz": (gzip.compress(QUADS.encode(), mtime=0), 3, 3),
    "data.jsonld": (b'{"@id": "x:a", "x:p": 1}', 1, 0),
    "data.xml": (
        b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:x="x:"><r:Description r:about="x:a" x:p="1"/></r:RDF>',
        1,
        0,
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_served_without_a_project(name: str, tmp_path: Path) -> None:
    content, triples, in_graphs = FILES[name]
    (tmp_path / name).write_bytes(content)
    with serving_file(tmp_path / name, tmp_path / "log") as server:
        assert server.query(COUNT).rows() == [(str(triples),)]
        assert server.query(IN_GRAPHS).rows() == [(str(in_graphs),)]
        assert server.request("/data.nt").status == 404, "what is beside it is not published"
        assert server.request("/").headers["location"] == "/sparql"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("cut.nt", b"<x:a> <x:b", "LP822"),
        ("cut.nq.gz", gzip.compress(QUADS.encode(), mtime=0)[:-9], "LP822"),
        ("no.parquet", b"PAR1", "LP822"),
        ("missing.ttl", None, "LP822"),
        ("data.txt", b"", "LP823"),
        ("data.parquet.gz", b"", "LP823"),
    ],
)
def test_what_cannot_be_served_is_reported(
    name: str, content: bytes | None, code: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = run_process("serve", tmp_path / name, "--port", "0", "--lang", "en")
    assert done.returncode == 2
    assert [finding.code for finding in errors_in(done.stdout + done.stderr)] == [code]


def test_a_store_that_is_damaged_while_it_is_served_is_written_again(tmp_path: Path) -> None:
    path, stores = tmp_path / "large.nt", tmp_path / "stores"
    line = '<https://example.org/%d> <https://schema.org/name> "%s" .\n'
    path.write_text("".join(line % (number, "x" * 900) for number in range(14_000)), "utf-8")
    with serving_file(path, tmp_path / "log", "--store", stores):
        pass
    for table in stores.glob("*/store/*.sst"):
        data = bytearray(table.read_bytes())
        middle = slice(len(data) // 8, len(data) // 2)
        data[middle] = b"\xaa" * len(data[middle])
        table.write_bytes(data)
    with serving_file(path, tmp_path / "log", "--store", stores) as server:
        rows = "SELECT ?s ?name { ?s <https://schema.org/name> ?name } LIMIT %d"
        answers = [server.query(rows % number).status for number in (9000, 9001)]
        assert set(answers) <= {200, 500}, "what the engine falls over is found at the start"
        until(
            lambda: any(line.get("store", "").startswith("written") for line in server.lines()),
            seconds=30,
            what="the store is written again",
        )
        until(
            lambda: len(server.query(rows % 9002).rows()) == 9002, seconds=10, what="all is there"
        )


def test_a_statement_table_is_served(tmp_path: Path) -> None:
    lines = (ROOT / "dist/rogl.nt").read_bytes().count(b"\n")
    in_graphs = (ROOT / "dist/rogl.nq").read_bytes().count(b"\n")
    with serving_file(ROOT / "dist/rogl.parquet", tmp_path / "log") as server:
        assert server.query(COUNT).rows() == [(str(lines),)]
        assert server.query(IN_GRAPHS).rows() == [(str(in_graphs),)]


def test_a_large_file_has_a_store_that_the_next_start_opens(tmp_path: Path) -> None:
    """With a change of the file in between, and with a store that is damaged while it is served."""
    path, stores = tmp_path / "large.nt", tmp_path / "stores"
    line = '<https://example.org/organisation/%d> <https://schema.org/name> "%s" .\n'
    path.write_text("".join(line % (number, "x" * 900) for number in range(14_000)), "utf-8")
    with serving_file(path, tmp_path / "log", "--store", stores) as server:
        assert server.query(COUNT).rows() == [("14000",)]
        assert [line["store"].split()[0] for line in server.lines() if "store" in line] == [
            "begins",
            "written",
        ]
    with serving_file(path, tmp_path / "log", "--store", stores) as server:
        assert [line["store"] for line in server.lines() if "store" in line] == ["opened"]
        with path.open("a", encoding="utf-8") as file:
            file.write(line % (14_000, "y"))
        until(
            lambda: server.query(COUNT).rows() == [("14001",)], seconds=30, what="the new statement"
        )
        (holder,) = [pid for pid in descendants(server.process.pid) if descendants(pid)]
        (folder,) = [item for item in stores.iterdir() if holder_uses(holder, item)]
        (folder / "manifest.json").unlink()
        os.kill(holder, signal.SIGKILL)
        until(
            lambda: (
                [line["store"].split()[0] for line in server.lines() if "store" in line][-1]
                == "written"
            ),
            seconds=30,
            what="the damaged store is written again",
        )
        until(lambda: server.query(COUNT).status == 200, seconds=10, what="an answer")


def holder_uses(pid: int, folder: Path) -> bool:
    """Whether a process has a file of a folder open."""
    links = Path(f"/proc/{pid}/fd").iterdir()
    return any(str(link.readlink()).startswith(str(folder)) for link in links if link.is_symlink())
