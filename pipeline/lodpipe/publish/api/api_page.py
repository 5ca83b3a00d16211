"""The description of the API as a page for people, in the languages of the publication; it needs neither
scripts nor other hosts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from lodpipe.publish.api.api_documents import ROOT, ApiDocuments
from lodpipe.publish.api.api_texts import worded
from lodpipe.publish.api.list_parameters import filters_of
from lodpipe.publish.api.openapi import Schema, openapi

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; base-uri 'none'"
)
BEGIN, END = "<!-- api -->", "<!-- /api -->"
"""Between them a page of the publication has the description, which a server replaces by its own."""
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


def api_page(api: ApiDocuments, language: str = "en") -> bytes:
    """A whole page in HTML, for a server that has no pages of the publication."""
    title = escape(worded(f"API: {_own(api.publication.title, language)}", language))
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>{title}</title>\n<link rel="stylesheet" href="api.css">\n'
        '<link rel="icon" href="data:,">\n</head>\n<body>\n'
        f"<main>\n{api_content(api, language)}</main>\n</body>\n</html>\n"
    ).encode()


def framed(page: bytes, content: str) -> bytes:
    """A page of the publication whose content is replaced; empty where it has none of this kind."""
    before, begin, rest = page.partition(BEGIN.encode())
    _, end, after = rest.partition(END.encode())
    return b"".join((before, begin, content.encode(), end, after)) if end else b""


def api_content(
    api: ApiDocuments, language: str, suffix: str = "", document: Schema | None = None
) -> str:
    """The content of the page in a language; `suffix` is that of lists in files, `document` their
    description.
    """
    described = document or openapi(api)
    page = _Page(api, language, suffix, described)
    _, *rest = described["info"]["description"].split("\n\n")
    introduction = [
        _own(api.publication.description, language),
        *(worded(part, language) for part in rest),
    ]
    title = escape(page.text(f"API: {_own(api.publication.title, language)}"))
    licence = escape(api.publication.licence)
    parts = [
        f'<h1 id="content">{title}</h1>\n',
        *(f"<p>{_marked(part)}</p>\n" for part in introduction),
        f'<p>{page.text("For programs")}: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1), ',
        f'<a href="context.jsonld">context.jsonld</a>. {page.text("Licence")}: <a href="{licence}">{licence}</a>.</p>\n',
        *page.collections(),
        *([] if suffix else page.examples()),
        *page.operations(),
    ]
    return "".join(parts)


def _own(texts: Mapping[str, str], language: str) -> str:
    return texts.get(language) or texts.get("en") or next(iter(texts.values()), "")


def _marked(text: str) -> str:
    """A text whose parts between backquotes are code."""
    parts = escape(text, quote=False).split("`")
    return "".join(
        f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts)
    )


@dataclass(frozen=True)
class _Page:
    """The content of the page: of an API with lists of this suffix, described by an OpenAPI document."""

    api: ApiDocuments
    language: str
    suffix: str
    document: Schema

    def text(self, english: str) -> str:
        """A text of the API in the language of the page."""
        return worded(english, self.language)

    def collections(self) -> Iterator[str]:
        """The collections, each with links to the descriptions of its operations."""
        heads = [self.text(head) for head in ("address", "what", "resources", "described")]
        title = self.text("Collections")
        yield f"<h2>{title}</h2>\n{_scrolled(title)}<table>\n<thead><tr>"
        yield "".join(f'<th scope="col">{head}</th>' for head in heads)
        yield "</tr></thead>\n<tbody>\n"
        api = self.api
        for item in api.collections if not self.suffix else api.index.collections:
            address = f"{item.name}{self.suffix}"
            operations = ", ".join(
                f'<a href="#{quote(methods["get"]["operationId"], safe="-")}">{self.text(word)}</a>'
                for path, word in ((address, "list"), (f"{item.name}/{{key}}", "details"))
                if (methods := self.document["paths"].get(f"/{ROOT}{path}"))
            )
            yield f'<tr><td><a href="{address}"><code>/{ROOT}{address}</code></a></td><td>{escape(self._title(item.name))}</td>'
            yield f"<td>{item.size}</td><td>{operations}</td></tr>\n"
        yield "</tbody></table></div>\n"

    def _title(self, collection: str) -> str:
        return self.text(_own(self.api.title(collection), self.language))

    def examples(self) -> Iterator[str]:
        """Requests to try, over the first collection of the publication."""
        api = self.api
        item = next((part for part in api.collections if part.size), None)
        if item is None:  # nothing is described
            return
        first = api.index.of_ids([item.first])[0]
        label = first.label(api.index.languages) or item.name
        filters = filters_of(api.index.fields(item.name)).values()
        reference = next((field.term for field, _ in filters if field.kind == "reference"), None)
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
            counted = f"{item.name}?{reference}__exists=true&facet={reference}"
            referred = f"resources?{reference}__of={key}"
            requests.insert(3, (counted, "a filter, and how many have each value"))
            requests.insert(4, (referred, f"what one refers to by {reference}"))
        yield f"<h2>{self.text('Requests to try')}</h2>\n<ul>\n"
        for address, what in requests:
            yield f'<li><a href="{escape(address)}"><code>/{ROOT}{escape(address)}</code></a>: {escape(self.text(what))}</li>\n'
        yield "</ul>\n"

    def operations(self) -> Iterator[str]:
        """Each operation with its parameters and answers."""
        for path, methods in self.document["paths"].items():
            operation = methods["get"]
            anchor = quote(operation["operationId"], safe="-")
            summary, description = self._described(operation)
            yield f'<h2 id="{anchor}"><code>GET {escape(path)}</code></h2>\n<p>{escape(summary)}</p>\n'
            if description:
                yield f"<p>{_marked(description)}</p>\n"
            if parameters := operation.get("parameters"):
                yield from self._parameters(parameters, operation["operationId"])
            content = operation["responses"]["200"]["content"]
            kinds = ", ".join(f"<code>{escape(kind)}</code>" for kind in content)
            yield f'<p class="quiet">{self.text("Answers")}: {kinds}{self._fields(content)}</p>\n'

    def _described(self, operation: Schema) -> tuple[str, str]:
        """Summary and description of an operation: of a collection by its title, of a sample query by
        its own texts.
        """
        name = operation["operationId"]
        summary, description = operation["summary"], operation.get("description", "")
        for query in self.api.queries:
            if name == f"query-{query.name}":
                own = _own(query.description, "en")
                also = self.text(description.removeprefix(own).strip())
                described = f"{_own(query.description, self.language)} {also}".strip()
                return _own(query.title, self.language), described
        kind, separator, _ = summary.partition(": ")
        if separator and operation["tags"][0] == name.partition("-")[2]:
            summary = f"{kind}: {self._title(operation['tags'][0])}"
        return self.text(summary), self.text(description)

    def _parameters(self, parameters: Sequence[Schema], operation: str) -> Iterator[str]:
        own = [item for item in parameters if "__" not in item["name"]]
        bounds = [
            f"<code>{escape(item['name'])}</code>" for item in parameters if "__" in item["name"]
        ]
        title = self.text("Parameters")
        yield f"<details><summary>{title}</summary>\n{_scrolled(f'{title}: {operation}')}<table>\n"
        for item in own:
            yield f"<tr><td><code>{escape(item['name'])}</code></td><td>{self._kind(item['schema'])}</td><td>"
            yield _marked(self._meaning(item["name"], operation, item["description"]))
            if item.get("required"):
                yield f" ({self.text('required')})"
            if "example" in item:
                yield f", {self.text('as in')} <code>{escape(str(item['example']))}</code>"
            yield "</td></tr>\n"
        yield "</table></div>\n"
        if bounds:
            yield f"<p>{self.text('Bounds, and whether there is a value')}: {', '.join(bounds)}</p>\n"
        yield "</details>\n"

    def _meaning(self, name: str, operation: str, description: str) -> str:
        """What a parameter means; that of a sample query in its own words."""
        for query in self.api.queries:
            if operation == f"query-{query.name}":
                texts = {item.name: item.description for item in query.parameters}
                return _own(texts.get(name, {}), self.language) or self.text(description)
        return self.text(description)

    def _kind(self, schema: Schema) -> str:
        if "enum" in schema:
            values = ", ".join(f"<code>{escape(str(item))}</code>" for item in schema["enum"])
            return f"{self.text('one of')} {values}"
        if schema.get("type") == "array":
            most = f", at most {schema['maxItems']}" if "maxItems" in schema else ""
            return f"{self._kind(schema['items'])}, {self.text(f'repeatable{most}')}"
        bounds = [
            self.text(f"{word} {schema[key]}")
            for key, word in (
                ("minimum", "from"),
                ("maximum", "to"),
                ("maxLength", "characters up to"),
                ("default", "default"),
            )
            if key in schema
        ]
        kind = self.text(str(schema.get("format") or schema.get("type", "any")))
        return " ".join([kind, *bounds])

    def _fields(self, content: Mapping[str, Schema]) -> str:
        """The keys of the resources that an operation answers with."""
        schema = next(iter(content.values()))["schema"]
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        described = self.document["components"]["schemas"].get(name, {})
        keys = [key for key in described.get("properties", {}) if key != "@context"]
        listed = ", ".join(f"<code>{escape(key)}</code>" for key in keys)
        return f". {self.text('Keys')}: {listed}" if keys else ""


def _scrolled(title: str) -> str:
    """The beginning of a region that scrolls where it is wider than the screen."""
    return f'<div class="scroll" role="region" aria-label="{escape(title)}" tabindex="0">'
