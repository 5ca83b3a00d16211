"""The API as files, for hosts that only send files: overview, lists, details.

    api/index.json, api/index.html   what there is, for programs and people
    api/NAME.json, NAME-2.json, …    a collection in pages of 500, in the order of labels
    api/NAME.csv, NAME.jsonl         a collection as a whole
    RESOURCE.json                    the details of a resource, beside its page
    api/openapi.json                 what these files are, in OpenAPI

There are no filters and no search: a program that needs them reads a whole collection, or asks a server
(`lodpipe serve`). Collections of more than MOST resources have no lists.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lodpipe.engine.search_index import Collection, Resource, Selection
from lodpipe.publish.api.api_documents import ApiDocuments
from lodpipe.publish.api.api_page import api_content
from lodpipe.publish.api.node_documents import Node, dumped
from lodpipe.publish.api.openapi import Schema, openapi
from lodpipe.publish.api.resource_tables import as_csv, as_lines

PAGE = 500
"""Resources in a file of a list."""
MOST = 100_000
"""Resources of a collection that has lists."""


class StaticApi:
    """Writes the files of an API into a folder."""

    def __init__(self, api: ApiDocuments, folder: Path) -> None:
        self.api, self.folder = api, folder

    def digest(self) -> str:
        """What the documents of all resources share: the keys whose values are lists."""
        return " ".join(sorted(self.api.index.several))

    def framed(self, iri: str) -> bytes:
        """The document of a resource whose class has a frame, else nothing: what it embeds may
        change while the resource does not.
        """
        frames = self.api.documents.frames
        resource = self.api.index.find(iri) if frames else None
        if resource is None or frames.keys().isdisjoint(self.api.index.types(resource)):
            return b""
        return dumped(self.api.documents.detail(resource))

    def each_document(self, nodes: Sequence[Node]) -> list[bytes]:
        """The documents of resources without frames, of their nodes."""
        return [dumped(node) for node in self.api.documents.details_of(nodes)]

    def write(self) -> None:
        """Overview and lists, and the catalogue as JSON."""
        target = self.folder / "api"
        target.mkdir()
        listed = self._listed()
        described = static_openapi(self.api, listed)
        files: dict[str, bytes] = {
            "index.json": dumped(self._overview(listed)),
            "openapi.json": dumped(described, compact=True),
            "context.jsonld": dumped({"@context": dict(self.api.documents.context.given)}),
        }
        for name, content in files.items():
            (target / name).write_bytes(content)
        for item in listed:
            self._list(item, target)
        for path in (self.folder / "catalog.jsonld", *self.folder.glob("dataset/*.jsonld")):
            if path.is_file():  # the catalogue answers for itself and for releases
                shutil.copyfile(path, path.with_suffix(".json"))

    def content(self, language: str) -> str:
        """The content of the page that describes these files."""
        described = static_openapi(self.api, self._listed())
        return api_content(self.api, language, ".json", described)

    def _listed(self) -> list[Collection]:
        return [item for item in self.api.index.collections if item.size <= MOST]

    def _overview(self, listed: Sequence[Collection]) -> Node:
        overview = self.api.overview(".json")
        names = {item.name for item in listed}
        overview["collections"] = [
            {**item, "href": item["href"].rpartition("/")[2]}
            for item in overview["collections"]
            if item["name"] in names
        ]
        return {**overview, "openapi": "openapi.json", "context": "context.jsonld"}

    def _list(self, item: Collection, target: Path) -> None:
        index, documents = self.api.index, self.api.documents
        fields = index.fields(item.name)
        pages = -(-item.size // PAGE)
        with (
            (target / f"{item.name}.csv").open("wb") as table,
            (target / f"{item.name}.jsonl").open("wb") as lines,
        ):
            for number in range(pages):
                nodes = documents.nodes(self._part(item, number))
                table.write(as_csv(nodes, fields, documents, with_names=number == 0))
                lines.write(as_lines(nodes))
                facts = self._facts(item, number, pages)
                page = dumped(documents.listing(nodes, facts))
                (target / _file(item.name, number)).write_bytes(page)

    def _part(self, item: Collection, number: int) -> list[Resource]:
        return self.api.index.select(
            Selection(item.name, offset=number * PAGE, limit=PAGE)
        ).resources

    def _facts(self, item: Collection, number: int, pages: int) -> Mapping[str, Any]:
        """What a page says of itself; addresses are relative to it, so that any folder will do."""
        facts: dict[str, Any] = {
            "total": item.size,
            "page": number + 1,
            "size": PAGE,
            "self": _file(item.name, number),
        }
        if number:
            facts["previous"] = _file(item.name, number - 1)
        if number + 1 < pages:
            facts["next"] = _file(item.name, number + 1)
        return facts


def _file(name: str, number: int) -> str:
    return f"{name}.json" if number == 0 else f"{name}-{number + 1}.json"


def static_openapi(api: ApiDocuments, listed: Sequence[Collection]) -> Schema:
    """The description of the files: the paths of lists and details, without parameters of a server."""
    document = openapi(api)
    paths = document["paths"]
    names = {item.name for item in listed}
    document["paths"] = {path: _file_path(methods) for path, methods in _files(paths, names)}
    document["servers"] = [{"url": ".."}]
    document["tags"] = [item for item in document["tags"] if item["name"] in {*names, "About"}]
    document["info"]["description"] = document["info"]["description"].split("\n\n")[0] + (
        "\n\nThese are files: lists in pages of 500, whole collections as `.csv` and `.jsonl`, and the details of a resource at its own "
        f"address behind `{api.publication.base}` with `.json`. Filters and search need a server: `lodpipe serve`."
    )
    return document


def _files(paths: Schema, names: set[str]) -> Iterator[tuple[str, Schema]]:
    yield "/api/index.json", paths["/api/"]
    yield "/api/openapi.json", paths["/api/openapi.json"]
    yield "/api/context.jsonld", paths["/api/context.jsonld"]
    for name in sorted(names):
        yield f"/api/{name}.json", paths[f"/api/{name}"]
    yield "/{key}.json", paths["/api/resources/{key}"]


def _file_path(methods: Schema) -> Schema:
    operation = dict(methods["get"])
    operation["parameters"] = [
        {key: value for key, value in item.items() if key != "example"}
        for item in operation.get("parameters", [])
        if item["in"] == "path"
    ]
    answer = operation["responses"]["200"]
    kind = next(iter(answer["content"]))
    content = {kind: answer["content"][kind]}
    operation["responses"] = {"200": {**answer, "content": content}}
    return {"get": operation}
