"""A real `lodpipe serve` on loopback for tests: started, asked over HTTP or byte by byte, and
ended.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from support import PROGRAM, TESTS

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
DIRECT = {"Content-Type": "application/sparql-query"}
JSON = "application/sparql-results+json"
_LISTENS = re.compile(r"^serving http://127\.0\.0\.1:(\d+)/$", re.MULTILINE)


def cases(name: str) -> list[dict[str, Any]]:
    """The cases of a file below tests/serve/."""
    return yaml.safe_load((TESTS / "serve" / name).read_text("utf-8"))


def filled(parts: Sequence[Any]) -> str:
    """A text from texts and numbers in turn: how often each is written."""
    return "".join(part * times for part, times in zip(parts[::2], parts[1::2], strict=True))


@dataclass(frozen=True)
class Answer:
    """What came back: headers have names in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """The media type without parameters."""
        return self.headers.get("content-type", "").split(";")[0]

    def rows(self) -> list[tuple[str, ...]]:
        """The rows of a SELECT in JSON; each value as text."""
        assert self.status == 200, self.body.decode("utf-8", "replace")[:300]
        results = json.loads(self.body)
        return [
            tuple(row[name]["value"] for name in results["head"]["vars"] if name in row)
            for row in results["results"]["bindings"]
        ]


@dataclass(frozen=True)
class Served:
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    seconds_to_start: float

    @property
    def url(self) -> str:
        """Its address, with a slash at the end."""
        return f"http://127.0.0.1:{self.port}/"

    def request(
        self, path: str, accept: str | None = None, *, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes | None = None,
        timeout: float = 20,
    ) -> Answer:  # fmt: skip
        """One request on a connection of its own; no redirect is followed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            given = ({} if accept is None else {"Accept": accept}) | dict(headers or {})
            connection.request(method, path, body=body, headers=given)
            answer = connection.getresponse()
            return Answer(
                answer.status,
                {name.lower(): value for name, value in answer.getheaders()},
                answer.read(),
            )
        finally:
            connection.close()

    def query(
        self,
        text: str,
        accept: str | None = JSON,
        *,
        post: bool = False,
        timeout: float = 20,
        **parameters: Any,
    ) -> Answer:
        """A query by GET, or by POST direct; `default_graph_uri=[…]` and so on are parameters of
        the protocol.
        """
        more = {name.replace("_", "-"): value for name, value in parameters.items()}
        if post:
            path = "/sparql" + ("?" + urlencode(more, doseq=True) if more else "")
            return self.request(
                path,
                accept,
                method="POST",
                headers=DIRECT,
                body=text.encode("utf-8"),
                timeout=timeout,
            )
        return self.request(
            "/sparql?" + urlencode({"query": text, **more}, doseq=True), accept, timeout=timeout
        )

    def bytes(self, data: bytes, *, timeout: float = 10) -> bytes:
        """What the server says to these very bytes until it closes the connection, or nothing more
        comes.
        """
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as client:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                client.sendall(data)
            return received(client)

    def metrics(self) -> dict[str, float]:
        """The figures by name and labels, as Prometheus' own parser reads them."""
        from prometheus_client.parser import text_string_to_metric_families

        text = self.request("/metrics").body.decode("utf-8")
        return {
            sample.name
            + "".join(
                f" {name}={value}" for name, value in sorted(sample.labels.items())
            ): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def health(self) -> dict[str, Any]:
        """The state that the server reports."""
        return json.loads(self.request("/health").body)

    def lines(self) -> list[dict[str, Any]]:
        """The access log."""
        lines = self.log.read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines if not _LISTENS.match(line)]

    def processes(self) -> list[int]:
        """The server and all that it started, by their parents."""
        return [self.process.pid, *descendants(self.process.pid)]


def received(client: socket.socket) -> bytes:
    """All that comes until the other side closes, or is silent for the socket's timeout."""
    data = b""
    with contextlib.suppress(TimeoutError, ConnectionResetError):
        while more := client.recv(1 << 16):
            data += more
    return data


def descendants(pid: int) -> list[int]:
    """The children of a process and theirs (Linux). A thread or process that ends meanwhile hides
    none of the others.
    """
    children: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                children += map(int, (task / "children").read_text().split())
    return [*children, *(deeper for child in children for deeper in descendants(child))]


def running(pid: int) -> bool:
    """Whether a process lives; one that only waits to be reaped does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def until(true: Callable[[], bool], *, seconds: float, what: str) -> float:
    """Waits until something holds, and says how long that took."""
    started = time.monotonic()
    while not true():
        assert time.monotonic() - started < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.05)
    return time.monotonic() - started


def serving(
    project: Path, log: Path, *options: str | float
) -> contextlib.AbstractContextManager[Served]:
    """A server over a project; what it writes goes to the file `log`, where one line says where it
    listens: the first, unless a store is opened before.
    """
    return _started(log, "--project", project, *options)


def serving_file(
    path: Path, log: Path, *options: object
) -> contextlib.AbstractContextManager[Served]:
    """A server over one file, without a project."""
    return _started(log, path, *options)


@contextlib.contextmanager
def _started(log: Path, *options: object) -> Iterator[Served]:
    command = [*PROGRAM, "serve", "--port", "0", *map(str, options)]
    started = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        while not (match := _LISTENS.search(log.read_text("utf-8"))):
            assert process.poll() is None and time.perf_counter() - started < 60, log.read_text(
                "utf-8"
            )
            time.sleep(0.01)
        yield Served(process, int(match[1]), log, time.perf_counter() - started)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
