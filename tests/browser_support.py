"""A real browser for tests of the pages: Debian's Chromium by Playwright, and a static host on
loopback.

A page is used as `with browser.page(viewport=PHONE) as page:`, or by the fixture `page`; when it
closes, any console message, script error, failed answer or request to another host fails the test.
Violations of the Content-Security-Policy are console messages too. Under a strict policy
Playwright's `wait_for_function` with a text is an eval: wait for locators instead.
"""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, sync_playwright

from support import ROOT

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]  # fmt: skip
AXE = ROOT / "pipeline" / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


class Browser:
    """Chromium, running; each page has a fresh profile."""

    def __init__(self, chromium: Chromium) -> None:
        self._chromium = chromium

    @contextmanager
    def page(self, allow: tuple[str, ...] = (), **options: Any) -> Iterator[Page]:
        """A page of its own; `allow` names pieces of complaints that the test means."""
        context = self._chromium.new_context(**{"viewport": WIDE, **options})
        page = context.new_page()
        wrong: list[str] = []
        page.on(
            "console",
            lambda message: (
                wrong.append(f"console: {message.text}")
                if message.type in ("error", "warning")
                else None
            ),
        )
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on(
            "request",
            lambda request: (
                wrong.append(f"outside: {request.url}") if not _inside(request.url) else None
            ),
        )
        page.on(
            "response",
            lambda answer: (
                wrong.append(f"{answer.status}: {answer.url}") if answer.status >= 400 else None
            ),
        )
        try:
            yield page
        finally:
            context.close()
        assert [problem for problem in wrong if not any(piece in problem for piece in allow)] == []


@contextmanager
def launched() -> Iterator[Browser]:
    """Chromium without a window."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield Browser(chromium)
        chromium.close()


def _inside(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme in ("data", "blob", "about", "file") or parts.hostname == "127.0.0.1"


class _Host(http.server.SimpleHTTPRequestHandler):
    """Files of a folder below a path; nothing else is there."""

    def __init__(self, *given: Any, prefix: str, unpacking: bool, **named: Any) -> None:
        self.prefix, self.unpacking = prefix, unpacking
        super().__init__(*given, **named)

    def log_message(self, *_: Any) -> None:
        """Tests stay quiet."""

    def translate_path(self, path: str) -> str:
        return super().translate_path(
            "/" + path.removeprefix(self.prefix)
            if path.startswith(self.prefix)
            else "/no/such/file"
        )

    def end_headers(self) -> None:
        if self.unpacking and urlsplit(self.path).path.endswith(".gz"):
            self.send_header("Content-Encoding", "gzip")
        super().end_headers()


@contextmanager
def serving(folder: Path, prefix: str = "/", unpacking: bool = False) -> Iterator[str]:
    """The address of a static host for the folder; `unpacking` sends .gz files with
    Content-Encoding, as some hosts do.
    """
    handler = functools.partial(_Host, prefix=prefix, unpacking=unpacking, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{prefix}"
    finally:
        server.shutdown()
        server.server_close()


def axe(page: Page) -> list[tuple[str, str, list[list[str]]]]:
    """What axe-core finds, of any weight: weight, rule, places."""
    page.evaluate(AXE.read_text("utf-8") + "; 0")
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        (violation["impact"], violation["id"], [node["target"] for node in violation["nodes"]])
        for violation in result["violations"]
    ]
