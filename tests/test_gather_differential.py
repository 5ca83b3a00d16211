"""Random gather maps over random records, compared with a reference in plain Python that follows the
text of RML-CC.
"""

from __future__ import annotations

import json
import tempfile
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lodpipe.workflow.mapping_run import MappingOptions, map_file

BASE = "http://example.org/"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
PREFIXES = f"""\
@prefix rml: <http://w3id.org/rml/> .
@prefix rdf: <{RDF}> .
@prefix ex: <{BASE}> .
"""
Record = dict[str, object]
Term = ox.NamedNode | ox.BlankNode | ox.Literal


class Gathering(NamedTuple):
    """A gather map; its members are names of keys, or gather maps."""

    kind: str
    members: tuple[str | Gathering, ...]
    is_product: bool
    allows_empty: bool
    name: str | None

    def turtle(self) -> str:
        """As RML."""
        members = " ".join(
            f"[ {member.turtle()} ]"
            if isinstance(member, Gathering)
            else f'[ rml:reference "$.{member}[*]" ]'
            for member in self.members
        )
        name = f' ; rml:template "{self.name}{{$.id}}"' if self.name else ""
        strategy = "cartesianProduct" if self.is_product else "append"
        return (
            f"rml:gatherAs rdf:{self.kind} ; rml:gather ( {members} ) ; rml:strategy rml:{strategy} ; "
            f"rml:allowEmptyListAndContainer {str(self.allows_empty).lower()}{name}"
        )


def gatherings(depth: int, numbers: list[int]) -> st.SearchStrategy[Gathering]:
    """Gather maps; each name is used once."""

    def numbered(is_named: bool) -> str | None:
        numbers.append(0)
        return f"n{len(numbers)}/" if is_named else None

    member: st.SearchStrategy[str | Gathering] = st.sampled_from(["v", "w"])
    if depth:
        member = st.one_of(member, gatherings(depth - 1, numbers))
    return st.builds(
        Gathering,
        st.sampled_from(["List", "Bag", "Seq", "Alt"]),
        st.lists(member, min_size=1, max_size=3).map(tuple),
        st.booleans(),
        st.booleans(),
        st.booleans().map(numbered),
    )


class Reference:
    """Collections as lists of members under their heads; named ones are put together."""

    def __init__(self) -> None:
        self.members: dict[Term, tuple[str, list[Term]]] = {}

    def heads(self, gathering: Gathering, record: Record) -> list[Term]:
        """The heads of a record's collections."""
        sets = [self.terms(member, record) for member in gathering.members]
        if gathering.is_product:
            lists = [list(combination) for combination in product(*sets)] or [[]]
        else:
            lists = [[term for terms in sets for term in terms]]
        if gathering.name:
            lists = [[term for terms in lists for term in terms]]
        lists = [terms for terms in lists if terms or gathering.allows_empty]
        return [self.head(gathering, record, terms) for terms in lists]

    def terms(self, member: str | Gathering, record: Record) -> list[Term]:
        if isinstance(member, Gathering):
            return self.heads(member, record)
        values = record[member]
        assert isinstance(values, list)
        return [ox.Literal(value) for value in values if value is not None]

    def head(self, gathering: Gathering, record: Record, terms: list[Term]) -> Term:
        head = (
            ox.NamedNode(f"{BASE}{gathering.name}{record['id']}")
            if gathering.name
            else ox.BlankNode()
        )
        self.members.setdefault(head, (gathering.kind, []))[1].extend(terms)
        return head

    def resolved(self, term: Term) -> Term:
        """A term, or rdf:nil for the head of a list to which no record adds a member."""
        kind, terms = self.members.get(term, ("", []))
        return ox.NamedNode(RDF + "nil") if kind == "List" and not terms else term

    def quads(self) -> list[ox.Quad]:
        """What all collections state."""
        quads: list[ox.Quad] = []
        for head, (kind, terms) in self.members.items():
            if kind == "List" and not terms:
                continue
            if kind != "List":
                quads.append(quad(head, "type", ox.NamedNode(RDF + kind)))
                quads += [
                    quad(head, f"_{place}", self.resolved(term))
                    for place, term in enumerate(terms, 1)
                ]
                continue
            nodes = [head, *(ox.BlankNode() for _ in terms[1:]), ox.NamedNode(RDF + "nil")]
            for node, term, following in zip(nodes, terms, nodes[1:], strict=False):
                quads += [quad(node, "first", self.resolved(term)), quad(node, "rest", following)]
        return quads


def quad(subject: Term, word: str, value: Term) -> ox.Quad:
    assert not isinstance(subject, ox.Literal)
    return ox.Quad(subject, ox.NamedNode(RDF + word), value)


def canonical(quads: list[ox.Quad]) -> set[str]:
    dataset = ox.Dataset(quads)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return {str(item) for item in dataset}


VALUES = st.lists(st.sampled_from(["x", "y", "é \"'\n", None]), max_size=3)
RECORDS = st.lists(
    st.fixed_dictionaries({"id": st.sampled_from(["a", "b"]), "v": VALUES, "w": VALUES}),
    min_size=1,
    max_size=4,
)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.data())
def test_random_gather_maps_make_what_the_reference_makes(data: st.DataObject) -> None:
    gathering = data.draw(gatherings(1, []))
    records = data.draw(RECORDS)
    reference = Reference()
    links = [
        (ox.NamedNode(f"{BASE}s{number}"), head)
        for number, record in enumerate(records)
        for head in reference.heads(gathering, record)
    ]
    expected = [
        ox.Quad(subject, ox.NamedNode(BASE + "p"), reference.resolved(head))
        for subject, head in links
    ]
    numbered = [{**record, "number": number} for number, record in enumerate(records)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data.json").write_text(json.dumps(numbered), "utf-8")
        turtle = f"""{PREFIXES} <#m> rml:logicalSource [ rml:source [ a rml:RelativePathSource ; rml:path "data.json" ] ;
            rml:referenceFormulation rml:JSONPath ; rml:iterator "$[*]" ] ; rml:subjectMap [ rml:template "s{{$.number}}" ] ;
            rml:predicateObjectMap [ rml:predicate ex:p ; rml:objectMap [ {gathering.turtle()} ] ] ."""
        (folder / "mapping.ttl").write_text(turtle, "utf-8")
        map_file(folder / "mapping.ttl", folder / "out.nq", MappingOptions(BASE))
        lines = list(ox.parse(path=folder / "out.nq", format=ox.RdfFormat.N_QUADS))
    assert canonical(lines) == canonical([*expected, *reference.quads()])
