"""The dataset in the terms of schema.org, as search engines for datasets and FAIR assessors read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lodpipe.config.publication_keys import Publication
from lodpipe.publish.catalogue import codes
from lodpipe.publish.catalogue.dcat import Computed, day_range
from lodpipe.publish.catalogue.offers import Offer


def dataset_markup(
    publication: Publication, offers: Sequence[Offer], computed: Computed
) -> dict[str, Any]:
    """A schema:Dataset, without its context; texts carry their languages."""
    own = publication.catalogue
    agent = _agent(publication)
    dataset: dict[str, Any] = {
        "@id": f"{publication.base}dataset",
        "@type": "Dataset",
        "name": _texts(publication.title),
        "description": _texts(publication.description),
        "url": publication.landing_page,
        "identifier": f"{publication.base}dataset",
        "sameAs": f"{publication.base}dataset",
        "version": publication.version,
        "datePublished": publication.issued,
        "dateModified": publication.date,
        "license": codes.licence_of(publication.licence).address,
        "creditText": publication.attribution.strip(),
        "citation": citation(publication),
        "isAccessibleForFree": True,
        "conditionsOfAccess": "public",
        "inLanguage": list(publication.languages),
        "creator": agent,
        "publisher": agent,
        "includedInDataCatalog": {
            "@type": "DataCatalog",
            "@id": f"{publication.base}catalog",
            "name": _texts(publication.title),
            "url": publication.landing_page,
        },
        "distribution": [_download(publication, offer) for offer in offers],
    }
    if own.keywords:
        dataset["keywords"] = [
            {"@value": word, "@language": language}
            for language, words in own.keywords.items()
            for word in words
        ]
    if own.provenance:
        dataset["measurementTechnique"] = _texts(own.provenance)
    if own.temporal:
        dataset["temporalCoverage"] = "/".join(day_range(own.temporal))
    if own.spatial:
        dataset["spatialCoverage"] = _place(own.spatial.country, computed)
    if computed.derived_from:
        dataset["isBasedOn"] = list(computed.derived_from)
    return dataset


def in_language(value: Any, language: str) -> Any:
    """The markup with the texts of one language, as search engines want them: they read no language
    tags. A text without this language stays in its first.

    >>> in_language({"name": [{"@value": "Haus", "@language": "de"}, {"@value": "house", "@language": "en"}]}, "en")
    {'name': 'house'}
    """
    if isinstance(value, dict):
        return {key: _chosen(key, item, language) for key, item in value.items()}
    return [in_language(item, language) for item in value] if isinstance(value, list) else value


def _chosen(key: str, value: Any, language: str) -> Any:
    tagged = (
        isinstance(value, list)
        and value
        and all(isinstance(item, dict) and "@language" in item for item in value)
    )
    if not tagged:
        return in_language(value, language)
    texts = [item["@value"] for item in value if item["@language"] == language] or [
        item["@value"] for item in value if item["@language"] == value[0]["@language"]
    ]
    return texts if key == "keywords" else texts[0]


def citation(publication: Publication) -> str:
    """How the dataset is cited: who, title, version, year, identifier (DataCite)."""
    language = publication.languages[0]
    title = publication.title.get(language) or next(iter(publication.title.values()))
    body = publication.name_of(publication.publisher)
    return f"{body} ({publication.date[:4]}): {title}. {publication.version}. {publication.base}dataset"


def _texts(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"@value": value, "@language": language} for language, value in values.items()]


def _agent(publication: Publication) -> dict[str, Any]:
    """Who publishes, with the address for questions."""
    body, contact = publication.publisher, publication.contact
    agent: dict[str, Any] = {"@type": "Organization", "name": _texts(publication.names_of(body))}
    if body.url:
        agent["url"] = body.url
    point = {"email": contact.email, "url": contact.url}
    if any(point.values()):
        agent["contactPoint"] = {
            "@type": "ContactPoint",
            "contactType": "customer service",
            "name": _texts(publication.names_of(contact)),
        } | {key: value for key, value in point.items() if value}
    return agent


def _download(publication: Publication, offer: Offer) -> dict[str, Any]:
    return {
        "@type": "DataDownload",
        "@id": f"{publication.base}distribution/{offer.key}",
        "name": _texts(offer.title),
        "description": _texts(offer.description),
        "contentUrl": publication.downloads + offer.path,
        "encodingFormat": [offer.format.media_type, "application/gzip"]
        if offer.compressed
        else offer.format.media_type,
        "contentSize": f"{offer.size} B",
        "sha256": offer.sha256,
    }


def _place(country: str, computed: Computed) -> dict[str, Any]:
    """The country, or the box of the points in it; schema.org wants south, west, north, east."""
    place: dict[str, Any] = {
        "@type": "Place",
        "name": _texts(codes.codes()["country"].get(country, {"en": country})),
    }
    if points := computed.points:
        (south, north), (west, east) = (
            (min(point[axis] for point in points), max(point[axis] for point in points))
            for axis in (0, 1)
        )
        place["geo"] = {"@type": "GeoShape", "box": f"{south} {west} {north} {east}"}
    return place
