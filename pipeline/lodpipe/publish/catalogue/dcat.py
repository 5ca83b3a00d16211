"""The catalogue itself: DCAT-AP 3.0.1 and DCAT-AP.de 3.0, from publication.yaml and the files as
they were written.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal

from msgspec import Struct, field

from lodpipe.config.publication_keys import Body, Publication, Temporal
from lodpipe.publish.catalogue import codes
from lodpipe.publish.catalogue.graph import Graph, literal, name, texts
from lodpipe.publish.catalogue.offers import Offer
from lodpipe.publish.catalogue.self_description import METADATA
from lodpipe.rdf.terms import iri
from lodpipe.releases.feed import DATA
from lodpipe.releases.history import History
from lodpipe.releases.ledger import Release

IANA = "https://www.iana.org/assignments/media-types/"
SPARQL = "https://www.w3.org/TR/sparql11-protocol/"
LDES = "https://w3id.org/ldes/specification"
_FEED = {"de": "Änderungsdienst (LDES)", "en": "change feed (LDES)"}


class Computed(Struct, frozen=True):
    """What publication.yaml leaves to the data: points (latitude, longitude), and the IRIs of what
    the data were made of.
    """

    points: Sequence[tuple[Decimal, Decimal]] = field(default_factory=tuple)
    derived_from: Sequence[str] = field(default_factory=tuple)


def catalogue_graph(
    publication: Publication,
    offers: Sequence[Offer],
    computed: Computed,
    history: History,
    *,
    dated: bool = False,
) -> Graph:
    """One catalogue with one dataset, a distribution for each file, and the service where there is
    one.

    With `dated`, the catalogue describes this version only: `dataset/1.1.0` with its files in the
    folder that never changes, instead of `dataset` with those that are replaced.
    """
    return _Writer(publication, offers, computed, history, dated).graph


class _Writer:
    """Each method describes one kind of node and gives its term."""

    def __init__(
        self,
        publication: Publication,
        offers: Sequence[Offer],
        computed: Computed,
        history: History,
        dated: bool,
    ) -> None:
        self.graph = Graph()
        self.history, self.dated = history, dated
        self.version = f"/{publication.version}" if dated else ""
        self.downloads = publication.downloads
        if dated:
            self.downloads += f"{history.folder}/"
        self.publication, self.catalogue, self.computed = (
            publication,
            publication.catalogue,
            computed,
        )
        self.offers = offers
        self.base = publication.base
        self.agent = self._agent(publication.publisher)
        self.contact = self._contact(publication.contact)
        self.licence = self._licence()
        self.languages = [
            self._code("language", codes.LANGUAGES[language])
            for language in publication.languages
            if language in codes.LANGUAGES
        ]
        self.themes = [self._code("data-theme", theme) for theme in self.catalogue.themes]
        self.spatial = self._spatial()
        self.access = self._code("access-right", "PUBLIC")
        self.landing_page = self.graph.describe(
            iri(self.publication.landing_page), {"rdf:type": name("foaf:Document")}
        )
        self.dataset = self._dataset()
        self._catalog([] if dated else [self._service(), self._feed()])

    def _node(self, local: str) -> str:
        return iri(self.base + local)

    def _date(self, value: str) -> str:
        return literal(value, "xsd:date")

    def _code(self, scheme: str, code: str, *, has_class: bool = True) -> str:
        """A concept of a code list, with what the shapes of the portals look for: its type, label
        and scheme; `has_class` also gives it the class that its list stands for.
        """
        listed = codes.SCHEMES[scheme]
        self.graph.describe(
            iri(listed.iri),
            {
                "rdf:type": name("skos:ConceptScheme"),
                "dct:title": literal(listed.title, language="en"),
            },
        )
        return self.graph.describe(
            iri(listed.concepts + code),
            {
                "rdf:type": [
                    name("skos:Concept"),
                    name(listed.also) if listed.also and has_class else None,
                ],
                "skos:prefLabel": texts(codes.codes()[scheme][code]),
                "skos:inScheme": iri(listed.iri),
            },
        )

    def _standard(self, address: str, title: str) -> str:
        return self.graph.describe(
            iri(address),
            {"rdf:type": name("dct:Standard"), "dct:title": literal(title, language="en")},
        )

    def _agent(self, body: Body) -> str:
        homepage = (
            self.graph.describe(iri(body.url), {"rdf:type": name("foaf:Document")})
            if body.url
            else None
        )
        return self.graph.describe(
            self._node("catalog#publisher"),
            {
                "rdf:type": name("foaf:Agent"),
                "foaf:name": self._name(body),
                "foaf:homepage": homepage,
                "foaf:mbox": iri(f"mailto:{body.email}") if body.email else None,
                "dct:type": self._code("publisher-type", body.type) if body.type else None,
            },
        )

    def _name(self, body: Body) -> list[str] | str:
        """What a body is called: in each language for which a name is declared."""
        return literal(body.name) if isinstance(body.name, str) else texts(body.name)

    def _contact(self, body: Body) -> str:
        """Without an address of its own, the contact's page is the landing page: the publication
        can be reached there, and nothing is invented.
        """
        page = body.url or (None if body.email else self.publication.landing_page)
        return self.graph.describe(
            self._node("catalog#contact"),
            {
                "rdf:type": name("vcard:Kind"),
                "vcard:fn": self._name(body),
                "vcard:hasEmail": iri(f"mailto:{body.email}") if body.email else None,
                "vcard:hasURL": iri(page) if page else None,
            },
        )

    def _licence(self) -> str:
        """The licence by the IRI that portals know; title and description are what CKAN and udata
        recognise it by.
        """
        licence = codes.licence_of(self.publication.licence)
        return self.graph.describe(
            iri(licence.known),
            {
                "rdf:type": name("dct:LicenseDocument"),
                "dct:title": literal(licence.title),
                "dct:description": literal(licence.address),
                "dct:type": self._code("licence-type", licence.type) if licence.type else None,
                "skos:inScheme": iri(codes.LICENCES)
                if licence.known.startswith(codes.LICENCES + "/")
                else None,
            },
        )

    def _spatial(self) -> str | None:
        """The place that the data are about: the country, or a place in it around their points.
        A box and a centre are stated of a place of our own, not of the EU's country.
        """
        if self.catalogue.spatial is None:
            return None
        country = self.catalogue.spatial.country
        labels, points = codes.codes()["country"][country], self.computed.points
        if not points:
            return self.graph.describe(
                self._code("country", country), {"rdfs:label": texts(labels)}
            )
        return self.graph.describe(
            self._node("catalog#place"),
            {
                "rdf:type": name("dct:Location"),
                "rdfs:label": texts(labels),
                "skos:prefLabel": texts(labels),
                "dct:isPartOf": self._code("country", country, has_class=False),
                "dcat:bbox": literal(_box(points), "geo:wktLiteral"),
                "dcat:centroid": literal(_centre(points), "geo:wktLiteral"),
            },
        )

    def _temporal(self) -> str | None:
        """The one blank node: udata would fetch an IRI over the network. Full days: of a mere year
        udata makes today's day in that year.
        """
        if self.catalogue.temporal is None:
            return None
        start, end = day_range(self.catalogue.temporal)
        return self.graph.describe(
            "_:temporal",
            {
                "rdf:type": name("dct:PeriodOfTime"),
                "dcat:startDate": self._date(start),
                "dcat:endDate": self._date(end),
            },
        )

    def _attribution(self) -> str:
        return self.graph.describe(
            self._node("catalog#attribution"),
            {
                "rdf:type": name("prov:Attribution"),
                "prov:agent": self.agent,
                "dcat:hadRole": self._code("role", "publisher"),
            },
        )

    def _provenance(self) -> str | None:
        if not self.catalogue.provenance:
            return None
        values = {
            "rdf:type": name("dct:ProvenanceStatement"),
            "rdfs:label": texts(self.catalogue.provenance),
        }
        return self.graph.describe(self._node("catalog#provenance"), values)

    def _shared(self) -> dict[str, str | list[str | None] | None]:
        """What the dataset and the service say alike."""
        words = [
            literal(word, language=language)
            for language, listed in self.catalogue.keywords.items()
            for word in listed
        ]
        return {
            "dct:publisher": self.agent,
            "dcat:contactPoint": self.contact,
            "dcat:theme": [*self.themes],
            "dcat:keyword": [*words],
            "dct:accessRights": self.access,
            "dcat:landingPage": self.landing_page,
        }

    def _dataset(self) -> str:
        own, publication = self.catalogue, self.publication
        local = f"dataset{self.version}"
        term = self._node(local)
        level = self._code("political-level", own.political_level) if own.political_level else None
        return self.graph.describe(
            term,
            self._shared()
            | {
                "rdf:type": name("dcat:Dataset"),
                "dct:title": texts(publication.title),
                "dct:description": texts(publication.description),
                "dct:identifier": literal(self.base + local),
                "dct:issued": self._date(self.issued),
                "dct:modified": self._date(publication.date),
                "dct:language": self.languages,
                "dct:accrualPeriodicity": self._code("frequency", own.frequency)
                if own.frequency
                else None,
                "dct:spatial": self.spatial,
                "dct:temporal": self._temporal(),
                "dct:provenance": self._provenance(),
                "dcatap:availability": self._code("planned-availability", own.availability),
                "dcatde:politicalGeocodingLevelURI": level,
                "dcatde:contributorID": iri(own.contributor) if own.contributor else None,
                "dcat:version": literal(publication.version),
                # GovData reads this one only.
                "owl:versionInfo": literal(publication.version),
                "adms:versionNotes": texts(self._notes()),
                "dcat:isVersionOf": self._node("dataset") if self.dated else None,
                "dcat:previousVersion": self._release(self.history.previous),
                "dcat:hasVersion": []
                if self.dated
                else [self._release(release) for release in self.history.releases],
                "prov:wasDerivedFrom": [iri(item) for item in self.computed.derived_from],
                "prov:qualifiedAttribution": self._attribution(),
                "dcat:distribution": [self._distribution(offer) for offer in self.offers],
                # No distribution: it holds this catalogue, which cannot have its checksum.
                "dct:relation": None if self.dated else iri(publication.downloads + METADATA),
            },
        )

    def _release(self, release: Release | None) -> str | None:
        """The dataset of a closed release, in short; its own catalogue describes it in full.

        It is of a subclass of dcat:Dataset: portals make an entry of each dcat:Dataset, and the
        releases are versions of one entry.
        """
        if release is None:
            return None
        kind = self.graph.describe(
            self._node("catalog#Release"),
            {
                "rdf:type": name("rdfs:Class"),
                "rdfs:subClassOf": name("dcat:Dataset"),
                "rdfs:label": texts({"de": "Veröffentlichung", "en": "Release"}),
            },
        )
        publication = self.publication
        return self.graph.describe(
            self._node(f"dataset/{release.version}"),
            self._shared()
            | {
                "rdf:type": kind,
                "dct:title": texts(
                    {
                        language: f"{title} ({release.version})"
                        for language, title in publication.title.items()
                    }
                ),
                "dct:description": texts(publication.description),
                "dct:identifier": literal(f"{self.base}dataset/{release.version}"),
                "dct:issued": self._date(release.date),
                "dct:spatial": self.spatial,
                "dct:temporal": self._temporal(),
                "dcat:version": literal(release.version),
                "dcat:isVersionOf": self._node("dataset"),
            },
        )

    def _notes(self) -> Mapping[str, str]:
        """What is new, in the languages of the publication."""
        notes = self.history.notes
        return {
            language: notes[language]
            for language in self.publication.languages
            if language in notes
        } or self.catalogue.version_notes

    @property
    def issued(self) -> str:
        """The day of the first release; of a version, its own day."""
        return self.publication.date if self.dated else self.publication.issued

    def _distribution(self, offer: Offer) -> str:
        own, publication = self.catalogue, self.publication
        local = f"distribution{self.version}/{offer.key}"
        address = iri(self.downloads + offer.path)
        status = "DEVELOP" if self.history.is_development else "COMPLETED"
        checksum = self.graph.describe(
            self._node(f"{local}#checksum"),
            {
                "rdf:type": name("spdx:Checksum"),
                "spdx:algorithm": self.graph.describe(
                    name("spdx:checksumAlgorithm_sha512"),
                    {"rdf:type": name("spdx:ChecksumAlgorithm")},
                ),
                "spdx:checksumValue": literal(offer.sha512, "xsd:hexBinary"),
            },
        )
        return self.graph.describe(
            self._node(local),
            {
                "rdf:type": name("dcat:Distribution"),
                "dct:title": texts(offer.title),
                "dct:description": texts(offer.description),
                "dcat:accessURL": address,
                "dcat:downloadURL": address,
                "dct:format": self._code("file-type", offer.format.code),
                "dcat:mediaType": self._media_type(offer.format.media_type),
                "dcat:compressFormat": self._media_type("application/gzip")
                if offer.compressed
                else None,
                "dcat:byteSize": literal(str(offer.size), "xsd:nonNegativeInteger"),
                "spdx:checksum": checksum,
                "dct:conformsTo": self._standard(offer.format.specification, offer.format.label),
                "dct:license": self.licence,
                "dct:rights": self._rights(),
                "dcatde:licenseAttributionByText": literal(publication.attribution),
                "dct:language": self.languages,
                "dct:issued": self._date(self.issued),
                "dct:modified": self._date(publication.date),
                "dcatap:availability": self._code("planned-availability", own.availability),
                "adms:status": self._code("distribution-status", status),
            },
        )

    def _media_type(self, value: str) -> str:
        return self.graph.describe(iri(IANA + value), {"rdf:type": name("dct:MediaType")})

    def _rights(self) -> str:
        """The attribution, as a blank node with a label: CKAN takes the IRI of any other for the
        text.
        """
        values = {
            "rdf:type": name("dct:RightsStatement"),
            "rdfs:label": literal(self.publication.attribution),
        }
        return self.graph.describe("_:rights", values)

    def _service(self) -> str | None:
        own = self.catalogue
        if own.service is None:
            return None
        description = own.service.description or own.service.url
        return self.graph.describe(
            self._node("service"),
            self._shared()
            | {
                "rdf:type": name("dcat:DataService"),
                "dct:title": texts(
                    {
                        language: f"{title} (SPARQL)"
                        for language, title in self.publication.title.items()
                    }
                ),
                "dct:description": texts(self.publication.description),
                "dcat:endpointURL": iri(own.service.url),
                "dcat:endpointDescription": iri(description),
                "dcat:servesDataset": self.dataset,
                "dct:conformsTo": self._standard(SPARQL, "SPARQL 1.1 Protocol"),
                "dct:license": self.licence,
                "dcatap:availability": self._code("planned-availability", own.availability),
            },
        )

    def _feed(self) -> str | None:
        """The change feed, a service from which a copy of the dataset is kept up to date."""
        if not self.history.releases:
            return None
        address = iri(f"{self.downloads}{DATA}.trig")
        title = {
            language: f"{text}: {_FEED.get(language, _FEED['en'])}"
            for language, text in self.publication.title.items()
        }
        return self.graph.describe(
            self._node("feed"),
            self._shared()
            | {
                "rdf:type": name("dcat:DataService"),
                "dct:title": texts(title),
                "dct:description": texts(self.publication.description),
                "dcat:endpointURL": address,
                "dcat:endpointDescription": address,
                "dcat:servesDataset": self.dataset,
                "dct:conformsTo": self._standard(LDES, "Linked Data Event Streams"),
                "dct:license": self.licence,
                "dcatap:availability": self._code(
                    "planned-availability", self.catalogue.availability
                ),
            },
        )

    def _catalog(self, services: Sequence[str | None]) -> None:
        publication = self.publication
        taxonomy = codes.SCHEMES["data-theme"]
        values = {
            "rdf:type": name("skos:ConceptScheme"),
            "dct:title": literal(taxonomy.title, language="en"),
        }
        self.graph.describe(
            self._node(f"catalog{self.version}"),
            {
                "rdf:type": name("dcat:Catalog"),
                "dct:title": texts(publication.title),
                "dct:description": texts(publication.description),
                "dct:publisher": self.agent,
                "dct:language": self.languages,
                "dct:license": self.licence,
                "dct:issued": self._date(self.issued),
                "dct:modified": self._date(publication.date),
                "dct:spatial": self.spatial,
                "dcat:themeTaxonomy": self.graph.describe(iri(taxonomy.iri), values),
                "foaf:homepage": self.landing_page,
                "dcat:dataset": self.dataset,
                "dcat:service": services,
            },
        )


def day_range(period: Temporal) -> tuple[str, str]:
    """The first and the last day of a period, whose ends may be months or years."""
    return _first_day(period.start), _last_day(period.end)


def _first_day(value: str) -> str:
    """The first day of a day, month or year.

    >>> _first_day("2020"), _first_day("2020-06"), _first_day("2020-06-16")
    ('2020-01-01', '2020-06-01', '2020-06-16')
    """
    return value + "-01-01"[len(value) - 4 :] if len(value) < 10 else value


def _last_day(value: str) -> str:
    """The last day of a day, month or year.

    >>> _last_day("2022"), _last_day("2020-02"), _last_day("2020-06-16")
    ('2022-12-31', '2020-02-29', '2020-06-16')
    """
    month = value if len(value) > 4 else f"{value}-12"
    return month if len(month) == 10 else f"{month}-{monthrange(int(month[:4]), int(month[5:]))[1]}"


def _box(points: Sequence[tuple[Decimal, Decimal]]) -> str:
    """The bounding box as WKT, longitude first."""
    south, north = min(point[0] for point in points), max(point[0] for point in points)
    west, east = min(point[1] for point in points), max(point[1] for point in points)
    corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return f"POLYGON(({', '.join(f'{x} {y}' for x, y in corners)}))"


def _centre(points: Sequence[tuple[Decimal, Decimal]]) -> str:
    """The mean of the points as WKT."""
    latitude, longitude = (
        (sum((point[axis] for point in points), Decimal(0)) / len(points)).quantize(
            Decimal("0.000001"), ROUND_HALF_EVEN
        )
        for axis in (0, 1)
    )
    return f"POINT({longitude} {latitude})"
