"""Records in values as SQL: what the fields of a view read from a column with a JSON document or a CSV text.

A cell is the SQL of a text and of its type; where a reference leads to many values, of lists of
both. For the reference `$.type` to records in the column "j item":

    marked_text(json_extract("j item", '$."type"'), json_type("j item", '$."type"'), '')

The functions marked_text and marked_kind are defined by the engine that makes rows of views.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct

from lodpipe.mapping.model import Expression, Reference
from lodpipe.mapping.planning.plan import Relation, quote, text
from lodpipe.sources import jsonpath
from lodpipe.sources.xpath import RecordPath

# A cell of CSV, and a row; a quote may only begin a cell and is doubled inside (RFC 4180).
_CELL = '(?:"(?:[^"]|"")*"|[^",\\r\\n]*)'
_ROW = f"{_CELL}(?:,{_CELL})*"
_WHOLE = f"{_ROW}(?:\\r?\\n{_ROW})*(?:\\r?\\n)?"
_RECORD = '(?:[^"\\r\\n]|"(?:[^"]|"")*")+'


class Cell(NamedTuple):
    """A value as SQL, with the SQL of its type (None: it is a text); `many`: both are lists."""

    text: str
    kind: str | None = None
    many: bool = False


class CellReader(Protocol):
    """What references are read from."""

    def cell(self, reference: str) -> Cell:
        """The value that a reference leads to."""


class RelationCells(Struct, frozen=True):
    """The columns of a relation; `alias` is its name in a join, with a dot."""

    relation: Relation
    alias: str = ""

    def cell(self, reference: str) -> Cell:
        """The column of a reference."""
        column = self.relation.column(reference)
        kind = self.alias + quote(f"{column} type") if self.relation.typed else None
        return Cell(self.alias + quote(column), kind, reference in self.relation.many)


class JsonCells(Struct, frozen=True):
    """The values in a column of JSON documents; numbers that a double does not hold are texts
    behind a `mark`, and texts in `nulls` no values.
    """

    column: str
    mark: str
    nulls: tuple[str, ...] = ()

    def cell(self, reference: str) -> Cell:
        """The value or the values at a JSONPath."""
        steps = jsonpath.parse(reference)
        mark = text(self.mark)
        if not jsonpath.is_many(steps):
            value, kind = (
                f"{function}({self.column}, {text(jsonpath.for_engine(steps))})"
                for function in ("json_extract", "json_type")
            )
            single = self._without_nulls(f"marked_text({value}, {kind}, {mark})")
            return Cell(single, f"marked_kind({value}, {kind}, {mark})")
        pairs = self._pairs(steps)
        single = self._without_nulls(f"marked_text(pair[1], pair[2], {mark})")
        return Cell(
            f"list_transform({pairs}, lambda pair: {single})",
            f"list_transform({pairs}, lambda pair: marked_kind(pair[1], pair[2], {mark}))",
            many=True,
        )

    def _pairs(self, steps: tuple[jsonpath.Step, ...]) -> str:
        """The list of the values at a path, each with its type."""
        if query := jsonpath.whole_query(steps):
            values = f"CAST(json_query(CAST({self.column} AS VARCHAR), {text(query)}) AS JSON[])"
            return f"list_transform({values}, lambda item: row(item, json_type(item)))"
        values, kinds = (
            f"{function}({self.column}, {text(jsonpath.for_engine(steps))})"
            for function in ("json_extract", "json_type")
        )
        return f"list_zip({values}, {kinds})"

    def _without_nulls(self, value: str) -> str:
        for null in self.nulls:
            value = f"nullif({value}, {text(null)})"
        return value


class XmlCells(Struct, frozen=True):
    """The lists in a column of objects that XML records are read as (sources/xpath.py), by the
    numbers of their references.
    """

    column: str
    references: tuple[str, ...]

    def cell(self, reference: str) -> Cell:
        """The texts or objects under a reference."""
        path = text(f'$."{self.references.index(reference)}"[*]')
        if isinstance(reference, RecordPath):
            objects = f"json_extract({self.column}, {path})"
            return Cell(f"list_transform({objects}, lambda item: CAST(item AS VARCHAR))", many=True)
        return Cell(f"json_extract_string({self.column}, {path})", many=True)


class CsvCells(Struct, frozen=True):
    """The cells of rows of CSV: columns with lists of cells and of names."""

    cells: str
    header: str
    nulls: tuple[str, ...] | None

    def cell(self, reference: str) -> Cell:
        """The cell under a name of the header."""
        cell = f"{self.cells}[list_position({self.header}, {text(reference)})]"
        nulls = ", ".join(map(text, self.nulls or ("",)))
        return Cell(f"CASE WHEN {cell} NOT IN ({nulls}) THEN {cell} END")


def evaluated(expression: Expression, reader: CellReader) -> Cell:
    """The value of an expression; with references to many values, those of each combination."""
    cells = [
        reader.cell(part.name) if isinstance(part, Reference) else Cell(text(str(part)))
        for part in expression.parts
    ]
    if len(cells) == 1:
        return cells[0]
    if any(cell.many for cell in cells):
        kinds = [cell._replace(text=_kinds_of(cell)) for cell in cells]
        typed = _product(kinds, _kind) if any(cell.kind for cell in cells) else None
        return Cell(_product(cells, " || ".join), typed, many=True)
    known = [cell.kind for cell in cells if cell.kind]
    return Cell(f"({' || '.join(cell.text for cell in cells)})", _kind(known) if known else None)


def _kinds_of(cell: Cell) -> str:
    """The type of a value, or the list of those of several values."""
    plain = f"list_transform({cell.text}, lambda item: 'string')" if cell.many else "'string'"
    return cell.kind or plain


def _kind(kinds: Sequence[str]) -> str:
    """The type of a template: a text, unless a part of it is no single value."""
    arms = "".join(f" WHEN {kind} IN ('array', 'object') THEN {kind}" for kind in kinds)
    return f"CASE{arms} ELSE 'string' END"


def _product(cells: Sequence[Cell], combined: Callable[[list[str]], str]) -> str:
    """The list of combinations of the values of several cells, the last of which varies fastest."""
    names = [f"x{number}" if cell.many else cell.text for number, cell in enumerate(cells)]
    sql = f"[{combined(names)}]"
    for name, cell in reversed(list(zip(names, cells, strict=True))):
        if cell.many:
            sql = f"flatten(list_transform({cell.text}, lambda {name}: {sql}))"
    return sql


def document_of(value: str, kind: str) -> str:
    """A value with its type as a JSON document."""
    return (
        f"CASE {kind} WHEN 'string' THEN CAST(to_json({value}) AS VARCHAR) "
        f"WHEN 'null' THEN NULL ELSE {value} END"
    )


def has_doubled_member(document: str, kind: str) -> str:
    """Whether a document is an object with two members of one name."""
    keys = f"json_keys({document})"
    return f"{kind} = 'object' AND len({keys}) <> list_unique({keys})"


def is_csv(value: str) -> str:
    """Whether a text is CSV with rows of one length and names that differ."""
    rows = f"list_transform({csv_records(value)}, lambda row: len({csv_cells('row')}))"
    header = csv_cells(f"{csv_records(value)}[1]")
    return (
        f"regexp_full_match({value}, {text(_WHOLE)}) AND len(list_distinct({rows})) <= 1 "
        f"AND len({header}) = list_unique({header})"
    )


def csv_records(value: str) -> str:
    """The rows of a CSV text, the header first; lines without text are none."""
    return f"regexp_extract_all({value}, {text(_RECORD)})"


def csv_cells(row: str) -> str:
    """The cells of a row of CSV."""
    cells = f"regexp_extract_all({row} || ',', {text(f'({_CELL}),')}, 1)"
    plain = "replace(substr(item, 2, length(item) - 2), '\"\"', '\"')"
    return (
        f"list_transform({cells}, lambda item: "
        f"CASE WHEN starts_with(item, '\"') THEN {plain} ELSE item END)"
    )
