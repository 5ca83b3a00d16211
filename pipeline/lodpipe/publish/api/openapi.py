"""The API as an OpenAPI 3.1 document, made of collections, their fields and the sample queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lodpipe.engine.search_index import EVERYTHING, Collection, Field
from lodpipe.publish.api.api_documents import ROOT, ApiDocuments, QueryFacts
from lodpipe.publish.api.list_parameters import (
    DATE,
    LONGEST,
    MOST,
    MOST_COUNTED,
    MOST_FACETS,
    SIZE,
    filters_of,
    sorts_of,
)
from lodpipe.rdf.labels import LABELS

Schema = dict[str, Any]
_PARAMETER_TYPES: Mapping[str, Schema] = {
    "iri": {"type": "string", "format": "iri"},
    "string": {"type": "string", "maxLength": LONGEST},
    "integer": {"type": "integer"},
    "decimal": {"type": "number"},
    "double": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "dateTime": {"type": "string", "format": "date-time"},
    "gYear": {"type": "string", "pattern": "^[0-9]{4}$"},
}
_DATE: Schema = {"type": "string", "pattern": f"^{DATE}$", "maxLength": LONGEST}
_FILTER_TYPES: Mapping[str, Schema] = {
    "date": _DATE,
    "boolean": {"type": "string", "enum": ["true", "false"]},
    "number": {"type": "number"},
}
_TEXT: Schema = {"type": "string", "maxLength": LONGEST}


def openapi(api: ApiDocuments) -> Schema:
    """The document; texts are English, where the publication has them."""
    publication = api.publication
    paths: Schema = {
        f"/{ROOT}": _get("overview", "What there is", "Overview", tag="About"),
        f"/{ROOT}openapi.json": _get("openapi", "This document", _ANY_OBJECT, tag="About"),
        f"/{ROOT}context.jsonld": _get(
            "context",
            "The JSON-LD context",
            {"type": "object"},
            media_type="application/ld+json",
            tag="About",
        ),
        f"/{ROOT}suggest": _suggest(api),
        "/reconcile": _get(
            "reconcile",
            "Manifest of the reconciliation service (W3C Reconciliation Service API 0.2 and draft of 1.0)",
            {"type": "object"},
            tag="Search",
        ),
    }
    schemas: Schema = {**_SCHEMAS, "Reference": _reference_schema(api)}
    for item in api.collections:
        paths[f"/{ROOT}{item.name}"] = _list_path(api, item)
        paths[f"/{ROOT}{item.name}.{{format}}"] = _table_path(api, item)
        paths[f"/{ROOT}{item.name}/{{key}}"] = _detail_path(api, item)
        schemas[_schema_name(item.name)] = _resource_schema(api, item)
        schemas[f"{_schema_name(item.name)}List"] = _list_schema(api, item)
    paths[f"/{ROOT}queries"] = _get("queries", "The sample queries", "Queries", tag="Queries")
    for query in api.queries:
        paths[f"/{ROOT}queries/{query.name}"] = _query_path(query)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": _text(publication.title),
            "description": _description(api),
            "version": publication.version,
            "license": {"name": publication.licence, "url": publication.licence},
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": "About", "description": "What the API offers"},
            {"name": "Search", "description": "Names for what is typed"},
            *(
                {"name": item.name, "description": _text(api.title(item.name))}
                for item in api.collections
            ),
            {"name": "Queries", "description": "Sample queries with parameters"},
        ],
        "paths": paths,
        "components": {"schemas": schemas, "responses": _RESPONSES},
    }


def _description(api: ApiDocuments) -> str:
    names = api.documents.envelope
    return (
        f"{_text(api.publication.description)}\n\n"
        "Every answer in JSON about resources is JSON-LD. `id` is the IRI of a resource; it, what follows "
        f"`{api.publication.base}` in it, and its last part, where no other has the same, are keys of details; "
        f"`/{ROOT}resources/KEY` has all of them, whatever their collection. References are objects with `id`, and "
        "with a label where what they refer to has one, in the first language of the publication that there is. "
        f"Lists have their resources in `{names['items']}`, the number of all in `{names['total']}`, and the address of the next page in "
        f"`{names['next']}`, relative to this host, until there is none. A page beyond the last is empty.\n\n"
        "Filters have the names of the keys: repeated, any of the values fits. Texts are compared whole, as they are "
        "written; `q` searches in them. A reference is given by its IRI, the last part of it, or its name. Dates may be years or months: "
        "`date=2021` is that very value, `date__gte=2021-03` and `date__lte=2021` bound all dates in them.\n\n"
        "Two kinds of filters go to other resources, and are not listed with each collection, because there are so "
        "many: `REFERENCE__KEY=VALUE` filters by a key of what is referred to, `KEY__of=RESOURCE` gives what that resource refers to.\n\n"
        "CSV and JSON Lines: by `Accept`, or with `.csv`, `.jsonl` behind the name of a collection, with the filters of the "
        "list; without `page` and `size` all resources. Errors are problem details (RFC 9457)."
    )


def _text(texts: Mapping[str, str]) -> str:
    return texts.get("en") or next(iter(texts.values()), "")


def _schema_name(collection: str) -> str:
    """The name of a schema: `published-figures` → `PublishedFigures`."""
    return "".join(part.capitalize() for part in collection.split("-"))


# -- paths -----------------------------------------------------------------------------------------


def _get(
    name: str, summary: str, schema: str | Schema, *, media_type: str = "application/json", tag: str
) -> Schema:
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "tags": [tag],
            "responses": {
                "200": _content(summary, schema, media_type),
                **_errors("304", "400", "406", "414", "429", "503"),
            },
        }
    }


def _content(description: str, schema: str | Schema, *media_types: str) -> Schema:
    given = {"$ref": f"#/components/schemas/{schema}"} if isinstance(schema, str) else schema
    return {
        "description": description,
        "content": {media_type: {"schema": given} for media_type in media_types},
    }


def _errors(*statuses: str) -> Schema:
    return {status: {"$ref": f"#/components/responses/{status}"} for status in statuses}


def _list_path(api: ApiDocuments, item: Collection) -> Schema:
    fields = api.index.fields(item.name)
    title = _text(api.title(item.name))
    answer = _content(
        title, f"{_schema_name(item.name)}List", "application/json", "application/ld+json"
    )
    return {
        "get": {
            "operationId": f"list-{item.name}",
            "summary": f"List: {title}",
            "tags": [item.name],
            "parameters": [*_own_parameters(api, fields), *_filter_parameters(api, fields)],
            "responses": {"200": answer, **_errors("304", "400", "406", "414", "429", "503")},
        }
    }


def _table_path(api: ApiDocuments, item: Collection) -> Schema:
    """A collection as a table; apart from the list, so that clients know what type an answer has."""
    fields = api.index.fields(item.name)
    title = _text(api.title(item.name))
    formats = {
        "name": "format",
        "in": "path",
        "required": True,
        "description": "CSV, or JSON Lines",
        "schema": {"type": "string", "enum": ["csv", "jsonl"]},
    }
    own = [entry for entry in _own_parameters(api, fields) if entry["name"] != "facet"]
    text: Schema = {"type": "string"}
    return {
        "get": {
            "operationId": f"table-{item.name}",
            "summary": f"Table: {title}",
            "description": f"All resources, or a page where `page` or `size` is given. Filters are those of the list (`/{ROOT}{item.name}`).",
            "tags": [item.name],
            "parameters": [formats, *own],
            "responses": {
                "200": _content(title, text, "text/csv", "application/jsonl"),
                **_errors("304", "400", "404", "406", "414", "429", "503"),
            },
        }
    }


def _query(name: str, schema: Schema, description: str, **more: Any) -> Schema:
    return {"name": name, "in": "query", "description": description, "schema": schema, **more}


def _optional(name: str, schema: Schema, description: str, **more: Any) -> Schema:
    """A parameter that is as good as missing where it is empty, as HTML forms send it; of texts that
    goes without saying.
    """
    if schema is not _TEXT and schema.get("items") is not _TEXT:
        more["allowEmptyValue"] = True
    return _query(name, schema, description, **more)


def _own_parameters(api: ApiDocuments, fields: Sequence[Field]) -> Iterator[Schema]:
    context = api.documents.context
    keys = [*dict.fromkeys([context.id, context.type, *(item.term for item in fields)])]
    counted = [*dict.fromkeys(item.term for item in fields if item.is_filter)]
    sorts = [key for name in sorts_of(fields) for key in (name, f"-{name}")]
    yield _optional(
        "q",
        _TEXT,
        "Words in names, identifiers and texts; the last letters may be missing, and umlauts be ae or a",
    )
    yield _optional(
        "sort",
        {"type": "string", "enum": sorts},
        "Order; default: relevance where `q` is given, else label",
    )
    yield _optional(
        "page", {"type": "integer", "minimum": 1, "maximum": 10**9, "default": 1}, "Page"
    )
    yield _optional(
        "size",
        {"type": "integer", "minimum": 1, "maximum": MOST, "default": SIZE},
        "Resources on a page. CSV and JSON Lines have all resources where neither page nor size is given",
    )
    yield _optional(
        "fields",
        {"type": "array", "items": {"type": "string", "enum": keys}},
        "Keys that resources have besides their IRI, also joined by commas; default: all",
        explode=True,
    )
    if counted:
        yield _optional(
            "facet",
            {
                "type": "array",
                "items": {"type": "string", "enum": counted},
                "maxItems": MOST_FACETS,
            },
            f"Keys whose {MOST_COUNTED} most frequent values are counted in `facets`; in JSON alone",
            explode=True,
        )
    yield _optional(
        "type", {"type": "array", "items": _TEXT}, "A class, as in `type` or as IRI", explode=True
    )


def _filter_parameters(api: ApiDocuments, fields: Sequence[Field]) -> Iterator[Schema]:
    for name, (item, relation) in filters_of(fields).items():
        if relation == "exists":
            yield _optional(name, {"type": "boolean"}, f"Whether there is a value of `{item.term}`")
        elif relation in ("gte", "lte"):
            words = "least" if relation == "gte" else "most"
            kind = {"type": "number"} if item.kind == "number" else _DATE
            yield _optional(name, kind, f"`{item.term}` at {words} this")
        else:
            kind = _FILTER_TYPES.get(item.kind, _TEXT)
            what = (
                "by its IRI, the last part of it, or its name"
                if item.kind == "reference"
                else f"a {item.kind}"
            )
            yield _optional(
                name, {"type": "array", "items": kind}, f"<{item.iri}>: {what}", explode=True
            )


def _detail_path(api: ApiDocuments, item: Collection) -> Schema:
    first = api.index.of_ids([item.first])
    key = {
        "name": "key",
        "in": "path",
        "required": True,
        "description": "The IRI of a resource (percent-encoded), what follows the base in it, or its last part where no other has the same",
        "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST},
    }
    if first:
        key["example"] = first[0].iri.removeprefix(api.publication.base)
    title = _text(api.title(item.name))
    answer = _content(title, _schema_name(item.name), "application/json", "application/ld+json")
    return {
        "get": {
            "operationId": f"get-{item.name}",
            "summary": f"One of: {title}",
            "tags": [item.name],
            "parameters": [key],
            "responses": {
                "200": answer,
                **_errors("304", "400", "404", "406", "414", "429", "503"),
            },
        }
    }


def _suggest(api: ApiDocuments) -> Schema:
    names = [item.name for item in api.collections]
    path = _get("suggest", "Names for what was typed so far", "Suggestions", tag="Search")
    path["get"]["parameters"] = [
        _query("q", {**_TEXT, "minLength": 1}, "What was typed", required=True),
        _query(
            "collection",
            {"type": "array", "items": {"type": "string", "enum": names}},
            "Of these collections alone",
            explode=True,
        ),
        _query(
            "limit", {"type": "integer", "minimum": 1, "maximum": 50, "default": 10}, "How many"
        ),
    ]
    return path


def _query_path(query: QueryFacts) -> Schema:
    rows = query.form in ("select", "ask")
    if rows:
        answer = _content(_text(query.title), "QueryResult", "application/json")
        also = "`.csv` behind the name gives CSV, `Accept: application/sparql-results+json` the results of SPARQL."
    else:
        answer = _content(_text(query.title), {}, "application/ld+json", "application/json")
        also = "`.ttl` behind the name gives Turtle."
    return {
        "get": {
            "operationId": f"query-{query.name}",
            "summary": _text(query.title),
            "description": f"{_text(query.description)} {also}".strip(),
            "tags": ["Queries"],
            "parameters": [
                _query(
                    item.name,
                    dict(_PARAMETER_TYPES[item.type]),
                    _text(item.description) or item.type,
                    example=_example(item.type, item.default),
                )
                for item in query.parameters
            ],
            "responses": {
                "200": answer,
                **_errors("304", "400", "406", "414", "429", "500", "503", "504", "507"),
            },
        }
    }


def _example(kind: str, text: str) -> Any:
    if kind == "integer":
        return int(text)
    if kind in ("decimal", "double"):
        return float(text)
    return text == "true" if kind == "boolean" else text


# -- schemas ---------------------------------------------------------------------------------------


def _resource_schema(api: ApiDocuments, item: Collection) -> Schema:
    properties: Schema = {
        api.documents.context.id: {"type": "string", "format": "iri"},
        api.documents.context.type: {"type": "array", "items": {"type": "string"}},
    }
    for term in dict.fromkeys(entry.term for entry in api.index.fields(item.name)):
        kinds = {entry.kind for entry in api.index.fields(item.name) if entry.term == term}
        properties[term] = _value_schema(api, term, kinds)
    return {
        "type": "object",
        "description": _text(api.title(item.name)),
        "required": [api.documents.context.id],
        "properties": properties,
    }


def _reference_schema(api: ApiDocuments) -> Schema:
    """What a reference has: an IRI, and one of the keys that labels are stated by."""
    names = [
        item.term
        for item in api.index.fields(EVERYTHING)
        if f"<{item.iri}>" in LABELS and api.documents.context.is_language_map(item.term)
    ]
    labels = {name: _value_schema(api, name, set()) for name in dict.fromkeys(names)}
    return {
        "type": "object",
        "description": "A resource, with its label where it is described",
        "required": [api.documents.context.id],
        "properties": {api.documents.context.id: {"type": "string", "format": "iri"}, **labels},
    }


def _value_schema(api: ApiDocuments, term: str, kinds: set[str]) -> Schema:
    several = term in api.index.several
    if api.documents.context.is_language_map(term):
        return {"$ref": f"#/components/schemas/{'TextLists' if several else 'Texts'}"}
    name = "Reference" if kinds == {"reference"} else "Number" if kinds == {"number"} else "Value"
    schema: Schema = {"$ref": f"#/components/schemas/{name}"}
    return {"type": "array", "items": schema} if several else schema


def _list_schema(api: ApiDocuments, item: Collection) -> Schema:
    names = api.documents.envelope
    properties: Schema = {
        "@context": _ANY_OBJECT,
        names["total"]: {"type": "integer", "description": "How many there are in all"},
        names["page"]: {"type": "integer"},
        names["size"]: {"type": "integer"},
        names["self"]: {"type": "string"},
        names["previous"]: {"type": "string", "description": "Address of the page before"},
        names["next"]: {"type": "string", "description": "Address of the next page"},
        names["facets"]: {
            "type": "object",
            "description": "The values of the keys in `facet`, the most frequent first",
            "additionalProperties": {
                "type": "array",
                "items": {"$ref": "#/components/schemas/Count"},
            },
        },
        names["items"]: {
            "type": "array",
            "items": {"$ref": f"#/components/schemas/{_schema_name(item.name)}"},
        },
    }
    needed = ["@context", names["total"], names["items"]]
    return {"type": "object", "required": needed, "properties": properties}


_LITERAL: Schema = {
    "type": "object",
    "required": ["@value"],
    "properties": {
        "@value": {"type": ["string", "number", "boolean"]},
        "@type": {"type": "string"},
        "@language": {"type": "string"},
    },
}
_ANY_OBJECT: Schema = {"type": "object", "additionalProperties": True}
_ROW: Schema = {
    "type": "object",
    "description": "The values of a row by the names of columns",
    "additionalProperties": {"type": ["string", "number", "boolean"]},
}
_STRINGS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
_SCHEMAS: Schema = {
    "Overview": {
        "type": "object",
        "required": ["title", "collections"],
        "properties": {
            "title": {"$ref": "#/components/schemas/Texts"},
            "collections": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["name", "href", "total"],
                    "properties": {
                        "name": {"type": "string"},
                        "title": {"$ref": "#/components/schemas/Texts"},
                        "href": {"type": "string"},
                        "total": {"type": "integer"},
                        "classes": {"type": "array", "items": {"type": "string"}},
                        "minor": {"type": "boolean"},
                    },
                },
            },
        },
    },
    "Suggestions": {
        "type": "object",
        "required": ["query", "items"],
        "properties": {
            "query": {"type": "string"},
            "items": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["id", "label", "name", "collection"],
                    "properties": {
                        "id": {"type": "string", "format": "iri"},
                        "label": {"type": "string"},
                        "name": {"type": "string", "description": "The name that fits"},
                        "collection": {"type": "string"},
                        "type": {"type": "string"},
                        "score": {"type": "number", "minimum": 0, "maximum": 100},
                    },
                },
            },
        },
    },
    "Queries": {
        "type": "object",
        "required": ["items"],
        "properties": {
            "items": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["name", "href"],
                    "properties": {
                        "name": {"type": "string"},
                        "href": {"type": "string"},
                        "title": {"$ref": "#/components/schemas/Texts"},
                        "description": {"$ref": "#/components/schemas/Texts"},
                        "form": {"type": "string"},
                        "keywords": {"type": "array", "items": {"type": "string"}},
                        "parameters": {"type": "array", "items": {"type": "object"}},
                    },
                },
            }
        },
    },
    "Count": {
        "type": "object",
        "description": "A value as filters take it, its label where it is a resource, and how many have it",
        "required": ["value", "count"],
        "properties": {
            "value": {"type": ["string", "number"]},
            "label": {"type": "string"},
            "count": {"type": "integer"},
        },
    },
    "QueryResult": {
        "type": "object",
        "properties": {
            "columns": {"type": "array", "items": {"type": "string"}},
            "total": {"type": "integer"},
            "items": {"type": "array", "items": _ROW},
            "boolean": {"type": "boolean"},
        },
    },
    "Texts": {**_STRINGS, "description": "A text for each language; `@none`: without one"},
    "TextLists": {
        "type": "object",
        "description": "Texts for each language",
        "additionalProperties": {"type": "array", "items": {"type": "string"}},
    },
    "Number": {"anyOf": [{"type": "number"}, {"type": "string"}, _LITERAL]},
    "Value": {"anyOf": [{"type": ["string", "number", "boolean"]}, {"type": "object"}]},
    "Problem": {
        "type": "object",
        "description": "Problem details (RFC 9457)",
        "required": ["title", "status", "detail"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "parameter": {"type": "string", "description": "The parameter that is wrong"},
        },
    },
}
_PROBLEMS = {
    "400": "A parameter that does not exist, or has a wrong value",
    "404": "There is no such resource",
    "406": "None of the formats in Accept can be had",
    "414": "The address is too long",
    "429": "This client has used more than its share, and others wait; Retry-After says for how long",
    "500": "The store failed on this query",
    "503": "Too many requests at once, or an answer that takes too long",
    "504": "The query took too long",
    "507": "The query needs more memory than allowed",
}
_RESPONSES: Schema = {
    "304": {"description": "What the client has is still right (If-None-Match)"},
    **{
        status: _content(description, "Problem", "application/problem+json")
        for status, description in _PROBLEMS.items()
    },
}
