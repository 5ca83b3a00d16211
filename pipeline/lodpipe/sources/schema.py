"""JSON Schemas from records.yaml: the same rules for the editor and for the check in CI."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from msgspec import Struct

from lodpipe.diagnostics.finding import Finding, Origin
from lodpipe.diagnostics.suggestions import nearest
from lodpipe.documents.readers import typed
from lodpipe.documents.tree import JsonValue, Node, describe, place_of, value_of
from lodpipe.documents.tree import Mapping as Map
from lodpipe.sources.record_declaration import TYPES, Field, Table


class Lexicon(Struct, frozen=True):
    """What the declarations know of values: concepts by scheme, patterns of own datatypes,
    languages.
    """

    concepts: Mapping[str, tuple[str, ...]]
    patterns: Mapping[str, str]
    languages: tuple[str, ...]


def table_schema(table: Table, lexicon: Lexicon) -> dict[str, object]:
    """The JSON Schema (2020-12) of one record of a table.

    Raises KeyError where records.yaml names a concept scheme or datatype that ontology/ does not
    declare.
    """
    return _object(table.root_field, lexicon)


def file_schema(table: Table, lexicon: Lexicon, title: str) -> dict[str, object]:
    """The JSON Schema of a record file, for editors: one record, or a list of them."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "anyOf": [
            {"$ref": "#/$defs/record"},
            {"type": "array", "items": {"$ref": "#/$defs/record"}},
        ],
        "$defs": {"record": table_schema(table, lexicon)},
    }


def _object(field: Field, lexicon: Lexicon) -> dict[str, object]:
    """The schema of a map, with the keys that files have."""
    schema: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": {}}
    required: list[str] = []
    inside = [
        (entry.source or (name,), entry)
        for name, entry in field.fields.items()
        if not entry.is_outside
    ]
    # A map that is a field comes before what other fields take out of it.
    for path, entry in sorted(inside, key=lambda item: len(item[0])):
        _add_property(schema, required, path, _field(entry, lexicon), entry.required)
    _add_ignored(schema, field.ignored)
    return {**schema, "required": required} if required else schema


def _add_property(
    schema: dict[str, Any],
    required: list[str],
    path: tuple[str, ...],
    value: dict[str, object],
    is_required: bool,
) -> None:
    """Adds the property at a path of keys; the maps on the way have no other keys."""
    first, *rest = path
    if is_required and first not in required:
        required.append(first)
    if not rest:
        schema["properties"][first] = value
        return
    empty = {"type": "object", "additionalProperties": False, "properties": {}}
    inner = schema["properties"].setdefault(first, empty)
    below = inner.get("required", [])
    _add_property(inner, below, tuple(rest), value, is_required)
    if below:
        inner["required"] = below


def _add_ignored(schema: dict[str, Any], ignored: Iterable[str]) -> None:
    """Lets keys be that are not read: `x-*`, and `names.*` in a map that fields are taken out of."""
    for pattern in ignored:
        first, dot, rest = pattern.partition(".")
        inner = schema["properties"].get(first)
        if dot and isinstance(inner, dict) and "properties" in inner:
            _add_ignored(inner, [rest])
        elif pattern == "*":
            schema["additionalProperties"] = True
        else:
            allowed = schema.setdefault("patternProperties", {})
            allowed[expression_of(pattern)] = True


def expression_of(pattern: str) -> str:
    """The regular expression of a pattern of keys, in which `*` stands for any letters.

    >>> expression_of("x-*")
    '^x\\\\-.*$'
    """
    return "^" + ".*".join(re.escape(part) for part in pattern.split("*")) + "$"


def _field(field: Field, lexicon: Lexicon) -> dict[str, object]:
    if field.kind == "map":
        return _object(field, lexicon)
    if field.item is not None:
        return _several(field, field.item, lexicon)
    if field.kind == "texts":
        texts = {
            language: Field("value", "text", required=language == lexicon.languages[0])
            for language in lexicon.languages
        }
        return _object(Field("map", fields=texts), lexicon)
    if field.values is not None:
        return {"enum": _written(field.values)}
    if field.kind == "concept":
        return {"enum": list(lexicon.concepts[field.target])}
    if field.kind == "ref":
        referred = _field(field.referred or Field("value", "slug"), lexicon)
        referred["description"] = f"id of a record in {field.target}"
        return referred
    schema: dict[str, object] = dict(
        TYPES.get(field.target) or {"type": "string", "pattern": lexicon.patterns[field.target]}
    )
    return {**schema, "pattern": field.pattern} if field.pattern else schema


def _several(field: Field, item: Field, lexicon: Lexicon) -> dict[str, object]:
    """The schema of a list, or of a map whose keys are no fields."""
    if field.kind == "keyed":
        least: dict[str, object] = {} if field.may_be_empty else {"minProperties": 1}
        return {"type": "object", "additionalProperties": _field(item, lexicon), **least}
    schema: dict[str, object] = {"type": "array", "items": _field(item, lexicon), "minItems": 1}
    return {**schema, "uniqueItems": True} if item.kind in ("ref", "concept") else schema


def _written(values: Mapping[str, str | None]) -> list[object]:
    """The values that a file may have: texts, and numbers or true/false that are written so."""
    written: list[object] = []
    for text in values:
        value = typed(text, 0, 0).value
        written += [text] if value is None or value == text else [text, value]
    return written


def pattern_of(field: Field, lexicon: Lexicon) -> str | None:
    """The regular expression that the text of a single value must match; for tables whose cells are
    all text.
    """
    if field.values is not None:
        return _one_of(text for text in field.values.values() if text is not None)
    if field.kind == "concept":
        return _one_of(lexicon.concepts[field.target])
    if field.kind == "ref":
        return pattern_of(field.referred or Field("value", "slug"), lexicon)
    if field.pattern:
        return field.pattern
    if field.target in lexicon.patterns:
        return lexicon.patterns[field.target]
    lexical = {
        "integer": "^[-+]?[0-9]+$",
        "decimal": r"^[-+]?[0-9]+(\.[0-9]+)?$",
        "boolean": "^(true|false)$",
    }
    return lexical.get(field.target) or str(TYPES[field.target]["pattern"])


def _one_of(texts: Iterable[str]) -> str:
    return "^(" + "|".join(map(re.escape, texts)) + ")$"


def _is_date(text: str) -> bool:
    """Whether a full or partial date exists in the calendar.

    >>> [_is_date(text) for text in ("2021-02-28", "2021-02-30", "2021-13", "2021")]
    [True, False, False, True]
    """
    if not re.fullmatch("[0-9]{4}(-[0-9]{2}){0,2}", text):
        return False
    try:
        date.fromisoformat((text + "-01-01")[:10])
    except ValueError:
        return False
    return True


class RecordChecker:
    """Checks trees against the schema of their table; each problem is a finding at the very field."""

    def __init__(self, table: Table, lexicon: Lexicon) -> None:
        import jsonschema_rs

        self.table = table
        formats = {"partial-date": _is_date, "date": _is_date}
        self._validator = jsonschema_rs.Draft202012Validator(
            table_schema(table, lexicon), validate_formats=True, formats=formats
        )

    def findings(self, record: Node, file: str) -> list[Finding]:
        """All that is wrong with one record."""
        value = value_of(record)
        if self._validator.is_valid(value):
            return []
        findings = [
            item
            for error in self._validator.iter_errors(value)
            for item in self._finding(error, record, file)
        ]
        return _without_consequences(findings)

    def _finding(self, error: object, record: Node, file: str) -> Iterable[Finding]:
        path: list[str | int] = list(error.instance_path)  # type: ignore[attr-defined]
        kind = error.kind  # type: ignore[attr-defined]
        name, instance = kind.name, error.instance  # type: ignore[attr-defined]
        key = ".".join(str(step) for step in path if isinstance(step, str)) or self.table.name
        where = Origin(file, *place_of(record, path))
        if name == "additionalProperties":
            for unknown in kind.unexpected:
                params = {"key": unknown, "suggestion": nearest(unknown, self._names_at(path))}
                yield Finding("LP201", Origin(file, *_key_place(record, path, unknown)), params)
        elif name == "required":
            yield Finding("LP202", where, {"key": kind.property, "table": self.table.name})
        elif name == "type":
            node = _node_at(record, path)
            yield Finding(
                "LP203",
                where,
                {
                    "key": key,
                    "found": describe(node),
                    "expected": _TYPE_NAMES.get(_type_of(kind), _type_of(kind)),
                },
            )
        elif name == "enum":
            allowed = list(dict.fromkeys(str(option) for option in kind.options))
            value = {"value": _short(instance), "suggestion": nearest(str(instance), allowed)}
            yield Finding("LP205", where, {"key": key, "allowed": ", ".join(allowed), **value})
        else:
            params = {
                "key": key,
                "value": _short(instance),
                "pattern": "",
            }
            if name == "pattern":
                params["pattern"] = kind.pattern
            params["expected"] = _EXPECTATIONS.get(name) or self._expected(path)
            yield Finding("LP204", where, params)

    def _names_at(self, path: list[str | int]) -> list[str]:
        """The keys that are declared at a path."""
        entry = field_at(self.table.root_field, [step for step in path if isinstance(step, str)])
        fields = entry.fields or (entry.item.fields if entry.item else {})
        return [(field.source or (name,))[0] for name, field in fields.items()]

    def _expected(self, path: list[str | int]) -> str:
        """What the value at a path is declared to be."""
        keys = [step for step in path if isinstance(step, str)]
        if not keys:
            return "value"
        entry = field_at(self.table.root_field, keys)
        entry = entry.item if entry.item else entry
        return entry.target or entry.kind


def field_at(field: Field, keys: list[str]) -> Field:
    """The field at a path of keys of a file, or the last one on the way there."""
    for name, entry in field.fields.items():
        path = [*(entry.source or (name,))]
        if not keys or keys[: len(path)] != path:
            continue
        rest = keys[len(path) :]
        if entry.item is None:
            return field_at(entry, rest) if rest else entry
        rest = rest[1:] if entry.kind == "keyed" else rest
        return field_at(entry.item.item or entry.item, rest) if rest else entry
    return field


_EXPECTATIONS = {
    "minItems": "list: it is empty",
    "uniqueItems": "list: a value occurs twice",
    "minProperties": "map: it is empty",
}
_ANY = "a single value"
_TYPE_NAMES = {
    "string": "text", "object": "a map", "array": "a list", "integer": "a whole number", "number": "a number", "boolean": "true/false"
}  # fmt: skip


def _type_of(kind: object) -> str:
    types = kind.types  # type: ignore[attr-defined]
    return types if isinstance(types, str) else _ANY


def _node_at(node: Node, path: list[str | int]) -> Node:
    for step in path:
        if isinstance(node, Map) and isinstance(step, str):
            node = node.items[step]
        elif not isinstance(node, Map) and isinstance(step, int):
            node = node.items[step]  # type: ignore[union-attr]  # the validator walked the same path
    return node


def _key_place(record: Node, path: list[str | int], key: str) -> tuple[int, int]:
    node = _node_at(record, path)
    return (
        node.keys[key] if isinstance(node, Map) and key in node.keys else (node.line, node.column)
    )


def _short(value: JsonValue | object) -> str:
    text = str(value)
    return text if len(text) <= 80 else text[:77] + "…"


def _without_consequences(findings: list[Finding]) -> list[Finding]:
    """A misspelt key is not reported as a missing key as well, an invalid value only once."""
    misspelt = {finding.params["suggestion"] for finding in findings if finding.code == "LP201"}
    distinct = {
        (finding.code, finding.where, finding.params["key"]): finding
        for finding in reversed(findings)
    }
    return [
        finding for finding in reversed(distinct.values())
        if not (finding.code == "LP202" and finding.params["key"] in misspelt)
    ]  # fmt: skip
