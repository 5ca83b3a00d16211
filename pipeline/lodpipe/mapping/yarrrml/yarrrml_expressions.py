"""Texts of a YARRRML file as expressions: `$(references)`, prefixes and external values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Sequence as Sequence_

from lodpipe.diagnostics.suggestions import did_you_mean
from lodpipe.documents.tree import Node
from lodpipe.mapping.functions.functions import GREL, IDLAB
from lodpipe.mapping.model import Call, Expression, Reference
from lodpipe.mapping.yarrrml.yarrrml_nodes import NodeReader

_PART = re.compile(r"\\([$()\\:])|\$\(((?:[^)\\]|\\.)*)\)|(\\|[^\\$]+|\$)", re.DOTALL)
CURIE = re.compile(r"([A-Za-z_][\w.-]*|):(?!//)")
_SUFFIX = re.compile(r"\S*[\w)/]~([A-Za-z]{1,6})")
_ESCAPED = re.compile(r"\\.")
_SCHEMES = ("urn", "mailto", "tel", "doi", "info", "tag", "geo")

# Prefixes that need no declaration: those of yarrrml-parser that mappings in the wild rely on.
WELL_KNOWN = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "schema": "http://schema.org/",
    "dcterms": "http://purl.org/dc/terms/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "prov": "http://www.w3.org/ns/prov#",
    "void": "http://rdfs.org/ns/void#",
    "geo": "http://www.w3.org/2003/01/geo/wgs84_pos#",
    "org": "http://www.w3.org/ns/org#",
    "time": "http://www.w3.org/2006/time#",
    "sosa": "http://www.w3.org/ns/sosa/",
    "fno": "https://w3id.org/function/ontology#",
    "grel": GREL,
    "idlab-fn": IDLAB,
    "fn": "urn:lodpipe:function:",
}


class ExpressionReader:
    """Reads texts; `external` are the values that `$(_name)` stands for."""

    def __init__(self, nodes: NodeReader, prefixes: dict[str, str]) -> None:
        self.nodes = nodes
        self.prefixes = {**WELL_KNOWN, **prefixes}
        self._used: set[str] = {"rdf", "rdfs", "xsd"}
        self.external: dict[str, str] = {}

    def declared(self) -> dict[str, str]:
        """The prefixes that are declared, and those that are used without it."""
        return {
            prefix: iri
            for prefix, iri in self.prefixes.items()
            if prefix in self._used or WELL_KNOWN.get(prefix) != iri
        }

    def expression(self, text: str, node: Node, *, iri: bool) -> Expression:
        """Text and `$(references)` in turn; a known prefix at the beginning of an IRI is put in
        full.
        """
        if iri:
            text = self.expand(text, node)
        parts: list[str | Reference | Call] = []
        for part in self._parts(text, node):
            if isinstance(part, str) and parts and isinstance(parts[-1], str):
                parts[-1] += part
            else:
                parts.append(part)
        if not parts:
            raise self.nodes.wrong(node, "the value is empty")
        self.check_text(text, parts, node)
        has_references = any(not isinstance(part, str) for part in parts)
        return Expression(tuple(parts), template=len(parts) > 1 and has_references)

    def _parts(self, text: str, node: Node) -> Iterator[str | Reference]:
        for escaped, reference, plain in _PART.findall(text):
            if "(" in _ESCAPED.sub("", reference) and r"\)" not in reference:
                raise self.nodes.wrong(
                    node,
                    rf"`$({reference}` is not closed; escape the brackets in a name: \( and \)",
                )
            if reference.startswith("_") and reference[1:] in self.external:
                yield self.external[reference[1:]]
            elif reference:
                yield Reference(re.sub(r"\\(.)", r"\1", reference))
            elif escaped or plain:
                yield escaped or plain
            else:
                raise self.nodes.wrong(node, "`$()` names nothing")

    def check_text(
        self, written: str, parts: Sequence_[str | Reference | Call], node: Node
    ) -> None:
        """What looks like a reference and is a text: `$(` without its end is an error, `{name}` a
        warning, for a text may hold braces.
        """
        if "$(" in _ESCAPED.sub("", _PART.sub(lambda item: "" if item[2] else item[0], written)):
            raise self.nodes.wrong(
                node, r"`$(` is not closed; where it is meant as text, write `\$(`"
            )
        for name in re.findall(
            r"\{([^\s{}]+)\}", " ".join(part for part in parts if isinstance(part, str))
        ):
            self.nodes.warn(node, "LP310", key=name)

    def check_suffix(self, text: str, node: Node) -> None:
        """A suffix behind a reference or a short name is `~iri`; others are typos of it."""
        match = _SUFFIX.fullmatch(text)
        if match and match[1] != "iri":
            self.nodes.wrong(
                node,
                f"`~{match[1]}` is not a suffix of a value{did_you_mean(match[1], ['iri'])}; `~iri` is",
            )

    def names_an_iri(self, text: str) -> bool:
        """Whether a constant object is an IRI: it has no reference and begins with a known prefix
        or http.
        """
        if "$(" in text:
            return False
        curie = CURIE.match(text)
        return text.startswith(("http://", "https://")) or bool(
            curie and curie.group(1) in self.prefixes and " " not in text
        )

    def expand(self, text: str, node: Node) -> str:
        """An IRI whose prefix, if it has one, is put in full."""
        curie = CURIE.match(text)
        if curie is None:
            return text
        if curie.group(1) in self.prefixes:
            self._used.add(curie.group(1))
            return self.prefixes[curie.group(1)] + text[curie.end() :]
        if curie.group(1) not in _SCHEMES:
            raise self.nodes.wrong(node, f"prefix `{curie.group(1)}:` is not declared")
        return text

    def argument(self, text: str, node: Node) -> Expression:
        """The value of a function's parameter: a text in which a known prefix is put in full, as
        yarrrml-parser has it; `~iri` at its end says nothing new.
        """
        text = text.removesuffix("~iri")
        if text == "":
            return Expression(("",))
        curie = CURIE.match(text)
        known = (
            curie is not None
            and curie[1] in self.prefixes
            and text[curie.end() :][:1] not in ("", " ")
        )
        return self.expression(text, node, iri=known)
