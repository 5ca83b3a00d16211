"""The metadata quality score of data.europa.eu (405 points), indicator by indicator, and what would
raise it.

An indicator of distributions counts here only if every distribution has it: the strictest reading,
so portals show no less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox

from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import Severity
from lodpipe.publish.catalogue import codes
from lodpipe.publish.catalogue.checks import Catalogue, catalogue_findings, read_triples
from lodpipe.rdf.file_formats import FORMATS
from lodpipe.shacl.shapes import Validator

# Whether an address answers HEAD with 2xx; given by a caller that may use the network.
Answers = Callable[[str], bool]
_IANA = "https://www.iana.org/assignments/media-types/"


@dataclass(frozen=True)
class Indicator:
    """One indicator: what it is worth, whether it is fulfilled (None: not checked), and what would
    raise it.
    """

    dimension: str
    name: str
    points: int
    fulfilled: bool | None
    help: str

    @property
    def score(self) -> int:
        return self.points if self.fulfilled else 0


def quality(
    project: Project,
    folder: Path | None = None,
    answers: Answers | None = None,
    engine: str | None = None,
) -> list[Indicator]:
    """All indicators for the written catalogue, in the order of the portal's own list."""
    folder = folder or project.dist
    path = folder / "catalog.ttl"
    triples = read_triples(path, ox.RdfFormat.TURTLE, project.publication.base)
    catalogue = Catalogue(project, folder, triples, path.read_text("utf-8"))
    validator = Validator(engine or project.publication.shacl_engine)
    conforms = not any(
        finding.severity is Severity.ERROR
        for finding in catalogue_findings(project, folder, validator)
    )
    return list(_indicators(catalogue, conforms, answers))


def _indicators(
    catalogue: Catalogue, conforms: bool, answers: Answers | None
) -> Iterator[Indicator]:
    datasets, distributions = (
        catalogue.instances("dcat:Dataset"),
        catalogue.instances("dcat:Distribution"),
    )

    def dataset(predicate: str) -> bool:
        return bool(datasets) and all(catalogue.values(item, predicate) for item in datasets)

    def each(predicate: str) -> bool:
        return bool(distributions) and all(
            catalogue.values(distribution, predicate) for distribution in distributions
        )

    def answered(predicate: str) -> bool | None:
        if answers is None:
            return None
        return each(predicate) and all(
            answers(term[1:-1])
            for distribution in distributions
            for term in catalogue.values(distribution, predicate)
        )

    def known(predicate: str, values: set[str]) -> bool:
        return each(predicate) and all(
            catalogue.value(distribution, predicate) in values for distribution in distributions
        )

    formats = {codes.concept("file-type", item.code) for item in FORMATS}
    media_types = {_IANA + item.media_type for item in FORMATS}
    licences = {licence.eu for licence in codes.licences().values() if licence.eu}
    rights = {codes.concept("access-right", code) for code in codes.codes()["access-right"]}
    has_known_format = known("dct:format", formats)
    aligned = has_known_format and known("dcat:mediaType", media_types)
    served = "serve dist/ at `downloads`; check with --served"
    yield Indicator(
        "findability",
        "keywords",
        30,
        dataset("dcat:keyword"),
        "`catalogue.keywords` in publication.yaml",
    )
    yield Indicator(
        "findability",
        "categories",
        30,
        dataset("dcat:theme"),
        "`catalogue.themes` in publication.yaml",
    )
    yield Indicator(
        "findability",
        "spatial coverage",
        20,
        dataset("dct:spatial"),
        "`catalogue.spatial` in publication.yaml",
    )
    yield Indicator(
        "findability",
        "temporal coverage",
        20,
        dataset("dct:temporal"),
        "`catalogue.temporal` in publication.yaml",
    )
    yield Indicator("accessibility", "access URL answers", 50, answered("dcat:accessURL"), served)
    yield Indicator(
        "accessibility", "download URL", 20, each("dcat:downloadURL"), "run `lodpipe build`"
    )
    yield Indicator(
        "accessibility", "download URL answers", 30, answered("dcat:downloadURL"), served
    )
    yield Indicator("interoperability", "format", 20, each("dct:format"), "run `lodpipe build`")
    yield Indicator(
        "interoperability", "media type", 10, each("dcat:mediaType"), "run `lodpipe build`"
    )
    yield Indicator(
        "interoperability",
        "format and media type from vocabularies",
        10,
        aligned,
        "run `lodpipe build`",
    )
    yield Indicator(
        "interoperability", "non-proprietary", 20, has_known_format, "run `lodpipe build`"
    )
    yield Indicator(
        "interoperability", "machine-interpretable", 20, has_known_format, "run `lodpipe build`"
    )
    yield Indicator(
        "interoperability", "DCAT-AP compliance", 30, conforms, "fix what `lodpipe check` reports"
    )
    yield Indicator(
        "reusability", "licence", 20, each("dct:license"), "`licence` in publication.yaml"
    )
    yield Indicator(
        "reusability",
        "known licence",
        10,
        known("dct:license", licences),
        _licence_help(catalogue.project.publication.licence),
    )
    yield Indicator(
        "reusability", "access rights", 10, dataset("dct:accessRights"), "run `lodpipe build`"
    )
    aligned_rights = all(
        catalogue.value(item, "dct:accessRights") in rights for item in datasets
    ) and bool(datasets)
    yield Indicator(
        "reusability", "access rights from vocabulary", 5, aligned_rights, "run `lodpipe build`"
    )
    yield Indicator(
        "reusability",
        "contact point",
        20,
        dataset("dcat:contactPoint"),
        "`contact` in publication.yaml",
    )
    yield Indicator(
        "reusability", "publisher", 10, dataset("dct:publisher"), "`publisher` in publication.yaml"
    )
    yield Indicator(
        "contextuality", "rights", 5, each("dct:rights"), "`attribution` in publication.yaml"
    )
    yield Indicator("contextuality", "file size", 5, each("dcat:byteSize"), "run `lodpipe build`")
    yield Indicator("contextuality", "date of issue", 5, each("dct:issued"), "run `lodpipe build`")
    yield Indicator(
        "contextuality", "date of modification", 5, each("dct:modified"), "run `lodpipe build`"
    )


def _licence_help(address: str) -> str:
    """Why the licence of the distributions is not in the EU's table: there is one licence for each
    (DCAT-AP.de 3.0), and GovData knows other IRIs than the EU.
    """
    licence = codes.licence_of(address)
    if licence.eu and licence.known != licence.eu:
        return f"nothing to do: the EU's table has <{licence.eu}>, GovData wants <{licence.known}>"
    return "a licence of the EU's table, such as CC BY 4.0"


def score_lines(indicators: list[Indicator]) -> Iterator[str]:
    """The indicators as lines: met or not, points, and what would raise the score."""
    dimension = ""
    for indicator in indicators:
        if indicator.dimension != dimension:
            dimension = indicator.dimension
            own = [other for other in indicators if other.dimension == dimension]
            yield f"{dimension} {sum(other.score for other in own)} of {sum(other.points for other in own)}"
        sign = {True: "+", False: "-", None: "?"}[indicator.fulfilled]
        yield f"  {sign} {indicator.score:>3} of {indicator.points:>3}  {indicator.name}" + (
            "" if indicator.fulfilled else f"  → {indicator.help}"
        )
    unanswered = sum(item.points for item in indicators if item.fulfilled is None)
    more = f" ({unanswered} not checked)" if unanswered else ""
    yield f"score {sum(item.score for item in indicators)} of {sum(item.points for item in indicators)}{more}"


def head_requests(served: str | None, downloads: str) -> Answers | None:
    """HEAD requests to where the files are served; only where the user named that place."""
    if served is None:
        return None
    import urllib.error
    import urllib.request

    def answers(address: str) -> bool:
        encoded = (
            served + address.removeprefix(downloads) if address.startswith(downloads) else address
        )
        try:
            with urllib.request.urlopen(
                urllib.request.Request(encoded, method="HEAD"), timeout=10
            ) as answer:
                return bool(200 <= answer.status < 300)
        except (urllib.error.URLError, OSError, ValueError):
            return False

    return answers
