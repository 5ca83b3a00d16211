"""Shapes that ask for a property that no rule of the mapping makes.

    <shape/Cafe-name> sh:path schema:name ; sh:minCount 1 .      the mapping makes foaf:name

Every record would be reported as lacking it, and none of them can be corrected: the shape or the mapping
is wrong. It is one finding, at the shape; what the records lack are its consequences.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from lodpipe.config.vocabulary import Vocabulary
from lodpipe.diagnostics.finding import Finding
from lodpipe.mapping.model import MappingDocument
from lodpipe.shacl.shapes import Shapes

_COMPONENT = "MinCountConstraintComponent"


def with_unmade_properties(
    violations: Iterable[Finding],
    shapes: Shapes,
    mapping: MappingDocument,
    vocabulary: Vocabulary,
    root: Path,
) -> Iterator[Finding]:
    """The findings of shapes; those about a property that nothing states are one finding (LP730) for
    each shape, as severe as they are.
    """
    stated = _properties_of(mapping, vocabulary)
    paths_by_name = _paths_of(shapes, vocabulary) if stated is not None else {}
    lacking: dict[str, list[Finding]] = {}
    for finding in violations:
        shape, path = paths_by_name.get(finding.params.get("shape", ""), ("", ""))
        if shape and path not in (stated or ()) and finding.params.get("component") == _COMPONENT:
            lacking.setdefault(shape, []).append(finding)
        else:
            yield finding
    for shape, findings in lacking.items():
        name = findings[0].params["shape"]
        params = {
            "shape": name, "term": vocabulary.compact(paths_by_name[name][1]), "count": f"{len(findings):,}",
        }  # fmt: skip
        followers = tuple(replace(finding, caused_by="LP730") for finding in findings)
        where = shapes.origin(shape, root)
        yield Finding("LP730", where, params, findings[0].severity, consequences=followers)


def _properties_of(mapping: MappingDocument, vocabulary: Vocabulary) -> set[str] | None:
    """The properties that the rules of the mapping and the ontology state; None where one comes from
    a record, so that it could be any.
    """
    stated = {predicate[1:-1] for _, predicate, _, _ in vocabulary.triples}
    for triples_map in mapping.triples_maps.values():
        for rule in triples_map.rules:
            for predicate in rule.predicates:
                parts = predicate.expression.parts
                if not all(isinstance(part, str) for part in parts):
                    return None
                text = "".join(map(str, parts))
                base = triples_map.base or mapping.base or vocabulary.base
                stated.add(text if ":" in text else base + text)
    return stated


def _paths_of(shapes: Shapes, vocabulary: Vocabulary) -> dict[str, tuple[str, str]]:
    """From names of shapes of properties to the shape and its property."""
    return {
        shapes.name(shape, vocabulary): (shape, paths[0][1:-1])
        for (shape, name), paths in shapes.parts.items()
        if name == "path" and paths[0].startswith("<") and not paths[0].startswith("<urn:")
    }
