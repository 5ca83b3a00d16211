"""A host of static pages, such as those that the shipped templates publish to: it sends files, knows
`_redirects` and `_headers` in its root, and cannot see the Accept header.

What is modelled (documentation of Cloudflare Pages, November 2026): a rule of `_redirects` comes before
a file, `*` stands for the rest of a path, `/x` is answered by `x.html` as well, and by `404.html` where
nothing fits. With `rules=False` it is a host like GitHub Pages, which reads neither file.
"""

from __future__ import annotations

import contextlib
import functools
import re
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

# What hosts know by themselves (mime-db); `linkset` and `cff` are not in it.
TYPES = {
    ".ttl": "text/turtle",
    ".nt": "application/n-triples",
    ".nq": "application/n-quads",
    ".trig": "application/trig",
    ".jsonld": "application/ld+json",
    ".rdf": "application/rdf+xml",
    ".parquet": "application/vnd.apache.parquet",
    ".atom": "application/atom+xml",
    ".gz": "application/gzip",
    ".csv": "text/csv",
    ".xml": "application/xml",
}


def serving_pages(
    folder: Path, port: int, path: str = "/", *, rules: bool = True
) -> contextlib.AbstractContextManager[None]:
    """Serves the files of a folder below a path until the context ends."""
    handler = functools.partial(
        _Pages,
        directory=str(folder),
        path=path,
        redirects=_redirects(folder / "_redirects") if rules else [],
        headers=_headers(folder / "web/_headers") if rules else [],
    )
    return _running(ThreadingHTTPServer(("127.0.0.1", port), handler))


@contextlib.contextmanager
def _running(server: ThreadingHTTPServer) -> Iterator[None]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, text.split("*"))))


def _redirects(path: Path) -> list[tuple[re.Pattern[str], str, int]]:
    lines = path.read_text("utf-8").splitlines()
    rows = [line.split() for line in lines if line.startswith("/")]
    return [(_pattern(source), target, int(status)) for source, target, status in rows]


def _headers(path: Path) -> list[tuple[re.Pattern[str], list[tuple[str, str]]]]:
    blocks: list[tuple[re.Pattern[str], list[tuple[str, str]]]] = []
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("/"):
            blocks.append((_pattern(line), []))
        elif line.startswith(" "):
            name, value = line.strip().split(": ", 1)
            blocks[-1][1].append((name, value))
    return blocks


class _Pages(SimpleHTTPRequestHandler):
    extensions_map = SimpleHTTPRequestHandler.extensions_map | TYPES

    def __init__(self, *given: Any, path: str, redirects: Any, headers: Any, **more: Any) -> None:
        self.below, self.redirects, self.rules = path, redirects, headers
        super().__init__(*given, **more)

    def log_message(self, *_: Any) -> None:
        pass

    def send_head(self) -> Any:
        """The answer to GET and HEAD, without its body."""
        path = unquote(urlsplit(self.path).path)
        for pattern, target, status in self.redirects:
            if pattern.fullmatch(path):
                self.send_response(status)
                self.send_header("Location", target)
                self.end_headers()
                return None
        self.requested = path
        local = path.removeprefix(self.below) if path.startswith(self.below) else "404.html"
        root = Path(self.directory)
        names = [f"{local}index.html" if not local or local.endswith("/") else local]
        names += [f"{local}.html", "404.html"]
        name = next(name for name in names if (root / name).is_file())
        file = (root / name).open("rb")
        self.send_response(404 if name == "404.html" else 200)
        own = dict(self._own_headers())
        own.setdefault("Content-Type", self.guess_type(name))
        own["Content-Length"] = str((root / name).stat().st_size)
        for key, value in own.items():
            self.send_header(key, value)
        self.end_headers()
        return file

    def _own_headers(self) -> Iterator[tuple[str, str]]:
        links = []
        for pattern, headers in self.rules:
            if pattern.fullmatch(self.requested):
                links += [value for name, value in headers if name == "Link"]
                yield from ((name, value) for name, value in headers if name != "Link")
        if links:
            yield "Link", ", ".join(links)
