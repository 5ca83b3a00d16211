"""Configuration for web servers: identifiers answer with the document that the client asked for.

A resource `thing/x` has no suffix; its documents `thing/x.html`, `.ttl`, `.jsonld`, `.nt`, `.rdf`
are next to it. Servers that know rewrite rules only cannot weigh q-values, so the rules come in
three tiers: types without a weight, then those with half the weight or more, then the rest.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from pathlib import Path

from lodpipe.config.publication_keys import Publication
from lodpipe.publish.catalogue.rendering import rendered
from lodpipe.publish.catalogue.signposting import LINKSET_TYPE, TypedLink, header_links
from lodpipe.publish.catalogue.versions import OF_CATALOGUE, OF_VERSION
from lodpipe.publish.catalogue.withdrawn_rules import encoded, withdrawn_rules
from lodpipe.publish.compression import is_one_member
from lodpipe.rdf.file_formats import DOCUMENTS, FORMATS
from lodpipe.rdf.uris import as_uri
from lodpipe.releases.history import History
from lodpipe.releases.tombstones import Tombstone

# In the order of preference where a client wants several alike; HTML is last, and what is sent to
# those who ask for nothing known.
NEGOTIATED: tuple[tuple[str, str], ...] = (
    *((row.suffix, row.media_type) for row in sorted(DOCUMENTS, key=lambda row: row.preference)),
    ("json", "application/json"),
    ("html", "text/html"),
    ("html", "application/xhtml+xml"),
)
MEDIA_TYPES = {
    **{row.suffix: row.content_type for row in FORMATS},
    "json": "application/json",
    "gz": "application/gzip",
    "atom": "application/atom+xml",
    "linkset": LINKSET_TYPE,
}
_DOCUMENT_TYPES = {
    **{row.suffix: row.media_type for row in DOCUMENTS},
    "json": "application/json",
}
"""What a resource is described in besides pages: RDF, and the JSON of the API."""
_COMPRESSED = (
    *sorted({row.media_type for row in FORMATS if row.suffix != "parquet"}),
    "text/html", "text/css", "text/csv", "text/plain", "text/javascript", "text/xml",
    "application/javascript", "application/json", "application/xml", "application/atom+xml",
    "application/wasm", "image/svg+xml", LINKSET_TYPE,
)  # fmt: skip
"""Media types of texts, which servers compress where they have no compressed copy."""
FRESH = "public, max-age=60, stale-while-revalidate=600"
IMMUTABLE = "public, max-age=31536000, immutable"
"""Cache-Control of what a build replaces, and of the folders of closed releases."""
# Ends of the names of files, as a pattern; what has none of them is a resource.
_FILE_SUFFIXES = "|".join(
    [
        "html",
        *(row.suffix for row in sorted(FORMATS, key=lambda row: row.preference)),
        *(
            "gz",
            "json",
            "linkset",
            "md",
            "cff",
            "txt",
            "atom",
            "xml",
            "css",
            "js",
            "wasm",
            "svg",
            "webp",
            "png",
        ),
    ]
)
_WEIGHTS = (r"(; *q=1[.0]*)?", r"; *q=0\.[5-9][0-9]*", r"; *q=0\.([1-4][0-9]*|0+[1-9][0-9]*)")
# The smallest limits of static hosts: GitLab Pages reads 1,000 rules and 64 KB, Cloudflare Pages
# 2,000 rules of at most 1,000 characters.
_MOST_RULES, _MOST_BYTES, _LONGEST_RULE = 1_000 - 5, 60_000, 1_000
_MOST_VERSIONS = 50
"""Releases with rules of their own on static hosts, the newest ones."""
_MOST_IN_HTACCESS = 100
"""Withdrawn resources in .htaccess, the newest ones. Apache reads it with each request, 4 µs a rule;
the others are in a RewriteMap.
"""
_MOST_AT_W3ID = 100
"""The same in the rules for w3id.org, where each change is a proposal that people read."""
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)
POLICIES = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""Headers of every answer, by which browsers bound what it can do."""
NOWHERE = "https://host.invalid/"
_FILES = {
    "w3id.htaccess.j2": "w3id/.htaccess",
    "w3id-README.md.j2": "w3id/README.md",
    "apache.htaccess.j2": "apache/.htaccess",
    "apache-withdrawn.txt.j2": "apache/withdrawn.txt",
    "nginx-http.conf.j2": "nginx/http.conf",
    "nginx-server.conf.j2": "nginx/server.conf",
    "Caddyfile.j2": "Caddyfile",
    "_redirects.j2": "_redirects",
    "_headers.j2": "_headers",
}


def accept_rules(suffixes: Container[str]) -> Iterator[tuple[str, str]]:
    """Suffix and pattern of the Accept header, for documents with these suffixes; the first that
    matches decides.
    """
    offered = [item for item in NEGOTIATED if item[0] in suffixes]
    for weight in _WEIGHTS:
        for suffix, media_type in offered:
            quoted = media_type.replace("+", r"\+").replace(".", r"\.")
            yield suffix, f"(^|,) *{quoted} *(; *[^q,; ][^,;]*)*{weight} *(,|$)"


def document_ends(languages: Sequence[str]) -> tuple[str, ...]:
    """What the addresses of a resource's documents have behind the resource's own.

    >>> document_ends(["de", "en"])
    ('.html', '.en.html', '.ttl', '.nt', '.jsonld', '.rdf', '.json')
    """
    pages = (".html", *(f".{language}.html" for language in languages[1:]))
    return (*pages, *(f".{suffix}" for suffix in _DOCUMENT_TYPES))


def _redirects(tombstones: Sequence[Tombstone], prefix: str, gone: str, most: int) -> list[str]:
    """The rules of _redirects for withdrawn resources, as many as static hosts read; those of
    replaced ones first. `!` lets a rule of Netlify hold although there is a page. `gone` is the page
    of a resource without a single successor, with `{}` for its address.
    """
    rules = []
    for item in sorted(tombstones, key=lambda item: item.status):
        local = encoded(item.id)
        target = encoded(item.living[0]) if item.status == 301 else gone.format(local)
        rules.append(f"{prefix}{local} {prefix}{target} {item.status}!")
    written: list[str] = []
    size = 0
    for rule in rules:
        size += len(rule) + 1
        if len(written) == most or size > _MOST_BYTES:
            break
        if len(rule) <= _LONGEST_RULE:
            written.append(rule)
    return written


def portable_redirects(rules: str) -> str:
    """The rules of _redirects that every static host accepts: Cloudflare refuses a site with 410 or
    `!` in the file, GitLab Pages ignores such rules.

    >>> portable_redirects("/a /b 301!\\n/c /c.html 410!\\n")
    '/a /b 301\\n'
    """
    lines = [line.removesuffix("!") for line in rules.splitlines()]
    return "".join(f"{line}\n" for line in lines if not line.endswith(" 410"))


def write_web(
    publication: Publication,
    tombstones: Sequence[Tombstone],
    folder: Path,
    history: History,
    links: Sequence[TypedLink] = (),
) -> None:
    """web/: w3id/, apache/, nginx/, Caddyfile, _redirects, _headers; the first lines of each say how
    it is used.
    """
    contact = publication.contact
    rules = list(accept_rules({suffix for suffix, _ in NEGOTIATED}))
    formats = publication.document_formats
    rules_of_resources = list(accept_rules({*(row.suffix for row in formats), "json", "html"}))
    prefix = publication.path
    ends = document_ends(publication.languages)
    newest_first = sorted(tombstones, key=lambda item: item.date, reverse=True)
    withdrawn = withdrawn_rules(newest_first, publication.base, ends)
    versions = [release.version for release in reversed(history.releases)][:_MOST_VERSIONS]
    gone = "{}.html" if publication.site else "withdrawn.html"
    redirects = _redirects(tombstones, encoded(prefix), gone, _MOST_RULES - 2 * len(versions))
    packed = [path for path in sorted(folder.glob("*.gz")) if path.with_suffix("").is_file()]
    facts = {
        "compressed": list(dict.fromkeys(_COMPRESSED)),
        "several_members": [
            path.stem for path in packed if not is_one_member(path.with_suffix(""))
        ],
        "name": publication.base.rstrip("/").rsplit("/", 1)[-1],
        "title": next(iter(publication.title.values())),
        "ascii_base": as_uri(publication.base),
        "base": publication.base,
        "licence": publication.licence,
        "contact": publication.name_of(contact),
        "reach": contact.url or contact.email or publication.landing_page,
        "hosting": publication.hosting,
        "maintainers": publication.maintainers,
        "host": publication.hosting or NOWHERE,
        "prefix": prefix,
        "sent_prefix": encoded(prefix),
        "in_catalogue": OF_CATALOGUE,
        "in_version": OF_VERSION,
        "media_types": MEDIA_TYPES,
        "suffixes": _FILE_SUFFIXES,
        "links": header_links(links),
        "rules": rules,
        "rules_of_resources": rules_of_resources,
        "formats": formats,
        "rules_and_rest": [*rules, ("html", ""), ("ttl", "")],
        "withdrawn": withdrawn,
        "in_htaccess": withdrawn.listed[:_MOST_IN_HTACCESS],
        "at_w3id": (withdrawn.others + withdrawn.listed)[:_MOST_AT_W3ID],
        "most_at_w3id": _MOST_AT_W3ID,
        "most_successors": max((len(item.living) for item in tombstones), default=0),
        "longest": max((len(prefix) + len(rule.path) for rule in withdrawn.listed), default=0),
        "ends": "|".join(re.escape(end) for end in ends),
        "document_types": _DOCUMENT_TYPES,
        "redirects": redirects,
        "versions": versions,
        "without_rule": len(tombstones) - len(redirects),
        "closed": [release.folder for release in reversed(history.releases)],
        "policies": {**POLICIES, "Content-Security-Policy": PAGE_POLICY},
        "fresh": FRESH,
        "immutable": IMMUTABLE,
    }
    for template, name in _FILES.items():
        path = folder / "web" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(rendered(template, facts), "utf-8")
