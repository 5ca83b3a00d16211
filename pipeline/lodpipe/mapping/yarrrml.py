"""Reads YARRRML into the model, each rule with its line (https://rml.io/yarrrml/spec/).

The library yatter is the referee in the tests; it does not report lines, and passes wrong keys over
in silence.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Sequence_

from msgspec.structs import replace

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Origin, Severity
from lodpipe.diagnostics.suggestions import did_you_mean
from lodpipe.documents.tree import Mapping, Node, Scalar, Sequence
from lodpipe.mapping.logical_target import LogicalTarget
from lodpipe.mapping.model import (
    RDF_TYPE,
    Expression,
    Join,
    LogicalSource,
    MappingDocument,
    PredicateObject,
    Reference,
    ReferencingMap,
    TermMap,
    TermType,
    TriplesMap,
)
from lodpipe.mapping.yarrrml_targets import TargetReader
from lodpipe.sources.access import Access, dialect_of, encoding_name

_ALIASES = {
    "s": "subjects", "subject": "subjects", "po": "predicateobjects", "predicateobject": "predicateobjects",
    "source": "sources", "graph": "graphs", "p": "predicates", "predicate": "predicates", "o": "objects", "object": "objects",
    "v": "value", "values": "value", "t": "type", "m": "mappings", "mapping": "mappings",
    "c": "condition", "conditions": "condition", "f": "function", "parameters": "parameters", "pms": "parameters",
}  # fmt: skip
# Keys of YARRRML, and of readers of it, that have no counterpart here.
_UNSUPPORTED = frozenset({
    "target", "external", "functions", "credentials", "delimiter", "encoding", "compression", "serialization", "nulls", "join",
    "quoted", "quotedNonAsserted", "subject_annotations", "annotations",
})  # fmt: skip
_DOCUMENT_KEYS = {"prefixes", "base", "sources", "targets", "mappings", "authors"}
_FORMULATIONS = {
    "csv": "csv",
    "jsonpath": "json",
    "json": "json",
    "yaml": "yaml",
    "parquet": "parquet",
    "jsonl": "jsonl",
    "xpath": "xml",
    "xml": "xml",
    "table": "table",
}
_PART = re.compile(r"\\([$()\\])|\$\(((?:[^()\\]|\\.)*)\)|(\\|[^\\$]+|\$)", re.DOTALL)
_CURIE = re.compile(r"([A-Za-z_][\w.-]*|):(?!//)")
_TAG = re.compile(r"~(iri|[A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*)$")
_LANGUAGE = re.compile(r"(?:\$\([^)]+\)|[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*)~lang$")
_SUFFIX = re.compile(r"\S*[\w)/]~([A-Za-z]{1,6})")
_ESCAPED = re.compile(r"\\.")
_SOURCE_KEYS = (
    "query",
    "access",
    "type",
    "queryFormulation",
    "referenceFormulation",
    "iterator",
)
_PLAIN = {
    "type": ("localfile", "file"),
    "queryFormulation": ("sql2008", "sql"),
}  # what says nothing new of a source
WELL_KNOWN = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def read_yarrrml(root: Node | None, file: str, prefixes: dict[str, str]) -> MappingDocument:
    """The mapping in a YARRRML tree; `prefixes` are known beforehand (those of the publication's
    vocabulary).

    Raises InvalidDeclaration (LP602) with every problem found.
    """
    reader = _Reader(file, prefixes)
    document = reader.document(root)
    if reader.findings:
        raise InvalidDeclaration(reader.findings)
    return document


class _Wrong(Exception):
    """Stops reading one part of the mapping; the finding is already noted."""


class _Reader:
    def __init__(self, file: str, prefixes: dict[str, str]) -> None:
        self.file = file
        self.prefixes = {**WELL_KNOWN, **prefixes}
        self.sources: dict[str, LogicalSource] = {}
        self.names: set[str] = set()
        self.findings: list[Finding] = []
        self.warnings: list[Finding] = []
        self.misspelt: set[int] = set()
        self.targets = TargetReader(self)

    # -- helpers -----------------------------------------------------------------------------------

    def origin(self, node: Node) -> Origin:
        return Origin(self.file, node.line, node.column)

    def wrong(self, node: Node, detail: str) -> _Wrong:
        self.findings.append(Finding("LP602", self.origin(node), {"detail": detail}))
        return _Wrong()

    def text(self, node: Node) -> str:
        if isinstance(node, Scalar) and node.text is not None:
            return node.text
        raise self.wrong(node, "a text is expected here")

    def map(self, node: Node, what: str, allowed: Sequence_[str] = ()) -> dict[str, Node]:
        """The items of a map under their full names; keys that are not `allowed` are reported."""
        if not isinstance(node, Mapping):
            raise self.wrong(node, f"{what} is a map")
        for key in node.items:
            if allowed and _ALIASES.get(key, key) not in allowed:
                self.unknown(node, key, what, allowed)
        return {_ALIASES.get(key, key): item for key, item in node.items.items()}

    def unknown(self, node: Mapping, key: str, what: str, allowed: Iterable[str]) -> None:
        """Notes a key that a map cannot have, at the key itself."""
        self.misspelt.add(id(node))
        names = [
            *allowed,
            *(alias for alias, name in _ALIASES.items() if name in allowed and len(alias) > 2),
        ]
        detail = f"{what} has no key `{key}`" + (
            did_you_mean(key, names) or f"; it may have {', '.join(sorted(allowed))}"
        )
        if key in _UNSUPPORTED:
            detail = f"`{key}` is not supported"
        self.findings.append(
            Finding("LP602", Origin(self.file, *node.keys[key]), {"detail": detail})
        )

    def missing(self, node: Node, detail: str) -> _Wrong:
        """A key is missing; not reported where a key of the map is misspelt, which is most often
        that very key.
        """
        return _Wrong() if id(node) in self.misspelt else self.wrong(node, detail)

    def named(self, node: Node, what: str) -> dict[str, Node]:
        """The items of a map whose keys are names of the author's own."""
        if not isinstance(node, Mapping):
            raise self.wrong(node, f"{what} is a map")
        return node.items

    def each(self, node: Node) -> Iterator[Node]:
        """The items of a list, or the single node itself."""
        if isinstance(node, Sequence):
            yield from node.items
        else:
            yield node

    # -- document ----------------------------------------------------------------------------------

    def document(self, root: Node | None) -> MappingDocument:
        if not isinstance(root, Mapping):
            self.findings.append(
                Finding("LP602", Origin(self.file), {"detail": "the file is a map with `mappings`"})
            )
            return MappingDocument({})
        for key in root.items:
            if _ALIASES.get(key, key) not in _DOCUMENT_KEYS:
                self.unknown(root, key, "the mapping", _DOCUMENT_KEYS)
        try:
            return self._document(root, self.map(root, "the mapping"))
        except _Wrong:
            return MappingDocument({})

    def _document(self, root: Mapping, items: dict[str, Node]) -> MappingDocument:
        if "prefixes" in items:
            self.prefixes |= {
                key: self.text(node)
                for key, node in self.named(items["prefixes"], "`prefixes`").items()
            }
        for name, node in (
            self.named(items["sources"], "`sources`").items() if "sources" in items else ()
        ):
            try:
                self.sources[name] = replace(self.source(node), name=name)
            except _Wrong:
                continue
        for name, node in (
            self.named(items["targets"], "`targets`").items() if "targets" in items else ()
        ):
            with contextlib.suppress(_Wrong):
                self.targets.declare(name, node)
        base = self.text(items["base"]) if "base" in items else None
        mappings = items.get("mappings")
        if not isinstance(mappings, Mapping):
            raise (
                self.missing(root, "`mappings` is missing")
                if mappings is None
                else self.wrong(mappings, "`mappings` is a map of names")
            )
        self.names = set(mappings.items)
        maps: dict[str, TriplesMap] = {}
        for name, node in mappings.items.items():
            try:
                maps |= {
                    triples_map.name: triples_map for triples_map in self.triples_maps(name, node)
                }
            except _Wrong:
                continue
        self.check_parents(maps)
        return MappingDocument(
            maps, tuple(self.sources.values()), base, self.prefixes, tuple(self.warnings)
        )

    def check_parents(self, maps: dict[str, TriplesMap]) -> None:
        for entry in maps.values():
            for rule in entry.rules:
                for item in rule.objects:
                    if (
                        isinstance(item, ReferencingMap)
                        and item.parent not in maps
                        and item.parent not in self.names
                    ):
                        self.findings.append(
                            Finding(
                                "LP602",
                                item.origin,
                                {"detail": f"there is no mapping `{item.parent}`"},
                            )
                        )

    # -- sources -----------------------------------------------------------------------------------

    def source(self, node: Node) -> LogicalSource:
        """`name`, `[file~csv]`, `[file~jsonpath, $.iterator[*]]`, `{query: SELECT …}` or `{access:
        file, referenceFormulation: …}`.
        """
        if isinstance(node, Scalar) and node.text in self.sources:
            return self.sources[node.text]
        if isinstance(node, Sequence):
            return self._short_source(node)
        if isinstance(node, Scalar):
            raise self.wrong(node, f"there is no source `{node.text}`")
        items = self.map(
            node,
            "a source",
            (*_SOURCE_KEYS, "delimiter", "encoding"),
        )
        for key, plain in _PLAIN.items():
            if key in items and self.text(items[key]).lower() not in plain:
                raise self.wrong(
                    items[key],
                    f"`{key}: {self.text(items[key])}` is not supported; write a mapping in RML for databases",
                )
        if "query" in items and "access" in items:
            raise self.wrong(
                items["access"],
                "a query runs on the record tables; `access` is not supported with it",
            )
        if "query" in items:
            return LogicalSource("query", self.text(items["query"]), self.origin(items["query"]))
        if "access" not in items or "referenceFormulation" not in items:
            raise self.missing(
                node, "a source needs `query`, or `access` and `referenceFormulation`"
            )
        source = self._file_source(
            node,
            self.text(items["access"]),
            self.text(items["referenceFormulation"]),
            items.get("iterator"),
        )
        return replace(source, access=self._access(items, source.access))

    def _access(self, items: dict[str, Node], access: Access) -> Access:
        """How a file is written, as `delimiter` and `encoding` have it."""
        if node := items.get("delimiter"):
            delimiter = self.text(node)
            if len(delimiter) != 1:
                raise self.wrong(node, f"`delimiter` is one character, found `{delimiter}`")
            access = replace(access, dialect=replace(access.dialect, delimiter=delimiter))
        if node := items.get("encoding"):
            encoding = encoding_name(self.text(node))
            if encoding is None:
                raise self.wrong(node, f"the encoding `{self.text(node)}` is not known")
            access = replace(access, encoding=encoding)
        return access

    def _short_source(self, node: Sequence) -> LogicalSource:
        texts = [self.text(item) for item in node.items]
        if not texts or "~" not in texts[0]:
            raise self.wrong(
                node, "a source in short form is [file~formulation] or [file~formulation, iterator]"
            )
        access, formulation = texts[0].rsplit("~", 1)
        return self._file_source(
            node, access, formulation, node.items[1] if len(texts) > 1 else None
        )

    def _file_source(
        self, node: Node, access: str, formulation: str, iterator: Node | None
    ) -> LogicalSource:
        kind = _FORMULATIONS.get(formulation.lower())
        if kind is None:
            raise self.wrong(
                node,
                f"reference formulation `{formulation}` is not known; known: {', '.join(_FORMULATIONS)}",
            )
        path = None if iterator is None else self.text(iterator)
        namespaces = tuple(self.prefixes.items()) if kind == "xml" else ()
        how = Access(dialect=dialect_of(access))
        return LogicalSource(
            kind,  # type: ignore[arg-type]  # the table's values are the kinds
            access,
            self.origin(node),
            path,
            namespaces=namespaces,
            access=how,
        )

    # -- triples maps ------------------------------------------------------------------------------

    def triples_maps(self, name: str, node: Node) -> Iterator[TriplesMap]:
        """One triples map for each source and subject; YARRRML allows several of both."""
        items = self.map(
            node, f"mapping `{name}`", ("sources", "subjects", "predicateobjects", "graphs")
        )
        if "sources" not in items or "subjects" not in items:
            raise self.missing(node, f"mapping `{name}` needs `sources` and `subjects`")
        sources = self._sources(items["sources"])
        subjects = [self.term(item, "iri") for item in self.each(items["subjects"])]
        graphs = (
            tuple(self.term(item, "iri") for item in self.each(items["graphs"]))
            if "graphs" in items
            else ()
        )
        rules = tuple(self.rules(items["predicateobjects"])) if "predicateobjects" in items else ()
        several = len(sources) * len(subjects) > 1
        for number, (source, subject) in enumerate(((a, b) for a in sources for b in subjects), 1):
            yield TriplesMap(
                f"{name}#{number}" if several else name,
                source,
                subject,
                graphs,
                rules,
                self.origin(node),
            )

    def _sources(self, node: Node) -> list[LogicalSource]:
        if isinstance(node, Sequence) and not _is_short_source(node):
            return [self.source(item) for item in node.items]
        return [self.source(node)]

    def rules(self, node: Node) -> Iterator[PredicateObject]:
        for item in self.each(node):
            try:
                yield self.rule(item)
            except _Wrong:
                continue

    def rule(self, node: Node) -> PredicateObject:
        """`[predicate, object]`, `[predicate, object, datatype or language~lang]`, or `{p: …, o: …,
        graphs: …}`.
        """
        if isinstance(node, Sequence):
            if len(node.items) not in (2, 3):
                raise self.wrong(
                    node,
                    "a short rule is [predicate, object] or [predicate, object, datatype or language~lang]",
                )
            predicates = self.predicates(node.items[0])
            extra = node.items[2] if len(node.items) == 3 else None
            objects = tuple(
                self.object_(item, extra, predicates) for item in self.each(node.items[1])
            )
            return PredicateObject(predicates, objects, (), self.origin(node))
        items = self.map(node, "a rule", ("predicates", "objects", "graphs"))
        if "predicates" not in items or "objects" not in items:
            raise self.missing(node, "a rule needs `p` and `o`")
        predicates = self.predicates(items["predicates"])
        graphs = (
            tuple(self.term(item, "iri") for item in self.each(items["graphs"]))
            if "graphs" in items
            else ()
        )
        return PredicateObject(
            predicates, tuple(self.objects(items["objects"], predicates)), graphs, self.origin(node)
        )

    def predicates(self, node: Node) -> tuple[TermMap, ...]:
        terms = []
        for item in self.each(node):
            items = (
                self.map(item, "a predicate", ("value", "targets"))
                if isinstance(item, Mapping)
                else {}
            )
            value = items.get("value", item)
            text = self.text(value)
            expression = (
                Expression((RDF_TYPE,)) if text == "a" else self.expression(text, value, iri=True)
            )
            targets = self.targets.of(items)
            terms.append(TermMap(expression, "iri", self.origin(value), targets=targets))
        return tuple(terms)

    def objects(
        self, node: Node, predicates: tuple[TermMap, ...]
    ) -> Iterator[TermMap | ReferencingMap]:
        for item in self.each(node):
            if isinstance(item, Sequence):
                yield self.object_(
                    item.items[0], item.items[1] if len(item.items) > 1 else None, predicates
                )
            elif isinstance(item, Mapping):
                yield from self.long_object(item, predicates)
            else:
                yield self.object_(item, None, predicates)

    def long_object(
        self, node: Mapping, predicates: tuple[TermMap, ...]
    ) -> Iterator[TermMap | ReferencingMap]:
        items = self.map(
            node,
            "an object",
            (
                "value",
                "type",
                "datatype",
                "language",
                "mappings",
                "condition",
                "function",
                "parameters",
                "targets",
            ),
        )
        if "function" in items:
            raise self.wrong(node, "functions are not supported; use a SQL query as source")
        if "mappings" in items:
            joins = (
                tuple(self.join(element) for element in self.each(items["condition"]))
                if "condition" in items
                else ()
            )
            if "targets" in items:
                raise self.wrong(
                    items["targets"],
                    "targets of a `mapping` are those of its subjects; write them there",
                )
            for item in self.each(items["mappings"]):
                yield ReferencingMap(self.text(item), joins, self.origin(item))
            return
        if "value" not in items:
            raise self.missing(node, "an object needs `value` or `mapping`")
        for entry in self.each(items["value"]):
            yield self._long_value(entry, items, predicates)

    def _long_value(
        self, node: Node, items: dict[str, Node], predicates: tuple[TermMap, ...]
    ) -> TermMap:
        kind = self.text(items["type"]) if "type" in items else ""
        if kind not in ("", "iri", "literal", "blank"):
            raise self.wrong(items["type"], "`type` is iri, literal or blank")
        text = self.text(node)
        wanted = kind or ("iri" if _is_type(predicates) or self.names_an_iri(text) else "literal")
        datatype = (
            self.expression(self.text(items["datatype"]), items["datatype"], iri=True)
            if "datatype" in items
            else None
        )
        language, of_language = (
            self.language(items["language"]) if "language" in items else (None, ())
        )
        expression = self.expression(text, node, iri=wanted == "iri")
        targets = (*self.targets.of(items), *of_language)
        return TermMap(expression, wanted, self.origin(node), datatype, language, targets=targets)  # type: ignore[arg-type]  # checked above

    def language(self, node: Node) -> tuple[Expression, tuple[LogicalTarget, ...]]:
        """`en`, or `{value: en, targets: …}`: the language and the targets of its statements."""
        items = (
            self.map(node, "a language", ("value", "targets")) if isinstance(node, Mapping) else {}
        )
        value = items.get("value", node)
        return self.expression(self.text(value), value, iri=False), self.targets.of(items)

    def join(self, node: Node) -> Join:
        items = self.map(node, "a condition", ("function", "parameters"))
        function = self.text(items["function"]) if "function" in items else ""
        parameters = items.get("parameters")
        if not function and id(node) in self.misspelt:
            raise _Wrong
        if (
            function not in ("equal", "idlab-fn:equal")
            or not isinstance(parameters, Sequence)
            or len(parameters.items) != 2
        ):
            raise self.wrong(node, "the only condition is `equal` with two parameters")
        child, parent = (self._join_reference(item) for item in parameters.items)
        return Join(child, parent)

    def _join_reference(self, node: Node) -> Expression:
        parts = [self.text(item) for item in node.items] if isinstance(node, Sequence) else []
        expression = self.expression(parts[1], node, iri=False) if len(parts) > 1 else None
        if expression is None:
            raise self.wrong(
                node,
                "a parameter of a condition is [str1, $(reference), s] or [str2, $(reference), o]",
            )
        return expression

    # -- terms -------------------------------------------------------------------------------------

    def term(self, node: Node, term_type: TermType) -> TermMap:
        if isinstance(node, Mapping):
            items = self.map(node, "a term", ("value", "type", "targets"))
            kind = self.text(items["type"]) if "type" in items else term_type
            value = items.get("value", node)
            return TermMap(
                self.expression(self.text(value), value, iri=kind == "iri"),
                kind,  # type: ignore[arg-type]  # the schema has checked it
                self.origin(value),
                targets=self.targets.of(items),
            )
        self.check_suffix(self.text(node), node)
        return TermMap(
            self.expression(_TAG.sub("", self.text(node)), node, iri=True),
            term_type,
            self.origin(node),
        )

    def check_suffix(self, text: str, node: Node) -> None:
        """A suffix behind a reference or a short name is `~iri`; others are typos of it."""
        match = _SUFFIX.fullmatch(text)
        if match and match[1] != "iri":
            self.wrong(
                node,
                f"`~{match[1]}` is not a suffix of a value{did_you_mean(match[1], ['iri'])}; `~iri` is",
            )

    def object_(self, node: Node, extra: Node | None, predicates: tuple[TermMap, ...]) -> TermMap:
        """An object in short form: a suffix `~iri`, or a third item that is a datatype or
        `language~lang`.
        """
        text = self.text(node)
        tag = _TAG.search(text)
        origin = self.origin(node)
        self.check_suffix(text, node)
        if tag and tag.group(1) == "iri":
            return TermMap(self.expression(text[: tag.start()], node, iri=True), "iri", origin)
        if _is_type(predicates) or (extra is None and self.names_an_iri(text)):
            return TermMap(self.expression(text, node, iri=True), "iri", origin)
        expression = self.expression(text, node, iri=False)
        if extra is None:
            return TermMap(expression, "literal", origin)
        kind = self.text(extra)
        if "~" in kind and not kind.endswith("~lang"):
            raise self.wrong(
                extra,
                f"`{kind}` is neither a datatype nor a language; a language is written de~lang",
            )
        if kind.endswith("~lang") and not _LANGUAGE.fullmatch(kind):
            raise self.wrong(extra, f"`{kind.removesuffix('~lang')}` is not a language tag")
        if _LANGUAGE.fullmatch(kind):
            return TermMap(
                expression,
                "literal",
                origin,
                language=self.expression(kind.removesuffix("~lang"), extra, iri=False),
            )
        return TermMap(
            expression, "literal", origin, datatype=self.expression(kind, extra, iri=True)
        )

    def names_an_iri(self, text: str) -> bool:
        """Whether a constant object is an IRI: it has no reference and begins with a known prefix
        or http.
        """
        if "$(" in text:
            return False
        curie = _CURIE.match(text)
        return text.startswith(("http://", "https://")) or bool(
            curie and curie.group(1) in self.prefixes and " " not in text
        )

    def expression(self, text: str, node: Node, *, iri: bool) -> Expression:
        """Text and `$(references)` in turn; a known prefix at the beginning of an IRI is put in
        full.
        """
        if iri:
            text = self.expand(text, node)
        parts: list[str | Reference] = []
        for escaped, reference, plain in _PART.findall(text):
            if reference:
                parts.append(Reference(re.sub(r"\\(.)", r"\1", reference)))
            elif parts and isinstance(parts[-1], str):
                parts[-1] += escaped or plain
            elif escaped or plain:
                parts.append(escaped or plain)
            else:
                raise self.wrong(node, "`$()` names nothing")
        if not parts:
            raise self.wrong(node, "the value is empty")
        self.check_text(text, parts, node)
        return Expression(tuple(parts), template=len(parts) > 1)

    def check_text(self, written: str, parts: Sequence_[str | Reference], node: Node) -> None:
        """What looks like a reference and is a text: `$(` without its end is an error, `{name}` a
        warning, for a text may hold braces.
        """
        if "$(" in _ESCAPED.sub("", _PART.sub(lambda item: "" if item[2] else item[0], written)):
            raise self.wrong(node, r"`$(` is not closed; where it is meant as text, write `\$(`")
        for name in re.findall(
            r"\{([^\s{}]+)\}", " ".join(part for part in parts if isinstance(part, str))
        ):
            self.warnings.append(
                Finding("LP310", self.origin(node), {"key": name}, Severity.WARNING)
            )

    def expand(self, text: str, node: Node) -> str:
        curie = _CURIE.match(text)
        if curie is None:
            return text
        if curie.group(1) in self.prefixes:
            return self.prefixes[curie.group(1)] + text[curie.end() :]
        if curie.group(1) not in ("urn", "mailto", "tel", "doi", "info", "tag", "geo"):
            raise self.wrong(node, f"prefix `{curie.group(1)}:` is not declared")
        return text


def _is_type(predicates: tuple[TermMap, ...]) -> bool:
    return all(predicate.expression.constant == RDF_TYPE for predicate in predicates)


def _is_short_source(node: Sequence) -> bool:
    return (
        bool(node.items) and isinstance(node.items[0], Scalar) and "~" in (node.items[0].text or "")
    )
