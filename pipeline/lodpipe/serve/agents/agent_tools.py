"""The tools for agents, apart from the protocol: search, describe, evidence, sample queries, SPARQL.

They ask the index of the API and the workers of the endpoint, with the bounds of both. A name that
does not exist is answered with the nearest ones, an empty result with what that means.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Protocol

from lodpipe.engine.search_index import EVERYTHING, Resource
from lodpipe.publish.api.api_documents import IndexTimeout
from lodpipe.queries.samples import Query, valid
from lodpipe.serve.agents.replies import Reply, StatementFacts, ToolFailure
from lodpipe.serve.agents.statement_documents import (
    document_facts,
    quotes_query,
    references_query,
    statements_query,
)
from lodpipe.serve.api.query_results import plain_results
from lodpipe.serve.api.routes import Api
from lodpipe.serve.protocol import Refused

MOST_ROWS = 1000
_MOST_REFERENCES, _MOST_STATEMENTS = 200, 200
_LABELS = 200  # resources of a result that are named
_REMEDIES = {
    400: "Correct the query and call again; the resource `prefixes` has the prefixes, `sample_queries` has queries that work.",
    413: "Ask for less: fewer variables, or LIMIT.",
    429: "Wait, then call again.",
    503: "Wait, then call again.",
    504: "Ask for less: name the class or the property, avoid OPTIONAL over everything, add LIMIT.",
    507: "Ask for less: name the class or the property, avoid OPTIONAL over everything, add LIMIT.",
}


class Asked(Protocol):
    """What the tools need of a server."""

    @property
    def api(self) -> Api | None:
        """The API of the present data."""
        ...

    async def answer(
        self, task: Mapping[str, object], client: str
    ) -> tuple[Mapping[str, object], bytes]:
        """The answer of a worker. Raises Refused."""
        ...


class AgentTools:
    """The tools over a server with a project. Each raises ToolFailure."""

    def __init__(self, server: Asked) -> None:
        self.server = server

    @property
    def api(self) -> Api:
        """The API of the present data."""
        api = self.server.api
        if api is None:
            raise ToolFailure("there is no project")
        return api

    # -- resources ---------------------------------------------------------------------------------

    async def search(self, text: str, collection: str | None, limit: int) -> Reply:
        """Resources by their names and texts, also misspelt."""
        documents = self.api.documents
        collections = [self._collection(collection)] if collection else []
        hits = await self._index(documents.index.search, text, limit, collections)
        if not hits:  # a word that fits nothing must not hide what the others name
            hits = await self._index(documents.index.candidates, text, limit, collections)
        items = [documents.found(hit) for hit in hits]
        summary = (
            f"{len(items)} found; the best is {items[0]['label']} <{items[0]['id']}>."
            if items
            else f"Nothing is named like “{text}”. Try one distinctive word, in another language, or without `collection`."
        )
        return Reply(summary, {"query": text, "items": items})

    async def describe(self, given: str) -> Reply:
        """Everything about a resource: values, what refers to it, the documents of its statements."""
        resource = await self._resource(given)
        documents = self.api.documents
        (node,) = await self._index(documents.documents.nodes, [resource])
        rows = await self._rows(statements_query(resource.iri))
        pointing = await self._rows(references_query(resource.iri, _MOST_REFERENCES))
        stated: dict[str, set[str]] = {}
        for row in rows:
            if document := row.get("document"):
                stated.setdefault(document, set()).add(self._key(row["property"]))
        facts = await self._index(document_facts, documents, stated)
        for item in facts:
            item["properties"] = sorted(stated[item["id"]])
        labels = await self._labels(row["subject"] for row in pointing)
        references: dict[str, list[dict[str, str]]] = {}
        for row in pointing:
            subject = row["subject"]
            references.setdefault(self._key(row["property"]), []).append(
                {"id": subject, "label": labels.get(subject, "")}
            )
        label = resource.label(documents.index.languages)
        data = {
            "id": resource.iri,
            "label": label,
            "collection": documents.collection_of(resource.id),
            "values": node,
            "referenced_by": references,
            "documents": facts,
        }
        return Reply(
            f"{label} <{resource.iri}>, by {len(facts)} documents. What is absent is not known.",
            data,
        )

    async def evidence(self, given: str, key: str | None, value: str | None) -> Reply:
        """The documents of statements: of all of a resource, of those of a property, of one."""
        resource = await self._resource(given)
        documents = self.api.documents
        wanted = self._properties(key) if key else []
        condition = f"FILTER(?property IN ({', '.join(f'<{iri}>' for iri in wanted)}))"
        rows = await self._rows(statements_query(resource.iri, condition if wanted else ""))
        labels = await self._labels(row["value"] for row in rows)
        if value is not None:
            rows = [row for row in rows if _is_meant(value, row["value"], labels, self.api)]
        statements = self._statements(rows, labels)
        shown = statements[:_MOST_STATEMENTS]
        if shown:
            self._add_quotes(shown, await self._rows(quotes_query(resource.iri)))
        facts = await self._index(
            document_facts, documents, {iri for item in shown for iri in item["documents"]}
        )
        label = resource.label(documents.index.languages)
        data = {
            "id": resource.iri,
            "label": label,
            "total": len(statements),
            "statements": shown,
            "documents": facts,
        }
        if not statements:
            return Reply(await self._nothing_stated(resource, key, value), data)
        return Reply(f"{len(statements)} statements of {label} in {len(facts)} documents.", data)

    def _statements(
        self, rows: Sequence[dict[str, Any]], labels: Mapping[str, str]
    ) -> list[StatementFacts]:
        """One for each property and value, with its documents."""
        statements: dict[tuple[str, ...], StatementFacts] = {}
        for row in rows:
            property_, value, language = row["property"], row["value"], row.get("language", "")
            facts = statements.setdefault(
                (property_, value, language),
                {
                    "property": property_,
                    "key": self._key(property_),
                    "value": value,
                    "documents": [],
                },
            )
            if value in labels:
                facts["label"] = labels[value]
            if language:
                facts["language"] = language
            if row.get("document"):
                facts["documents"].append(row["document"])
        return list(statements.values())

    @staticmethod
    def _add_quotes(
        statements: Sequence[StatementFacts], quotes: Sequence[Mapping[str, Any]]
    ) -> None:
        for item in statements:
            of_it = [
                {"text": quote["text"], "document": quote["document"]}
                for quote in quotes
                if (quote["property"], quote["value"]) == (item["property"], item["value"])
            ]
            if of_it:
                item["quotes"] = of_it  # type: ignore[typeddict-item]

    async def _nothing_stated(
        self, resource: Resource, key: str | None, value: str | None
    ) -> str:
        """What an empty result means, and what is stated instead."""
        label = resource.label(self.api.documents.index.languages)
        rows = await self._rows(statements_query(resource.iri))
        keys = sorted({self._key(row["property"]) for row in rows})
        asked = " ".join(part for part in (key, value) if part)
        return (
            f"No document states “{asked}” of {label}: not known, which does not mean that it is false. "
            f"It has {', '.join(keys)}."
        )

    # -- queries -----------------------------------------------------------------------------------

    def sample_queries(self, text: str | None) -> Reply:
        """The sample queries, those with a word of the text if there is one."""
        items = self.api.documents.query_list()["items"]
        if text:
            words = text.casefold().split()
            items = [
                item
                for item in items
                if any(word in json.dumps(item, ensure_ascii=False).casefold() for word in words)
            ]
        hint = "" if items else " Call it without text to see all."
        return Reply(f"{len(items)} sample queries.{hint}", {"items": items})

    async def run_sample_query(self, name: str, given: Mapping[str, str], limit: int) -> Reply:
        """A sample query with values for its parameters."""
        queries = self.api.queries
        query = queries.get(name)
        if query is None:
            near = get_close_matches(name, queries, 3, 0.5)
            nearest = f" Nearest: {', '.join(near)}." if near else ""
            raise ToolFailure(
                f"There is no sample query “{name}”.{nearest} `sample_queries` lists them."
            )
        return await self._result(query.bound(self._values(query, given)), limit)

    def _values(self, query: Query, given: Mapping[str, str]) -> dict[str, str]:
        """The values of parameters; what follows the base in an IRI stands for it."""
        values: dict[str, str] = {}
        base = self.api.documents.index.base
        for name, value in given.items():
            if name not in query.params:
                known = ", ".join(f"{key} ({item.type})" for key, item in query.params.items())
                raise ToolFailure(
                    f"{query.name} has no parameter “{name}”; it has {known or 'none'}."
                )
            kind = query.params[name].type
            whole = base + value if kind == "iri" and "://" not in value else value
            if not valid(kind, whole):
                example = query.params[name].default
                raise ToolFailure(
                    f"“{value}” is no {kind} (parameter {name}); an example is {example}."
                )
            values[name] = whole
        return values

    async def sparql(self, query: str, limit: int) -> Reply:
        """A query over the data, read only."""
        return await self._result(query, limit)

    async def _result(self, query: str, limit: int) -> Reply:
        head, body = await self._answer(query)
        if head["graph"]:
            text = body.decode()
            return Reply(f"{len(text):,} characters of Turtle.", {"query": query, "turtle": text})
        result = plain_results(body)
        if "boolean" in result:
            truth = result["boolean"]
            return Reply(f"{str(truth).lower()}.", {"query": query, "boolean": truth})
        rows = result["items"][:limit]
        labels = await self._labels(
            value for row in rows for value in row.values() if isinstance(value, str)
        )
        summary = f"{result['total']} rows."
        if len(rows) < result["total"]:
            summary = f"The first {len(rows)} of {result['total']} rows; `limit` gives more."
        elif not rows:
            summary = "No rows: nothing in the data fits, or an IRI or a property is misspelt."
        return Reply(summary, {"query": query, **result, "items": rows, "labels": labels})

    async def _answer(self, query: str) -> tuple[Mapping[str, object], bytes]:
        task = {
            "query": query, "default_graph": (), "named_graphs": (), "results": "json", "graphs": "ttl",
        }  # fmt: skip
        try:
            return await self.server.answer(task, "")
        except Refused as refused:
            remedy = _REMEDIES.get(refused.status, "Try another query.")
            raise ToolFailure(f"{refused.detail.rstrip('.')}. {remedy}") from None

    async def _rows(self, query: str) -> list[dict[str, Any]]:
        """Rows as texts, with the language of `value`."""
        _, body = await self._answer(query)
        rows: list[dict[str, Any]] = []
        for row in json.loads(body)["results"]["bindings"]:
            cells = {name: cell["value"] for name, cell in row.items()}
            if language := row.get("value", {}).get("xml:lang"):
                cells["language"] = language
            rows.append(cells)
        return rows

    # -- names -------------------------------------------------------------------------------------

    async def _index(self, work: Callable[..., Any], *given: Any) -> Any:
        """Asks the index. Raises ToolFailure where that takes too long, or too many do."""
        try:
            return await self.api.run(work, *given)
        except (IndexTimeout, Refused) as error:
            raise ToolFailure(f"{error}. Wait, then call again.") from None

    def _collection(self, name: str) -> str:
        known = self.api.documents.index.by_name
        if name not in known:
            raise ToolFailure(
                f"There is no collection “{name}”; there are {', '.join(sorted(known))}."
            )
        return name

    async def _resource(self, given: str) -> Resource:
        """The resource of an IRI, or of what follows the base in it."""
        index = self.api.documents.index
        iri = given.strip().removeprefix("<").removesuffix(">")
        if resource := await self._index(index.find, iri):
            return resource  # type: ignore[no-any-return]
        words = iri.removeprefix(index.base).rpartition("/")[2].replace("-", " ")
        hits = await self._index(index.candidates, words, 3)
        near = "; ".join(
            f"{hit.resource.label(index.languages)} <{hit.resource.iri}>" for hit in hits
        )
        raise ToolFailure(
            f"No resource has the IRI “{given}”. {f'Nearest: {near}. ' if near else ''}`search` finds IRIs by names."
        )

    async def _labels(self, values: Any) -> dict[str, str]:
        """What resources among values are called."""
        index = self.api.documents.index
        iris = [value for value in dict.fromkeys(values) if "://" in value][:_LABELS]
        known = await self._index(index.of_iris, iris)
        return {iri: known[iri].label(index.languages) for iri in iris if iri in known}

    def _key(self, iri: str) -> str:
        return self.api.documents.documents.context.compact(iri)

    def _properties(self, given: str) -> list[str]:
        """The IRIs of a property that is given as IRI, as key of the JSON, or by its last part."""
        context = self.api.documents.documents.context
        name = given.strip().removeprefix("<").removesuffix(">")
        if "://" in name:
            return [name]
        fields = self.api.documents.index.fields(EVERYTHING)
        known: dict[str, list[str]] = {}
        for field in fields:
            for spelling in (field.term, self._key(field.iri), field.iri.rpartition("/")[2].rpartition("#")[2]):
                known.setdefault(spelling.casefold(), []).append(field.iri)
        if iris := known.get(name.casefold()):
            return sorted(set(iris))
        if (whole := context.expand(name)) != name:
            return [whole]
        near = get_close_matches(name.casefold(), known, 5, 0.5)
        nearest = f" Nearest: {', '.join(near)}." if near else ""
        raise ToolFailure(
            f"No resource has a property “{given}”.{nearest} `describe` shows the keys of a resource."
        )


def _is_meant(given: str, value: str, labels: Mapping[str, str], api: Api) -> bool:
    """Whether a value, as text or IRI, is the one that was given: whole, without the base, or by its
    label.
    """
    wanted = given.strip().removeprefix("<").removesuffix(">")
    spellings = (value, value.removeprefix(api.documents.index.base), labels.get(value, value))
    return wanted.casefold() in {spelling.casefold() for spelling in spellings}


__all__ = ["EVERYTHING", "MOST_ROWS", "AgentTools", "Asked"]
