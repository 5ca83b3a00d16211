"""Files beside the pages: what search and the query page read, sitemap, robots, feed, and the list of downloads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from lodpipe.config.publication import Publication
from lodpipe.engine.duckdb import Engine
from lodpipe.mapping.plan import text
from lodpipe.queries.samples import Query
from lodpipe.rdf.formats import FORMATS
from lodpipe.site.addresses import Addresses, href
from lodpipe.site.browse import Browse, Listed
from lodpipe.site.maps import Box
from lodpipe.site.names import Names, chosen, literal
from lodpipe.site.overview import Overview

ALTERNATIVE = tuple(
    f"<{one}>"
    for one in (
        "http://www.w3.org/2004/02/skos/core#altLabel", "https://schema.org/alternateName", "http://purl.org/dc/terms/alternative",
        "http://www.w3.org/2004/02/skos/core#hiddenLabel", "http://www.w3.org/2004/02/skos/core#notation",
    )
)  # fmt: skip
LABELS = {
    **{row.suffix: row.label for row in FORMATS},
    "html": "HTML", "json": "JSON", "md": "Markdown", "cff": "Citation File Format", "xml": "XML",
}  # fmt: skip


# -- search and queries --------------------------------------------------------------------------------------------------


def write_search(folder: Path, engine: Engine, browse: Browse, names: Names, addresses: Addresses) -> None:
    """search.json: every resource of a kind that people look for, in one stream."""
    groups = [one for one in browse.lists if not one.minor]
    number = {one.iri: place for place, one in enumerate(groups)}
    called = [[names.kind(one.iri, lang, many=True) for lang in addresses.languages] for one in groups]
    head = {"languages": list(addresses.languages), "groups": called}
    with (folder / "search.json").open("w", encoding="utf-8", newline="\n") as out:
        out.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "entries": [')
        comma = "\n"
        for kind, s, others, detail, *labels in _searched(engine, addresses):
            page = addresses.page(s[1:-1])
            if kind in number and page is not None and any(labels):
                out.write(comma + json.dumps(_entry(number[kind], page, labels, others, detail), ensure_ascii=False, separators=(",", ":")))
                comma = ",\n"
        out.write("\n]}\n")


def _searched(engine: Engine, addresses: Addresses) -> Iterator[tuple[Any, ...]]:
    columns = ", ".join(f"r.label_{n}" for n in range(len(addresses.languages)))
    listed = ", ".join(text(one) for one in ALTERNATIVE)
    return engine.stream(
        f"SELECT r.kind, r.s, a.others, f.detail, {columns} FROM site_resources AS r "
        f"LEFT JOIN (SELECT s, list(DISTINCT o ORDER BY o) AS others FROM site_triples WHERE p IN ({listed}) AND o LIKE '\"%' GROUP BY s) AS a "
        f"ON a.s = r.s LEFT JOIN (SELECT s, min(coalesce(label_0, value)) AS detail FROM site_facets WHERE facet = 0 GROUP BY s) AS f "
        f"ON f.s = r.s ORDER BY r.s"
    )


def _entry(group: int, page: str, labels: Sequence[str | None], others: Sequence[str] | None, detail: str | None) -> list[Any]:
    found = [literal(one)[0] if one else "" for one in labels]
    while len(found) > 1 and found[-1] == found[-2]:
        found.pop()
    alternatives = [one for one in dict.fromkeys(literal(other)[0] for other in others or ()) if one not in found]
    entry = [group, page, found, alternatives]
    return [*entry, literal(detail)[0]] if detail else entry


def write_sparql(
    folder: Path, publication: Publication, overview: Overview, prefixes: Mapping[str, str], statements: int, queries: tuple[Query, ...]
) -> None:
    """sparql.json: what the query page needs to know; queries that ask other hosts are left out."""
    dump = next((one for one in (f"{publication.name}.nq.gz", f"{publication.name}.nq") if (folder / one).is_file()), None)
    config: dict[str, Any] = {
        "base": publication.base,
        "languages": list(publication.languages),
        "dump": {"path": dump or "", "bytes": (folder / dump).stat().st_size if dump else 0, "statements": statements},
        "prefixes": dict(prefixes),
        "pages": _beginnings(overview.engine, publication.base),
        "endpoint": "",
        "queries": [_sample(one) for one in queries if one.federated is None],
    }
    if overview.area is not None:
        config["map"] = _map(overview, overview.area)
    (folder / "sparql.json").write_text(json.dumps(config, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _sample(query: Query) -> dict[str, Any]:
    params = {name: {"type": one.type, "default": one.default, "description": dict(one.description)} for name, one in query.params.items()}
    return {
        "name": query.name, "title": query.title, "description": query.description, "text": query.text, "form": query.form, "view": query.view,
        "params": params,
    }  # fmt: skip


def _beginnings(engine: Engine, base: str) -> list[str]:
    rows = engine.rows(
        f"SELECT DISTINCT regexp_extract(substr(s, {len(base) + 2}), '^[^/>]*[/>]') FROM site_resources "
        f"WHERE starts_with(s, {text('<' + base)}) ORDER BY ALL"
    )
    return [row[0].rstrip(">") for row in rows if row[0] and row[0] != ">"]


def _map(overview: Overview, area: Box) -> dict[str, Any]:
    from lodpipe.site.maps import path

    sides = {"width": area.width, "height": area.height, "west": area.west, "east": area.east, "north": area.north, "south": area.south}
    return sides | {"outline": [path(one, area) for one in overview.outlines]}


# -- for machines that visit ----------------------------------------------------------------------------------------------


def write_sitemap(folder: Path, host: str, lists: Sequence[Listed], addresses: Addresses, pages: Sequence[str], day: str) -> None:
    """sitemap.xml (sitemaps.org 0.9) of the pages that lead to all others, and robots.txt."""
    names = [*pages, *(part for one in lists if not one.minor for part in one.parts())]
    with (folder / "sitemap.xml").open("w", encoding="utf-8", newline="\n") as out:
        out.write('<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n')
        for name in names[: 50_000 // len(addresses.languages)]:
            for language in addresses.languages:
                out.write(f"<url><loc>{escape(host + href(name) + addresses.suffix(language))}.html</loc><lastmod>{day}</lastmod></url>\n")
        out.write("</urlset>\n")
    (folder / "robots.txt").write_text(f"User-agent: *\nAllow: /\nSitemap: {host}sitemap.xml\n", "utf-8")


def write_feed(folder: Path, publication: Publication, host: str, texts: Mapping[str, str]) -> None:
    """feed.atom (RFC 4287): the release that this is, from declared data alone."""
    language = publication.languages[0]
    stamp = f"{publication.date}T00:00:00Z"
    title = chosen(publication.title, language)
    notes = chosen(publication.catalogue.version_notes, language) or chosen(publication.description, language)
    entry = texts["changes_of"].replace("%s", publication.version, 1).replace("%s", publication.date, 1)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{language}">',
        f"<title>{escape(title)}</title>",
        f"<id>{escape(publication.base)}feed</id>",
        f'<link rel="self" href="{escape(host)}feed.atom"/>',
        f'<link rel="alternate" type="text/html" href="{escape(host)}"/>',
        f"<updated>{stamp}</updated>",
        f"<author><name>{escape(publication.publisher.name)}</name></author>",
        f"<rights>{escape(publication.licence)}</rights>",
        "<entry>",
        f"<title>{escape(entry)}</title>",
        f"<id>{escape(publication.base)}release/{escape(publication.version)}</id>",
        f'<link rel="alternate" type="text/html" href="{escape(host)}releases.html"/>',
        f"<updated>{stamp}</updated>",
        f"<summary>{escape(notes)}</summary>",
        "</entry>",
        "</feed>",
    ]
    (folder / "feed.atom").write_text("\n".join(lines) + "\n", "utf-8")


# -- downloads --------------------------------------------------------------------------------------------------------------


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
    found = []
    for line in (dist / "SHA256SUMS").read_text("utf-8").splitlines():
        digest, name = line.split("  ", 1)
        suffixes = name.rsplit("/", 1)[-1].split(".")
        packed = suffixes[-1] == "gz"
        kind = LABELS.get(suffixes[-2 if packed and len(suffixes) > 1 else -1], "")
        found.append(Download(name, href(name), f"{kind}, gzip" if packed else kind, (dist / name).stat().st_size, digest))
    return found
