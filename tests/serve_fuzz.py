"""Random requests to all routes of a running server, from a seed: right ones, and right ones with
parts changed. What comes back must be an answer, in time, with a reason where it is an error.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from support import ROOT

_WORDS = (
    "SELECT", "ASK", "CONSTRUCT", "DESCRIBE", "WHERE", "{", "}", "(", ")", "?s", "?p", "?o", "*", "+", "/", "|", "^", "!", "FILTER", "OPTIONAL",
    "UNION", "MINUS", "GRAPH", "SERVICE", "SILENT", "VALUES", "BIND", "AS", "GROUP BY", "ORDER BY DESC(?o)", "HAVING", "LIMIT 5", "OFFSET -1",
    "DISTINCT", "REDUCED", "COUNT(*)", "SAMPLE(?o)", "GROUP_CONCAT(?o)", "REGEX(?o, '(a*)*b')", "REPLACE(STR(?o), '.', 'xxxxxxxxxx')", "NOW()",
    "RAND()", "EXISTS", "NOT", "IN", "UNDEF", "FROM", "NAMED", "<http://127.0.0.1:9/>", "<lab/brandis>", "<>", "'x'", '"""', "\\u0022", "\\",
    "1e999", "-0", "99999999999999999999", "'2026-13-01'^^<http://www.w3.org/2001/XMLSchema#date>", "@de", "<< ?s ?p ?o >>", "<<( ?s ?p ?o )>>",
    "LATERAL", "VERSION '1.2'", "BASE <x:>", "PREFIX : <x:>", "INSERT DATA", "LOAD", "\x00", "\ufeff", "\U0001f4a9", "\u202e", "ı", "ſ",
)  # fmt: skip
_VALUES = (
    "", " ", "0", "1", "-1", "1.5", "1e9", "99999999999999999999", "NaN", "true", "null", "[]", "{}", "de", "en", "xx", "*", "?", "%", "%25", "%00",
    "../..", "lab/brandis", "https://w3id.org/rogl/lab/brandis", "http://127.0.0.1:9/", "file:///etc/passwd", "<script>", "'", '"', "a" * 300, "ü",
    "\ud83d", "\r\nX-Evil: yes", "name,-name", "name:asc", "id", "csv", "jsonl", "json", "html", "ttl", "51.3,12.6", "200km",
)  # fmt: skip
_ACCEPTS = (
    "*/*", "", "text/html", "application/json", "text/turtle", "text/csv", "application/sparql-results+xml", "application/ld+json", "image/png",
    "text/*;q=0.1, application/*", "application/n-triples;q=2", "q=1", ",,,", "text/html;level=1;q=0.5, */*;q=0", "application/rdf+xml",
    "application/sparql-results+json, text/turtle;q=0.9", "a/b" * 200,
)  # fmt: skip
_HEADERS = (
    ("Accept-Language", ("de", "en", "de-CH;q=0.5, *;q=0", "x" * 99, ";", "en;q=nan")),
    ("Accept-Encoding", ("gzip", "br, zstd", "identity;q=0", "identity;q=0, *;q=0", "gzip;q=x", "zstd;q=0.001")),
    ("Range", ("bytes=0-9", "bytes=-1", "bytes=9-0", "bytes=0-0,2-3", "items=1-2", "bytes=" + "9" * 40 + "-", "bytes=a-b")),
    ("If-None-Match", ("*", '"x"', 'W/"x"', '"', "x, y")),
    ("If-Modified-Since", ("Mon, 23 Nov 2026 10:00:00 GMT", "yesterday", "0", "Thu, 01 Jan 1970 00:00:00 GMT")),
    ("If-Range", ('"x"', "Mon, 23 Nov 2026 10:00:00 GMT", "x")),
    ("Content-Encoding", ("gzip", "identity", "br")),
    ("X-Forwarded-For", ("192.0.2.1", "2001:db8::1", "x", "1.2.3.4, 5.6.7.8", "fe80::1%eth0", "[::1]:80", "::ffff:192.0.2.1", "," * 50)),
    ("X-Forwarded-Proto", ("https", "javascript", "http, https", "")),
    ("Origin", ("http://evil.example", "null")),
    ("Expect", ("100-continue", "x")),
    ("Connection", ("upgrade", "close, keep-alive", "x")),
    ("Upgrade", ("h2c", "websocket")),
    ("Host", ("localhost", "[::1]", "a:99999", "x" * 300)),
    ("Content-Length", ("0", "5", "-1", "1e3", "99999999999999999999")),
    ("Transfer-Encoding", ("chunked", "gzip", "chunked, chunked")),
    ("Cookie", ("a=b" * 99,)),
)  # fmt: skip
_COLLECTIONS = ("labs", "organisations", "documents", "persons", "places", "programmes", "events")
_API = ("q", "limit", "offset", "page", "sort", "order", "fields", "format", "lang", "type", "near", "name", "label", "callback")  # fmt: skip
_PAGES = (
    "", "index.html", "sparql.html", "lab/brandis", "lab/brandis.ttl", "lab/brandis.json", "lab/brandis.rdf", "dataset", "rogl.nq", "rogl.nt.gz",
    "catalog.ttl", "void.ttl", "metadata.nq", "queries.ttl", "SHA256SUMS", "2026-11-23/", ".well-known/void", "robots.txt", "health", "metrics",
    "nowhere", "lab/", "lab/..", "llms.txt", "openapi.json", "api/openapi.json", "sitemap.xml", "assets/search/index.json",
    "organisation/stadt-brandis",
)  # fmt: skip
_MCP = (
    ("tools/list", {}),
    ("tools/call", {"name": "search", "arguments": {"text": "Brandis"}}),
    ("tools/call", {"name": "describe", "arguments": {"resource": "lab/brandis"}}),
    ("tools/call", {"name": "sparql", "arguments": {"query": "SELECT * { ?s ?p ?o } LIMIT 2"}}),
    ("tools/call", {"name": "run_sample_query", "arguments": {"name": "labs-in-a-land"}}),
    ("resources/list", {}),
    ("resources/read", {"uri": "rogl://model"}),
    ("prompts/list", {}),
    ("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}),
)  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """One request, byte by byte; `is_valid` where it is right HTTP, so that an answer must come."""

    data: bytes
    is_valid: bool


class Requests:
    """Requests from a seed; `routes` are those of the kinds below that are sent."""

    def __init__(self, seed: int, texts: Sequence[str], kinds: Sequence[str]) -> None:
        self.random = random.Random(seed)
        self.texts, self.kinds = texts, kinds

    def next(self) -> Sent:
        """The next one; one in ten has changes in its bytes."""
        kind: Callable[[], tuple[str, str, bytes, str]] = getattr(self, self._any(self.kinds))
        method, path, body, media_type = kind()
        lines, is_valid = self._headers(body, media_type)
        if self.random.random() < 0.03:
            method = self._any(("HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "PATCH", "G\x00T"))
            is_valid = False
        path = quote(path, safe="/?&=%+:;,@!$'()*~-._", errors="replace")
        data = f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("utf-8", "replace") + body
        if self.random.random() < 0.1:
            return Sent(self._changed_bytes(data), is_valid=False)
        return Sent(data, is_valid)

    # -- kinds -------------------------------------------------------------------------------------

    def sparql(self) -> tuple[str, str, bytes, str]:
        """A query by GET, by form, or directly, with graphs."""
        query = self._changed_text(self._any(self.texts))
        parameters = [("query", query)]
        while self.random.random() < 0.2:
            name = self._any(("default-graph-uri", "named-graph-uri", "query", "update", "format"))
            parameters.append((name, self._any(_VALUES)))
        way = self.random.random()
        if way < 0.6:
            return "GET", "/sparql?" + _form(parameters), b"", ""
        if way < 0.8:
            return "POST", "/sparql", _form(parameters).encode(), "application/x-www-form-urlencoded"  # fmt: skip
        more = _form(parameters[1:])
        media_type = self._any(("application/sparql-query", "application/sparql-query", "text/plain", "application/sparql-update"))  # fmt: skip
        return "POST", f"/sparql?{more}", query.encode("utf-8", "replace"), media_type

    def api(self) -> tuple[str, str, bytes, str]:
        """A collection, an item, suggestions, a sample query of the JSON API."""
        collection = self._any((*_COLLECTIONS, "suggest", "search", "queries", "queries/labs-in-a-land", "openapi", "", "nowhere"))  # fmt: skip
        path = f"/api/{collection}" + self._any(
            ("", "", "/", ".json", ".csv", ".jsonl", "/brandis")
        )
        names = [self._any((*_API, self._any(_VALUES))) for _ in range(self.random.randrange(5))]
        return "GET", path + "?" + _form([(name, self._any(_VALUES)) for name in names]), b"", ""

    def reconcile(self) -> tuple[str, str, bytes, str]:
        """A reconciliation, suggestion, preview or extension, in both versions."""
        words = ("Brandis", "Stadt Brandis", *_VALUES)
        question = {"query": self._any(words), "limit": self._json(1), "type": self._json(1)}
        questions: object = {"q0": question}
        if self.random.random() < 0.4:
            questions = self._json(4)
        text = json.dumps(questions)
        way = self.random.random()
        if way < 0.3:
            return "POST", "/reconcile", _form([(self._any(("queries", "extend")), text)]).encode(), "application/x-www-form-urlencoded"  # fmt: skip
        if way < 0.5:
            path = self._any(("/reconcile/v1/match", "/reconcile/match", "/reconcile/v1/extend", "/reconcile/extend"))  # fmt: skip
            document = {"queries": [{"type": None, "conditions": self._json(3)}]}
            return "POST", path, json.dumps(document if way < 0.45 else self._json(4)).encode(), "application/json"  # fmt: skip
        if way < 0.7:
            part = self._any(("entity", "type", "property", "nowhere"))
            names = [(self._any(("prefix", "cursor", "id", "limit")), self._any(_VALUES)) for _ in range(3)]  # fmt: skip
            return "GET", f"/reconcile/suggest/{part}?{_form(names)}", b"", ""
        if way < 0.8:
            return "GET", "/reconcile/preview?" + _form([("id", self._any(_VALUES))]), b"", ""
        return "GET", "/reconcile?" + _form([(self._any(("queries", "extend", "callback", "x")), text)]), b"", ""  # fmt: skip

    def pages(self) -> tuple[str, str, bytes, str]:
        """A page, a resource, a file, with changes in the address."""
        path = self._any(_PAGES)
        while path and self.random.random() < 0.3:
            at = self.random.randrange(len(path) + 1)
            path = path[:at] + self._any((*_VALUES, "/", "//", ".", "%2f", "%2e%2e/", "\\", "%c0%af")) + path[at:]  # fmt: skip
        return "GET", "/" + path, b"", ""

    def mcp(self) -> tuple[str, str, bytes, str]:
        """A call of `lodpipe mcp --http`."""
        method, parameters = self._any(_MCP)
        call: object = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        text = json.dumps(call if self.random.random() < 0.5 else self._changed_json(call))
        if self.random.random() < 0.1:
            text = self._changed_text(text)
        return "POST", "/mcp", text.encode("utf-8", "replace"), "application/json"

    # -- changes -----------------------------------------------------------------------------------

    def _any(self, choices: Sequence[object]) -> object:  # type: ignore[misc]
        return self.random.choice(choices)

    def _headers(self, body: bytes, media_type: str) -> tuple[str, bool]:
        """Header lines, and whether the request is framed rightly with them."""
        headers = {"Host": "localhost:80", "Connection": "close", "Accept": self._any(_ACCEPTS) if self.random.random() < 0.4 else "*/*"}  # fmt: skip
        if media_type:
            headers |= {"Content-Type": media_type, "Content-Length": str(len(body))}
        if media_type == "application/json" and self.random.random() < 0.9:
            headers["Accept"] = "application/json, text/event-stream"
        is_valid = True
        while self.random.random() < 0.25:
            name, values = self._any(_HEADERS)
            is_valid &= name not in ("Host", "Content-Length", "Transfer-Encoding", "Expect", "Connection", "Upgrade")  # fmt: skip
            headers[name] = self._any(values)
        return "".join(f"{name}: {value}\r\n" for name, value in headers.items()), is_valid

    def _changed_text(self, text: str) -> str:
        for _ in range(self.random.choice((0, 0, 0, 1, 1, 1, 2, 3, 8))):
            at, to = sorted(self.random.randrange(len(text) + 1) for _ in range(2))
            to = min(to, at + self.random.choice((0, 1, 5, 40)))
            change = self.random.randrange(4)
            part = ("", f" {self._any(_WORDS)} ", text[at:to] * 3, self._any(self.texts)[:60])
            text = text[:at] + part[change] + text[to if change != 2 else at :]
        return text

    def _changed_bytes(self, data: bytes) -> bytes:
        changed = bytearray(data)
        for _ in range(self.random.choice((1, 2, 4, 16))):
            at = self.random.randrange(len(changed) + 1)
            part = self.random.choice((b"\r\n", b"\n", b"\0", b" ", b":", b"\xff", b"\r", b"0", bytes([self.random.randrange(256)])))  # fmt: skip
            changed[at : at + self.random.randrange(3)] = part
        return bytes(changed)

    def _json(self, depth: int) -> object:
        if depth == 0 or self.random.random() < 0.3:
            return self.random.choice((None, True, 0, -1, 1.5, 10**30, "", "Brandis", "a" * 99, "\u0000", *_VALUES[-8:]))  # fmt: skip
        if self.random.random() < 0.4:
            return [self._json(depth - 1) for _ in range(self.random.randrange(4))]
        names = ("query", "type", "limit", "properties", "pid", "v", "ids", "id", "conditions", "matchType", "propertyValue", "q0", "")  # fmt: skip
        return {self._any(names): self._json(depth - 1) for _ in range(self.random.randrange(5))}

    def _changed_json(self, value: object) -> object:
        if isinstance(value, dict):
            return {
                name if self.random.random() < 0.95 else self._any(_VALUES): self._changed_json(
                    part
                )
                for name, part in value.items()
                if self.random.random() < 0.95
            }
        return self._json(3) if self.random.random() < 0.2 else value


def _form(parameters: Sequence[tuple[object, object]]) -> str:
    return urlencode([(str(name), str(value)) for name, value in parameters], errors="replace")


def queries() -> list[str]:
    """The queries that are changed: those of the publication."""
    return [path.read_text("utf-8") for path in sorted((ROOT / "queries").glob("*.rq"))]


# -- a run -----------------------------------------------------------------------------------------


@dataclass
class Report:
    """What came of a run."""

    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0

    def add(self, sent: Sent, answer: bytes, seconds: float, limit: float) -> None:
        """Judges one answer."""
        self.slowest = max(self.slowest, seconds)
        status = _status(answer)
        self.statuses[status] += 1
        complaint = _complaint(sent, answer, status)
        if seconds > limit:
            complaint = f"took {seconds:.1f} s"
        if complaint and len(self.wrong) < 50:
            self.wrong.append(f"{complaint}\n  sent {sent.data[:1500]!r}\n  got {answer[:400]!r}")


# Errors of the server's side that a request can lead to, each with a reason: limits of time and
# memory, no free process, and a query on which the store fails.
_REASONS = {
    500: (b"the store failed on this query",),
    503: (b"try again",),
    504: (b"took longer",),
    507: (b"larger than", b"more memory", b"nested too deeply"),
}


def _status(answer: bytes) -> int:
    parts = answer.split(b" ", 2)
    return int(parts[1]) if answer.startswith(b"HTTP/1.1 ") and parts[1].isdigit() else 0


def _complaint(sent: Sent, answer: bytes, status: int) -> str | None:
    if status == 0:
        return "no answer" if sent.is_valid or answer else None
    head = answer.partition(b"\r\n\r\n")[0].lower()
    if b"\r\nx-evil" in head:
        return "a header from the request"
    if b"Traceback (most recent call last)" in answer or b'File "/' in answer:
        return "a traceback"
    if status >= 500 and not any(reason in answer for reason in _REASONS.get(status, ())):
        return f"status {status} without its reason"
    return None


def fuzz(port: int, report: Report, source: Requests, until: Callable[[], bool], limit: float) -> None:  # fmt: skip
    """Sends requests one after the other, each on a connection of its own, until it is time."""
    while not until():
        sent = source.next()
        started = time.monotonic()
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=limit + 5) as client:
                answer = _exchanged(client, sent.data)
        except OSError as error:
            answer = b""
            if sent.is_valid:
                report.wrong.append(f"{type(error).__name__}\n  sent {sent.data[:1500]!r}")
        report.add(sent, answer, time.monotonic() - started, limit)


def _exchanged(client: socket.socket, data: bytes) -> bytes:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        client.sendall(data)
    answer = b""
    with contextlib.suppress(TimeoutError, ConnectionResetError):
        while not _is_whole(data, answer) and (more := client.recv(1 << 16)):
            answer += more
    return answer


def _is_whole(data: bytes, answer: bytes) -> bool:
    """Whether an answer on a connection that may be kept is there; one without a length ends with
    the connection.
    """
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end or head.startswith(b"HTTP/1.1 100"):
        return False
    length = re.search(rb"\r\ncontent-length: (\d+)", head.lower())
    is_without_body = data.startswith(b"HEAD") or head[9:12] in (b"204", b"304")
    return is_without_body or (length is not None and len(body) >= int(length[1]))


def fuzz_for(port: int, kinds: Sequence[str], *, seconds: float, seed: int, clients: int, limit: float) -> Report:  # fmt: skip
    """So many clients for so long, each with a seed of its own."""
    texts, reports = queries(), [Report() for _ in range(clients)]
    end = time.monotonic() + seconds
    threads = [
        threading.Thread(
            target=fuzz,
            args=(port, report, Requests(seed * 1000 + number, texts, kinds), lambda: time.monotonic() > end, limit),
        )
        for number, report in enumerate(reports)
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole = Report(slowest=max(report.slowest for report in reports))
    for report in reports:
        whole.statuses += report.statuses
        whole.wrong += report.wrong
    return whole


KINDS = ("sparql", "sparql", "api", "reconcile", "pages")  # of `lodpipe serve`
