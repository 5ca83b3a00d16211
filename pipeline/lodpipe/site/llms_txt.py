"""llms.txt (llmstxt.org): for language models, what the dataset is and where everything of it is.

# Towns of Example

> The towns of Example with their mayors.

## Downloads

- [towns.nq.gz](https://towns.example/towns.nq.gz): N-Quads, gzip
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lodpipe.config.publication_keys import Publication
from lodpipe.publish.api.api_documents import ROOT, ApiDocuments
from lodpipe.queries.samples import Query
from lodpipe.site.addresses import Addresses, href
from lodpipe.site.feeds import Download
from lodpipe.site.names import chosen

NAME = "llms.txt"
Link = tuple[str, str, str]  # what it is called, its address below the host, a note
_MODEL = {
    "def.ttl": "the own classes and properties",
    "void.ttl": "VoID: classes and properties with their numbers",
    "prefixes.ttl": "prefixes",
    "shapes.ttl": "SHACL: what values look like",
    f"{ROOT}context.jsonld": "JSON-LD context",
    "catalog.ttl": "DCAT: licence, publisher, distributions",
}
_OPTIONAL = {
    "queries.ttl": "sample queries as data",
    "croissant.jsonld": "tables for data loaders",
    "feed.trig": "change feed (LDES)",
    "feed.atom": "releases",
    "withdrawn.csv": "IRIs that are no longer described",
}


@dataclass(frozen=True)
class DatasetFiles:
    """What the file lists: the folder of the site, its downloads, the API and the sample queries."""

    folder: Path
    downloads: Sequence[Download]
    api: ApiDocuments
    queries: Sequence[Query]


def write_llms_txt(publication: Publication, addresses: Addresses, files: DatasetFiles) -> None:
    """Writes the file in English, or in the first language where English is none of them; it lists
    what is there.
    """
    language = "en" if "en" in publication.languages else publication.languages[0]
    sections = {
        "Downloads": _dumps(publication.name, files.downloads),
        "JSON API": _collections(files, language),
        "Sample queries": _queries(files, language, addresses.suffix(language)),
        "SPARQL": [
            ("Endpoint", "sparql", "SPARQL 1.1, where `lodpipe serve` runs; else load a dump"),
            ("Query page", f"sparql{addresses.suffix(language)}.html", "queries in the browser"),
        ],
        "Data model": _existing(files.folder, _MODEL),
        "Optional": _existing(files.folder, _OPTIONAL),
    }
    lines = [*_introduction(publication, language)]
    for title, links in sections.items():
        if rows := [_line(publication.host, link) for link in links]:
            lines += ["", f"## {title}", "", *rows]
    (files.folder / NAME).write_text("\n".join(lines) + "\n", "utf-8", newline="\n")


def _introduction(publication: Publication, language: str) -> Iterator[str]:
    yield f"# {_plain(chosen(publication.title, language))}"
    yield ""
    yield f"> {_plain(chosen(publication.description, language))}"
    yield ""
    yield f"- Version {publication.version} of {publication.date}; licence: {publication.licence}"
    if publication.attribution:
        yield f"- Attribution: {_plain(publication.attribution)}"
    first = publication.document_formats[0].suffix
    yield f"- Identifiers begin with {publication.base}. Add `.json`, `.{first}` or `.html` for the description of a resource."
    yield (
        "- In the N-Quads, the graph of a statement is the document that states it: cite that document. "
        "What is not stated is not known."
    )
    yield "- Agents: `lodpipe mcp` offers search, descriptions, evidence and queries by the Model Context Protocol."


def _dumps(name: str, downloads: Iterable[Download]) -> list[Link]:
    """The dumps of the present state; of a compressed file and its original, the compressed one."""
    dumps = {item.name: item for item in downloads if item.name.startswith(f"{name}.")}
    return [
        (item.name, item.name, item.format)
        for item in dumps.values()
        if f"{item.name}.gz" not in dumps
    ]


def _collections(files: DatasetFiles, language: str) -> list[Link]:
    api = files.api
    links = [
        ("OpenAPI", f"{ROOT}openapi.json", "the description of the API"),
        *(
            (
                chosen(api.title(item.name), language),
                f"{ROOT}{item.name}.json",
                f"{item.size:,} in all; also whole as .csv and .jsonl",
            )
            for item in api.index.collections
            if not item.minor
        ),
    ]
    return [link for link in links if (files.folder / link[1]).is_file()]


def _queries(files: DatasetFiles, language: str, suffix: str) -> list[Link]:
    return [
        (
            chosen(query.title, language),
            f"query/{query.name}{suffix}.html",
            chosen(query.description, language),
        )
        for query in files.queries
        if (files.folder / f"query/{query.name}{suffix}.html").is_file()
    ]


def _existing(folder: Path, notes: dict[str, str]) -> list[Link]:
    return [(name, name, note) for name, note in notes.items() if (folder / name).is_file()]


def _line(host: str, link: Link) -> str:
    name, address, note = link
    text = _plain(name).replace("[", "(").replace("]", ")")
    return f"- [{text}]({host}{href(address)}): {_plain(note)}"


def _plain(text: str) -> str:
    """On one line."""
    return " ".join(text.split())
