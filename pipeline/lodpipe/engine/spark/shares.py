"""The rows of a plan on their way from the sources to the statements.

Statements of one subject can come from rows of any partition. So each row that a select reads is
sent, with its subject and with what its terms need and no more, to the partition of its subject;
there the engine of one machine makes the statements or lines of all selects (nquads_writer.py,
run_plan.py), sorted and without doubles. Partitions are ranges of subjects, so their parts in order
are the whole.

    s                        n  _record  v0         v1
    <http://example.org/1>   0  17       Bad Tölz   1
    <http://example.org/1>   2  90       1          NULL
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from lodpipe.engine.duckdb import Engine
from lodpipe.engine.nquads_writer import columns_read, write_lines
from lodpipe.engine.results import Output
from lodpipe.engine.run_plan import failure_counts, make_statements, unite_statements
from lodpipe.engine.spark.kernel import Batches, Note, has_rows, query
from lodpipe.mapping.plan import Join, Plan, Select, quote

if TYPE_CHECKING:
    import pyarrow as pa

_RECORD = quote("_record")
_TABLE = "shares"  # the rows of a partition, in the second step
_PIECE = 1 << 20  # bytes of lines in a row that goes back to Spark
_DECLARED = -1  # in place of the number of a select
_DECLARED_SQL = (
    "SELECT s, v0 AS p, v1 AS o, v2 AS g, _record AS record, CAST(NULL AS INTEGER) AS rule "
    f"FROM {_TABLE} WHERE n = {_DECLARED}"
)
STATEMENTS = "s string, p string, o string, g string, record bigint, rule int"


class Share(Struct, frozen=True):
    """What a select takes from its rows; `columns` are those that its terms read, in the order in
    which they are sent.
    """

    number: int
    select: Select
    columns: tuple[str, ...]

    def sql(self, width: int) -> str:
        """The query for the rows that are sent."""
        cells = [f"{column} AS v{place}" for place, column in enumerate(self.columns)]
        cells += [f"CAST(NULL AS VARCHAR) AS v{place}" for place in range(len(cells), width)]
        listed = "".join(f", {cell}" for cell in cells)
        return (
            f"SELECT * FROM (SELECT {self.select.subject.sql} AS s, CAST({self.number} AS INTEGER) AS n, "
            f"{self.select.record} AS _record{listed}, CAST(NULL AS BLOB) AS note "
            f"FROM {self.select.source}) WHERE s IS NOT NULL"
        )

    def received(self) -> Select:
        """The select over the rows that a partition has received. Its checks were made before."""
        cells = "".join(f", v{place} AS {column}" for place, column in enumerate(self.columns))
        source = f"(SELECT _record{cells} FROM {_TABLE} WHERE n = {self.number})"
        if self.select.join is not None:
            source = joined_rows(self.select, source)
        return replace(self.select, source=source, checks=(), join=None)


def share(number: int, select: Select) -> Share:
    """The share of a select; that of a join takes all terms of both sides."""
    columns = columns_read(select) if select.join is None else joined_columns(select)
    return Share(number, select, tuple(column for column in columns if column != _RECORD))


def joined_columns(select: Select) -> list[str]:
    """The columns of joined rows: the terms of the child, then those of the parent."""
    assert select.join is not None
    return [
        quote(f"{side.alias} {name.strip(chr(34))}")
        for side in (select.join.child, select.join.parent)
        for name in side.terms
    ]


def joined_terms(join: Join) -> list[str]:
    """The columns of joined rows, as they are selected from the pairs of a join."""
    terms = [
        f"{side.alias}.{name} AS {quote(f'{side.alias} {name.strip(chr(34))}')}"
        for side in (join.child, join.parent)
        for name in side.terms
    ]
    return [*terms, 'c."_record"']


def joined_rows(select: Select, source: str) -> str:
    """Joined rows as a relation in which the terms are found under the names of both sides."""
    assert select.join is not None
    fields = {
        side.alias: [
            f"{name}: {quote(f'{side.alias} {name.strip(chr(34))}')}" for name in side.terms
        ]
        for side in (select.join.child, select.join.parent)
    }
    fields["c"].append('"_record": _record')
    fields["p"].append('"no term": NULL')
    structs = ", ".join(f"{{{', '.join(items)}}} AS {alias}" for alias, items in fields.items())
    return f"(SELECT *, {structs} FROM {source})"


def schema(width: int) -> str:
    """The columns of rows that are sent."""
    cells = "".join(f", v{place} string" for place in range(width))
    return f"s string, n int, _record bigint{cells}, note binary"


def declared_rows(statements: Sequence[Sequence[object]]) -> pa.Table:
    """Statements that come from no record (s, p, o, g, …) as rows that are sent."""
    import pyarrow as pa

    s, p, o, g = list(zip(*statements, strict=True))[:4]
    return pa.table(
        {
            "s": pa.array(s, pa.string()),
            "n": pa.array([_DECLARED] * len(statements), pa.int32()),
            "_record": pa.nulls(len(statements), pa.int64()),
            **{f"v{place}": pa.array(cells, pa.string()) for place, cells in enumerate((p, o, g))},
        }
    )


# -- on the executors ------------------------------------------------------------------------------


class SendRows(Struct, frozen=True):
    """The first step: the rows of all selects over one frame, and a note of failed checks.

    `counts` says whether the statements of each rule are counted, too.
    """

    name: str
    shares: tuple[Share, ...]
    width: int
    counts: bool

    def __call__(self, engine: Engine, folder: Path, notes: list[Note]) -> Batches:
        """The rows of a partition."""
        failures: dict[int, tuple[int, ...]] = {}
        statements: dict[int, int] = {}
        if has_rows(engine, self.name):
            for item in self.shares:
                if item.select.checks:
                    (failures[item.number],) = engine.session.rows(failure_counts(item.select))
                if self.counts and item.select.parts:
                    self._count(engine, item, statements)
                if item.select.parts:
                    yield from query(engine, item.sql(self.width))
        yield self._noted([*notes, Note(failures=failures, statements=statements)])

    def _count(self, engine: Engine, item: Share, statements: dict[int, int]) -> None:
        select = replace(item.select, join=None)
        (row,) = engine.session.rows(select.counts_sql)
        for (*_, number), count in zip(select.parts, row, strict=True):
            statements[number] = statements.get(number, 0) + count

    def _noted(self, notes: list[Note]) -> pa.RecordBatch:
        import pyarrow as pa

        cells: dict[str, pa.Array] = {
            "s": pa.nulls(len(notes), pa.string()),
            "n": pa.nulls(len(notes), pa.int32()),
            "_record": pa.nulls(len(notes), pa.int64()),
            **{f"v{place}": pa.nulls(len(notes), pa.string()) for place in range(self.width)},
            "note": pa.array([note.packed() for note in notes], pa.binary()),
        }
        return pa.RecordBatch.from_pydict(cells)


class WriteLines(Struct, frozen=True):
    """The second step for N-Quads or N-Triples: pieces of the lines of a partition."""

    plan: Plan
    graphs: bool
    sort: bool

    def __call__(self, engine: Engine, folder: Path, notes: list[Note]) -> Batches:
        """Pieces of whole lines, without the last line feed of each."""
        import pyarrow as pa

        if not has_rows(engine, _TABLE):
            return
        path = folder / "lines"
        write_lines(engine, self.plan, path, Output(self.graphs, self.sort))
        for piece in _pieces(path):
            yield pa.RecordBatch.from_arrays([pa.array([piece], pa.string())], ["value"])


class MakeStatements(Struct, frozen=True):
    """The second step for the statement table; `declared` says whether declared statements are
    among the rows.
    """

    plan: Plan
    declared: bool = False

    def __call__(self, engine: Engine, folder: Path, notes: list[Note]) -> Batches:
        """The statements of a partition in order."""
        if has_rows(engine, _TABLE):
            if self.declared:
                unite_statements(engine.session, self.plan, _DECLARED_SQL)
            else:
                make_statements(engine.session, self.plan, [])
            yield from query(engine, "SELECT s, p, o, g, record, rule FROM statements")


def _pieces(path: Path) -> Iterator[str]:
    """A file of lines in pieces of about a megabyte."""
    rest = b""
    with path.open("rb") as file:
        while data := file.read(_PIECE):
            head, found, tail = data.rpartition(b"\n")
            if found:
                yield (rest + head).decode("utf-8")
                rest = tail
            else:
                rest += data
    if rest:
        raise ValueError("a file of lines ends without a line feed")
