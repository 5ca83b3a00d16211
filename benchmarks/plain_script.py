"""The baseline: one plain script, without lodpipe, that makes the same graph, validates it and
writes two dumps.

    python benchmarks/plain_script.py PROJECT OUT [pyshacl|none]

Written as a developer would who knows the usual libraries: PyYAML with libyaml, csv, rdflib and
pySHACL. It makes the very triples of source/mapping.yaml (the union of its graphs), and nothing
else: no line numbers, no graphs of evidence, no check of records, no catalogue. What it must know
of the data is in its code. The third word chooses the validator: pySHACL is what a plain script
uses; `none` leaves validation out, to show what the rest costs.
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
        self.document = {document["id"]: document for document in self.documents}
        self.place = {place["id"]: place for place in self.places}
        self.organisation = {
            organisation["id"]: organisation for organisation in self.organisations
        }

    def wholes(self) -> Iterator[tuple[str, Record]]:
        """Labs and programmes with the folder of their IRIs; they share names, dates, amounts,
        events, participants and remarks.
        """
        yield from (("lab", lab) for lab in self.labs)
        yield from (("programme", programme) for programme in self.programmes)


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

    def add(
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

    def add_text(
        self,
        subject: URIRef,
        predicates: URIRef | tuple[URIRef, ...],
        value: object,
        datatype: URIRef | None = None,
    ) -> None:
        if value is not None:
            self.add(subject, predicates, Literal(text(value), datatype=datatype))

    def add_in(
        self,
        subject: URIRef,
        predicates: URIRef | tuple[URIRef, ...],
        value: str | None,
        language: str,
    ) -> None:
        if value is not None:
            self.add(subject, predicates, Literal(value, lang=language))

    def add_texts(
        self, subject: URIRef, predicates: URIRef | tuple[URIRef, ...], texts: Record | None
    ) -> None:
        """Texts by language."""
        for language, value in (texts or {}).items():
            self.add_in(subject, predicates, value, language)

    def add_evidence(self, subject: URIRef, documents: list[str]) -> None:
        self.add(subject, EVIDENCE, *(iri("document", document) for document in documents))

    def add_preference(self, subject: URIRef, record: Record) -> None:
        if record.get("preferred") is not None:
            self.add(
                subject,
                DEF.hasPreference,
                iri("def/preference", "preferred" if record["preferred"] else "alternative"),
            )

    def identifier(self, scheme: str, value: str, name: str, agency: str) -> URIRef:
        """The node of a key."""
        node = iri("identifier", scheme, value.removeprefix("https://ror.org/").replace(" ", ""))
        self.add(node, RDF.type, ADMS.Identifier, SCHEMA.PropertyValue)
        self.add_text(node, SKOS.notation, value, DEF[scheme])
        self.add_text(node, SCHEMA.propertyID, name)
        self.add_text(node, SCHEMA.value, value)
        self.add_text(node, ADMS.schemaAgency, agency)
        return node

    def remark(
        self, owner: str, name: str, about: URIRef, kind: str, texts: Record, documents: list[str]
    ) -> None:
        node = iri("remark", owner, name)
        self.add(node, RDF.type, SCHEMA.Comment, PROV.Entity)
        self.add(node, SCHEMA.about, about)
        self.add(node, DCT.type, iri("def/remark-kind", kind))
        self.add_texts(node, SCHEMA.text, texts)
        self.add_evidence(node, documents)

    def remarks(self, owner: str, about: URIRef, record: Record) -> None:
        for remark in record.get("remarks", []):
            self.remark(
                owner,
                remark["id"],
                about,
                remark["kind"],
                remark["text"],
                remark.get("documents") or ["redaktion"],
            )

    def note(self, owner: str, name: str, about: URIRef, record: Record) -> None:
        """The note beside a single fact is a remark of its own."""
        if "note" in record:
            self.remark(owner, name, about, "context", record["note"], record["documents"])

    # -- documents ---------------------------------------------------------------------------------

    def documents(self) -> None:
        for document in self.records.documents:
            self.document(iri("document", document["id"]), document)

    def document(self, node: URIRef, record: Record) -> None:
        self.add(
            node,
            RDF.type,
            FOAF.Document,
            PROV.Entity,
            SCHEMA[DOCUMENT_CLASSES.get(record["kind"], "WebPage")],
        )
        self.add_in(node, (*PREFERRED_NAME, DCT.title), record["title"], record["language"])
        self.add(node, SCHEMA.url, URIRef(record["url"]))
        self.add_text(node, DC.publisher, record["publisher"])
        self.add_text(node, DCT.language, record["language"])
        self.add(node, DCT.type, iri("def/document-kind", record["kind"]))
        if "date" in record:
            self.add(node, (SCHEMA.datePublished, DCT.issued), dated(record["date"]))
        self.add_text(node, DEF.dateInText, record.get("date_text"))
        self.add(node, SCHEMA.license, URIRef(record["licence"]) if "licence" in record else None)
        self.add_text(node, SCHEMA.creditText, record.get("licence_text"))
        self.add(
            node, SCHEMA.about, iri("programme", record["about"]) if "about" in record else None
        )
        self.add_texts(node, SKOS.note, record.get("note"))
        self.add_evidence(node, record.get("documents", []))

    # -- places ------------------------------------------------------------------------------------

    def places(self) -> None:
        for place in self.records.places:
            node = iri("place", place["id"])
            self.place(node, place)
            self.place_links(node, place)
            self.place_keys(node, place)

    def place(self, node: URIRef, record: Record) -> None:
        self.add(
            node,
            RDF.type,
            DCT.Location,
            SCHEMA.City
            if record["level"] in ("gemeinde", "commune")
            else SCHEMA.AdministrativeArea,
        )
        self.add_in(node, PREFERRED_NAME, record["name"], record["name_language"])
        self.add_in(node, DCT.alternative, record["official_name"], record["name_language"])
        self.add(node, DEF.level, iri("def/place-level", record["level"]))
        self.add(
            node,
            SCHEMA.containedInPlace,
            iri("place", record["within"]) if record["within"] else None,
        )
        self.add_text(node, SCHEMA.addressCountry, record["country"])
        self.add_text(node, DEF.population, record["population"], XSD.integer)
        self.add_text(node, DEF.areaHectares, record["area_ha"], XSD.integer)
        self.add_text(node, SCHEMA.postalCode, record["postal_code"])
        for scheme in ("ags", "ars", "insee", "siren"):
            self.add_text(node, DCT.identifier, record[scheme], DEF[scheme])
        self.add_evidence(node, [record["keys_document"]])

    def place_links(self, node: URIRef, record: Record) -> None:
        if record["ags"]:
            self.add(node, OWL.sameAs, GEOCODING["municipalityKey/" + record["ags"]])
        if record["level"] == "land":
            self.add(node, OWL.sameAs, GEOCODING["stateKey/" + record["ars"][:2]])
        if record["level"] == "kreis":
            self.add(node, OWL.sameAs, GEOCODING["districtKey/" + record["ars"][:5]])
        if record["nuts"]:
            self.add_text(node, DCT.identifier, record["nuts"], DEF.nuts)
            self.add_evidence(node, [record["nuts_document"]])
        if record["lat"] and record["lon"]:
            point = iri("place", record["id"], "point")
            self.add(node, SCHEMA.geo, point)
            self.add_evidence(node, [record["coordinates_document"]])
            self.add(point, RDF.type, SCHEMA.GeoCoordinates)
            self.add_text(point, SCHEMA.latitude, record["lat"], XSD.decimal)
            self.add_text(point, SCHEMA.longitude, record["lon"], XSD.decimal)
        if record["wikidata"]:
            self.add(node, (SKOS.exactMatch, SCHEMA.sameAs), WIKIDATA[record["wikidata"]])
            self.add_evidence(node, [record["wikidata_document"]])
        if record["geonames"]:
            self.add(
                node, SKOS.closeMatch, URIRef(f"https://sws.geonames.org/{record['geonames']}/")
            )
            self.add_evidence(node, [record["geonames_document"]])

    def place_keys(self, node: URIRef, record: Record) -> None:
        for scheme, (name, agency) in PLACE_KEYS.items():
            if not record[scheme]:
                continue
            key = self.identifier(scheme, record[scheme], name, agency)
            self.add(node, IDENTIFIER, key)
            issued = self.records.document[record["keys_document"]].get("date")
            if scheme in ("ags", "ars") and issued:
                self.add_text(key, DCT.issued, issued, XSD.date)

    # -- organisations -----------------------------------------------------------------------------

    def organisations(self) -> None:
        evidence = self.organisation_evidence()
        for organisation in self.records.organisations:
            node = iri("organisation", organisation["id"])
            self.organisation(node, organisation, sorted(evidence[organisation["id"]]))
            self.organisation_keys(node, organisation)
            self.remarks(organisation["id"], node, organisation)

    def organisation_evidence(self) -> dict[str, set[str]]:
        """The documents that speak of each organisation: its own, and those of its participations,
        leads and co-funding.
        """
        evidence: dict[str, set[str]] = defaultdict(set)
        for organisation in self.records.organisations:
            evidence[organisation["id"]].update(organisation.get("documents", []))
        for _, whole in self.records.wholes():
            for part in ("participants", "leads", "co_funders"):
                for organisation in whole.get(part, []):
                    evidence[organisation["organisation"]].update(organisation["documents"])
        return evidence

    def organisation(self, node: URIRef, record: Record, evidence: list[str]) -> None:
        kind = self.records.kinds[record["kind"]]
        self.add(
            node,
            RDF.type,
            ORG[kind["org_class"].removeprefix("org:")],
            SCHEMA[kind["schema_class"].removeprefix("schema:")],
        )
        self.add(node, ORG.classification, iri("def/kind", record["kind"]))
        self.add_text(node, DEF.legalForm, record.get("legal_form"))
        self.add_text(node, DEF.nameComplete, record.get("name_complete"), XSD.boolean)
        self.add(
            node, SPATIAL, iri("place", record["territory"]) if "territory" in record else None
        )
        self.add(node, SCHEMA.location, iri("place", record["seat"]) if "seat" in record else None)
        self.add(
            node, PARENT, iri("organisation", record["part_of"]) if "part_of" in record else None
        )
        if evidence:
            self.add_in(node, PREFERRED_NAME, record["name"], record.get("language", "de"))
            self.add_evidence(node, evidence)
        for other in record.get("other_names", []):
            self.add_in(node, OTHER_NAME, other["name"], other.get("language", "de"))
        if "website" in record:
            self.add(node, (SCHEMA.url, FOAF.homepage), URIRef(record["website"]["url"]))

    def organisation_keys(self, node: URIRef, record: Record) -> None:
        for scheme, agency in ORGANISATION_KEYS.items():
            documents = [
                name
                for name in record.get("identified_by", [])
                if name == scheme or (name == "ror" and scheme in ("isni", "grid"))
            ]
            if scheme not in record or not documents:
                continue
            value = record[scheme]
            self.add(node, IDENTIFIER, self.identifier(scheme, value, scheme.upper(), agency))
            self.add_text(node, ORG.identifier, value, DEF[scheme])
            self.add_evidence(node, documents)
            if scheme == "ror":
                self.add(node, SCHEMA.sameAs, URIRef(value))
            if scheme == "wikidata":
                self.add(node, (SKOS.closeMatch, SCHEMA.sameAs), WIKIDATA[value])
        if "territory" in record and record["kind"] in ("stadt", "gemeinde"):
            self.add_text(
                node, ORG.identifier, self.records.place[record["territory"]]["ags"], DEF.ags
            )

    # -- labs and programmes -----------------------------------------------------------------------

    def wholes(self) -> None:
        for folder, record in self.records.wholes():
            node = iri(folder, record["id"])
            self.add_in(node, PREFERRED_NAME, record["name"], "de")
            self.add_evidence(node, record["documents"])
            (self.lab if folder == "lab" else self.programme)(node, record)
            self.names_and_dates(node, record)
            self.events(node, record)
            self.grant(node, record)
            for participant in record.get("participants", []):
                self.membership(node, record, participant)
            self.remarks(record["id"], node, record)

    def lab(self, node: URIRef, record: Record) -> None:
        self.add(node, RDF.type, ORG.OrganizationalCollaboration, SCHEMA.ResearchProject)
        self.add(node, PARENT, iri("programme", record["programme"]))
        self.add_text(node, DEF.participantsComplete, record["participants_complete"], XSD.boolean)
        self.add_text(
            node, DEF.participantsMissing, record.get("participants_missing"), XSD.integer
        )
        self.add_texts(node, DEF.participantsBasis, record.get("participants_basis"))
        if "page" in record:
            self.add(node, FOAF.page, iri("document", record["page"]["document"]))
            self.add_text(
                node, DEF.pageListsParticipants, record["page"]["lists_participants"], XSD.boolean
            )
        for site in record.get("websites", []):
            self.add(node, SCHEMA.url, URIRef(site["url"]))
            self.note(
                record["id"],
                "website-" + re.sub("[^a-z0-9]+", "-", site["url"]).strip("-"),
                node,
                site,
            )
        if "land" in record:
            self.add(node, SPATIAL, iri("place", record["land"]["place"]))
            self.note(record["id"], "land", node, record["land"])
        for lead in record.get("leads", []):
            self.add(node, DEF.lead, iri("organisation", lead["organisation"]))
            self.note(record["id"], "lead-" + lead["organisation"], node, lead)
        for funder in record.get("co_funders", []):
            self.add(node, SCHEMA.funder, iri("organisation", funder["organisation"]))
        for term in record["themes"]["terms"] if "themes" in record else []:
            self.add_in(node, SCHEMA.keywords, term, "de")
        for part in record.get("sub_labs", []):
            self.part_of_lab(node, record, part)

    def part_of_lab(self, lab: URIRef, record: Record, part: Record) -> None:
        node = iri("lab", record["id"], part["id"])
        self.add(lab, (ORG.hasSubOrganization, SCHEMA.subOrganization), node)
        self.add(node, RDF.type, ORG.Organization, SCHEMA.Organization)
        self.add_in(node, PREFERRED_NAME, part["name"], "de")
        self.add(node, PARENT, lab)
        self.add_evidence(node, part["documents"])
        self.note(record["id"], part["id"], node, part)

    def programme(self, node: URIRef, record: Record) -> None:
        self.add(node, RDF.type, ORG.Organization, SCHEMA.FundingScheme)
        links = {"part_of": PARENT, "funding_line": ORG.linkedTo, "follows": PROV.wasInfluencedBy}
        for key, predicates in links.items():
            if key in record:
                self.add(node, predicates, iri("programme", record[key]["programme"]))
        for result in record.get("results", []):
            if self.records.document[result].get("documents"):
                self.add(node, SCHEMA.subjectOf, iri("document", result))

    def names_and_dates(self, node: URIRef, record: Record) -> None:
        for other in record.get("other_names", []):
            self.add_in(node, OTHER_NAME, other["name"], other.get("language", "de"))
            self.note(record["id"], "name-" + slug(other["name"]), node, other)
        dates = {
            "starts": ("start", SCHEMA.foundingDate, DEF.statedStart),
            "ends": ("end", SCHEMA.dissolutionDate, DEF.statedEnd),
        }
        for key, (word, chosen, stated) in dates.items():
            for date in record.get(key, []):
                self.add(node, stated, dated(date["date"]))
                if date.get("preferred", True):
                    self.add(node, chosen, dated(date["date"]))
                self.note(record["id"], f"{word}-{date['date']}", node, date)
        for concept in (
            record["fields_of_action"]["concepts"] if "fields_of_action" in record else []
        ):
            self.add(node, DEF.actionField, iri("def/action-field", concept))

    def events(self, whole: URIRef, record: Record) -> None:
        for event in record.get("events", []):
            node = iri("event", record["id"], event["id"])
            self.add(whole, SCHEMA.event, node)
            self.add(node, RDF.type, SCHEMA.Event)
            self.add_texts(node, PREFERRED_NAME, event["label"])
            self.add(node, SCHEMA.about, whole)
            self.add(node, SCHEMA.startDate, dated(event["start"]) if "start" in event else None)
            self.add(node, SCHEMA.endDate, dated(event["end"]) if "end" in event else None)
            self.add_text(node, DEF.dateInText, event.get("date_text"))
            self.add_preference(node, event)
            self.add_texts(node, SKOS.note, event.get("note"))
            self.add_evidence(node, event["documents"])

    def grant(self, whole: URIRef, record: Record) -> None:
        if not record.get("amounts"):
            return
        grant = iri("grant", record["id"])
        self.add(whole, SCHEMA.funding, grant)
        self.add(grant, RDF.type, SCHEMA.MonetaryGrant)
        self.add_texts(
            grant,
            PREFERRED_NAME,
            {"de": f"Förderung {record['name']}", "en": f"Funding of {record['name']}"},
        )
        self.add(grant, SCHEMA.fundedItem, whole)
        for amount in record["amounts"]:
            node = iri("amount", record["id"], amount["scope"], amount["value"])
            self.add(grant, DEF.statedAmount, node)
            self.add(grant, SCHEMA.amount, node if amount.get("preferred") else None)
            self.amount(node, amount)
        sponsors = [
            participant
            for participant in record.get("participants", [])
            if participant["role"] == "sponsor"
        ]
        for funder in (*sponsors, *record.get("co_funders", [])):
            self.add(grant, SCHEMA.funder, iri("organisation", funder["organisation"]))

    def amount(self, node: URIRef, amount: Record) -> None:
        self.add(node, RDF.type, SCHEMA.MonetaryAmount)
        self.add_text(node, SCHEMA.value, amount["value"], XSD.integer)
        self.add_text(node, SCHEMA.currency, amount["currency"])
        self.add(node, DEF.scope, iri("def/amount-scope", amount["scope"]))
        self.add_preference(node, amount)
        self.add_texts(node, SKOS.note, amount.get("note"))
        self.add_evidence(node, amount["documents"])

    def membership(self, whole: URIRef, record: Record, participant: Record) -> None:
        node = iri("membership", record["id"], participant["organisation"])
        organisation = iri("organisation", participant["organisation"])
        self.add(whole, (ORG.hasMember, SCHEMA.member), organisation)
        self.add(whole, SCHEMA.member, node)
        self.add(node, RDF.type, ORG.Membership, SCHEMA.OrganizationRole)
        self.add(node, (ORG.member, SCHEMA.member), organisation)
        self.add(node, (ORG.organization, SCHEMA.memberOf), whole)
        role = iri("def/role", participant["role"])
        self.add(node, ORG.role, role)
        self.add_texts(node, SCHEMA.roleName, self.labels(role) | participant.get("role_text", {}))
        self.add(node, DEF.hasEvidence, iri("def/evidence", participant["evidence"]))
        self.add_text(node, DEF.counted, participant["counted"], XSD.boolean)
        self.add_text(node, DEF.namedAs, participant["named"])
        self.add_texts(node, SKOS.note, participant.get("note"))
        self.add_evidence(node, participant["documents"])
        self.interval(node, f"{record['id']}/{participant['organisation']}", participant)

    def interval(self, membership: URIRef, name: str, participant: Record) -> None:
        if "start" not in participant and "end" not in participant:
            return
        interval = iri("interval", name)
        self.add(membership, ORG.memberDuring, interval)
        self.add(interval, RDF.type, TIME.ProperInterval)
        bounds = {
            "start": (SCHEMA.startDate, TIME.hasBeginning, "begin"),
            "end": (SCHEMA.endDate, TIME.hasEnd, "end"),
        }
        for key, (simple, bound, last) in bounds.items():
            if key in participant:
                instant = iri("interval", name, last)
                self.add(membership, simple, dated(participant[key]))
                self.add(interval, bound, instant)
                self.add(instant, RDF.type, TIME.Instant)
                date = dated(participant[key])
                self.add(instant, INSTANT_DATE[date.datatype], date)

    def labels(self, concept: URIRef) -> Record:
        """The labels of a concept of the ontology by language."""
        return {label.language: str(label) for label in self.graph.objects(concept, SKOS.prefLabel)}

    # -- totals ------------------------------------------------------------------------------------

    def totals(self) -> None:
        for total in self.records.totals:
            node = iri("total", total["id"])
            self.add(node, RDF.type, SCHEMA.Observation)
            self.add_texts(node, PREFERRED_NAME, total["label"])
            self.add(node, SCHEMA.about, iri("programme", total["programme"]))
            self.add_text(node, DEF.announcedValue, total["value"], XSD.integer)
            self.add(node, DEF.hasQualifier, iri("def/qualifier", total["qualifier"]))
            if "count_group" in total:
                self.add(node, DEF.countGroup, iri("def/count-group", total["count_group"]))
                self.add_text(node, DEF.recordedValue, self.recorded(total), XSD.integer)
            self.add_texts(node, SCHEMA.measurementMethod, total.get("rule"))
            self.add_evidence(node, total["documents"])
            self.remarks(total["id"], node, total)

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
            participant["organisation"]
            for lab in labs
            for participant in lab.get("participants", [])
            if participant["counted"]
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
