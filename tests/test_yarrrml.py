"""YARRRML means the same here as in the library yatter, which translates it to RML (both read, in
the form of sets, and compared).
"""

from __future__ import annotations

import logging
from typing import Any

import pytest
import rdflib
import yaml
from rdflib.namespace import Namespace

from lodpipe.documents.readers import read_yaml
from lodpipe.mapping.functions.functions import GREL
from lodpipe.mapping.model import Expression, ReferencingMap, TermMap
from lodpipe.mapping.rml.rml_reader import read_rml_text
from lodpipe.mapping.yarrrml.yarrrml_reader import read_yarrrml
from mapping_effects import effects

RR, RML = Namespace("http://www.w3.org/ns/r2rml#"), Namespace("http://semweb.mmlab.be/ns/rml#")
HEAD = "prefixes:\n  ex: https://example.org/ns#\n  xsd: http://www.w3.org/2001/XMLSchema#\nmappings:\n  thing:\n    sources:\n      - [in.csv~csv]\n"
TOWN = "  town:\n    sources:\n      - [towns.csv~csv]\n    s: ex:$(key)\n    po:\n      - [ex:name, $(name)]\n"

CASES = {
    "type and literal": "    s: https://example.org/thing/$(id)\n    po:\n      - [a, ex:Thing]\n      - [ex:name, $(name)]\n",
    "language": "    s: ex:$(id)\n    po:\n      - [ex:name, $(name), de~lang]\n      - {p: ex:note, o: {value: $(note), language: en}}\n",
    "datatype": "    s: ex:$(id)\n    po:\n      - [ex:n, $(n), xsd:integer]\n      - {p: ex:m, o: {value: $(m), datatype: xsd:decimal}}\n",
    "IRI by reference and by template": "    s: ex:$(id)\n    po:\n      - [ex:link, $(link)~iri]\n      - [ex:of, 'ex:$(a)-$(b)~iri']\n"
    "      - {p: ex:part, o: {value: 'ex:$(part)', type: iri}}\n",
    "several predicates and objects": "    s: ex:$(id)\n    po:\n      - [[ex:a, ex:b], [$(x), $(y)]]\n      - {p: [ex:c, ex:d], o: [$(x), $(y)]}\n",
    "graphs": "    s: ex:$(id)\n    graphs: ex:all\n    po:\n      - [ex:a, $(x)]\n      - {p: ex:b, o: $(x), graphs: 'ex:$(g)'}\n",
    "constants": "    s: ex:only\n    po:\n      - [ex:a, ex:b~iri]\n      - [ex:n, '42', xsd:integer]\n      - [ex:note, word]\n",
    "template literal": "    s: ex:$(id)\n    po:\n      - [ex:note, 'from $(a) to $(b)', en~lang]\n",
    "join with a condition": "    s: ex:$(id)\n    po:\n      - p: ex:of\n        o:\n          mapping: town\n          condition:\n"
    "            function: equal\n            parameters:\n              - [str1, $(town), s]\n              - [str2, $(key), o]\n"
    + TOWN,
    "join with two conditions": "    s: ex:$(id)\n    po:\n      - p: ex:of\n        o:\n          mapping: town\n          condition:\n"
    "            - function: equal\n              parameters:\n                - [str1, $(town), s]\n                - [str2, $(key), o]\n"
    "            - function: equal\n              parameters:\n                - [str1, $(land), s]\n                - [str2, $(state), o]\n"
    + TOWN,
    "two mappings": "    s: ex:$(id)\n    po:\n      - [ex:name, $(name)]\n" + TOWN,
    "full names of the keys": "    subjects: ex:$(id)\n    predicateobjects:\n      - {predicates: ex:name, objects: $(name)}\n",
}


# -- ours ------------------------------------------------------------------------------------------


def spelled(expression: Expression) -> str:
    return "".join(
        part if isinstance(part, str) else "{" + part.name + "}" for part in expression.parts
    )


def our_term(term: TermMap) -> tuple[Any, ...]:
    kind = "iri" if term.term_type == "iri" else "literal"
    return (
        kind,
        spelled(term.expression),
        spelled(term.datatype) if term.datatype else "",
        spelled(term.language) if term.language else "",
    )


def by_lodpipe(text: str) -> set[tuple[Any, ...]]:
    """Every (source, subject, predicate, object, graphs) that a mapping states."""
    document = read_yarrrml(read_yaml(text, "mapping.yaml"), "mapping.yaml", {})
    rules = set()
    for triples_map in document.triples_maps.values():
        for rule in triples_map.rules:
            graphs = frozenset(our_term(graph) for graph in (*triples_map.graphs, *rule.graphs))
            for item in rule.objects:
                if isinstance(item, ReferencingMap):
                    joins = frozenset(
                        (reference(join.child), reference(join.parent)) for join in item.joins
                    )
                    target: tuple[Any, ...] = (
                        "parent",
                        our_term(document.triples_maps[item.parent].subject),
                        joins,
                    )
                else:
                    target = our_term(item)
                rules |= {
                    (
                        triples_map.source.text,
                        our_term(triples_map.subject),
                        our_term(predicate),
                        target,
                        graphs,
                    )
                    for predicate in rule.predicates
                }
    return rules


def reference(side: Expression | str) -> str:
    return side if isinstance(side, str) else spelled(side).strip("{}")


# -- yatter's --------------------------------------------------------------------------------------


def their_term(graph: rdflib.Graph, node: Any) -> tuple[Any, ...]:
    language, datatype = graph.value(node, RR.language), graph.value(node, RR.datatype)
    constant, template, column = (
        graph.value(node, key) for key in (RR.constant, RR.template, RML.reference)
    )
    typed = graph.value(node, RR.termType)
    if typed is not None:
        kind = "iri" if typed == RR.IRI else "literal"
    elif language is not None or datatype is not None or column is not None:
        kind = "literal"
    else:
        kind = "iri" if template is not None or isinstance(constant, rdflib.URIRef) else "literal"
    text = (
        "{" + str(column) + "}"
        if column is not None
        else str(template if template is not None else constant)
    )
    return kind, text, str(datatype or ""), str(language or "")


def by_yatter(text: str) -> set[tuple[Any, ...]]:
    yatter = pytest.importorskip("yatter")
    logging.disable(logging.WARNING)
    try:
        rml = yatter.translate(yaml.safe_load(text))
    finally:
        logging.disable(logging.NOTSET)
    graph = rdflib.Graph().parse(data=rml, format="turtle")
    rules = set()
    for triples_map in graph.subjects(rdflib.RDF.type, RR.TriplesMap):
        subject = graph.value(triples_map, RR.subjectMap)
        source = str(graph.value(graph.value(triples_map, RML.logicalSource), RML.source))
        for rule in graph.objects(triples_map, RR.predicateObjectMap):
            graphs = frozenset(
                their_term(graph, node)
                for owner in (subject, rule)
                for node in graph.objects(owner, RR.graphMap)
            )
            for item in graph.objects(rule, RR.objectMap):
                parent = graph.value(item, RR.parentTriplesMap)
                if parent is not None:
                    conditions = graph.objects(item, RR.joinCondition)
                    joins = frozenset(
                        (
                            str(graph.value(condition, RR.child)),
                            str(graph.value(condition, RR.parent)),
                        )
                        for condition in conditions
                    )
                    target: tuple[Any, ...] = (
                        "parent",
                        their_term(graph, graph.value(parent, RR.subjectMap)),
                        joins,
                    )
                else:
                    target = their_term(graph, item)
                for predicate in graph.objects(rule, RR.predicateMap):
                    rules.add(
                        (
                            source,
                            their_term(graph, subject),
                            their_term(graph, predicate),
                            target,
                            graphs,
                        )
                    )
    return rules


@pytest.mark.parametrize("name", CASES)
def test_a_mapping_means_the_same_to_yatter(name: str) -> None:
    text = HEAD + CASES[name]
    assert by_lodpipe(text) == by_yatter(text)


def test_functions_mean_the_same_to_yatter() -> None:
    """Yatter writes the words of a draft of RML-FNML."""
    yatter = pytest.importorskip("yatter")
    text = (
        HEAD
        + """    s: ex:$(id)
    po:
      - p: ex:name
        o:
          function: grel:toUpperCase
          parameters:
            - [grel:valueParameter, $(name)]
      - p: ex:label
        o:
          function: grel:string_replace
          parameters:
            - [grel:valueParameter, $(name)]
            - [grel:p_string_find, "x"]
            - [grel:p_string_replace, "b"]
"""
    )
    text = text.replace("prefixes:\n", f"prefixes:\n  grel: {GREL}\n")
    rml = read_rml_text(yatter.translate(yaml.safe_load(text)), "yatter.ttl", "http://example.com/")
    own = read_yarrrml(read_yaml(text, "own.yaml"), "own.yaml", {})
    assert effects(rml) == effects(own)


def test_there_are_enough_mappings() -> None:
    print(f"{len(CASES)} mappings")
    assert len(CASES) >= 10


@pytest.mark.parametrize(
    ("mistake", "text"),
    [
        (
            "a misspelt key",
            HEAD + "    s: ex:$(id)\n    predicateobjcts:\n      - [ex:name, $(name)]\n",
        ),
        ("an unknown prefix", HEAD + "    s: ex:$(id)\n    po:\n      - [exx:name, $(name)]\n"),
        (
            "a missing mapping",
            HEAD + "    s: ex:$(id)\n    po:\n      - {p: ex:of, o: {mapping: twon}}\n",
        ),
    ],
)
def test_what_yatter_may_pass_over_is_reported_here(mistake: str, text: str) -> None:
    from lodpipe.diagnostics.finding import InvalidDeclaration

    with pytest.raises(InvalidDeclaration) as caught:
        by_lodpipe(text)
    assert {finding.code for finding in caught.value.findings} == {"LP602"}, mistake
    assert all(finding.where and finding.where.line > 4 for finding in caught.value.findings)
