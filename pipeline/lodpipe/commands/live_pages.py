"""Serves the pages while they are edited (`lodpipe build --watch --serve`): each opened page loads
itself again after a build, and shows the errors of one that failed.

The script that does so is put into the HTML as it is sent, so the files in `dist/` are those that are
published. The process that builds reports each run to the one that serves, which outlives it:

    worker ── a line of JSON for each run ──▶ supervisor ── server-sent events ──▶ pages
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import secrets
import signal
import threading
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from lodpipe.diagnostics.finding import Finding, LodpipeError, Severity, SourceError
from lodpipe.publish.packed_pages import packed_pages

HOST = "127.0.0.1"
_NAMES = ("127.0.0.1", "localhost")  # a name of another site that leads to this machine is refused
_EVENTS, _SCRIPT = "/-/builds", "/-/reload.js"
_SILENCE = 15.0  # seconds after which a line is sent, so that closed connections are noticed
_LONGEST = 6_000  # characters of a report in a page
_TYPES = {
    ".ttl": "text/turtle",
    ".nt": "application/n-triples",
    ".nq": "application/n-quads",
    ".trig": "application/trig",
    ".jsonld": "application/ld+json",
    ".rdf": "application/rdf+xml",
    ".atom": "application/atom+xml",
}
_WAITING = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>lodpipe</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><p>There are no pages yet: the first build is running, has failed, or makes none
(site: false).</p></body></html>
"""
# A hidden page closes its connection: browsers allow six to a host.
_RELOAD = """
const shown = new URL(document.currentScript.src).searchParams.get("build");
const title = {
  de: "Der letzte Build ist fehlgeschlagen. Diese Seite ist die des letzten gelungenen.",
  en: "The last build has failed. This page is that of the last one that succeeded.",
};
let events, panel;
function failed(report) {
  panel ??= document.body.appendChild(document.createElement("div"));
  panel.setAttribute("role", "alert");
  panel.style.cssText = "position:fixed;inset:auto 0 0 0;z-index:99;max-height:50vh;overflow:auto;" +
    "padding:1rem;background:#8b1a1a;color:#fff;font-size:1rem";
  const heading = document.createElement("strong"), text = document.createElement("pre");
  heading.textContent = title[document.documentElement.lang.slice(0, 2)] ?? title.en;
  text.textContent = report;
  text.tabIndex = 0;
  text.style.cssText = "margin:0.5rem 0 0;white-space:pre-wrap;overflow-wrap:anywhere";
  panel.replaceChildren(heading, text);
}
function listen() {
  events?.close();
  if (document.hidden) return;
  events = new EventSource("/-/builds");
  events.onmessage = (event) => {
    const {build, report} = JSON.parse(event.data);
    if (build !== shown) location.reload();
    else if (report) failed(report);
    else panel = panel?.remove();
  };
}
document.addEventListener("visibilitychange", listen);
addEventListener("pagehide", () => events?.close());
addEventListener("pageshow", listen);
"""


class LivePages:
    """The server, and what it knows of the last build. Raises SourceError (LP821) where the port
    cannot be had.
    """

    def __init__(self, site: Path, port: int) -> None:
        self.site = site
        self._read, self._write = os.pipe()
        self._changed = threading.Condition()
        self._start, self._builds, self._report = secrets.token_hex(4), 0, ""
        try:
            self._server = _Server((HOST, port), self)
        except OSError as error:
            raise SourceError([_unavailable(port, error)]) from None

    @property
    def address(self) -> str:
        """Where the start page is."""
        return f"http://{HOST}:{self._server.server_port}/"

    def start(self) -> None:
        """Serves from now on, beside what this thread does, which alone receives signals."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        for work in (self._server.serve_forever, self._receive):
            threading.Thread(target=work, daemon=True).start()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    # -- the process that builds -------------------------------------------------------------------

    @contextlib.contextmanager
    def reported(self, root: Path, language: str) -> Iterator[None]:
        """Reports the errors of a part of a build to the pages; they are raised as well."""
        try:
            yield
        except LodpipeError as error:
            self._send(_text(error.findings, root, language))
            raise

    def built(self) -> None:
        """Reports that there is a new dist/."""
        self._send("")

    def _send(self, report: str) -> None:
        os.write(self._write, json.dumps(report).encode() + b"\n")

    # -- the process that serves -------------------------------------------------------------------

    def _receive(self) -> None:
        with os.fdopen(self._read, encoding="utf-8") as lines:
            for line in lines:
                report = json.loads(line)
                with self._changed:
                    self._report = report
                    self._builds += not report
                    self._changed.notify_all()

    @property
    def build(self) -> str:
        """The name of the last build that succeeded; another one after each start."""
        return f"{self._start}-{self._builds}"

    def state(self) -> str:
        """What pages receive: the last build that succeeded, and the errors of a later one."""
        return json.dumps({"build": self.build, "report": self._report})

    def states(self) -> Iterator[str]:
        """The state, then each new one; an empty text where nothing has changed for a while."""
        last = ""
        while True:
            with self._changed:
                if last == self.state():
                    self._changed.wait(_SILENCE)
                new = self.state()
            yield "" if new == last else new
            last = new


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], pages: LivePages) -> None:
        self.pages = pages
        super().__init__(address, _Handler)

    def handle_error(self, *_: object) -> None:
        """A browser that closes a connection is no error."""


class _Handler(SimpleHTTPRequestHandler):
    """Files of the pages; HTML has the script."""

    server: _Server
    protocol_version = "HTTP/1.1"
    extensions_map = SimpleHTTPRequestHandler.extensions_map | _TYPES

    def __init__(self, *given: Any) -> None:
        pages: LivePages = given[2].pages
        super().__init__(*given, directory=str(pages.site))

    def log_message(self, *_: object) -> None:
        """The terminal is for the reports of builds."""

    def end_headers(self) -> None:
        """Nothing is stored: each build may change all."""
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def do_GET(self) -> None:
        """A file, the script, or the events."""
        if urlsplit(f"//{self.headers.get('Host', '')}").hostname not in _NAMES:
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
        elif self.path == _EVENTS:
            self._events()
        elif self.path.partition("?")[0] == _SCRIPT:
            self._answer(_RELOAD.encode(), "text/javascript; charset=utf-8")
        else:
            super().do_GET()

    def send_head(self) -> io.BytesIO | IO[bytes] | None:  # type: ignore[override]  # wider in typeshed
        """The beginning of an answer; the content of HTML with the script in it."""
        del self.headers["If-Modified-Since"]
        path = Path(self.translate_path(self.path))
        if path.is_dir() and not urlsplit(self.path).path.endswith("/"):
            return super().send_head()  # the address with a slash
        page = path / "index.html" if path.is_dir() else path
        if not page.is_file() and page.with_name(f"{page.name}.html").is_file():
            page = page.with_name(f"{page.name}.html")  # an IRI
        if page.suffix == ".html" and page.is_file():
            return self._page(page.read_bytes())
        if page.is_file():
            return super().send_head()
        if packed := self._packed(path):
            return packed
        missing = self.server.pages.site / "404.html"
        content = missing.read_bytes() if missing.is_file() else _WAITING.encode()
        return self._page(content, HTTPStatus.NOT_FOUND)

    def _packed(self, path: Path) -> io.BytesIO | None:
        """The beginning of an answer from the archive of pages (`site: {packed: true}`)."""
        site = self.server.pages.site
        archive = packed_pages(site.parent)
        local = path.relative_to(site).as_posix() if archive else ""
        for name in (local, f"{local}.html", f"{local}/index.html"):
            content = archive.read(name) if archive else None
            if content is not None and name.endswith(".html"):
                return self._page(content)
            if content is not None:
                self._begin(HTTPStatus.OK, self.guess_type(name), len(content))
                return io.BytesIO(content)
        return None

    def _page(self, content: bytes, status: HTTPStatus = HTTPStatus.OK) -> io.BytesIO:
        script = f'<script src="{_SCRIPT}?build={self.server.pages.build}" defer></script></head>'
        content = content.replace(b"</head>", script.encode(), 1)
        self._begin(status, "text/html; charset=utf-8", len(content))
        return io.BytesIO(content)

    def _answer(self, content: bytes, media_type: str) -> None:
        self._begin(HTTPStatus.OK, media_type, len(content))
        self.wfile.write(content)

    def _begin(self, status: HTTPStatus, media_type: str, size: int | None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        if size is None:
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(size))
        self.end_headers()

    def _events(self) -> None:
        """One line for each state, until the browser closes the connection."""
        self._begin(HTTPStatus.OK, "text/event-stream; charset=utf-8", None)
        for state in self.server.pages.states():
            self.wfile.write(f"data: {state}\n\n".encode() if state else b":\n\n")


def _text(findings: Sequence[Finding], root: Path, language: str) -> str:
    """The errors among findings, as they are in the terminal."""
    from lodpipe.reporters import write_text

    out = io.StringIO()
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    write_text(errors or findings, root, out, language, colour=False)
    text = out.getvalue().strip()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"


def _unavailable(port: int, error: OSError) -> Finding:
    detail = error.strerror or str(error)
    return Finding("LP821", None, {"host": HOST, "port": str(port), "detail": detail})
