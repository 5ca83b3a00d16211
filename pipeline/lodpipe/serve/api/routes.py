"""The addresses of the API: formats by Accept or suffix, entity tags, links, problem details.

Everything is read from an index of its own by threads, so that neither SPARQL queries nor lists keep the
other waiting; only sample queries go to the processes of the endpoint.
"""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import parse_qsl

from starlette.convertors import PathConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from lodpipe.config.vocabulary import read_vocabulary
from lodpipe.diagnostics.suggestions import did_you_mean
from lodpipe.publish.api.api_documents import (
    ROOT,
    ApiDocuments,
    IndexTimeout,
    ParameterFacts,
    QueryFacts,
    api_documents,
    read_ntriples,
)
from lodpipe.publish.api.api_page import STYLE, api_content, api_page, framed
from lodpipe.publish.api.index_plan import index_plan, open_index
from lodpipe.publish.api.list_parameters import (
    LONGEST,
    BatchTooLarge,
    ListRequest,
    ParameterError,
    check_text,
    single,
    whole_number,
)
from lodpipe.publish.api.node_documents import dumped
from lodpipe.publish.api.openapi import openapi
from lodpipe.publish.api.reconciliation import Reconciliation
from lodpipe.publish.catalogue.web import FRESH
from lodpipe.queries.samples import Query, read_queries, valid
from lodpipe.serve.api.problems import problem
from lodpipe.serve.api.query_results import plain_results
from lodpipe.serve.content import Content
from lodpipe.serve.index_places import IndexPlaces
from lodpipe.serve.negotiation import Format, chosen, languages
from lodpipe.serve.protocol import Refused
from lodpipe.serve.sources import Source

_TRIES = 5  # to get a turn for the next part of an answer
_JSON = Format("json", "application/json")
_JSONLD = Format("jsonld", "application/ld+json")
_CSV = Format("csv", "text/csv; charset=utf-8")
_LINES = Format("jsonl", "application/jsonl", ("application/x-ndjson", "application/ndjson"))
_HTML = Format("html", "text/html; charset=utf-8", ("application/xhtml+xml",))
_TURTLE = Format("ttl", "text/turtle; charset=utf-8")
_RESULTS = Format("results", "application/sparql-results+json")
_LISTS = (_JSON, _JSONLD, _CSV, _LINES)


class _Server(Protocol):
    """What the API needs of the server."""

    api: Api | None
    content: Content

    async def answer(
        self, task: Mapping[str, object], client: str
    ) -> tuple[Mapping[str, object], bytes]: ...

    def tag(self, *parts: object) -> str: ...


class Api:
    """The API of one state of dist/, with its sample queries, for a client (its address)."""

    def __init__(
        self, documents: ApiDocuments, queries: Mapping[str, Query], places: IndexPlaces
    ) -> None:
        self.documents, self.queries, self.places = documents, queries, places
        self.reconciliation = Reconciliation(documents)
        self.client = ""

    def for_client(self, address: str) -> Api:
        """The same API for a client."""
        own = copy.copy(self)
        own.client = address
        return own

    async def run(self, work: Callable[..., Any], *given: Any) -> Any:
        """Asks the index in a thread. Raises Refused (503, 429) where too many do."""
        return await self.places.run(self.client, work, *given)


def read_api(source: Source, content: Content, places: IndexPlaces) -> Api | None:
    """The API of a source that was read; its index is made if it is not there. A file without a
    project has none.
    """
    project = source.project
    if project is None:
        return None
    vocabulary = read_vocabulary(project.root, content.base)
    queries = {
        query.name: query
        for query in read_queries(project.root, content.languages)
        if query.federated is None  # the endpoint asks no other
    }
    index = open_index(
        project,
        index_plan(project, vocabulary),
        content.version,
        lambda: read_ntriples(content.dist / f"{content.name}.nt"),
        source.stores,
    )
    facts = [_facts(query) for query in queries.values()]
    return Api(api_documents(project, vocabulary, index, facts), queries, places)


def _facts(query: Query) -> QueryFacts:
    parameters = tuple(
        ParameterFacts(name, item.type, item.default, item.description)
        for name, item in query.params.items()
    )
    return QueryFacts(
        query.name, query.title, query.description, query.form, parameters, query.keywords
    )


# -- requests --------------------------------------------------------------------------------------

Handler = Callable[[Request], Awaitable[Response]]


def handled(handler: Handler) -> Handler:
    """A handler whose errors are problem details."""

    async def handle(request: Request) -> Response:
        try:
            return await handler(request)
        except ParameterError as error:
            status = 413 if isinstance(error, BatchTooLarge) else 400
            return problem(status, error.detail, parameter=error.parameter)
        except IndexTimeout as error:
            return problem(503, str(error), headers={"Retry-After": "5"})
        except Refused as refused:
            return problem(refused.status, refused.detail, headers=refused.headers)

    return handle


def pairs_of(
    request: Request, known: Sequence[str] | None = None, longest: int = LONGEST
) -> list[tuple[str, str]]:
    """The parameters of an address; `longest` is of a value. Raises Refused and ParameterError."""
    given = request.url.query
    if len(given) > 16_000:
        raise Refused(414, "the address is longer than 16,000 characters")
    try:
        pairs = parse_qsl(given, keep_blank_values=True, errors="strict")
    except ValueError:
        raise Refused(400, "the parameters are not percent-encoded UTF-8") from None
    for name, value in pairs:
        if known is not None and name not in known:
            named = f"; there is {', '.join(known)}" if known else "; there is none here"
            raise ParameterError(name, f"there is no parameter `{name}`{named}")
        check_text(name, value, longest)
    return pairs


def negotiated(request: Request, offered: Sequence[Format]) -> Format:
    """The format that a client wants. Raises Refused (406)."""
    form = chosen(request.headers.get("accept"), offered)
    if form is None:
        kinds = ", ".join(item.media_type.split(";")[0] for item in offered)
        raise Refused(406, f"answers come as {kinds}")
    return form


def answered(
    request: Request,
    body: bytes,
    media_type: str,
    *parts: object,
    links: Sequence[str] = (),
    vary: str = "Accept",
) -> Response:
    """An answer with its entity tag, or 304."""
    if same := unchanged(request, media_type, *parts, vary=vary):
        return same
    headers = _lasting(request, media_type, parts, vary)
    if links:
        headers["Link"] = ", ".join(links)
    return Response(body, media_type=media_type, headers=headers)


def unchanged(
    request: Request, media_type: str, *parts: object, vary: str = "Accept"
) -> Response | None:
    """304 where the client has this answer already, which then need not be made."""
    headers = _lasting(request, media_type, parts, vary)
    given = request.headers.get("if-none-match", "")
    known = {part.strip().removeprefix("W/") for part in given.split(",")}
    return Response(status_code=304, headers=headers) if known & {headers["ETag"], "*"} else None


def _lasting(
    request: Request, media_type: str, parts: Sequence[object], vary: str
) -> dict[str, str]:
    """The headers of an answer that stays the same as long as the data does."""
    server: _Server = request.app.state.server
    tag = server.tag("api", media_type, *parts)
    return {"ETag": tag, "Cache-Control": FRESH, "Vary": vary}


def api_of(request: Request) -> Api:
    """The API of the state that is served, for the client. Raises Refused (404)."""
    server: _Server = request.app.state.server
    if server.api is None:
        raise Refused(404, "there is no API: no project is served")
    return server.api.for_client(request.client.host if request.client else "")


# -- documents -------------------------------------------------------------------------------------


async def _overview(request: Request) -> Response:
    pairs_of(request, [])
    api = api_of(request).documents
    file = request.url.path.rpartition("/index.")[2]  # as hosts of files have it
    form = next((form for form in (_JSON, _HTML) if form.name == file), None)
    form = form or negotiated(request, (_JSON, _HTML))
    links = [f'</{ROOT}openapi.json>; rel="service-desc"; type="application/json"']
    if form is _HTML:
        return await _overview_page(request, links)
    return answered(request, dumped(api.overview()), form.media_type, "overview", links=links)


async def _overview_page(request: Request, links: Sequence[str] = ()) -> Response:
    """The overview for people: in the publication's own page, where there is one in the language that
    the address names, else the client.
    """
    server: _Server = request.app.state.server
    api, content = api_of(request).documents, server.content
    if "/index." in request.url.path:  # as hosts of files have it
        accepted = request.path_params.get("language", content.languages[0])
    else:
        accepted = request.headers.get("accept-language", "")
    language = languages(accepted, content.languages)[0]
    address = content.page(f"{ROOT}index", language)
    parts = ("overview", language, bool(address))
    vary = "Accept, Accept-Language"
    if same := unchanged(request, _HTML.media_type, *parts, vary=vary):
        return same

    def page() -> bytes:
        path = content.file(address) if address else None
        try:
            own = framed(path.read_bytes(), api_content(api, language)) if path else b""
        except OSError:  # a build exchanges dist/ at this moment
            own = b""
        return own or api_page(api, language)

    body = await api_of(request).run(page)
    return answered(request, body, _HTML.media_type, *parts, links=links, vary=vary)


async def _openapi(request: Request) -> Response:
    pairs_of(request, [])
    form = negotiated(
        request,
        (
            _JSON,
            Format("openapi", "application/openapi+json", ("application/vnd.oai.openapi+json",)),
        ),
    )
    body = await api_of(request).run(
        lambda: dumped(openapi(api_of(request).documents), compact=True)
    )
    return answered(request, body, form.media_type, "openapi")


async def _style(request: Request) -> Response:
    return answered(request, STYLE, "text/css; charset=utf-8", "style")


async def _context(request: Request) -> Response:
    pairs_of(request, [])
    form = negotiated(request, (_JSONLD, _JSON))
    given = {"@context": dict(api_of(request).documents.documents.context.given)}
    return answered(request, dumped(given), form.media_type, "context")


async def _list(request: Request) -> Response:
    api, name = api_of(request), request.path_params["name"]
    collection, _, suffix = name.partition(".")
    documents = api.documents
    if collection not in documents.index.by_name or suffix not in ("", "json", "csv", "jsonl"):
        raise _nothing(collection, documents)
    wanted = documents.request(pairs_of(request), collection)
    form = (
        next(item for item in _LISTS if item.name == suffix)
        if suffix
        else negotiated(request, _LISTS)
    )
    parts = (collection, wanted)
    if same := unchanged(request, form.media_type, *parts):
        return same
    if form in (_CSV, _LINES) and wanted.facets:
        raise ParameterError("facet", "values are counted in JSON alone")
    if form in (_CSV, _LINES) and wanted.is_whole:
        return await _streamed(request, api, wanted, form, parts)
    body, pages = await api.run(_list_body, documents, wanted, form)
    links = [
        f'<{address}>; rel="{"prev" if key == "previous" else key}"'
        for key, address in pages.items()
    ]
    if form in (_JSON, _LINES):
        links += _context_link(form)
    return answered(request, body, form.media_type, *parts, links=links)


async def _streamed(
    request: Request, api: Api, wanted: ListRequest, form: Format, parts: Sequence[object]
) -> Response:
    """All that is selected, sent part by part."""
    rows = api.documents.whole_table(wanted, form.name)
    first: bytes = await api.run(next, rows)  # errors are answers still

    async def body() -> AsyncIterator[bytes]:
        part: bytes | None = first if request.method == "GET" else None
        while part is not None:
            yield part
            part = await _next_part(api, rows)

    headers = _lasting(request, form.media_type, parts, "Accept")
    headers["Link"] = ", ".join(_context_link(form))
    return StreamingResponse(
        body(),
        media_type=form.media_type,
        headers={key: value for key, value in headers.items() if value},
    )


async def _next_part(api: Api, rows: Iterator[bytes]) -> bytes | None:
    """The next part, None after the last. What is begun is not refused: it waits for its turn. Raises
    Refused where that takes too long; then the client sees that the answer is cut.
    """
    for _ in range(_TRIES):
        try:
            part: bytes | None = await api.run(next, rows, None)
            return part
        except Refused as refused:
            last = refused
            await asyncio.sleep(float(refused.headers.get("Retry-After", "1")))
    raise last


def _list_body(
    documents: ApiDocuments, wanted: ListRequest, form: Format
) -> tuple[bytes, dict[str, str]]:
    """A page of a list in a format, and the addresses of others."""
    if form in (_CSV, _LINES):
        return documents.table(wanted, form.name)
    document, pages = documents.listing(wanted)
    return dumped(document), pages


def _nothing(name: str, documents: ApiDocuments) -> Refused:
    """An error for an address that is no collection."""
    meant = did_you_mean(name, documents.index.by_name)
    return Refused(404, f"there is nothing at this address; /{ROOT} lists what there is{meant}")


def _context_link(form: Format) -> list[str]:
    """Where the context is of an answer that has none itself (JSON-LD 1.1, 6.1)."""
    relation = "http://www.w3.org/ns/json-ld#context"
    return (
        [f'</{ROOT}context.jsonld>; rel="{relation}"; type="application/ld+json"']
        if form is _LINES
        else []
    )


async def _detail(request: Request) -> Response:
    api, collection = api_of(request), request.path_params["name"]
    if collection not in api.documents.index.by_name:
        raise _nothing(collection, api.documents)
    key = request.path_params["key"]
    if not key:  # a slash too much
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/{ROOT}{collection}{query}", 301)
    pairs_of(request, [])
    form = negotiated(request, (_JSON, _JSONLD))
    if len(key) > LONGEST:
        raise ParameterError("key", f"`key` is longer than {LONGEST} characters")
    return await _document(request, api, key, collection, form)


async def _document(
    request: Request, api: Api, key: str, collection: str, form: Format
) -> Response:
    resource = await api.run(api.documents.resource, key, collection)
    if resource is None:
        raise Refused(404, await api.run(api.documents.missing, key, collection))
    parts = ("detail", resource.iri)
    if same := unchanged(request, form.media_type, *parts):
        return same
    body = await api.run(lambda: dumped(api.documents.documents.detail(resource)))
    links = [f'<{resource.iri}>; rel="describes"']
    return answered(request, body, form.media_type, *parts, links=links)


async def resource_json(request: Request, document: str) -> Response | None:
    """The JSON of the resource at an address, for the server's own route; None where there is none."""
    server: _Server = request.app.state.server
    if server.api is None:
        return None
    api = api_of(request)
    iri = api.documents.index.base + document
    if not await api.run(api.documents.index.find, iri):
        return None
    return await _document(request, api, iri, "resources", _JSON)


async def _suggest(request: Request) -> Response:
    api = api_of(request)
    pairs = pairs_of(request, ["q", "collection", "limit"])
    text, limit = single(pairs, "q"), whole_number(pairs, "limit", 10, 50)
    if not any(name == "q" for name, _ in pairs) or not text:
        raise ParameterError("q", "`q` is needed: what was typed so far")
    wanted = tuple(value for name, value in pairs if name == "collection" and value)
    for name in wanted:
        if name not in api.documents.index.by_name:
            raise ParameterError("collection", f"there is no collection `{name}`")
    form = negotiated(request, (_JSON,))
    parts = ("suggest", text, limit, wanted)
    if same := unchanged(request, form.media_type, *parts):
        return same
    document = await api.run(api.documents.suggestions, text, limit, wanted)
    return answered(request, dumped(document), form.media_type, *parts)


# -- sample queries --------------------------------------------------------------------------------


async def _queries(request: Request) -> Response:
    pairs_of(request, [])
    form = negotiated(request, (_JSON,))
    return answered(
        request, dumped(api_of(request).documents.query_list()), form.media_type, "queries"
    )


async def _sample(request: Request) -> Response:
    server: _Server = request.app.state.server
    name, _, suffix = request.path_params["name"].partition(".")
    query = api_of(request).queries.get(name)
    rows = query is not None and query.form in ("select", "ask")
    offered = (_JSON, _RESULTS, _CSV) if rows else (_JSONLD, _JSON, _TURTLE)
    if query is None or suffix not in (
        "",
        *(item.name for item in offered if item is not _RESULTS),
    ):
        raise Refused(404, f"there is no such query; /{ROOT}queries lists them")
    pairs = pairs_of(request, [*query.params])
    values = {key: single(pairs, key) for key, _ in pairs}
    for key, value in values.items():
        kind = query.params[key].type
        if not valid(kind, value):
            raise ParameterError(key, f"`{key}` is of type {kind}")
    form = (
        next(item for item in offered if item.name == suffix)
        if suffix
        else negotiated(request, offered)
    )
    task = {
        "query": query.bound(values), "default_graph": (), "named_graphs": (),
        "results": ("csv" if form is _CSV else "json") if rows else None,
        "graphs": None if rows else "ttl" if form is _TURTLE else "jsonld",
    }  # fmt: skip
    client = request.client.host if request.client else ""
    _, body = await server.answer(task, client)
    if rows and form is _JSON:
        body = dumped(plain_results(body))
    return answered(request, body, form.media_type, name, *sorted(values.items()))


# -- where it is listed ----------------------------------------------------------------------------


async def _catalog(request: Request) -> Response:
    """The API catalog (RFC 9727) as a link set (RFC 9264); addresses are relative to the host."""
    linkset = [
        {
            "anchor": "/.well-known/api-catalog",
            "item": [{"href": f"/{ROOT}"}, {"href": "/reconcile"}, {"href": "/sparql"}],
        },
        {
            "anchor": f"/{ROOT}",
            "service-desc": [{"href": f"/{ROOT}openapi.json", "type": "application/json"}],
            "service-doc": [{"href": f"/{ROOT}", "type": "text/html"}],
            "service-meta": [{"href": "/catalog.jsonld", "type": "application/ld+json"}],
        },
        {
            "anchor": "/sparql",
            "service-desc": [{"href": "/sparql", "type": "text/turtle"}],
            "service-doc": [{"href": "/sparql.html", "type": "text/html"}],
        },
    ]
    body = json.dumps({"linkset": linkset}, indent=1).encode()
    profile = 'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"'
    links = ['</.well-known/api-catalog>; rel="api-catalog"']
    return answered(request, body, profile, "catalog", links=links)


async def _root(request: Request) -> Response:
    return RedirectResponse(f"/{ROOT}", 301)


class _AnyText(PathConvertor):
    """The rest of a path, line breaks included."""

    regex = "(?s:.*)"


class _Language(PathConvertor):
    """A language tag."""

    regex = "[a-z]{2,3}"


def api_routes() -> list[Route]:
    """The routes of the API; they come before the server's own for resources."""
    register_url_convertor("any_text", _AnyText())
    register_url_convertor("language", _Language())
    table: Sequence[tuple[str, Handler]] = (
        ("/.well-known/api-catalog", _catalog),
        (f"/{ROOT[:-1]}", _root),
        *((f"/{ROOT}{file}", _overview) for file in ("", "index.html", "index.json")),
        (f"/{ROOT}index.{{language:language}}.html", _overview_page),
        (f"/{ROOT}openapi.json", _openapi),
        (f"/{ROOT}api.css", _style),
        (f"/{ROOT}context.jsonld", _context),
        (f"/{ROOT}suggest", _suggest),
        (f"/{ROOT}queries", _queries),
        (f"/{ROOT}queries/{{name}}", _sample),
        (f"/{ROOT}{{name}}", _list),
        (f"/{ROOT}{{name}}/{{key:any_text}}", _detail),
    )
    return [Route(path, handled(handler)) for path, handler in table]
