"""Logical views (RML-LV) as relations: SQL over the relations of what they are over.

The view of a JSON file over `$.people[*]` with the field `name` and the records `item` in
`$.items[*]`, of which `item.type` is needed:

    SELECT _record, "v name" AS "c0", …, "v item.type" AS "c1", …
    FROM (SELECT *, marked_text(json_extract("d item", '$."type"'), …) AS "v item.type", …
      FROM (SELECT *, unnest("l item") AS "v item", …, unnest(range(len("l item"))) AS "n item"
        FROM (SELECT *, "c0" AS "v name", "c1" AS "l item" FROM "work 1")))

A record without an item keeps a row, in which the keys of `item` are NULL: statements about its
name are not lost. Rows of lists and of documents become a table, so that they are made once. Joins
are SQL joins of such relations, which nothing stores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from lodpipe.diagnostics.finding import Finding, Severity
from lodpipe.mapping.model import (
    Annotation,
    Field,
    LogicalSource,
    MappingDocument,
    View,
    ViewJoin,
)
from lodpipe.mapping.planning.plan import (
    Check,
    Relation,
    Sources,
    ViewSources,
    numbered,
    quote,
)
from lodpipe.mapping.planning.view_sql import (
    Cell,
    CellReader,
    CsvCells,
    JsonCells,
    RelationCells,
    XmlCells,
    csv_cells,
    csv_records,
    document_of,
    evaluated,
    has_doubled_member,
    is_csv,
)
from lodpipe.mapping.view_keys import (
    add_demand,
    below,
    is_needed,
    own_keys,
    parent_keys,
    place_of,
    position_is_needed,
    records_in,
    references,
    takes_part,
)
from lodpipe.sources.xpath import RecordPath

_LONGEST = 80  # signs of a value in a finding


class ViewCompiler:
    """Makes the relations of a mapping's views over its sources.

    `wanted` gives all references that are made to a source below them; a `light` one looks for no
    repeated rows, since there are few.
    """

    def __init__(
        self,
        document: MappingDocument,
        sources: Sources,
        wanted: Callable[[LogicalSource], tuple[str, ...]],
        *,
        light: bool,
    ) -> None:
        self._sources, self._wanted, self.light = sources, wanted, light
        self._named = {source.text: source for source in document.views}
        self._rows: dict[tuple[LogicalSource, tuple[str, ...]], Relation] = {}
        self._relations: dict[tuple[LogicalSource, tuple[str, ...]], Relation] = {}
        self._findings: dict[LogicalSource, tuple[Finding, ...]] = {}

    @property
    def sources(self) -> ViewSources:
        """The engine that the rows of views are made on."""
        return self._sources.for_views

    def demand(
        self, wanted: dict[LogicalSource, dict[str, None]]
    ) -> dict[LogicalSource, dict[str, None]]:
        """The same with the references that views make to the sources below them."""
        for source, keys in list(wanted.items()):
            if source.view is not None:
                add_demand(wanted, source, keys)
                for annotation in source.view.annotations:
                    if (target := self._named.get(annotation.target or "")) is not None:
                        add_demand(wanted, target, annotation.target_fields)
        return wanted

    def relation(
        self, source: LogicalSource, keys: Sequence[str], *, numbers: bool = False
    ) -> Relation:
        """The relation of a view for these keys, as plans read it. With `numbers`, no two rows have
        one number: they are those of all keys.
        """
        assert source.view is not None
        call = (source, ("numbers",) if numbers else tuple(keys))
        if call not in self._relations:
            relation = self.rows_of(source, source.view.keys if numbers else tuple(keys))
            if numbers:
                relation = self._numbered(relation)
            notes = (note for view in _views_in(source) for note in self._annotation_findings(view))
            relation = replace(relation, findings=(*relation.findings, *notes))
            self._relations[call] = self._sources.adopt(relation)
        return self._relations[call]

    def rows_of(self, source: LogicalSource, keys: tuple[str, ...]) -> Relation:
        """The relation of a source for references to it, made at the first call."""
        if source.view is None:
            return self.sources.relate(source, self._wanted(source))
        keys = tuple(key for key in source.view.keys if key in keys)
        if (source, keys) not in self._rows:
            self._rows[source, keys] = ViewRows(self, source.view, keys).relation()
        return self._rows[source, keys]

    def _numbered(self, relation: Relation) -> Relation:
        """The relation with a number for each row, in the order of its records, for nodes that
        stand for a row; one without records gets numbers with others of its kind.
        """
        if not relation.has_record:
            return relation
        columns = ", ".join(['"_record"', *map(quote, relation.names.values())])
        sql = f"SELECT * FROM {relation.sql} ORDER BY {columns}"
        return replace(relation, sql=self.sources.number_rows(sql))

    # -- structural annotations --------------------------------------------------------------------

    def is_unique(self, source: LogicalSource, keys: Iterable[str]) -> bool:
        """Whether no two rows of a view have the same values of some keys, by its annotations."""
        assert source.view is not None
        keys = set(keys)
        return any(
            annotation.kind in ("primary key", "unique") and keys.issuperset(annotation.fields)
            for annotation in source.view.annotations
        )

    def _annotation_findings(self, source: LogicalSource) -> tuple[Finding, ...]:
        """A finding for each annotation of a view that its rows do not have."""
        if source not in self._findings:
            assert source.view is not None
            findings = (self._annotation_finding(source, a) for a in source.view.annotations)
            self._findings[source] = tuple(finding for finding in findings if finding)
        return self._findings[source]

    def _annotation_finding(self, source: LogicalSource, annotation: Annotation) -> Finding | None:
        relation = self.rows_of(source, annotation.fields)
        columns = [quote(relation.column(name)) for name in annotation.fields]
        sql = self._counterexample(annotation, relation, columns)
        for record, value in self.sources.rows(sql) if sql else []:
            origin = annotation.origin
            params = {
                "fields": ", ".join(annotation.fields),
                "annotation": annotation.kind,
                "value": str(value)[:_LONGEST],
                "mapping": f"{origin.file}:{origin.line}",
            }
            place = origin if record is None else self.sources.locate(record)
            return Finding("LP316", place, params, Severity.WARNING)
        return None

    def _counterexample(
        self, annotation: Annotation, relation: Relation, columns: list[str]
    ) -> str | None:
        """The query for a record that is not as an annotation has it, and its values; None where
        nothing depends on that.
        """
        record = 'min("_record")' if relation.has_record else "CAST(NULL AS BIGINT)"
        texts = (f"coalesce({column}, 'NULL')" for column in columns)
        values = f"concat_ws(', ', {', '.join(texts)})"
        nulls = " OR ".join(f"{column} IS NULL" for column in columns)
        listed = ", ".join(columns)
        selected = f"SELECT {record}, {values} FROM {relation.sql} AS c"
        grouped = f"GROUP BY {listed} ORDER BY 1 LIMIT 1"
        if annotation.kind == "not null":
            return f"{selected} WHERE {nulls} {grouped}"
        if annotation.kind == "unique":
            return f"{selected} WHERE NOT ({nulls}) GROUP BY {listed} HAVING count(*) > 1 ORDER BY 1 LIMIT 1"
        if annotation.kind == "primary key":
            return f"{selected} GROUP BY {listed} HAVING count(*) > 1 OR {nulls} ORDER BY 1 LIMIT 1"
        target = self._named.get(annotation.target or "")
        if target is None:  # IRI-safe values are encoded all the same
            return None
        other = self.rows_of(target, annotation.target_fields)
        pairs = zip(columns, annotation.target_fields, strict=True)
        matches = " AND ".join(f"c.{a} = p.{quote(other.column(b))}" for a, b in pairs)
        exists = f"EXISTS (SELECT 1 FROM {other.sql} AS p WHERE {matches})"
        return f"{selected} WHERE NOT ({nulls}) AND NOT {exists} {grouped}"


class ViewRows:
    """The rows of one view for some keys, from the source to the joins.

    A field has the columns "v name" (value), "k name" (its type) and "n name" (its position); a
    record has "d name" (its document), and "x name" is what cannot be read as one.
    """

    def __init__(self, compiler: ViewCompiler, view: View, keys: tuple[str, ...]) -> None:
        self.compiler, self.view, self.keys = compiler, view, keys
        self.own_keys = own_keys(view, keys)
        self.base = compiler.rows_of(view.on, below(view, self.own_keys))
        self.nulls = view.on.below[0].nulls  # those of its file
        self.sql = self.base.sql
        self.is_stored = True  # its rows are cheap to make again
        self.cells: dict[str, Cell] = {}
        self.columns: dict[str, tuple[str, ...]] = {}  # of each key
        self.guards: dict[str, str] = {}
        self.wrong: list[tuple[str, Check]] = [(check.value, check) for check in self.base.checks]
        self.findings = list(self.base.findings)

    def relation(self) -> Relation:
        """The relation with a column for each key."""
        if "#" in self.own_keys:
            self._add_position()
        self._add_fields(self.view.fields, RelationCells(self.base), "", root=True)
        for number, join in enumerate(self.view.joins):
            if takes_part(join, self.keys):
                self._add_join(join, f"join {number} ")
        names = numbered(self.keys)
        typed = any(self.cells[key].kind for key in self.keys)
        columns = ['"_record"'] if self.base.has_record else []
        for key, name in names.items():
            cell = self.cells[key]
            columns.append(f"{cell.text} AS {quote(name)}")
            columns += [f"{_kind_of(cell)} AS {quote(name + ' type')}"] if typed else []
        expected, guards = self._expected()
        checks, wrong = self._checks()
        sql = (
            f"SELECT {', '.join([*columns, *guards, *wrong]) or 'NULL AS nothing'} FROM {self.sql}"
        )
        relation = Relation(
            f"({sql})" if self.is_stored else self.compiler.sources.make_rows(sql),
            self.view.keys,
            self.base.has_record,
            typed,
            names=names,
            checks=checks,
            expected=expected,
        )
        return replace(relation, findings=(*self.findings, *self._unfollowed(relation)))

    def _expected(self) -> tuple[dict[str, str], list[str]]:
        """Where rows have a value for a key, if not everywhere, and the columns for it."""
        guards = {key: self.guards[key] for key in self.keys if key in self.guards}
        columns = dict.fromkeys(guard for guard in guards.values() if guard)
        names = {column: quote(f"guard {number}") for number, column in enumerate(columns)}
        expected = {
            key: f"{names[guard]} IS NOT NULL" if guard else "false"
            for key, guard in guards.items()
        }
        return expected, [f"{column} AS {name}" for column, name in names.items()]

    def _checks(self) -> tuple[tuple[Check, ...], list[str]]:
        """The checks on the rows, and the columns for them."""
        names = [quote(f"wrong {number}") for number in range(len(self.wrong))]
        checks = tuple(
            replace(check, problem=f"{name} IS NOT NULL", value=name)
            for name, (_, check) in zip(names, self.wrong, strict=True)
        )
        columns = [f"{own} AS {name}" for name, (own, _) in zip(names, self.wrong, strict=True)]
        return checks, columns

    def _add_position(self) -> None:
        """The position of each row among those of the source."""
        self._add({'"n #"': self._position()})
        self._set("#", _position_cell('"n #"'), '"n #"')

    def _set(self, key: str, cell: Cell, *columns: str, guard: str | None = None) -> None:
        """The value of a key, the columns that it is made of, and the column that is NULL in rows
        which have none; empty where no rows have to have it.
        """
        self.cells[key], self.columns[key] = cell, columns
        if guard is not None:
            self.guards[key] = guard

    def _position(self) -> str:
        if self.view.on.view is not None:
            return f"row_number() OVER ({_order(self.base)}) - 1"
        if not self.base.has_record:
            return "row_number() OVER () - 1"
        extent = 'min("_record"), max("_record"), count(DISTINCT "_record"), count(*)'
        ((first, last, records, rows),) = self.compiler.sources.rows(
            f"SELECT {extent} FROM {self.base.sql}"
        )
        if not rows or last - first + 1 == records == rows:
            return f'"_record" - {first or 0}'
        return 'row_number() OVER (ORDER BY "_record") - 1'

    # -- fields ------------------------------------------------------------------------------------

    def _add_fields(
        self, fields: Iterable[Field], reader: CellReader, guard: str, *, root: bool = False
    ) -> None:
        """The columns of the fields that are needed; `guard` is NULL in rows without the record
        that they are in.
        """
        for field in fields:
            if not is_needed(field, self.own_keys):
                continue
            if field.expression is None:
                self._add_records(field, reader)
                continue
            self._add_values(field, reader, guard, root=root)
            for inner in field.fields:
                if is_needed(inner, self.own_keys):
                    self._add_embedded(inner, self.cells[field.name])

    def _add_values(self, field: Field, reader: CellReader, guard: str, *, root: bool) -> None:
        """The value of an expression field, or a row for each of its values."""
        assert field.expression is not None
        value, kind, place = _columns(field.name)
        cell = evaluated(field.expression, reader)
        values = {value: cell.text} | ({kind: cell.kind} if cell.kind else {})
        if cell.many:
            self._unnest(values, place)
        else:
            self._add({**values, place: f"CASE WHEN {cell.text} IS NOT NULL THEN 0 END"})
        is_required = root and not cell.many and not self._is_optional(field)
        own_guard = None if is_required else "" if cell.many or root else guard
        self._set(field.name, Cell(value, kind if cell.kind else None), *values, guard=own_guard)
        self._set(f"{field.name}.#", _position_cell(place), place, guard="")
        if root:
            self._note_absent(field)

    def _is_optional(self, field: Field) -> bool:
        """Whether the source, which is a view, has rows without a value of a field."""
        assert field.expression is not None
        return any(name in self.base.expected for name in field.expression.references)

    def _note_absent(self, field: Field) -> None:
        """References that no record of the source follows."""
        assert field.expression is not None
        for name in field.expression.references:
            if name in self.base.absent:
                self._note(field, name, self.base.absent[name])

    def _note(self, field: Field, key: str, suggestion: str) -> None:
        params = {"key": key, "suggestion": suggestion}
        self.findings.append(Finding("LP308", field.origin, params, Severity.WARNING))

    def _add_records(self, field: Field, reader: CellReader) -> None:
        """A row for each record of an iterable field, which is a JSON document."""
        value, kind, place = _columns(field.name)
        reference = records_in(field)
        assert reference is not None
        if isinstance(reference, RecordPath):
            self._add_xml(field, reader.cell(reference), reference)
            return
        cell = reader.cell(reference)
        if cell.many:
            self._unnest({value: cell.text, kind: str(cell.kind)}, place)
        else:
            exists = f"CASE WHEN {cell.kind} <> 'null' THEN 0 END"
            self._add({value: cell.text, kind: str(cell.kind), place: exists})
        self.is_stored = False
        document, wrong = quote(f"d {field.name}"), quote(f"x {field.name}")
        self._add({document: document_of(value, kind)})
        self._add_check(field, wrong, f"{has_doubled_member(document, kind)}", document)
        self._set(f"{field.name}.#", _position_cell(place), place, guard="")
        self._add_fields(field.fields, JsonCells(document, self.base.mark, self.nulls or ()), place)

    def _add_xml(self, field: Field, cell: Cell, reference: RecordPath) -> None:
        """A row for each XML record of an iterable field."""
        value, _, place = _columns(field.name)
        if cell.many:
            self._unnest({value: cell.text}, place)
        else:
            self._add({value: cell.text, place: f"CASE WHEN {cell.text} IS NOT NULL THEN 0 END"})
        self.is_stored = False
        self._set(f"{field.name}.#", _position_cell(place), place, guard="")
        self._add_fields(field.fields, XmlCells(value, reference.references), place)

    def _add_embedded(self, field: Field, cell: Cell) -> None:
        """The records of an iterable field that is in the values of another field."""
        document, wrong = quote(f"w {field.name}"), quote(f"y {field.name}")
        if field.kind == "csv":
            self._add_csv(field, f"nullif({cell.text}, '')")
            return
        value = f"nullif({cell.text}, '')"
        self._add({document: f"CASE WHEN json_valid({value}) THEN {value} END"})
        self._add_check(field, wrong, f"NOT json_valid({value})", value)
        self._add_records(field, JsonCells(document, self.base.mark, self.nulls or ()))

    def _add_csv(self, field: Field, value: str) -> None:
        """A row for each row of the CSV in a value."""
        rows, header, wrong = (quote(f"{sign} {field.name}") for sign in "whx")
        cells, _, place = _columns(field.name)
        self._add_check(field, wrong, f"NOT ({is_csv(value)})", value)
        self._add({rows: f"CASE WHEN {wrong} IS NULL THEN {csv_records(value)} END"})
        self._add({header: csv_cells(f"{rows}[1]")})
        self._unnest({cells: f"{rows}[2:]"}, place)
        row = quote(f"d {field.name}")
        self._add({row: csv_cells(cells)})
        self._set(f"{field.name}.#", _position_cell(place), place, guard="")
        self._add_fields(field.fields, CsvCells(row, header, self.nulls), place)

    def _add_check(self, field: Field, column: str, wrong: str, value: str) -> None:
        """A column with what cannot be read as the records of a field, and the check on it."""
        self._add({column: f"CASE WHEN {wrong} THEN left({value}, {_LONGEST}) END"})
        words = {"key": field.name, "format": "CSV" if field.kind == "csv" else "JSON"}
        self.wrong.append((column, Check("LP315", "", "", None, words)))

    def _unfollowed(self, relation: Relation) -> Iterator[Finding]:
        """A finding for each reference to records of a field that none of them follows."""
        fields = [field for field in _inner(self.view.fields) if field.name in relation.names]
        if not fields:
            return
        counts = ", ".join(f"count({quote(relation.column(field.name))})" for field in fields)
        guards = ", ".join(
            f"count(*) FILTER ({relation.expected.get(field.name, 'true')})" for field in fields
        )
        (row,) = self.compiler.sources.rows(f"SELECT {counts}, {guards} FROM {relation.sql}")
        values, records = row[: len(fields)], row[len(fields) :]
        for field, count, all_records in zip(fields, values, records, strict=True):
            if all_records and not count and field.expression and field.expression.references:
                params = {"key": ", ".join(field.expression.references)}
                yield Finding("LP308", field.origin, params, Severity.WARNING)

    # -- rows --------------------------------------------------------------------------------------

    def _add(self, columns: Mapping[str, str]) -> None:
        """Adds columns."""
        listed = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
        self.sql = f"(SELECT *, {listed} FROM {self.sql})"

    def _unnest(self, lists: Mapping[str, str], place: str) -> None:
        """A row for each item of some lists of one length, with its position; one row where they
        are empty.
        """
        first = next(iter(lists))
        stored = {quote(f"l {name.strip(chr(34))}"): sql for name, sql in lists.items()}
        self._add(stored)
        length = f"len({quote(f'l {first.strip(chr(34))}')})"
        items = ", ".join(
            f"unnest(CASE WHEN {length} > 0 THEN {column} ELSE [NULL] END) AS {name}"
            for name, column in zip(lists, stored, strict=True)
        )
        places = f"unnest(CASE WHEN {length} > 0 THEN range({length}) ELSE [NULL] END) AS {place}"
        self.sql = f"(SELECT * EXCLUDE ({', '.join(stored)}), {items}, {places} FROM {self.sql})"
        self.is_stored = False

    # -- joins -------------------------------------------------------------------------------------

    def _add_join(self, join: ViewJoin, prefix: str) -> None:
        """The rows with those of the parent that match; of an inner join without fields that are
        needed, the rows that have a match.
        """
        fields = [field for field in join.fields if is_needed(field, self.keys)]
        parent = self.compiler.rows_of(join.parent, parent_keys(join, self.keys))
        self.findings += parent.findings
        keys = [quote(f"{prefix}{number}") for number in range(len(join.conditions))]
        own, other = _Cells(self.cells), RelationCells(parent, "p.")
        sides = [
            (evaluated(condition.child, own).text, evaluated(condition.parent, other).text)
            for condition in join.conditions
        ]
        self._add({key: child for key, (child, _) in zip(keys, sides, strict=True)})
        self._store()
        if not fields:
            others = self._distinct_keys(parent, [sql for _, sql in sides])
            matches = " AND ".join(f"c.{key} = p.k{place}" for place, key in enumerate(keys))
            exists = f"EXISTS (SELECT 1 FROM {others} AS p WHERE {matches})"
            self.sql = f"(SELECT * FROM {self.sql} AS c WHERE {exists})"
            return
        self._reduce(keys)
        rows = self._parent_rows(join, fields, parent, keys)
        columns = [f"p.{name}" for field in fields for name in _columns(field.name)]
        for check in parent.checks:
            name = quote(f"{prefix}{check.value.strip(chr(34))}")
            columns.append(f"p.{check.value} AS {name}")
            self.wrong.append((name, check))
        matches = " AND ".join(f"c.{key} = p.{key}" for key in keys)
        word = "JOIN" if join.is_inner else "LEFT JOIN"
        self.sql = f"(SELECT c.*, {', '.join(columns)} FROM {self.sql} AS c {word} {rows} AS p ON {matches})"

    def _distinct_keys(self, parent: Relation, keys: Sequence[str]) -> str:
        """The keys of a parent's rows, equal ones once."""
        listed = ", ".join(f"{sql} AS k{place}" for place, sql in enumerate(keys))
        rows = f"(SELECT {listed} FROM {parent.sql} AS p)"
        if not self._has_repeats(rows, [f"k{place}" for place, _ in enumerate(keys)]):
            return rows
        return self.compiler.sources.make_rows(f"SELECT DISTINCT * FROM {rows}")

    def _parent_rows(
        self, join: ViewJoin, fields: Sequence[Field], parent: Relation, keys: Sequence[str]
    ) -> str:
        """The parent's rows reduced to the keys and the fields; equal ones are one row, unless
        their positions count.
        """
        reader = RelationCells(parent)
        values = {
            key: evaluated(condition.parent, reader).text
            for key, condition in zip(keys, join.conditions, strict=True)
        }
        partition = ", ".join(values.values())
        has_positions = position_is_needed(join, self.keys)
        position = f"row_number() OVER (PARTITION BY {partition} {_order(parent)}) - 1"
        present = " AND ".join(f"{sql} IS NOT NULL" for sql in values.values())
        for field in fields:
            assert field.expression is not None
            value, kind, place = _columns(field.name)
            cell = evaluated(field.expression, reader)
            values |= {value: cell.text, kind: _kind_of(cell)}
            values[place] = position if has_positions else "CAST(NULL AS BIGINT)"
            typed = Cell(value, kind if cell.kind else None)
            self._set(field.name, typed, value, kind, guard="")
            self._set(f"{field.name}.#", _position_cell(place), place, guard="")
        values |= {check.value: check.value for check in parent.checks}
        listed = ", ".join(f"{sql} AS {name}" for name, sql in values.items())
        rows = f"SELECT {listed} FROM {parent.sql} WHERE {present}"
        names = references(condition.parent for condition in join.conditions)
        if has_positions:
            return self.compiler.sources.make_rows(rows)
        if self.compiler.is_unique(join.parent, names):
            return f"({rows})"
        if not self._has_repeats(f"({rows})", list(values)):
            return f"({rows})"
        return self.compiler.sources.make_rows(f"SELECT DISTINCT * FROM ({rows})")

    def _reduce(self, keys: Sequence[str]) -> None:
        """Makes equal rows one before a join, with the first of their records: keys that many rows
        of both sides have would make a row for each two of them.
        """
        guards = (guard for guard in self.guards.values() if guard)
        own = (column for columns in self.columns.values() for column in columns)
        columns = list(dict.fromkeys([*keys, *own, *guards, *(name for name, _ in self.wrong)]))
        if self._has_repeats(self.sql, columns):
            listed = ", ".join(columns)
            first = ', min("_record") AS "_record"' if self.base.has_record else ""
            rows = f"SELECT {listed}{first} FROM {self.sql} GROUP BY {listed}"
            self.sql = self.compiler.sources.make_rows(rows)

    def _store(self) -> None:
        """Makes rows that are dear to make a table."""
        if not self.is_stored:
            self.sql = self.compiler.sources.make_rows(f"SELECT * FROM {self.sql}")
            self.is_stored = True

    def _has_repeats(self, rows: str, columns: Sequence[str]) -> bool:
        """Whether most of some rows are equal to others; it is not worth a look for few."""
        return self.compiler.light or self.compiler.sources.has_repeats(rows, columns)


class _Cells:
    """The values of a view's own fields, for conditions of joins."""

    def __init__(self, cells: Mapping[str, Cell]) -> None:
        self._cells = cells

    def cell(self, reference: str) -> Cell:
        return self._cells[reference]


def _columns(name: str) -> tuple[str, str, str]:
    """The columns of a field: value, type and position."""
    return quote(f"v {name}"), quote(f"k {name}"), quote(f"n {name}")


def located(check: Check, source: LogicalSource) -> Check:
    """A check on values of a source with what it locates in the file below."""
    if source.view is None or check.column is None:
        return check
    return replace(check, column=place_of(source, check.column))


def _order(relation: Relation) -> str:
    """The order of a view's rows: that of its records, and of the positions in each."""
    record = ['"_record"'] if relation.has_record else []
    places = [
        f"CAST({quote(name)} AS BIGINT)"
        for key, name in relation.names.items()
        if key.endswith("#")
    ]
    return f"ORDER BY {', '.join([*record, *places])}" if record or places else ""


def _kind_of(cell: Cell) -> str:
    return cell.kind or f"CASE WHEN {cell.text} IS NOT NULL THEN 'string' END"


def _views_in(source: LogicalSource) -> Iterator[LogicalSource]:
    """A view and those that it is made over."""
    if source.view is not None:
        yield source
        for other in (source.view.on, *(join.parent for join in source.view.joins)):
            yield from _views_in(other)


def _position_cell(column: str) -> Cell:
    """The key of a position, which is an integer (RML-LV, logical view expressions)."""
    return Cell(f"CAST({column} AS VARCHAR)", f"CASE WHEN {column} IS NOT NULL THEN 'integer' END")


def _inner(fields: Iterable[Field]) -> Iterator[Field]:
    """The expression fields that are in records of others."""
    for field in fields:
        for inner in field.fields:
            if inner.expression is not None:
                yield inner
            yield from _inner((inner,))
