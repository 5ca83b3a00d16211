"""A project: its folder, and what publication.yaml says of the publication."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lodpipe.diagnostics.finding import Finding, InvalidData, InvalidDeclaration, Origin
from lodpipe.documents.readers import Limits, read_tree
from lodpipe.documents.tree import Mapping as Map
from lodpipe.documents.tree import Node, node_at, place_of, value_of
from lodpipe.documents.tree import Sequence as List
from lodpipe.rdf.file_formats import DUMPS


@dataclass(frozen=True)
class Body:
    """Who publishes or answers; `placeholder` while no real person or organisation is named."""

    name: str
    url: str | None = None
    email: str | None = None
    placeholder: bool = False
    type: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Tree:
    """A set of JSON-LD trees: one file in `folder` for each resource of a class, with the terms of
    `frame` embedded.
    """

    folder: str
    class_: str
    frame: dict[str, Any]


@dataclass(frozen=True)
class TableColumn:
    """A column of a published CSV table: its title by language, and its type where it is no text."""

    title: Mapping[str, str]
    type: str


@dataclass(frozen=True)
class PublishedTable:
    """A CSV table beside the dumps: the rows of a query."""

    name: str
    title: Mapping[str, str]
    query: str
    key: tuple[str, ...]
    columns: Mapping[str, TableColumn]


@dataclass(frozen=True)
class Catalogue:
    """What data portals ask for beyond title, publisher and licence; `declared` where
    publication.yaml says anything of it.
    """

    landing_page: str
    downloads: str
    issued: str
    availability: str
    declared: bool = False
    themes: tuple[str, ...] = ()
    keywords: Mapping[str, Sequence[str]] = field(default_factory=dict)
    frequency: str | None = None
    political_level: str | None = None
    contributor: str | None = None
    temporal: tuple[str, str] | None = None
    country: str | None = None
    points: str | None = None
    derived_from: str | None = None
    provenance: Mapping[str, str] = field(default_factory=dict)
    version_notes: Mapping[str, str] = field(default_factory=dict)
    service: str | None = None
    service_description: str | None = None


@dataclass(frozen=True)
class DuplicateRule:
    """How duplicate records of a table are found: a column of names, columns of keys, words to
    ignore, pairs that are known to be distinct.
    """

    table: str
    name: str | None = None
    keys: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    distinct: tuple[frozenset[str], ...] = ()


@dataclass(frozen=True)
class Expectations:
    """What a check expects of the records: how many there are, how many may be lost, no duplicates,
    which shapes may match nothing.
    """

    counts: Mapping[str, tuple[int, int | None]] = field(default_factory=dict)
    max_loss_percent: float | None = None
    duplicates: tuple[DuplicateRule, ...] = ()
    unmatched_shapes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Publication:
    """publication.yaml, checked."""

    name: str
    base: str
    title: dict[str, str]
    description: dict[str, str]
    languages: tuple[str, ...]
    version: str
    date: str
    licence: str
    attribution: str
    publisher: Body
    contact: Body
    graph: str
    dumps: tuple[str, ...]
    gzip: bool
    trees: tuple[Tree, ...]
    shacl_engine: str
    shacl_ignore: frozenset[str]  # SHACL terms that are not supported, by local name
    memory: str
    on_invalid_value: str
    catalogue: Catalogue
    tables: tuple[PublishedTable, ...]
    hosting: str | None
    expectations: Expectations = field(default_factory=Expectations)
    limits: Limits = field(default_factory=Limits)
    site: Mapping[str, Any] | bool = True  # read by pipeline/lodpipe/site
    ignore: tuple[str, ...] = ()  # globs of files that nothing reads and that may be there


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
        values = value_of(tree)
        assert isinstance(values, dict)  # the schema says so
        return cls(folder, _publication(values), tree)


def publication_schema() -> dict[str, Any]:
    """The JSON Schema of publication.yaml."""
    schema: dict[str, Any] = json.loads(
        Path(__file__).with_name("publication.schema.json").read_text("utf-8")
    )
    schema["properties"]["dumps"]["items"]["enum"] = list(DUMPS)
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


def _check(tree: Node) -> None:
    import jsonschema_rs

    validator = jsonschema_rs.Draft202012Validator(publication_schema(), validate_formats=True)
    findings = list(_renamed(tree, RENAMED))
    rules = node_at(tree, ["duplicates"])
    for rule in rules.items if isinstance(rules, List) else ():
        findings += _renamed(rule, RENAMED_IN_DUPLICATES)
    findings += [
        Finding(
            "LP601", Origin("publication.yaml", *_place(tree, error)), {"detail": _message(error)}
        )
        for error in validator.iter_errors(value_of(tree))
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


def _place(tree: Node, error: Any) -> tuple[int, int]:
    """The position of an error: an unknown key at itself, anything else at its value."""
    node = node_at(tree, list(error.instance_path))
    unexpected = getattr(error.kind, "unexpected", None)
    if unexpected and isinstance(node, Map):
        return node.keys[unexpected[0]]
    return node.line, node.column


def _message(error: Any) -> str:
    path = ".".join(str(step) for step in error.instance_path)
    return f"{path}: {error.message}" if path else str(error.message)


def _publication(values: dict[str, Any]) -> Publication:
    release = values["release"]
    language = values["languages"][0]
    return Publication(
        name=values["name"],
        base=values["base"],
        title=values["title"],
        description=values["description"],
        languages=tuple(values["languages"]),
        version=release["version"],
        date=release["date"],
        licence=values["licence"],
        attribution=values["attribution"],
        publisher=_body(values["publisher"], language),
        contact=_body(values["contact"], language),
        graph=values["graph"],
        dumps=tuple(values.get("dumps", DUMPS)),
        gzip=values.get("gzip", True),
        trees=tuple(
            Tree(value["folder"], value["class"], value["frame"])
            for value in values.get("trees", [])
        ),
        shacl_engine=values.get("shacl_engine", "columns"),
        shacl_ignore=frozenset(name.removeprefix("sh:") for name in values.get("shacl_ignore", ())),
        memory=values.get("memory", "4GB"),
        on_invalid_value=values.get("on_invalid_value", "error"),
        catalogue=_catalogue(values),
        tables=tuple(_table(value) for value in values.get("tables", [])),
        hosting=values.get("hosting"),
        expectations=_expectations(values),
        limits=_limits(values.get("limits", {})),
        site=values.get("site", True),
        ignore=tuple(values.get("ignore", ())),
    )


def _limits(values: dict[str, Any]) -> Limits:
    size = values.get("file")
    units = {"KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}
    read = {"file": int(size[:-2]) * units[size[-2:]]} if size else {}
    return Limits(**read, **{name: value for name, value in values.items() if name != "file"})


def _expectations(values: dict[str, Any]) -> Expectations:
    counts = {
        name: (value, value) if isinstance(value, int) else (value.get("min", 0), value.get("max"))
        for name, value in values.get("expect", {}).items()
    }
    duplicates = tuple(
        DuplicateRule(
            rule["table"], rule.get("name"), tuple(rule.get("keys", ())), tuple(rule.get("ignore", ())),
            tuple(frozenset(pair) for pair in rule.get("distinct", ())),
        )
        for rule in values.get("duplicates", ())
    )  # fmt: skip
    return Expectations(
        counts,
        values.get("max_loss_percent"),
        duplicates,
        tuple(values.get("unmatched_shapes", ())),
    )


def _catalogue(values: dict[str, Any]) -> Catalogue:
    declared: dict[str, Any] = values.get("catalogue", {})
    base = values["base"]
    spatial, temporal, service = (
        declared.get("spatial", {}),
        declared.get("temporal"),
        declared.get("service", {}),
    )
    return Catalogue(
        landing_page=declared.get("landing_page", base),
        downloads=declared.get("downloads", base),
        issued=declared.get("issued", values["release"]["date"]),
        availability=declared.get("availability", "STABLE"),
        declared="catalogue" in values,
        themes=tuple(declared.get("themes", ())),
        keywords=declared.get("keywords", {}),
        frequency=declared.get("frequency"),
        political_level=declared.get("political_level"),
        contributor=declared.get("contributor"),
        temporal=(temporal["start"], temporal["end"]) if temporal else None,
        country=spatial.get("country"),
        points=spatial.get("points"),
        derived_from=declared.get("derived_from"),
        provenance=declared.get("provenance", {}),
        version_notes=declared.get("version_notes", {}),
        service=service.get("url"),
        service_description=service.get("description"),
    )


def _table(values: dict[str, Any]) -> PublishedTable:
    columns = {
        name: TableColumn(value.get("title", {}), value.get("type", "string"))
        for name, value in values.get("columns", {}).items()
    }
    return PublishedTable(
        values["name"], values["title"], values["query"], tuple(values.get("key", ())), columns
    )


def _body(values: dict[str, Any], language: str) -> Body:
    name = values["name"]
    return Body(
        name if isinstance(name, str) else name.get(language) or next(iter(name.values())),
        values.get("url"),
        values.get("email"),
        values.get("placeholder", False),
        values.get("type"),
        {language: name} if isinstance(name, str) else name,
    )
