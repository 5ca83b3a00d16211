"""Configuration for web servers: identifiers answer with the document that the client asked for.

A resource `thing/x` has no suffix; its documents `thing/x.html`, `.ttl`, `.jsonld`, `.nt`, `.rdf` lie beside it. Servers that know rewrite rules
only cannot weigh q-values, so the rules come in three tiers: types without a weight, then those with half the weight or more, then the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from lodpipe.config.publication import Publication
from lodpipe.publish.catalogue.withdrawn import Tombstone
from lodpipe.rdf.formats import DOCUMENTS, FORMATS

# In the order of preference where a client wants several alike; HTML is last, and what is sent to those who ask for nothing known.
NEGOTIATED: tuple[tuple[str, str], ...] = (
    *((row.suffix, row.media_type) for row in sorted(DOCUMENTS, key=lambda row: row.preference)),
    ("html", "text/html"),
    ("html", "application/xhtml+xml"),
)
MEDIA_TYPES = {**{row.suffix: row.content_type for row in FORMATS}, "gz": "application/gzip"}
_DUMPED = "|".join(row.suffix for row in sorted(FORMATS, key=lambda row: row.preference) if row.dump)
_WEIGHTS = (r"(; *q=1[.0]*)?", r"; *q=0\.[5-9][0-9]*", r"; *q=0\.([1-4][0-9]*|0+[1-9][0-9]*)")
# What the catalogue describes besides itself.
_IN_CATALOGUE = "dataset|service|distribution/.*"
NOWHERE = "https://host.invalid/"


def accept_rules() -> Iterator[tuple[str, str]]:
    """Suffix and pattern of the Accept header, the first that matches decides."""
    for weight in _WEIGHTS:
        for suffix, media_type in NEGOTIATED:
            quoted = media_type.replace("+", r"\+").replace(".", r"\.")
            yield suffix, f"(^|,) *{quoted} *(; *[^q,; ][^,;]*)*{weight} *(,|$)"


def write_web(publication: Publication, stones: Sequence[Tombstone], folder: Path) -> None:
    """web/: w3id/, apache/, nginx/, Caddyfile, _redirects; how each is used stands in its first lines."""
    web = folder / "web"
    prefix = urlsplit(publication.hosting).path if publication.hosting else "/"
    files = {
        "w3id/.htaccess": _w3id(publication),
        "w3id/README.md": _w3id_readme(publication),
        "apache/.htaccess": _apache(prefix, stones),
        "nginx/http.conf": _nginx_http(),
        "nginx/server.conf": _nginx_server(prefix, stones),
        "Caddyfile": _caddy(prefix, stones),
        "_redirects": _redirects(prefix, stones),
    }
    for name, text in files.items():
        path = web / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def _w3id(publication: Publication) -> str:
    host = publication.hosting or NOWHERE
    todo = "" if publication.hosting else "# `hosting` is not set in publication.yaml yet: the address below leads nowhere.\n"
    lines = [
        f"# {publication.base}: pattern rules, none for a single identifier. Made by `lodpipe build`.",
        f"{todo}Options -MultiViews",
        "RewriteEngine on",
        "",
        "# The start page, and files with a suffix: as they are.",
        f"RewriteRule ^$ {host} [R=302,L]",
        rf"RewriteRule ^(.*\.(?:html|{_DUMPED}|gz|csv|json|md|cff|txt))$ {host}$1 [R=302,L]",
        rf"RewriteRule ^\.well-known/void$ {host}void.ttl [R=302,L]",
        "",
        "# Resources: 303 to the document of the wanted type; a rule for each type and tier of weights.",
        f"RewriteRule ^(?:{_IN_CATALOGUE})$ - [E=DOC:catalog]",
        "RewriteCond %{ENV:DOC} ^$",
        "RewriteRule ^(.+)$ - [E=DOC:$1]",
    ]
    for suffix, pattern in accept_rules():
        lines += [f'RewriteCond %{{HTTP:Accept}} "{pattern}" [NC]', f"RewriteRule ^.+$ {host}%{{ENV:DOC}}.{suffix} [R=303,L]"]
    lines += ["", "# Nothing of these asked for: the page for people.", f"RewriteRule ^.+$ {host}%{{ENV:DOC}}.html [R=303,L]"]
    return "\n".join(lines) + "\n"


def _w3id_readme(publication: Publication) -> str:
    name = publication.base.rstrip("/").rsplit("/", 1)[-1]
    title = next(iter(publication.title.values()))
    contact = publication.contact
    reach = contact.url or contact.email or publication.catalogue.landing_page
    return (
        f"# {name}: {title}\n\nPersistent identifiers of a linked-data publication: {publication.base}\n\n"
        f"- Maintainer: {contact.name} ({reach})\n- Hosting: {publication.hosting or 'not named yet'}\n"
        f"- Licence of the data: {publication.licence}\n\n"
        "Identifiers have no suffix and answer with 303 to a document in HTML, Turtle, JSON-LD, N-Triples or RDF/XML,\nas the `Accept` header asks. "
        "Paths with a suffix are files and answer with 302. `.htaccess` holds pattern rules only.\n\n"
        f"```sh\ncurl -sIL -H 'Accept: text/turtle' {publication.base}dataset\n```\n"
    )


def _apache(prefix: str, stones: Sequence[Tombstone]) -> str:
    lines = [
        "# Apache 2.4: put this into the folder that holds the files of dist/site/.",
        "# Needs AllowOverride FileInfo Indexes Options=MultiViews.",
        "Options -MultiViews",
        "DirectorySlash Off",
        "RemoveEncoding .gz",
        *(f"AddType '{media_type}' .{suffix}" for suffix, media_type in MEDIA_TYPES.items()),
        "<IfModule mod_headers.c>",
        "  Header always append Vary Accept",
        "  Header always set Access-Control-Allow-Origin *",
        "</IfModule>",
        f"ErrorDocument 410 {prefix}withdrawn.html",
        "RewriteEngine On",
        rf"RewriteRule ^\.well-known/void$ {prefix}void.ttl [R=302,L]",
    ]
    for one in stones:
        target = f"{prefix}{one.replaced_by}$1 [R=301,L]" if one.replaced_by else "- [G]"
        lines.append(rf"RewriteRule ^{re.escape(one.id)}(\.[a-z]+)?$ {target}")
    lines += [
        "# What the catalogue describes is answered by the catalogue.",
        f"RewriteRule ^(?:{_IN_CATALOGUE})$ - [E=DOC:catalog]",
        "RewriteCond %{ENV:DOC} ^$",
        "RewriteRule ^(.+)$ - [E=DOC:$1]",
    ]
    for suffix, pattern in [*accept_rules(), ("html", ""), ("ttl", "")]:
        lines += [f'RewriteCond %{{HTTP:Accept}} "{pattern}" [NC]'] if pattern else []
        lines += [
            "RewriteCond %{REQUEST_FILENAME} !-f",
            f"RewriteCond %{{DOCUMENT_ROOT}}{prefix}%{{ENV:DOC}}.{suffix} -f",
            f"RewriteRule ^.+$ {prefix}%{{ENV:DOC}}.{suffix} [R=303,L]",
        ]
    return "\n".join(lines) + "\n"


def _nginx_http() -> str:
    rules = "".join(f'    "~*{pattern}" {suffix};\n' for suffix, pattern in accept_rules())
    return f"# nginx: include this in `http`, and server.conf in `server`.\nmap $http_accept $lodpipe_suffix {{\n    default html;\n{rules}}}\n"


def _nginx_server(prefix: str, stones: Sequence[Tombstone]) -> str:
    headers = "add_header Vary Accept always; add_header Access-Control-Allow-Origin * always;"
    lines = [
        "# nginx: include this in `server`; its root holds the files of dist/site/.",
        "absolute_redirect off;",
        "charset_types text/html text/turtle text/csv;",
        "charset utf-8;",
        f"error_page 410 {prefix}withdrawn.html;",
        f"location = {prefix}.well-known/void {{ return 302 {prefix}void.ttl; }}",
    ]
    for one in stones:
        answer = f"return 301 {prefix}{one.replaced_by}$1" if one.replaced_by else "return 410"
        lines.append(rf'location ~ "^{prefix}{re.escape(one.id)}(\.[a-z]+)?$" {{ {answer}; }}')
    lines.append(f"location ~ ^{prefix}(?:{_IN_CATALOGUE})$ {{ try_files /. @lodpipe_resource; }}")
    for suffix, media_type in MEDIA_TYPES.items():
        lines.append(rf"location ~ \.{suffix}$ {{ types {{ }} default_type {media_type.split(';')[0]}; {headers} }}")
    lines += [
        f"location {prefix} {{ {headers} try_files $uri $uri/index.html @lodpipe_resource; }}",
        "location @lodpipe_resource {",
        f"    {headers}",
        "    set $lodpipe_doc $uri;",
        f"    if ($uri ~ ^{prefix}(?:{_IN_CATALOGUE})$) {{ set $lodpipe_doc {prefix}catalog; }}",
        *(
            f"    if (-f $document_root$lodpipe_doc.{suffix}) {{ return 303 $lodpipe_doc.{suffix}; }}"
            for suffix in ("$lodpipe_suffix", "html", "ttl")
        ),
        "    return 404;",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _caddy(prefix: str, stones: Sequence[Tombstone]) -> str:
    lines = [
        "# Caddy 2: `import` this file into the top level of a Caddyfile and write `import lodpipe` into the site.",
        "# The site's `root` holds the files of dist/site/.",
        "(lodpipe) {",
        "  handle_errors {",
        "    @gone expression {http.error.status_code} == 410",
        "    handle @gone {",
        f"      rewrite * {prefix}withdrawn.html",
        '      header Content-Type "text/html; charset=utf-8"',
        "      file_server",
        "    }",
        "  }",
        "  header Vary Accept",
        "  header Access-Control-Allow-Origin *",
    ]
    for suffix, media_type in MEDIA_TYPES.items():
        lines += [f"  @type_{suffix} path *.{suffix}", f'  header @type_{suffix} Content-Type "{media_type}"']
    lines += ["  route {", f"    redir {prefix}.well-known/void {prefix}void.ttl 302"]
    for number, one in enumerate(stones):
        lines.append(rf'    @stone{number} path_regexp stone{number} "^{prefix}{re.escape(one.id)}(\.[a-z]+)?$"')
        target = f"{prefix}{one.replaced_by}{{re.stone{number}.1}}"
        lines.append(f"    redir @stone{number} {target} 301" if one.replaced_by else f"    error @stone{number} 410")
    lines += ["    map {path} {lodpipe_doc} {", rf'      "~^{prefix}(?:{_IN_CATALOGUE})$" {prefix}catalog', "      default {path}", "    }"]
    for number, (suffix, pattern) in enumerate([*accept_rules(), ("html", ""), ("ttl", "")]):
        lines += [
            f"    @accept{number} {{",
            "      not file {path}",
            f"      file {{lodpipe_doc}}.{suffix}",
            *([f"      header_regexp accept{number} Accept `(?i){pattern}`"] if pattern else []),
            "    }",
            f"    redir @accept{number} {{lodpipe_doc}}.{suffix} 303",
        ]
    return "\n".join([*lines, "    file_server", "  }", "}"]) + "\n"


def _redirects(prefix: str, stones: Sequence[Tombstone]) -> str:
    lines = ["# For static hosts that read _redirects: put it into the root. They cannot see the Accept header; w3id.org's rules can.",
             f"{prefix}.well-known/void {prefix}void.ttl 302"]  # fmt: skip
    for one in stones:
        lines.append(f"{prefix}{one.id} {prefix}{one.replaced_by} 301" if one.replaced_by else f"{prefix}{one.id} {prefix}withdrawn.html 410")
    lines += [f"{prefix}{one} {prefix}catalog.ttl 303" for one in ("dataset", "service", "distribution/*")]
    return "\n".join(lines) + "\n"
