"""The baseline: one plain script, without lodpipe, that makes the same graph, validates it and
writes two dumps.

    python benchmarks/plain_script.py PROJECT OUT [pyshacl|none]

Written as a developer would who knows the usual libraries: PyYAML with libyaml, csv, rdflib and
pySHACL. It makes the very triples of source/mapping.yaml (the union of its graphs), and nothing
else: no line numbers, no graphs of evidence, no check of records, no catalogue. What it must know
of the data stands in its code. The third word chooses the validator: pySHACL is what a plain script
uses; `none` leaves validation out, to tell what the rest costs.
"""

from __future__ import annotations

import csv
import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rdflib
import yaml
from rdflib import DC, FOAF, ORG, OWL, PROV, RDF, SKOS, TIME, XSD, Graph, Literal, Namespace, URIRef
from rdflib import DCTERMS as DCT

# Keys and dates stay as they are written: rdflib would make "050" an integer 50.
rdflib.NORMALIZE_LITERALS = False

BASE = "https://w3id.org/rogl/"
DEF = Namespace(BASE + "def/")
SCHEMA = Namespace("https://schema.org/")
ADMS = Namespace("http://www.w3.org/ns/adms#")
WIKIDATA = Namespace("http://www.wikidata.org/entity/")
GEOCODING = Namespace("http://dcat-ap.de/def/politicalGeocoding/")
PREFIXES = {
    "dc": DC, "foaf": FOAF, "org": ORG, "owl": OWL, "prov": PROV, "skos": SKOS, "time": TIME, "dct": DCT,
    "def": DEF, "schema": SCHEMA, "adms": ADMS,
}  # fmt: skip

PREFERRED_NAME = (SKOS.prefLabel, SCHEMA.name)
OTHER_NAME = (SKOS.altLabel, SCHEMA.alternateName)
EVIDENCE = (PROV.wasDerivedFrom, DCT.source)
PARENT = (ORG.subOrganizationOf, SCHEMA.parentOrganization)
IDENTIFIER = (ADMS.identifier, SCHEMA.identifier)
SPATIAL = (DCT.spatial, SCHEMA.areaServed)

INSTANT_DATE = {
    XSD.date: TIME.inXSDDate,
    XSD.gYearMonth: TIME.inXSDgYearMonth,
    XSD.gYear: TIME.inXSDgYear,
}

DOCUMENT_CLASSES = {"news": "NewsArticle", "report": "Report", "dataset": "Dataset"}
PLACE_KEYS = {
    "ags": ("AGS", "Statistisches Bundesamt (Destatis)"),
    "ars": ("ARS", "Statistisches Bundesamt (Destatis)"),
    "nuts": ("NUTS", "Eurostat"),
    "insee": ("INSEE", "INSEE"),
    "siren": ("SIREN", "INSEE"),
}
ORGANISATION_KEYS = {
    "ror": "Research Organization Registry",
    "wikidata": "Wikidata",
    "isni": "ISNI International Agency",
    "grid": "Digital Science",
}

Record = dict[str, Any]


# -- reading ---------------------------------------------------------------------------------------


def read_yaml(path: Path) -> Any:
    with path.open("rb") as file:
        return yaml.load(file, Loader=yaml.CSafeLoader)


def read_csv(path: Path) -> list[Record]:
    with path.open(encoding="utf-8", newline="") as file:
        return [{key: value or None for key, value in row.items()} for row in csv.DictReader(file)]


class Records:
    """Everything below source/, with what has to be looked up by key."""

    def __init__(self, source: Path) -> None:
        self.documents: list[Record] = read_yaml(source / "documents.yaml")
        self.organisations: list[Record] = read_yaml(source / "organisations.yaml")
        self.programmes: list[Record] = read_yaml(source / "programmes.yaml")
        self.totals: list[Record] = read_yaml(source / "totals.yaml")
        self.labs: list[Record] = [
            read_yaml(path) for path in sorted((source / "labs").glob("*.yaml"))
        ]
        self.places = read_csv(source / "places.csv")
        self.kinds = {row["kind"]: row for row in read_csv(source / "kinds.csv")}
        self.document = {one["id"]: one for one in self.documents}
        self.place = {one["id"]: one for one in self.places}
        self.organisation = {one["id"]: one for one in self.organisations}

    def wholes(self) -> Iterator[tuple[str, Record]]:
        """Labs and programmes with the folder of their IRIs; they share names, dates, amounts,
        events, participants and remarks.
        """
        yield from (("lab", one) for one in self.labs)
        yield from (("programme", one) for one in self.programmes)


# -- terms -----------------------------------------------------------------------------------------


def iri(*parts: object) -> URIRef:
    return URIRef(BASE + "/".join(map(str, parts)))


def text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def dated(value: str) -> Literal:
    """A day, a month or a year, with its datatype."""
    datatype = {10: XSD.date, 7: XSD.gYearMonth}.get(len(str(value)), XSD.gYear)
    return Literal(str(value), datatype=datatype)


def slug(name: str) -> str:
    plain = "".join(
        c for c in unicodedata.normalize("NFD", name.lower()) if not unicodedata.combining(c)
    )
    return re.sub("[^a-z0-9]+", "-", plain).strip("-")


class Publication:
    """The graph, with the ways in which this data says things."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.graph = Graph()
        for prefix, namespace in PREFIXES.items():
            self.graph.bind(prefix, namespace)
        self.graph.bind("", BASE)

    # -- saying ------------------------------------------------------------------------------------

    def say(
        self,
        subject: URIRef,
        predicates: URIRef | tuple[URIRef, ...],
        *values: URIRef | Literal | None,
    ) -> None:
        """Adds each value under each predicate; None says nothing."""
        for predicate in predicates if isinstance(predicates, tuple) else (predicates,):
            for value in values:
                if value is not None:
                    self.graph.add((subject, predicate, value))

    def say_text(
        self,
        subject: URIRef,
        predicates: URIRef | tuple[URIRef, ...],
        value: object,
        datatype: URIRef | None = None,
    ) -> None:
        if value is not None:
            self.say(subject, predicates, Literal(text(value), datatype=datatype))

    def say_in(
        self,
        subject: URIRef,
        predicates: URIRef | tuple[URIRef, ...],
        value: str | None,
        language: str,
    ) -> None:
        if value is not None:
            self.say(subject, predicates, Literal(value, lang=language))

    def say_texts(
        self, subject: URIRef, predicates: URIRef | tuple[URIRef, ...], texts: Record | None
    ) -> None:
        """Texts by language."""
        for language, value in (texts or {}).items():
            self.say_in(subject, predicates, value, language)

    def say_evidence(self, subject: URIRef, documents: list[str]) -> None:
        self.say(subject, EVIDENCE, *(iri("document", one) for one in documents))

    def say_preference(self, subject: URIRef, record: Record) -> None:
        if record.get("preferred") is not None:
            self.say(
                subject,
                DEF.hasPreference,
                iri("def/preference", "preferred" if record["preferred"] else "alternative"),
            )

    def identifier(self, scheme: str, value: str, name: str, agency: str) -> URIRef:
        """The node of a key."""
        node = iri("identifier", scheme, value.removeprefix("https://ror.org/").replace(" ", ""))
        self.say(node, RDF.type, ADMS.Identifier, SCHEMA.PropertyValue)
        self.say_text(node, SKOS.notation, value, DEF[scheme])
        self.say_text(node, SCHEMA.propertyID, name)
        self.say_text(node, SCHEMA.value, value)
        self.say_text(node, ADMS.schemaAgency, agency)
        return node

    def remark(
        self, owner: str, name: str, about: URIRef, kind: str, texts: Record, documents: list[str]
    ) -> None:
        node = iri("remark", owner, name)
        self.say(node, RDF.type, SCHEMA.Comment, PROV.Entity)
        self.say(node, SCHEMA.about, about)
        self.say(node, DCT.type, iri("def/remark-kind", kind))
        self.say_texts(node, SCHEMA.text, texts)
        self.say_evidence(node, documents)

    def remarks(self, owner: str, about: URIRef, record: Record) -> None:
        for one in record.get("remarks", []):
            self.remark(
                owner,
                one["id"],
                about,
                one["kind"],
                one["text"],
                one.get("documents") or ["redaktion"],
            )

    def note(self, owner: str, name: str, about: URIRef, record: Record) -> None:
        """The note beside a single fact is a remark of its own."""
        if "note" in record:
            self.remark(owner, name, about, "context", record["note"], record["documents"])

    # -- documents ---------------------------------------------------------------------------------

    def documents(self) -> None:
        for one in self.records.documents:
            self.document(iri("document", one["id"]), one)

    def document(self, node: URIRef, one: Record) -> None:
        self.say(
            node,
            RDF.type,
            FOAF.Document,
            PROV.Entity,
            SCHEMA[DOCUMENT_CLASSES.get(one["kind"], "WebPage")],
        )
        self.say_in(node, (*PREFERRED_NAME, DCT.title), one["title"], one["language"])
        self.say(node, SCHEMA.url, URIRef(one["url"]))
        self.say_text(node, DC.publisher, one["publisher"])
        self.say_text(node, DCT.language, one["language"])
        self.say(node, DCT.type, iri("def/document-kind", one["kind"]))
        if "date" in one:
            self.say(node, (SCHEMA.datePublished, DCT.issued), dated(one["date"]))
        self.say_text(node, DEF.dateInText, one.get("date_text"))
        self.say(node, SCHEMA.license, URIRef(one["licence"]) if "licence" in one else None)
        self.say_text(node, SCHEMA.creditText, one.get("licence_text"))
        self.say(node, SCHEMA.about, iri("programme", one["about"]) if "about" in one else None)
        self.say_texts(node, SKOS.note, one.get("note"))
        self.say_evidence(node, one.get("documents", []))

    # -- places ------------------------------------------------------------------------------------

    def places(self) -> None:
        for one in self.records.places:
            node = iri("place", one["id"])
            self.place(node, one)
            self.place_links(node, one)
            self.place_keys(node, one)

    def place(self, node: URIRef, one: Record) -> None:
        self.say(
            node,
            RDF.type,
            DCT.Location,
            SCHEMA.City if one["level"] in ("gemeinde", "commune") else SCHEMA.AdministrativeArea,
        )
        self.say_in(node, PREFERRED_NAME, one["name"], one["name_language"])
        self.say_in(node, DCT.alternative, one["official_name"], one["name_language"])
        self.say(node, DEF.level, iri("def/place-level", one["level"]))
        self.say(
            node, SCHEMA.containedInPlace, iri("place", one["within"]) if one["within"] else None
        )
        self.say_text(node, SCHEMA.addressCountry, one["country"])
        self.say_text(node, DEF.population, one["population"], XSD.integer)
        self.say_text(node, DEF.areaHectares, one["area_ha"], XSD.integer)
        self.say_text(node, SCHEMA.postalCode, one["postal_code"])
        for scheme in ("ags", "ars", "insee", "siren"):
            self.say_text(node, DCT.identifier, one[scheme], DEF[scheme])
        self.say_evidence(node, [one["keys_document"]])

    def place_links(self, node: URIRef, one: Record) -> None:
        if one["ags"]:
            self.say(node, OWL.sameAs, GEOCODING["municipalityKey/" + one["ags"]])
        if one["level"] == "land":
            self.say(node, OWL.sameAs, GEOCODING["stateKey/" + one["ars"][:2]])
        if one["level"] == "kreis":
            self.say(node, OWL.sameAs, GEOCODING["districtKey/" + one["ars"][:5]])
        if one["nuts"]:
            self.say_text(node, DCT.identifier, one["nuts"], DEF.nuts)
            self.say_evidence(node, [one["nuts_document"]])
        if one["lat"] and one["lon"]:
            point = iri("place", one["id"], "point")
            self.say(node, SCHEMA.geo, point)
            self.say_evidence(node, [one["coordinates_document"]])
            self.say(point, RDF.type, SCHEMA.GeoCoordinates)
            self.say_text(point, SCHEMA.latitude, one["lat"], XSD.decimal)
            self.say_text(point, SCHEMA.longitude, one["lon"], XSD.decimal)
        if one["wikidata"]:
            self.say(node, (SKOS.exactMatch, SCHEMA.sameAs), WIKIDATA[one["wikidata"]])
            self.say_evidence(node, [one["wikidata_document"]])
        if one["geonames"]:
            self.say(node, SKOS.closeMatch, URIRef(f"https://sws.geonames.org/{one['geonames']}/"))
            self.say_evidence(node, [one["geonames_document"]])

    def place_keys(self, node: URIRef, one: Record) -> None:
        for scheme, (name, agency) in PLACE_KEYS.items():
            if not one[scheme]:
                continue
            key = self.identifier(scheme, one[scheme], name, agency)
            self.say(node, IDENTIFIER, key)
            issued = self.records.document[one["keys_document"]].get("date")
            if scheme in ("ags", "ars") and issued:
                self.say_text(key, DCT.issued, issued, XSD.date)

    # -- organisations -----------------------------------------------------------------------------

    def organisations(self) -> None:
        evidence = self.organisation_evidence()
        for one in self.records.organisations:
            node = iri("organisation", one["id"])
            self.organisation(node, one, sorted(evidence[one["id"]]))
            self.organisation_keys(node, one)
            self.remarks(one["id"], node, one)

    def organisation_evidence(self) -> dict[str, set[str]]:
        """The documents that speak of each organisation: its own, and those of its participations,
        leads and co-funding.
        """
        evidence: dict[str, set[str]] = defaultdict(set)
        for one in self.records.organisations:
            evidence[one["id"]].update(one.get("documents", []))
        for _, whole in self.records.wholes():
            for part in ("participants", "leads", "co_funders"):
                for one in whole.get(part, []):
                    evidence[one["organisation"]].update(one["documents"])
        return evidence

    def organisation(self, node: URIRef, one: Record, evidence: list[str]) -> None:
        kind = self.records.kinds[one["kind"]]
        self.say(
            node,
            RDF.type,
            ORG[kind["org_class"].removeprefix("org:")],
            SCHEMA[kind["schema_class"].removeprefix("schema:")],
        )
        self.say(node, ORG.classification, iri("def/kind", one["kind"]))
        self.say_text(node, DEF.legalForm, one.get("legal_form"))
        self.say_text(node, DEF.nameComplete, one.get("name_complete"), XSD.boolean)
        self.say(node, SPATIAL, iri("place", one["territory"]) if "territory" in one else None)
        self.say(node, SCHEMA.location, iri("place", one["seat"]) if "seat" in one else None)
        self.say(node, PARENT, iri("organisation", one["part_of"]) if "part_of" in one else None)
        if evidence:
            self.say_in(node, PREFERRED_NAME, one["name"], one.get("language", "de"))
            self.say_evidence(node, evidence)
        for other in one.get("other_names", []):
            self.say_in(node, OTHER_NAME, other["name"], other.get("language", "de"))
        if "website" in one:
            self.say(node, (SCHEMA.url, FOAF.homepage), URIRef(one["website"]["url"]))

    def organisation_keys(self, node: URIRef, one: Record) -> None:
        for scheme, agency in ORGANISATION_KEYS.items():
            documents = [
                name
                for name in one.get("identified_by", [])
                if name == scheme or (name == "ror" and scheme in ("isni", "grid"))
            ]
            if scheme not in one or not documents:
                continue
            value = one[scheme]
            self.say(node, IDENTIFIER, self.identifier(scheme, value, scheme.upper(), agency))
            self.say_text(node, ORG.identifier, value, DEF[scheme])
            self.say_evidence(node, documents)
            if scheme == "ror":
                self.say(node, SCHEMA.sameAs, URIRef(value))
            if scheme == "wikidata":
                self.say(node, (SKOS.closeMatch, SCHEMA.sameAs), WIKIDATA[value])
        if "territory" in one and one["kind"] in ("stadt", "gemeinde"):
            self.say_text(
                node, ORG.identifier, self.records.place[one["territory"]]["ags"], DEF.ags
            )

    # -- labs and programmes -----------------------------------------------------------------------

    def wholes(self) -> None:
        for folder, one in self.records.wholes():
            node = iri(folder, one["id"])
            self.say_in(node, PREFERRED_NAME, one["name"], "de")
            self.say_evidence(node, one["documents"])
            (self.lab if folder == "lab" else self.programme)(node, one)
            self.names_and_dates(node, one)
            self.events(node, one)
            self.grant(node, one)
            for participant in one.get("participants", []):
                self.membership(node, one, participant)
            self.remarks(one["id"], node, one)

    def lab(self, node: URIRef, one: Record) -> None:
        self.say(node, RDF.type, ORG.OrganizationalCollaboration, SCHEMA.ResearchProject)
        self.say(node, PARENT, iri("programme", one["programme"]))
        self.say_text(node, DEF.participantsComplete, one["participants_complete"], XSD.boolean)
        self.say_text(node, DEF.participantsMissing, one.get("participants_missing"), XSD.integer)
        self.say_texts(node, DEF.participantsBasis, one.get("participants_basis"))
        if "page" in one:
            self.say(node, FOAF.page, iri("document", one["page"]["document"]))
            self.say_text(
                node, DEF.pageListsParticipants, one["page"]["lists_participants"], XSD.boolean
            )
        for site in one.get("websites", []):
            self.say(node, SCHEMA.url, URIRef(site["url"]))
            self.note(
                one["id"],
                "website-" + re.sub("[^a-z0-9]+", "-", site["url"]).strip("-"),
                node,
                site,
            )
        if "land" in one:
            self.say(node, SPATIAL, iri("place", one["land"]["place"]))
            self.note(one["id"], "land", node, one["land"])
        for lead in one.get("leads", []):
            self.say(node, DEF.lead, iri("organisation", lead["organisation"]))
            self.note(one["id"], "lead-" + lead["organisation"], node, lead)
        for funder in one.get("co_funders", []):
            self.say(node, SCHEMA.funder, iri("organisation", funder["organisation"]))
        for term in one["themes"]["terms"] if "themes" in one else []:
            self.say_in(node, SCHEMA.keywords, term, "de")
        for part in one.get("sub_labs", []):
            self.part_of_lab(node, one, part)

    def part_of_lab(self, lab: URIRef, one: Record, part: Record) -> None:
        node = iri("lab", one["id"], part["id"])
        self.say(lab, (ORG.hasSubOrganization, SCHEMA.subOrganization), node)
        self.say(node, RDF.type, ORG.Organization, SCHEMA.Organization)
        self.say_in(node, PREFERRED_NAME, part["name"], "de")
        self.say(node, PARENT, lab)
        self.say_evidence(node, part["documents"])
        self.note(one["id"], part["id"], node, part)

    def programme(self, node: URIRef, one: Record) -> None:
        self.say(node, RDF.type, ORG.Organization, SCHEMA.FundingScheme)
        links = {"part_of": PARENT, "funding_line": ORG.linkedTo, "follows": PROV.wasInfluencedBy}
        for key, predicates in links.items():
            if key in one:
                self.say(node, predicates, iri("programme", one[key]["programme"]))
        for result in one.get("results", []):
            if self.records.document[result].get("documents"):
                self.say(node, SCHEMA.subjectOf, iri("document", result))

    def names_and_dates(self, node: URIRef, one: Record) -> None:
        for other in one.get("other_names", []):
            self.say_in(node, OTHER_NAME, other["name"], other.get("language", "de"))
            self.note(one["id"], "name-" + slug(other["name"]), node, other)
        dates = {
            "starts": ("start", SCHEMA.foundingDate, DEF.statedStart),
            "ends": ("end", SCHEMA.dissolutionDate, DEF.statedEnd),
        }
        for key, (word, chosen, stated) in dates.items():
            for date in one.get(key, []):
                self.say(node, stated, dated(date["date"]))
                if date.get("preferred", True):
                    self.say(node, chosen, dated(date["date"]))
                self.note(one["id"], f"{word}-{date['date']}", node, date)
        for concept in one["fields_of_action"]["concepts"] if "fields_of_action" in one else []:
            self.say(node, DEF.actionField, iri("def/action-field", concept))

    def events(self, whole: URIRef, one: Record) -> None:
        for event in one.get("events", []):
            node = iri("event", one["id"], event["id"])
            self.say(whole, SCHEMA.event, node)
            self.say(node, RDF.type, SCHEMA.Event)
            self.say_texts(node, PREFERRED_NAME, event["label"])
            self.say(node, SCHEMA.about, whole)
            self.say(node, SCHEMA.startDate, dated(event["start"]) if "start" in event else None)
            self.say(node, SCHEMA.endDate, dated(event["end"]) if "end" in event else None)
            self.say_text(node, DEF.dateInText, event.get("date_text"))
            self.say_preference(node, event)
            self.say_texts(node, SKOS.note, event.get("note"))
            self.say_evidence(node, event["documents"])

    def grant(self, whole: URIRef, one: Record) -> None:
        if not one.get("amounts"):
            return
        grant = iri("grant", one["id"])
        self.say(whole, SCHEMA.funding, grant)
        self.say(grant, RDF.type, SCHEMA.MonetaryGrant)
        self.say_texts(
            grant,
            PREFERRED_NAME,
            {"de": f"Förderung {one['name']}", "en": f"Funding of {one['name']}"},
        )
        self.say(grant, SCHEMA.fundedItem, whole)
        for amount in one["amounts"]:
            node = iri("amount", one["id"], amount["scope"], amount["value"])
            self.say(grant, DEF.statedAmount, node)
            self.say(grant, SCHEMA.amount, node if amount.get("preferred") else None)
            self.amount(node, amount)
        sponsors = [
            participant
            for participant in one.get("participants", [])
            if participant["role"] == "sponsor"
        ]
        for funder in (*sponsors, *one.get("co_funders", [])):
            self.say(grant, SCHEMA.funder, iri("organisation", funder["organisation"]))

    def amount(self, node: URIRef, amount: Record) -> None:
        self.say(node, RDF.type, SCHEMA.MonetaryAmount)
        self.say_text(node, SCHEMA.value, amount["value"], XSD.integer)
        self.say_text(node, SCHEMA.currency, amount["currency"])
        self.say(node, DEF.scope, iri("def/amount-scope", amount["scope"]))
        self.say_preference(node, amount)
        self.say_texts(node, SKOS.note, amount.get("note"))
        self.say_evidence(node, amount["documents"])

    def membership(self, whole: URIRef, one: Record, participant: Record) -> None:
        node = iri("membership", one["id"], participant["organisation"])
        organisation = iri("organisation", participant["organisation"])
        self.say(whole, (ORG.hasMember, SCHEMA.member), organisation)
        self.say(whole, SCHEMA.member, node)
        self.say(node, RDF.type, ORG.Membership, SCHEMA.OrganizationRole)
        self.say(node, (ORG.member, SCHEMA.member), organisation)
        self.say(node, (ORG.organization, SCHEMA.memberOf), whole)
        role = iri("def/role", participant["role"])
        self.say(node, ORG.role, role)
        self.say_texts(node, SCHEMA.roleName, self.labels(role) | participant.get("role_text", {}))
        self.say(node, DEF.hasEvidence, iri("def/evidence", participant["evidence"]))
        self.say_text(node, DEF.counted, participant["counted"], XSD.boolean)
        self.say_text(node, DEF.namedAs, participant["named"])
        self.say_texts(node, SKOS.note, participant.get("note"))
        self.say_evidence(node, participant["documents"])
        self.interval(node, f"{one['id']}/{participant['organisation']}", participant)

    def interval(self, membership: URIRef, name: str, participant: Record) -> None:
        if "start" not in participant and "end" not in participant:
            return
        interval = iri("interval", name)
        self.say(membership, ORG.memberDuring, interval)
        self.say(interval, RDF.type, TIME.ProperInterval)
        bounds = {
            "start": (SCHEMA.startDate, TIME.hasBeginning, "begin"),
            "end": (SCHEMA.endDate, TIME.hasEnd, "end"),
        }
        for key, (simple, bound, last) in bounds.items():
            if key in participant:
                instant = iri("interval", name, last)
                self.say(membership, simple, dated(participant[key]))
                self.say(interval, bound, instant)
                self.say(instant, RDF.type, TIME.Instant)
                date = dated(participant[key])
                self.say(instant, INSTANT_DATE[date.datatype], date)

    def labels(self, concept: URIRef) -> Record:
        """The labels of a concept of the ontology by language."""
        return {label.language: str(label) for label in self.graph.objects(concept, SKOS.prefLabel)}

    # -- totals ------------------------------------------------------------------------------------

    def totals(self) -> None:
        for one in self.records.totals:
            node = iri("total", one["id"])
            self.say(node, RDF.type, SCHEMA.Observation)
            self.say_texts(node, PREFERRED_NAME, one["label"])
            self.say(node, SCHEMA.about, iri("programme", one["programme"]))
            self.say_text(node, DEF.announcedValue, one["value"], XSD.integer)
            self.say(node, DEF.hasQualifier, iri("def/qualifier", one["qualifier"]))
            if "count_group" in one:
                self.say(node, DEF.countGroup, iri("def/count-group", one["count_group"]))
                self.say_text(node, DEF.recordedValue, self.recorded(one), XSD.integer)
            self.say_texts(node, SCHEMA.measurementMethod, one.get("rule"))
            self.say_evidence(node, one["documents"])
            self.remarks(one["id"], node, one)

    def recorded(self, total: Record) -> int | None:
        """What the records hold of the group that a total counts; nothing for a programme without
        labs.
        """
        labs = [lab for lab in self.records.labs if lab["programme"] == total["programme"]]
        if not labs:
            return None
        if total["count_group"] == "labor":
            return len(labs)
        if total["count_group"] == "land":
            return len({lab["land"]["place"] for lab in labs if "land" in lab})
        counted = [
            one["organisation"]
            for lab in labs
            for one in lab.get("participants", [])
            if one["counted"]
        ]
        groups = [
            self.records.kinds[self.records.organisation[name]["kind"]]["count_group"]
            for name in counted
        ]
        return (
            len(groups)
            if total["count_group"] == "beteiligung"
            else groups.count(total["count_group"])
        )


# -- the journey -----------------------------------------------------------------------------------


def parse_folder(graph: Graph, folder: Path) -> Graph:
    for path in sorted(folder.glob("*.ttl")):
        graph.parse(path, format="turtle", publicID=BASE)
    return graph


def make_graph(project: Path) -> Graph:
    publication = Publication(Records(project / "source"))
    parse_folder(publication.graph, project / "ontology")
    publication.documents()
    publication.places()
    publication.organisations()
    publication.wholes()
    publication.totals()
    return publication.graph


def validate_pyshacl(graph: Graph, shapes: Graph) -> tuple[bool, str]:
    import pyshacl

    conforms, _, report = pyshacl.validate(
        graph, shacl_graph=shapes, advanced=False, inplace=True, allow_warnings=True
    )
    return conforms, report


VALIDATORS = {"pyshacl": validate_pyshacl, "none": lambda graph, shapes: (True, "")}


def write(graph: Graph, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    lines = graph.serialize(format="nt").splitlines(keepends=True)
    (out / "rogl.nt").write_text("".join(sorted(line for line in lines if line.strip())), "utf-8")
    graph.serialize(out / "rogl.ttl", format="turtle")


def main(project: Path, out: Path, validator: str = "pyshacl") -> int:
    graph = make_graph(project)
    conforms, report = VALIDATORS[validator](graph, parse_folder(Graph(), project / "shapes"))
    if not conforms:
        print(report, file=sys.stderr)
        return 1
    write(graph, out)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:]))
