"""What source/records.yaml declares as plausible: ranges, forms, fields that agree, outliers.

All conditions on single records are one query, `SELECT number, _record, value FROM t WHERE …
UNION ALL …`, so that many declarations cost as much as few.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import NamedTuple

import _duckdb as duckdb

from lodpipe.checks.check_digits import has_right_digits
from lodpipe.checks.hygiene import excerpt, field_label
from lodpipe.checks.reference_cycles import cycle_findings
from lodpipe.diagnostics.finding import Finding, Origin, Severity
from lodpipe.engine.name_folding import words_of
from lodpipe.engine.sql_session import Session
from lodpipe.mapping.planning.plan import quote, text
from lodpipe.sources import Column, RecordTable, RowTable, ScanTable, Table
from lodpipe.sources.plausible_values import TODAY, Outliers, ValueRange

DATES = ("date", "partial-date")
NUMBERS = ("integer", "decimal")


class RecordSource(NamedTuple):
    """The record tables as the engine has them, and the key of each; `today` bounds dates, and
    `root` is the folder of the project.
    """

    session: Session
    tables: Mapping[str, RecordTable]
    declared: Mapping[str, Table]
    today: str
    root: Path

    def key(self, table: str) -> str:
        """The column that names the records of a table."""
        declared = self.declared.get(table)
        return (declared.key if declared else None) or "id"


class RecordCondition(NamedTuple):
    """A query for records that break a declaration: `_record`, the value, what was expected, and
    what that depends on, all as text.
    """

    code: str
    severity: Severity
    table: RecordTable
    column: Column
    where: str
    expected: str = "''"
    params: Mapping[str, str] = {}
    is_empty: bool = False  # whether the value is missing


def plausibility_findings(source: RecordSource) -> list[Finding]:
    """The values that are not as declared."""
    findings: list[Finding] = []
    conditions: list[RecordCondition] = []
    for table in source.tables.values():
        for column in table.columns:
            try:
                conditions += _conditions(source, table, column)
                conditions += _expected(table, column)
                findings += _compared(source, table, column)
                findings += _mistyped(source, table, column)
                if column.field.plausible.outliers:
                    findings += _outliers(source, table, column, column.field.plausible.outliers)
            except _UnknownPath as error:
                where = column.field.origin or Origin("source/records.yaml")
                findings.append(Finding("LP601", where, {"detail": str(error)}))
    findings += _broken(source.session, conditions)
    keys = {name: source.key(name) for name in source.declared}
    cycles = list(cycle_findings(source.session, source.tables, keys))
    findings = [*cycles, *(item for item in findings if not _is_of_cycle(item, cycles))]
    return [*_one_for_each_value(findings), *capitals(source)]


def _is_of_cycle(finding: Finding, cycles: list[Finding]) -> bool:
    """Whether a value is compared with one that a reference leads to which is part of a cycle."""
    path = finding.params.get("other", "")
    return any(
        path.startswith(f"{cycle.params['key']}.")
        for cycle in cycles
        for place in (cycle.where, *cycle.related)
        if place
        and finding.where
        and (place.file, place.line) == (finding.where.file, finding.where.line)
    )


def _one_for_each_value(findings: list[Finding]) -> Iterator[Finding]:
    """The most severe finding of each value: a number out of its range is no outlier as well."""
    reported: set[Origin | None] = set()
    for finding in sorted(findings, key=lambda finding: (-finding.severity, finding.code)):
        if finding.code == "LP601" or finding.where not in reported:
            reported.add(finding.where)
            yield finding


class _UnknownPath(Exception):
    """A declaration names a column that does not exist."""


def _beside(table: RecordTable, column: Column, name: str) -> str:
    """The column of a field beside another one. Raises _UnknownPath."""
    names = {item.name for item in table.columns}
    beside = "_".join((*column.path[:-1], *name.split(".")))
    for candidate in (beside, name.replace(".", "_")):
        if candidate in names:
            return candidate
    raise _UnknownPath(f"{table.name} has no column `{name}` beside `{column.name}`")


# -- one record ------------------------------------------------------------------------------------


def _conditions(
    source: RecordSource, table: RecordTable, column: Column
) -> Iterator[RecordCondition]:
    declared, name = column.field.plausible, quote(column.name)
    if declared.range:
        yield from _ranges(source, table, column, declared.range)
    if declared.format and declared.format.pattern:
        pattern = declared.format.pattern
        where = f"NOT regexp_matches({name}, {text(pattern)})"
        yield RecordCondition(
            "LP231", Severity.ERROR, table, column, where, params={"pattern": pattern}
        )
    if declared.format and declared.format.by:
        by = _beside(table, column, declared.format.by)
        for case, pattern in declared.format.patterns:
            where = f"{quote(by)} = {text(case)} AND NOT regexp_matches({name}, {text(pattern)})"
            params = {"pattern": pattern, "by": declared.format.by, "case": case}
            yield RecordCondition("LP231", Severity.ERROR, table, column, where, params=params)
    for field, form in declared.fits:
        other = quote(_beside(table, column, field))
        for case, pattern in form.patterns:
            where = f"regexp_full_match({name}, {text(case)}) AND NOT regexp_matches({other}, {text(pattern)})"
            params = {"other": field}
            yield RecordCondition(
                "LP237", Severity.WARNING, table, column, where, other, params=params
            )
    for field in declared.excludes:
        other = quote(_beside(table, column, field))
        where = f"{other} IS NOT NULL"
        yield RecordCondition(
            "LP236", Severity.ERROR, table, column, where, other, params={"other": field}
        )


def _expected(table: RecordTable, column: Column) -> Iterator[RecordCondition]:
    """Where values of other fields say that this one has a value (LP258)."""
    for field, values in column.field.plausible.expected_where:
        other = quote(_beside(table, column, field))
        where = f"{other} IN ({', '.join(map(text, values))})"
        yield RecordCondition(
            "LP258", Severity.WARNING, table, column, where, other, {"other": field}, is_empty=True
        )


def _ranges(
    source: RecordSource, table: RecordTable, column: Column, declared: ValueRange
) -> Iterator[RecordCondition]:
    by = _beside(table, column, declared.by) if declared.by else ""
    for case, bounds in declared.cases or (("", declared.bounds),):
        where = _outside(column, bounds, source.today)
        if where and by:
            where = f"({where}) AND {quote(by)} = {text(case)}"
        if where:
            params = _range_params(bounds, source.today)
            yield RecordCondition("LP230", Severity.ERROR, table, column, where, params=params)


def out_of_range(column: Column, today: str) -> str:
    """The SQL condition that a value of a column is out of its declared range; empty if it has
    none.
    """
    declared = column.field.plausible.range
    return _outside(column, declared.bounds, today) if declared else ""


def _outside(column: Column, bounds: tuple[str, str], today: str) -> str:
    """The condition that a value is outside of bounds; dates are compared in the precision that
    both have.
    """
    low, high = (today if bound == TODAY else bound for bound in bounds)
    name = quote(column.name)
    if column.field.target in DATES:

        def compared(sign: str, bound: str) -> str:
            length = f"least(length({name}), {len(bound)})"
            return f"left({name}, {length}) {sign} left({text(bound)}, {length})"

        condition = " OR ".join(
            compared(sign, bound) for sign, bound in (("<", low), (">", high)) if bound
        )
        if not condition:
            return ""
        return f"({condition}) AND regexp_full_match({name}, '[0-9]{{4}}(-[0-9]{{2}}){{0,2}}')"
    number = f"TRY_CAST({name} AS DOUBLE)"
    return " OR ".join(
        f"{number} {sign} {float(bound)!r}"
        for sign, bound in (("<", low), (">", high))
        if re.fullmatch(r"[-+]?[0-9]+(\.[0-9]+)?", bound)
    )


def _range_params(bounds: tuple[str, str], today: str) -> dict[str, str]:
    low, high = (f"{TODAY}, {today}" if bound == TODAY else bound for bound in bounds)
    if low and high:
        return {"range_en": f"{low} to {high}", "range_de": f"{low} bis {high}"}
    if low:
        return {"range_en": f"{low} or more", "range_de": f"{low} oder mehr"}
    return {"range_en": f"{high} at most", "range_de": f"höchstens {high}"}


def _broken(session: Session, conditions: list[RecordCondition]) -> Iterator[Finding]:
    if not conditions:
        return
    selects = (
        f"SELECT {number} AS n, _record, {quote(item.column.name)}::VARCHAR, ({item.expected})::VARCHAR FROM {quote(item.table.name)} "
        f"WHERE {quote(item.column.name)} IS {'' if item.is_empty else 'NOT '}NULL AND ({item.where})"
        for number, item in enumerate(conditions)
    )
    reported: set[tuple[str, int, str]] = set()
    wrong: set[tuple[str, int, str]] = set()  # cells with errors, which others do not contradict
    rows = session.rows(" UNION ALL ".join(selects) + " ORDER BY ALL")
    # Errors first: what contradicts a wrong value says no more.
    for number, record, value, expected in sorted(
        rows, key=lambda row: -conditions[row[0]].severity
    ):
        item = conditions[number]
        once = (item.code, record, item.column.name)
        if once in reported:
            continue
        reported.add(once)
        if item.severity is Severity.ERROR:
            wrong.add((item.table.name, record, item.column.name))
        if item.code == "LP237":
            other = _beside(item.table, item.column, item.params["other"])
            if (item.table.name, record, other) in wrong:
                continue
        params = {
            "key": field_label(item.column), "value": excerpt(value or ""), "expected": excerpt(expected or ""), **item.params,
        }  # fmt: skip
        where = item.table.locate(record, item.column.name)
        yield Finding(item.code, where, params, item.severity)


# -- values of other records -----------------------------------------------------------------------


class _Step(NamedTuple):
    """How far a path has been followed: the joins, and the alias and table it has reached."""

    joins: str
    alias: str
    table: RecordTable


def path_query(source: RecordSource, table: RecordTable, path: str, beside: tuple[str, ...]) -> str:
    """A query for `_record` and each value that a path leads to: fields joined by `.`, through
    references and lists.

    Raises _UnknownPath.
    """
    step = _Step(f"{quote(table.name)} AS t0", "t0", table)
    words = path.split(".")
    waiting: tuple[str, ...] = beside  # of a field in a map, the names above it
    for number, word in enumerate(words):
        waiting = (*waiting, word)
        name, last = "_".join(waiting), number == len(words) - 1
        column = next((item for item in step.table.columns if item.name == name), None)
        if column is not None and last:
            value = f"{step.alias}.{quote(name)}"
            return (
                f"SELECT t0._record, {value} AS value FROM {step.joins} WHERE {value} IS NOT NULL"
            )
        if column is not None and column.field.kind == "ref":
            step, waiting = _joined(source, step, name, column.field.target), ()
        elif f"{step.table.name}_{name}" in source.tables:
            step, waiting = _into_list(source, step, f"{step.table.name}_{name}"), ()
    raise _UnknownPath(f"`{path}` leads to no field of {table.name}")


def _joined(source: RecordSource, step: _Step, column: str, target: str) -> _Step:
    alias = f"{step.alias}x"
    key = quote(source.key(target))
    join = f" JOIN {quote(target)} AS {alias} ON {alias}.{key} = {step.alias}.{quote(column)}"
    return _Step(step.joins + join, alias, source.tables[target])


def _into_list(source: RecordSource, step: _Step, child: str) -> _Step:
    alias = f"{step.alias}x"
    join = f" JOIN {quote(child)} AS {alias} ON {alias}._parent = {step.alias}._record"
    return _Step(step.joins + join, alias, source.tables[child])


def _compared(source: RecordSource, table: RecordTable, column: Column) -> Iterator[Finding]:
    for kind, paths in column.field.plausible.comparisons:
        queries = []
        for path in paths:
            try:
                queries.append(path_query(source, table, path, column.path[:-1]))
            except _UnknownPath:
                queries.append(path_query(source, table, path, ()))
        joined = " UNION ALL ".join(queries)
        name = quote(column.name)
        is_later = kind == "at_most" and column.field.target in DATES
        condition = (_LATER if is_later else _DIFFERS[kind]).format(value=f"t.{name}")
        sql = (
            f"SELECT t._record, t.{name}, list(o.value) FROM {quote(table.name)} AS t JOIN ({joined}) AS o USING (_record) "
            f"WHERE t.{name} IS NOT NULL AND {condition} GROUP BY ALL ORDER BY t._record"
        )
        rows = _rows(source, sql)
        if kind == "agrees":
            rows = _unlike(rows)
        for record, value, others in rows:
            yield _contradiction(table, column, record, (kind, value, others[0], paths[0]))


Compared = tuple[int, str, list[str]]  # a record, its value, and those that it is compared with


def _unlike(rows: list[Compared]) -> list[Compared]:
    """The rows whose name is like none of the names that it should be like.

    A name of several records that is like none of theirs stands for all of them ("the towns"); one
    that is like the names of another record was most likely copied from there.
    """
    like = {value for _, value, others in rows if any(alike(value, name) for name in others)}
    uses = Counter(value for _, value, _ in rows)
    return [
        row
        for row in rows
        if not any(alike(row[1], name) for name in row[2]) and (row[1] in like or uses[row[1]] == 1)
    ]


def _rows(source: RecordSource, sql: str) -> list[Compared]:
    try:
        return source.session.rows(sql)
    except duckdb.Error as error:  # a path to a column that the engine knows by another type
        raise _UnknownPath(str(error).splitlines()[0]) from None


# What the engine compares itself; names are compared in Python, unless they are the same.
_DIFFERS = {
    "agrees": "true",
    "equals": "{value} <> o.value",
    "begins_with": "NOT starts_with({value}, o.value)",
    "at_most": "TRY_CAST({value} AS DOUBLE) > TRY_CAST(o.value AS DOUBLE)",
    "differs": "{value} = o.value",
}
# Dates are compared in the precision that both have.
_LATER = (
    "left({value}, least(length({value}), length(o.value))) "
    "> left(o.value, least(length({value}), length(o.value)))"
)
_CODES = {
    "agrees": "LP232", "equals": "LP233", "begins_with": "LP233", "at_most": "LP234", "differs": "LP247",
}  # fmt: skip


def _contradiction(
    table: RecordTable, column: Column, record: int, values: tuple[str, str, str, str]
) -> Finding:
    kind, value, expected, path = values
    params = {
        "key": field_label(column),
        "value": excerpt(value),
        "expected": excerpt(expected),
        "other": path,
    }
    severity = Severity.WARNING if kind in ("agrees", "differs") else Severity.ERROR
    is_date = kind == "at_most" and column.field.target in DATES
    return Finding(
        "LP264" if is_date else _CODES[kind], table.locate(record, column.name), params, severity
    )


_LEAST_RATIO = 0.8  # of letters that two spellings of a word have in common


def alike(name: str, other: str) -> bool:
    """Whether two texts may be names of the same thing: all words of one are in the other, or half
    of their words are the same or nearly so.

    >>> alike("Gemeinde Großpösna", "Gemeinde Grosspoesna"), alike("Stadt Leipzig", "Stadt Naunhof")
    (True, False)
    >>> alike("Bremen", "Stadt Bremen"), alike("KGSt", "Kommunale Gemeinschaftsstelle")
    (True, True)
    """
    if name == other:
        return True
    first, second = words_of(name), words_of(other)
    if not first or not second or first == second:
        return True
    shorter, longer = sorted((first, second), key=len)
    if set(shorter) <= set(longer) or "".join(first) == "".join(second):
        return True
    if _is_initials(shorter, longer):
        return True
    pairs = [bool(get_close_matches(word, longer, 1, _LEAST_RATIO)) for word in shorter]
    long_words = [at for at, word in enumerate(shorter) if len(word) > 3]
    # The last long word of a short name is what distinguishes it: Stadt Leipzig, Stadt Naunhof.
    if len(shorter) <= 3 and long_words and not pairs[long_words[-1]]:
        return False
    return 2 * sum(pairs) > len(shorter)


def _is_initials(short: list[str], long: list[str]) -> bool:
    """Whether a name is made of the first letters of another: KGSt, GmbH apart."""
    if len(short) != 1 or not 2 <= len(short[0]) <= 8:
        return False
    letters = iter("".join(long))
    starts = short[0][0] == long[0][0]
    return starts and all(letter in letters for letter in short[0])


# -- check digits ----------------------------------------------------------------------------------


def _mistyped(source: RecordSource, table: RecordTable, column: Column) -> Iterator[Finding]:
    """Identifiers whose check digits do not fit."""
    if not (algorithm := column.field.plausible.check_digits):
        return
    name = quote(column.name)
    sql = (
        f"SELECT _record, {name} FROM {quote(table.name)} WHERE {name} IS NOT NULL ORDER BY _record"
    )
    for record, value in source.session.stream(sql):
        if not has_right_digits(value, algorithm):
            params = {"key": field_label(column), "value": excerpt(value), "algorithm": algorithm}
            yield Finding("LP260", table.locate(record, column.name), params)


# -- outliers --------------------------------------------------------------------------------------

_FEWEST_VALUES = 8
_FARTHEST = 6.0  # robust standard deviations of the logarithm
_LEAST_FACTOR = 8.0  # times the median: digits, not differences


def _outliers(
    source: RecordSource, table: RecordTable, column: Column, declared: Outliers
) -> Iterator[Finding]:
    """Values that are far from the median of their group, in robust deviations (median absolute
    deviation, Iglewicz and Hoaglin 1993) of their logarithms.
    """
    by = [quote(_beside(table, column, name)) for name in declared.by]
    per = quote(_beside(table, column, declared.per)) if declared.per else "1"
    groups = f"PARTITION BY {', '.join(by)}" if by else ""
    case = f"concat_ws(', ', {', '.join(by)})" if by else "''"
    name = quote(column.name)
    group_columns = "".join(f", {column}" for column in by)
    sql = (
        f"WITH n AS (SELECT _record, {name} AS value, {case} AS g{group_columns}, "
        f"TRY_CAST({name} AS DOUBLE) / TRY_CAST({per} AS DOUBLE) AS x FROM {quote(table.name)}), "
        "p AS (SELECT *, ln(x) AS l FROM n WHERE x > 0), "
        f"m AS (SELECT *, median(l) OVER ({groups}) AS mid, count(*) OVER ({groups}) AS number "
        "FROM p), "
        f"d AS (SELECT *, median(abs(l - mid)) OVER ({groups}) AS spread FROM m) "
        f"SELECT _record, value, g, exp(mid) FROM d WHERE number >= {_FEWEST_VALUES} AND "
        f"abs(l - mid) > greatest({_FARTHEST} * 1.4826 * spread, ln({_LEAST_FACTOR})) "
        "ORDER BY _record"
    )
    for record, value, group, middle in source.session.rows(sql):
        params = {
            "key": field_label(column), "value": value, "expected": f"{middle:.4g}", "by": ", ".join(declared.by), "case": group, "per": declared.per,
        }  # fmt: skip
        yield Finding("LP235", table.locate(record, column.name), params, Severity.WARNING)


# -- how values are written ------------------------------------------------------------------------


_YAML_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # as YAML readers count lines
_CAPITALS = re.compile(r"\b(?:True|TRUE|False|FALSE)\b")


def capitals(source: RecordSource) -> Iterator[Finding]:
    """`True` and `FALSE`, which not every reader of YAML takes for truth values: warnings."""
    tables = [
        (table, columns)
        for table in source.tables.values() if isinstance(table, RowTable)
        if (columns := [column for column in table.columns if column.field.target == "boolean"])
    ]  # fmt: skip
    files = {
        file for table, _ in tables for file, _ in table.lines if file.endswith((".yaml", ".yml"))
    }
    words = {file: places for file in sorted(files) if (places := _capitals(source.root / file))}
    for table, columns in tables if words else ():
        for row, (file, _) in zip(table.rows, table.lines, strict=True):
            for column in columns if file in words else ():
                where = table.locate(int(row[0] or 0), column.name)
                if value := words[file].get((where.line, where.column)):
                    params = {
                        "key": field_label(column),
                        "value": value,
                        "suggestion": value.lower(),
                    }
                    yield Finding("LP240", where, params, Severity.WARNING)


def _capitals(path: Path) -> dict[tuple[int, int], str]:
    """The words in capitals that stand for truth values, by line and column."""
    return {
        (number, match.start() + 1): match[0]
        for number, line in enumerate(_YAML_BREAK.split(path.read_bytes().decode("utf-8-sig")), 1)
        for match in _CAPITALS.finditer(line)
    }


# A quoted cell, or a quote that is none: at its beginning, or before something else than its end.
_QUOTED = re.compile(rb'(?:(?<=[,\n\r])|\A)"[^"]*(?:""[^"]*)*"(?=[,\r\n]|\Z)|"')
_MARK = b"\xef\xbb\xbf"


def stray_quotes(tables: Mapping[str, RecordTable]) -> Iterator[Finding]:
    """Quotes inside cells of CSV that are not quoted, once for each line: warnings."""
    for table in tables.values():
        if isinstance(table, ScanTable):
            for file in table.files:
                if file.path.suffix == ".csv" and file.path.stat().st_size:
                    yield from _stray_quotes_in(file.name, file.path)


def _stray_quotes_in(name: str, path: Path) -> Iterator[Finding]:
    """Looks at the bytes where the system has them: a file may be larger than the memory."""
    line, at, last = 1, 0, 0
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        begin_of_text = len(_MARK) if content[: len(_MARK)] == _MARK else 0
        for match in _QUOTED.finditer(content):
            if match.end() - match.start() > 1 or match.start() == begin_of_text > 0:
                continue
            line += content[at : match.start()].count(b"\n")
            at = match.start()
            if line == last:
                continue
            last = line
            begin = content.rfind(b"\n", 0, at) + 1
            end = content.find(b"\n", at)
            row = content[begin : end if end >= 0 else len(content)].decode("utf-8-sig", "replace")
            column = len(content[begin:at].decode("utf-8-sig", "replace"))
            value = excerpt(row[max(0, column - 20) : column + 20].strip())
            where = Origin(name, line, column + 1)
            yield Finding("LP239", where, {"value": value}, Severity.WARNING)


def day_of_check(release: str) -> str:
    """Today, at least the day of the release: a machine whose clock is wrong finds no dates of the
    future before it.
    """
    return max(date.today().isoformat(), release)
