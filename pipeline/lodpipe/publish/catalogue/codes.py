"""Code lists that portals know: the concepts that a catalogue may refer to, with labels, and the
open licences.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import Finding
from lodpipe.diagnostics.suggestions import nearest

_EU = "http://publications.europa.eu/resource/authority/"
_ADMS = "http://purl.org/adms/"
_MANY = 50  # codes, more than a message can list


class Scheme(NamedTuple):
    """A code list: its IRI, where its concepts begin, its title, and the class that DCAT-AP wants
    them to have besides skos:Concept.
    """

    iri: str
    concepts: str
    title: str
    also: str | None


def _eu(name: str, title: str, also: str | None = None) -> Scheme:
    return Scheme(_EU + name, f"{_EU}{name}/", title, also)


SCHEMES: dict[str, Scheme] = {
    "access-right": _eu("access-right", "Access right", "dct:RightsStatement"),
    "country": _eu("country", "Country", "dct:Location"),
    "data-theme": _eu("data-theme", "Data theme"),
    "distribution-status": _eu("distribution-status", "Distribution status"),
    "file-type": _eu("file-type", "File type", "dct:MediaTypeOrExtent"),
    "frequency": _eu("frequency", "Frequency", "dct:Frequency"),
    "language": _eu("language", "Language", "dct:LinguisticSystem"),
    "planned-availability": _eu("planned-availability", "Planned availability"),
    "licence-type": Scheme(_ADMS + "licencetype/1.0", _ADMS + "licencetype/", "Licence type", None),
    "publisher-type": Scheme(
        _ADMS + "publishertype/1.0", _ADMS + "publishertype/", "Publisher type", None
    ),
    "political-level": Scheme(
        "http://dcat-ap.de/def/politicalGeocoding/Level",
        "http://dcat-ap.de/def/politicalGeocoding/Level/",
        "Level of political geocoding",
        None,
    ),
    "role": Scheme(
        "http://inspire.ec.europa.eu/metadata-codelist/ResponsiblePartyRole",
        "http://inspire.ec.europa.eu/metadata-codelist/ResponsiblePartyRole/",
        "Responsible party role",
        "dcat:Role",
    ),
}
LANGUAGES = {
    "bg": "BUL", "cs": "CES", "da": "DAN", "de": "DEU", "el": "ELL", "en": "ENG", "et": "EST", "fi": "FIN", "fr": "FRA", "ga": "GLE", "hr": "HRV",
    "hu": "HUN", "it": "ITA", "lv": "LAV", "lt": "LIT", "mt": "MLT", "nl": "NLD", "no": "NOR", "pl": "POL", "pt": "POR", "ro": "RON", "sk": "SLK",
    "sl": "SLV", "es": "SPA", "sv": "SWE",
}  # fmt: skip
LICENCES = "http://dcat-ap.de/def/licenses"


class Licence(Struct, frozen=True):
    """An open licence: its own address, the IRI that German portals know, the title by which CKAN's
    register finds it, and the IRI that the EU's portal knows.
    """

    address: str
    known: str
    title: str
    type: str | None = None
    spdx: str | None = None
    eu: str | None = None


@cache
def codes() -> dict[str, dict[str, dict[str, str]]]:
    """Scheme → code → label by language."""
    schemes: dict[str, dict[str, dict[str, str]]] = {scheme: {} for scheme in SCHEMES}
    for row in _rows("codes.csv"):
        schemes[row["scheme"]][row["code"]] = {"de": row["de"], "en": row["en"]}
    return schemes


@cache
def licences() -> dict[str, Licence]:
    """Licences by their own address."""
    return {
        row["licence"]: Licence(
            row["licence"], row["known"], row["title"], row["type"], row["spdx"], row["eu"]
        )
        for row in _rows("licences.csv")
    }


def licence_of(address: str) -> Licence:
    """The licence with that address; one that portals do not know represents itself."""
    return licences().get(address) or Licence(address, address, address)


def concept(scheme: str, code: str) -> str:
    """The IRI of a code."""
    return SCHEMES[scheme].concepts + code


def scheme_and_code(iri: str) -> tuple[str, str] | None:
    """The code list that an IRI claims to be of, and its code in it; nothing for other IRIs."""
    for name, item in SCHEMES.items():
        code = iri.removeprefix(item.concepts)
        if code != iri and "/" not in code and iri != item.iri:
            return name, code
    return None


def _rows(name: str) -> list[dict[str, str]]:
    with Path(__file__).with_name(name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _near(code: str, known: list[str]) -> list[str]:
    """The codes to choose from; of a long list those that begin with the same letter.

    >>> _near("USB", ["UGA", "USA", "ZWE"] * 30)[:2]
    ['UGA', 'USA']
    """
    alike = [other for other in known if other[:1] == code[:1].upper()]
    return alike if alike and len(known) > _MANY else known


def unknown_codes(project: Project) -> Iterator[Finding]:
    """Codes of publication.yaml that are in no code list (LP520)."""
    publication, catalogue = project.publication, project.publication.catalogue
    country = catalogue.spatial.country if catalogue.spatial else None
    declared: list[tuple[str, str | None, tuple[str, ...]]] = [
        *(("data-theme", theme, ("catalogue", "themes")) for theme in catalogue.themes),
        ("frequency", catalogue.frequency, ("catalogue", "frequency")),
        ("planned-availability", catalogue.availability, ("catalogue", "availability")),
        ("political-level", catalogue.political_level, ("catalogue", "political_level")),
        (
            "country",
            country,
            ("catalogue", "spatial", "country"),
        ),
        ("publisher-type", publication.publisher.type, ("publisher", "type")),
    ]
    for scheme, code, path in declared:
        known = codes()[scheme]
        if code is not None and code not in known:
            params = {
                "value": code,
                "scheme": scheme,
                "allowed": ", ".join(_near(code, list(known))),
                "suggestion": nearest(code, list(known)),
            }
            yield Finding("LP520", project.origin(*path), params)
