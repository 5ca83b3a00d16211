"""What the data state twice so that people can query them: superclasses, bounds of dates, labels, plain
keys, points, municipalities. Each is compared with what it repeats, statement by statement.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator

import pyoxigraph as ox
import pytest
import yaml

from lodpipe.config.vocabulary import read_vocabulary
from support import ROOT, TESTS

Select = Callable[..., list[tuple[str, ...]]]
BASE = "https://w3id.org/rogl/"
HIERARCHY = yaml.safe_load((TESTS / "data/superclasses.yaml").read_text("utf-8"))
VOCABULARY = read_vocabulary(ROOT, BASE)
# Own classes have theirs in the ontology.
SUPERCLASSES: dict[str, list[str]] = HIERARCHY["superclasses"] | {
    VOCABULARY.compact(s[1:-1]): [
        VOCABULARY.compact(o[1:-1])
        for s2, p, o, _ in VOCABULARY.triples
        if s2 == s and p == "<http://www.w3.org/2000/01/rdf-schema#subClassOf>"
    ]
    for s, _, type_, _ in VOCABULARY.triples
    if type_ == "<http://www.w3.org/2002/07/owl#Class>"
}
BOUNDS = [
    ("schema:foundingDate", "def:earliestStart", "def:latestStart"),
    ("schema:startDate", "def:earliestStart", "def:latestStart"),
    ("schema:dissolutionDate", "def:earliestEnd", "def:latestEnd"),
    ("schema:endDate", "def:earliestEnd", "def:latestEnd"),
    ("def:statedStart", "def:earliestStatedStart", "def:latestStatedStart"),
    ("def:statedEnd", "def:earliestStatedEnd", "def:latestStatedEnd"),
    ("schema:datePublished", "def:earliestPublication", "def:latestPublication"),
]


@pytest.fixture(scope="module")
def statements(store: ox.Store) -> Callable[[str], set[tuple[str, str, str]]]:
    """Subject, object and graph of each statement with a property."""

    def of(property_: str) -> set[tuple[str, str, str]]:
        prefix, name = property_.split(":")
        node = ox.NamedNode(VOCABULARY.prefixes[prefix] + name)
        return {
            (str(quad.subject), str(quad.object), str(quad.graph_name))
            for quad in store.quads_for_pattern(None, node, None, None)
        }

    return of


Statements = Callable[[str], set[tuple[str, str, str]]]


# -- superclasses ----------------------------------------------------------------------------------


def above(name: str) -> Iterator[str]:
    """The superclasses of a class that are to be stated."""
    for superclass in SUPERCLASSES[name]:
        if superclass not in HIERARCHY["not_stated"]:
            yield superclass
            yield from above(superclass)


def test_every_superclass_is_stated(statements: Statements) -> None:
    members: dict[str, set[str]] = {}
    for subject, type_, _ in statements("rdf:type"):
        members.setdefault(VOCABULARY.compact(type_[1:-1]), set()).add(subject)
    assert sorted(members.keys() - SUPERCLASSES.keys()) == [], "not in superclasses.yaml"
    missing = {
        (name, superclass): members[name] - members.get(superclass, set())
        for name in members
        for superclass in above(name)
    }
    print(f"{len(members)} classes, {len(missing)} pairs of a class and a superclass")
    assert len(missing) > 25
    assert {pair: some for pair, some in missing.items() if some} == {}
    listed = {(VOCABULARY.compact(a), VOCABULARY.compact(b)) for a, b in VOCABULARY.superclasses}
    foreign = {pair for pair in missing if not pair[0].startswith("def:")}
    assert foreign - listed == set(), "not in the term lists, by which pages hide them"


def test_superclasses_that_are_not_stated_occur_nowhere(statements: Statements) -> None:
    stated = {VOCABULARY.compact(type_[1:-1]) for _, type_, _ in statements("rdf:type")}
    assert HIERARCHY["not_stated"].keys() & stated == set()
    assert all(len(reason) > 9 for reason in HIERARCHY["not_stated"].values())


# -- dates -----------------------------------------------------------------------------------------


def bounds(date: str) -> tuple[str, str]:
    """The first and the last day of a date literal, by the calendar of Python."""
    numbers = [int(part) for part in date[1:].partition('"')[0].split("-")]
    year, first, last = numbers[0], (numbers[1:2] or [1])[0], (numbers[1:2] or [12])[0]
    days = (numbers[2:] or [1])[0], (numbers[2:] or [calendar.monthrange(year, last)[1]])[0]
    return (
        f'"{year:04}-{first:02}-{days[0]:02}"^^<http://www.w3.org/2001/XMLSchema#date>',
        f'"{year:04}-{last:02}-{days[1]:02}"^^<http://www.w3.org/2001/XMLSchema#date>',
    )


@pytest.mark.parametrize("which", [0, 1], ids=["first", "last"])
@pytest.mark.parametrize("properties", [BOUNDS[0:2], BOUNDS[2:4], *([row] for row in BOUNDS[4:])])
def test_every_date_has_its_bounds_in_its_graph_and_nothing_else_has(
    properties: list[tuple[str, str, str]], which: int, statements: Statements
) -> None:
    expected = {
        (subject, bounds(date)[which], graph)
        for property_, *_ in properties
        for subject, date, graph in statements(property_)
    }
    assert expected
    assert statements(properties[0][1 + which]) == expected


def test_a_comparison_with_a_day_finds_what_was_under_way(select: Select) -> None:
    rows = select("""SELECT DISTINCT ?x { ?x a org:Organization ; def:latestStart ?start ; def:earliestEnd ?end
        FILTER(?start <= "2021-06-01"^^xsd:date && ?end >= "2021-06-01"^^xsd:date) }""")
    assert ("programme/rogl",) in rows
    assert ("programme/modellkommune-open-government",) not in rows


# -- labels, keys, points --------------------------------------------------------------------------


@pytest.mark.parametrize("twin", ["rdfs:label", "schema:name"])
def test_every_name_is_stated_in_each_vocabulary(twin: str, statements: Statements) -> None:
    names = {
        row for row in statements("skos:prefLabel") if twin == "rdfs:label" or "/def" not in row[0]
    }
    assert len(names) > 400
    assert names - statements(twin) == set()


@pytest.mark.parametrize("property_", ["dct:identifier", "org:identifier"])
def test_every_key_is_found_as_plain_text(property_: str, statements: Statements) -> None:
    rows = statements(property_)
    typed = {(s, o.rpartition("^^")[0], g) for s, o, g in rows if o.endswith(">")}
    assert len(typed) > 50
    assert typed == {row for row in rows if not row[1].endswith(">")}


def test_every_point_is_a_geometry_with_longitude_before_latitude(statements: Statements) -> None:
    def by_point(property_: str) -> dict[str, str]:
        return {s: o[1:].partition('"')[0] for s, o, _ in statements(property_)}

    latitude, longitude = by_point("schema:latitude"), by_point("schema:longitude")
    texts = {o for _, o, _ in statements("geo:asWKT")}
    assert all(
        text.endswith('"^^<http://www.opengis.net/ont/geosparql#wktLiteral>') for text in texts
    )
    points = {
        s: re.fullmatch(r"POINT\((\S+) (\S+)\)", wkt) for s, wkt in by_point("geo:asWKT").items()
    }
    assert len(points) > 50
    assert {s: match and match.groups() for s, match in points.items()} == {
        s: (longitude[s], latitude[s]) for s in latitude
    }
    assert statements("geo:hasGeometry") == statements("schema:geo")


# -- populations -----------------------------------------------------------------------------------


def test_no_member_municipality_contains_another(select: Select) -> None:
    assert len(select("SELECT DISTINCT ?place { ?lab def:memberMunicipality ?place }")) > 30
    assert (
        select("""SELECT ?a ?b { ?x def:memberMunicipality ?a . ?y def:memberMunicipality ?b .
        ?a schema:containedInPlace+ ?b }""")
        == []
    )


def test_member_municipalities_are_those_that_a_careful_query_finds(select: Select) -> None:
    careful = """?lab org:hasMember/dct:spatial ?place . ?place def:level ?level
        FILTER(?level IN (<def/place-level/gemeinde>, <def/place-level/commune>))"""
    assert set(select("SELECT DISTINCT ?lab ?place { ?lab def:memberMunicipality ?place }")) == set(
        select(f"SELECT DISTINCT ?lab ?place {{ {careful} }}")
    )
