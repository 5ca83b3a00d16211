"""Previews of resources for reconciliation clients: a small page without scripts, for a frame."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from lodpipe.engine.search_index import Field, Resource
from lodpipe.publish.api.node_documents import plain
from lodpipe.publish.api.reconciliation import Languages, Reconciliation

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""The Content-Security-Policy of previews: any client may show them in a frame."""
_STYLE = (
    ":root{color-scheme:light dark}body{font:.85rem/1.4 system-ui,sans-serif;margin:.6rem}"
    "h1{font-size:1rem;margin:0}p{margin:.2rem 0}dl{display:grid;grid-template-columns:auto 1fr;gap:.1rem .6rem;margin:.4rem 0}"
    "dt{opacity:.75}dd{margin:0;overflow-wrap:anywhere}"
)
_ROWS, _LONGEST = 6, 160


def preview_page(service: Reconciliation, resource: Resource, languages: Languages) -> bytes:
    """A resource as a whole page."""
    label = escape(resource.label([*languages, *service.index.languages]))
    language = escape(next(iter(languages), "en"))
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{label}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"{preview_body(service, resource, languages)}</body>\n</html>\n"
    ).encode()


def preview_body(service: Reconciliation, resource: Resource, languages: Languages) -> str:
    """Name, type and a few values of a resource, as HTML."""
    order = [*languages, *service.index.languages]
    label, iri = escape(resource.label(order)), escape(resource.iri)
    kind = escape(service.type_facts(resource.kind, languages).name)
    (node,) = service.api.documents.nodes([resource])
    texts: dict[str, str] = {}  # several properties may have the same values
    for item in _rows_of(service, resource):
        text = plain(node[item.term], service.context, order)
        texts.setdefault(text, service.property_name(item, languages))
    rows = [
        f"<dt>{escape(name)}</dt><dd>{escape(_cut(text))}</dd>\n"
        for text, name in [*texts.items()][:_ROWS]
    ]
    title = f'<a href="{iri}" target="_blank" rel="noopener">{label}</a>'
    return f"<h1>{title}</h1>\n<p>{kind} · {iri}</p>\n<dl>\n{''.join(rows)}</dl>\n"


def _rows_of(service: Reconciliation, resource: Resource) -> Sequence[Field]:
    """What may have a row: prose first, lists last, else what most resources of the collection have."""
    fields = service.index.fields(service.api.collection_of(resource.id))
    own = {item.term: item for item in fields if item.term in resource.node and item.kind != "name"}
    return sorted(own.values(), key=lambda item: (item.kind != "prose", item.several))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def described(name: str, id_: str, iri: str) -> str:
    """A type or a property as HTML."""
    return f"<h1>{escape(name)}</h1>\n<p>{escape(id_)} · {escape(iri)}</p>\n"
