"""The description of the API as a page for people, which needs neither scripts nor other hosts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from urllib.parse import quote

from lodpipe.publish.api.api_documents import ROOT, ApiDocuments
from lodpipe.publish.api.list_parameters import filters_of
from lodpipe.publish.api.openapi import Schema, openapi

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; base-uri 'none'"
)
STYLE = b""":root { color-scheme: light dark; --link: #0b4f6c; background: #fff; color: #17212b; }
@media (prefers-color-scheme: dark) { :root { --link: #86c5e8; background: #12181f; color: #e6ebf0; } }
a { color: var(--link); }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { overflow: auto; border: 1px solid #8886; padding: .6rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; border-bottom: 1px solid #8884; padding: .25rem .5rem .25rem 0; }
td, p, li { overflow-wrap: anywhere; }
h2 { margin-top: 2.5rem; overflow-wrap: anywhere; } summary { cursor: pointer; } .quiet { opacity: .75; }
"""


def api_page(api: ApiDocuments, suffix: str = "", document: Schema | None = None) -> bytes:
    """The page, in HTML; `suffix` is that of lists in files, `document` their description."""
    described = document or openapi(api)
    title = escape(described["info"]["title"])
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n',
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
        f'<title>API: {title}</title>\n<link rel="stylesheet" href="api.css">\n',
        '<link rel="icon" href="data:,">\n</head>\n<body>\n',
        f"<main>\n<h1>API: {title}</h1>\n",
        *(f"<p>{_marked(part)}</p>\n" for part in described["info"]["description"].split("\n\n")),
        '<p>For programs: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1), ',
        f'<a href="context.jsonld">context.jsonld</a>. Licence: <a href="{escape(api.publication.licence)}">',
        f"{escape(api.publication.licence)}</a>.</p>\n",
        *_collections(api, suffix, described),
        *([] if suffix else _examples(api)),
        *_operations(described),
        "</main>\n</body>\n</html>\n",
    ]
    return "".join(parts).encode()


def _marked(text: str) -> str:
    """A text whose parts between backquotes are code."""
    parts = escape(text, quote=False).split("`")
    return "".join(
        f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts)
    )


def _collections(api: ApiDocuments, suffix: str, document: Schema) -> Iterator[str]:
    """The collections, each with links to the descriptions of its operations."""
    yield "<h2>Collections</h2>\n<table>\n<tr><th>address</th><th>what</th><th>resources</th><th>described</th></tr>\n"
    for item in api.collections if not suffix else api.index.collections:
        address = f"{item.name}{suffix}"
        title = escape(next(iter(reversed(api.title(item.name).values()))))
        operations = ", ".join(
            f'<a href="#{quote(methods["get"]["operationId"], safe="-")}">{word}</a>'
            for path, word in ((address, "list"), (f"{item.name}/{{key}}", "details"))
            if (methods := document["paths"].get(f"/{ROOT}{path}"))
        )
        yield f'<tr><td><a href="{address}"><code>/{ROOT}{address}</code></a></td><td>{title}</td><td>{item.size}</td><td>{operations}</td></tr>\n'
    yield "</table>\n"


def _examples(api: ApiDocuments) -> Iterator[str]:
    """Requests to try, over the first collection of the publication."""
    item = next((part for part in api.collections if part.size), None)
    if item is None:  # nothing is described
        return
    first = api.index.of_ids([item.first])[0]
    label = first.label(api.index.languages) or item.name
    fields = api.index.fields(item.name)
    filters = [field.term for field, _ in filters_of(fields).values() if field.kind == "reference"]
    reference = next(iter(filters), None)
    key = quote(first.iri.removeprefix(api.publication.base), safe="/")
    requests = [
        (f"{item.name}?size=5&page=2", "the second five"),
        (f"{item.name}?q={quote(label.split()[-1])}", "a search, best hits first"),
        (f"{item.name}?sort=-label&size=5", "in another order"),
        (f"{item.name}/{key}", "one with all that is known of it"),
        (f"{item.name}.csv", "all as a table"),
        (f"suggest?q={quote(label[:3])}", "names for what was typed so far"),
    ]
    if reference:
        requests.insert(
            3,
            (
                f"{item.name}?{reference}__exists=true&facet={reference}",
                "a filter, and how many have each value",
            ),
        )
        requests.insert(
            4, (f"resources?{reference}__of={key}", f"what one refers to by {reference}")
        )
    yield "<h2>Requests to try</h2>\n<ul>\n"
    for address, what in requests:
        yield f'<li><a href="{escape(address)}"><code>/{ROOT}{escape(address)}</code></a>: {escape(what)}</li>\n'
    yield "</ul>\n"


def _operations(document: Schema) -> Iterator[str]:
    for path, methods in document["paths"].items():
        operation = methods["get"]
        anchor = quote(operation["operationId"], safe="-")
        yield f'<h2 id="{anchor}"><code>GET {escape(path)}</code></h2>\n'
        yield f"<p>{escape(operation['summary'])}</p>\n"
        if operation.get("description"):
            yield f"<p>{_marked(operation['description'])}</p>\n"
        if parameters := operation.get("parameters"):
            yield from _parameters(parameters)
        content = operation["responses"]["200"]["content"]
        kinds = ", ".join(f"<code>{escape(kind)}</code>" for kind in content)
        yield f'<p class="quiet">Answers: {kinds}{_fields(document, content)}</p>\n'


def _parameters(parameters: Sequence[Schema]) -> Iterator[str]:
    own = [item for item in parameters if "__" not in item["name"]]
    bounds = [f"<code>{escape(item['name'])}</code>" for item in parameters if "__" in item["name"]]
    yield "<details><summary>Parameters</summary>\n<table>\n"
    for item in own:
        yield f"<tr><td><code>{escape(item['name'])}</code></td><td>{_kind(item['schema'])}</td><td>{_marked(item['description'])}"
        if item.get("required"):
            yield " (required)"
        if "example" in item:
            yield f", as in <code>{escape(str(item['example']))}</code>"
        yield "</td></tr>\n"
    yield "</table>\n"
    if bounds:
        yield f"<p>Bounds, and whether there is a value: {', '.join(bounds)}</p>\n"
    yield "</details>\n"


def _kind(schema: Schema) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(f"<code>{escape(str(item))}</code>" for item in schema["enum"])
    if schema.get("type") == "array":
        most = f", at most {schema['maxItems']}" if "maxItems" in schema else ""
        return f"{_kind(schema['items'])}, repeatable{most}"
    bounds = [
        f"{word} {schema[key]}"
        for key, word in (
            ("minimum", "from"),
            ("maximum", "to"),
            ("maxLength", "characters up to"),
            ("default", "default"),
        )
        if key in schema
    ]
    return " ".join([str(schema.get("format") or schema.get("type", "any")), *bounds])


def _fields(document: Schema, content: Mapping[str, Schema]) -> str:
    """The keys of the resources that an operation answers with."""
    schema = next(iter(content.values()))["schema"]
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    described = document["components"]["schemas"].get(name, {})
    keys = [key for key in described.get("properties", {}) if key != "@context"]
    return f". Keys: {', '.join(f'<code>{escape(key)}</code>' for key in keys)}" if keys else ""
