"""The Reconciliation Service API (W3C Entity Reconciliation Community Group) in JSON: version 0.2 and the
draft of 1.0, read into questions and written from candidates.

    0.2         {"q0": {"query": "Springfield", "type": "Town", "properties": [{"pid": "x", "v": "y"}]}}
    1.0 draft   {"queries": [{"type": "Town", "conditions": [{"matchType": "name", "propertyValue": "Springfield"},
                {"matchType": "property", "propertyId": "x", "propertyValue": "y"}]}]}
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from lodpipe.engine.search_index import Field, Hit, Resource
from lodpipe.publish.api.list_parameters import LONGEST, BatchTooLarge, ParameterError
from lodpipe.publish.api.reconciliation import (
    MOST_CANDIDATES,
    Candidate,
    Condition,
    Languages,
    PropertyValue,
    Question,
    Reconciliation,
    TypeFacts,
)

VERSIONS = ("0.2", "1.0-draft")
BATCH = 50
"""Questions of a batch; OpenRefine sends ten."""
MOST_IDS, MOST_PROPERTIES = 1000, 50
"""Of a data extension query."""
PREVIEW_SIZE = (400, 200)
"""Width and height of a preview in pixels."""
_MOST_CONDITIONS, _MOST_VALUES = 20, 50
_DATE = re.compile(r"-?\d{4,}-\d\d-\d\d")
_DATE_TIME = re.compile(r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")


class _Entity(Struct):
    id: str
    name: str = ""


_Value = str | int | float | bool | _Entity
_Values = _Value | list[_Value]


class _Property(Struct):
    pid: str
    v: _Values


class _Query(Struct, forbid_unknown_fields=True):
    """A query of 0.2."""

    query: str | None = None
    type: str | list[str] | None = None
    limit: int | None = None
    properties: list[_Property] | None = None
    type_strict: Literal["any", "should", "all"] | None = None


class _Matching(Struct, forbid_unknown_fields=True, rename="camel"):
    """A condition of the draft."""

    match_type: Literal["name", "id", "property"]
    property_value: _Values
    property_id: str = ""
    required: bool = False
    match_quantifier: Literal["any", "all", "none"] = "any"
    match_qualifier: str = ""
    lang: str = ""
    dir: str = ""


class _DraftQuery(Struct, forbid_unknown_fields=True):
    conditions: Annotated[list[_Matching], Meta(min_length=1)]
    type: str | None = None
    limit: int | None = None
    lang: str = ""
    dir: str = ""


class _DraftBatch(Struct):
    queries: list[_DraftQuery]


class _Settings(Struct):
    limit: Annotated[int, Meta(ge=0)] | str = 0
    language: str = ""

    @property
    def most(self) -> int:
        """The number of values; 0 is all. OpenRefine sends what was typed as text."""
        text = str(self.limit)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


class _Wanted(Struct):
    id: str
    settings: _Settings = field(default_factory=_Settings)


class Extension(Struct):
    """A data extension query: values of these properties of these resources."""

    ids: list[str]
    properties: list[_Wanted]


_T = TypeVar("_T")


def _decoded(body: bytes, shape: type[_T], name: str) -> _T:
    """JSON of a shape. Raises ParameterError."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ParameterError(name, f"`{name}`: {error}") from None


# -- questions -------------------------------------------------------------------------------------


def read_queries(body: bytes, service: Reconciliation) -> dict[str, Question]:
    """A batch of 0.2. Raises ParameterError."""
    given = _decoded(body, dict[str, _Query], "queries")
    check_size(len(given), BATCH, "queries")
    return {key: _question(key, query, service) for key, query in given.items()}


def read_batch(body: bytes, service: Reconciliation) -> list[Question]:
    """A batch of the draft. Raises ParameterError."""
    given = _decoded(body, _DraftBatch, "queries").queries
    check_size(len(given), BATCH, "queries")
    return [_draft_question(number, query, service) for number, query in enumerate(given)]


def check_size(given: int, most: int, name: str) -> None:
    """Raises BatchTooLarge."""
    if given > most:
        raise BatchTooLarge(name, f"`{name}`: there are {given:,}, at most {most:,} are allowed")


def _question(key: str, query: _Query, service: Reconciliation) -> Question:
    where = f"queries.{key}"
    if query.query is None and not query.properties:
        raise ParameterError(where, f"`{where}` needs `query` or `properties`")
    given = [query.type] if isinstance(query.type, str) else query.type or []
    conditions = [
        _condition(where, service, item.pid, _texts(where, item.v))
        for item in query.properties or ()
    ]
    return Question(
        _names(where, [query.query or ""]),
        types=_types(where, given, service),
        conditions=_bounded(where, conditions),
        limit=_limit(where, query.limit),
        strict=query.type_strict or "any",
    )


def _draft_question(number: int, query: _DraftQuery, service: Reconciliation) -> Question:
    where = f"queries.{number}"
    names: list[str] = []
    ids: list[str] = []
    conditions: list[Condition] = []
    for item in query.conditions:
        texts = _texts(where, item.property_value)
        if item.match_qualifier:
            raise ParameterError(where, f"`{where}`: there is no matchQualifier")
        if item.match_type == "property":
            condition = _condition(
                where, service, item.property_id, texts, item.required, item.match_quantifier
            )
            conditions.append(condition)
        elif item.match_quantifier == "none":
            raise ParameterError(where, f"`{where}`: `none` is for properties")
        else:
            (names if item.match_type == "name" else ids).extend(texts)
    return Question(
        _names(where, names),
        tuple(ids),
        _types(where, [query.type] if query.type else [], service),
        _bounded(where, conditions),
        _limit(where, query.limit),
        required_name=any(i.required for i in query.conditions if i.match_type == "name"),
    )


def _condition(
    where: str,
    service: Reconciliation,
    given: str,
    texts: tuple[str, ...],
    required: bool = False,
    quantifier: str = "any",
) -> Condition:
    return Condition(_named(where, service, given).term, texts, required, quantifier)


def _named(where: str, service: Reconciliation, given: str) -> Field:
    try:
        return service.property_of(given)
    except ParameterError as error:
        raise ParameterError(where, f"`{where}`: {error.detail}") from None


def _types(where: str, given: Sequence[str], service: Reconciliation) -> tuple[str, ...]:
    try:
        return tuple(service.type_iri(item) for item in given if item)
    except ParameterError as error:
        raise ParameterError(where, f"`{where}`: {error.detail}") from None


def _texts(where: str, value: _Values) -> tuple[str, ...]:
    """Values as texts; resources by their identifiers."""
    values = value if isinstance(value, list) else [value]
    check_size(len(values), _MOST_VALUES, where)
    texts = tuple(
        ("true" if item else "false")
        if isinstance(item, bool)
        else item.id
        if isinstance(item, _Entity)
        else str(item)
        for item in values
    )
    for text in texts:
        _check_length(where, text)
    return texts


def _names(where: str, given: Sequence[str]) -> tuple[str, ...]:
    for name in given:
        _check_length(where, name)
    return tuple(name for name in given if name.strip())


def _check_length(where: str, text: str) -> None:
    if len(text) > LONGEST:
        raise ParameterError(where, f"`{where}` has a text of more than {LONGEST} characters")


def _bounded(where: str, conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    check_size(len(conditions), _MOST_CONDITIONS, where)
    return tuple(conditions)


def _limit(where: str, given: int | None) -> int:
    if given is None:
        return 10
    if given < 1:
        raise ParameterError(where, f"`{where}`: `limit` is a number from 1 on")
    return min(given, MOST_CANDIDATES)


# -- answers ---------------------------------------------------------------------------------------


def written_candidates(
    candidates: Sequence[Candidate], service: Reconciliation, languages: Languages
) -> list[dict[str, Any]]:
    """Candidates, which are the same in both versions."""
    return [_written(item, service, languages) for item in candidates]


def _written(item: Candidate, service: Reconciliation, languages: Languages) -> dict[str, Any]:
    label = item.resource.label([*languages, *service.index.languages])
    features = [] if item.likeness is None else [("name", "Name", round(item.likeness, 1))]
    features += [
        (f"condition-{number}", f"Condition {number}", round(100 * value, 1))
        for number, value in enumerate(item.agreements, 1)
    ]
    return {
        "id": item.resource.iri,
        "name": label,
        **({"description": item.name} if item.name != label else {}),
        "type": [
            _type(service.type_facts(iri, languages)) for iri in _kinds(service, item.resource)
        ],
        "score": round(item.score, 1),
        "features": [{"id": id_, "name": name, "value": value} for id_, name, value in features],
        "match": item.match,
    }


def _kinds(service: Reconciliation, resource: Resource) -> list[str]:
    """The classes of a resource, its kind first."""
    return [resource.kind, *sorted(service.index.types(resource) - {resource.kind})]


def _type(facts: TypeFacts) -> dict[str, str]:
    return {"id": facts.id, "name": facts.name}


def written_entities(
    hits: Sequence[Hit], service: Reconciliation, languages: Languages
) -> list[dict[str, Any]]:
    """Suggested resources."""
    rows = []
    for hit in hits:
        label = hit.resource.label([*languages, *service.index.languages])
        kind = service.type_facts(hit.resource.kind, languages)
        more = kind.name if hit.name == label else f"{kind.name}: {hit.name}"
        rows.append(
            {"id": hit.resource.iri, "name": label, "description": more, "notable": [_type(kind)]}
        )
    return rows


def written_types(facts: Sequence[TypeFacts]) -> list[dict[str, str]]:
    """Suggested types."""
    return [{**_type(item), "description": item.iri} for item in facts]


def written_properties(
    fields: Sequence[Field], service: Reconciliation, languages: Languages
) -> list[dict[str, str]]:
    """Suggested or proposed properties."""
    return [
        {
            "id": item.term,
            "name": service.property_name(item, languages),
            "description": item.iri,
        }
        for item in fields
    ]


# -- data extension --------------------------------------------------------------------------------


def read_extension(body: bytes) -> Extension:
    """A data extension query; both versions have the same. Raises ParameterError."""
    given = _decoded(body, Extension, "extend")
    check_size(len(given.ids), MOST_IDS, "ids")
    check_size(len(given.properties), MOST_PROPERTIES, "properties")
    return given


def extended(
    wanted: Extension, service: Reconciliation, languages: Languages, *, draft: bool
) -> dict[str, Any]:
    """The answer: for each resource the values of each property. A resource that does not exist has
    none. Raises ParameterError.
    """
    columns = [(item, _named("properties", service, item.id)) for item in wanted.properties]
    kinds: dict[str, set[str]] = {item.id: set() for item in wanted.properties}
    rows: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for id_ in dict.fromkeys(wanted.ids):
        resource = service.index.find(id_)
        rows[id_] = {}
        for column, item in columns:
            values = service.values(resource, item) if resource else []
            language = column.settings.language
            chosen = [
                value for value in values if language in ("", value.language) or not value.language
            ]
            most = column.settings.most or len(chosen)
            references = service.index.of_iris(value.iri for value in chosen[:most] if value.iri)
            kinds[column.id] |= {entry.kind for entry in references.values()}
            rows[id_][column.id] = [
                _cell(value, references, [*languages, *service.index.languages], draft)
                for value in chosen[:most]
            ]
    meta = [_meta(column, item, service, languages, kinds[column.id]) for column, item in columns]
    if not draft:
        return {"meta": meta, "rows": rows}
    listed = [
        {"id": id_, "properties": [{"id": key, "values": cells} for key, cells in row.items()]}
        for id_, row in rows.items()
    ]
    return {"meta": meta, "rows": listed}


def _meta(
    column: _Wanted, item: Field, service: Reconciliation, languages: Languages, kinds: set[str]
) -> dict[str, Any]:
    """A column; its type where all resources in it have the same."""
    about: dict[str, Any] = {"id": column.id, "name": service.property_name(item, languages)}
    if len(kinds) == 1:
        about["type"] = _type(service.type_facts(next(iter(kinds)), languages))
    return about


def _cell(
    value: PropertyValue, references: Mapping[str, Resource], languages: Languages, draft: bool
) -> dict[str, Any]:
    if value.iri in references:
        return {"id": value.iri, "name": references[value.iri].label(languages)}
    if value.kind == "number":
        try:
            return {"int": int(value.text)}
        except ValueError:
            pass
        try:
            number = float(value.text)
            return {"float": number} if abs(number) < float("inf") else {"str": value.text}
        except ValueError:
            return {"str": value.text}
    if _DATE.fullmatch(value.text):
        return {"date": f"{value.text}T00:00:00"}
    if _DATE_TIME.fullmatch(value.text):
        return {"date": value.text}
    return {"str": value.text, **({"lang": value.language} if draft and value.language else {})}


# -- manifest --------------------------------------------------------------------------------------


def manifest(
    service: Reconciliation, root: str, languages: Languages, *, draft: bool
) -> dict[str, Any]:
    """What the service offers, in 0.2 or the draft; `root` is its own address."""
    publication = service.api.publication
    title = next(
        (publication.title[item] for item in languages if item in publication.title),
        next(iter(publication.title.values()), publication.base),
    )
    width, height = PREVIEW_SIZE
    common: dict[str, Any] = {
        "versions": [*VERSIONS],
        "name": title,
        "documentation": root.removesuffix("/v1").removesuffix("/reconcile") + "/api/",
        "serviceVersion": publication.version,
        "defaultTypes": [_type(item) for item in service.default_types(languages)],
        "batchSize": BATCH,
    }
    if draft:
        return {
            **common,
            "lang": next(iter(languages), "en"),
            "view": {"url": "{+id}"},
            "preview": {"width": width, "height": height},
            "suggest": {"entity": True, "property": True, "type": True},
            "extend": {
                "proposeProperties": True,
                "propertySettings": [_setting(item, "id") for item in _settings(service)],
            },
            "standardizedScore": True,
        }
    path = {"service_url": root, "service_path": "/extend/propose"}
    return {
        **common,
        "identifierSpace": publication.base,
        "schemaSpace": root.removesuffix("/reconcile") + "/api/context.jsonld",
        "view": {"url": "{{id}}"},
        "preview": {"url": root + "/preview?id={{id}}", "width": width, "height": height},
        "suggest": {name: _place(root, name) for name in ("entity", "property", "type")},
        "extend": {
            "propose_properties": path,
            "property_settings": [_setting(item, "name") for item in _settings(service)],
        },
    }


def _place(root: str, name: str) -> dict[str, str]:
    return {
        "service_url": root,
        "service_path": f"/suggest/{name}",
        "flyout_service_url": root,
        "flyout_service_path": f"/flyout/{name}?id=${{id}}",
    }


def _settings(service: Reconciliation) -> list[dict[str, Any]]:
    languages = [{"value": "", "name": "all"}]
    languages += [{"value": item, "name": item} for item in service.index.languages]
    return [
        {
            "id": "limit",
            "name": "Limit",
            "type": "number",
            "default": 0,
            "help": "How many values of each resource; 0 is all",
        },
        {
            "id": "language",
            "name": "Language",
            "type": "select",
            "default": "",
            "choices": languages,
            "help": "Texts in this language, and those without one",
        },
    ]


def _setting(given: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A setting in the spelling of a version: 0.2 has `name` and `label`, the draft `id` and `name`."""
    rest = {name: value for name, value in given.items() if name not in ("id", "name", "help")}
    if key == "id":
        return {"id": given["id"], "name": given["name"], "helpText": given["help"], **rest}
    return {"name": given["id"], "label": given["name"], "help_text": given["help"], **rest}
