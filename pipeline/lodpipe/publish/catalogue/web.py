"""Configuration for web servers: identifiers answer with the document that the client asked for.

A resource `thing/x` has no suffix; its documents `thing/x.html`, `.ttl`, `.jsonld`, `.nt`, `.rdf`
are next to it. Servers that know rewrite rules only cannot weigh q-values, so the rules come in
three tiers: types without a weight, then those with half the weight or more, then the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from lodpipe.config.publication_keys import Publication
from lodpipe.publish.catalogue.rendering import rendered
from lodpipe.publish.catalogue.withdrawn import Tombstone
from lodpipe.rdf.file_formats import DOCUMENTS, FORMATS

# In the order of preference where a client wants several alike; HTML is last, and what is sent to
# those who ask for nothing known.
NEGOTIATED: tuple[tuple[str, str], ...] = (
    *((row.suffix, row.media_type) for row in sorted(DOCUMENTS, key=lambda row: row.preference)),
    ("html", "text/html"),
    ("html", "application/xhtml+xml"),
)
MEDIA_TYPES = {**{row.suffix: row.content_type for row in FORMATS}, "gz": "application/gzip"}
_DUMPED = "|".join(
    row.suffix for row in sorted(FORMATS, key=lambda row: row.preference) if row.dump
)
_WEIGHTS = (r"(; *q=1[.0]*)?", r"; *q=0\.[5-9][0-9]*", r"; *q=0\.([1-4][0-9]*|0+[1-9][0-9]*)")
# What the catalogue describes besides itself.
_IN_CATALOGUE = "dataset|service|distribution/.*"
NOWHERE = "https://host.invalid/"
_FILES = {
    "w3id.htaccess.j2": "w3id/.htaccess",
    "w3id-README.md.j2": "w3id/README.md",
    "apache.htaccess.j2": "apache/.htaccess",
    "nginx-http.conf.j2": "nginx/http.conf",
    "nginx-server.conf.j2": "nginx/server.conf",
    "Caddyfile.j2": "Caddyfile",
    "_redirects.j2": "_redirects",
}


def accept_rules() -> Iterator[tuple[str, str]]:
    """Suffix and pattern of the Accept header, the first that matches decides."""
    for weight in _WEIGHTS:
        for suffix, media_type in NEGOTIATED:
            quoted = media_type.replace("+", r"\+").replace(".", r"\.")
            yield suffix, f"(^|,) *{quoted} *(; *[^q,; ][^,;]*)*{weight} *(,|$)"


def write_web(publication: Publication, stones: Sequence[Tombstone], folder: Path) -> None:
    """web/: w3id/, apache/, nginx/, Caddyfile, _redirects; the first lines of each say how it is
    used.
    """
    contact = publication.contact
    rules = list(accept_rules())
    facts = {
        "name": publication.base.rstrip("/").rsplit("/", 1)[-1],
        "title": next(iter(publication.title.values())),
        "base": publication.base,
        "licence": publication.licence,
        "contact": publication.name_of(contact),
        "reach": contact.url or contact.email or publication.landing_page,
        "hosting": publication.hosting,
        "host": publication.hosting or NOWHERE,
        "prefix": urlsplit(publication.hosting).path if publication.hosting else "/",
        "in_catalogue": _IN_CATALOGUE,
        "media_types": MEDIA_TYPES,
        "dumped": _DUMPED,
        "rules": rules,
        "rules_and_rest": [*rules, ("html", ""), ("ttl", "")],
        "stones": stones,
    }
    for template, name in _FILES.items():
        path = folder / "web" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(rendered(template, facts), "utf-8")
