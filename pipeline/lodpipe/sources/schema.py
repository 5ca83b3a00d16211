"""JSON Schemas from records.yaml: the same rules for the editor and for the check in CI."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date

from msgspec import Struct

from lodpipe.diagnostics.finding import Finding, Origin
from lodpipe.diagnostics.suggestions import nearest
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
    return _object(table.fields, lexicon)


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


def _object(fields: dict[str, Field], lexicon: Lexicon) -> dict[str, object]:
    required = [name for name, field in fields.items() if field.required]
    schema: dict[str, object] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _field(field, lexicon) for name, field in fields.items()},
    }
    return {**schema, "required": required} if required else schema


def _field(field: Field, lexicon: Lexicon) -> dict[str, object]:
    if field.kind == "map":
        return _object(field.fields, lexicon)
    if field.kind == "list" and field.item is not None:
        schema: dict[str, object] = {
            "type": "array",
            "items": _field(field.item, lexicon),
            "minItems": 1,
        }
        return {**schema, "uniqueItems": True} if field.item.kind in ("ref", "concept") else schema
    if field.kind == "texts":
        texts = {
            language: Field("value", "text", required=language == lexicon.languages[0])
            for language in lexicon.languages
        }
        return _object(texts, lexicon)
    if field.kind == "concept":
        return {"enum": list(lexicon.concepts[field.target])}
    if field.kind == "ref":
        return {**TYPES["slug"], "description": f"id of a record in {field.target}"}
    return (
        dict(TYPES[field.target])
        if field.target in TYPES
        else {"type": "string", "pattern": lexicon.patterns[field.target]}
    )


def pattern_of(field: Field, lexicon: Lexicon) -> str | None:
    """The regular expression that the text of a single value must match; for tables whose cells are
    all text.
    """
    if field.kind == "concept":
        return "^(" + "|".join(re.escape(name) for name in lexicon.concepts[field.target]) + ")$"
    if field.kind == "ref":
        return str(TYPES["slug"]["pattern"])
    if field.target in lexicon.patterns:
        return lexicon.patterns[field.target]
    lexical = {
        "integer": "^[-+]?[0-9]+$",
        "decimal": r"^[-+]?[0-9]+(\.[0-9]+)?$",
        "boolean": "^(true|false)$",
    }
    return lexical.get(field.target) or str(TYPES[field.target]["pattern"])


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
                wrong_type(key, _TYPE_NAMES.get(_type_of(kind), _type_of(kind)), describe(node)),
            )
        elif name == "enum":
            allowed = [str(option) for option in kind.options]
            value = {"value": _short(instance), "suggestion": nearest(str(instance), allowed)}
            yield Finding("LP205", where, {"key": key, "allowed": ", ".join(allowed), **value})
        else:
            params = {
                "key": key,
                "value": _short(instance),
                "expected": self._expected(path),
                "pattern": "",
            }
            if name == "pattern":
                params["pattern"] = kind.pattern
            if name in ("minItems", "uniqueItems"):
                params["expected"] = (
                    "list: it is empty" if name == "minItems" else "list: a value occurs twice"
                )
            yield Finding("LP204", where, params)

    def _names_at(self, path: list[str | int]) -> list[str]:
        fields = self.table.fields
        for step in path:
            if isinstance(step, str) and step in fields:
                entry = fields[step]
                fields = entry.fields or (entry.item.fields if entry.item else {})
        return list(fields)

    def _expected(self, path: list[str | int]) -> str:
        fields, expected = self.table.fields, "value"
        for step in path:
            if isinstance(step, str) and step in fields:
                entry = fields[step]
                entry = entry.item if entry.kind == "list" and entry.item else entry
                fields, expected = entry.fields, entry.target or entry.kind
        return expected


_TYPE_NAMES = {
    "string": "text", "object": "a map", "array": "a list", "integer": "a whole number", "number": "a number", "boolean": "true/false"
}  # fmt: skip


# What helps, by the type that is expected and what stands for it.
_HINTS: dict[tuple[str, str], tuple[str, str]] = {
    ("text", "a number"): (
        "put digits that are a text (a key, a date) in quotes",
        "Ziffern, die als Text gemeint sind (Schlüssel, Datum), in Anführungszeichen setzen",
    ),
    ("text", "true/false"): (
        "put the word in quotes where it is meant as a text",
        "das Wort in Anführungszeichen setzen, wenn es als Text gemeint ist",
    ),
    ("text", "a list"): ("write the text without brackets", "den Text ohne Klammern schreiben"),
    ("a list", "text"): (
        "write a list, also of one value: `[value]`",
        "eine Liste schreiben, auch bei nur einem Wert: `[Wert]`",
    ),
    ("true/false", "text"): (
        "write `true` or `false`, without quotes",
        "`true` oder `false` schreiben, ohne Anführungszeichen",
    ),
    ("a whole number", "text"): (
        "write digits only, without quotes, points or units",
        "nur Ziffern schreiben, ohne Anführungszeichen, Punkte und Einheit",
    ),
}
_EMPTY = ("or remove the empty key", "oder den leeren Schlüssel entfernen")
_AS_FIELDS = ("write fields: `key: value`", "Felder schreiben: `schlüssel: wert`")
_AS_LIST = ("write each item on a line with `- `", "jeden Eintrag mit `- ` in eine Zeile schreiben")
_AS_NUMBER = _HINTS["a whole number", "text"]


def wrong_type(key: str, expected: str, given: str) -> dict[str, str]:
    """The parameters of a finding on a value of another type (LP203), with what helps."""
    by_type = {"a map": _AS_FIELDS, "a list": _AS_LIST, "a whole number": _AS_NUMBER}
    hint = _HINTS.get((expected, given)) or (
        _EMPTY if given == "nothing" else by_type.get(expected, ("", ""))
    )
    return {
        "key": key, "found": given, "expected": expected, "hint_en": hint[0], "hint_de": hint[1],
    }  # fmt: skip


def _type_of(kind: object) -> str:
    types = kind.types  # type: ignore[attr-defined]
    return types if isinstance(types, str) else "/".join(types)


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
