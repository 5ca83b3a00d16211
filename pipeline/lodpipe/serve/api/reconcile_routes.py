"""The addresses of the reconciliation service. Version 0.2 of the protocol is answered at its root by
`queries` and `extend`, the draft of 1.0 by JSON at `/match` and `/extend`; suggestions and previews
are the same. The manifest has one form for each: the draft's at `/reconcile/v1`, or by `Accept`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lodpipe.publish.api.list_parameters import (
    ParameterError,
    check_text,
    single,
    whole_number,
)
from lodpipe.publish.api.node_documents import dumped
from lodpipe.publish.api.reconciliation import Question, Reconciliation
from lodpipe.publish.api.reconciliation_page import (
    POLICY,
    described,
    preview_body,
    preview_page,
)
from lodpipe.publish.api.reconciliation_protocol import (
    extended,
    manifest,
    read_batch,
    read_extension,
    read_queries,
    written_candidates,
    written_entities,
    written_properties,
    written_types,
)
from lodpipe.serve.api.routes import Handler, answered, api_of, handled, negotiated, pairs_of
from lodpipe.serve.negotiation import Format, languages
from lodpipe.serve.protocol import FORM, Refused, pairs_of_form, refuse_coded
from lodpipe.serve.request_body import read_body

ROOT = "/reconcile"
DRAFT = f"{ROOT}/v1"
_JSON = Format("0.2", "application/json")
_V1 = Format("1.0-draft", "application/reconciliation.v1+json")
_VARY = "Accept, Accept-Language"
_MOST_SUGGESTED, _MOST_SKIPPED = 50, 500


def _service(request: Request) -> Reconciliation:
    return api_of(request).reconciliation


def _languages(request: Request) -> list[str]:
    """The languages of the publication that a client wants, best first."""
    known = _service(request).index.languages
    return languages(request.headers.get("accept-language", ""), known)


def _root(request: Request) -> str:
    """The address of the service, as the client sees it."""
    path = DRAFT if request.url.path.startswith(DRAFT) else ROOT
    return str(request.url.replace(path=path, query="", fragment=""))


def _json(request: Request, document: object, *parts: object) -> Response:
    return answered(
        request, dumped(document), _JSON.media_type, *parts, _languages(request), vary=_VARY
    )


def _posted(document: object, media_type: str = _JSON.media_type) -> Response:
    headers = {"Cache-Control": "no-store", "Vary": _VARY}
    return Response(dumped(document, compact=True), media_type=media_type, headers=headers)


async def _body(request: Request) -> bytes:
    refuse_coded(request.headers.get("content-encoding", ""))
    return await read_body(request, request.app.state.server.settings)


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


# -- the root: manifest, queries and extension of 0.2 ----------------------------------------------


async def _endpoint(request: Request) -> Response:
    api_of(request)
    if request.method == "POST":
        if _media_type(request) != FORM:
            raise Refused(415, f"send `queries` or `extend` as {FORM}; JSON goes to {ROOT}/match")
        pairs = pairs_of_form(await _body(request))
    else:
        pairs = pairs_of(request, longest=16_000)
    given = {name for name, _ in pairs}
    if {"queries", "extend"} <= given:
        raise ParameterError("extend", "`queries` and `extend` cannot be in one request")
    if "queries" in given:
        return await _matched(request, single(pairs, "queries").encode())
    if "extend" in given:
        return await _extended(request, single(pairs, "extend").encode(), draft=False)
    if "query" in given:
        raise ParameterError("query", "single queries are of version 0.1; send `queries`")
    if request.method == "POST":
        raise ParameterError("queries", "`queries` or `extend` is needed")
    form = negotiated(request, (_JSON, _V1))
    return _manifest(request, draft=form is _V1)


async def _draft_endpoint(request: Request) -> Response:
    api_of(request)
    return _manifest(request, draft=True)


def _manifest(request: Request, *, draft: bool) -> Response:
    form = _V1 if draft and request.url.path.rstrip("/") == ROOT else _JSON
    root = _root(request)
    document = manifest(_service(request), root, _languages(request), draft=draft)
    parts = ("manifest", root, draft, _languages(request))
    return answered(request, dumped(document), form.media_type, *parts, vary=_VARY)


async def _matched(request: Request, body: bytes) -> Response:
    questions = await api_of(request).run(read_queries, body, _service(request))
    results = await _results(request, [*questions.values()])
    rows = zip(questions, results, strict=True)
    return _posted({key: {"result": candidates} for key, candidates in rows})


async def _results(request: Request, questions: Sequence[Question]) -> list[Any]:
    """The candidates of each question. One question of a batch is asked at a time, so that batches
    leave places to others.
    """
    service, wanted = _service(request), _languages(request)
    return [
        await api_of(request).run(
            lambda question=question: written_candidates(
                service.candidates(question), service, wanted
            )
        )
        for question in questions
    ]


async def _extended(request: Request, body: bytes, *, draft: bool) -> Response:
    service, wanted = _service(request), read_extension(body)
    document = await api_of(request).run(
        lambda: extended(wanted, service, _languages(request), draft=draft)
    )
    return _posted(document)


# -- the draft -------------------------------------------------------------------------------------


async def _match(request: Request) -> Response:
    api_of(request)
    body = await _json_body(request)
    questions = await api_of(request).run(read_batch, body, _service(request))
    results = await _results(request, questions)
    return _posted({"results": [{"candidates": candidates} for candidates in results]})


async def _extend(request: Request) -> Response:
    api_of(request)
    return await _extended(request, await _json_body(request), draft=True)


async def _json_body(request: Request) -> bytes:
    if request.method != "POST":
        raise Refused(405, "send JSON by POST", {"Allow": "POST, OPTIONS"})
    if _media_type(request) not in (_JSON.media_type, _V1.media_type):
        raise Refused(415, f"send JSON as {_JSON.media_type}")
    return await _body(request)


# -- suggestions and previews ----------------------------------------------------------------------


async def _suggest(request: Request) -> Response:
    api, service, wanted = api_of(request), _service(request), _languages(request)
    pairs = pairs_of(request)
    prefix = single(pairs, "prefix")
    many, skipped = _part(pairs)
    kind = request.path_params["kind"]
    if kind == "entity":
        types = [service.type_iri(value) for name, value in pairs if name == "type" and value]
        hits = await api.run(service.suggested_entities, prefix, types, skipped + many)
        rows = written_entities(hits[skipped : skipped + many], service, wanted)
    elif kind == "type":
        rows = written_types(await api.run(service.suggested_types, prefix, wanted))
        rows = rows[skipped : skipped + many]
    elif kind == "property":
        fields = await api.run(service.suggested_properties, prefix, wanted)
        rows = written_properties(fields[skipped : skipped + many], service, wanted)
    else:
        raise Refused(404, "suggestions are of entity, type and property")
    return _json(request, {"result": rows}, "suggest", kind, pairs)


def _part(pairs: Sequence[tuple[str, str]]) -> tuple[int, int]:
    """How many, and how many to skip: `offset` of the draft, `cursor` of 0.2."""
    many = whole_number(pairs, "limit", 10, _MOST_SUGGESTED)
    skipped = single(pairs, "offset") or single(pairs, "cursor") or "0"
    if not (skipped.isascii() and skipped.isdigit() and int(skipped[:9]) <= _MOST_SKIPPED):
        raise ParameterError("offset", f"`offset` is a whole number from 0 to {_MOST_SKIPPED}")
    return many, int(skipped)


async def _propose(request: Request) -> Response:
    service = _service(request)
    pairs = pairs_of(request)
    given, limit = single(pairs, "type"), whole_number(pairs, "limit", 100, 1000)
    fields = (
        await api_of(request).run(service.properties_of, service.type_iri(given))
        if given
        else [*service.properties.values()]
    )
    rows = written_properties(fields[:limit], service, _languages(request))
    document = {"properties": rows, "limit": limit, **({"type": given} if given else {})}
    return _json(request, document, "propose", given, limit)


async def _preview(request: Request) -> Response:
    service, wanted = _service(request), _languages(request)
    given = single(pairs_of(request), "id")
    resource = await api_of(request).run(service.index.find, given)
    if resource is None:
        raise Refused(404, "there is no such resource")
    page = await api_of(request).run(preview_page, service, resource, wanted)
    answer = answered(
        request, page, "text/html; charset=utf-8", "preview", given, wanted, vary=_VARY
    )
    answer.headers["Content-Security-Policy"] = POLICY
    return answer


async def _flyout(request: Request) -> Response:
    service, wanted = _service(request), _languages(request)
    given, kind = single(pairs_of(request), "id"), request.path_params["kind"]
    check_text("id", given)
    if kind == "entity":
        resource = await api_of(request).run(service.index.find, given)
        if resource is None:
            raise Refused(404, "there is no such resource")
        html = await api_of(request).run(preview_body, service, resource, wanted)
    elif kind == "type":
        facts = service.type_facts(service.type_iri(given), wanted)
        html = described(facts.name, facts.id, facts.iri)
    elif kind == "property":
        item = service.property_of(given)
        html = described(service.property_name(item, wanted), item.term, item.iri)
    else:
        raise Refused(404, "there are flyouts of entity, type and property")
    return _json(request, {"id": given, "html": html}, "flyout", kind, given)


def reconcile_routes() -> list[Route]:
    """The routes; they come before the server's own for resources."""
    table: Sequence[tuple[str, Handler, Sequence[str]]] = (
        ("/match", _match, ("GET", "POST")),
        ("/suggest/{kind}", _suggest, ("GET",)),
        ("/flyout/{kind}", _flyout, ("GET",)),
        ("/preview", _preview, ("GET",)),
        ("/extend", _extend, ("GET", "POST")),
        ("/extend/propose", _propose, ("GET",)),
    )
    roots = [
        Route(root + slash, handled(handler), methods=methods)
        for root, handler, methods in (
            (DRAFT, _draft_endpoint, ("GET",)),
            (ROOT, _endpoint, ("GET", "POST")),
        )
        for slash in ("", "/")
    ]
    return roots + [
        Route(root + path, handled(handler), methods=[*methods])
        for root in (DRAFT, ROOT)
        for path, handler, methods in table
    ]
