"""Which files of a folder hold records, and how: as rows, lists, maps, or one file for each."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import cast

from lodpipe.diagnostics.finding import Finding, LodpipeError, Origin
from lodpipe.documents.readers import READERS, is_hidden, read_tree, read_tree_as
from lodpipe.documents.tree import JsonValue, value_of
from lodpipe.engine.sqlite_tables import SUFFIXES as DATABASES
from lodpipe.engine.sqlite_tables import sqlite_tables
from lodpipe.sources.file_patterns import Pattern, has_signs
from lodpipe.workflow.scaffold.other_formats import FORMATS, Record, features, is_geojson

ROWS = {".csv", ".tsv"}
_SEPARATORS = ",;\t|"
# What folders of data hold besides data.
_NO_DATA = re.compile(
    r"(package|composer|tsconfig|.*lock|.*schema.*|datapackage|.*-metadata|context|.*config.*|"
    r"docker-compose|mkdocs|codecov|renovate|publication|records|mapping|pyproject|cargo|netlify|triagebot|readme|"
    r"licen[cs]e|changelog|contributing|security|code_of_conduct|index|_index)\.(json|ya?ml|toml|md|txt|html)",
    re.IGNORECASE,
)
_SUFFIXES = {*READERS, *ROWS, *DATABASES, *FORMATS, ".geojson"}
_SKIPPED = {"node_modules", "dist", "build", "vendor", "tests", "test", "schemas", "schema"}


@dataclass(frozen=True)
class DataTable:
    """Records of one kind: the patterns of their files relative to the folder, the path of keys to
    them in a file, whether they are the entries of a map, and whether they are written again
    (rows with commas in UTF-8, others as JSON Lines), for no declaration describes them as they are;
    `excluded` are the patterns of files that are left out, `references` the tables that fields refer to,
    as the data declare it.
    """

    name: str
    files: tuple[str, ...]
    records: list[Record]
    at: tuple[str, ...] = ()
    is_keyed: bool = False
    is_rows: bool = False
    is_rewritten: bool = False
    dialect: tuple[str, str] = (",", "utf-8")  # separator, encoding
    reason: str = ""
    excluded: tuple[str, ...] = ()
    references: Mapping[str, str] = field(default_factory=dict)


def data_tables(
    folder: Path, only: Path | None = None, excluded: tuple[str, ...] = ()
) -> tuple[list[DataTable], list[Finding], dict[str, str]]:
    """The tables of a folder (or of one file of it) in the order of their names, the files that could
    not be read, and why others are not used; files of `excluded` patterns are left out.
    """
    findings: list[Finding] = []
    tables: list[DataTable] = []
    single: dict[str, Record] = {}
    again: dict[str, Record] = {}
    read: list[str] = []
    omitted = [Pattern.read(pattern) for pattern in excluded]
    for path in [only] if only else _data_files(folder):
        name = path.relative_to(folder).as_posix()
        if any(pattern.match(name) is not None for pattern in omitted):
            continue
        try:
            if path.suffix.lower() in ROWS:
                tables += _rows(path, name)
                continue
            if path.suffix.lower() in DATABASES:
                tables += _database(path, name)
                continue
            if path.suffix.lower() in FORMATS:
                record = FORMATS[path.suffix.lower()](path, name)
                again |= {name: record} if record else {}
                continue
            is_map = path.suffix.lower() == ".geojson"
            tree = read_tree_as("json", path, name) if is_map else read_tree(path, name)
            content = None if tree is None else value_of(tree)
        except LodpipeError as error:
            findings += error.findings
            continue
        read.append(name)
        lists = list(_lists(name, content))
        tables += lists
        if not lists and isinstance(content, dict) and content:
            single[name] = content
    tables, copies = _without_copies(tables)
    tables = [*_same_columns(tables), *_one_file_each(single), *_one_file_each(again, True)]
    used = {
        name for table in tables for pattern in table.files for name in _matching(read, pattern)
    }
    tables = [_without(table, excluded) for table in _distinct(tables)]
    unused = {name: "no records, not used" for name in read if name not in used}
    return tables, findings, unused | copies


def _without_copies(tables: list[DataTable]) -> tuple[list[DataTable], dict[str, str]]:
    """The tables without files that hold the rows of a CSV file of the same name in another format,
    and what is reported of these.
    """
    rows = {
        PurePosixPath(table.files[0]).with_suffix(""): table for table in tables if table.is_rows
    }
    copies = {}
    for table in tables:
        origin = rows.get(PurePosixPath(table.files[0]).with_suffix(""))
        if origin is None or table.is_rows or len(table.records) != len(origin.records):
            continue
        if _overlap(set(table.records[0]), set(origin.records[0])):
            copies[table.files[0]] = f"the same records as {origin.files[0]}, not used"
    return [table for table in tables if table.files[0] not in copies], copies


def _without(table: DataTable, excluded: tuple[str, ...]) -> DataTable:
    """The table with those patterns that its own files could match."""
    has_pattern = any(map(has_signs, table.files))
    return replace(table, excluded=excluded if has_pattern and not table.is_rewritten else ())


def _database(path: Path, name: str) -> Iterator[DataTable]:
    """The tables of an SQLite file, which are written again as rows."""
    for table in sqlite_tables(path, name):
        references = {
            column: _name_in_database(other) for column, other in table.references.items()
        }
        yield DataTable(
            _name_in_database(table.name), (name,), cast(list[Record], table.rows), is_rows=True, is_rewritten=True,
            reason=f"{len(table.rows)} rows of {table.name} in {name}", references=references,
        )  # fmt: skip


def _name_in_database(table: str) -> str:
    return _table_name(re.sub("(?<=[a-z])(?=[A-Z])", "_", table))


def _matching(names: list[str], pattern: str) -> list[str]:
    if pattern in names:
        return [pattern]
    read = Pattern.read(pattern)
    return [name for name in names if read.match(name) is not None]


def _data_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        below = path.relative_to(folder)
        if is_hidden(below) or _SKIPPED & set(below.parts[:-1]) or _NO_DATA.fullmatch(path.name):
            continue
        if may_have_records(path) and path.is_file():
            yield path


def may_have_records(path: Path) -> bool:
    """Whether files of this kind are read."""
    return path.suffix.lower() in _SUFFIXES


def _rows(path: Path, name: str) -> Iterator[DataTable]:
    """The rows of a CSV file, whatever its separator; cells without text have no value."""
    raw = path.read_bytes()
    encoding = "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        encoding = "windows-1252"
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError as error:
            reason = f"byte 0x{raw[error.start]:02x}"
            raise LodpipeError([Finding("LP101", Origin(name), {"detail": reason})]) from None
    separator = _separator(text.split("\n", 1)[0])
    lines = csv.reader(text.splitlines(keepends=True), delimiter=separator)
    head = [cell.strip() for cell in next(lines, [])]
    rows = [row for row in lines if any(row)]
    width = max(
        (place for row in (head, *rows) for place, cell in enumerate(row, 1) if cell), default=0
    )
    names = _columns(head[:width])
    renamed = [name for name, cell in zip(names, head, strict=False) if name != cell]
    if not names:
        detail = "the first row does not name each column, with a name of its own"
        raise LodpipeError([Finding("LP102", Origin(name, 1), {"format": "CSV", "detail": detail})])
    records = [cast(Record, dict(zip(names, row, strict=False))) for row in rows]
    if records:
        are_blank = any(
            cell and not cell.strip() for row in records for cell in map(str, row.values())
        )
        remark = "; cells of mere spaces are left empty" if are_blank else ""
        remark += f"; columns without a name of their own: {', '.join(renamed)}" if renamed else ""
        reason = f"{len(records)} rows of {name}{remark}"
        dialect = (separator, "utf-8" if encoding == "utf-8-sig" else encoding)
        yield DataTable(
            _table_name(name), (name,), records, is_rows=True, dialect=dialect, reason=reason,
            is_rewritten=dialect != (",", "utf-8") or are_blank or names != head,
        )  # fmt: skip


def _columns(head: list[str]) -> list[str]:
    """The names of columns, made unique; those without a name get one.

    >>> _columns(["id", "", "name", "name"])
    ['id', 'column_2', 'name', 'name_4']
    """
    names: list[str] = []
    for place, cell in enumerate(head, 1):
        name = cell or f"column_{place}"
        names.append(f"{name}_{place}" if name in names else name)
    return names


def _same_columns(tables: list[DataTable]) -> Iterator[DataTable]:
    """Files of one folder with rows of the same columns are one table."""
    groups: dict[tuple[object, ...], list[DataTable]] = {}
    for table in tables:
        path = PurePosixPath(table.files[0])
        columns = tuple(table.records[0]) if table.is_rows else (table.name, table.files, table.at)
        groups.setdefault((path.parent, path.suffix, table.dialect, columns), []).append(table)
    for (parent, *_), group in groups.items():
        if len(group) == 1:
            yield group[0]
            continue
        folder = PurePosixPath(str(parent)).name or "records"
        records = [record for table in group for record in table.records]
        files = tuple(name for table in group for name in table.files)
        reason = f"{len(records)} rows of {len(group)} files with the same columns"
        again = any(table.is_rewritten for table in group)
        yield replace(
            group[0], name=_table_name(folder), files=files, records=records, reason=reason,
            is_rewritten=again,
        )  # fmt: skip


def _separator(head: str) -> str:
    counts = Counter(sign for sign in head if sign in _SEPARATORS)
    return counts.most_common(1)[0][0] if counts else ","


def _lists(
    file: str, content: JsonValue, at: tuple[str, ...] = (), depth: int = 2
) -> Iterator[DataTable]:
    """A list of maps, at the top or below keys; a map whose values are maps of one kind."""
    if is_geojson(content):
        if records := features(content):
            reason = f"{len(records)} features of {file}"
            yield DataTable(_table_name(file), (file,), records, is_rewritten=True, reason=reason)
    elif isinstance(content, list):
        records = [item for item in content if isinstance(item, dict)]
        if records and len(records) == len(content):
            where = f"below `{'.'.join(at)}` in {file}" if at else f"in {file}"
            name = at[-1] if at and at[-1].lower() not in ("items", "data", "results") else file
            yield DataTable(
                _table_name(name), (file,), records, at, reason=f"a list of {len(records)} {where}"
            )
    elif isinstance(content, dict) and _are_alike(list(content.values())):
        keyed = [{"id": key, **cast(Record, value)} for key, value in content.items()]
        where = f"below `{'.'.join(at)}` in {file}" if at else f"in {file}"
        yield DataTable(
            _table_name(at[-1] if at else file), (file,), keyed, at, is_keyed=True,
            reason=f"a map with {len(keyed)} entries {where}",
        )  # fmt: skip
    elif isinstance(content, dict) and _is_lookup(content):
        rows = [{"key": key, "value": value} for key, value in content.items()]
        yield DataTable(
            _table_name(at[-1] if at else file), (file,), rows, at, is_rewritten=True,
            reason=f"{len(rows)} keys of {file}, each with a value",
        )  # fmt: skip
    elif isinstance(content, dict) and (rows := _lists_by_key(content)):
        yield DataTable(
            _table_name(at[-1] if at else file), (file,), rows, at, is_rewritten=True,
            reason=f"{len(rows)} items of {len(content)} lists in {file}, each below a key",
        )  # fmt: skip
    elif isinstance(content, dict) and depth:
        if isinstance(content.get("schema"), dict) and isinstance(content.get("data"), list):
            content = {"data": content["data"]}  # rows with the declaration of their columns
        members = [list(_lists(file, item, (*at, key), depth - 1)) for key, item in content.items()]
        known = sum(1 for key in content if key in ("id", "name", "title"))
        if not known:  # a record has lists of its own
            for tables in members:
                yield from tables


def _is_lookup(content: Record) -> bool:
    """Whether a map leads from keys to single texts, and is no record with fields."""
    no_names = [key for key in content if not re.fullmatch(r"[A-Za-z_]\w*", key)]
    are_texts = all(isinstance(value, str) for value in content.values())
    return are_texts and (
        len(content) > 60 or (len(content) > 5 and 2 * len(no_names) > len(content))
    )


def _lists_by_key(content: Record) -> list[Record]:
    """The items of lists of one kind, maps or single values, each with the key that its list is
    below; nothing where the values are anything else.
    """
    lists = [(key, value) for key, value in content.items() if isinstance(value, list)]
    items: list[JsonValue] = [item for _, value in lists for item in value]
    if len(content) < 4 or len(lists) < len(content) or not items:
        return []
    if all(isinstance(item, str) for item in items):
        return [{"key": key, "value": item} for key, value in lists for item in value]
    if not _are_alike(items):
        return []
    return [{"key": key, **cast(Record, item)} for key, value in lists for item in value]


def _are_alike(values: list[JsonValue]) -> bool:
    """Whether these are maps (at least two) that share half of their keys."""
    maps = [set(value) for value in values if isinstance(value, dict)]
    if len(maps) < 2 or len(maps) < len(values):
        return False
    counts = Counter(key for keys in maps for key in keys)
    often = sum(1 for count in counts.values() if 2 * count >= len(maps))
    return 0 < len(counts) <= max(2 * often, 3)


def _one_file_each(files: Mapping[str, Record], is_rewritten: bool = False) -> Iterator[DataTable]:
    """Folders of files with one record each; folders whose records have the same keys are one
    table. Where no field names a record, the name of its file does.
    """
    folders: dict[tuple[str, str], list[str]] = {}
    for name in files:
        path = PurePosixPath(name)
        folders.setdefault((path.parent.as_posix(), path.suffix), []).append(name)
    groups: list[_Group] = []
    for key, names in folders.items():
        counts = Counter(key for name in names for key in files[name])
        usual = {key for key, count in counts.items() if 2 * count > len(names)}
        if (
            sum(2 * len(usual & files[name].keys()) >= len(files[name]) for name in names)
            < len(names) / 2
        ):
            continue  # files that have nothing in common
        same = next((g for g in groups if _are_one_kind(g, (usual, [key]), files, folders)), None)
        if same:
            same[1].append(key)
        else:
            groups.append((usual, [key]))
    for _, keys in groups:
        names = [name for key in keys for name in folders[key]]
        if len(names) < 2:
            continue
        parts = [PurePosixPath(folder).parts for folder, _ in keys]
        common = parts[0][: next((n for n in range(len(parts[0])) if len({p[: n + 1] for p in parts}) > 1), len(parts[0]))]  # fmt: skip
        patterns = _patterns_of(keys, common, names, list(files))
        records = [files[name] for name in names]
        if column := _file_column(names, records):
            patterns = tuple(pattern.replace(f"*{keys[0][1]}", f"{{{column}}}{keys[0][1]}") for pattern in patterns)  # fmt: skip
            records = [{column: PurePosixPath(name).stem, **record} for name, record in zip(names, records, strict=True)]  # fmt: skip
        called = {path[-1:] for path in parts}
        last = (called.pop() if len(called) == 1 else common)[-1:]
        yield DataTable(
            _table_name("".join(last) or "records"), patterns, records, is_rewritten=is_rewritten,
            reason=f"{len(names)} files with one record each",
        )  # fmt: skip


_Folder = tuple[str, str]  # its path, and the suffix of its files
_Group = tuple[set[str], list[_Folder]]  # the usual fields of folders that are one table


def _are_one_kind(
    group: _Group, other: _Group, files: Mapping[str, Record], folders: Mapping[_Folder, list[str]]
) -> bool:
    """Whether the files of a further folder are records of the same kind: they have the same fields,
    and the folders are called alike (`nv/people`, `wy/people`), or few folders beside them have a
    plural as name (`nv`, `wy`; not `drivers`, `teams`); else all fields, five or more, are the same
    and no keys.
    """
    (usual, known), (fields, (folder,)) = group, other
    if known[0][1] != folder[1] or not _overlap(usual, fields):
        return False
    names = {PurePosixPath(path).name for path, _ in (*known, folder)}
    parents = {PurePosixPath(path).parent for path, _ in (*known, folder)}
    beside = {path.name for name, _ in folders if (path := PurePosixPath(name)).parent in parents}
    if len(names) == 1 or 2 * sum(map(_is_plural, beside)) < len(beside):
        return True
    keys = [_keys_of(files[name] for name in folders[path]) for path in (*known, folder)]
    is_distinct = len(set().union(*keys)) == sum(map(len, keys))
    return is_distinct and len(usual) >= 5 and usual == fields


def _is_plural(name: str) -> bool:
    return singular(name.lower()) != name.lower()


def _keys_of(records: Iterable[Record]) -> set[str]:
    """What names the records of a folder, by the first field that is called so."""
    return {str(next((record[key] for key in _IDS if key in record), "")) for record in records}


def _patterns_of(
    keys: list[_Folder], common: tuple[str, ...], names: list[str], others: list[str]
) -> tuple[str, ...]:
    """The patterns of the files in folders: one for each of up to three folders, else one with signs
    for the parts of their paths that differ, if it matches no other file.
    """
    patterns = tuple(
        f"{folder}/*{suffix}" if folder != "." else f"*{suffix}" for folder, suffix in keys
    )
    parts = [PurePosixPath(folder).parts for folder, _ in keys]
    suffix = keys[0][1]
    if len(keys) > 3 and len(set(map(len, parts))) == 1:
        levels = [set(level) for level in zip(*parts, strict=True)]
        path = "/".join(level.pop() if len(level) == 1 else "*" for level in levels)
        if set(_matching(others, pattern := f"{path}/*{suffix}")) == set(names):
            return (pattern,)
    if len(keys) > 3 and common:
        if set(_matching(others, pattern := f"{'/'.join(common)}/**/*{suffix}")) == set(names):
            return (pattern,)
    return patterns


FILE_NAME = "file_name"
_IDS = ("id", "identifier", "key", "code", "slug", "uuid")


def _file_column(names: list[str], records: list[Record]) -> str:
    """The column for the names of the files, if they name the records and no field does; else empty."""
    stems = [PurePosixPath(name).stem for name in names]
    if len(set(map(str.lower, stems))) < len(stems):
        return ""
    for key in _IDS:
        values = [record.get(key) for record in records]
        if all(isinstance(value, dict) for value in values):
            return ""  # identifiers of several registers
        if all(isinstance(value, str | int) for value in values) and len(
            set(map(str, values))
        ) == len(values):
            return ""
    fields = {key.lower() for record in records for key in record}
    return next((name for name in ("id", FILE_NAME) if name not in fields), "")


def _overlap(keys: set[str], others: set[str]) -> bool:
    return 2 * len(keys & others) >= max(len(keys), len(others), 1)


def _table_name(file: str) -> str:
    stem = PurePosixPath(file).name.split(".")[0]
    name = re.sub(r"\W+", "_", stem).strip("_").lower() or "records"
    if not re.search("[^0-9_]", name):
        return "records"  # the year of a folder is no name of what its files hold
    return f"table_{name}" if name[0].isdigit() else name


def singular(name: str) -> str:
    """A rough singular of an English plural: cities → city, bodies → body, towns → town.

    >>> singular("cities"), singular("classes"), singular("towns"), singular("chassis")
    ('city', 'class', 'town', 'chassis')
    """
    if name == "people":
        return "person"
    if name.endswith(("is", "series", "species", "news")):
        return name  # chassis, basis
    for ending, single in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("us", "us"), ("ss", "ss"), ("s", "")):  # fmt: skip
        if name.endswith(ending) and len(name) > len(ending) + 1:
            return name[: -len(ending)] + single
    return name


def _distinct(tables: list[DataTable]) -> list[DataTable]:
    """The tables with names of their own, also in the singular, which is in the IRIs of their records;
    files of the same name get that of their folder, too.
    """
    taken: Counter[str] = Counter()
    named = []
    for table in sorted(tables, key=lambda table: (table.name, table.files)):
        name = table.name
        if taken[singular(name)] or name in ("statements", "declared", "concepts"):
            parents = PurePosixPath(table.files[0]).parent.name
            name = _table_name(f"{parents}_{name}") if parents else f"{name}_{taken[name] + 1}"
        number = 1
        while taken[singular(name)]:
            number += 1
            name = f"{table.name}_{number}"
        taken[singular(name)] += 1
        named.append(replace(table, name=name))
    return named
