"""N-Quads straight from a plan, without a statement table: sorted by sorting records, doubles sought only where there can be any.

A graph's sorted lines are ordered by subject first. Where each subject comes from one row, it is enough to sort the rows by their
subject and to write each row's statements in the order of their predicates; rows are fewer and shorter than statements. Selects of which
no subject prefix begins another's are written one after the other. Only what remains is sorted and made distinct statement by statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from pipeline.engine import Engine
from pipeline.plan import Part, Plan, Select, Term, is_constant, quote, text

_SOURCE = "{source}"  # stands for a range of a table
_PIECE = 24_000_000  # bytes of text that a core makes at a time
_SAMPLE = 2_000  # rows that tell how much text a row makes
_MANY = 100_000  # rows from which on a look for repeated values pays
_HEAD = 20_000  # rows in which they are looked for
_MOST = 60_000  # values of a column that still count as repeated


@dataclass(frozen=True)
class _Ordered:
    """A table whose rows are in the order of their lines, and the SELECT that makes a text of lines from each.

    `prepare` is what every connection has to do before that SELECT; `kept` are tables to be dropped after it.
    """

    table: str
    lines: str
    prepare: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stage:
    """How far a part of the file has come: the triples maps that make it, the share of their rows in per cent, the lines written."""

    name: str
    share: float
    lines: int


def write_lines(
    engine: Engine, plan: Plan, path: Path, *, sort: bool = True, graphs: bool = True, said: Callable[[Stage], None] | None = None
) -> None:
    """Writes the statements of a plan as N-Quads (or N-Triples without `graphs`) in canonical order, or in any order.

    `said` hears how far each part has come, at its end with a share of 100.
    """
    with path.open("wb") as out:
        for group in _groups(plan.selects):
            name, lines = ", ".join(dict.fromkeys(select.name for select in group)), 0
            for share, piece in _pieces(engine, _ordered(engine, group, sort, graphs)):
                out.write(piece)
                if said:
                    lines += bytes(piece).count(b"\n")
                    said(Stage(name, min(share, 99.0), lines))
            if said:
                said(Stage(name, 100.0, lines))


def _ordered(engine: Engine, group: list[Select], sort: bool, graphs: bool) -> _Ordered:
    """Rows are sorted before their terms are made, so that what is sorted is short."""
    if len(group) == 1:
        select, thinned = _thinned(engine, group[0])
        if select is not None:
            ordered = _rows(engine, select, sort, graphs)
            return replace(ordered, kept=(*ordered.kept, *thinned))
    union = " UNION ALL ".join(_statements(select, graphs) for select in group)
    order = " ORDER BY line" if sort else ""
    table = engine.kept(f"SELECT DISTINCT line FROM ({union}) WHERE line IS NOT NULL{order}")
    return _Ordered(table, f"SELECT concat(line, chr(10)) FROM {_SOURCE}", kept=(table,))


def _pieces(engine: Engine, ordered: _Ordered) -> Iterator[tuple[float, Any]]:
    """The lines of a table as UTF-8 bytes, made piece by piece by all cores, each with the share of rows that are done then."""
    ((rows,),) = engine.rows(f"SELECT count(*) FROM {ordered.table}")

    def lines(first: int, end: int) -> str:
        return ordered.lines.replace(_SOURCE, f"(SELECT * FROM {ordered.table} WHERE rowid >= {first} AND rowid < {end})")

    sample = sum(len(piece) for piece in engine.texts([lines(0, _SAMPLE)], ordered.prepare))
    step = max(_SAMPLE, _PIECE * min(rows, _SAMPLE) // max(sample, 1))
    pieces = engine.texts((lines(first, first + step) for first in range(0, rows, step)), ordered.prepare)
    for number, piece in enumerate(pieces, 1):
        yield 100 * min(number * step / rows, 1), piece
    for table in ordered.kept:
        engine.drop(table)


def _groups(selects: Sequence[Select]) -> Iterator[list[Select]]:
    """Selects whose subjects may meet, together; the groups in the order of their subjects."""
    ordered = sorted((select for select in selects if select.parts), key=lambda one: one.prefix)
    group: list[Select] = []
    for select in ordered:
        # Sorted by prefix, a select that meets the group begins with the group's shortest prefix, which is its first.
        if group and not select.prefix.startswith(group[0].prefix):
            yield group
            group = []
        group.append(select)
    if group:
        yield group


# -- a text for each row -----------------------------------------------------------------------------------------------


def _thinned(engine: Engine, select: Select) -> tuple[Select | None, tuple[str, ...]]:
    """The select over a source in which no two rows make the same subject, and the tables kept for it; None where that cannot be had.

    Where many rows make the same few subjects, rows that are alike in all that the select reads are taken once.
    """
    if is_constant(select.subject.sql) or " JOIN " in select.source:
        return None, ()
    rows, subjects = _subjects(engine, select)
    if rows == subjects:
        return select, ()
    columns = _columns(select)
    if columns and rows > 2 * subjects:
        table = engine.kept(f"SELECT DISTINCT {', '.join(columns)} FROM {select.source}")
        thinner = replace(select, source=table)
        rows, subjects = _subjects(engine, thinner)
        if rows == subjects:
            return thinner, (table,)
        engine.drop(table)
    return None, ()


def _subjects(engine: Engine, select: Select) -> tuple[int, int]:
    """How many rows have a subject, and how many subjects they have."""
    subject = ", ".join(select.key) or select.subject.sql
    ((rows, subjects),) = engine.rows(f"SELECT count(s), count(DISTINCT s) FROM (SELECT {subject} AS s FROM {select.source})")
    return rows, subjects


def _terms(select: Select) -> list[Term]:
    """The terms of a select that differ from row to row, each once, the subject first."""
    terms = [select.subject, *(term for part in select.parts for term in part[:3])]
    return list({term.sql: term for term in terms if not is_constant(term.sql)}.values())


def _columns(select: Select) -> list[str]:
    """The columns that the terms of a select read, each once."""
    return list(dict.fromkeys(column for term in _terms(select) for column in term.columns))


def _rows(engine: Engine, select: Select, sort: bool, graphs: bool) -> _Ordered:
    """The rows, sorted by their subjects or as they come, with what their terms need and no more."""
    repeated = _repeated(engine, select)
    table = None if sort or repeated or quote("_record") in _columns(select) else engine.table_of(select.source)
    if table is not None:
        return _Ordered(table, _row(select, graphs))
    read = [column for term in _terms(select) if not _looked_up(term, repeated) for column in term.columns]
    columns = ", ".join([*(f"it.{column}" for column in dict.fromkeys(read)), *(one.code for one in repeated.values())])
    joins = "".join(f" LEFT JOIN {one.table} ON it.{column} = {one.value}" for column, one in repeated.items())
    order = f" ORDER BY {select.subject.tail or select.subject.sql}" if sort else ""
    table = engine.kept(f"SELECT {columns} FROM {select.source} AS it{joins}{order}")
    names, prepare = _spellings(select, repeated)
    return _Ordered(table, _row(select, graphs, names), prepare, (table, *(one.table for one in repeated.values())))


def _spellings(select: Select, repeated: dict[str, _Repeated]) -> tuple[dict[str, str], tuple[str, ...]]:
    """How the terms of repeated values are looked up by the values' numbers, and what makes the lists that they are looked up in."""
    names, prepare = {}, []
    for number, term in enumerate(term for term in _terms(select) if _looked_up(term, repeated)):
        one = repeated[term.columns[0]]
        listed = f"SELECT list({term.sql} ORDER BY {one.code}) FROM (SELECT {one.value} AS {term.columns[0]}, {one.code} FROM {one.table})"
        prepare.append(f"SET VARIABLE spellings{number} = ({listed})")
        names[term.sql] = f"getvariable('spellings{number}')[{one.code}]"
    return names, tuple(prepare)


@dataclass(frozen=True)
class _Repeated:
    """A table that numbers the values of a column which holds few different ones: each of their terms is then made once, not once a row."""

    table: str
    number: int
    value: str = field(init=False)
    code: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", f'"value {self.number}"')
        object.__setattr__(self, "code", f'"code {self.number}"')


def _repeated(engine: Engine, select: Select) -> dict[str, _Repeated]:
    """The columns of large sources that hold the same values again and again, with their numbered values."""
    alone = list(dict.fromkeys(term.columns[0] for term in _terms(select)[1:] if len(term.columns) == 1))
    ((rows,),) = engine.rows(f"SELECT count(*) FROM {select.source}")
    if not alone or rows < _MANY:
        return {}
    counts = ", ".join(f"count(DISTINCT {column})" for column in alone)
    (distinct,) = engine.rows(f"SELECT {counts} FROM (SELECT {', '.join(alone)} FROM {select.source} LIMIT {_HEAD})")
    found: dict[str, _Repeated] = {}
    for column, count in zip(alone, distinct, strict=True):
        if count * 20 <= _HEAD and (one := _numbered(engine, select, column, len(found))):
            found[column] = one
    return found


def _numbered(engine: Engine, select: Select, column: str, number: int) -> _Repeated | None:
    values = f'SELECT DISTINCT {column} AS "value {number}" FROM {select.source} WHERE {column} IS NOT NULL'
    table = engine.kept(f'SELECT *, row_number() OVER () AS "code {number}" FROM ({values})')
    ((count,),) = engine.rows(f"SELECT count(*) FROM {table}")
    if count <= _MOST:
        return _Repeated(table, number)
    engine.drop(table)
    return None


def _looked_up(term: Term, repeated: dict[str, _Repeated]) -> bool:
    return len(term.columns) == 1 and term.columns[0] in repeated


def _row(select: Select, graphs: bool, names: dict[str, str] | None = None) -> str:
    """One text for each row: its lines in order. Lines of different predicates are in order by the order of the predicates.

    Each term is made once, in a layer of its own, or as `names` say; the text is joined in one go, for each join is a copy.
    """
    terms = _Names(names or {})
    pieces = ", ".join(piece for parts in _by_predicate(select) for piece in _block(parts, terms, graphs))
    layer = f"SELECT {select.subject.sql} AS s{terms.columns()} FROM {_SOURCE}"
    return f"SELECT concat({pieces}) AS lines FROM ({layer}) WHERE s IS NOT NULL"


class _Names:
    """Short names for the terms of a row that are no constants."""

    def __init__(self, made: dict[str, str]) -> None:
        self.made = made
        self.short: dict[str, str] = {}

    def of(self, term: Term) -> str:
        return term.sql if is_constant(term.sql) else self.short.setdefault(term.sql, f"t{len(self.short)}")

    def columns(self) -> str:
        return "".join(f", {self.made.get(sql, sql)} AS {name}" for sql, name in self.short.items())


def _by_predicate(select: Select) -> Iterator[list[Part]]:
    """The parts of each predicate in order; all in one where a predicate is not known before the data."""
    if all(is_constant(part[0].sql) for part in select.parts):
        for _, parts in groupby(sorted(select.parts, key=lambda part: _plain(part[0].sql)), key=lambda part: part[0].sql):
            yield list(parts)
    else:
        yield list(select.parts)


def _plain(constant: str) -> str:
    return constant[1:-1].replace("''", "'")


_Line = tuple[str, str, str]
"""Predicate, object and graph of a line as short names or constants."""


def _block(parts: list[Part], terms: _Names, graphs: bool) -> list[str]:
    """What makes the lines of one predicate, in order and without doubles, when it is joined; two are compared, more are sorted as a list."""
    lines = list(dict.fromkeys((terms.of(p), terms.of(o), terms.of(g) if graphs else "''") for p, o, g, _ in parts))
    if len(lines) == 1:
        return _pieces_of(lines[0], lines[0][1])
    if len(lines) == 2 and lines[0][::2] == lines[1][::2]:
        first, second = lines[0][1], lines[1][1]
        lower, higher = f"least({first}, {second})", f"greatest({first}, {second})"
        again = f"nullif({higher}, {lower})"
        return [*_pieces_of(lines[0], lower), *_pieces_of(lines[0], again)]
    listed = ", ".join(_line(line) for line in lines)
    return [f"nullif(array_to_string(list_sort(list_distinct([{listed}])), chr(10)), '') || chr(10)"]


def _pieces_of(line: _Line, value: str) -> list[str]:
    """The pieces of a line with this object; all of them NULL, which joining passes over, where a term is missing."""
    predicate, _, graph = line
    pieces: list[str] = []
    for piece in ("s", *_between(predicate), value, *_end(graph), text("\n")):
        if pieces and is_constant(pieces[-1]) and is_constant(piece):
            pieces[-1] = text(_plain(pieces[-1]) + _plain(piece))
        else:
            pieces.append(piece)
    missing = [one for one in (predicate, value, graph) if not is_constant(one)]
    there = " AND ".join(f"{one} IS NOT NULL" for one in missing)
    return [f"CASE WHEN {there} THEN {piece} END" if there and piece != value else piece for piece in pieces]


def _between(predicate: str) -> list[str]:
    """What stands between subject and object."""
    return [text(f" {_plain(predicate)} ")] if is_constant(predicate) else ["' '", predicate, "' '"]


def _end(graph: str) -> list[str]:
    """What follows the object of a line."""
    if is_constant(graph):
        return [text(f" {_plain(graph)} ." if graph != "''" else " .")]
    return [f"CASE WHEN {graph} = '' THEN ' .' ELSE ' ' || {graph} || ' .' END"]


def _line(line: _Line) -> str:
    """A whole line without its end; NULL where a term is missing."""
    predicate, value, graph = line
    return " || ".join(["s", *_between(predicate), value, *_end(graph)])


# -- a text for each statement -----------------------------------------------------------------------------------------


def _statements(select: Select, graphs: bool) -> str:
    """One text for each statement of a select."""
    terms = _Names({})
    lines = ", ".join(dict.fromkeys(_line((terms.of(p), terms.of(o), terms.of(g) if graphs else "''")) for p, o, g, _ in select.parts))
    layer = f"SELECT {select.subject.sql} AS s{terms.columns()} FROM {select.source}"
    return f"SELECT unnest([{lines}]) AS line FROM ({layer}) WHERE s IS NOT NULL"
