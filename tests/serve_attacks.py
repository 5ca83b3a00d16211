"""Attacks on a running server, each a function that returns what is wrong afterwards (nothing, where
it was withstood). `benchmarks/serve_attacks.py` runs all of them in full, the tests in small.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from serving import Served, cases, descendants, filled, running, until

ELSEWHERE = "127.0.0.66"  # a client of its own
HEAD = b"Host: localhost\r\n"
PRODUCT = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } # %d"
Attack = Callable[[Served], list[str]]


def is_well(server: Served) -> list[str]:
    """A complaint where a simple query, whose text is new, is not answered within three seconds to a
    client that has asked little.
    """
    started = time.monotonic()
    path = "/sparql?query=" + quote(f"SELECT ({time.monotonic_ns()} AS ?n) {{ ?s ?p ?o }} LIMIT 1")
    try:
        answer = server.request(path, headers={"X-Forwarded-For": "192.0.2.9"})
    except OSError as error:
        return [f"a simple query: {error}"]
    passed = time.monotonic() - started
    if answer.status == 200 and passed < 3:
        return []
    return [f"a simple query: {answer.status}, {passed:.1f} s"]


@contextlib.contextmanager
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """A port of this machine, and what arrives at it."""
    arrived: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client = server.accept()[0]
                    arrived.append(b"a connection")
                    client.close()

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1], arrived


# -- requests to other hosts -----------------------------------------------------------------------

_PLACES = (
    "SELECT * {{ {0} <{1}> {{ ?s ?p ?o }} }}",
    "SELECT * {{ {{ SELECT * {{ {0} SILENT <{1}> {{ ?s ?p ?o }} }} }} }}",
    "ASK {{ FILTER EXISTS {{ {0} <{1}> {{ ?s ?p ?o }} }} }}",
    "CONSTRUCT {{ ?s ?p ?o }} WHERE {{ OPTIONAL {{ {0} <{1}> {{ ?s ?p ?o }} }} }}",
    "SELECT * {{ BIND(<{1}> AS ?x) {0} ?x {{ ?s ?p ?o }} }}",
    "SELECT ('\\u0027' AS ?y) ?s {{ {0} <{1}> {{ ?s ?p ?o }} }} #'",
    'SELECT ("\\u005C" AS ?y) ?s {{ {0} <{1}> {{ ?s ?p ?o }} }} #"',
    "SELECT ?s {{ # \\u000A {0} <{1}> {{ ?s ?p ?o }}\n {0} <{1}> {{ ?s ?p ?o }} }}",
    "PREFIX a: <urn:a> SELECT * {{ ?s a:\\' ?o {0} <{1}> {{}} BIND('x' AS ?c) }}",
    "SELECT * {{ BIND('''a'' \\'''' AS ?b) {0} <{1}> {{}} BIND('''''' AS ?c) }}",
    "SELECT*{{{{}}{0}<{1}>{{?s ?p ?o}}}}",
    "SELECT * {{ VALUES ?x {{ <{1}> }} {0} ?x {{ ?s ?p ?o }} }}",
    "DESCRIBE ?s {{ {0} <{1}> {{ ?s ?p ?o }} }}",
    "SELECT * {{ GRAPH ?g {{ {0} <{1}> {{ ?s ?p ?o }} }} }}",
)
_SPELLINGS = ("SERVICE", "service", "sErViCe", "\\u0053ERVICE", "SERV\\u0049CE", "\\U00000053ERVICE", "\u017fERVICE", "SERV\u0131CE")  # fmt: skip
_OTHERS = (
    "LOAD <{0}>",
    "LOAD SILENT <{0}> INTO GRAPH <urn:g>",
    "SELECT * FROM <{0}> {{ ?s ?p ?o }}",
    "SELECT * FROM NAMED <{0}> {{ GRAPH ?g {{ ?s ?p ?o }} }}",
    "SELECT * {{ GRAPH <{0}> {{ ?s ?p ?o }} }}",
    "DESCRIBE <{0}>",
    "CONSTRUCT FROM <{0}> WHERE {{ ?s ?p ?o }}",
    "ASK {{}} ; LOAD <{0}>",
    "BASE <{0}> SELECT * FROM <x> {{ ?s ?p ?o }}",
    "SELECT * FROM <file:///etc/passwd> {{ ?s ?p ?o }}",
)


def forged_requests(server: Served) -> list[str]:
    """Every spelling of SERVICE at every place, LOAD and FROM, by GET, form and POST: nothing comes
    to a port of this machine.
    """
    with listener() as (port, arrived):
        address = f"http://127.0.0.1:{port}/sparql"
        texts = [place.format(word, address) for place in _PLACES for word in _SPELLINGS]
        texts += [text.format(address) for text in _OTHERS]
        statuses = {server.query(text, post=post).status for text in texts for post in (False, True)}  # fmt: skip
        for name in ("default_graph_uri", "named_graph_uri"):
            statuses.add(server.query("SELECT * { ?s ?p ?o }", **{name: address}).status)
        for path in (f"/api/?url={quote(address)}", f"/reconcile/preview?id={quote(address)}", f"/{address}", f"//127.0.0.1:{port}/x"):  # fmt: skip
            statuses.add(server.request(path).status)
        time.sleep(0.3)
        wrong = [f"{len(arrived)} connections to another port"] if arrived else []
    return wrong + [f"status {status}" for status in statuses if status >= 500]


# -- addresses and headers -------------------------------------------------------------------------


def odd_addresses(server: Served) -> list[str]:
    """Paths that climb, redirects to other hosts, headers in parameters (tests/serve/paths.yaml)."""
    wrong = []
    for case in cases("paths.yaml"):
        path = (case["path"] + filled(case.get("fill", ()))).encode()
        head, _, body = server.bytes(
            b"GET " + path + b" HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n"
        ).partition(b"\r\n\r\n")
        location = b"\r\nlocation: " in head.lower() and head.lower().split(b"\r\nlocation: ")[1]
        if b"root:" in body or b"set-cookie" in head.lower() or b"Traceback" in body:
            wrong.append(f"{case['path']}: {body[:80]!r}")
        if location and not (location.startswith(b"/") and not location.startswith(b"//")):
            wrong.append(f"{case['path']}: to {location[:80]!r}")
    return wrong


_SMUGGLED = (
    b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX",
    b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nX",
    b"Content-Length: 6\r\nContent-Length: 5\r\n\r\nASK {}",
    b"Content-Length: 6, 6\r\n\r\nASK {}",
    b"Content-Length: +6\r\n\r\nASK {}",
    b"Content-Length: 0x6\r\n\r\nASK {}",
    b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nx",
    b"Transfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n",
    b"X: a\r\n Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\nASK {}",
    b"X: a\rContent-Length: 6\r\n\r\nASK {}",
    b"X: a\x00b\r\nContent-Length: 6\r\n\r\nASK {}",
    b"Content-Length: 6\nX: y\n\nASK {}",
)


def smuggled_requests(server: Served) -> list[str]:
    """Framing that two servers could read in two ways: refused, and what is behind is not read as a
    second request.
    """
    wrong = []
    start = b"POST /sparql HTTP/1.1\r\n" + HEAD + b"Content-Type: application/sparql-query\r\n"
    behind = b"GET /health HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n"
    for framing in _SMUGGLED:
        answer = server.bytes(start + framing + behind)
        if b'"status":"ok"' in answer or not answer.startswith(b"HTTP/1.1 4"):
            wrong.append(f"{framing!r}: {answer[:60]!r}")
    return wrong


# -- clients that take or give little ----------------------------------------------------------------


def slow_headers(server: Served, connections: int = 600) -> list[str]:
    """Connections that send headers byte by byte, as long as they are let."""
    clients: list[socket.socket] = []
    wrong: list[str] = []
    try:
        for _ in range(connections):
            client = socket.create_connection(("127.0.0.1", server.port), timeout=20)
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-a: ")
            clients.append(client)
        for _ in range(3):
            for client in clients:
                with contextlib.suppress(OSError):
                    client.send(b"a")
            wrong += is_well(server)
        wrong += [complaint for complaint in [_still_open(clients)] if complaint]
    finally:
        for client in clients:
            client.close()
    return wrong + is_well(server)


def _still_open(clients: list[socket.socket]) -> str:
    """Waits until the server has ended every connection."""
    end = time.monotonic() + 20
    for client in clients:
        client.settimeout(max(end - time.monotonic(), 0.01))
        try:
            received_some = client.recv(1000)
            while received_some:
                received_some = client.recv(1000)
        except TimeoutError:
            return "a slow connection is still open after 20 s"
        except OSError:
            pass
    return ""


def idle_connections(server: Served, connections: int = 900) -> list[str]:
    """Connections that send nothing."""
    clients = [
        socket.create_connection(("127.0.0.1", server.port), timeout=20) for _ in range(connections)
    ]
    wrong = is_well(server)
    late = _still_open(clients)
    for client in clients:
        client.close()
    return wrong + ([late] if late else []) + is_well(server)


def non_readers(server: Served, connections: int = 40) -> list[str]:
    """Clients that ask for a large answer and take nothing of it: the files of the server are its own
    again afterwards.
    """
    before = _open_files(server)
    clients = []
    for number in range(connections):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.bind((ELSEWHERE, 0))
        client.connect(("127.0.0.1", server.port))
        query = quote(f"SELECT * {{ ?s ?p ?o }} # {number}")
        client.sendall(b"GET /sparql?query=" + query.encode() + b" HTTP/1.1\r\n" + HEAD + b"\r\n")
        clients.append(client)
    wrong = is_well(server)
    try:
        until(lambda: _open_files(server) <= before + 5, seconds=40, what="they are cut off")
    except AssertionError as error:
        wrong.append(str(error))
    for client in clients:
        client.close()
    return wrong + is_well(server)


def _open_files(server: Served) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def large_bodies(server: Served) -> list[str]:
    """Bodies beyond the bound, announced, in chunks, or with a false length: an answer comes, no reset."""
    wrong = []
    start = b"POST /sparql HTTP/1.1\r\n" + HEAD + b"Content-Type: application/sparql-query\r\n"
    bodies = (
        (b"Content-Length: 2000000\r\n\r\n" + b"x" * 2_000_000, b"413"),
        (b"Content-Length: 10000000000\r\n\r\n" + b"x" * 1_500_000, b"413"),
        (b"Content-Length: 99999999999999999999\r\n\r\n", b"4"),
        (b"Transfer-Encoding: chunked\r\n\r\n" + b"4000\r\n" + b"x" * 0x4000 + b"\r\n", b"408"),
        (b"Transfer-Encoding: chunked\r\n\r\n" + (b"4000\r\n" + b"x" * 0x4000 + b"\r\n") * 100, b"413"),
        (b"Content-Length: 100\r\n\r\nASK", b"408"),
    )  # fmt: skip
    for body, status in bodies:
        answer = server.bytes(start + body, timeout=20)
        if not answer.startswith(b"HTTP/1.1 " + status):
            wrong.append(f"{body[:50]!r}: {answer[:60]!r}")
    return wrong


# -- queries ---------------------------------------------------------------------------------------


def hostile_queries(server: Served) -> list[str]:
    """Queries without end, or that take all memory (tests/serve/hostile.yaml)."""
    wrong = []
    for case in cases("hostile.yaml"):
        text = case["query"] if "query" in case else filled(case["repeat"])
        answer = server.query(text, "text/csv, text/turtle", post=True, timeout=60)
        if answer.status not in case["status"] or not answer.body:
            wrong.append(f"{case['case']}: {answer.status} {answer.body[:80]!r}")
    return wrong + is_well(server)


def leaving_clients(server: Served, clients: int = 20) -> list[str]:
    """Clients that go while their query runs: the processes are free soon."""
    for number in range(clients):
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            query = quote(PRODUCT % number).encode()
            client.sendall(b"GET /sparql?query=" + query + b" HTTP/1.1\r\n" + HEAD + b"\r\n")
            time.sleep(0.05)
    return _free_again(server)


def _free_again(server: Served, seconds: float = 15) -> list[str]:
    def is_free() -> bool:
        with contextlib.suppress(OSError, ValueError):
            state = server.health()
            return state["status"] == "ok" and state["free"] > 0 and state["busy"] == 0
        return False

    try:
        until(is_free, seconds=seconds, what=f"free processes, none busy: {server.request('/health').body!r}")  # fmt: skip
    except (AssertionError, OSError) as error:
        return [str(error)]
    return is_well(server)


# -- processes -------------------------------------------------------------------------------------


def holder_of(server: Served) -> int:
    """The process that has the data."""
    (holder,) = [pid for pid in descendants(server.process.pid) if descendants(pid)]
    return holder


def killed_workers(server: Served) -> list[str]:
    """All processes that answer are killed, three times."""
    wrong = []
    for _ in range(3):
        for pid in descendants(holder_of(server)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wrong += _free_again(server)
    return wrong


def stopped_worker(server: Served) -> list[str]:
    """One process that answers is stopped, and does not continue."""
    pid = random.choice(descendants(holder_of(server)))
    os.kill(pid, signal.SIGSTOP)
    answers = [server.query(f"SELECT ({n} AS ?n) {{}}", timeout=60).status for n in range(12)]
    wrong = [f"status {status}" for status in answers if status not in (200, 503, 504)]
    wrong += [] if answers.count(200) >= 11 else [f"answers {answers}"]
    return wrong + _free_again(server, 30)


def killed_holder(server: Served) -> list[str]:
    """The process that has the data is killed: it is loaded again."""
    before = holder_of(server)
    os.kill(before, signal.SIGKILL)

    def is_replaced() -> bool:
        with contextlib.suppress(ValueError):  # none for a moment
            return holder_of(server) != before
        return False

    until(is_replaced, seconds=30, what="another process has the data")
    return _free_again(server, 30)


def ended_under_load(server: Served, clients: int = 16) -> list[str]:
    """SIGTERM while clients ask: the server ends in time, with 0, and leaves no process. The last
    attack: there is no server afterwards.
    """
    ending = threading.Event()
    statuses: list[int] = []

    def load(number: int) -> None:
        while not ending.is_set():
            with contextlib.suppress(OSError):
                text = PRODUCT if number % 4 == 0 else "SELECT (%d AS ?n) {}"
                statuses.append(server.query(text % time.monotonic_ns(), timeout=30).status)

    threads = [threading.Thread(target=load, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    processes = server.processes()
    server.process.send_signal(signal.SIGTERM)
    code = server.process.wait(30)
    ending.set()
    for thread in threads:
        thread.join(40)
    wrong = [] if code == 0 else [f"ended with {code}"]
    time.sleep(0.5)
    wrong += [f"process {pid} is left" for pid in processes if running(pid)]
    return wrong + [f"status {status}" for status in set(statuses) - {200, 429, 503, 504}]


ALL: tuple[Attack, ...] = (
    forged_requests, odd_addresses, smuggled_requests, large_bodies, hostile_queries, leaving_clients, slow_headers, idle_connections, non_readers,
    killed_workers, stopped_worker, killed_holder, ended_under_load,
)  # fmt: skip
"""In their order; the last one ends the server."""
