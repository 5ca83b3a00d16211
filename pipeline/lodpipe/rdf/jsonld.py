"""Writes JSON-LD 1.1 with the publication's own context, inlined: a stream of nodes in `@graph`, or
a tree for each root.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import Any, TextIO

from msgspec import Struct

from lodpipe.rdf.namespaces import XSD
from lodpipe.rdf.terms import TYPE, parse_literal

Value = dict[str, Any] | str | int | bool
_LONGEST = 100  # characters of a value that may begin with a prefix


class Term(Struct, frozen=True):
    """A term of the context as far as it decides how a value is written."""

    name: str
    iri: str
    type: str | None
    container: frozenset[str]
    reverse: bool


class Writing(Struct, frozen=True):
    """How the values of a property are written that have the same form: below which key, always in a
    list, below their language, as a text alone, with which datatype by the context.
    """

    key: str
    always: bool
    by_language: bool
    bare: bool
    coerced: str | None


class ContextError(ValueError):
    """The context is not one that this writer can obey."""


class Context:
    """A JSON-LD context read backwards: from IRIs to terms."""

    def __init__(self, context: Mapping[str, Any], base: str) -> None:
        self.given = context
        self.prefixes = {
            key: value
            for key, value in context.items()
            if isinstance(value, str) and value.endswith(("/", "#"))
        }
        self.id, self.type = (self._alias(context, keyword) for keyword in ("@id", "@type"))
        self.terms: dict[str, list[Term]] = {}
        self.reverse: dict[str, Term] = {}
        for term in self._terms(context):
            if term.reverse:
                self.reverse[term.name] = term
            else:
                self.terms.setdefault(term.iri, []).append(term)
        self.base = base
        self._parts: dict[tuple[frozenset[str], frozenset[str]], dict[str, Any]] = {}
        self._parts_of: dict[frozenset[str], dict[str, Any]] = {}
        self._compact: dict[str, str] = {}
        self._class_names: dict[str, str] = {}
        self._writings: dict[tuple[str, str], Writing] = {}

    def _alias(self, context: Mapping[str, Any], keyword: str) -> str:
        return next((key for key, value in context.items() if value == keyword), keyword)

    def _terms(self, context: Mapping[str, Any]) -> Iterator[Term]:
        for name, value in context.items():
            if (
                name.startswith("@")
                or name in self.prefixes
                or (isinstance(value, str) and value.startswith("@"))
            ):
                continue
            definition = {"@id": value} if isinstance(value, str) else value
            if not isinstance(definition, dict):
                raise ContextError(f"term `{name}` is neither a text nor a map")
            iri = definition.get("@reverse") or definition.get("@id") or name
            container = definition.get("@container", [])
            yield Term(
                name,
                self.expand(iri),
                self.expand(definition["@type"]) if "@type" in definition else None,
                frozenset([container] if isinstance(container, str) else container),
                "@reverse" in definition,
            )

    def expand(self, name: str) -> str:
        """A name of the context as a full IRI (or keyword)."""
        prefix, colon, local = name.partition(":")
        return self.prefixes[prefix] + local if colon and prefix in self.prefixes else name

    def compact(self, iri: str) -> str:
        """A class or property as term, prefixed name or full IRI; a prefixed name never meets a
        term with another meaning.
        """
        if iri not in self._compact:
            self._compact[iri] = self._shorten(iri)
        return self._compact[iri]

    def _shorten(self, iri: str) -> str:
        for term in self.terms.get(iri, ()):
            if term.type is None and not term.container:
                return term.name
        for prefix, namespace in sorted(self.prefixes.items(), key=lambda item: -len(item[1])):
            if iri.startswith(namespace) and len(iri) > len(namespace):
                name = f"{prefix}:{iri[len(namespace) :]}"
                if name not in self.given:
                    return name
        return iri

    def names_of(self, iri: str) -> list[str]:
        """The keys that a property can have: its terms, and the name without a term."""
        return [
            *dict.fromkeys([*(term.name for term in self.terms.get(iri, ())), self.compact(iri)])
        ]

    def needed(self, nodes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """The part of the context that nodes use: the keys that are keys or texts in them, and the
        prefixes that texts begin with (`schema:`).
        """
        known, prefixes = self._keys, self.prefixes
        names: list[str] = []
        waiting: list[Any] = list(nodes)
        for value in waiting:  # it grows
            kind = type(value)
            if kind is str:
                if len(value) >= _LONGEST:
                    continue
                if value in known:
                    names.append(value)
                elif ":" in value and (prefix := value.partition(":")[0]) in prefixes:
                    names.append(f"{prefix}:")
            elif kind is dict:
                names.extend(value)
                waiting.extend(value.values())
            elif kind is list:
                waiting.extend(value)
        return self._part_of(frozenset(names))

    def _part_of(self, names: frozenset[str]) -> dict[str, Any]:
        """The part of the context that is used by nodes with these keys and prefixes."""
        part = self._parts_of.get(names)
        if part is None:
            used = {"@version", self.id, self.type, *names}
            begun = {item.partition(":")[0] for item in used if ":" in item}
            part = self.part(self._keys & used, self._prefix_names & begun)
            self._parts_of[names] = part
        return part

    @cached_property
    def _keys(self) -> frozenset[str]:
        return frozenset(self.given)

    @cached_property
    def _prefix_names(self) -> frozenset[str]:
        return frozenset(self.prefixes)

    def part(self, keys: frozenset[str], prefixes: frozenset[str]) -> dict[str, Any]:
        """The part of the context with these of its keys and prefixes, and what they need."""
        part = self._parts.get((keys, prefixes))
        if part is None:
            begun = set(prefixes)
            for key in keys:  # a term's own IRI, type or reverse may begin with a prefix too
                value = self.given[key]
                names = value.values() if isinstance(value, dict) else [value]
                begun |= {
                    name.partition(":")[0]
                    for name in names
                    if isinstance(name, str) and ":" in name
                }
            part = {
                key: value
                for key, value in self.given.items()
                if key in keys or (key in self.prefixes and key in begun)
            }
            self._parts[keys, prefixes] = part
        return part

    def refers(self, key: str) -> bool:
        """Whether texts below a key are IRIs of resources."""
        return key in self.references

    def is_language_map(self, key: str) -> bool:
        """Whether the value of a key is a map from languages to texts."""
        return key in self._language_maps

    @cached_property
    def _language_maps(self) -> frozenset[str]:
        terms = (term for terms in self.terms.values() for term in terms)
        return frozenset(term.name for term in terms if "@language" in term.container)

    @cached_property
    def references(self) -> frozenset[str]:
        """The keys below which texts are IRIs of resources."""
        terms = (term for terms in self.terms.values() for term in terms)
        return frozenset(
            term.name for term in (*terms, *self.reverse.values()) if term.type == "@id"
        )

    def class_name(self, iri: str) -> str:
        """A class for `@type`, where coercions of a term of the same name do not count."""
        name = self._class_names.get(iri)
        if name is None:
            term = next(iter(self.terms.get(iri, ())), None)
            name = self._class_names[iri] = term.name if term else self.compact(iri)
        return name

    def class_iri(self, name: str) -> str:
        """The IRI of a class that is named as `class_name` does, or by its IRI."""
        for terms in self.terms.values():
            for term in terms:
                if term.name == name:
                    return term.iri
        return self.expand(name)

    def choose(
        self, predicate: str, language: str | None, datatype: str | None, is_iri: bool
    ) -> Term | None:
        """The term whose coercion fits the value, the most specific first."""
        for term in self.terms.get(predicate, ()):
            if language and "@language" in term.container:
                return term
            if is_iri and term.type == "@id":
                return term
            if datatype and term.type == datatype and not is_iri:
                return term
        return next(
            (
                term
                for term in self.terms.get(predicate, ())
                if term.type is None and "@language" not in term.container
            ),
            None,
        )

    def writing(self, predicate: str, form: str) -> Writing:
        """How values of a property (in angle brackets) are written that are IRIs (form `@id`), have a
        language (`@language`) or this datatype.
        """
        writing = self._writings.get((predicate, form))
        if writing is None:
            writing = self._writings[predicate, form] = self._writing(predicate[1:-1], form)
        return writing

    def _writing(self, iri: str, form: str) -> Writing:
        language = form if form == "@language" else None
        datatype = XSD + "string" if language else form
        term = self.choose(iri, language, datatype, form == "@id")
        if term is None:
            return Writing(self.compact(iri), False, False, False, None)
        by_language = bool(language) and "@language" in term.container
        is_bare = term.type == datatype
        return Writing(term.name, "@set" in term.container, by_language, is_bare, term.type)


def node_object(subject: str, rows: Iterable[tuple[str, str]], context: Context) -> dict[str, Any]:
    """A node with all its statements; (predicate, object) in N-Triples spelling, sorted."""
    classes: list[str] = []
    properties: dict[str, Any] = {}
    for predicate, value in rows:
        if predicate == TYPE:
            classes.append(context.class_name(value[1:-1]))
        else:
            _put(properties, predicate, value, context)
    return {context.id: subject[1:-1], **({context.type: classes} if classes else {}), **properties}


def _put(node: dict[str, Any], predicate: str, value: str, context: Context) -> None:
    if value.startswith("<"):
        writing = context.writing(predicate, "@id")
        iri = value[1:-1]
        _add(node, writing, iri if writing.bare else {context.id: iri})
        return
    literal = parse_literal(value)
    assert literal, value  # the statement table holds canonical literals only
    text, language, datatype = literal
    if language:
        writing = context.writing(predicate, "@language")
        if not writing.by_language:
            _add(node, writing, {"@value": text, "@language": language})
            return
        texts = node.setdefault(writing.key, {})
        texts[language] = _with(texts.get(language), text, always=writing.always)
        return
    writing = context.writing(predicate, datatype or XSD + "string")
    _add(node, writing, text if writing.bare else _literal(text, datatype, writing))


def _literal(text: str, datatype: str, writing: Writing) -> Value:
    """A literal without language that is no text of the datatype which its key has."""
    if not datatype:
        return text if writing.coerced is None else {"@value": text}
    if datatype == XSD + "boolean" and text in ("true", "false"):
        return text == "true"
    if datatype == XSD + "integer" and re.fullmatch("0|-?[1-9][0-9]{0,14}", text):
        return int(text)
    return {"@value": text, "@type": datatype}


def _add(node: dict[str, Any], writing: Writing, value: Value) -> None:
    node[writing.key] = _with(node.get(writing.key), value, always=writing.always)


def _with(old: Any, value: Any, *, always: bool) -> Any:
    """A single value is written alone, several in a list; terms with an @set container always have a
    list.
    """
    if old is None:
        return [value] if always else value
    return [*old, value] if isinstance(old, list) else [old, value]


def write_graph(triples: Iterable[tuple[str, str, str]], out: TextIO, context: Context) -> None:
    """A document with the context and all nodes in `@graph`, written as the sorted triples arrive."""
    out.write('{\n"@context": ' + _dumped(dict(context.given), 1) + ',\n"@graph": [')
    comma = "\n"
    for subject, rows in groupby(triples, key=itemgetter(0)):
        out.write(comma + _dumped(node_object(subject, ((p, o) for _, p, o in rows), context)))
        comma = ",\n"
    out.write("\n]\n}\n")


def _dumped(value: object, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


Describe = Callable[[Sequence[str]], Mapping[str, Sequence[tuple[str, str]]]]
Inverse = Callable[[str, Sequence[str]], Mapping[str, Sequence[str]]]


def trees(
    roots: Sequence[str],
    frame: Mapping[str, Any],
    context: Context,
    describe: Describe,
    inverse: Inverse,
) -> list[dict[str, Any]]:
    """Each root with the resources that the frame names embedded in it, as deep as the frame goes;
    a level of all roots at once, because questions cost more than answers.

    `describe` gives (predicate, object) of subjects, `inverse` the subjects that point to objects
    by a predicate. Keys of the frame are terms of the context with IRI values, or reverse terms.
    Raises ContextError for other keys.
    """
    if not roots:
        return []
    properties = describe(roots)
    nodes = [node_object(root, properties.get(root, ()), context) for root in roots]
    terms = {term.name for terms in context.terms.values() for term in terms}
    for key, inner in frame.items():
        children: list[Sequence[str] | None]
        if key in context.reverse:
            pointing = inverse(f"<{context.reverse[key].iri}>", roots)
            children = [pointing.get(root, ()) for root in roots]
        else:
            children = [_linked(node[key], context) if key in node else None for node in nodes]
            if None in children and key not in terms:
                raise ContextError(f"frame: the context has no term `{key}`")
        below = [child for some in children for child in some or ()]
        embedded = iter(trees(below, inner, context, describe, inverse))
        for node, some in zip(nodes, children, strict=True):
            if some is not None:
                node[key] = [next(embedded) for _ in some]
    return nodes


def _linked(value: Any, context: Context) -> list[str]:
    """The resources that are values of a key."""
    given = value if isinstance(value, list) else [value]
    return [f"<{item if isinstance(item, str) else item[context.id]}>" for item in given]


def write_tree(node: Mapping[str, Any], out: TextIO, context: Context) -> None:
    """A tree as a document of its own."""
    out.write(_dumped({"@context": dict(context.given), **node}, 1) + "\n")
