"""The tools for agents, apart from the protocol: search, describe, evidence, sample queries, SPARQL.

They ask the index of the API and the workers of the endpoint, with the bounds of both. A name that
does not exist is answered with the nearest ones, an empty result with what that means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from difflib import get_close_matches
from typing import Any, Protocol

from lodpipe.publish.api.api_documents import EVERYTHING, Hit, IndexTimeout, Resource
from lodpipe.queries.samples import Query, valid
from lodpipe.rdf.terms import TYPE
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
_LIKELY = 75  # the score from which on a name is probably the one that was meant
_SYNTAX_ERROR = re.compile(r"error at (\d+):(\d+): ")
_DECLARATION = re.compile(r"\bPREFIX\s+([\w.-]*):", re.IGNORECASE)
_PREFIX = re.compile(r"(?<![\w:<?$.-])(\w[\w.-]*)?:(?!//)")
_REMEDIES = {
    400: "Correct the query and call again; the resource `prefixes` has the prefixes, `sample_queries` has queries that work.",
    413: "Ask for less: fewer variables, or LIMIT.",
    429: "Wait, then call again.",
    503: "Wait, then call again.",
    504: "Ask for less: name the class or the property, avoid OPTIONAL over everything, add LIMIT.",
    507: "Ask for less: name the class or the property, avoid OPTIONAL over everything, add LIMIT.",
}


client: ContextVar[str] = ContextVar("client", default="")
"""The address of the agent that calls, over HTTP; on standard input and output there is one agent."""


class DataServer(Protocol):
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

    def __init__(self, server: DataServer) -> None:
        self.server = server

    @property
    def api(self) -> Api:
        """The API of the present data, for the agent that calls."""
        api = self.server.api
        if api is None:
            raise ToolFailure("there is no project")
        return api.for_client(client.get())

    # -- resources ---------------------------------------------------------------------------------

    async def search(self, text: str, collection: str | None, limit: int) -> Reply:
        """Resources by their names and texts, also misspelt."""
        documents = self.api.documents
        collections = [self._collection(collection)] if collection else []
        best: dict[str, Hit] = {}
        # `search` wants every word, `candidates` forgives words that nothing has.
        for work in (documents.index.search, documents.index.candidates):
            for hit in await self._index(work, text, limit, collections):
                iri = hit.resource.iri
                if iri not in best or best[iri].score < hit.score:
                    best[iri] = hit
        hits = sorted(best.values(), key=lambda hit: -hit.score)[:limit]
        items = [documents.hit_facts(hit) for hit in hits]
        return Reply(_summary(text, items), {"query": text, "items": items})

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
            f"{label} <{resource.iri}>, by {_counted(len(facts), 'document')}. What is absent is not known.",
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
        if key is None and value is None:
            statements = [item for item in statements if _is_informative(item)]
        listed = statements[:_MOST_STATEMENTS]
        if listed:
            self._add_quotes(listed, await self._rows(quotes_query(resource.iri)))
        facts = await self._index(
            document_facts, documents, {iri for item in listed for iri in item["documents"]}
        )
        label = resource.label(documents.index.languages)
        data = {
            "id": resource.iri,
            "label": label,
            "total": len(statements),
            "statements": listed,
            "documents": facts,
        }
        if not statements:
            return Reply(await self._nothing_stated(resource, key, value), data)
        summary = f"{_counted(len(statements), 'statement')} of {label} in {_counted(len(facts), 'document')}."
        return Reply(summary, data)

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

    async def _nothing_stated(self, resource: Resource, key: str | None, value: str | None) -> str:
        """What an empty result means, and what is stated instead."""
        label = resource.label(self.api.documents.index.languages)
        rows = await self._rows(statements_query(resource.iri))
        keys = sorted({self._key(row["property"]) for row in rows})
        wanted = " ".join(part for part in (key, value) if part)
        return (
            f"No document states “{wanted}” of {label}: not known, which does not mean that it is false. "
            f"It has {', '.join(keys)}."
        )

    # -- queries -----------------------------------------------------------------------------------

    def sample_queries(self, text: str | None) -> Reply:
        """The sample queries, those with a word of the text if there is one."""
        items = [
            {key: value for key, value in item.items() if key != "href"}
            for item in self.api.documents.query_list()["items"]
        ]
        if text:
            words = text.casefold().split()
            items = [
                item
                for item in items
                if any(word in json.dumps(item, ensure_ascii=False).casefold() for word in words)
            ]
        remedy = "Call it without text to see all." if text else "Use `sparql`."
        hint = "" if items else f" {remedy}"
        return Reply(
            f"{_counted(len(items), 'sample query', 'sample queries')}.{hint}", {"items": items}
        )

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
        text = query.bound(self._values(query, given))
        lines = (line for line in text.splitlines() if not line.startswith("#+"))
        return await self._result("\n".join(lines).strip(), limit)

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
        """A query over the data, read only; prefixes of the publication need no declaration."""
        return await self._result(self._declared(query), limit)

    def _declared(self, query: str) -> str:
        """A query with the prefixes of the publication that it uses and does not declare, on the line
        of its beginning, so that errors have the right line.
        """
        own = {match[1].casefold() for match in _DECLARATION.finditer(query)}
        used = {match[1] for match in _PREFIX.finditer(query) if match[1]}
        known = self.api.documents.documents.context.prefixes
        lines = [
            f"PREFIX {name}: <{known[name]}> "
            for name in sorted(used & known.keys())
            if name.casefold() not in own
        ]
        return "".join(lines) + query

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
        summary = f"{_counted(result['total'], 'row')}."
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
            return await self.server.answer(task, client.get())
        except Refused as refused:
            remedy = _REMEDIES.get(refused.status, "Try another query.")
            raise ToolFailure(f"{_syntax_remedy(refused.detail)}. {remedy}") from None

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
        folder, slash, name = iri.removeprefix(index.base).rpartition("/")
        hits = await self._index(index.candidates, name.replace("-", " "), 20)
        begin = index.base + folder + slash
        hits.sort(key=lambda hit: not hit.resource.iri.startswith(begin))
        near = "; ".join(
            f"{hit.resource.label(index.languages)} <{hit.resource.iri}>" for hit in hits[:3]
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
        """The key of a property in the JSON."""
        return self.api.documents.documents.context.names_of(iri)[0]

    def _properties(self, given: str) -> list[str]:
        """The IRIs of a property that is given as IRI, as key of the JSON, or by its last part."""
        context = self.api.documents.documents.context
        name = given.strip().removeprefix("<").removesuffix(">")
        if "://" in name and valid("iri", name):
            return [name]
        fields = self.api.documents.index.fields(EVERYTHING)
        known: dict[str, list[str]] = {}
        for field in fields:
            for spelling in (
                field.term,
                self._key(field.iri),
                field.iri.rpartition("/")[2].rpartition("#")[2],
            ):
                known.setdefault(spelling.casefold(), []).append(field.iri)
        if iris := known.get(name.casefold()):
            return sorted(set(iris))
        if (whole := context.expand(name)) != name and valid("iri", whole):
            return [whole]
        near = get_close_matches(name.casefold(), known, 5, 0.5)
        nearest = f" Nearest: {', '.join(near)}." if near else ""
        raise ToolFailure(
            f"No resource has a property “{given}”.{nearest} `describe` shows the keys of a resource."
        )


def _summary(text: str, items: Sequence[Mapping[str, Any]]) -> str:
    """What a search found, and whether that is what was meant."""
    remedy = "Try one distinctive word, another language, or no `collection`."
    if not items:
        return f"Nothing is named like “{text}”. {remedy}"
    best = f"{items[0]['label']} <{items[0]['id']}>"
    if items[0]["score"] < _LIKELY:
        return f"Nothing is named exactly “{text}”; the nearest is {best}, perhaps something else. {remedy}"
    return f"{len(items)} found; the best is {best}."


def _counted(number: int, noun: str, plural: str = "") -> str:
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def _syntax_remedy(detail: str) -> str:
    """A syntax error with the place alone: the parser's list of what it expected is long."""
    place = _SYNTAX_ERROR.search(detail)
    if place is None:
        return detail.rstrip(".")
    what = (
        "this prefix is not declared"
        if "Prefix not found" in detail
        else " ".join(detail[place.end() :].split())[:200].rstrip(".")
    )
    return f"This is no SPARQL query: line {place[1]}, column {place[2]}: {what}"


def _is_informative(item: StatementFacts) -> bool:
    """Whether a statement says more than of which class its subject is, or that the document that
    states it is its source.
    """
    return item["property"] != TYPE[1:-1] and item["value"] not in item["documents"]


def _is_meant(given: str, value: str, labels: Mapping[str, str], api: Api) -> bool:
    """Whether a value, as text or IRI, is the one that was given: whole, without the base, or by its
    label.
    """
    wanted = given.strip().removeprefix("<").removesuffix(">")
    spellings = (value, value.removeprefix(api.documents.index.base), labels.get(value, value))
    return wanted.casefold() in {spelling.casefold() for spelling in spellings}
