"""The data itself, asked with SPARQL: what was counted by hand, what was read, and what must not be
published.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from support import ROOT, TESTS

Select = Callable[..., list[tuple[str, ...]]]
EXPECTED = yaml.safe_load((TESTS / "data" / "expected-counts.yaml").read_text("utf-8"))
BASE = "https://w3id.org/rogl/"
GROUPS = ("kommunal", "zivilgesellschaftlich", "hochschule", "universitaet", "landesbehoerde")
FACTS = ROOT.parent / "shared" / "data" / "rogl-facts.yaml"
ADDITIONS = ROOT.parent / "shared" / "data" / "rogl-facts-additions.yaml"

ENTRIES = """
    ?membership a org:Membership ; org:organization ?lab ; org:member ?organisation ; def:counted ?counted .
    ?lab a org:OrganizationalCollaboration .
    ?organisation org:classification ?kind .
"""


@pytest.fixture(scope="module")
def group_of() -> dict[str, str]:
    """Kind → the group it counts for, from the table of kinds itself."""
    rows = [
        line.split(",") for line in (ROOT / "source" / "kinds.csv").read_text("utf-8").splitlines()
    ]
    return {row[0]: row[rows[0].index("count_group")] for row in rows[1:]}


@pytest.fixture(scope="module")
def entries(select: Select) -> list[dict[str, str]]:
    """Every membership in a lab: lab, organisation, kind, counted."""
    rows = select(f"SELECT DISTINCT ?lab ?organisation ?kind ?counted WHERE {{ {ENTRIES} }}")
    keys = ("lab", "organisation", "kind", "counted")
    return [
        dict(zip(keys, (value.rsplit("/", 1)[-1] for value in row), strict=True)) for row in rows
    ]


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    if not FACTS.is_file():
        pytest.skip("the collection of facts is not at hand")
    loaded: dict[str, Any] = yaml.safe_load(FACTS.read_text("utf-8"))
    return loaded


@pytest.fixture(scope="module")
def additions() -> dict[str, Any]:
    if not ADDITIONS.is_file():
        pytest.skip("the second collection of facts is not at hand")
    loaded: dict[str, Any] = yaml.safe_load(ADDITIONS.read_text("utf-8"))
    return loaded


# -- counts ----------------------------------------------------------------------------------------


def test_there_are_thirteen_labs_in_eight_laender(select: Select) -> None:
    labs = select(
        "SELECT DISTINCT ?lab WHERE { ?lab a org:OrganizationalCollaboration, schema:ResearchProject }"
    )
    assert {lab for (lab,) in labs} == {f"lab/{name}" for name in EXPECTED["labs"]}
    assert len(labs) == 13
    laender = select("""SELECT DISTINCT ?name WHERE {
        ?lab a org:OrganizationalCollaboration ; dct:spatial/skos:prefLabel ?name FILTER (lang(?name) = "de") }""")
    assert sorted(name for (name,) in laender) == sorted(EXPECTED["bundeslaender"])


def test_there_are_118_memberships_in_labs_of_which_98_count(entries: list[dict[str, str]]) -> None:
    assert len(entries) == 118
    assert sum(entry["counted"] == "true" for entry in entries) == 98


@pytest.mark.parametrize("lab", sorted(EXPECTED["labs"]))
def test_a_lab_counts_what_was_counted_by_hand(
    lab: str, entries: list[dict[str, str]], group_of: dict[str, str], select: Select
) -> None:
    own = [entry for entry in entries if entry["lab"] == lab]
    counted = [entry for entry in own if entry["counted"] == "true"]
    counts = {"named": len(own), "counted": len(counted)} | {
        group: sum(group_of[entry["kind"]] == group for entry in counted) for group in GROUPS
    }
    ((complete,),) = select(
        f"SELECT DISTINCT ?c WHERE {{ <lab/{lab}> def:participantsComplete ?c }}"
    )
    assert {**counts, "complete": complete == "true"} == EXPECTED["labs"][lab]


@pytest.mark.parametrize("scope", ["eleven_complete_lists", "all_thirteen"])
def test_all_labs_together_count_what_was_counted_by_hand(
    scope: str, entries: list[dict[str, str]], group_of: dict[str, str]
) -> None:
    expected = EXPECTED[scope]
    labs = {
        name for name, lab in EXPECTED["labs"].items() if lab["complete"] or scope == "all_thirteen"
    }
    counted = [entry for entry in entries if entry["counted"] == "true" and entry["lab"] in labs]
    assert len(counted) == expected["entries"]
    assert len({entry["organisation"] for entry in counted}) == expected["distinct_organisations"]
    for group in GROUPS:
        assert sum(group_of[entry["kind"]] == group for entry in counted) == expected[group], group
    for kind, number in expected.get("by_kind", {}).items():
        assert sum(entry["kind"] == kind for entry in counted) == number, kind


def test_the_published_totals_are_as_they_were_announced(select: Select) -> None:
    announced = {group.rsplit("/", 1)[-1]: value for group, value in select(
        "SELECT DISTINCT ?group ?value WHERE { ?t def:announcedValue ?value ; def:countGroup ?group ; def:hasQualifier <def/qualifier/exactly> ; "
        "schema:about <programme/rogl> }")}  # fmt: skip
    published = EXPECTED["published"] | {
        "land": EXPECTED["published"]["bundeslaender"],
        "labor": 13,
    }
    del published["bundeslaender"]
    assert {
        group: int(value) for group, value in announced.items() if group in published
    } == published


def test_recorded_totals_are_what_the_graph_counts(
    select: Select, entries: list[dict[str, str]], group_of: dict[str, str]
) -> None:
    counted = [entry for entry in entries if entry["counted"] == "true"]
    counts = {group: sum(group_of[entry["kind"]] == group for entry in counted) for group in GROUPS}
    counts |= {
        "labor": len({entry["lab"] for entry in entries}),
        "beteiligung": len(counted),
        "land": len(EXPECTED["bundeslaender"]),
    }
    recorded = select(
        "SELECT DISTINCT ?total ?group ?value WHERE { ?total def:countGroup ?group ; def:recordedValue ?value }"
    )
    print(f"{len(recorded)} recorded totals")
    assert len(recorded) >= 6
    for total, group, value in recorded:
        assert int(value) == counts[group.rsplit("/", 1)[-1]], total


@pytest.mark.parametrize("superclass", ["org:Organization", "schema:Organization"])
def test_a_query_for_all_organisations_finds_all_of_them(superclass: str, select: Select) -> None:
    organisations = {
        iri for (iri,) in select("SELECT DISTINCT ?one { ?one org:classification ?kind }")
    }
    wider = "org:OrganizationalCollaboration schema:FundingScheme"
    others = {
        iri
        for (iri,) in select(
            f"SELECT DISTINCT ?one {{ VALUES ?class {{ {wider} }} ?one a ?class }}"
        )
    }
    parts = {iri for (iri,) in select("SELECT DISTINCT ?one { ?lab org:hasSubOrganization ?one }")}
    members = {iri for (iri,) in select(f"SELECT DISTINCT ?one {{ ?one a {superclass} }}")}
    print(
        f"{len(organisations)} organisations, {len(others)} labs and programmes, {len(parts)} parts of labs"
    )
    assert organisations and others and parts
    assert members == organisations | others | parts
    assert f"the {len(organisations)} organisations and" in (ROOT / "README.md").read_text("utf-8")


def test_the_open_knowledge_foundation_is_one_organisation_in_three_labs(select: Select) -> None:
    rows = select("""SELECT DISTINCT ?o ?lab WHERE {
        ?m a org:Membership ; org:member ?o ; org:organization ?lab ; def:namedAs ?name . ?lab a org:OrganizationalCollaboration
        FILTER STRSTARTS(LCASE(?name), "open knowledge foundation") }""")
    assert {organisation for organisation, _ in rows} == {
        "organisation/open-knowledge-foundation-deutschland"
    }
    assert {lab for _, lab in rows} == {
        "lab/bad-belzig-wiesenburg",
        "lab/brandis",
        "lab/niederrhein",
    }


# -- evidence --------------------------------------------------------------------------------------


def test_every_statement_is_in_the_graph_of_a_document(select: Select) -> None:
    graphs = select(
        "SELECT DISTINCT ?g (EXISTS { ?g a foaf:Document } AS ?known) WHERE { GRAPH ?g { ?s ?p ?o } }"
    )
    print(f"{len(graphs)} named graphs")
    assert [
        graph for graph, known in graphs if known != "true" and graph not in ("def", "withdrawn")
    ] == []
    assert select("SELECT * WHERE { ?s ?p ?o } LIMIT 1", union=False) == [], (
        "statements in the default graph"
    )


def test_every_membership_has_a_source(select: Select) -> None:
    assert (
        select(
            "SELECT ?m WHERE { ?m a org:Membership FILTER NOT EXISTS { ?m prov:wasDerivedFrom/a foaf:Document } }"
        )
        == []
    )


def test_every_organisation_is_used(select: Select) -> None:
    assert (
        select("""SELECT DISTINCT ?o WHERE { ?o org:classification ?kind
        FILTER NOT EXISTS { ?s org:member|def:lead|schema:funder|org:subOrganizationOf ?o } }""")
        == []
    )


def test_every_document_cited_exists_and_every_document_is_used_or_a_lead(select: Select) -> None:
    assert (
        select(
            "SELECT DISTINCT ?d WHERE { ?s prov:wasDerivedFrom|dct:source|foaf:page ?d FILTER NOT EXISTS { ?d a foaf:Document } }"
        )
        == []
    )
    unused = select("""SELECT DISTINCT ?d WHERE { ?d a foaf:Document
        FILTER NOT EXISTS { ?d adms:status <def/document-status/lead> . ?whole <http://www.w3.org/2000/01/rdf-schema#seeAlso> ?d }
        FILTER NOT EXISTS { ?s prov:wasDerivedFrom|foaf:page|schema:subjectOf ?d } FILTER NOT EXISTS { GRAPH ?d { ?s ?p ?o FILTER (?s != ?d) } } }""")
    assert unused == []


def test_every_resource_that_is_named_is_described(select: Select) -> None:
    missing = select("""SELECT DISTINCT ?o WHERE { ?s ?p ?o
        FILTER (isIRI(?o) && STRSTARTS(STR(?o), "https://w3id.org/rogl/") && ?p != schema:url) FILTER NOT EXISTS { ?o ?q ?x } }""")
    assert missing == []


# -- what must not be published --------------------------------------------------------------------


def test_no_private_address_or_number_is_published(dist: Path) -> None:
    text = (dist / "rogl.nt").read_text("utf-8")
    assert re.findall(r"[\w.+-]+@[\w-]+\.[a-z]{2,}", text) == []
    assert re.findall(r"\b(?:mailto|tel):", text) == []
    assert (
        re.findall(
            r'"[^"\n]*(?:\+49|\(0\d{2,4}\)|\b0\d{2,4}[ /-]\d{5,}|\bTel(?:efon)?\b\.?:?\s*\d)[^"\n]*"',
            text,
        )
        == []
    )


def test_same_as_leads_only_to_the_register_of_political_geocoding(select: Select) -> None:
    links = select("SELECT ?s ?o WHERE { ?s owl:sameAs ?o }")
    print(f"{len(links)} owl:sameAs")
    assert len(links) > 50
    assert [
        o for _, o in links if not o.startswith("http://dcat-ap.de/def/politicalGeocoding/")
    ] == []
    assert [s for s, _ in links if not s.startswith("place/")] == []


def test_leading_zeros_survive_in_every_format(dist: Path) -> None:
    key = "04011000"
    spellings = {
        "nq": f'"{key}"^^<https://w3id.org/rogl/def/ags>', "nt": f'"{key}"^^<https://w3id.org/rogl/def/ags>', "ttl": f'"{key}"^^def:ags',
        "trig": f'"{key}"^^def:ags', "rdf": f">{key}<", "jsonld": f'"{key}"',
    }  # fmt: skip
    for suffix, spelling in spellings.items():
        plain = (dist / f"rogl.{suffix}").read_text("utf-8")
        assert spelling in plain, suffix
        assert spelling in gzip.decompress((dist / f"rogl.{suffix}.gz").read_bytes()).decode(
            "utf-8"
        ), suffix
        assert not re.search(r'[">: ]4011000[", <\n]', plain), f"{suffix}: a zero was lost"
    objects = duckdb.sql(
        f"SELECT object FROM '{dist / 'rogl.parquet'}' WHERE object LIKE '%{key}\"^^%'"
    ).fetchall()
    assert {row[0] for row in objects} == {f'"{key}"^^<https://w3id.org/rogl/def/ags>'}
    document = json.loads((dist / "rogl.jsonld").read_text("utf-8"))
    assert key in json.dumps(document)


# -- the facts that were read ----------------------------------------------------------------------


def test_every_participant_of_the_facts_is_published_under_the_name_that_was_read(
    facts: dict[str, Any], select: Select
) -> None:
    named = {
        (lab.removeprefix("lab/"), name)
        for lab, name in select(
            "SELECT ?lab ?name WHERE { ?m org:organization ?lab ; def:namedAs ?name }"
        )
    }
    wanted = {
        (lab["id"], participant["name"])
        for lab in facts["labs"]
        for participant in lab["participants"]
    }
    print(f"{len(wanted)} participations in the facts")
    assert sorted(wanted - named) == []


def test_every_source_of_the_facts_is_a_document(facts: dict[str, Any], select: Select) -> None:
    documents = {
        document.removeprefix("document/")
        for (document,) in select("SELECT DISTINCT ?d WHERE { ?d a foaf:Document }")
    }
    wanted = {source["id"] for source in facts["sources"]}
    print(f"{len(wanted)} sources in the facts")
    assert sorted(wanted - documents) == []


def amounts_in(node: Any, name: str = "") -> set[int]:
    """Every amount in euros that the facts hold."""
    if isinstance(node, dict):
        own = (
            {node["value"]}
            if name.endswith("_eur") and isinstance(node.get("value"), int)
            else set()
        )
        inner = [
            amounts_in(value, name if name.endswith("_eur") else key) for key, value in node.items()
        ]
        return own.union(*inner) if inner else own
    if isinstance(node, list):
        return set().union(*(amounts_in(part, name) for part in node)) if node else set()
    return set()


def test_every_amount_of_the_facts_is_published(facts: dict[str, Any], select: Select) -> None:
    published = {
        int(value)
        for (value,) in select(
            "SELECT DISTINCT ?v WHERE { ?a a schema:MonetaryAmount ; schema:value ?v }"
        )
    }
    wanted = amounts_in(facts["programme"]) | amounts_in(facts["labs"])
    print(f"{len(wanted)} amounts in the facts")
    assert len(wanted) >= 4
    assert sorted(wanted - published) == []


# -- the second collection -------------------------------------------------------------------------


def test_every_new_document_is_used_or_a_lead(additions: dict[str, Any], select: Select) -> None:
    cited = select("SELECT DISTINCT ?d { ?s prov:wasDerivedFrom ?d FILTER (?s != ?d) }")
    leads = select("SELECT ?d { ?d adms:status <def/document-status/lead> }")
    named = {document.removeprefix("document/") for (document,) in cited + leads}
    new = {source["id"] for source in additions["sources"]}
    print(f"{len(new)} new documents, {len(leads)} leads")
    assert sorted(new - named) == []
    assert {lead.removeprefix("document/") for (lead,) in leads} <= new


def quoted(node: Any) -> list[str]:
    """The words that the collection quotes."""
    if isinstance(node, dict):
        own = [node["verbatim"]] if "verbatim" in node else []
        return own + [text for value in node.values() for text in quoted(value)]
    return [text for part in node for text in quoted(part)] if isinstance(node, list) else []


def test_every_quoted_statement_has_its_quote(additions: dict[str, Any], select: Select) -> None:
    words = {
        text for (text,) in select("SELECT ?text { ?q a schema:Quotation ; schema:text ?text }")
    }
    wanted = quoted(additions)
    print(f"{len(wanted)} quotes in the collection, {len(words)} published")
    # What a cut-off text announces is a gap, and the rival application took no part: both are remarks.
    remarks = ("mit 50.000 Euro gefördert hat", "wird initiiert von Urban Innovation")
    missing = [
        text
        for text in wanted
        if not text.startswith(remarks) and not any(text in word for word in words)
    ]
    assert missing == []


def test_what_is_not_stated_of_the_lab_itself_does_not_count(select: Select) -> None:
    marked = select("SELECT ?m ?counted { ?m def:hasConfidence ?c ; def:counted ?counted }")
    print(f"{len(marked)} memberships with a confidence of their own")
    assert marked and {counted for _, counted in marked} == {"false"}
