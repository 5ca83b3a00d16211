"""Files beside the pages: what search and the query page read, sitemap, robots, feed, and the list
of downloads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, SubElement, indent, tostring
from xml.sax.saxutils import escape

from lodpipe.config.publication_keys import Publication
from lodpipe.queries.samples import Query
from lodpipe.rdf.file_formats import FORMATS, REIFIERS
from lodpipe.rdf.uris import as_uri
from lodpipe.site.addresses import Addresses, href
from lodpipe.site.browse import Browse
from lodpipe.site.maps import Box
from lodpipe.site.names import Names, chosen, literal
from lodpipe.site.overview import Overview
from lodpipe.site.search_shards import SearchEntry, SearchShards

LABELS = {
    **{row.suffix: row.label for row in FORMATS},
    "html": "HTML", "json": "JSON", "md": "Markdown", "cff": "Citation File Format", "xml": "XML",
}  # fmt: skip


class Entry(NamedTuple):
    """An entry of the Atom feed; links are relation, media type and address below the host."""

    version: str
    date: str
    updated: str
    summary: str
    links: Sequence[tuple[str, str, str]]


# -- search and queries ----------------------------------------------------------------------------


def write_search(
    folder: Path, browse: Browse, names: Names, addresses: Addresses
) -> dict[str, Any]:
    """The files of the search: every resource of a kind that people look for; returns with what
    its files begin.
    """
    groups = [list_ for list_ in browse.lists if not list_.minor]
    number = {group.iri: place for place, group in enumerate(groups)}
    called = [
        [names.kind(group.iri, lang, many=True) for lang in addresses.languages] for group in groups
    ]
    store = browse.store.search
    total = store.prepare([group.iri for group in groups])
    entries = (
        SearchEntry(
            number[kind],
            page,
            [literal(item)[0] for item in _filled(labels)],
            [literal(other)[0] for other in others or ()],
            literal(detail)[0] if detail else "",
            texts or "",
            keys or "",
        )
        for _, s, kind, others, detail, texts, keys, *labels in store.entries()
        if (page := addresses.page(s[1:-1])) is not None
    )
    return SearchShards(addresses.languages, called, total).write(folder, entries)


def _filled(labels: Sequence[str | None]) -> list[str]:
    """Labels in all languages, that of another where there is none."""
    known = next(item for item in labels if item)
    return [item or known for item in labels]


def write_sparql(
    folder: Path,
    publication: Publication,
    overview: Overview,
    prefixes: Mapping[str, str],
    statements: int,
    queries: tuple[Query, ...],
) -> None:
    """sparql.json: what the query page needs to know; queries that ask other hosts are left out."""
    dump = next(
        (
            item
            for item in (f"{publication.name}.nq.gz", f"{publication.name}.nq")
            if (folder / item).is_file()
        ),
        None,
    )
    config: dict[str, Any] = {
        "base": publication.base,
        "languages": list(publication.languages),
        "dump": {
            "path": dump or "",
            "bytes": (folder / dump).stat().st_size if dump else 0,
            "statements": statements,
        },
        "prefixes": dict(prefixes),
        "pages": overview.store.beginnings(),
        "endpoint": "",
        "queries": [_sample(query) for query in queries if query.federated is None],
    }
    if overview.area is not None:
        config["map"] = _map(overview, overview.area)
    (folder / "sparql.json").write_text(
        json.dumps(config, ensure_ascii=False, indent=1) + "\n", "utf-8"
    )


def _sample(query: Query) -> dict[str, Any]:
    params = {
        name: {"type": param.type, "default": param.default, "description": dict(param.description)}
        for name, param in query.params.items()
    }
    columns = {
        name: ({"title": dict(column.title)} if column.title else {})
        | ({"unit": column.unit} if column.unit else {})
        for name, column in query.columns.items()
    }
    return {
        "name": query.name, "title": query.title, "description": query.description, "text": query.text, "form": query.form, "view": query.view,
        "params": params, **({"columns": columns} if columns else {}),
    }  # fmt: skip


def _map(overview: Overview, area: Box) -> dict[str, Any]:
    from lodpipe.site.maps import path

    sides = {
        "width": area.width,
        "height": area.height,
        "west": area.west,
        "east": area.east,
        "north": area.north,
        "south": area.south,
    }
    return sides | {"outline": [path(outline, area) for outline in overview.outlines]}


# -- for machines that visit -----------------------------------------------------------------------


_SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"
_MOST_IN_SITEMAP = 50_000


class Sitemap:
    """sitemap.xml (sitemaps.org 0.9) of all pages, an index of several files from 50,000 on, and
    robots.txt.
    """

    def __init__(self, folder: Path, host: str, addresses: Addresses, day: str) -> None:
        self._folder, self._host, self._day = folder, as_uri(host), day
        self._ends = [f"{addresses.suffix(language)}.html" for language in addresses.languages]
        self._entries: list[str] = []
        self._parts = 0

    def add(self, *pages: str) -> None:
        """Adds pages by their paths without suffix, each in all languages."""
        for page in pages:
            self.add_files(*(f"{href(page)}{end}" for end in self._ends))

    def add_files(self, *files: str) -> None:
        """Adds pages that are one file for all languages, by their paths."""
        self._entries += (f"{self._host}{file}" for file in files)
        while len(self._entries) > _MOST_IN_SITEMAP:
            self._write_part(self._entries[:_MOST_IN_SITEMAP])
            del self._entries[:_MOST_IN_SITEMAP]

    def close(self) -> None:
        """Writes what is not written yet."""
        if self._parts == 0:
            self._write("sitemap.xml", "urlset", "url", self._entries)
        else:
            self._write_part(self._entries)
            files = [f"{self._host}sitemap-{number}.xml" for number in range(1, self._parts + 1)]
            self._write("sitemap.xml", "sitemapindex", "sitemap", files)
        (self._folder / "robots.txt").write_text(
            f"User-agent: *\nAllow: /\nSitemap: {self._host}sitemap.xml\n", "utf-8"
        )

    def _write_part(self, entries: Sequence[str]) -> None:
        self._parts += 1
        self._write(f"sitemap-{self._parts}.xml", "urlset", "url", entries)

    def _write(self, name: str, root: str, item: str, addresses: Sequence[str]) -> None:
        with (self._folder / name).open("w", encoding="utf-8", newline="\n") as out:
            out.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{_SITEMAPS}">\n')
            for address in addresses:
                out.write(
                    f"<{item}><loc>{escape(address)}</loc><lastmod>{self._day}</lastmod></{item}>\n"
                )
            out.write(f"</{root}>\n")


def write_feed(
    folder: Path,
    publication: Publication,
    host: str,
    items: Sequence[Entry],
    texts: Mapping[str, str],
) -> None:
    """feed.atom (RFC 4287): the releases, from declared data alone."""
    language = publication.languages[0]
    feed = Element("feed", {"xmlns": "http://www.w3.org/2005/Atom", "xml:lang": language})
    SubElement(feed, "title").text = chosen(publication.title, language)
    SubElement(feed, "id").text = f"{publication.base}feed"
    SubElement(feed, "link", {"rel": "self", "href": f"{host}feed.atom"})
    SubElement(feed, "link", {"rel": "alternate", "type": "text/html", "href": host})
    SubElement(feed, "updated").text = items[0].updated
    SubElement(SubElement(feed, "author"), "name").text = publication.name_of(publication.publisher)
    SubElement(feed, "rights").text = publication.licence
    for item in items:
        entry = SubElement(feed, "entry")
        SubElement(entry, "title").text = (
            texts["changes_of"].replace("%s", item.version, 1).replace("%s", item.date, 1)
        )
        SubElement(entry, "id").text = f"{publication.base}release/{item.version}"
        for relation, media_type, address in item.links:
            link = {"rel": relation, "type": media_type, "href": f"{host}{address}"}
            SubElement(entry, "link", link)
        SubElement(entry, "updated").text = item.updated
        SubElement(entry, "summary").text = item.summary
    _write_xml(folder / "feed.atom", feed)


def _write_xml(path: Path, root: Element) -> None:
    indent(root, space="", level=0)
    data = tostring(root, encoding="unicode")
    path.write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n{data}\n', "utf-8", newline="\n")


# -- downloads -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Download:
    """A file that people can have."""

    name: str
    href: str
    format: str
    size: int
    sha256: str


def downloads(dist: Path) -> list[Download]:
    """Every file of SHA256SUMS with its size."""
    files = []
    for line in (dist / "SHA256SUMS").read_text("utf-8").splitlines():
        digest, name = line.split("  ", 1)
        suffixes = name.rsplit("/", 1)[-1].split(".")
        packed = suffixes[-1] == "gz"
        kind = LABELS.get(suffixes[-2 if packed and len(suffixes) > 1 else -1], "")
        if name.endswith(f".{REIFIERS.suffix}"):
            kind = REIFIERS.label
        files.append(
            Download(
                name,
                href(name),
                f"{kind}, gzip" if packed else kind,
                (dist / name).stat().st_size,
                digest,
            )
        )
    return files
