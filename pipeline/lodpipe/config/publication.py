"""A project: its folder, and what publication.yaml says of the publication."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from lodpipe.config.publication_keys import Publication
from lodpipe.diagnostics.finding import Finding, InvalidData, InvalidDeclaration, Origin
from lodpipe.diagnostics.suggestions import did_you_mean
from lodpipe.documents.readers import read_tree
from lodpipe.documents.tree import Mapping as Map
from lodpipe.documents.tree import Node, node_at, place_of, value_of
from lodpipe.documents.tree import Sequence as List


@dataclass(frozen=True)
class Project:
    """A folder with publication.yaml, source/, ontology/, shapes/, queries/ and dist/."""

    root: Path
    publication: Publication
    origins: Node

    @property
    def dist(self) -> Path:
        return self.root / "dist"

    def origin(self, *path: str | int) -> Origin:
        """The position of a part of publication.yaml."""
        return Origin("publication.yaml", *place_of(self.origins, list(path)))

    @classmethod
    def open(cls, root: Path | str = ".") -> Project:
        """Reads the project in a folder.

        Raises InvalidDeclaration (LP601) with everything that is wrong with publication.yaml,
        SourceError where it is missing.
        """
        folder = Path(root).resolve()
        try:
            tree = read_tree(folder / "publication.yaml", "publication.yaml")
        except InvalidData as error:
            raise InvalidDeclaration(error.findings) from None
        if tree is None:
            raise InvalidDeclaration(
                [Finding("LP601", Origin("publication.yaml"), {"detail": "the file is empty"})]
            )
        _check(tree)
        return cls(folder, _publication(tree), tree)


def publication_schema() -> dict[str, Any]:
    """The JSON Schema of publication.yaml, as `make docs` made it of `publication_keys`."""
    path = Path(__file__).with_name("publication.schema.json")
    schema: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return schema


# Keys of earlier versions and their names of today.
RENAMED = {
    "alike": "duplicates",
    "bad_values": "on_invalid_value",
    "idle_shapes": "unmatched_shapes",
    "shacl": "shacl_engine",
    "shacl_allow": "shacl_ignore",
    "shrink": "max_loss_percent",
}
RENAMED_IN_DUPLICATES = {"apart": "distinct"}


def _publication(tree: Node) -> Publication:
    """The keys as typed values. The schema judges them before, because it reports all that is
    wrong, each at its line; msgspec would stop at the first.
    """
    _check(tree)
    try:
        return msgspec.convert(value_of(tree), Publication)
    except msgspec.ValidationError as error:  # `1.0`, which JSON Schema takes for an integer
        detail, _, path = str(error).partition(" - at `$.")
        steps = [int(step) if step.isdigit() else step for step in re.findall(r"[\w-]+", path)]
        where = Origin("publication.yaml", *place_of(tree, steps))
        raise InvalidDeclaration([Finding("LP601", where, {"detail": detail})]) from None


def _check(tree: Node) -> None:
    import jsonschema_rs

    schema = publication_schema()
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    findings = list(_renamed(tree, RENAMED))
    rules = node_at(tree, ["duplicates"])
    for rule in rules.items if isinstance(rules, List) else ():
        findings += _renamed(rule, RENAMED_IN_DUPLICATES)
    findings += [
        Finding(
            "LP601",
            Origin("publication.yaml", *_place(tree, error)),
            {"detail": _message(error, schema)},
        )
        for whole in validator.iter_errors(value_of(tree))
        for error in _causes(whole)
    ]
    if findings:
        raise InvalidDeclaration(findings)


def _renamed(node: Node, names: Mapping[str, str]) -> Iterator[Finding]:
    """A finding for each key of an earlier version. In the tree it gets its name of today, so that
    its value is checked as well.
    """
    if not isinstance(node, Map):
        return
    for old, new in names.items():
        if old in node.items:
            yield Finding(
                "LP612", Origin("publication.yaml", *node.keys[old]), {"old": old, "new": new}
            )
            node.items.setdefault(new, node.items.pop(old))
            node.keys.setdefault(new, node.keys[old])


def _causes(error: Any) -> Iterator[Any]:
    """The errors of a value that may be of several types (`anyOf`): those against its own type."""
    variants = [
        errors
        for errors in getattr(error.kind, "context", ())
        if not any(
            item.kind.name == "type" and item.instance_path == error.instance_path
            for item in errors
        )
    ]
    if len(variants) != 1:
        yield error
        return
    for cause in variants[0]:
        yield from _causes(cause)


def _place(tree: Node, error: Any) -> tuple[int, int]:
    """The position of an error: an unknown key at itself, anything else at its value."""
    node = node_at(tree, list(error.instance_path))
    unexpected = getattr(error.kind, "unexpected", None)
    if unexpected and isinstance(node, Map):
        return node.keys[unexpected[0]]
    return node.line, node.column


def _message(error: Any, schema: Any) -> str:
    """What is wrong; a pattern is named by the title of the schema that has it, and an unknown key
    comes with the known one that is most like it.
    """
    path = ".".join(str(step) for step in error.instance_path)
    message = str(error.message)
    for step in error.schema_path[:-1]:
        schema = schema[step] if step in schema or isinstance(schema, list) else {}
    if error.kind.name == "pattern" and (title := schema.get("title")):
        message = f"expected {title}; found {json.dumps(error.instance, ensure_ascii=False)}"
    elif error.kind.name == "additionalProperties":
        known = set(schema.get("properties", ())) - set(error.instance)
        message += "".join(did_you_mean(key, sorted(known)) for key in error.kind.unexpected)
    elif error.kind.name == "enum":
        known_values = ", ".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"])
        message = f"{json.dumps(error.instance, ensure_ascii=False)} is not one of {known_values}"
    return f"{path}: {message}" if path else message
