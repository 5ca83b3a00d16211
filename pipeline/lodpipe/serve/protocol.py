"""Requests of the SPARQL 1.1 Protocol, query operation: read, and refused where they are none
(sections 2.1 and 2.2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

FORM, DIRECT, UPDATE = (
    "application/x-www-form-urlencoded",
    "application/sparql-query",
    "application/sparql-update",
)

_MOST_PARAMETERS = 1000


class Refused(Exception):
    """A request that gets no answer: the status, and what is wrong in one sentence."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})


@dataclass(frozen=True)
class Question:
    """A query with the dataset that the request names: graphs that make the default graph, and
    named ones; empty for all.
    """

    query: str
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()


def question_of(method: str, content_type: str, address: str, body: bytes) -> Question | None:
    """The question of a request; None where it has no query and is no POST, which asks for the
    service description.

    Raises Refused: 400 for a wrong number of queries or bytes that are no UTF-8, 415 for another
    media type, 403 for updates.
    """
    parameters = pairs_of_form(address.encode("ascii", "replace"))
    media_type, _, rest = content_type.partition(";")
    media_type = media_type.strip().lower()
    if method == "POST":
        _only_utf8(rest)
        if media_type == FORM:
            parameters += pairs_of_form(body)
        elif media_type == DIRECT:
            parameters = [pair for pair in parameters if pair[0] != "query"] + [
                ("query", _text(body))
            ]
        elif media_type == UPDATE:
            raise Refused(403, "this endpoint is read only: it takes no updates")
        else:
            raise Refused(415, f"send the query as {FORM} or {DIRECT}")
    return _question(parameters, method)


def refuse_coded(content_encoding: str) -> None:
    """Raises Refused (415) for a body in a coding: it is nowhere unpacked, so none can grow there
    (RFC 9110, 15.5.16).
    """
    if content_encoding.strip().lower() not in ("", "identity"):
        raise Refused(
            415,
            f"the body is encoded ({content_encoding[:40]}); send it as it is",
            {"Accept-Encoding": "identity"},
        )


def _question(parameters: list[tuple[str, str]], method: str) -> Question | None:
    queries = [value for name, value in parameters if name == "query"]
    if any(name == "update" for name, _ in parameters):
        raise Refused(
            403 if method == "POST" else 400, "this endpoint is read only: it takes no updates"
        )
    if not queries and method != "POST":
        if parameters:
            raise Refused(400, "the parameter `query` is missing")
        return None
    if len(queries) != 1:
        raise Refused(400, f"one parameter `query` is expected, not {len(queries)}")
    graphs = {
        name: tuple(value for key, value in parameters if key == name)
        for name in ("default-graph-uri", "named-graph-uri")
    }
    return Question(queries[0], graphs["default-graph-uri"], graphs["named-graph-uri"])


def pairs_of_form(data: bytes) -> list[tuple[str, str]]:
    """The parameters of a form. Raises Refused (400)."""
    if data.count(b"&") >= _MOST_PARAMETERS:
        raise Refused(400, f"more than {_MOST_PARAMETERS:,} parameters")
    try:
        return parse_qsl(
            data.decode("ascii"), keep_blank_values=True, encoding="utf-8", errors="strict"
        )
    except (UnicodeDecodeError, ValueError):
        raise Refused(400, "the parameters are not percent-encoded UTF-8") from None


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(400, "the query is not UTF-8") from None


def _only_utf8(parameters: str) -> None:
    match = re.search(r"charset\s*=\s*\"?([\w-]+)", parameters, re.IGNORECASE)
    if match and match[1].lower() not in ("utf-8", "utf8"):
        raise Refused(415, "queries are UTF-8")
