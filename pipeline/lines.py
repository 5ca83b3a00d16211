"""N-Quads straight from a plan, without a statement table: sorted by sorting records, doubles sought only where there can be any.

A graph's sorted lines are ordered by subject first. Where each subject comes from one row, it is enough to sort the rows by their
subject and to write each row's statements in the order of their predicates; rows are fewer and shorter than statements. Selects of which
no subject prefix begins another's are written one after the other. Only what remains is sorted and made distinct statement by statement.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

from pipeline.engine import Engine
from pipeline.plan import Plan, Select, text

_RAW = "(FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '')"
_CONSTANT = re.compile(r"'((?:[^']|'')*)'")
SOURCE = "{source}"  # stands for the table, or a range of it
_SMALL_PART = 20_000  # rows


def write_lines(engine: Engine, plan: Plan, path: Path, *, sort: bool = True, graphs: bool = True) -> None:
    """Writes the statements of a plan as N-Quads (or N-Triples without `graphs`) in canonical order, or in any order."""
    path.write_bytes(b"")
    for group in _groups(plan.selects):
        table, lines = _prepared(engine, group, sort, graphs)
        _append_in_parts(engine, table, lines, path)


def _prepared(engine: Engine, group: list[Select], sort: bool, graphs: bool) -> tuple[str, str]:
    """A table whose rows are in the order of their lines, and the SELECT that makes a text of lines from each of its rows.

    Rows are sorted before their terms are made, so that what is sorted is short.
    """
    if len(group) == 1 and _subjects_are_unique(engine, group[0]):
        select = group[0]
        joined = " JOIN " in select.source
        if not joined and not sort:
            return engine.kept(f"SELECT * FROM {select.source}") if select.source.startswith("(") else select.source, _rows(select, graphs)
        if not joined:
            return engine.kept(f"SELECT * FROM {select.source} ORDER BY {select.subject}"), _rows(select, graphs)
    union = " UNION ALL ".join(_statements(select, graphs) for select in group)
    order = " ORDER BY block" if sort else ""
    return engine.kept(f"SELECT DISTINCT block FROM ({union}) WHERE block IS NOT NULL{order}"), f"SELECT block FROM {SOURCE}"


def _append_in_parts(engine: Engine, table: str, lines: str, path: Path) -> None:
    """Appends the lines of a table to a file, its rows in their order, on all cores.

    The engine's own ordered COPY holds whole batches of text in memory. So the table is cut into ranges, each of which one thread writes
    to a file of its own from first row to last; the files are joined as they come.
    """
    ((rows,),) = engine.rows(f"SELECT count(*) FROM {table}")
    cores = os.cpu_count() or 1
    count = max(1, min(cores, rows // _SMALL_PART))
    ranges = [(rows * number // count, rows * (number + 1) // count) for number in range(count)]

    def write(number: int) -> Path:
        part = path.with_name(f"{path.name}.{number}")
        first, end = ranges[number]
        ranged = lines.replace(SOURCE, f"(SELECT * FROM {table} WHERE rowid >= {first} AND rowid < {end})")
        engine.cursor().execute(f"COPY ({ranged}) TO {text(str(part))} {_RAW}")
        return part

    with engine.one_thread_each(), ThreadPoolExecutor(cores) as pool:
        for part in pool.map(write, range(count)):
            _append(part, path)


def _append(part: Path, path: Path) -> None:
    """Puts a file at the end of another, or in its place where that is still empty."""
    if path.stat().st_size == 0:
        part.replace(path)
        return
    with part.open("rb") as written, path.open("r+b") as out:
        out.seek(0, os.SEEK_END)
        try:
            while os.copy_file_range(written.fileno(), out.fileno(), 1 << 30):
                pass  # the kernel copies; nothing passes through this process
        except (AttributeError, OSError):
            shutil.copyfileobj(written, out, 1 << 24)
    part.unlink()


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


def _subjects_are_unique(engine: Engine, select: Select) -> bool:
    """Whether no two rows of a select's source make the same subject."""
    if _CONSTANT.fullmatch(select.subject):
        return False
    subject = ", ".join(select.key) or select.subject
    ((rows, subjects),) = engine.rows(f"SELECT count(s), count(DISTINCT s) FROM (SELECT {subject} AS s FROM {select.source})")
    return bool(rows == subjects)


def _rows(select: Select, graphs: bool) -> str:
    """One text for each row: its lines in order. Lines of different predicates are in order by the order of the predicates.

    Each term is made once, in a layer of its own.
    """
    terms = _Terms()
    blocks = ", ".join(_block(list(parts), terms, graphs) for parts in _by_predicate(select))
    layer = f"SELECT {select.subject} AS s{terms.columns()} FROM {SOURCE}"
    block = f"SELECT concat_ws(chr(10), {blocks}) AS block FROM ({layer}) WHERE s IS NOT NULL"
    if any(_CONSTANT.fullmatch(part[1]) for part in select.parts):
        return block
    present = " OR ".join(f"{terms.column(part[1])} IS NOT NULL" for part in select.parts)
    return f"{block} AND ({present})"


class _Terms:
    """The terms of a row that are no constants, each once and under a short name."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def column(self, sql: str) -> str:
        return sql if _CONSTANT.fullmatch(sql) else self.names.setdefault(sql, f"t{len(self.names)}")

    def columns(self) -> str:
        return "".join(f", {sql} AS {name}" for sql, name in self.names.items())


def _by_predicate(select: Select) -> Iterator[list[tuple[str, str, str, int]]]:
    """The parts of each predicate in order; all in one where a predicate is not known before the data."""
    if all(_CONSTANT.fullmatch(part[0]) for part in select.parts):
        for _, parts in groupby(sorted(select.parts, key=lambda part: _plain(part[0])), key=lambda part: part[0]):
            yield list(parts)
    else:
        yield list(select.parts)


def _plain(constant: str) -> str:
    return constant[1:-1].replace("''", "'")


def _block(parts: list[tuple[str, str, str, int]], terms: _Terms, graphs: bool) -> str:
    """The lines of one predicate, in order and without doubles; two are compared, more are sorted as a list."""
    lines = list(dict.fromkeys(_line("s", (terms.column(p), terms.column(o), terms.column(g), n), graphs) for p, o, g, n in parts))
    if len(lines) == 1:
        return lines[0]
    if len(lines) == 2 and len(parts) == 2 and parts[0][0] == parts[1][0] and parts[0][2] == parts[1][2]:
        first, second = (terms.column(part[1]) for part in parts)
        return f"CASE WHEN {first} > {second} THEN concat_ws(chr(10), {lines[1]}, {lines[0]}) WHEN {first} = {second} THEN {lines[0]} " \
            f"ELSE nullif(concat_ws(chr(10), {lines[0]}, {lines[1]}), '') END"
    return f"nullif(array_to_string(list_sort(list_distinct([{', '.join(lines)}])), chr(10)), '')"


def _line(subject: str, part: tuple[str, str, str, int], graphs: bool) -> str:
    """A line of N-Quads; NULL where a term is missing."""
    predicate, value, graph, _ = part
    if not graphs or graph == "''":
        end = "' .'"
    elif _CONSTANT.fullmatch(graph):
        end = text(f" {_plain(graph)} .")
    else:
        end = f"CASE WHEN {graph} = '' THEN ' .' ELSE ' ' || {graph} || ' .' END"
    between = text(f" {_plain(predicate)} ") if _CONSTANT.fullmatch(predicate) else f"' ' || {predicate} || ' '"
    return f"{subject} || {between} || {value} || {end}"


def _statements(select: Select, graphs: bool) -> str:
    """One text for each statement of a select."""
    terms = _Terms()
    parts = [(terms.column(p), terms.column(o), terms.column(g), rule) for p, o, g, rule in select.parts]
    lines = ", ".join(dict.fromkeys(_line("s", part, graphs) for part in parts))
    layer = f"SELECT {select.subject} AS s{terms.columns()} FROM {select.source}"
    return f"SELECT unnest([{lines}]) AS block FROM ({layer}) WHERE s IS NOT NULL"


def count_lines(path: Path) -> int:
    """How many lines a file has."""
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 22), b""))
