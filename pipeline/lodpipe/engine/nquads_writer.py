"""N-Quads straight from a plan, without a statement table: sorted by sorting records, with doubles
removed only where there can be any.

A graph's sorted lines are ordered by subject first. Where each subject comes from one row, it is
enough to sort the rows by their subject and to write each row's statements in the order of their
predicates; rows are fewer and shorter than statements. Selects of which no subject prefix begins
another's are written one after the other. Only what remains is sorted and made distinct statement
by statement.

Example: two rules of a triples map with the subject `http://example.org/{id}`, where the ids in c0
are unique. The rows are sorted first, then each becomes one text of two lines:

    CREATE TABLE "work 2" AS SELECT iri_safe(c0) || '>' AS "⟨subject⟩", it.c0, it.c1 FROM (…) AS it
    ORDER BY "⟨subject⟩" SELECT concat(s, ' <http://schema.org/identifier> ', t0, ' .\n', s, '
    <http://schema.org/name> ', t1, ' .\n') FROM (SELECT '<http://example.org/' || "⟨subject⟩" AS s,
    nt_quote(c0) AS t0, nt_quote(c1) AS t1 FROM "work 2" AS it)

(abridged: a part of a line whose term is missing is NULL, which concat leaves out).
parallel_writer.py writes these texts.

Where there is a statement table, its lines are made in the same way: it is a source of sorted rows,
each of which makes one statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Literal

import pyoxigraph as ox
from msgspec import Struct
from msgspec.structs import replace

from lodpipe.diagnostics.finding import Origin
from lodpipe.engine.duckdb import Engine
from lodpipe.engine.page_cache import WriteBehind
from lodpipe.engine.parallel_writer import write_blocks
from lodpipe.engine.results import CANONICAL, OnStage, Output, Stage
from lodpipe.engine.sql_session import Session
from lodpipe.mapping.planning.plan import (
    Part,
    Plan,
    Select,
    Spelling,
    Term,
    is_constant,
    quote,
    text,
)

_MANY = 100_000  # rows from which on a look for repeated values pays
_HEAD = 20_000  # rows in which they are looked for
_MOST = 60_000  # values of a column that still count as repeated
_SAMPLE = (
    4096  # bytes in which the line of each block is sought that is parsed before it is written
)
_SUBJECT = '"⟨subject⟩"'  # a name that no source has
_STATEMENT = Select(
    name="statements",
    source="statements",
    record="record",
    subject=Term("s"),
    parts=((Term("p"), Term("o"), Term("g"), 0),),
    checks=(),
    origin=Origin(""),
    prefix="",
)  # the statement table as a source


def write_lines(engine: Engine, plan: Plan, path: Path, output: Output = CANONICAL) -> None:
    """Writes the statements of a plan as N-Quads or N-Triples, in canonical order or in any.

    `output.on_stage` is called when a part has come further, at its end with a share of 100.
    """
    arranger = _Arranger(engine, output.sort, output.graphs)
    with path.open("wb") as file:
        out = WriteBehind(file)
        for group in _groups(plan.selects):
            counter = _LineCounter(
                ", ".join(dict.fromkeys(select.name for select in group)), output.on_stage
            )
            arranged = arranger.arranged(group)
            write_blocks(
                engine.session,
                arranged.table,
                arranged.lines,
                out,
                counter.add if output.on_stage else None,
                _check_syntax,
            )
            counter.end()
            for table in arranged.work_tables:
                engine.relations.work_tables.drop(table)


def write_statements(
    session: Session, path: Path, *, graphs: bool, predicates: frozenset[str] | None = None
) -> None:
    """Writes the statement table as N-Quads, or the union of its graphs as N-Triples, in its order;
    statements of `predicates` alone, where they are given.

    A triple of several graphs is in rows that follow each other: for N-Triples all of them but the
    first are without a predicate, and so make no line.
    """
    conditions = []
    if not graphs:
        same = "(later.s, later.p, later.o) = (it.s, it.p, it.o)"
        session.rows(
            "CREATE OR REPLACE TABLE repeated AS SELECT later.rowid AS number FROM statements AS it "
            f"JOIN statements AS later ON later.rowid = it.rowid + 1 AND {same}"
        )
        conditions.append("rowid NOT IN (SELECT number FROM repeated)")
    if predicates is not None:
        conditions.append(f"p IN ({', '.join(map(text, sorted(predicates))) or 'NULL'})")
    source = "{}"
    if conditions:
        predicate = f"CASE WHEN {' AND '.join(conditions)} THEN p END AS p"
        source = f"(SELECT s, {predicate}, o, g FROM {{}})"
    with path.open("wb") as file:
        write_blocks(
            session,
            "statements",
            lambda rows: _row(_STATEMENT, graphs, "s", source.format(rows), {}),
            WriteBehind(file),
            check=_check_syntax,
        )


def _check_syntax(block: list[memoryview]) -> None:
    """Parses the first line of a block, so that a fault in how terms are made is found before a
    file leaves.

    Lines are valid by construction: constants are checked when a mapping is planned; values are
    escaped or encoded, or checked for each row. Raises RuntimeError for lines that are no N-Quads;
    IRIs are not checked, for rml:UnsafeIRI makes invalid ones where a mapping wants them.
    """
    for piece in block[:1]:
        line, end, _ = bytes(piece[:_SAMPLE]).partition(b"\n")
        try:
            for _ in ox.parse(
                line + end if end else b"", format=ox.RdfFormat.N_QUADS, lenient=True
            ):
                pass
        except SyntaxError as error:
            raise RuntimeError(f"a line that is no N-Quads was made: {error}") from None


class _LineCounter:
    """Counts the lines of a part of the file, and reports them."""

    def __init__(self, name: str, on_stage: OnStage | None) -> None:
        self.name, self.on_stage, self.lines = name, on_stage or (lambda _: None), 0

    def add(self, share: float, texts: list[memoryview]) -> None:
        """Adds the lines that were written, and reports the share of the rows that are done."""
        self.lines += sum(bytes(text).count(b"\n") for text in texts)
        self.on_stage(Stage(self.name, min(100 * share, 99), self.lines))

    def end(self) -> None:
        """All rows are done."""
        self.on_stage(Stage(self.name, 100.0, self.lines))


def _groups(selects: Sequence[Select]) -> Iterator[list[Select]]:
    """Selects that may make the same subjects, together; the groups in the order of their subjects."""
    ordered = sorted(
        (select for select in selects if select.parts), key=lambda select: select.prefix
    )
    group: list[Select] = []
    for select in ordered:
        # Sorted by prefix, a select that belongs to the group begins with the group's shortest
        # prefix, which is its first.
        if group and not select.prefix.startswith(group[0].prefix):
            yield group
            group = []
        group.append(select)
    if group:
        yield group


# -- tables whose rows are in the order of their lines ---------------------------------------------


class _Arranged(Struct, frozen=True):
    """A table whose rows are in the order of their lines; `lines` gives the SELECT that makes a
    text of lines from each row of such a relation.

    `work_tables` are to be dropped after it.
    """

    table: str
    lines: Callable[[str], str]
    work_tables: tuple[str, ...] = ()


class _Arranger:
    """Makes such a table for each group of selects. It reads relations, and creates work tables."""

    def __init__(self, engine: Engine, sort: bool, graphs: bool) -> None:
        self.session, self.relations, self.tables = (
            engine.session,
            engine.relations,
            engine.relations.work_tables,
        )
        self.sort, self.graphs = sort, graphs

    def arranged(self, group: list[Select]) -> _Arranged:
        """Rows are sorted before their terms are made, so that what is sorted is short."""
        if len(group) == 1:
            select, distinct = self._with_unique_subjects(group[0])
            if select is not None:
                arranged = self._rows(select)
                return replace(arranged, work_tables=(*arranged.work_tables, *distinct))
        union = " UNION ALL ".join(_statements(select, self.graphs) for select in group)
        order = " ORDER BY line" if self.sort else ""
        table = self.tables.create(
            f"SELECT DISTINCT line FROM ({union}) WHERE line IS NOT NULL{order}"
        )
        return _Arranged(
            table, lambda source: f"SELECT concat(line, chr(10)) FROM {source}", (table,)
        )

    def _with_unique_subjects(self, select: Select) -> tuple[Select | None, tuple[str, ...]]:
        """The select over a source of which each row makes a subject of its own, and the tables
        made for it; None where there is no such source.

        Rows without a subject are left out. Where many rows make the same few subjects, rows that
        are equal in all that the select reads are taken once.
        """
        if is_constant(select.subject.sql) or select.join:
            return None, ()
        rows, with_subject, subjects = self._count_subjects(select)
        if with_subject < rows:
            select = replace(
                select,
                source=f"(SELECT * FROM {select.source} WHERE {_subject(select)} IS NOT NULL)",
            )
        if with_subject == subjects:
            return select, ()
        columns = columns_read(select)
        if columns and with_subject > 2 * subjects:
            table = self.tables.create(f"SELECT DISTINCT {', '.join(columns)} FROM {select.source}")
            distinct = replace(select, source=table)
            _, with_subject, subjects = self._count_subjects(distinct)
            if with_subject == subjects:
                return distinct, (table,)
            self.tables.drop(table)
        return None, ()

    def _count_subjects(self, select: Select) -> tuple[int, int, int]:
        """How many rows there are, how many of them have a subject, and how many subjects they
        have.
        """
        counts = f"SELECT count(*), count(s), count(DISTINCT s) FROM (SELECT {_subject(select)} AS s FROM {select.source})"
        ((rows, with_subject, subjects),) = self.tables.answer(counts)
        return rows, with_subject, subjects

    def _rows(self, select: Select) -> _Arranged:
        """The rows as they come, or sorted by their subjects with what their terms need and no
        more.
        """
        repeated = self._repeated(select)
        known, dictionaries = (
            _looked_up(repeated),
            tuple(column.table for column in repeated.values()),
        )
        by_value, by_code = _joins(repeated, by="value"), _joins(repeated, by="code")
        tail = select.subject.spelling.tail
        is_in_order = not self.sort or self.relations.order_of(select.source) == tail
        if (
            is_in_order
            and quote("_record") not in columns_read(select)
            and (table := self.tables.table_of(select.source))
        ):
            return _Arranged(
                table,
                lambda source: _row(
                    select, self.graphs, select.subject.sql, source + by_value, known
                ),
                dictionaries,
            )
        read = [
            column
            for term in _terms(select)[1:]
            if term.spelling.core not in known
            for column in term.columns
        ]
        columns = "".join(
            [
                *(f", it.{column}" for column in dict.fromkeys(read)),
                *(f", {column.code}" for column in repeated.values()),
            ]
        )
        order = f" ORDER BY {_SUBJECT}" if self.sort else ""
        table = self.tables.create(
            f"SELECT {tail} AS {_SUBJECT}{columns} FROM {select.source}{by_value}{order}"
        )
        self._check_rows(select.source, table)
        subject = f"{text(select.subject.spelling.start)} || {_SUBJECT}"
        return _Arranged(
            table,
            lambda source: _row(select, self.graphs, subject, source + by_code, known),
            (table, *dictionaries),
        )

    def _check_rows(self, source: str, table: str) -> None:
        """Raises RuntimeError where a table does not have a row for each row of its source."""
        ((expected, rows),) = self.session.rows(
            f"SELECT (SELECT count(*) FROM {source}), (SELECT count(*) FROM {table})"
        )
        if expected != rows:
            raise RuntimeError(f"{expected:,} rows became {rows:,}")

    def _repeated(self, select: Select) -> dict[str, _Repeated]:
        """The columns of large sources that have the same values again and again, with their
        numbered values.
        """
        alone = list(
            dict.fromkeys(term.columns[0] for term in _terms(select)[1:] if len(term.columns) == 1)
        )
        ((rows,),) = self.tables.answer(f"SELECT count(*) FROM {select.source}")
        if not alone or rows < _MANY:
            return {}
        counts = ", ".join(f"count(DISTINCT {column})" for column in alone)
        (distinct,) = self.session.rows(
            f"SELECT {counts} FROM (SELECT {', '.join(alone)} FROM {select.source} LIMIT {_HEAD})"
        )
        repeated: dict[str, _Repeated] = {}
        for column, count in zip(alone, distinct, strict=True):
            if count * 20 <= _HEAD and (numbered := self._numbered(select, column, len(repeated))):
                repeated[column] = numbered
        return repeated

    def _numbered(self, select: Select, column: str, number: int) -> _Repeated | None:
        """The table of a column's values; None where there are too many."""
        cores = dict.fromkeys(
            term.spelling.core for term in _terms(select)[1:] if term.columns == (column,)
        )
        terms = {core: f'"⟨term {number} {place}⟩"' for place, core in enumerate(cores)}
        repeated = _Repeated("", column, number, terms)
        listed = "".join(f", {sql} AS {name}" for sql, name in terms.items())
        values = f"SELECT DISTINCT {column} FROM {select.source} WHERE {column} IS NOT NULL"
        code = f"CAST(row_number() OVER () AS UINTEGER) AS {repeated.code}"
        table = self.tables.create(
            f"SELECT {column} AS {repeated.value}, {code}{listed} FROM ({values})"
        )
        ((count,),) = self.session.rows(f"SELECT count(*) FROM {table}")
        if count <= _MOST:
            return replace(repeated, table=table)
        self.tables.drop(table)
        return None


# -- a text for each row ---------------------------------------------------------------------------


def _subject(select: Select) -> str:
    """What decides the subject of a row; a key alone does not where its value may make none."""
    is_proven = select.subject.spelling is select.subject.sound
    return select.key[0] if select.key and is_proven else select.subject.sql


def _terms(select: Select) -> list[Term]:
    """The terms of a select that differ from row to row, each once, the subject first."""
    terms = [select.subject, *(term for part in select.parts for term in part[:3])]
    return list({term.sql: term for term in terms if not is_constant(term.sql)}.values())


def columns_read(select: Select) -> list[str]:
    """The columns that the terms of a select read, each once."""
    return list(dict.fromkeys(column for term in _terms(select) for column in term.columns))


class _Repeated(Struct, frozen=True):
    """A table that numbers the values of a column with few different ones, with their terms: each
    is made once, not once a row.

    `terms` are the SQL of the terms' cores with the columns that have them.
    """

    table: str
    column: str
    number: int
    terms: dict[str, str]

    @property
    def value(self) -> str:
        """The column with the values."""
        return f'"⟨value {self.number}⟩"'

    @property
    def code(self) -> str:
        """The column with their numbers."""
        return f'"⟨code {self.number}⟩"'


def _joins(repeated: dict[str, _Repeated], by: Literal["value", "code"]) -> str:
    """The joins that add the terms of repeated values to a relation that has the values, or their
    numbers.
    """
    conditions = (
        (
            column.table,
            f"it.{column.column} = {column.table}.{column.value}"
            if by == "value"
            else f"it.{column.code} = {column.table}.{column.code}",
        )
        for column in repeated.values()
    )
    return " AS it" + "".join(
        f" LEFT JOIN {table} ON {condition}" for table, condition in conditions
    )


def _looked_up(repeated: dict[str, _Repeated]) -> dict[str, str]:
    """The terms of all repeated values, as SQL, and the columns that have them."""
    return {sql: name for column in repeated.values() for sql, name in column.terms.items()}


def _row(select: Select, graphs: bool, subject: str, source: str, known: dict[str, str]) -> str:
    """One text for each row: its lines in order. Lines of different predicates are in order by the
    order of the predicates.

    Each term is made once, in a layer of its own, or taken from the column that is `known` to have
    it; the text is joined in one go, for each join is a copy.
    """
    terms = _Names(known)
    pieces = ", ".join(
        piece for parts in _by_predicate(select) for piece in _block(parts, terms, graphs)
    )
    return f"SELECT concat({pieces}) FROM (SELECT {subject} AS s{terms.columns()} FROM {source})"


class _Names:
    """Short names for what is made once a row."""

    def __init__(self, known: dict[str, str]) -> None:
        self.known = known
        self.short: dict[str, str] = {}

    def of(self, term: Term) -> str:
        """A whole term: a constant or a name."""
        core = term.spelling.core
        return self._name(replace(term.spelling, core=self.known.get(core, core)).sql)

    def spelled(self, term: Term) -> Spelling:
        """A term in its parts, with a name as its core."""
        return (
            Spelling("", term.sql)
            if is_constant(term.sql)
            else replace(term.spelling, core=self._name(term.spelling.core))
        )

    def _name(self, sql: str) -> str:
        return (
            sql
            if is_constant(sql)
            else self.short.setdefault(self.known.get(sql, sql), f"t{len(self.short)}")
        )

    def columns(self) -> str:
        """All that is named, for a SELECT."""
        return "".join(f", {sql} AS {name}" for sql, name in self.short.items())


def _by_predicate(select: Select) -> Iterator[list[Part]]:
    """The parts of each predicate in order; all in one where a predicate is not known before the
    data.
    """
    if all(is_constant(part[0].sql) for part in select.parts):
        for _, parts in groupby(
            sorted(select.parts, key=lambda part: _plain(part[0].sql)), key=lambda part: part[0].sql
        ):
            yield list(parts)
    else:
        yield list(select.parts)


def _plain(constant: str) -> str:
    return constant[1:-1].replace("''", "'")


def _block(parts: list[Part], terms: _Names, graphs: bool) -> list[str]:
    """What makes the lines of one predicate, in order and without doubles, when it is joined; two
    are compared, more are sorted as a list.
    """
    parts = list(
        {
            (p.sql, o.sql, g.sql if graphs else ""): (p, o, g, rule) for p, o, g, rule in parts
        }.values()
    )
    if len(parts) == 1:
        return _pieces_of(parts[0], terms.spelled(parts[0][1]), terms, graphs)
    if len(parts) == 2 and _differ_in_object(parts[0], parts[1], graphs):
        first, second = terms.of(parts[0][1]), terms.of(parts[1][1])
        lower, higher = f"least({first}, {second})", f"greatest({first}, {second})"
        wholes = (Spelling("", lower), Spelling("", f"nullif({higher}, {lower})"))
        return [piece for whole in wholes for piece in _pieces_of(parts[0], whole, terms, graphs)]
    listed = ", ".join(_line(part, terms, graphs) for part in parts)
    return [
        f"nullif(array_to_string(list_sort(list_distinct([{listed}])), chr(10)), '') || chr(10)"
    ]


def _differ_in_object(first: Part, second: Part, graphs: bool) -> bool:
    """Whether two parts differ in their objects only."""
    return first[0].sql == second[0].sql and (first[2].sql == second[2].sql or not graphs)


def _pieces_of(part: Part, value: Spelling, terms: _Names, graphs: bool) -> list[str]:
    """The pieces of a line with this object; all of them NULL, which concat leaves out, where a
    term is missing.
    """
    predicate, graph = terms.of(part[0]), _graph(part, terms, graphs)
    pieces: list[str] = []
    for piece in (
        "s",
        *_between(predicate),
        text(value.start),
        value.core,
        text(value.end),
        *_end(graph),
        text("\n"),
    ):
        if pieces and is_constant(pieces[-1]) and is_constant(piece):
            pieces[-1] = text(_plain(pieces[-1]) + _plain(piece))
        else:
            pieces.append(piece)
    terms_of_row = [sql for sql in (predicate, value.core, graph) if not is_constant(sql)]
    exist = " AND ".join(f"{sql} IS NOT NULL" for sql in terms_of_row)
    return [
        piece if terms_of_row in ([], [piece]) else f"CASE WHEN {exist} THEN {piece} END"
        for piece in pieces
    ]


def _graph(part: Part, terms: _Names, graphs: bool) -> str:
    return terms.of(part[2]) if graphs else "''"


def _between(predicate: str) -> list[str]:
    """What is between subject and object."""
    return [text(f" {_plain(predicate)} ")] if is_constant(predicate) else ["' '", predicate, "' '"]


def _end(graph: str) -> list[str]:
    """What follows the object of a line."""
    if is_constant(graph):
        return [text(f" {_plain(graph)} ." if graph != "''" else " .")]
    return [f"CASE WHEN {graph} = '' THEN ' .' ELSE ' ' || {graph} || ' .' END"]


def _line(part: Part, terms: _Names, graphs: bool) -> str:
    """A whole line without its end; NULL where a term is missing."""
    return " || ".join(
        ["s", *_between(terms.of(part[0])), terms.of(part[1]), *_end(_graph(part, terms, graphs))]
    )


# -- a text for each statement ---------------------------------------------------------------------


def _statements(select: Select, graphs: bool) -> str:
    """One text for each statement of a select."""
    terms = _Names({})
    lines = ", ".join(dict.fromkeys(_line(part, terms, graphs) for part in select.parts))
    layer = f"SELECT {select.subject.sql} AS s{terms.columns()} FROM {select.source}"
    return f"SELECT unnest([{lines}]) AS line FROM ({layer}) WHERE s IS NOT NULL"
