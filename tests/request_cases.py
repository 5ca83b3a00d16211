"""Cases of requests to a server, as `tests/api/requests.yaml` and `tests/reconcile/requests.yaml` have
them: what is sent (`get`, or `post` with `form` or `json`; `accept`, `headers`), and what comes back: the
`status` (200 without it), the media `type`, parts of headers (`location`, `headers_back`), values `at` places
of the JSON (`items.0.id`), or `text` of the body.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from serving import FORM, Answer, Served

Case = dict[str, Any]
_SAFE = "=&:/,+-_.~%"


def get(server: Served, address: str, accept: str | None = None, **more: Any) -> Answer:
    """A GET of an address that is written as people read it."""
    path, _, query = address.partition("?")
    return server.request(path + (f"?{quote(query, safe=_SAFE)}" if query else ""), accept, **more)


def sent(server: Served, case: Case) -> Answer:
    """The answer to the request of a case."""
    headers = dict(case.get("headers", {}))
    if "get" in case:
        return get(server, case["get"], case.get("accept"), headers=headers)
    if "form" in case:
        body, more = urlencode(case["form"]).encode(), FORM
    else:
        body, more = json.dumps(case["json"]).encode(), {"Content-Type": "application/json"}
    return server.request(case["post"], method="POST", headers={**headers, **more}, body=body)


def at(document: Any, place: str) -> Any:
    """The value at a place such as `items.0.id`; a part is an index in a list, else a key."""
    for part in place.split("."):
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


def wrong_answers(server: Served, cases: Sequence[Case]) -> list[tuple[Case, object]]:
    """The cases whose answers are others, with what came instead."""
    print(f"{len(cases)} requests")
    return [(case, fault) for case in cases for fault in _faults(case, sent(server, case))]


def _faults(case: Case, answer: Answer) -> Iterator[object]:
    text = answer.body.decode()
    if answer.status != case.get("status", 200):
        yield answer.status, text[:300]
    if answer.media_type != case.get("type", answer.media_type):
        yield answer.media_type
    expected = {"access-control-allow-origin": "*", **case.get("headers_back", {})}
    for name, value in {**expected, "location": case.get("location", "")}.items():
        if value not in answer.headers.get(name, ""):
            yield name, answer.headers
    for place, value in case.get("at", {}).items():
        try:
            if at(json.loads(text), place) != value:
                yield place, at(json.loads(text), place)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            yield repr(error), text[:300]
    yield from (part for part in case.get("text", ()) if part not in text)
