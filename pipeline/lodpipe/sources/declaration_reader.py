"""Reads source/records.yaml into tables, and says what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping as Mapping_
from dataclasses import replace
from pathlib import Path

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Origin
from lodpipe.documents.readers import read_tree
from lodpipe.documents.tree import Mapping, Node, Scalar, Sequence, place_of
from lodpipe.sources.file_patterns import Pattern, PatternError
from lodpipe.sources.plausible_values import KEYS, NOTHING, Plausibility, read_plausibility
from lodpipe.sources.record_declaration import (
    PARENT,
    POSITION,
    TYPES,
    Field,
    Files,
    Kind,
    Table,
    columns_of,
    is_outside,
)

_FORMS = ("type", "ref", "concept", "texts", "fields", "list", "keyed")
_FLAGS = {
    "required", "key", "unique", "after", "from", "values", "default", "pattern", "empty", "ignore",
    "title", "description", *KEYS,
}  # fmt: skip
_TABLE_KEYS = {"files", "fields", "except", "root", "at", "keyed", "ignore", "empty"}
_KINDS: Mapping_[str, Kind] = {"type": "value", "ref": "ref", "concept": "concept"}
_DATES = ("date", "partial-date")


def read_declaration(path: Path, name: str) -> dict[str, Table]:
    """The tables of records.yaml, in their order. Raises InvalidDeclaration with every problem
    found.
    """
    tree = read_tree(path, name)
    if not isinstance(tree, Mapping):
        raise InvalidDeclaration(
            [Finding("LP601", Origin(name), {"detail": "records.yaml is a map of tables"})]
        )
    reader = _Reader(name, set(tree.items))
    tables = {table: reader.table(table, node) for table, node in tree.items.items()}
    if not reader.findings:
        reader.check_columns(tables)
    if reader.findings:
        raise InvalidDeclaration(reader.findings)
    return _with_reference_types(tables)


def _with_reference_types(tables: dict[str, Table]) -> dict[str, Table]:
    """The tables with the type of the key of its table in each reference."""

    def key_of(name: str, seen: tuple[str, ...] = ()) -> Field:
        column = tables[name].key_column
        if column is None or name in seen:
            return Field("value", "slug")
        entry = column.field
        if entry.kind == "ref":
            return key_of(entry.target, (*seen, name))
        return entry if entry.kind == "value" else Field("value", "text")

    def typed(entry: Field) -> Field:
        fields = {name: typed(item) for name, item in entry.fields.items()}
        item = typed(entry.item) if entry.item else None
        referred = key_of(entry.target) if entry.kind == "ref" else None
        return replace(entry, fields=fields, item=item, referred=referred)

    return {
        name: Table(name, table.files, typed(table.root_field).fields, table.origin, table.ignored)
        for name, table in tables.items()
    }


class _Reader:
    """Reads field declarations and collects what is wrong with them."""

    def __init__(self, file: str, tables: set[str]) -> None:
        self.file, self.tables = file, tables
        self.findings: list[Finding] = []
        self._may_be_empty = False

    def wrong(self, node: Node, detail: str, *path: str) -> None:
        self.findings.append(
            Finding("LP601", Origin(self.file, *place_of(node, list(path))), {"detail": detail})
        )

    # -- tables ------------------------------------------------------------------------------------

    def table(self, name: str, node: Node) -> Table:
        origin = Origin(self.file, node.line, node.column)
        if not isinstance(node, Mapping) or not {"files", "fields"} <= set(node.items):
            self.wrong(node, f"table `{name}` needs `files` and `fields`")
            return Table(name, Files(()), {}, origin)
        for key in node.items:
            if key not in _TABLE_KEYS:
                known = ", ".join(sorted(_TABLE_KEYS))
                self.wrong(node, f"table `{name}`: unknown key `{key}`; known: {known}", key)
        self._may_be_empty = self.empty(node)
        files = Files(
            self.texts(node.items["files"]),
            self.texts(node.items["except"]) if "except" in node.items else (),
            self.text(node.items["root"]).rstrip("/") if "root" in node.items else "",
            self.path(node.items["at"]) if "at" in node.items else (),
            self.flag(node, "keyed"),
        )
        fields = self.fields(node.items["fields"])
        fields |= self.captures(node, files, fields)
        ignored = self.texts(node.items["ignore"]) if "ignore" in node.items else ()
        self._may_be_empty = False
        return Table(name, files, fields, origin, ignored)

    def captures(self, node: Mapping, files: Files, fields: dict[str, Field]) -> dict[str, Field]:
        """The fields that parts of the path fill: `{state}` in a pattern fills `state`."""
        names: dict[str, None] = {}
        for text in (*files.patterns, *files.excluded):
            try:
                names |= dict.fromkeys(Pattern.read(text).captures)
            except PatternError as error:
                self.wrong(node, f"`{text}`: {error}", "files")
        used = {entry.source[0] for entry in fields.values() if entry.source}
        for sign in used:
            if sign.startswith("{") and sign[1:-1] not in names:
                self.wrong(node, f"no pattern of `files` has `{sign}`", "files")
        added = {}
        for name in names:
            entry = fields.get(name)
            sign = f"{{{name}}}"
            if entry is None and sign not in used:
                origin = Origin(self.file, *node.keys["files"])
                added[name] = Field("value", "text", source=(sign,), origin=origin)
            elif entry is not None and not entry.source:
                added[name] = replace(entry, source=(sign,))
        return added

    def check_columns(self, tables: dict[str, Table]) -> None:
        """A table has one key, and a list as well; items take values of their record that exist."""
        for table in tables.values():
            self._check_columns(table, table.fields, None)

    def _check_columns(
        self, table: Table, fields: dict[str, Field], above: dict[str, Field] | None
    ) -> None:
        known = {column.name for column in columns_of(above or {}, ())}
        for column in columns_of(fields, ()):
            name = "_".join(column.path[1:])
            if column.path[0] == PARENT and name not in known:
                detail = f"field `{column.name}`: the record has no single value `{name}`"
                where = column.field.origin or table.origin
                self.findings.append(Finding("LP601", where, {"detail": detail}))
        marked = [column.name for column in columns_of(fields, ()) if column.field.key]
        if len(marked) > 1:
            names = ", ".join(f"`{name}`" for name in marked)
            detail = f"table `{table.name}`: {names} are all marked as `key`; one names the record"
            self.findings.append(Finding("LP601", table.origin, {"detail": detail}))
        for entry in fields.values():
            if entry.item is not None:
                self._check_columns(table, (entry.item.item or entry.item).fields, fields)

    # -- values ------------------------------------------------------------------------------------

    def text(self, node: Node) -> str:
        if isinstance(node, Scalar) and node.text:
            return node.text
        self.wrong(node, "a text is expected here")
        return ""

    def texts(self, node: Node) -> tuple[str, ...]:
        """A text, or several."""
        if isinstance(node, Sequence) and node.items:
            return tuple(self.text(item) for item in node.items)
        return (self.text(node),)

    def path(self, node: Node) -> tuple[str, ...]:
        """A path of keys: `a.b`, or a list for keys that have a dot."""
        if isinstance(node, Sequence):
            return self.texts(node)
        text = self.text(node)
        return (text,) if is_outside(text) else tuple(text.split("."))

    def flag(self, node: Mapping, name: str) -> bool:
        value = node.items.get(name)
        if value is not None and not (isinstance(value, Scalar) and isinstance(value.value, bool)):
            self.wrong(node, f"`{name}` is true or false", name)
        return isinstance(value, Scalar) and value.value is True

    def empty(self, node: Mapping) -> bool:
        """Whether an empty text, list or map, or nothing at all, is no value."""
        value = node.items.get("empty")
        if value is None:
            return self._may_be_empty
        if not (isinstance(value, Scalar) and value.text in ("absent", "invalid")):
            self.wrong(node, "`empty` is `absent` or `invalid`", "empty")
            return False
        return value.text == "absent"

    # -- fields ------------------------------------------------------------------------------------

    def fields(self, node: Node) -> dict[str, Field]:
        if not isinstance(node, Mapping):
            self.wrong(node, "`fields` is a map of field names")
            return {}
        entries = {
            name: replace(
                self.field(name, item),
                origin=Origin(self.file, *node.keys[name]),
                plausible=self.plausibility(item),
                titles=self.in_languages(item, "title"),
                descriptions=self.in_languages(item, "description"),
            )
            for name, item in node.items.items()
        }
        for name, entry in entries.items():
            other = entries.get(entry.after)
            if entry.after and (
                other is None or not all(self.is_date(date) for date in (entry, other))
            ):
                self.wrong(
                    node.items[name],
                    f"`after`: `{name}` and `{entry.after}` are both fields of type date or partial-date here",
                )
        return entries

    def in_languages(self, node: Node, name: str) -> dict[str, str]:
        """A text for editors by its language; a text without one is of all (`""`)."""
        value = node.items.get(name) if isinstance(node, Mapping) else None
        if value is None:
            return {}
        if isinstance(value, Mapping) and value.items:
            return {language: self.text(text) for language, text in value.items.items()}
        return {"": self.text(value)}

    @staticmethod
    def is_date(entry: Field) -> bool:
        return entry.kind == "value" and entry.target in _DATES

    def field(self, name: str, node: Node) -> Field:
        if not isinstance(node, Mapping):
            self.wrong(node, f"field `{name}` is a map such as {{type: text}}")
            return Field("value", "text")
        forms = [key for key in node.items if key not in _FLAGS]
        if not forms and {"from", "values"} & set(node.items):
            return self.single(name, node, "type")
        if len(forms) != 1 or forms[0] not in _FORMS:
            self.wrong(node, f"field `{name}` needs exactly one of {', '.join(_FORMS)}")
            return Field("value", "text")
        form = forms[0]
        if form in _KINDS:
            return self.single(name, node, form)
        for flag in ("key", "unique", "after", "values", "default", "pattern"):
            if flag in node.items:
                self.wrong(node, f"field `{name}`: `{flag}` is of single values only", flag)
        return self.several(name, node, form)

    def several(self, name: str, node: Mapping, form: str) -> Field:
        """A map, texts, or a list."""
        outer, value = self._may_be_empty, node.items[form]
        self._may_be_empty = empty = self.empty(node)
        required = self.flag(node, "required")
        source = self.source(name, node)
        if source and is_outside(source[0]):
            self.wrong(node, f"field `{name}`: `{source[0]}` is a single value", "from")
        if "ignore" in node.items and form != "fields":
            self.wrong(node, f"field `{name}`: `ignore` is of `fields` only", "ignore")
        try:
            if form == "fields":
                ignored = self.texts(node.items["ignore"]) if "ignore" in node.items else ()
                fields = self.fields(value)
                parts = Field("map", fields=fields, ignored=ignored)
            elif form == "texts":
                parts = Field("texts")
            else:
                kind: Kind = "list" if form == "list" else "keyed"
                parts = Field(kind, item=self.item(name, value, kind))
        finally:
            self._may_be_empty = outer
        return replace(parts, required=required, may_be_empty=empty, source=source)

    def item(self, name: str, node: Node, kind: Kind) -> Field:
        item = self.field(name, node)
        if item.kind in ("texts", "keyed") or (item.kind == "list" and kind == "list"):
            self.wrong(node, f"a list of {item.kind} is not possible; wrap it in `fields`")
        return replace(item, plausible=self.plausibility(node))

    def plausibility(self, node: Node) -> Plausibility:
        """What a field, or the items of its list, are expected to be."""
        return read_plausibility(node, self.wrong) if isinstance(node, Mapping) else NOTHING

    def single(self, name: str, node: Mapping, form: str) -> Field:
        """A single value: of a type, a reference, a concept."""
        source = self.source(name, node)
        target = self.target(node, form, source)
        values = self.values(node)
        default = self.text(node.items["default"]) if "default" in node.items else None
        required = self.flag(node, "required")
        if default is not None and required:
            self.wrong(node, f"field `{name}`: what has a default is not required", "default")
        if "ignore" in node.items:
            self.wrong(node, f"field `{name}`: `ignore` is of `fields` only", "ignore")
        return Field(
            _KINDS[form],
            target,
            required,
            self.flag(node, "key"),
            self.flag(node, "unique"),
            after=self.text(node.items["after"]) if "after" in node.items else "",
            source=source,
            values=values,
            default=default,
            pattern=self.pattern(name, node, target),
            may_be_empty=self.empty(node),
        )

    def target(self, node: Mapping, form: str, source: tuple[str, ...]) -> str:
        """What a single value is: its type, the table or the scheme."""
        value = node.items.get(form)
        if value is None:
            return "integer" if source == (POSITION,) else "text"
        target = self.text(value)
        if form == "ref" and target not in self.tables:
            self.wrong(value, f"there is no table `{target}`")
        if form == "type" and target not in TYPES and ":" not in target:
            self.wrong(
                value,
                f"there is no type `{target}`; known: {', '.join(TYPES)} and own datatypes (def:…)",
            )
        return target

    def source(self, name: str, node: Mapping) -> tuple[str, ...]:
        """Where a value comes from: a key, a path of keys, or what no key holds."""
        if "from" not in node.items:
            return ()
        source = self.path(node.items["from"])
        if source[0] == PARENT and len(source) == 1:
            self.wrong(node, f"field `{name}`: `_parent.FIELD` names a field", "from")
        return source

    def values(self, node: Mapping) -> dict[str, str | None] | None:
        """The values that files may have: a list, or a map to what they become."""
        value = node.items.get("values")
        if value is None:
            return None
        if isinstance(value, Sequence) and value.items:
            return {text: text for text in self.texts(value)}
        if isinstance(value, Mapping) and value.items:
            becomes: dict[str, str | None] = {}
            for key, item in value.items.items():
                if isinstance(item, Scalar):
                    becomes[key] = item.text
                else:
                    self.wrong(item, "a text is expected here, or nothing")
            return becomes
        self.wrong(value, "`values` is a list of texts, or a map from texts to texts")
        return None

    def pattern(self, name: str, node: Mapping, target: str) -> str:
        """The regular expression of a text, whole."""
        if "pattern" not in node.items:
            return ""
        text = self.text(node.items["pattern"])
        if target not in ("text", "any"):
            self.wrong(node, f"field `{name}`: `pattern` is of the types text and any", "pattern")
        try:
            re.compile(text)
        except re.error as error:
            self.wrong(node, f"field `{name}`: `pattern`: {error}", "pattern")
            return ""
        return text if text.startswith("^") and text.endswith("$") else f"^(?:{text})$"
