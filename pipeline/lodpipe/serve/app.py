"""The application: SPARQL protocol, resources with negotiation, files, health and figures."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import pyoxigraph as ox
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import (
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lodpipe.diagnostics.finding import LodpipeError
from lodpipe.publish.catalogue.web import FRESH
from lodpipe.publish.catalogue.withdrawn_rules import link_header
from lodpipe.queries.connections import Record, entity_tag
from lodpipe.queries.store_files import discard, is_written, place_of
from lodpipe.queries.store_loading import Place
from lodpipe.serve.api.reconcile_routes import ROOT as RECONCILE
from lodpipe.serve.api.reconcile_routes import reconcile_routes
from lodpipe.serve.api.routes import Api, api_routes, read_api, resource_json
from lodpipe.serve.content import Content, media_type
from lodpipe.serve.content_coding import Compressed
from lodpipe.serve.description import Dataset, description, read_dataset
from lodpipe.serve.error_pages import refusal
from lodpipe.serve.fairness import Usage
from lodpipe.serve.file_answers import file_answer, known_tags, packed_answer
from lodpipe.serve.index_places import IndexPlaces
from lodpipe.serve.negotiation import GRAPHS, RESULTS, Format, chosen, prefers_page
from lodpipe.serve.observability import Figures, RequestLog, write
from lodpipe.serve.policies import policies
from lodpipe.serve.pool import NotLoaded, Pool
from lodpipe.serve.protocol import Question, Refused, question_of, refuse_coded
from lodpipe.serve.request_body import read_body
from lodpipe.serve.settings import Settings
from lodpipe.serve.sources import Source
from lodpipe.serve.workers import Answer

Outcome = TypeVar("Outcome")
OUTCOME = "lodpipe.outcome"  # in the scope of a request whose query has run already (quick.py)
HOST = re.compile(r"[A-Za-z0-9.-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")


class Server:
    """The state of a running server: the present content with its workers, and what was answered
    before.
    """

    def __init__(self, source: Source, settings: Settings) -> None:
        self.source, self.settings, self.figures = source, settings, Figures()
        self.content: Content
        self.pool: Pool
        self.api: Api | None = None
        self.answers: OrderedDict[tuple[object, ...], tuple[Mapping[str, object], bytes]] = (
            OrderedDict()
        )
        self.cached = 0
        self.usage = Usage(settings.client_seconds, time.monotonic)  # outlives a reload
        self.places = IndexPlaces(self.usage)
        self.trusted: Any = frozenset()  # proxies whose X-Forwarded-For is believed
        self.log: RequestLog | None = None
        self._dataset: tuple[Content, Dataset] | None = None
        self.leaving: set[asyncio.Task[None]] = set()

    # -- data --------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Reads dist/ and starts workers over it; once they are ready they take the place of the
        old ones, which end what they have begun.

        Raises SourceError (LP820, LP822).
        """
        content = await asyncio.to_thread(self.source.read)
        api = await asyncio.to_thread(read_api, self.source, content, self.places)
        place = await asyncio.to_thread(place_of, content.dumps, self.source.stores)
        pool = await self._started(content, place)
        old = getattr(self, "pool", None)
        self.content, self.pool, self.api = content, pool, api
        self.answers.clear()
        self.cached = 0
        self.figures.statements.set(pool.loaded["triples"])
        if old is not None:
            self.figures.reloads.inc()
            task = asyncio.create_task(old.close(self.settings.seconds + self.settings.patience))
            self.leaving.add(task)
            task.add_done_callback(self.leaving.discard)

    async def _started(self, content: Content, place: Place | None) -> Pool:
        """Workers over a content. Raises SourceError (LP822)."""
        data = (content.dumps, content.prefixes, content.metadata)
        is_old = place is not None and is_written(place)
        if place and not is_old:  # this can take minutes
            write(store="begins", folder=place.parent)
        pool = Pool(self.settings, *data, self.usage, place)
        pool.handover.report = self._report
        try:
            await pool.start()
        except NotLoaded as error:
            await pool.close(0)
            if place and is_old and pool.holder.returncode != 1:  # the engine fell over the store
                write(store="damaged", folder=place.parent)
                discard(place)
                return await self._started(content, place)
            raise self.source.unreadable(content, str(error)) from None
        if place:
            known = ("store", "reason", "triples", "seconds")
            write(**{name: pool.loaded[name] for name in known}, folder=place.parent)
        return pool

    def _report(self, records: Sequence[Record]) -> None:
        """Logs what workers have answered themselves."""
        if self.log:
            self.log.record_queries(records)

    async def watch(self) -> None:
        """Reloads whenever dist/ has changed, and replaces processes that have gone; where dist/
        cannot be loaded, the old data stays.
        """
        known = self.source.stamp()
        while True:
            await asyncio.sleep(self.settings.watch)
            self.pool.tend()
            now = self.source.stamp()
            if (now == known or now is None) and self.pool.alive:
                continue
            try:
                await self.load()
                write(
                    event="reload",
                    version=self.content.version,
                    statements=self.pool.loaded["triples"],
                )
            except (LodpipeError, OSError) as error:
                self.figures.failures.inc()
                write(event="reload failed", detail=str(error), version=self.content.version)
            known = now

    # -- answers -----------------------------------------------------------------------------------

    async def answer(
        self, task: Mapping[str, object], client: str
    ) -> tuple[Mapping[str, object], bytes]:
        """The answer of a worker to a client (its address), or the one that exists already. Raises
        Refused.
        """
        if known := self.known(task):
            return known
        answer = await self.pool.run(task, client)
        self.remember(task, answer)
        return answered(answer)

    def known(self, task: Mapping[str, object]) -> tuple[Mapping[str, object], bytes] | None:
        """The answer to a task that exists already."""
        if not self.answers or (key := self._key(task)) not in self.answers:
            return None
        self.answers.move_to_end(key)
        self.figures.hits.inc()
        return self.answers[key]

    def _key(self, task: Mapping[str, object]) -> tuple[object, ...]:
        return (self.content.version, *((name, str(value)) for name, value in task.items()))

    def remember(self, task: Mapping[str, object], answer: Answer) -> None:
        """Keeps an answer that stays right as long as the data is the same."""
        if answer.head["status"] != 200 or not answer.head["lasting"]:
            return
        if len(answer.body) > self.settings.cache // 8:
            return
        key = self._key(task)
        if key in self.answers:
            return
        self.answers[key] = (answer.head, answer.body)
        self.cached += len(answer.body)
        while self.cached > self.settings.cache:
            _, (_, body) = self.answers.popitem(last=False)
            self.cached -= len(body)

    async def _own_answer(self, task: Mapping[str, object]) -> tuple[Mapping[str, object], bytes]:
        return await self.answer(task, "")

    async def dataset(self) -> Dataset:
        """What the endpoint is asked over, read once for each state of the data; without the named
        graphs where all processes are busy.
        """
        content, triples = self.content, self.pool.loaded["triples"]
        if self._dataset is None or self._dataset[0] is not content:
            try:
                dataset = await read_dataset(self._own_answer, triples, content.metadata)
            except Refused:
                return Dataset(triples, is_union=False)
            self._dataset = content, dataset
        return self._dataset[1]

    def tag(self, *parts: object) -> str:
        """An entity tag: the same data, question and format have the same."""
        return entity_tag(self.content.version, *parts)


def answered(outcome: Answer | Exception) -> tuple[Mapping[str, object], bytes]:
    """Head and body of an answer. Raises Refused, also for an answer that says what is wrong."""
    if isinstance(outcome, Exception):
        raise outcome
    if outcome.head["status"] != 200:
        raise Refused(int(outcome.head["status"]), str(outcome.head["detail"]))
    return outcome.head, outcome.body


# -- SPARQL ----------------------------------------------------------------------------------------


async def sparql(request: Request) -> Response:
    """The SPARQL 1.1 Protocol, query operation, and the service description where no query is
    given.
    """
    server: Server = request.app.state.server
    if len(request.url.query) > server.settings.address:
        raise Refused(
            414,
            f"the address is longer than {server.settings.address:,} characters; send the query by POST",
        )
    refuse_coded(request.headers.get("content-encoding", ""))
    question = question_of(
        request.method,
        request.headers.get("content-type", ""),
        request.url.query,
        await read_body(request, server.settings),
    )
    accept = request.headers.get("accept")
    if question is None:
        return await _described(request, server, accept)
    if page := _page_for(request, server.content, question):
        return page
    return await _answered(
        request, server, question, chosen(accept, RESULTS), chosen(accept, GRAPHS)
    )


async def _answered(
    request: Request,
    server: Server,
    question: Question,
    results: Format | None,
    graphs: Format | None,
) -> Response:
    if results is None and graphs is None:
        raise Refused(
            406,
            "answers come as "
            + ", ".join(item.media_type.split(";")[0] for item in (*RESULTS, *GRAPHS)),
        )
    task = {
        "query": question.query, "default_graph": question.default_graphs, "named_graphs": question.named_graphs,
        "results": results and results.name, "graphs": graphs and graphs.name,
    }  # fmt: skip
    tag = server.tag(*task.values())
    if tag in known_tags(
        request
    ):  # an answer that was given: the query is right, and need not be run
        return Response(
            status_code=304, headers={"ETag": tag, "Vary": "Accept", "Cache-Control": FRESH}
        )
    if outcome := request.scope.get(OUTCOME):
        head, body = answered(outcome)
    else:
        head, body = await _unless_gone(request, server.answer(task, _client(request)))
    form = next(
        item for item in (GRAPHS if head["graph"] else RESULTS) if item.name == head["format"]
    )
    if head["lasting"]:
        return _tagged(request, body, form, tag, {"Vary": "Accept"})
    return Response(
        body, media_type=form.media_type, headers={"Vary": "Accept", "Cache-Control": "no-store"}
    )


def _page_for(request: Request, content: Content, question: Question) -> Response | None:
    """The page for queries with the query in it, for a link that is opened in a browser; None for
    all other clients, and where the page could not keep the dataset of the request.
    """
    of_dataset = question.default_graphs or question.named_graphs
    if request.method == "POST" or of_dataset or not prefers_page(request.headers.get("accept")):
        return None
    page = content.page("sparql", request.headers.get("accept-language", ""))
    if page is None:
        return None
    address = f"/{page}#{urlencode({'query': question.query})}"
    return RedirectResponse(address, 303, headers={"Vary": "Accept, Accept-Language"})


async def _described(request: Request, server: Server, accept: str | None) -> Response:
    """The service description; in a browser the page for queries, where there is one."""
    page = server.content.page("sparql", request.headers.get("accept-language", ""))
    if page and prefers_page(accept):
        return RedirectResponse(f"/{page}", 303, headers={"Vary": "Accept, Accept-Language"})
    form = chosen(accept, GRAPHS) or GRAPHS[0]
    endpoint = str(request.url.replace(query="", fragment=""))
    body = description(endpoint, form.name, await server.dataset())
    return _tagged(
        request, body, form, server.tag("description", endpoint, form.name), {"Vary": "Accept"}
    )


async def _unless_gone(request: Request, work: Awaitable[Outcome]) -> Outcome:
    """The result of some work, which is given up when the client goes."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        for item in (working, leaving):
            item.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


# -- resources and files ---------------------------------------------------------------------------


async def resource(request: Request) -> Response:
    """A file of dist/ as it is; a resource by 303 to the document that the client wants; a
    withdrawn one by 301 or 410.
    """
    server: Server = request.app.state.server
    content, address = server.content, request.path_params["path"]
    if address == "":
        return await _start(request, content)
    if address == ".well-known/void":
        return RedirectResponse("/void.ttl", 302)
    if withdrawn := content.withdrawn_at(address):
        return await _withdrawn(request, server, *withdrawn)
    if path := content.file(address):
        return _file(request, server, path)
    if (packed := content.packed_file(address)) is not None:
        return packed_answer(request, content, address, packed, server.tag)
    document, _, suffix = address.rpartition(".")
    if suffix == "json" and (described := await resource_json(request, document)):
        return described
    if document and suffix in content.formats:
        head, body = await _unless_gone(
            request,
            server.answer({"iri": _iri(content, document), "format": suffix}, _client(request)),
        )
        form = next(item for item in GRAPHS if item.name == head["format"])
        return _tagged(request, body, form, server.tag(document, suffix), {})
    return await _negotiated(request, server, address)


async def _negotiated(request: Request, server: Server, address: str) -> Response:
    content = server.content
    document = content.document(address)
    for suffix in content.wanted(request.headers.get("accept", ""), document):
        if suffix == "html":
            target = content.page(document, request.headers.get("accept-language", ""))
        else:
            target = content.data_file(document, suffix)
            is_offered = suffix in content.formats or suffix == "json"
            if not target and is_offered and await _is_described(request, server, document):
                target = f"{document}.{suffix}"
        if target:
            return RedirectResponse(f"/{target}", 303, headers={"Vary": "Accept, Accept-Language"})
    raise Refused(404, "there is nothing at this address")


async def _withdrawn(request: Request, server: Server, resource: str, end: str) -> Response:
    """The document that describes a withdrawal, in the format asked for, with the status 410, or
    301 where one successor is to be asked instead.
    """
    content = server.content
    listed = content.withdrawn[resource]
    headers = {"Cache-Control": FRESH, "Vary": "Accept, Accept-Language"}
    if listed.successors:
        headers["Link"] = link_header(listed.successors)
    if listed.status == 301:
        local = listed.successors[0].removeprefix(content.base)
        headers["Location"] = f"/{quote(local, safe=':/%~._-')}{end}"
    given = request.headers
    for suffix in [end[1:]] if end else content.wanted(given.get("accept", "")):
        address = f"{resource}.{suffix}"
        if not end and suffix == "html":
            address = content.page(resource, given.get("accept-language", "")) or address
        body, media_type = await _tombstone(request, server, listed.iri, address)
        if body:
            return Response(body, listed.status, headers, media_type=media_type)
    body = await asyncio.to_thread((content.dist / "withdrawn.html").read_bytes)
    return Response(body, listed.status, headers, media_type="text/html; charset=utf-8")


async def _tombstone(request: Request, server: Server, iri: str, address: str) -> tuple[bytes, str]:
    """A document of a withdrawn IRI and its media type; empty where there is none."""
    if path := server.content.file(address):
        with contextlib.suppress(OSError):
            return await asyncio.to_thread(path.read_bytes), media_type(path)
    suffix = address.rpartition(".")[2]
    if suffix == "json":
        return (await _tombstone(request, server, iri, f"{address}ld"))[0], "application/json"
    if suffix in server.content.formats:
        with contextlib.suppress(Refused):
            answer = server.answer({"iri": iri, "format": suffix}, _client(request))
            head, body = await _unless_gone(request, answer)
            return body, next(item.media_type for item in GRAPHS if item.name == head["format"])
    return b"", ""


async def _is_described(request: Request, server: Server, document: str) -> bool:
    """Whether there are statements about the resource of a document."""
    try:
        await _unless_gone(
            request,
            server.answer(
                {"iri": _iri(server.content, document), "format": "ttl"}, _client(request)
            ),
        )
    except Refused as refused:
        if refused.status == 404:
            return False
        raise
    return True


def _client(request: Request) -> str:
    """The address that a request counts for: behind a trusted proxy that of X-Forwarded-For."""
    return request.client.host if request.client else ""


def _iri(content: Content, address: str) -> str:
    """The IRI of an address. Raises Refused where none can be made of it."""
    try:
        return ox.NamedNode(content.base + address).value
    except ValueError:
        raise Refused(404, "there is nothing at this address") from None


async def _start(request: Request, content: Content) -> Response:
    """The answer for the base IRI: the catalogue for those who ask for data, else the start page."""
    if document := content.of_base(request.headers.get("accept", "")):
        return RedirectResponse(f"/{document}", 303, headers={"Vary": "Accept, Accept-Language"})
    page = content.page("index", request.headers.get("accept-language", ""))
    path = content.file(page) if page else None
    if path is None:
        return RedirectResponse("/dataset", 303)
    return _file(request, request.app.state.server, path)


def _file(request: Request, server: Server, path: Path, status: int = 200) -> Response:
    """A file as it is."""
    return file_answer(request, server.content, path, server.tag, status)


def _tagged(
    request: Request, body: bytes, item: Format, tag: str, more: Mapping[str, str]
) -> Response:
    """An answer with its entity tag; 304 without it where the client has this very answer already
    (RFC 9110, 13.1.2).
    """
    headers = {**more, "ETag": tag, "Cache-Control": FRESH}
    if _known(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=item.media_type, headers=headers)


def _known(request: Request, tag: str) -> bool:
    return not known_tags(request).isdisjoint((tag, "*"))


# -- the server's own ------------------------------------------------------------------------------


async def health(request: Request) -> Response:
    """200 while queries can be answered."""
    server: Server = request.app.state.server
    pool = server.pool
    busy = len(pool.busy) + len(pool.aside)
    state = {
        "status": "ok" if pool.alive else "no data",
        "version": server.content.version,
        "free": len(pool.free),
        "busy": busy,
    }
    return JSONResponse(state, 200 if pool.alive else 503, headers={"Cache-Control": "no-store"})


async def metrics(request: Request) -> Response:
    """Figures as Prometheus reads them."""
    server: Server = request.app.state.server
    server.figures.workers.labels("free").set(len(server.pool.free))
    server.figures.workers.labels("busy").set(len(server.pool.busy))
    server.figures.workers.labels("long").set(len(server.pool.aside))
    server.figures.waiting.set(len(server.pool.waiting))
    server.figures.replaced.set(server.pool.ended)
    return Response(
        server.figures.text(),
        media_type="text/plain; version=0.0.4; charset=utf-8",
        headers={"Cache-Control": "no-store"},
    )


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return await refusal(request, request.app.state.server.content, error)


async def _left(_: Request, __: Exception) -> Response:
    return Response(status_code=499)


class _Headers:
    """Headers that every answer has, the permission for scripts of other sites, and a Host that can
    be trusted.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or one life of the server."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=list(message["headers"]))
                for name, value in policies(headers.get("content-type", "")).items():
                    headers.setdefault(name, value)
                message["headers"] = headers.raw
            await send(message)

        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        missing = not hosts and scope["http_version"] != "1.0"  # RFC 9112, 3.2
        if missing or len(hosts) > 1 or any(not HOST.fullmatch(host) for host in hosts):
            await PlainTextResponse("the Host header is invalid\n", 400)(
                scope, receive, with_headers
            )
            return
        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=_permission(scope["path"]))(
                scope, receive, with_headers
            )
            return
        await self.app(scope, receive, with_headers)


def _permission(path: str) -> dict[str, str]:
    """What scripts of other sites may do at an address (the Fetch standard, CORS-preflight)."""
    takes = path.rstrip("/") in ("/sparql", RECONCILE) or path.startswith(f"{RECONCILE}/")
    methods = "GET, HEAD, POST, OPTIONS" if takes else "GET, HEAD, OPTIONS"
    headers = (
        "Accept, Accept-Language, Content-Type, If-Modified-Since, If-None-Match, If-Range, Range"
    )
    return {
        "Allow": methods,
        "Access-Control-Allow-Methods": methods,
        "Access-Control-Allow-Headers": headers,
        "Access-Control-Max-Age": "86400",
    }


def application(server: Server, *, log: bool = True) -> RequestLog:
    """The ASGI application of a server whose data is loaded; it looks for new data as long as it
    lives.
    """

    @contextlib.asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(server.watch())
        yield
        watching.cancel()
        await asyncio.gather(server.pool.close(server.settings.grace), *server.leaving)

    app = Starlette(
        routes=[
            Route("/sparql", sparql, methods=["GET", "HEAD", "POST"]),
            Route("/sparql/", sparql, methods=["GET", "HEAD", "POST"]),
            *reconcile_routes(),
            *api_routes(),
            Route("/health", health),
            Route("/metrics", metrics),
            Route("/{path:path}", resource),
        ],
        exception_handlers={Refused: _refused, ClientDisconnect: _left},
        lifespan=life,
    )
    app.state.server = server
    coded = Compressed(app, server.settings.cache)
    server.log = RequestLog(_Headers(coded), server.figures, log=log)
    return server.log
