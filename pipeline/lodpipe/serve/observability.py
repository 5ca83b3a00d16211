"""Logs and metrics of the server: one JSON line for each request, without the client's address,
and figures for Prometheus.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Metric, generate_latest
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lodpipe.queries.connections import Record

_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_ROUTES = {"sparql": "sparql", "health": "health", "metrics": "metrics"}


class Seconds(Collector):
    """The histogram of times by route. One of the library takes 2 µs for each, a thirtieth of a simple
    query.
    """

    def __init__(self) -> None:
        self._counts: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}

    def observe(self, route: str, times: Sequence[float]) -> None:
        """Counts times in seconds."""
        counts = self._counts.setdefault(route, [0] * (len(_BOUNDS) + 1))
        for passed in times:
            counts[bisect_left(_BOUNDS, passed)] += 1
        self._sums[route] = self._sums.get(route, 0.0) + sum(times)

    def collect(self) -> Iterator[Metric]:
        """The figures as the registry wants them."""
        text = "Time from request to last byte."
        family = HistogramMetricFamily("lodpipe_request_seconds", text, labels=["route"])
        for route, counts in self._counts.items():
            names = [*map(str, _BOUNDS), "+Inf"]
            buckets = list(zip(names, accumulate(counts), strict=True))
            family.add_metric([route], buckets, self._sums[route])
        yield family


class Figures:
    """The figures of a server, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "lodpipe_requests", "Requests answered.", ["route", "status"], registry=self.registry
        )
        self.seconds = Seconds()
        self.registry.register(self.seconds)
        self.by_workers = Counter(
            "lodpipe_requests_by_workers",
            "Requests that workers answered on connections of their own.",
            registry=self.registry,
        )
        self.workers = Gauge(
            "lodpipe_workers", "Processes that answer queries.", ["state"], registry=self.registry
        )
        self.waiting = Gauge(
            "lodpipe_queries_waiting", "Queries that wait for a process.", registry=self.registry
        )
        self.replaced = Gauge(
            "lodpipe_workers_replaced",
            "Processes replaced since the data was loaded.",
            registry=self.registry,
        )
        self.hits = Counter("lodpipe_cache_hits", "Answers from the cache.", registry=self.registry)
        self.statements = Gauge(
            "lodpipe_statements",
            "Statements loaded, in default and named graphs.",
            registry=self.registry,
        )
        self.reloads = Counter(
            "lodpipe_reloads", "Successful reloads of the data.", registry=self.registry
        )
        self.failures = Counter(
            "lodpipe_reloads_failed",
            "Failed reloads of the data.",
            registry=self.registry,
        )

    def text(self) -> bytes:
        """All figures as Prometheus reads them."""
        return generate_latest(self.registry)


class RequestLog:
    """Reports each request of an application, in the log and in the metrics."""

    def __init__(self, app: ASGIApp, figures: Figures, *, log: bool = True) -> None:
        self.app, self.figures, self.log = app, figures, log
        self._answered = figures.requests.labels("sparql", "200")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or one life of the server."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status, size = 499, 0  # a client that leaves before it is answered

        async def counted(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                size += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, counted)
        finally:
            self.record(scope, status, size, time.perf_counter() - started)

    def record(self, scope: Scope, status: int, size: int, passed: float) -> None:
        """Counts and logs an answer; the time in seconds."""
        route = _ROUTES.get(
            scope["path"].strip("/"),
            "file" if "." in scope["path"].rsplit("/", 1)[-1] else "resource",
        )
        self.figures.requests.labels(route, str(status)).inc()
        self.figures.seconds.observe(route, [passed])
        if self.log:
            self._write(scope, status, size, passed)

    def record_queries(self, records: Sequence[Record]) -> None:
        """Counts and logs answers of workers to simple queries."""
        self._answered.inc(len(records))
        self.figures.by_workers.inc(len(records))
        self.figures.seconds.observe("sparql", [record.passed for record in records])
        for record in records if self.log else ():
            path, _, query = record.address.partition("?")
            scope = {"method": "GET", "path": path, "query_string": query.encode("latin-1")}
            self._write(scope, 200, record.size, record.passed)

    def _write(self, scope: Mapping[str, Any], status: int, size: int, passed: float) -> None:
        address = scope["path"] + (
            "?" + scope["query_string"].decode("latin-1") if scope["query_string"] else ""
        )
        write(
            method=scope["method"],
            address=address[:2000],
            status=status,
            bytes=size,
            milliseconds=round(passed * 1000, 1),
        )


class JsonLines(logging.Handler):
    """Messages of the HTTP server as lines of the same log."""

    def emit(self, record: logging.LogRecord) -> None:
        """One message, with the traceback of an error."""
        detail = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            detail += "\n" + "".join(traceback.format_exception(record.exc_info[1]))
        write(event="http server", level=record.levelname.lower(), detail=detail)


def log_of_http_server() -> dict[str, object]:
    """The configuration of uvicorn's log."""
    handler = {"()": JsonLines}
    loggers = {"uvicorn": {"handlers": ["lines"], "level": "WARNING", "propagate": False}}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"lines": handler},
        "loggers": loggers,
    }


def write(**line: object) -> None:
    """A line of the log, with its time."""
    sys.stderr.write(
        json.dumps({"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **line}) + "\n"
    )
