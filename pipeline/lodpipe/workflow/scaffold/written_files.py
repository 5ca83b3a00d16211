"""The proposed declarations as the texts of the files of a publication, each line with its reason."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml

from lodpipe.config import open_answers
from lodpipe.config.vocabulary import well_known_prefixes
from lodpipe.mapping.source_queries import quoted, select
from lodpipe.rdf.terms import quote_literal
from lodpipe.workflow.scaffold.field_forms import FieldForm, TableForm
from lodpipe.workflow.scaffold.field_terms import label_of, shapes_of, terms_of
from lodpipe.workflow.scaffold.german_names import german_name, plural_of
from lodpipe.workflow.scaffold.proposed_resources import (
    DATATYPES,
    NAMES,
    Resource,
    Statement,
    folder_of,
    resources_of,
)

IGNORED = ".gitignore"  # left as it is where there is one
GITHUB, GITLAB = ".github/workflows/check.yml", ".gitlab-ci.yml"


@dataclass(frozen=True)
class Answers:
    """What no data say of the publication; `root` is the folder of the data relative to it, empty
    for `source/`, `unread` the files in `source/` that no table reads, `profile` that of the terms, `ci` the files for checks of changes.
    """

    name: str
    title: str
    base: str
    licence: str
    publisher: str
    languages: tuple[str, ...]
    root: str = ""
    unread: tuple[str, ...] = ()
    profile: str = ""
    ci: tuple[str, ...] = (GITHUB,)


def publication_files(tables: list[TableForm], answers: Answers) -> dict[str, str]:
    """Path relative to the publication → text."""
    terms = terms_of(answers.profile)
    resources = resources_of(tables, terms, answers.languages[0])
    classes = {name for resource in resources for name in resource.classes}
    shapes = {f"shapes/{terms.shapes}": shapes_of(answers.profile, classes)} if terms.shapes else {}
    return {
        "publication.yaml": _publication(tables, resources, answers),
        "source/records.yaml": _records(tables, answers),
        "source/mapping.yaml": _mapping(tables, resources),
        "ontology/terms.ttl": _terms(tables, resources, answers),
        "ontology/context.jsonld": _context(resources),
        "shapes/shapes.ttl": _shapes(resources, answers),
        **{f"queries/{name}.rq": text for name, text in _queries(resources, answers)},
        **shapes,
        **{name: CI_FILES[name] for name in answers.ci},
        IGNORED: "dist/site/\ndist.next/\n",
    }


def _flow(value: Any) -> str:
    """A value as YAML on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**9)  # fmt: skip
    return text.removesuffix("\n").removesuffix("\n...")


# -- source/records.yaml ---------------------------------------------------------------------------


def _records(tables: list[TableForm], answers: Answers) -> str:
    lines = [
        "# What the files hold: tables, their files, their fields, as `lodpipe init` read them. A reason is",
        "# what the data show today; correct what should hold for the data to come.",
    ]
    for form in tables:
        table = form.table
        again = rewritten_name(form)
        files: Any = again or (table.files[0] if len(table.files) == 1 else list(table.files))
        lines += ["", f"# {table.reason}", f"{form.name}:", f"  files: {_flow(files)}"]
        if answers.root and not again:
            lines.append(f"  root: {_flow(answers.root)}")
        if table.excluded:
            lines.append(f"  except: {_flow(list(table.excluded))}")
        if table.at and not again:
            lines.append(f"  at: {_flow(list(table.at))}")
        if table.is_keyed:
            lines.append("  keyed: true")
        if form.has_empty:
            lines.append("  empty: absent  # empty texts, lists and nulls occur")
        if form.ignored:
            names = list(form.ignored)
            lines.append(f"  ignore: {_flow(names)}  # no value, or of several forms")
        lines.append("  fields:")
        lines += _fields(form, form.fields, 4)
    return "\n".join(lines) + "\n"


def rewritten_name(form: TableForm) -> str:
    """The file that the records are written to again, below source/; empty where they stay."""
    if not form.table.is_rewritten:
        return ""
    name = f"{form.name}.{'csv' if form.table.is_rows else 'jsonl'}"
    return name if name not in form.table.files else f"{form.name}-as-read.csv"


def _fields(form: TableForm, fields: tuple[FieldForm, ...], indent: int) -> Iterator[str]:
    for entry in fields:
        reason = f"  # {entry.reason}" if entry.reason else ""
        line = f"{' ' * indent}{_flow(entry.name)}: "
        inner = entry.item if entry.kind in ("list", "keyed") and entry.item else entry
        if inner.kind != "fields":
            yield f"{line}{_flow(_declared(form, entry))}{reason}"
            continue
        flags = {key: value for key, value in _declared(form, entry).items() if key not in ("fields", "list", "keyed")}  # fmt: skip
        yield f"{line.rstrip()}{reason}"
        for key, value in flags.items():
            yield f"{' ' * (indent + 2)}{key}: {_flow(value)}"
        if entry.kind in ("list", "keyed"):
            yield f"{' ' * (indent + 2)}{entry.kind}:"
            indent_inner = indent + 4
        else:
            indent_inner = indent + 2
        if inner.ignored:
            yield f"{' ' * indent_inner}ignore: {_flow(list(inner.ignored))}  # no value, or of several forms"
        yield f"{' ' * indent_inner}fields:"
        yield from _fields(form, inner.fields, indent_inner + 2)


def _declared(form: TableForm, entry: FieldForm) -> dict[str, Any]:
    """A field as a map of records.yaml."""
    declared: dict[str, Any] = {}
    if entry.kind == "texts":
        declared["texts"] = True
    elif entry.kind in ("list", "keyed") and entry.item is not None:
        item = _declared(form, entry.item)
        declared[entry.kind] = {key: value for key, value in item.items() if key not in ("required", "from")}  # fmt: skip
    elif entry.kind == "concept":
        declared["concept"] = entry.target
    elif entry.kind != "fields":
        declared[entry.kind] = entry.target
    if form.table.is_keyed and entry.key:
        declared["from"] = "_key"
    elif entry.source == form.table.file_column != entry.name and not form.table.is_rewritten:
        declared["from"] = f"{{{entry.source}}}"  # a part of the pattern of files
    elif entry.source not in ("", entry.name):
        declared["from"] = [entry.source] if "." in entry.source else entry.source
    if any(key != value for key, value in entry.values.items()):
        declared["values"] = dict(entry.values)
    flags = {"required": entry.required and declared.get("from") != "_key", "key": entry.key, "unique": entry.unique}  # fmt: skip
    declared |= {name: True for name, is_set in flags.items() if is_set}
    if entry.bounds:
        declared["range"] = list(entry.bounds)
    texts = {"after": entry.after, "pattern": entry.pattern}
    return declared | {name: text for name, text in texts.items() if text}


# -- source/mapping.yaml ---------------------------------------------------------------------------


def _mapping(tables: list[TableForm], resources: list[Resource]) -> str:
    prefixed = {form.name for form in tables if form.prefix}
    lines = ["# How the records become statements: YARRRML, docs/mapping.md of lodpipe."]
    sources, mappings = [], []
    for resource in resources:
        sources_ref = f"[{resource.table}~table]"
        if resource.query:
            sources_ref = f"{resource.name}_rows"
            sources += [f"  {sources_ref}:", f"    query: {_flow(resource.query)}"]
        mappings += [f"  {resource.name}:", f"    sources: {sources_ref}", f"    s: {_flow(resource.subject)}"]  # fmt: skip
        rules = list(_rules(resource, prefixed))
        mappings += ["    po:", *(f"      - {rule}" for rule in rules)] if rules else []
        if resource.link:
            mappings += [
                f"  {resource.name}_of:", f"    sources: {sources_ref}", f"    s: {_flow(resource.owner)}",
                "    po:", f"      - [{resource.link}, {_flow(resource.subject + '~iri')}]",
            ]  # fmt: skip
    if sources:
        lines += ["sources:", *sources]
    return "\n".join([*lines, "mappings:", *mappings]) + "\n"


def _rules(resource: Resource, prefixed: Container[str]) -> Iterator[str]:
    if resource.classes:
        names = resource.classes[0] if len(resource.classes) == 1 else list(resource.classes)
        yield _flow(["a", names])
    for rule in resource.statements:
        value = rule.template or f"$({rule.column})"
        if rule.kind == "texts":
            for language in rule.languages:
                yield _flow([rule.property, f"$({rule.column}_{language})", f"{language}~lang"])
        elif rule.kind == "ref":
            key = f"$({rule.column}_local)" if rule.target in prefixed else value
            path = rule.template or f"{folder_of(rule.target)}/{key}"
            yield _flow([rule.property, f"{path}~iri"])
        elif rule.kind == "concept":
            yield _flow([rule.property, f"def/{rule.target}/{value}~iri"])
        elif rule.target == "url":
            yield _flow([rule.property, f"{value}~iri"])
        elif rule.in_language:
            yield _flow([rule.property, value, f"{rule.in_language}~lang"])
        elif rule.target == "partial-date":
            yield _flow([rule.property, value, f"xsd:$({rule.column}_type)"])
        elif rule.target in DATATYPES:
            yield _flow([rule.property, value, DATATYPES[rule.target]])
        else:
            yield _flow([rule.property, value])


# -- ontology/ -------------------------------------------------------------------------------------


def _prefixes(resources: list[Resource], *more: str) -> dict[str, str]:
    names = {name for resource in resources for name in resource.classes}
    names |= {rule.property for resource in resources for rule in resource.statements}
    used = {name.partition(":")[0] for name in names}
    known = well_known_prefixes() | {"def": "def/"}
    return {name: known[name] for name in sorted({*used, *more})}


def _context(resources: list[Resource]) -> str:
    context = {"id": "@id", "type": "@type"} | _prefixes(resources, "def", "schema", "skos")
    return json.dumps({"@context": context}, indent=2) + "\n"


def _head(prefixes: Mapping[str, str]) -> list[str]:
    return [f"@prefix {name}: <{iri}> ." for name, iri in prefixes.items()] + [""]


def _labels(text: str, answers: Answers) -> str:
    """What something is called, in each language, as literals."""
    return ", ".join(
        quote_literal(name, language) for language, name in _named(text, answers).items()
    )


def _named(text: str, answers: Answers) -> dict[str, str]:
    """What something is called, by language."""
    return {language: _in(language, text) for language in answers.languages}


def _in(language: str, label: str) -> str:
    return german_name(label) if language.startswith("de") else label


def _terms(tables: list[TableForm], resources: list[Resource], answers: Answers) -> str:
    lines = [
        "# The publication's own terms. Labels are made of the names of the fields; write what people understand.",
        *_head(_prefixes([], "def", "owl", "skos")),
    ]
    terms: dict[str, tuple[str, str]] = {}
    schemes = {name: entry for form in tables for name, entry in form.concepts.items()}
    for resource in resources:
        for name in resource.classes:
            terms.setdefault(name, ("owl:Class", resource.label))
        if resource.link:
            terms.setdefault(resource.link, ("owl:ObjectProperty", resource.label))
        for rule in resource.statements:
            is_object = rule.kind in ("ref", "concept") or rule.target == "url"
            kind = "owl:ObjectProperty" if is_object else "owl:DatatypeProperty"
            terms.setdefault(rule.property, (kind, rule.label))
    for name, (kind, label) in sorted(terms.items()):
        if name.startswith("def:"):
            lines.append(f"{name} a {kind} ; skos:prefLabel {_labels(label, answers)} .")
    for scheme, entry in sorted(schemes.items()):
        label = _labels(label_of(entry.name), answers)
        lines += ["", f"<def/{scheme}> a skos:ConceptScheme ; skos:prefLabel {label} ."]
        for concept, text in sorted(_concept_texts(entry).items()):
            label = ", ".join(quote_literal(text, language) for language in answers.languages)
            lines.append(f"<def/{scheme}/{concept}> a skos:Concept ; skos:inScheme <def/{scheme}> ; skos:prefLabel {label} .")  # fmt: skip
    return "\n".join(lines) + "\n"


def _concept_texts(entry: FieldForm) -> dict[str, str]:
    """Each concept with the value that the files have, the first of several; values that are names
    already, with spaces.
    """
    texts: dict[str, str] = {}
    for value, concept in sorted(entry.values.items()):
        texts.setdefault(concept, value.replace("-", " ") if value == concept else value)
    return texts


# -- shapes/ ---------------------------------------------------------------------------------------


def _shapes(resources: list[Resource], answers: Answers) -> str:
    lines = [
        "# What the graph must look like. A message is what the editor of the records reads.",
        *_head(_prefixes(resources, "rdf", "schema", "sh", "skos", "xsd")),
    ]
    by_table = {resource.table: resource for resource in resources if resource.is_record}
    statements: dict[str, list[Statement]] = {}
    for resource in resources:
        statements.setdefault(resource.of or resource.name, []).extend(resource.statements)
    for resource in resources:
        if not resource.classes:
            continue
        target = resource.classes[0]
        name = resource.name.replace("_", "-")
        rules = statements[resource.name]
        lines.append(f"<shape/{name}> a sh:NodeShape ; sh:targetClass {target} ;")
        several = {rule.property for rule in rules if rule.several}
        parts = list(_parts(rules))
        properties = ", ".join(f"<shape/{name}-{part}>" for part in parts)
        lines.append(f"  sh:property {properties} ." if rules else "  sh:nodeKind sh:IRI .")
        for part, rule in zip(parts, rules, strict=True):
            lines.append(f"<shape/{name}-{part}> sh:path {rule.property} ;")
            rule = replace(rule, several=rule.property in several or resource.are_merged)
            lines += [f"  {constraint} ;" for constraint in _constraints(rule, by_table)]
            messages = ", ".join(quote_literal(_message(rule, language), language) for language in answers.languages)  # fmt: skip
            lines.append(f"  sh:message {messages} .")
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def _parts(rules: list[Statement]) -> Iterator[str]:
    """The last parts of the IRIs of the shapes of properties, each of its own."""
    taken: set[str] = set()
    for rule in rules:
        part = rule.label.replace(" ", "-") if rule.several else rule.column
        part = f"{part}-{rule.property.partition(':')[2]}" if part in taken else part
        taken.add(part)
        yield part


def _constraints(rule: Statement, tables: Mapping[str, Resource]) -> Iterator[str]:
    if rule.required:
        yield "sh:minCount 1"
    if not rule.several and rule.kind != "texts":
        yield "sh:maxCount 1"
    if rule.kind == "texts":
        yield "sh:datatype rdf:langString"
        yield "sh:uniqueLang true"
    elif rule.kind == "ref":
        yield "sh:nodeKind sh:IRI"
        if rule.target in tables:
            yield f"sh:class {tables[rule.target].classes[0]}"
    elif rule.kind == "concept":
        concepts = " ".join(f"<def/{rule.target}/{name}>" for name in rule.concepts)
        yield f"sh:in ( {concepts} )"
    elif rule.target == "url":
        yield "sh:nodeKind sh:IRI"
    elif rule.in_language:
        yield "sh:datatype rdf:langString"
    elif rule.target != "partial-date":
        yield f"sh:datatype {DATATYPES.get(rule.target, 'xsd:string')}"


_MOST_FACETS = 6
_MESSAGES = {
    "en": "Field `{label}`: {count}{kind}.",
    "de": "Feld `{label}`: {count}{kind}.",
}
_KINDS = {
    "en": {"ref": "a record of `{target}`", "concept": "a value of the list `{target}`", "texts": "a text for each language"},
    "de": {"ref": "ein Datensatz aus `{target}`", "concept": "ein Wert der Liste `{target}`", "texts": "ein Text je Sprache"},
}  # fmt: skip
_TYPES = {
    "en": {
        "text": "a text", "any": "a text", "integer": "a whole number", "decimal": "a number", "boolean": "`true` or `false`",
        "date": "a day (YYYY-MM-DD)", "date-time": "a day with a time (YYYY-MM-DDThh:mm:ss)",
        "partial-date": "a day, month or year", "year": "a year (YYYY)", "url": "a web address", "slug": "small letters, digits and hyphens",
        "language": "a code of a language",
    },
    "de": {
        "text": "ein Text", "any": "ein Text", "integer": "eine ganze Zahl", "decimal": "eine Zahl", "boolean": "`true` oder `false`",
        "date": "ein Tag (JJJJ-MM-TT)", "date-time": "ein Tag mit Uhrzeit (JJJJ-MM-TTThh:mm:ss)",
        "partial-date": "ein Tag, Monat oder Jahr", "year": "ein Jahr (JJJJ)", "url": "eine Webadresse",
        "slug": "Kleinbuchstaben, Ziffern und Bindestriche", "language": "der Code einer Sprache",
    },
}  # fmt: skip


def _message(rule: Statement, language: str) -> str:
    texts = language if language in _KINDS else "en"
    kind = _KINDS[texts].get(rule.kind, _TYPES[texts].get(rule.target, rule.target))
    kind = kind.format(target=rule.target)
    count = "" if rule.several or rule.kind == "texts" else ("exactly one: " if rule.required else "at most one: ")  # fmt: skip
    if texts == "de" and count:
        count = "genau einmal: " if rule.required else "höchstens einmal: "
    return _MESSAGES[texts].format(label=rule.label, count=count, kind=kind)


# -- queries/ --------------------------------------------------------------------------------------


def _queries(resources: list[Resource], answers: Answers) -> Iterator[tuple[str, str]]:
    for resource in resources:
        if not resource.is_record:
            continue
        name = resource.name.replace("_", "-")
        label = next((rule.property for rule in resource.statements if rule.property in NAMES), "")
        plural = resource.name.replace("_", " ")
        head = _query_head({"en": f"All {plural}", "de": f"{_in('de', plural)}: alle"}, answers)
        prefixes = _query_prefixes(answers, resource.classes[0], *([label] if label else []))
        variables = "?resource ?name" if label else "?resource"
        optional = f" OPTIONAL {{ ?resource {label} ?name }}" if label else ""
        yield (
            f"all-{name}",
            f"{head}{prefixes}\nSELECT {variables}\n"
            f"WHERE {{ ?resource a {resource.classes[0]} .{optional} }}\nORDER BY STR(?resource)\n",
        )
        concept = next((rule for rule in resource.statements if rule.kind == "concept"), None)
        if concept is None:
            continue
        head = _query_head(
            {
                "en": f"{plural.capitalize()} by {concept.label}",
                "de": f"{_in('de', plural)} nach {_in('de', concept.label)}",
            },
            answers,
        )
        yield (
            f"{name}-by-{concept.label.replace(' ', '-')}",
            f"{head}{_query_prefixes(answers, resource.classes[0], concept.property, 'skos:prefLabel')}\nSELECT ?label (COUNT(*) AS ?count)\n"
            f"WHERE {{ ?resource a {resource.classes[0]} ; {concept.property}/skos:prefLabel ?label .\n"
            f'  FILTER(LANG(?label) = "{answers.languages[0]}") }}\nGROUP BY ?label\nORDER BY DESC(?count) ?label\n',
        )


def _query_head(titles: Mapping[str, str], answers: Answers) -> str:
    texts = "".join(
        f"#+   {language}: {_flow(titles['de' if language.startswith('de') else 'en'])}\n"
        for language in answers.languages
    )
    return f"#+ title:\n{texts}#+ description:\n{texts}#+ expect: rows >= 1\n#+ view: table\n"


def _query_prefixes(answers: Answers, *names: str) -> str:
    prefixes = _prefixes([], *(name.partition(":")[0] for name in names))
    own = {"def/": f"{answers.base}def/"}  # an endpoint knows no base
    return "\n".join(f"PREFIX {name}: <{own.get(iri, iri)}>" for name, iri in prefixes.items())


# -- publication.yaml ------------------------------------------------------------------------------


def _publication(tables: list[TableForm], resources: list[Resource], answers: Answers) -> str:
    texts = dict.fromkeys(answers.languages, answers.title)
    lines = [
        "# What the publication is called, who is responsible for it, and what is built.",
        f"name: {answers.name}",
        f"base: {answers.base}  # base of all IRIs: choose it before the first release",
        f"title: {_flow(texts)}",
        f"description: {_flow(texts)}  # one or two sentences",
        f"languages: {_flow(list(answers.languages))}",
        f"release: {{version: 0.1.0, date: '{open_answers.DATE}'}}  # the day of the first release",
        f"licence: {answers.licence}  # of the data; who publishes them has to know it",
        f"attribution: {_flow(answers.title)}",
    ]
    for part in ("publisher", "contact"):
        body: dict[str, Any] = {"name": answers.publisher or "not yet named"}
        if not answers.publisher:
            body["placeholder"] = True
        lines.append(f"{part}: {_flow(body)}")
    if answers.unread:
        lines.append(f"ignore: {_flow(list(answers.unread))}  # files that no table reads")
    lines.append("severities: {LP505: off}  # records that nothing refers to are no mistakes")
    lines += ["graph: def", "expect:  # how many records there are at least"]
    lines += [
        f"  {form.name}: {_flow({'min': max(1, len(form.table.records) // 2)})}" for form in tables
    ]
    records = [resource for resource in resources if resource.is_record]
    if any(resource.key for resource in records):
        lines.append("tables:")
    for resource in records:
        if resource.key is None:
            continue
        columns = [
            rule.column
            for rule in resource.statements
            if rule.kind != "texts"
            and not rule.absent
            and not rule.is_link
            and (not rule.template or rule.target == "url")
        ]
        names = dict.fromkeys([resource.key.name, *columns])
        columns = [quoted(name) for name in names]
        key = resource.key.name
        title = _named(resource.name.replace("_", " "), answers)
        lines += [
            f"  - name: {resource.name.replace('_', '-')}",
            f"    title: {_flow(title)}",
            f"    key: [{key}]",
            f"    about: {folder_of(resource.table)}/{{{key}}}",
            f"    query: {_flow(select(columns, resource.table))}",
        ]
    kinds = [
        line for resource in resources if resource.classes for line in _kind(resource, answers)
    ]
    lines += ["site:", "  kinds:", *kinds] if kinds else []
    facets = [*_facets(resources, answers)] if kinds else []
    lines += ["  facets:  # by what lists can be narrowed", *facets] if facets else []
    tables_of = [line for resource in resources for line in _rows_of(resource, records, answers)]
    lines += (
        [
            "  tables:  # lists without names of their own, as rows on the page of what has them",
            *tables_of,
        ]
        if tables_of
        else []
    )
    return "\n".join(lines) + "\n"


def _kind(resource: Resource, answers: Answers) -> Iterator[str]:
    yield f"    - class: {resource.classes[0]}"
    yield f"      label: {_flow(_heading(resource.label, answers))}"
    plural = plural_of(label_of(resource.plural or resource.name))
    yield f"      plural: {_flow(_heading(plural, answers))}"
    yield "      menu: true" if resource.is_record else "      minor: true"
    member = any(rule.property == "org:member" for rule in resource.statements)
    if member and not any(rule.property in NAMES for rule in resource.statements):
        yield "      name: ['org:member']  # a membership is called like its member"


def _facets(resources: list[Resource], answers: Answers) -> Iterator[str]:
    """The first properties whose values are concepts: of a long row of choices none is used."""
    rules = {
        rule.property: rule
        for resource in resources
        for rule in resource.statements
        if rule.kind == "concept"
    }
    names: set[str] = set()
    for rule in list(rules.values())[:_MOST_FACETS]:
        name = re.sub(r"[^a-z0-9]+", "-", rule.label.lower()).strip("-")
        if not name[:1].isalpha() or name in names:
            continue
        names.add(name)
        label = _flow(_heading(rule.label, answers))
        yield f"    - {{name: {name}, label: {label}, paths: {_flow([rule.property])}}}"


def _heading(text: str, answers: Answers) -> dict[str, str]:
    """A name in each language, with a capital."""
    named = _named(text, answers)
    return {language: name[:1].upper() + name[1:] for language, name in named.items()}


def _rows_of(resource: Resource, records: list[Resource], answers: Answers) -> Iterator[str]:
    """The items of a list, which have no name, as rows of a table on the page of the record."""
    is_named = any(rule.property in NAMES for rule in resource.statements)
    if not resource.link or is_named or not resource.classes or not resource.statements:
        return
    if resource.owner not in {record.subject for record in records} | {
        f"{folder_of(record.table)}/$(_id)" for record in records
    }:
        return
    title = label_of(resource.link.partition(":")[2])
    yield f"    - title: {_flow(_named(title, answers))}"
    yield f"      paths: {_flow([resource.link])}"
    yield f"      columns: {_flow(list(dict.fromkeys(rule.property for rule in resource.statements)))}"


_WORKFLOW = """\
# Checks each proposed change of the data and marks the wrong lines.
name: check
on: [push, pull_request]
permissions: {contents: read}
env:
  LODPIPE: tools/lodpipe.whl  # a wheel of lodpipe, or its address: the package is on no index yet
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with: {python-version: '3.12'}
      - run: pip install "$LODPIPE"
      - run: lodpipe check --format github
"""

_GITLAB = """\
# Checks each proposed change of the data, and shows the findings in the merge request.
variables:
  LODPIPE: tools/lodpipe.whl  # a wheel of lodpipe, or its address: the package is on no index yet
check:
  image: python:3.12-slim
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
  script:
    - pip install "$LODPIPE"
    - lodpipe check --report gitlab:gl-code-quality-report.json --report junit.xml
  artifacts:
    when: always
    reports:
      codequality: gl-code-quality-report.json
      junit: junit.xml
"""

CI_FILES = {GITHUB: _WORKFLOW, GITLAB: _GITLAB}
