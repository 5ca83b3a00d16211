"""What the tools for agents reply: shapes of their structured content, and failures with a remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, NotRequired

from typing_extensions import TypedDict  # pydantic makes no schema of typing's in Python 3.11


class ToolFailure(Exception):
    """A call without a result; the message says why, and what to do instead."""


class Reply(NamedTuple):
    """A result: one sentence for people, and the data."""

    text: str
    data: Mapping[str, Any]


class HitFacts(TypedDict):
    """A resource that a search found; `score` is 0 to 100, `name` the name that fits best."""

    id: str
    label: str
    name: str
    collection: str
    type: str
    score: float


class SearchReply(TypedDict):
    """Resources, best first."""

    query: str
    items: list[HitFacts]


class DocumentFacts(TypedDict):
    """A document that statements rest on; `properties` are keys of the statements that it states."""

    id: str
    title: NotRequired[str]
    publisher: NotRequired[str]
    published: NotRequired[str]
    address: NotRequired[str]
    properties: NotRequired[list[str]]


class DescribeReply(TypedDict):
    """A resource: `values` is its JSON-LD node without the context, `referenced_by` has resources by
    the key with which they refer to it.
    """

    id: str
    label: str
    collection: str
    values: dict[str, Any]
    referenced_by: dict[str, list[dict[str, str]]]
    documents: list[DocumentFacts]


class QuoteFacts(TypedDict):
    """Words of a document that a statement rests on."""

    text: str
    document: str


class StatementFacts(TypedDict):
    """A statement with the IRIs of the documents that state it."""

    property: str
    key: str
    value: str
    label: NotRequired[str]
    language: NotRequired[str]
    documents: list[str]
    quotes: NotRequired[list[QuoteFacts]]


class EvidenceReply(TypedDict):
    """The statements of a resource that were asked for; `total` counts those left out, too."""

    id: str
    label: str
    total: int
    statements: list[StatementFacts]
    documents: list[DocumentFacts]


class SampleQueriesReply(TypedDict):
    """The sample queries, each with title, description and parameters by language."""

    items: list[dict[str, Any]]


class QueryReply(TypedDict):
    """Rows of a SELECT (`total` counts those left out, too), the truth of an ASK, or triples as
    Turtle; `labels` names resources in the rows.
    """

    query: str
    columns: NotRequired[list[str]]
    total: NotRequired[int]
    items: NotRequired[list[dict[str, Any]]]
    labels: NotRequired[dict[str, str]]
    boolean: NotRequired[bool]
    turtle: NotRequired[str]
