"""What shapes cannot express: references, duplicate keys and cells of record tables, unknown terms,
unused records.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter

from lodpipe.config.vocabulary import Vocabulary
from lodpipe.diagnostics.finding import Finding, Origin, Severity
from lodpipe.diagnostics.suggestions import nearest, other_spelling
from lodpipe.engine.results import Failure
from lodpipe.engine.sql_session import Session
from lodpipe.engine.statements import Statements
from lodpipe.mapping.model import MappingDocument, expressions
from lodpipe.mapping.planning.plan import quote, text
from lodpipe.rdf.datatypes import LAX, PATTERNS
from lodpipe.rdf.namespaces import RDF, RDFS, XSD
from lodpipe.sources import (
    Column,
    Lexicon,
    RecordTable,
    RowTable,
    ScanTable,
    Table,
    pattern_of,
    wrong_type,
)
from lodpipe.sources.record_declaration import KEY

_MOST_KEYS = 20  # in one note

# -- record tables ---------------------------------------------------------------------------------


def record_findings(
    session: Session,
    tables: Mapping[str, RecordTable],
    declared: Mapping[str, Table],
    lexicon: Lexicon,
) -> list[Finding]:
    """Broken references and duplicate keys in lists; invalid cells, missing cells and duplicate
    keys of scanned tables.

    The fields of other tables were checked when they were read.
    """
    findings: list[Finding] = []
    for table in tables.values():
        if isinstance(table, RowTable):
            findings += _fractions(table)
    for table, column in _references(tables):
        target = column.field.target
        findings += _broken_references(
            session, table, column, tables[target], declared[target].key or "id"
        )
    for table in tables.values():
        if isinstance(table, RowTable):
            findings += _duplicates_in_list(table)
        for column in table.columns:
            if column.field.unique:
                findings += _duplicate_values(session, table, column.name)
        if isinstance(table, ScanTable):
            findings += _without_rows_of_none(table, list(_invalid_cells(session, table, lexicon)))
            findings += _duplicate_keys(session, table, declared[table.name].key)
    return _one_duplicate_per_row(findings)


def unread_keys(
    counted: Mapping[str, Mapping[str, int]], declared: Mapping[str, Table]
) -> Iterator[Finding]:
    """Which keys `ignore` left out, and how often: a note for each table that has such keys."""
    for name, counts in counted.items():
        if counts:
            ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
            more = ["…"] if len(ordered) > _MOST_KEYS else []
            keys = [f"`{key}` ({count:,})" for key, count in ordered[:_MOST_KEYS]]
            params = {"table": name, "keys": ", ".join(keys + more)}
            yield Finding("LP208", declared[name].origin, params, Severity.INFO)


def _one_duplicate_per_row(findings: list[Finding]) -> list[Finding]:
    """A row that occurs twice duplicates each of its keys; the first of them is reported."""
    rows: set[Origin | None] = set()
    distinct = []
    for finding in sorted(findings, key=lambda finding: finding.params.get("key") != "id"):
        row = finding.where and Origin(finding.where.file, finding.where.line)
        if finding.code != "LP207" or row not in rows:
            distinct.append(finding)
        if finding.code == "LP207":
            rows.add(row)
    return distinct


def _duplicate(value: str, key: str, where: Origin, first: Origin) -> Finding:
    return Finding(
        "LP207", where, {"key": key, "value": value, "other": str(first)}, related=(first,)
    )


def _values(session: Session, table: RecordTable, name: str) -> list[tuple[int, str]]:
    """Record and value of every cell of a column that holds one."""
    if isinstance(table, RowTable):
        at = 2 + [column.name for column in table.columns].index(name)
        return [(row[0], row[at]) for row in table.rows if row[at] is not None]  # type: ignore[misc]  # numbers first, then texts
    cell = quote(name)
    return session.rows(
        f"SELECT _record, {cell} FROM {quote(table.name)} WHERE {cell} IS NOT NULL ORDER BY _record"
    )


def keys_of(session: Session, table: RecordTable, declared: Table) -> set[str]:
    """The ids of all records of a table."""
    return {value for _, value in _values(session, table, declared.key or "id")}


MOST_LABELS = 5_000  # records of a table, more of which no editor wants to choose from
_NAMES = ("name", "title", "label", "named", "bezeichnung", "titel")


def labels_of(
    session: Session, tables: Mapping[str, RecordTable], declared: Mapping[str, Table]
) -> dict[str, dict[str, str]]:
    """Of each table that others refer to: its keys in their order, each with a text that says what it
    is (empty where there is none). Tables with many records are left out.
    """
    labels = {}
    for name in sorted({column.field.target for _, column in _references(tables)} & tables.keys()):
        keys = dict(_values(session, tables[name], declared[name].key or "id"))
        if len(keys) > MOST_LABELS:
            continue
        column = _label_column(tables[name])
        texts = dict(_values(session, tables[name], column)) if column else {}
        labels[name] = {
            key: texts.get(record, "") for record, key in sorted(keys.items(), key=itemgetter(1))
        }
    return labels


def _label_column(table: RecordTable) -> str:
    """The column that names a record for people, empty where there is none."""
    names = [column.name for column in table.columns]
    for name in _NAMES:
        for column in names:
            if column == name or column.startswith(f"{name}_"):
                return column
    return ""


def _references(tables: Mapping[str, RecordTable]) -> Iterator[tuple[RecordTable, Column]]:
    """The columns that refer to records of another table."""
    for table in tables.values():
        for column in table.columns:
            if column.field.kind == "ref":
                yield table, column


def _broken_references(
    session: Session, table: RecordTable, column: Column, target: RecordTable, key: str
) -> Iterator[Finding]:
    if isinstance(table, RowTable) and isinstance(target, RowTable):
        # Both are in Python already; a query for each of many small tables would cost more than the
        # comparison.
        known = {value for _, value in _values(session, target, key)}
        broken = [
            (record, value)
            for record, value in _values(session, table, column.name)
            if value not in known
        ]
    else:
        name = quote(column.name)
        broken = session.rows(
            f"SELECT _record, {name} FROM {quote(table.name)} WHERE {name} IS NOT NULL "
            f"AND {name} NOT IN (SELECT {quote(key)} FROM {quote(target.name)} WHERE {quote(key)} IS NOT NULL) ORDER BY _record"
        )
    near = [value for _, value in _values(session, target, key)] if broken else []
    named = _keys_by_text(session, target, key) if broken else {}
    for record, value in broken:
        params = {
            "key": _label(column),
            "value": value,
            "table": target.name,
            "suggestion": named.get(value.casefold()) or nearest(value.casefold(), near),
        }
        yield Finding("LP206", table.locate(record, column.name), params)


_FRACTION = re.compile(r"[-+]?[0-9]+\.[0-9]*([eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+")


def _fractions(table: RowTable) -> Iterator[Finding]:
    """Whole numbers that are written with a fraction, such as `180.000` for 180,000: JSON Schema takes
    them for integers.
    """
    for at, column in enumerate(table.columns, 2):
        if column.field.kind == "value" and column.field.target == "integer":
            for row in table.rows:
                cell = row[at]
                if isinstance(cell, str) and _FRACTION.fullmatch(cell) and float(cell).is_integer():
                    where = table.locate(int(row[0] or 0), column.name)
                    params = wrong_type(column.name, "a whole number", cell)
                    yield Finding("LP203", where, params)


def _keys_by_text(session: Session, table: RecordTable, key: str) -> dict[str, str]:
    """The keys of the records by their texts: an editor may write the name of a record for its key."""
    names = [column.name for column in table.columns if column.field.target == "text"]
    if key in names or not names:
        return {}
    keys = dict(_values(session, table, key))
    texts: dict[str, str] = {}
    for name in names:
        for record, value in _values(session, table, name):
            if record in keys:
                texts.setdefault(value.casefold(), keys[record])
    return texts


def without_repetitions(findings: Sequence[Finding]) -> list[Finding]:
    """The findings without those that only say that a reference is not spelt as a key is (LP204), or
    is a number (LP203), where another says that there is no such record; those on the plausibility (LP220 to LP264)
    of values that are invalid; and those on texts that lack a language (LP228) whose key is empty (LP203).
    """
    invalid = {
        (finding.where.file, finding.where.line, finding.where.column)
        for finding in findings
        if finding.where and finding.code in _INVALID_VALUES
    }
    missing = {
        (finding.where, finding.params["value"])
        for finding in findings
        if finding.code in ("LP206", "LP537")
    }
    places = {where and (where.file, where.line, where.column) for where, _ in missing}

    empty = [
        (finding.where, finding.params["key"])
        for finding in findings
        if finding.where and finding.code == "LP203" and "." in finding.params["key"]
    ]

    wrong_keys = _keys_of_another_form(findings)

    def is_repetition(finding: Finding) -> bool:
        where = finding.where
        if finding.code == "LP206" and finding.params.get("suggestion") in wrong_keys:
            return True
        if finding.code == "LP228" and where:
            return any(_is_below(where, *place, finding.params["key"]) for place in empty)
        if finding.code == "LP203" and where:
            return (where.file, where.line, where.column) in places
        return finding.code == "LP204" and (where, finding.params.get("value")) in missing

    spelt = {
        (finding.where.file, finding.where.line, finding.where.column)
        for finding in findings
        if finding.where and finding.code in _OF_TEXTS
    }
    return [
        finding
        for finding in findings
        if not is_repetition(finding)
        and not _judges_one_of(finding, invalid)
        and not (finding.code == "LP238" and _judges_one_of(finding, spelt))
    ]


_FEW_LINES = 5  # of the languages of one text


def _is_below(above: Origin, where: Origin, path: str, key: str) -> bool:
    """Whether a place is that of a key of the text at another place."""
    is_near = above.file == where.file and 0 <= where.line - above.line <= _FEW_LINES
    return is_near and f".{path}".endswith(f".{key}")


def _keys_of_another_form(findings: Sequence[Finding]) -> set[str]:
    """Values of keys that are not as declared: a reference to the right key finds none."""
    return {
        finding.params["value"]
        for finding in findings
        if finding.code == "LP231" and finding.where and finding.params["key"] == "id"
    }


# What is wrong with a text by itself; that it contradicts another record follows.
_OF_TEXTS = ("LP220", "LP221", "LP222", "LP223", "LP224", "LP226", "LP246", "LP253", "LP261")
_INVALID_VALUES = ("LP203", "LP204", "LP205", "LP206")


def _judges_one_of(finding: Finding, places: Collection[tuple[str, int, int]]) -> bool:
    where = finding.where
    if where is None or not "LP220" <= finding.code <= "LP264":
        return False
    return (where.file, where.line, where.column) in places


def _label(column: Column) -> str:
    return column.name if column.path else column.field.target


def _invalid_cells(session: Session, table: ScanTable, lexicon: Lexicon) -> Iterator[Finding]:
    wrong = {
        column.name: f"NOT regexp_matches({quote(column.name)}, {text(pattern)})"
        for column in table.columns
        if (pattern := pattern_of(column.field, lexicon))
    }
    missing = {
        column.name: f"{quote(column.name)} IS NULL"
        for column in table.columns
        if column.field.required
    }

    def cells(
        condition: str, value: str = "''", end: str = "ORDER BY _record"
    ) -> list[tuple[int, str]]:
        return session.rows(
            f"SELECT _record, {value} FROM {quote(table.name)} WHERE {condition} {end}"
        )

    # Most tables are valid, which one scan for all columns shows.
    conditions = [*wrong.values(), *missing.values()]
    if not conditions or not cells(" OR ".join(conditions), end="LIMIT 1"):
        return
    for column in table.columns:
        if column.name in wrong:
            for record, value in cells(wrong[column.name], quote(column.name)):
                yield _invalid_cell(table.locate(record, column.name), column, value, lexicon)
        if column.name in missing:
            for record, _ in cells(missing[column.name]):
                yield Finding(
                    "LP202",
                    table.locate(record, column.name),
                    {"key": column.name, "table": table.name},
                )


_FEW_REQUIRED = 3  # cells that every record has; a row without fewer of them may be a record


def _without_rows_of_none(table: ScanTable, findings: list[Finding]) -> list[Finding]:
    """The findings; a row that has at most one of the cells that every record has is no record: one
    finding (LP254), as of totals, notes and empty rows of a spreadsheet.
    """
    required = sum(column.field.required for column in table.columns)
    rows: dict[tuple[str, int], list[Finding]] = {}
    for finding in findings:
        if finding.where:
            rows.setdefault((finding.where.file, finding.where.line), []).append(finding)
    left = []
    for (file, line), some in rows.items():
        lacking = [finding for finding in some if finding.code == "LP202"]
        if required < _FEW_REQUIRED or len(lacking) < required - 1:
            left += some
            continue
        keys = ", ".join(f"`{finding.params['key']}`" for finding in lacking)
        followers = tuple(replace(finding, caused_by="LP254") for finding in some)
        params = {"table": table.name, "keys": keys}
        left.append(Finding("LP254", Origin(file, line, 1), params, consequences=followers))
    return left


def _invalid_cell(where: Origin, column: Column, value: str, lexicon: Lexicon) -> Finding:
    if column.field.kind == "concept":
        allowed = lexicon.concepts[column.field.target]
        params = {
            "key": column.name,
            "value": value,
            "allowed": ", ".join(allowed),
            "suggestion": nearest(value, allowed),
        }
        return Finding("LP205", where, params)
    pattern = lexicon.patterns.get(column.field.target, "")
    params = {
        "key": column.name,
        "value": value,
        "expected": column.field.target,
        "pattern": pattern,
        "suggestion": other_spelling(value, pattern_of(column.field, lexicon) or pattern),
    }
    return Finding("LP204", where, params)


def _duplicates_in_list(table: RowTable) -> Iterator[Finding]:
    """Two items of one list with the same key: the field marked `key`, else `id`."""
    names = [column.name for column in table.columns]
    marked = [column.name for column in table.columns if column.field.key] or ["id"] * (
        "id" in names
    )
    if not marked or not table.rows or table.rows[0][1] is None:
        return
    at = 2 + names.index(marked[0])
    first: dict[tuple[object, object], int] = {}
    for row in table.rows:
        number, parent, value = int(row[0] or 0), row[1], row[at]
        if value is not None and first.setdefault((parent, value), number) != number:
            other = table.locate(first[parent, value], marked[0])
            yield _duplicate(str(value), marked[0], table.locate(number, marked[0]), other)


def repeated_items(session: Session, tables: Mapping[str, RecordTable]) -> Iterator[Finding]:
    """Texts that a plain list has twice (LP262): statements do not repeat."""
    for table in tables.values():
        column = next((column for column in table.columns if column.path == ()), None)
        if column is None or column.field.kind != "value":
            continue
        is_keyed = any(column.path[:1] == (KEY,) for column in table.columns)
        if is_keyed or "repeated" in column.field.plausible.allow:
            continue  # the values of different keys may be alike
        name = quote(column.name)
        rows = session.rows(
            f"SELECT _record, {name}, first FROM (SELECT _record, {name}, "
            f"min(_record) OVER (PARTITION BY _parent, {name}) AS first "
            f"FROM {quote(table.name)} WHERE {name} IS NOT NULL) WHERE _record <> first ORDER BY _record"
        )
        for record, value, first in rows:
            other = table.locate(first, column.name)
            params = {"value": value, "line": str(other.line)}
            where = table.locate(record, column.name)
            yield Finding("LP262", where, params, Severity.WARNING, related=(other,))


def _duplicate_values(session: Session, table: RecordTable, column: str) -> Iterator[Finding]:
    """Values of a `unique` field that an earlier record has already."""
    if isinstance(table, ScanTable):
        yield from _duplicate_keys(session, table, column)
        return
    first: dict[str, int] = {}
    for record, value in _values(session, table, column):
        if first.setdefault(value, record) != record:
            yield _duplicate(
                value, column, table.locate(record, column), table.locate(first[value], column)
            )


def _duplicate_keys(session: Session, table: ScanTable, key: str | None) -> Iterator[Finding]:
    if key is None:
        return
    name = quote(key)
    for record, value, first in session.rows(
        f"SELECT _record, {name}, first FROM (SELECT _record, {name}, min(_record) OVER (PARTITION BY {name}) AS first "
        f"FROM {quote(table.name)} WHERE {name} IS NOT NULL) WHERE _record <> first ORDER BY _record"
    ):
        yield _duplicate(value, key, table.locate(record, key), table.locate(first))


def unused_records(
    session: Session, tables: Mapping[str, RecordTable], declared: Mapping[str, Table]
) -> Iterator[Finding]:
    """Records that others are meant to refer to, and none does: a warning. A reference to itself
    does not count.
    """
    used: dict[str, set[str]] = {}
    for table, column in _references(tables):
        inward = table.name == column.field.target
        own = dict(_values(session, table, declared[table.name].key or "id")) if inward else {}
        references = (
            value
            for record, value in _values(session, table, column.name)
            if own.get(record) != value
        )
        used.setdefault(column.field.target, set()).update(references)
    for name, values in used.items():
        for record, value in _values(session, tables[name], declared[name].key or "id"):
            if value not in values:
                yield Finding(
                    "LP505",
                    tables[name].locate(record),
                    {"value": value, "table": name},
                    Severity.WARNING,
                )


def unused_fields(
    tables: Mapping[str, RecordTable], declared: Mapping[str, Table], mapping: MappingDocument
) -> Iterator[Finding]:
    """Fields that no query or rule of the mapping names: a warning, because their values are not
    published.
    """
    named: set[str] = set()
    for source in mapping.sources:
        named.update(re.findall(r"\w+", source.text))
    for triples_map in mapping.triples_maps.values():
        named.update(
            name for expression in expressions(triples_map) for name in expression.references
        )
    for table in tables.values():
        root = next(
            declared[name]
            for name in sorted(declared, key=len, reverse=True)
            if table.name == name or table.name.startswith(f"{name}_")
        )
        if table.name not in named:
            yield Finding(
                "LP507", root.origin, {"key": table.name, "table": root.name}, Severity.WARNING
            )
            continue
        for column in table.columns:
            if column.name not in named:
                yield Finding(
                    "LP507",
                    root.origin,
                    {"key": column.name, "table": table.name},
                    Severity.WARNING,
                )


# -- values on their way through the mapping -------------------------------------------------------


POLICIES = {"error": Severity.ERROR, "warn": Severity.WARNING, "skip": Severity.INFO}


def mapping_findings(
    failures: Iterable[Failure],
    locate: Callable[[int, str | None], Origin],
    policy: str = "error",
) -> list[Finding]:
    """The values of each rule from which no term can be made; where there are more than an engine
    gives, the first ones with their number.

    Their statements are left out; the policy (error, warn, skip) sets the severity.
    """
    findings = []
    for failure in failures:
        check, count = failure.check, failure.count
        total = {} if count <= len(failure.samples) else {"count": f"{count:,}"}
        for record, value in failure.samples:
            where = None if record is None else locate(record, check.column)
            params = {**check.params, "value": str(value), **total}
            severity = POLICIES[policy]
            findings.append(Finding(check.code, where, params, severity, mapping=check.origin))
    return _one_for_each_value(findings)


def _one_for_each_value(findings: list[Finding]) -> list[Finding]:
    """A value that several rules refuse for the same reason is reported once."""
    first: dict[tuple[str, Origin | None, str], Finding] = {}
    for finding in findings:
        first.setdefault((finding.code, finding.where, finding.params["value"]), finding)
    return [
        finding
        for finding in findings
        if not finding.where
        or first[finding.code, finding.where, finding.params["value"]] is finding
    ]


# -- vocabulary ------------------------------------------------------------------------------------


def vocabulary_findings(statements: Statements, vocabulary: Vocabulary) -> Iterator[Finding]:
    """Predicates, classes and datatypes that are in no term list, superseded, or of a vocabulary
    without a list.
    """
    # What neither a rule nor the ontology uses are terms of the program, for withdrawn IRIs.
    declared = {term for _, p, o, _ in vocabulary.triples for term in (p, o.rpartition("^^")[2])}
    for term, rule in statements.terms_used():
        if not term or (rule is None and term not in declared):
            continue
        where = statements.rules[rule].origin if rule is not None else Origin("ontology")
        finding = term_finding(term[1:-1], vocabulary, where)
        if finding:
            yield finding


def _other_scheme(iri: str, vocabulary: Vocabulary) -> str:
    """The IRI by https for one by http, or the other way round, if its vocabulary is known by that."""
    other = (
        iri.replace("http:", "https:", 1)
        if iri.startswith("http:")
        else iri.replace("https:", "http:", 1)
    )
    return other if any(other.startswith(namespace) for namespace in vocabulary.lists) else ""


def unsafe_links(statements: Statements) -> Iterator[Finding]:
    """Objects that a browser would run or open on its own machine, such as javascript: addresses."""
    sql = "SELECT DISTINCT s, p, o FROM statements WHERE regexp_matches(o, '^<(javascript|vbscript|data|file):', 'i') ORDER BY ALL LIMIT 100"
    for s, p, o in statements.session.rows(sql):
        yield Finding("LP306", statements.origin(s, p, o), {"value": o[1:-1][:80]})


# What XML 1.0 (2.2, Char) holds in no form, as canonical N-Triples has it; two backslashes are one,
# and begin no escape.
_NOT_IN_XML = re.compile(r"\\\\|(\\[bf]|\\u00(?:0[0-8BCEFbcef]|1[0-9A-Fa-f])|[\ufffe\uffff])")


def control_characters(statements: Statements, dumps: Sequence[str]) -> Iterator[Finding]:
    """Texts with a character that XML cannot hold, most often pasted from a word processor; an
    error where RDF/XML is among the dumps.
    """
    severity = Severity.ERROR if "rdf" in dumps else Severity.WARNING
    sql = (
        "SELECT DISTINCT s, p, o FROM statements WHERE starts_with(o, '\"') "
        "AND regexp_matches(o, '\\\\[bf]|\\\\u00[01]|[\\x{FFFE}\\x{FFFF}]') ORDER BY ALL"
    )
    for s, p, o in statements.session.rows(sql):
        if escape := next((match[1] for match in _NOT_IN_XML.finditer(o) if match[1]), ""):
            number = {"\\b": 8, "\\f": 12}.get(escape) or (
                ord(escape) if len(escape) == 1 else int(escape[2:], 16)
            )
            yield Finding(
                "LP320",
                statements.origin(s, p, o),
                {"character": f"U+{number:04X}", "value": o[:80]},
                severity,
            )


def term_finding(iri: str, vocabulary: Vocabulary, where: Origin) -> Finding | None:
    """What is wrong with a term, if anything: it must be declared in ontology/ or be in the list of
    its vocabulary.
    """
    if iri in vocabulary.own_terms or iri.startswith((RDF, RDFS)):
        return None
    if iri.startswith(XSD):
        if iri in PATTERNS or iri in LAX:
            return None
        name, types = iri.removeprefix(XSD), (known.removeprefix(XSD) for known in PATTERNS)
        params = {"term": f"xsd:{name}", "vocabulary": XSD, "suggestion": nearest(name, types)}
        return Finding("LP501", where, params)
    parts = re.match(r"(.*[/#])([^/#]*)$", iri)
    namespace, name = (parts[1], parts[2]) if parts else (iri, "")
    known = vocabulary.lists.get(namespace)
    if known is None:
        return Finding("LP503", where, {"term": iri, "suggestion": _other_scheme(iri, vocabulary)})
    if name not in known.terms:
        suggestion = nearest(name, sorted(known.terms))
        params = {
            "term": f"{known.prefix}:{name}",
            "vocabulary": known.namespace,
            "suggestion": suggestion,
        }
        return Finding("LP501", where, params)
    if name in known.deprecated:
        successor = known.deprecated[name]
        params = {
            "term": f"{known.prefix}:{name}",
            "successor": f"{known.prefix}:{successor}" if successor else "",
        }
        return Finding("LP502", where, params)
    return None
