"""Connections that a worker answers itself: the answers are those of the server, everything else
goes back to it, and no query there is without its limits.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import pytest

from lodpipe.queries.connections import SHARED as SIZE
from lodpipe.queries.connections import Record, Running, Shared, query_of
from serving import JSON, Served, cases, descendants, serving_file, until
from support import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="calls are confined on Linux")
SECONDS = 2.0
PRODUCT = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
SOME_TENTHS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d a ?e FILTER(STRLEN(STR(?c)) > %d) }"
MANY = "SELECT * { ?s ?p ?o }"
NQ = ROOT / "dist/rogl.nt"


class Client:
    """One connection; requests that differ in their query alone."""

    def __init__(self, server: Served, accept: str = JSON) -> None:
        self.server = server
        self.connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        self.file = self.connection.makefile("rb")
        self.headers = f"Host: localhost\r\nAccept: {accept}\r\n\r\n"
        self.number = 0

    def text(self, query: str) -> bytes:
        return f"GET /sparql?query={quote(query)} HTTP/1.1\r\n{self.headers}".encode()

    def send(self, data: bytes) -> tuple[int, dict[str, str], bytes]:
        self.connection.sendall(data)
        return self.receive()

    def receive(self) -> tuple[int, dict[str, str], bytes]:
        status = int(self.file.readline().split()[1])
        headers = {}
        while line := self.file.readline().strip().decode():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, self.file.read(int(headers.get("content-length", 0)))

    def query(self, text: str) -> tuple[int, dict[str, str], bytes]:
        return self.send(self.text(text))

    def hand_over(self) -> None:
        """Asks simple queries until a worker has the connection."""
        before = answered_by_workers(self.server)
        for _ in range(300):
            self.number += 1
            assert self.query(f"ASK {{}} # {id(self)} {self.number}")[0] == 200
            if self.number % 5 == 0 and answered_by_workers(self.server) > before:
                return
        raise AssertionError("no worker takes the connection")

    def close(self) -> None:
        self.file.close()
        self.connection.close()


def answered_by_workers(server: Served) -> float:
    return server.metrics()["lodpipe_requests_by_workers_total"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    log = tmp_path_factory.mktemp("connections") / "log"
    options = ("--timeout", SECONDS, "--memory", "300MB", "--client-timeout", 2, "--cache", "0MB")
    with serving_file(NQ, log, *options) as server:
        yield server


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    with contextlib.closing(Client(served)) as client:
        client.hand_over()
        yield client


@pytest.mark.parametrize(
    "accept", [JSON, "text/csv", "application/sparql-results+xml", "text/turtle;q=0.5, text/tab-separated-values", "*/*"]
)  # fmt: skip
def test_a_worker_answers_as_the_server_does(served: Served, accept: str) -> None:
    queries = [
        "SELECT ?p ?o { <https://w3id.org/rogl/lab/brandis> ?p ?o } ORDER BY ?p ?o",
        "ASK { ?s ?p ?o }",
        "CONSTRUCT { ?s a ?o } WHERE { ?s a ?o } LIMIT 3",
        "SELECT (RAND() AS ?n) {}",
        'SELECT ("ä+ %41" AS ?n) {}',
        "SELECT ?x {",
        "SELECT * { SERVICE <http://127.0.0.1/> { ?s ?p ?o } }",
        "SELECT * { GRAPH <http://none/> { ?s ?p ?o } }",
    ]
    changing = ("date", "content-length")
    for query in queries:
        with contextlib.closing(Client(served, accept)) as client:
            first = client.query(query)
            client.hand_over()
            before = answered_by_workers(served)
            later = client.query(query)
            if later[0] == 200 and "GRAPH" not in query:
                until(
                    lambda before=before: answered_by_workers(served) > before,
                    seconds=5,
                    what=query,
                )
        assert first[0] == later[0]
        for name in first[1].keys() | later[1].keys():
            assert name in changing or first[1].get(name) == later[1].get(name), (query, name)
        assert first[2] == later[2] or "RAND" in query


@pytest.mark.parametrize("case", cases("connections.yaml"), ids=lambda case: case["case"])
def test_other_requests_go_back_to_the_server(
    served: Served, client: Client, case: dict[str, Any]
) -> None:
    with contextlib.closing(Client(served)) as other:
        assert other.query("ASK {}")[0] == 200
        for connection in (other, client):  # one that the server has, one that a worker has
            assert_answers(connection, case)


def assert_answers(client: Client, case: dict[str, Any]) -> None:
    data = case["sent"].replace("\n", "\r\n").encode("latin-1").replace(b"<FILL>", b"x" * 70_000)
    for piece in data.split(b"<PAUSE>"):
        client.connection.sendall(piece)
        time.sleep(0.02)
    for status in case["statuses"]:
        assert client.receive()[0] == status
    if case.get("closes"):
        with contextlib.suppress(ConnectionResetError):
            assert client.file.read() == b""
    else:
        assert client.query("ASK {} # after")[0] == 200


def test_a_query_that_lasts_has_its_limits_and_holds_up_no_other(served: Served) -> None:
    clients = [Client(served) for _ in range(4)]
    for client in clients:
        client.hand_over()
    started = time.monotonic()
    clients[0].connection.sendall(clients[0].text(PRODUCT))
    for number in range(20):
        for client in clients[1:]:
            began = time.monotonic()
            assert client.query(f"ASK {{}} # {number} {time.monotonic_ns()}")[0] == 200
            assert time.monotonic() - began < 1
    status, _, body = clients[0].receive()
    assert (status, b"longer than" in body) == (504, True)
    assert SECONDS <= time.monotonic() - started < SECONDS + 1.5
    assert clients[0].query("ASK {} # still there")[0] == 200
    for client in clients:
        client.close()


@pytest.mark.parametrize(
    ("query", "statuses"),
    [
        ("SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d a <https://w3id.org/rogl/Lab> }", (200,)),
        ("SELECT (GROUP_CONCAT(?c) AS ?x) { ?a ?b ?c . ?d ?e ?f }", (504, 507)),
        ("SELECT * WHERE " + "{" * 3000 + "?a ?b ?c" + "}" * 3000, (507,)),
    ],
)
def test_a_query_has_the_end_that_it_has_elsewhere(
    served: Served, client: Client, query: str, statuses: tuple[int, ...]
) -> None:
    expected = served.query(query)
    status, _, body = client.query(query)
    assert expected.status in statuses
    assert status in statuses
    assert status != 200 or body == expected.body
    assert client.query("ASK {} # after")[0] == 200


def test_a_worker_that_is_killed_takes_no_connection_with_it(
    served: Served, client: Client
) -> None:
    for pid in with_connections(served):
        os.kill(pid, signal.SIGKILL)
    assert client.query("ASK {} # after")[0] == 200


def with_connections(server: Served) -> list[int]:
    """The workers that have a connection of a client."""
    (holder,) = [pid for pid in descendants(server.process.pid) if descendants(pid)]
    return [pid for pid in descendants(holder) if "Seccomp:\t2" in state(pid)]


def state(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/status").read_text()
    return ""


def descriptors(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def test_a_worker_with_connections_opens_no_file_and_no_connection(client: Client) -> None:
    (pid, *_) = with_connections(client.server)
    assert "NoNewPrivs:\t1" in state(pid)
    before = descriptors(pid)
    assert client.query("SELECT * FROM <file:///etc/passwd> { ?s ?p ?o }")[0] in (200, 400)
    assert descriptors(pid) <= before


def test_a_client_that_leaves_ends_its_query(served: Served) -> None:
    client = Client(served)
    client.hand_over()
    client.connection.sendall(client.text(PRODUCT + " # left"))
    time.sleep(0.2)
    client.close()
    until(lambda: served.health()["busy"] == 0, seconds=1.5, what="no query runs")


def test_a_client_that_takes_nothing_is_cut_off(served: Served, client: Client) -> None:
    client.connection.sendall(client.text(MANY))
    time.sleep(4)
    received = b""
    with contextlib.suppress(OSError):
        while more := client.connection.recv(1 << 20):
            received += more
    assert received.startswith(b"HTTP/1.1 200")
    assert len(received) < 4_000_000


def test_connections_without_requests_leave_no_worker(served: Served, client: Client) -> None:
    assert with_connections(served)
    until(lambda: not with_connections(served), seconds=5, what="workers have ended")
    assert client.query("ASK {} # after a pause")[0] == 200


def test_requests_of_many_at_once_are_answered_and_logged_each(served: Served) -> None:
    count = len([line for line in served.lines() if "of%20many" in line.get("address", "")])
    wrong: list[object] = []

    def send_many(number: int) -> None:
        with contextlib.closing(Client(served)) as client:
            for turn in range(60):
                text = f"SELECT ({number * 1000 + turn} AS ?of_many) {{}} # of many"
                status, _, body = client.query(text)
                if status != 200 or f'"{number * 1000 + turn}"'.encode() not in body:
                    wrong.append((status, body))

    threads = [threading.Thread(target=send_many, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    until(
        lambda: len([line for line in served.lines() if "of%20many" in line.get("address", "")]) - count == 720,
        seconds=3,
        what="all are logged",
    )  # fmt: skip


def test_a_reload_and_the_end_take_connections_back(tmp_path: Path) -> None:
    data = tmp_path / "data.nt"
    data.write_text("<x:s> <x:p> <x:old> .\n")
    with serving_file(data, tmp_path / "log") as server:
        client = Client(server)
        client.hand_over()
        new = tmp_path / "new.nt"
        new.write_text("<x:s> <x:p> <x:new> .\n")
        shutil.move(new, data)
        until(
            lambda: (
                b"x:new" in client.query(f"SELECT ?o {{ ?s ?p ?o }} # {time.monotonic_ns()}")[2]
            ),
            seconds=10,
            what="the connection has the new data",
        )
        client.hand_over()
        started = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(10)
        assert time.monotonic() - started < 4
        assert client.file.read() == b""


def test_a_query_in_an_address_is_what_the_standard_library_reads() -> None:
    """Also where signs of escapes are side by side; a broken escape is left to the server."""
    whole = re.compile(r"(?:[^&;#%]|%[0-9A-Fa-f]{2})+")
    chance = random.Random(1)
    values = ["ASK+%7B%7D", "%3D%3d=%25%2541", "a=%0A%0d%00%ff", "=%0A", "+%20=3D", "=" * 5]
    values += ["%", "%4", "%zz", "a%", "a&b", "a#b", "a;b", "", "%%41", "a=%"]
    values += ["".join(chance.choices("%%%=4aFz+&", k=chance.randrange(1, 9))) for _ in range(9000)]
    number = 0
    for value in values:
        expected = None
        if whole.fullmatch(value):
            with contextlib.suppress(UnicodeDecodeError):
                expected = unquote_to_bytes(value.replace("+", " ")).decode()
        assert query_of(f"GET /sparql?query={value} HTTP/1.1".encode()) == expected, value
        number += expected is not None
    assert number > 1000
    for line in (
        "POST /sparql?query=a HTTP/1.1",
        "GET /sparql?query=a HTTP/1.0",
        "GET /sparql?query=a b HTTP/1.1",
    ):
        assert query_of(line.encode()) is None


def test_records_are_read_in_their_order_across_the_end_of_the_memory() -> None:
    descriptor = os.memfd_create("test")
    os.ftruncate(descriptor, SIZE)
    worker, server = Shared(descriptor), Shared(descriptor)
    os.close(descriptor)
    number = 0
    for _ in range(400):
        sent = [Record(number + n, 0.5, n, "/sparql?query=" + "x" * n) for n in range(20)]
        for record in sent:
            worker.record(record, log=True)
        number += 20
        assert list(server.records()) == sent
    worker.begin(Running(1, 2, 3.0), b"GET")
    assert (server.running(), server.request()) == (Running(1, 2, 3.0), b"GET")
    server.revoke()
    assert not worker.may_answer()
    worker.end()
    assert server.running() is None
    worker.begin(Running(2, 2, 4.0), b"GET")
    assert worker.may_answer()
    assert (server.running(), server.interrupted()) == (None, 2)
