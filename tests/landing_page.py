"""A start page as a stranger meets it who has its address and nothing else, and the metrics of a FAIR
assessor (F-UJI 0.5, FAIRsFAIR) as questions to it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any, NamedTuple

import pyoxigraph as ox

IDENTIFIER = "https://w3id.org/rogl/dataset"


class Answered(NamedTuple):
    """What came back at the end of all redirects; names of headers are in small letters."""

    status: int
    media_type: str
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class Landing:
    """What the start page says to machines, and how further addresses are asked: with a media type."""

    address: str
    headers: dict[str, str]
    links: list[dict[str, str]]
    markup: dict[str, Any]
    get: Callable[..., Answered]

    def of(self, relation: str) -> list[dict[str, str]]:
        """The links of a relation."""
        return [link for link in self.links if link.get("rel") == relation]

    def href(self, relation: str) -> list[str]:
        """Where the links of a relation lead."""
        return [link["href"] for link in self.of(relation)]


class Page(HTMLParser):
    """The links and the JSON-LD of a page, what its `meta` say, and all addresses in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[dict[str, str]] = []
        self.scripts: list[str] = []
        self.meta: dict[str, str] = {}
        self.addresses: list[str] = []
        self._in_markup = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        if tag == "link":
            self.links.append(values)
        elif tag == "meta":
            self.meta[values.get("property") or values.get("name", "")] = values.get("content", "")
        self.addresses += [values[key] for key in ("href", "src") if key in values]
        self._in_markup = tag == "script" and values.get("type") == "application/ld+json"

    def handle_data(self, data: str) -> None:
        if self._in_markup:
            self.scripts.append(data)
            self._in_markup = False


def read_landing(address: str, get: Callable[..., Answered]) -> Landing:
    """Asks for the start page."""
    answer = get(address)
    page = Page(answer.body.decode("utf-8"))
    (markup,) = page.scripts
    return Landing(address, answer.headers, page.links, json.loads(markup), get)


def has_identifier(landing: Landing) -> bool:
    """A persistent identifier, stated in the page, its headers and its metadata."""
    return (
        landing.href("cite-as") == [IDENTIFIER]
        and f'<{IDENTIFIER}>; rel="cite-as"' in landing.headers["link"]
        and landing.markup["identifier"] == IDENTIFIER
    )


def has_core_metadata(landing: Landing) -> bool:
    wanted = "creator name identifier publisher datePublished description keywords"
    return all(landing.markup.get(name) for name in wanted.split())


def names_its_content(landing: Landing) -> bool:
    """Each file by its address, type and size, in the markup and by typed links."""
    items = {link["href"]: link["type"] for link in landing.of("item")}
    downloads = {file["contentUrl"]: file for file in landing.markup["distribution"]}
    return (
        items.keys() == downloads.keys()
        and len(items) == 17
        and all(file["contentSize"] and file["encodingFormat"] for file in downloads.values())
    )


def is_offered_to_machines(landing: Landing) -> bool:
    """Metadata in the page, by typed links and by negotiation at the very address."""
    described = {link["type"]: link["href"] for link in landing.of("describedby")}
    return all(
        landing.get(landing.address, media_type)[:2]
        == (200, media_type)
        == landing.get(address)[:2]
        for media_type, address in described.items()
    )


def states_access(landing: Landing) -> bool:
    return landing.markup["isAccessibleForFree"] is True and bool(
        landing.markup["conditionsOfAccess"]
    )


def is_retrieved(landing: Landing) -> bool:
    """By HTTP: the metadata and a file, of the size and checksum that is stated."""
    file = landing.markup["distribution"][0]
    status, media_type, body, _ = landing.get(file["contentUrl"])
    return (status, media_type, f"{len(body)} B", hashlib.sha256(body).hexdigest()) == (
        200, file["encodingFormat"], file["contentSize"], file["sha256"],
    )  # fmt: skip


def is_a_graph(landing: Landing) -> bool:
    """Metadata as RDF by negotiation, with more than one vocabulary."""
    body = landing.get(landing.address, "text/turtle").body
    predicates = {quad.predicate.value for quad in ox.parse(body, format=ox.RdfFormat.TURTLE)}
    namespaces = {predicate.rpartition("/")[0].partition("#")[0] for predicate in predicates}
    return len(namespaces) >= 5


def links_to_others(landing: Landing) -> bool:
    """Qualified references: what the data were made of, and catalogue, publisher and licence."""
    return bool(landing.markup["isBasedOn"]) and bool(landing.markup["includedInDataCatalog"])


def states_content(landing: Landing) -> bool:
    return landing.markup["@type"] == "Dataset" and "https://schema.org/Dataset" in landing.href(
        "type"
    )


def states_licence(landing: Landing) -> bool:
    licence = "https://creativecommons.org/licenses/by/4.0/"
    return landing.markup["license"] == licence and landing.href("license") == [licence]


def states_provenance(landing: Landing) -> bool:
    wanted = "creator datePublished dateModified version measurementTechnique isBasedOn"
    return all(landing.markup.get(name) for name in wanted.split())


def follows_a_community_standard(landing: Landing) -> bool:
    """DCAT-AP, which portals of the public sector harvest."""
    body = landing.get(f"{landing.address}catalog.rdf").body
    return b"http://www.w3.org/ns/dcat#" in body


def has_an_open_format(landing: Landing) -> bool:
    types = [item for file in landing.markup["distribution"] for item in [file["encodingFormat"]]]
    return "text/csv" in types and "text/turtle" in types


METRICS: dict[str, Callable[[Landing], bool]] = {
    "F1 identifier": has_identifier,
    "F2 core metadata": has_core_metadata,
    "F3 identifier of the content": names_its_content,
    "F4 offered to machines": is_offered_to_machines,
    "A1 access stated": states_access,
    "A1 retrieved by a standard protocol": is_retrieved,
    "I1 formal language": is_a_graph,
    "I3 links to related entities": links_to_others,
    "R1 content stated": states_content,
    "R1.1 licence": states_licence,
    "R1.2 provenance": states_provenance,
    "R1.3 community standard": follows_a_community_standard,
    "R1.3 open format": has_an_open_format,
}
