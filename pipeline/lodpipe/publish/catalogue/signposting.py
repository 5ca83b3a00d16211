"""Where the landing page leads machines: typed links (FAIR Signposting, levels 1 and 2) and a link set
(RFC 9264).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from lodpipe.config.publication_keys import Publication
from lodpipe.publish.catalogue.croissant import CROISSANT, CROISSANT_PROFILE
from lodpipe.publish.catalogue.offers import Offer
from lodpipe.rdf.file_formats import BY_SUFFIX
from lodpipe.rdf.uris import as_uri

LINKSET = "dataset.linkset"
LINKSET_TYPE = "application/linkset+json"
_DESCRIPTIONS = ("ttl", "jsonld", "rdf", "nt")  # the forms of the catalogue


class TypedLink(Struct, frozen=True):
    """A link with its relation, and the media type and profile of what it leads to where these are
    known.
    """

    relation: str
    address: str
    media_type: str = ""
    profile: str = ""

    @property
    def header(self) -> str:
        """The value of a Link header (RFC 8288)."""
        media_type = f'; type="{self.media_type}"' if self.media_type else ""
        profile = f'; profile="{self.profile}"' if self.profile else ""
        return f'<{as_uri(self.address)}>; rel="{self.relation}"{media_type}{profile}'


def landing_links(publication: Publication, offers: Sequence[Offer]) -> list[TypedLink]:
    """All links of the landing page: its identifier, kinds, licence, author, descriptions, files and
    link set.
    """
    downloads = publication.downloads
    author = publication.publisher.url
    return [
        TypedLink("cite-as", f"{publication.base}dataset"),
        TypedLink("type", "https://schema.org/Dataset"),
        TypedLink("type", "https://schema.org/AboutPage"),
        TypedLink("license", publication.licence),
        *([TypedLink("author", author)] if author else []),
        *(
            TypedLink("describedby", f"{downloads}catalog.{suffix}", BY_SUFFIX[suffix].media_type)
            for suffix in _DESCRIPTIONS
        ),
        TypedLink(
            "describedby", downloads + CROISSANT, BY_SUFFIX["jsonld"].media_type, CROISSANT_PROFILE
        ),
        *(
            TypedLink(
                "item",
                downloads + offer.path,
                "application/gzip" if offer.compressed else offer.format.media_type,
            )
            for offer in offers
        ),
        TypedLink("linkset", downloads + LINKSET, LINKSET_TYPE),
    ]


def header_links(links: Sequence[TypedLink]) -> list[TypedLink]:
    """Those that headers carry; the link set has the others."""
    return [link for link in links if link.relation != "item"]


def write_linkset(publication: Publication, links: Sequence[TypedLink], folder: Path) -> None:
    """dataset.linkset: the links of the landing page, and those of each file back to it."""
    context: dict[str, Any] = {"anchor": publication.landing_page}
    for link in links:
        context.setdefault(link.relation, []).append(_target(link))
    back = [TypedLink("collection", publication.landing_page, "text/html")]
    files = [
        {"anchor": link.address, "collection": [_target(item) for item in back]}
        for link in links
        if link.relation == "item"
    ]
    text = json.dumps({"linkset": [context, *files]}, ensure_ascii=False, indent=1)
    (folder / LINKSET).write_text(f"{text}\n", "utf-8")


def read_links(folder: Path) -> list[TypedLink]:
    """The links of the landing page as a folder of files has them; none where it has no link set."""
    path = folder / LINKSET
    if not path.is_file():
        return []
    context, *_ = json.loads(path.read_text("utf-8"))["linkset"]
    return [
        TypedLink(relation, target["href"], target.get("type", ""), *target.get("profile", ()))
        for relation, targets in context.items()
        if relation != "anchor"
        for target in targets
    ]


def _target(link: TypedLink) -> dict[str, Any]:
    """A target of RFC 9264, where attributes of other specifications are lists (4.2.4.3)."""
    target: dict[str, Any] = {"href": link.address}
    if link.media_type:
        target["type"] = link.media_type
    return target | ({"profile": [link.profile]} if link.profile else {})
