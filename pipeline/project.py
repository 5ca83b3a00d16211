"""A project: its folder, and what publication.yaml says of the publication."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import Finding, InvalidData, InvalidDeclaration, Origin
from pipeline.reading.files import read_tree
from pipeline.reading.tree import Node, place_of, value_of

DUMPS = ("nq", "nt", "ttl", "trig", "jsonld", "rdf", "parquet")


@dataclass(frozen=True)
class Body:
    """Whoever publishes or answers; `placeholder` while nobody real is named."""

    name: str
    url: str | None = None
    email: str | None = None
    placeholder: bool = False
    type: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Tree:
    """A set of JSON-LD trees: one file in `folder` for each resource of a class, with the terms of `frame` embedded."""

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
    """What data portals ask for beyond title, publisher and licence; `declared` where publication.yaml says anything of it."""

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
    shacl: str
    memory: str
    bad_values: str
    catalogue: Catalogue
    tables: tuple[PublishedTable, ...]
    hosting: str | None


@dataclass(frozen=True)
class Project:
    """A folder with publication.yaml, source/, ontology/, shapes/, queries/ and dist/."""

    root: Path
    publication: Publication
    origins: Node

    @property
    def dist(self) -> Path:
        return self.root / "dist"

    def origin(self, *path: str) -> Origin:
        """Where a part of publication.yaml stands."""
        return Origin("publication.yaml", *place_of(self.origins, list(path)))

    @classmethod
    def open(cls, root: Path | str = ".") -> Project:
        """Reads the project in a folder.

        Raises InvalidDeclaration (LP601) with everything that is wrong with publication.yaml, SourceError where it is missing.
        """
        folder = Path(root).resolve()
        try:
            tree = read_tree(folder / "publication.yaml", "publication.yaml")
        except InvalidData as error:
            raise InvalidDeclaration(error.findings) from None
        if tree is None:
            raise InvalidDeclaration([Finding("LP601", Origin("publication.yaml"), {"detail": "the file is empty"})])
        _check(tree)
        values = value_of(tree)
        assert isinstance(values, dict)  # the schema says so
        return cls(folder, _publication(values), tree)


def _check(tree: Node) -> None:
    import jsonschema_rs

    schema = json.loads(Path(__file__).with_name("publication.schema.json").read_text("utf-8"))
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    findings = [
        Finding("LP601", Origin("publication.yaml", *place_of(tree, list(error.instance_path))), {"detail": _told(error)})
        for error in validator.iter_errors(value_of(tree))
    ]
    if findings:
        raise InvalidDeclaration(findings)


def _told(error: Any) -> str:
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
        trees=tuple(Tree(one["folder"], one["class"], one["frame"]) for one in values.get("trees", [])),
        shacl=values.get("shacl", "shacl"),
        memory=values.get("memory", "4GB"),
        bad_values=values.get("bad_values", "error"),
        catalogue=_catalogue(values),
        tables=tuple(_table(one) for one in values.get("tables", [])),
        hosting=values.get("hosting"),
    )


def _catalogue(values: dict[str, Any]) -> Catalogue:
    said: dict[str, Any] = values.get("catalogue", {})
    base = values["base"]
    spatial, temporal, service = said.get("spatial", {}), said.get("temporal"), said.get("service", {})
    return Catalogue(
        landing_page=said.get("landing_page", base),
        downloads=said.get("downloads", base),
        issued=said.get("issued", values["release"]["date"]),
        availability=said.get("availability", "STABLE"),
        declared="catalogue" in values,
        themes=tuple(said.get("themes", ())),
        keywords=said.get("keywords", {}),
        frequency=said.get("frequency"),
        political_level=said.get("political_level"),
        contributor=said.get("contributor"),
        temporal=(temporal["start"], temporal["end"]) if temporal else None,
        country=spatial.get("country"),
        points=spatial.get("points"),
        derived_from=said.get("derived_from"),
        provenance=said.get("provenance", {}),
        version_notes=said.get("version_notes", {}),
        service=service.get("url"),
        service_description=service.get("description"),
    )


def _table(values: dict[str, Any]) -> PublishedTable:
    columns = {name: TableColumn(one.get("title", {}), one.get("type", "string")) for name, one in values.get("columns", {}).items()}
    return PublishedTable(values["name"], values["title"], values["query"], tuple(values.get("key", ())), columns)


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
