"""Slow, rude and wily clients, byte by byte: each is held to its bounds, and the others are served."""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving import Served, cases, filled, received, serving, until

PATHS = cases("paths.yaml")
SECONDS = 1.0  # that a client has
LIMITS = ("--timeout", 5, "--client-timeout", SECONDS, "--processes", 2)
HEAD = b"Host: localhost\r\n"
PRODUCT = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"


@pytest.fixture(scope="module")
def served(publication: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server over a dist/ with a hidden file, links that lead out of it, and a file too large for
    any buffer.
    """
    dist = publication / "dist"
    added = [dist / name for name in (".hidden", "outside.txt", "outside", "large.bin")]
    added[0].write_text("secret", "utf-8")
    added[1].symlink_to(publication / "publication.yaml")
    added[2].symlink_to(publication)
    with added[3].open("wb") as large:
        large.truncate(200_000_000)
    try:
        with serving(publication, tmp_path_factory.mktemp("clients") / "log", *LIMITS) as server:
            yield server
    finally:
        for path in added:
            path.unlink()


@contextlib.contextmanager
def connection(server: Served, data: bytes = b"", timeout: float = 10) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=timeout) as client:
        client.sendall(data)
        yield client


def status(data: bytes) -> int:
    assert data.startswith(b"HTTP/1.1 "), data[:100]
    return int(data.split(b" ", 2)[1])


def is_well(server: Served) -> bool:
    return server.query(f"SELECT ({time.monotonic_ns()} AS ?n) {{}}").status == 200


# -- addresses -------------------------------------------------------------------------------------


def test_no_address_leads_out_of_dist_or_into_the_headers(served: Served) -> None:
    print(f"{len(PATHS)} cases")
    assert len(PATHS) >= 55
    wrong = []
    for case in PATHS:
        for accept in (b"*/*", b"text/turtle", b"text/html"):
            path = (case["path"] + filled(case.get("fill", ()))).encode()
            data = served.bytes(
                b"GET "
                + path
                + b" HTTP/1.1\r\n"
                + HEAD
                + b"Accept: "
                + accept
                + b"\r\nConnection: close\r\n\r\n"
            )
            head, _, body = data.partition(b"\r\n\r\n")
            expected = case["status"] if isinstance(case["status"], list) else [case["status"]]
            bad = (
                b"set-cookie" in head.lower()
                or b"root:" in body
                or b"secret" in body
                or b"<script>" in body.split(b"<html")[0]
            )
            if status(data) not in expected or bad or b"Traceback" in body:
                wrong.append((case["path"], accept, data[:20], body[:80]))
    assert not wrong, "\n".join(map(str, wrong))
    assert is_well(served)


@pytest.mark.parametrize(
    "path",
    [
        f"{address}%0d%0aX-Evil:%20yes"
        for address in (
            "/lab/brandis",
            "/sparql?query=ASK%7B%7D",
            "/sparql?x=",
            "/organisation/alte-stelle",
        )
    ],
)
@pytest.mark.parametrize(
    "more", [b"", b"Accept: text/turtle\r\n", b"Accept-Language: en\r\n", b"If-None-Match: x\r\n"]
)
def test_no_parameter_becomes_a_header(served: Served, path: str, more: bytes) -> None:
    head = served.bytes(
        b"GET " + path.encode() + b" HTTP/1.1\r\n" + HEAD + more + b"Connection: close\r\n\r\n"
    ).partition(b"\r\n\r\n")[0]
    assert status(head) in (200, 303, 400, 404)
    assert b"x-evil" not in head.lower().replace(b"%0d%0ax-evil", b"")


@pytest.mark.parametrize(
    "host",
    [
        b"a b", b"example.org/path", b"<script>", b"example.org\x00", b"user@example.org", b"example.org:port", b"", b"a,b", b"[::1",
        b"example.org?x", b"a\tb",
    ],
)  # fmt: skip
def test_a_host_that_is_none_is_refused(served: Served, host: bytes) -> None:
    data = served.bytes(b"GET /sparql HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n")
    assert status(data) == 400


@pytest.mark.parametrize("host", [b"example.org", b"example.org:8000", b"127.0.0.1", b"[::1]:8000"])
def test_the_description_names_the_host_that_was_asked(served: Served, host: bytes) -> None:
    data = served.bytes(b"GET /sparql HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n")
    assert status(data) == 200
    assert b"<http://" + host + b"/sparql>" in data


def test_two_hosts_or_none_are_refused(served: Served) -> None:
    assert (
        status(served.bytes(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n"))
        == 400
    )
    assert status(served.bytes(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")) == 400


# -- invalid requests ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\n\r\nnonsense\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64,
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", b"POST /sparql HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /sparql HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST /sparql HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        b"POST /sparql HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"GET / HTTP/1.1\r\nHo st: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused_and_the_connection_closed(
    served: Served, data: bytes
) -> None:
    started = time.monotonic()
    answer = served.bytes(data)
    assert not answer or status(answer) in (400, 408)
    assert time.monotonic() - started < SECONDS + 2
    assert is_well(served)


# -- slow clients ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data", [b"", b"G", b"GET / HTTP/1.1\r\nHost: a\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nX: "]
)
def test_headers_that_do_not_come(served: Served, data: bytes) -> None:
    with connection(served, data) as client:
        started = time.monotonic()
        answer = received(client)
    assert time.monotonic() - started < SECONDS + 2
    assert not answer or status(answer) == 408


def test_headers_that_come_byte_by_byte(served: Served) -> None:
    """Each byte keeps the connection busy; the time for all of them is bounded."""
    started = time.monotonic()
    with (
        connection(served, b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ", timeout=0.1) as client,
        contextlib.suppress(ConnectionError),
    ):
        while time.monotonic() - started < 5:
            client.sendall(b"x")
            with contextlib.suppress(TimeoutError):
                data = client.recv(1000)
                assert not data or status(data) == 408
                break
    assert time.monotonic() - started < SECONDS + 2


@pytest.mark.parametrize(
    "header", [b"X: " + b"x" * 200_000, b"X-%d: y\r\n" * 1], ids=["one large", "many"]
)
def test_headers_without_end(served: Served, header: bytes) -> None:
    lines = (
        header
        if b"%d" not in header
        else b"".join(b"X-%d: yyyyyyyyyyyyyyyyyyyy\r\n" % number for number in range(10_000))
    )
    answer = served.bytes(b"GET / HTTP/1.1\r\nHost: a\r\n" + lines)
    assert not answer or status(answer) in (400, 431)
    with connection(
        served, b"GET / HTTP/1.1\r\nHost: a\r\nX: "
    ) as client:  # in pieces that leave time for an answer
        with contextlib.suppress(ConnectionError):
            for _ in range(30):
                client.sendall(b"x" * 10_000)
                time.sleep(0.005)
        with contextlib.suppress(ConnectionError):
            assert status(client.recv(1000)) == 431


@pytest.mark.parametrize("length", [b"Content-Length: 1000", b"Transfer-Encoding: chunked"])
def test_a_body_that_does_not_come(served: Served, length: bytes) -> None:
    data = (
        b"POST /sparql HTTP/1.1\r\nHost: a\r\nContent-Type: application/sparql-query\r\n"
        + length
        + b"\r\n\r\n"
    )
    with connection(served, data + (b"" if b"chunked" in length else b"ASK")) as client:
        started = time.monotonic()
        answer = received(client)
    assert status(answer) == 408
    assert SECONDS - 0.2 < time.monotonic() - started < SECONDS + 2


def test_a_body_that_comes_byte_by_byte(served: Served) -> None:
    started = time.monotonic()
    with connection(
        served,
        b"POST /sparql HTTP/1.1\r\nHost: a\r\nContent-Type: application/sparql-query\r\nContent-Length: 100000\r\n\r\n",
    ) as client:
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - started < SECONDS + 0.5:
                client.sendall(b"#")
                time.sleep(0.05)
        assert status(received(client)) == 408
    assert time.monotonic() - started < SECONDS + 2


def test_a_body_in_chunks_without_end(served: Served) -> None:
    head = b"POST /sparql HTTP/1.1\r\nHost: a\r\nContent-Type: application/sparql-query\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connection(served, head) as client:
        with contextlib.suppress(ConnectionError):
            for _ in range(200):
                client.sendall(b"2710\r\n" + b"#" * 10_000 + b"\r\n")
        data = b""
        with contextlib.suppress(ConnectionError):
            data = received(client)
    assert not data or status(data) == 413
    assert is_well(served)


# -- clients that do not take what they asked for --------------------------------------------------


def descriptors(server: Served) -> list[str]:
    """What the server has open."""
    targets = []
    for path in Path(f"/proc/{server.process.pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            targets.append(str(path.readlink()))
    return targets


def test_a_reader_that_takes_nothing_is_cut_off(served: Served) -> None:
    """The file is far larger than all buffers: the server must notice, end the connection and close
    the file.
    """
    before = len(
        [descriptor for descriptor in descriptors(served) if descriptor.startswith("socket:")]
    )
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            client = stack.enter_context(connection(served))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sendall(b"GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        until(
            lambda: any(descriptor.endswith("large.bin") for descriptor in descriptors(served)),
            seconds=5,
            what="the file is being sent",
        )
        assert is_well(served)
        until(
            lambda: not any(descriptor.endswith("large.bin") for descriptor in descriptors(served)),
            seconds=SECONDS + 3,
            what="the file is closed",
        )
        until(
            lambda: (
                len(
                    [
                        descriptor
                        for descriptor in descriptors(served)
                        if descriptor.startswith("socket:")
                    ]
                )
                <= before
            ),
            seconds=3,
            what="the connections are closed",
        )
    assert resident(served) < 300_000_000


def resident(server: Served) -> int:
    """Memory of the server process in bytes, without its workers."""
    return int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * os.sysconf(
        "SC_PAGE_SIZE"
    )


def test_a_reader_that_is_slow_but_goes_on_gets_all(served: Served) -> None:
    """A slow line is no rude client: as long as it takes something within each time, it is served."""
    with connection(served) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        client.sendall(b"GET /rogl.nt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        data, started = b"", time.monotonic()
        while more := client.recv(65_536 if time.monotonic() - started > 2 * SECONDS else 20_000):
            data += more
            if time.monotonic() - started < 2 * SECONDS:
                time.sleep(0.1)
    head, _, body = data.partition(b"\r\n\r\n")
    assert status(head) == 200
    assert len(body) == int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])


def test_two_hundred_idle_connections(served: Served) -> None:
    with contextlib.ExitStack() as stack:
        kinds = (
            b"",
            b"GET / HT",
            b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n",
            b"POST /sparql HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
        )
        idle = [stack.enter_context(connection(served, kinds[number % 4])) for number in range(200)]
        started = time.monotonic()
        assert all(is_well(served) for _ in range(5))
        assert time.monotonic() - started < 5
        assert len(idle) == 200
    assert is_well(served)


def test_a_client_that_leaves_ends_its_query(served: Served) -> None:
    before = served.metrics()["lodpipe_workers_replaced"]
    text = PRODUCT.replace(" ", "%20").replace("{", "%7B").replace("}", "%7D").replace("?", "%3F")
    with connection(
        served, b"GET /sparql?query=" + text.encode() + b" HTTP/1.1\r\nHost: a\r\n\r\n"
    ):
        until(lambda: served.health()["busy"] == 1, seconds=3, what="the query runs")
    until(
        lambda: served.health()["busy"] == 0, seconds=2, what="the query is ended before its time"
    )
    until(lambda: served.health()["free"] == 2, seconds=3, what="the worker is replaced")
    assert served.metrics()["lodpipe_workers_replaced"] == before + 1


def test_a_client_that_leaves_while_it_waits_takes_no_worker(served: Served) -> None:
    text = (
        PRODUCT.replace(" ", "%20")
        .replace("{", "%7B")
        .replace("}", "%7D")
        .replace("?", "%3F")
        .encode()
    )
    with contextlib.ExitStack() as stack:
        for number in range(2):
            stack.enter_context(
                connection(
                    served,
                    b"GET /sparql?query=%23"
                    + b"x" * number
                    + b"%0a"
                    + text
                    + b" HTTP/1.1\r\nHost: a\r\n\r\n",
                )
            )
        until(lambda: served.health()["busy"] == 2, seconds=3, what="both queries run")
        for _ in range(3):
            with connection(
                served, b"GET /sparql?query=ASK%7B%3Fs%20%3Fp%201%7D HTTP/1.1\r\nHost: a\r\n\r\n"
            ):
                time.sleep(0.1)
    until(
        lambda: (
            served.health() | {"version": ""}
            == {"status": "ok", "version": "", "free": 2, "busy": 0}
        ),
        seconds=3,
        what="both are free again",
    )
    until(
        lambda: served.metrics()["lodpipe_queries_waiting"] == 0, seconds=2, what="no query waits"
    )


def test_requests_one_behind_the_other_on_one_connection(served: Served) -> None:
    request = b"GET /sparql?query=ASK%7B%7D HTTP/1.1\r\nHost: a\r\n\r\n"
    with connection(
        served, request * 20 + request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    ) as client:
        assert received(client).count(b"HTTP/1.1 200 OK") == 21


def test_many_clients_at_once(served: Served) -> None:
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        rows = list(
            pool.map(
                lambda number: served.query(f"SELECT ({number} AS ?n) {{}}").rows(), range(200)
            )
        )
    assert rows == [[(str(number),)] for number in range(200)]
