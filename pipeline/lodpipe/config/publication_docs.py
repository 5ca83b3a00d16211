"""Writes what `publication_keys` declares for those who write a publication.yaml (`make docs`): the
JSON Schema `publication.schema.json`, and the tables of keys in docs/declarations.md between their
markers, such as `<!-- keys: catalogue -->` and `<!-- /keys -->`.

    python -m lodpipe.config.publication_docs docs/declarations.md
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from lodpipe.config import publication_keys
from lodpipe.config.publication_keys import Publication

Schema = dict[str, Any]

SCHEMA_FILE = Path(__file__).with_name("publication.schema.json")
_TABLE = re.compile(r"(<!-- keys: (\w+) -->\n).*?(?=<!-- /keys -->\n)", re.S)
_MOST_VALUES = 8  # that a cell of the table lists
_NAMES = {"boolean": "`true` or `false`", "integer": "number", "number": "number", "string": "text"}


def schema() -> Schema:
    """The JSON Schema of publication.yaml."""
    _, definitions = msgspec.json.schema_components([Publication])
    for name, definition in definitions.items():
        del definition["title"]  # the name of the class
        definition.update(getattr(publication_keys, name).schema)
    root = definitions.pop("Publication")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "publication.yaml",
        **_plain(root),
        "$defs": _plain(definitions),
    }


def _plain(part: Any) -> Any:
    """A part of the schema without null as a value (an optional key is left out), without empty
    defaults, and with one complaint for a value that is none of an `enum`.
    """
    if isinstance(part, list | tuple):
        return [_plain(item) for item in part]
    if not isinstance(part, dict):
        return part
    plain = {key: _plain(value) for key, value in part.items()}
    if {"type": "null"} in plain.get("anyOf", ()):
        variants = [item for item in plain.pop("anyOf") if item != {"type": "null"}]
        plain |= variants[0] if len(variants) == 1 else {"anyOf": variants}
    if plain.get("default", 0) in (None, [], {}):
        del plain["default"]
    if "enum" in plain:
        plain.pop("type", None)
    if isinstance(plain.get("description"), str):
        plain["description"] = " ".join(plain["description"].split())
    return plain


def update_page(page: str) -> str:
    """docs/declarations.md with the present tables of keys."""
    keys = schema()
    sections = {name for _, name in _TABLE.findall(page)}

    def table(match: re.Match[str]) -> str:
        part = keys if match[2] == "publication" else _below(keys["properties"][match[2]], keys)
        elsewhere = sections if part is keys else set()
        head = "| key | must | value | what it says |\n|---|---|---|---|\n"
        return match[1] + head + "".join(_rows(part, keys, "", elsewhere))

    return _TABLE.sub(table, page)


def _rows(part: Schema, keys: Schema, prefix: str, elsewhere: set[str]) -> Iterator[str]:
    """A line for each key, and for each key below it unless these have a table of their own."""
    for key, value in part["properties"].items():
        must = "yes" if key in part.get("required", ()) else "no"
        description = re.sub(r"\b(LP\d{3})\b", r"[\1](errors/\1.md)", value.get("description", ""))
        description = re.sub(r"\(([\w-]+\.md)\)", r"([\1](\1))", description)
        yield f"| `{prefix}{key}` | {must} | {_words(value)} | {description} |\n"
        if key not in elsewhere and (below := _below(value, keys)):
            step = "[]" if "items" in value else ".NAME" if "additionalProperties" in value else ""
            yield from _rows(below, keys, f"{prefix}{key}{step}.", set())


def _below(value: Schema, keys: Schema) -> Schema:
    """The map of keys that a value is, or holds as items of a list or under any names."""
    if "$ref" in value:
        target: Schema = keys["$defs"][value["$ref"].rpartition("/")[2]]
        return target
    inner = [*value.get("anyOf", ()), value.get("items"), value.get("additionalProperties")]
    maps = (_below(item, keys) for item in inner if isinstance(item, dict))
    return next(filter(None, maps), {})


def _words(value: Schema) -> str:
    """What a value may be, in words, and its default."""
    default = value.get("default")
    if default is None or isinstance(default, list):  # the texts name what lists hold
        return _kind(value)
    return f"{_kind(value)}; default: `{json.dumps(default).strip(chr(34))}`"


def _kind(value: Schema) -> str:
    if "anyOf" in value and "$ref" not in value:
        return " or ".join(map(_kind, value["anyOf"]))
    if "title" in value:
        return str(value["title"])
    if "enum" in value:
        values = value["enum"]
        few = len(values) <= _MOST_VALUES
        return ", ".join(f"`{item}`" for item in values) if few else f"`{values[0]}`, …"
    if "items" in value:
        return f"list: {_kind(value['items'])}"
    if isinstance(value.get("additionalProperties"), dict):
        return f"map: {_kind(value['additionalProperties'])}"
    return _NAMES.get(value.get("type", "object"), "map") + _range(value)


def _range(value: Schema) -> str:
    least, most = value.get("minimum"), value.get("maximum")
    if most is not None:
        return f" from {least:g} to {most:g}"
    return "" if least is None else f", at least {least:g}"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(json.dumps(schema(), ensure_ascii=False, indent=1) + "\n", "utf-8")
    for path in map(Path, sys.argv[1:]):
        path.write_text(update_page(path.read_text("utf-8")), "utf-8")
