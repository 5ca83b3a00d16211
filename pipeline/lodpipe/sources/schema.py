"""JSON Schemas from records.yaml: the same rules for the editor and for the check in CI."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

from msgspec import Struct

from lodpipe.diagnostics.finding import Finding, Origin
from lodpipe.diagnostics.suggestions import nearest, other_spelling
from lodpipe.documents.core_schema import typed
from lodpipe.documents.tree import JsonValue, Node, Scalar, describe, place_of, value_of
from lodpipe.documents.tree import Mapping as Map
from lodpipe.sources.record_cells import as_written, expression_of
from lodpipe.sources.record_declaration import TYPES, Field, Table


class Lexicon(Struct, frozen=True):
    """What the declarations know of values: concepts by scheme, patterns of own datatypes,
    languages. For editors also the keys of records by table, and the labels of concepts by scheme.
    """

    concepts: Mapping[str, tuple[str, ...]]
    patterns: Mapping[str, str]
    languages: tuple[str, ...]
    records: Mapping[str, Mapping[str, str]] = {}
    labels: Mapping[str, Mapping[str, str]] = {}


def table_schema(table: Table, lexicon: Lexicon) -> dict[str, object]:
    """The JSON Schema (2020-12) of one record of a table.

    Raises KeyError where records.yaml names a concept scheme or datatype that ontology/ does not
    declare.
    """
    return _object(as_written(table.root_field), lexicon)


def file_schema(table: Table, lexicon: Lexicon, title: str) -> dict[str, object]:
    """The JSON Schema of a record file, for editors: one record, or a list of them.

    An editor offers the keys of referred records and shows their labels (`enumDescriptions`); other keys
    are valid too, for a record may have been added since.
    """
    offered = {
        f"{name}-keys": _offered(lexicon.records[name])
        for name in sorted(_referred(table.fields.values()))
        if lexicon.records.get(name)
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "anyOf": [
            {"$ref": "#/$defs/record"},
            {"type": "array", "items": {"$ref": "#/$defs/record"}},
        ],
        "$defs": {"record": table_schema(table, lexicon), **offered},
    }


def _offered(labels: Mapping[str, str]) -> dict[str, object]:
    """Values with what they mean, for completion."""
    schema: dict[str, object] = {"enum": list(labels)}
    return {**schema, "enumDescriptions": list(labels.values())} if any(labels.values()) else schema


def _referred(fields: Iterable[Field]) -> set[str]:
    """The tables that fields refer to, at any depth."""
    names = set()
    for field in fields:
        if field.kind == "ref":
            names.add(field.target)
        names |= _referred([*field.fields.values(), *([field.item] if field.item else [])])
    return names


def _object(field: Field, lexicon: Lexicon) -> dict[str, object]:
    """The schema of a map, with the keys that files have."""
    schema: dict[str, object] = {
        "type": "object",
        "additionalProperties": "*" in field.ignored,
        "properties": {
            name: {**_field(entry, lexicon), **_annotations(entry, lexicon)}
            for name, entry in field.fields.items()
        },
    }
    if patterns := [text for text in field.ignored if text != "*"]:
        schema["patternProperties"] = {expression_of(text): True for text in patterns}
    required = [name for name, entry in field.fields.items() if entry.required]
    return {**schema, "required": required} if required else schema


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
        known = lexicon.labels.get(field.target, {})
        return _offered({name: known.get(name, "") for name in lexicon.concepts[field.target]})
    if field.kind == "ref":
        referred = _field(field.referred or Field("value", "slug"), lexicon)
        if lexicon.records.get(field.target) and referred.get("type") == "string":
            referred = {"anyOf": [{"$ref": f"#/$defs/{field.target}-keys"}, referred]}
        referred["description"] = f"id of a record in {field.target}"
        return referred
    schema: dict[str, object] = dict(
        TYPES.get(field.target) or {"type": "string", "pattern": lexicon.patterns[field.target]}
    )
    return {**schema, "pattern": field.pattern} if field.pattern else schema


def _annotations(field: Field, lexicon: Lexicon) -> dict[str, object]:
    """What an editor shows of a field: title and description, in all languages that are declared."""
    several = {"title": field.titles, "description": field.descriptions}
    order = ["", *lexicon.languages]
    return {
        name: " / ".join(texts[language] for language in order if language in texts)
        for name, texts in several.items()
        if texts
    }


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

        self.table, self._root = table, as_written(table.root_field)
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
        return _joined(_broken_off(_without_consequences(findings), record, file))

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
            allowed = list(dict.fromkeys(str(option) for option in kind.options))
            value = {"value": _short(instance), "suggestion": nearest(str(instance), allowed)}
            yield Finding("LP205", where, {"key": key, "allowed": ", ".join(allowed), **value})
        else:
            params = {"key": key, "value": _short(instance), "pattern": "", "suggestion": ""}
            if name == "pattern":
                params["pattern"] = kind.pattern
                params["suggestion"] = other_spelling(str(instance), kind.pattern)
            elif name == "format" and _is_date(other := other_spelling(str(instance), _DAY)):
                params["suggestion"] = other
            params["expected"] = _EXPECTATIONS.get(name) or self._expected(path)
            yield Finding("LP204", where, params)

    def _names_at(self, path: list[str | int]) -> list[str]:
        """The keys that are declared at a path."""
        entry = field_at(self._root, [step for step in path if isinstance(step, str)])
        fields = entry.fields or (entry.item.fields if entry.item else {})
        return list(fields)

    def _expected(self, path: list[str | int]) -> str:
        """What the value at a path is declared to be."""
        keys = [step for step in path if isinstance(step, str)]
        if not keys:
            return "value"
        entry = field_at(self._root, keys)
        entry = entry.item if entry.item else entry
        return entry.target or entry.kind


def field_at(field: Field, keys: list[str]) -> Field:
    """The written field at a path of keys of a file, or the last one on the way there."""
    if field.item is not None:
        return field_at(field.item, keys[1:] if field.kind == "keyed" else keys) if keys else field
    entry = field.fields.get(keys[0]) if keys else None
    return field_at(entry, keys[1:]) if entry else field


_DAY = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_EXPECTATIONS = {
    "minItems": "list: it is empty",
    "uniqueItems": "list: a value occurs twice",
    "minProperties": "map: it is empty",
}
_ANY = "a single value"
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
    several = [types] if isinstance(types, str) else list(types)
    return several[0] if len(several) == 1 else _ANY


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


def _joined(findings: list[Finding]) -> list[Finding]:
    """The findings, those on missing keys of one map as one; `id` is named first, for it leads to the
    record.
    """
    missing: dict[Origin | None, list[str]] = {}
    for finding in findings:
        if finding.code == "LP202":
            missing.setdefault(finding.where, []).append(finding.params["key"])
    joined = []
    for finding in findings:
        if finding.code != "LP202":
            joined.append(finding)
        elif keys := missing.pop(finding.where, []):
            first, *others = sorted(keys, key=lambda key: key != "id")
            params = {**finding.params, "key": first}
            more = {"others": ", ".join(f"`{key}`" for key in others)} if others else {}
            joined.append(replace(finding, params=params | more))
    return joined


def _short(value: JsonValue | object) -> str:
    text = str(value)
    return text if len(text) <= 80 else text[:77] + "…"


def _broken_off(findings: list[Finding], record: Node, file: str) -> list[Finding]:
    """The findings; where the record lacks keys, and so does what is written last in it, it was cut
    off: one finding (LP249) at its end, of which the missing keys are consequences.
    """
    ends = {(node.line, node.column) for node in _last_nodes(record)}
    *_, last = _last_nodes(record)
    is_empty = isinstance(last, Scalar) and last.text is None  # a key without its value
    codes = ("LP202", "LP203") if is_empty else ("LP202",)
    lacking = [
        finding for finding in findings
        if finding.code in codes and finding.where and (finding.where.line, finding.where.column) in ends
    ]  # fmt: skip
    if len({finding.where for finding in lacking}) < 2:
        return findings
    keys = ", ".join(f"`{finding.params['key']}`" for finding in lacking)
    followers = tuple(replace(finding, caused_by="LP249") for finding in lacking)
    where = Origin(file, last.line, last.column)
    cut = Finding("LP249", where, {"keys": keys}, consequences=followers)
    return [cut, *(finding for finding in findings if finding not in lacking)]


def _last_nodes(node: Node) -> Iterable[Node]:
    """A node, what is written last in it, what is written last in that, and so on."""
    yield node
    if isinstance(node, Scalar):
        return
    items = list(node.items.values()) if isinstance(node, Map) else node.items
    if items:
        yield from _last_nodes(max(items, key=lambda item: (item.line, item.column)))


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
