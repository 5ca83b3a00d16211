"""Which files of a folder hold records, and how: as rows, lists, maps, or one file for each."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
# Names that a query would take for words of SQL.
_RESERVED = re.compile(
    "all|analyze|and|any|array|as|asc|between|both|by|case|cast|check|collate|"
    "column|constraint|create|cross|default|desc|describe|distinct|do|else|end|except|exists|false|"
    "fetch|filter|for|foreign|from|full|grant|group|having|in|index|inner|intersect|into|"
    "is|join|key|lateral|left|like|limit|natural|not|null|offset|on|only|or|"
    "order|outer|over|partition|pivot|primary|qualify|references|returning|right|rows|select|set|show|"
    "some|summarize|table|then|to|true|union|unique|unpivot|update|user|using|values|view|"
    "when|where|window|with"
)
_SEPARATORS = ",;\t|"
# What folders of data hold besides data.
_NO_DATA = re.compile(
    r"(package|composer|tsconfig|.*lock|.*schema.*|datapackage|.*-metadata|context|.*config.*|"
    r"docker-compose|mkdocs|codecov|renovate|publication|records|mapping|pyproject|cargo|netlify|triagebot|readme|"
    r"licen[cs]e|changelog|contributing|security|code_of_conduct|index|_index)\.(json|ya?ml|toml|md|txt|html)",
    re.IGNORECASE,
)
_SUFFIXES = {*READERS, *ROWS, *DATABASES, *FORMATS, ".geojson"}
_SKIPPED = {
    "node_modules", "dist", "build", "vendor", "tests", "test", "schemas", "schema",
    "_layouts", "_includes", "_sass", "_site",
}  # fmt: skip


@dataclass(frozen=True)
class DataTable:
    """Records of one kind: the patterns of their files relative to the folder, the path of keys to
    them in a file, whether they are the entries of a map, and whether they are written again
    (rows with commas in UTF-8, others as JSON Lines), for no declaration describes them as they are;
    `excluded` are the patterns of files that are left out, `references` the tables that fields refer to,
    as the data declare it, `file_column` the field that has the name of the file of each record.
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
    file_column: str = ""


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
    empty: set[str] = set()
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
        empty |= set() if content else {name}
        lists = list(_lists(name, content))
        tables += lists
        if not lists and isinstance(content, dict) and content:
            single[name] = content
    tables, copies = _without_copies(tables)
    root = _root_name(folder)
    holding = [name for name in read if name not in empty]
    joined = _same_fields([table for table in tables if not table.is_rows], root, holding)
    tables = [
        *_same_columns([table for table in tables if table.is_rows]),
        *joined, *_one_entry_each(single, root, read), *_one_file_each(single, root, read),
        *_one_file_each(again, root, ()),
    ]  # fmt: skip
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
    tables = [table for table in tables if table.files[0] not in copies]
    first: dict[tuple[str, int], DataTable] = {}
    again = set()
    for table in sorted(tables, key=lambda table: not _is_of_database(table)):
        origin = first.setdefault((table.name, len(table.records)), table)
        if origin.files == table.files or not _is_of_database(origin):
            continue
        if _overlap(set(map(_folded, table.records[0])), set(map(_folded, origin.records[0]))):
            again.add(id(table))
            copies[table.files[0]] = f"the same records as {origin.files[0]}, not used"
    return [table for table in tables if id(table) not in again], copies


def _is_of_database(table: DataTable) -> bool:
    return PurePosixPath(table.files[0]).suffix.lower() in DATABASES


def _folded(name: str) -> str:
    return re.sub(r"\W|_", "", name).lower()


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
    return _table_name(table)


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
    is_headed = not any(map(_is_value, head))
    if not is_headed:
        rows, head = [head, *rows], [f"column_{place}" for place in range(1, width + 1)]
    names = _columns(head[:width])
    renamed = [name for name, cell in zip(names, head, strict=False) if name != cell]
    is_ragged = any(len(row) != len(head) for row in rows)
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
        remark += "" if is_headed else "; the first row names no columns"
        remark += "; rows of different lengths" if is_ragged else ""
        reason = f"{len(records)} rows of {name}{remark}"
        dialect = (separator, "utf-8" if encoding == "utf-8-sig" else encoding)
        yield DataTable(
            _table_name(name), (name,), records, is_rows=True, dialect=dialect, reason=reason,
            is_rewritten=dialect != (",", "utf-8") or are_blank or names != head or is_ragged
            or not is_headed or path.suffix.lower() != ".csv",
        )  # fmt: skip


def _is_value(cell: str) -> bool:
    """Whether a cell of the first row is none of the names of columns: a number, but no year; a day;
    an address.
    """
    is_year = re.fullmatch("[12][0-9]{3}", cell) is not None
    pattern = r"-?\d+([.,]\d+)?|\d{4}-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./]\d{4}|https?://.*"
    return re.fullmatch(pattern, cell) is not None and not is_year


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
        columns: tuple[object, ...] = tuple(table.records[0])
        columns = (table.name, table.files) if _is_of_database(table) else columns
        parent = re.sub(r"\d+", "0", path.parent.as_posix())  # 2014, 2016
        groups.setdefault((parent, path.suffix, table.dialect, columns), []).append(table)
    for group in groups.values():
        if len(group) == 1:
            yield group[0]
            continue
        parents = {PurePosixPath(table.files[0]).parent for table in group}
        folder = parents.pop().name if len(parents) == 1 else ""
        folder = folder or _common_words([PurePosixPath(table.files[0]).stem for table in group])
        folder = folder or "records"
        records = [record for table in group for record in table.records]
        files = tuple(name for table in group for name in table.files)
        reason = f"{len(records)} rows of {len(group)} files with the same columns"
        again = any(table.is_rewritten for table in group)
        yield replace(
            group[0], name=_table_name(folder), files=files, records=records, reason=reason,
            is_rewritten=again,
        )  # fmt: skip


def _same_fields(tables: list[DataTable], root: str, read: list[str]) -> Iterator[DataTable]:
    """Lists in several files that are one table: files of one name in several folders with fields in
    common (`2023/talks.json`, `2024/talks.json`), and files whose records nearly all have the same
    fields, five or more, and no keys in common.
    """
    groups: list[tuple[list[set[str]], list[DataTable]]] = []
    for table in tables:
        counts = Counter(name for record in table.records for name in record)
        usual = {name for name, count in counts.items() if 2 * count > len(table.records)}
        same = next((group for group in groups if _are_one_list(group, table, usual)), None)
        if same and not table.is_rewritten and not table.is_keyed:
            same[0].append(usual)
            same[1].append(table)
        else:
            groups.append(([usual], [table]))
    for _, group in groups:
        yield _one_list(group, root, read) if len(group) > 1 else group[0]


def _are_one_list(
    group: tuple[list[set[str]], list[DataTable]], table: DataTable, usual: set[str]
) -> bool:
    """Whether a list has the fields of one of the group's."""
    return any(_is_like(fields, first, table, usual) for fields, first in zip(*group, strict=True))


def _is_like(fields: set[str], first: DataTable, table: DataTable, usual: set[str]) -> bool:
    path, other = PurePosixPath(first.files[0]), PurePosixPath(table.files[0])
    if first.is_rewritten or first.is_keyed or first.at != table.at or path.suffix != other.suffix:
        return False
    if path.name == other.name:
        return _overlap(fields, usual)
    are_beside = path.parent == other.parent
    if first.at and first.name == table.name and are_beside:  # below one key in each file
        return _overlap(fields, usual) or usual <= fields or fields <= usual
    shared = fields & usual
    is_variant = are_beside and fields == usual and bool(_common_words([path.stem, other.stem]))
    fewest = 3 if is_variant else 5  # licences, licences-nonfree
    if len(shared) < fewest or 10 * len(shared) < 7 * max(len(fields), len(usual)):
        return False
    known, own = ([key for key in _keys_of(some.records) if key] for some in (first, table))
    return not set(known) & set(own)


def _one_list(group: list[DataTable], root: str, read: list[str]) -> DataTable:
    """One table of lists in several files; parts of their paths that differ are columns."""
    names = [table.files[0] for table in group]
    fields = {name.lower() for table in group for record in table.records for name in record}
    paths = [PurePosixPath(name) for name in names]
    columns: dict[int, str] = {}
    if len({len(path.parts) for path in paths}) == 1:
        levels = [set(level) for level in zip(*(path.parts for path in paths), strict=True)]
        columns = {at: _level_name(level, at == len(levels) - 1) for at, level in enumerate(levels) if len(level) > 1}  # fmt: skip
        parts = [next(iter(level)) for level in levels]
        for at, column in columns.items():
            suffix = paths[0].suffix if at == len(levels) - 1 else ""
            names_of = sorted(PurePosixPath(part).stem for part in levels[at])
            is_top = at == 0 and suffix in (".yaml", ".yml")  # beside records.yaml, perhaps
            choice = f":{','.join(names_of)}" if is_top else ""
            parts[at] = f"{{{column}{choice}}}{suffix}"
        pattern = "/".join(parts)
    is_exact = bool(columns) and len(set(columns.values())) == len(columns)
    is_exact = is_exact and not fields & set(columns.values()) and set(_matching(read, pattern)) == set(names)  # fmt: skip
    records = []
    for table, path in zip(group, paths, strict=True):
        own: Record = {column: path.with_suffix("").parts[at] for at, column in columns.items()}
        records += [{**own, **record} if is_exact else record for record in table.records]
    last = _common_words([path.stem for path in paths]) or paths[0].parent.name or root
    if group[0].at and len({table.name for table in group}) == 1:
        last = group[0].name
    elif len({path.parent for path in paths}) > 1 and len({path.name for path in paths}) > 1:
        common = set.intersection(*(set(path.parts[:-1]) for path in paths))
        last = next((part for part in reversed(paths[0].parts[:-1]) if part in common), root)
    reason = f"{len(records)} items of lists in {len(group)} files"
    return replace(
        group[0], name=_table_name(last), files=(pattern,) if is_exact else tuple(names),
        records=records, reason=reason,
    )  # fmt: skip


def _level_name(level: set[str], is_file: bool) -> str:
    """The column for a part of paths: the year, the name of the file, the folder."""
    if all(re.fullmatch("[12][0-9]{3}", PurePosixPath(part).stem) for part in level):
        return "year"
    return FILE_NAME if is_file else "folder"


def _common_words(stems: list[str]) -> str:
    """What names of files have in common at their beginning: members-current, members-former → members."""
    words = [re.split(r"[-_. ]+", stem) for stem in stems]
    common = []
    for level in zip(*words, strict=False):
        if len(set(level)) > 1:
            break
        common.append(level[0])
    return "_".join(common)


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
            name = at[-1] if at and at[-1].lower() not in _NO_NAMES else file
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
        are_links = all(re.match("https?://", str(value)) for value in content.values())
        columns = ("key", "url" if are_links else "value")
        rows = [dict(zip(columns, entry, strict=True)) for entry in content.items()]
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


# Keys of files that say nothing of the records below them.
_NO_NAMES = ("items", "data", "results", "objects", "records", "rows", "entries", "list", "values", "content")  # fmt: skip


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


def _root_name(folder: Path) -> str:
    """What records at the top of the data are called: by the name of the folder, if it says something."""
    name = _table_name(folder.resolve().name)
    return "records" if name in ("source", "src", "data", "records", "content", "files") else name


def _one_entry_each(
    files: dict[str, Record], root: str, read: Sequence[str]
) -> Iterator[DataTable]:
    """Files with a map of one entry, a record below its key: `{"Oak Bank": {…}}`. They are taken out
    of `files`.
    """
    able = {
        name: key
        for name, content in files.items() if len(content) == 1
        for key, value in content.items() if isinstance(value, dict)
    }  # fmt: skip
    for suffix in sorted({PurePosixPath(name).suffix for name in able}):
        names = [name for name in able if PurePosixPath(name).suffix == suffix]
        fields = Counter(field for name in names for field in cast(Record, files[name][able[name]]))
        is_named = len({able[name] for name in names}) == len(names) > 2
        if not is_named or 3 * max(fields.values(), default=0) < 2 * len(names):
            continue
        folders: dict[_Folder, list[str]] = {}
        for name in names:
            folders.setdefault((PurePosixPath(name).parent.as_posix(), suffix), []).append(name)
        common = _common_folder([PurePosixPath(folder).parts for folder, _ in folders])
        patterns = _patterns_of(list(folders), common, names, list(files))
        matched = {name for pattern in patterns for name in _matching(list(read), pattern)}
        if matched != set(names):
            patterns = tuple(_pattern_of(key, below, "") for key, below in folders.items())
        records = [
            {"id": able[name], **cast(Record, files.pop(name)[able[name]])} for name in names
        ]
        yield DataTable(
            _table_name(common[-1] if common else root), patterns, records, is_keyed=True,
            reason=f"{len(names)} files with one entry each",
        )  # fmt: skip


def _common_folder(folders: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The parts that paths of folders begin with."""
    common = []
    for level in zip(*folders, strict=False):
        if len(set(level)) > 1:
            break
        common.append(level[0])
    return tuple(common)


def _one_file_each(
    files: Mapping[str, Record], root: str, read: Sequence[str]
) -> Iterator[DataTable]:
    """Folders of files with one record each; folders whose records have the same keys are one
    table. Where no field names a record, the name of its file does. `read` are all files that a pattern
    could match; there are none where the records are written again.
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
        common = _common_folder(parts)
        patterns = _patterns_of(keys, common, names, list(files))
        records = [files[name] for name in names]
        if column := _file_column(names, records):
            patterns = tuple(pattern.replace(f"*{keys[0][1]}", f"{{{column}}}{keys[0][1]}") for pattern in patterns)  # fmt: skip
            records = [{column: PurePosixPath(name).stem, **record} for name, record in zip(names, records, strict=True)]  # fmt: skip
        matched = {name for pattern in patterns for name in _matching(list(read), pattern)}
        if matched - set(names):  # lists, and other files of the folder
            patterns = tuple(_pattern_of(keys_of, folders[keys_of], column) for keys_of in keys)
        called = {path[-1:] for path in parts}
        last = (called.pop() if len(called) == 1 else common)[-1:]
        yield DataTable(
            _table_name("".join(last) or root), patterns, records, is_rewritten=not read, file_column=column,
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
    if _are_nested(folder[0], known[0][0]):  # teams, teams/archive
        return _have_names_of_their_own((*known, folder), folders)
    names = {PurePosixPath(path).name for path, _ in (*known, folder)}
    parents = {PurePosixPath(path).parent for path, _ in (*known, folder)}
    beside = {path.name for name, _ in folders if (path := PurePosixPath(name)).parent in parents}
    if len(names) == 1 or 2 * sum(map(_is_plural, beside)) < len(beside):
        return True
    keys = [_keys_of(files[name] for name in folders[path]) for path in (*known, folder)]
    is_distinct = len(set().union(*keys)) == sum(map(len, keys))
    return is_distinct and len(usual) >= 5 and usual == fields


def _are_nested(folder: str, other: str) -> bool:
    """Whether one of two folders is in the other, and its name is no plural."""
    inner, outer = sorted(map(PurePosixPath, (folder, other)), key=lambda path: -len(path.parts))
    return inner.parent == outer and outer.name != "" and not _is_plural(inner.name)


def _have_names_of_their_own(
    known: tuple[_Folder, ...], folders: Mapping[_Folder, list[str]]
) -> bool:
    """Whether no two files of these folders have the same name, which names their records."""
    stems = [PurePosixPath(name).stem for folder in known for name in folders[folder]]
    return len(set(stems)) == len(stems)


def _is_plural(name: str) -> bool:
    return singular(name.lower()) != name.lower()


def _keys_of(records: Iterable[Record]) -> set[str]:
    """What names the records of a folder, by the first field that is called so."""
    return {str(next((record[key] for key in _IDS if key in record), "")) for record in records}


def _pattern_of(key: _Folder, names: list[str], column: str) -> str:
    """The pattern of these files of a folder alone."""
    folder, suffix = key
    stems = ",".join(sorted(PurePosixPath(name).stem for name in names))
    choice = f"{{{column}:{stems}}}" if column else f"{{{stems}}}" if len(names) > 1 else stems
    return f"{folder}/{choice}{suffix}" if folder != "." else f"{choice}{suffix}"


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
    pattern = f"{'/'.join(common)}/**/*{suffix}"
    if len(keys) > 3 and common and set(_matching(others, pattern)) == set(names):
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
    stem = re.sub("(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", stem)
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


def _stem(name: str) -> str:
    """A name without what it says of a state or a format of the data: members_current → members."""
    name = re.sub("(_(current|latest|export|final))+$", "", name)
    stem = re.sub(r"(_(all|list|data|dataset|full|master|v?\d+))+$", "", name)
    return stem if singular(stem) != stem else name


def _distinct(tables: list[DataTable]) -> list[DataTable]:
    """The tables with names of their own, also in the singular, which is in the IRIs of their records;
    files of the same name get that of their folder, too.
    """
    taken: Counter[str] = Counter()
    named = []
    stems = Counter(_stem(table.name) for table in tables)
    for table in sorted(tables, key=lambda table: (table.name, table.files)):
        stem = _stem(table.name)
        name = stem if stems[stem] == 1 else table.name
        if _RESERVED.fullmatch(name) and table.at:
            name = f"{_table_name(table.files[0])}_{name}"
        elif _RESERVED.fullmatch(name):
            name = f"table_{name}" if name.endswith("s") else f"{name}s"
        if taken[singular(name)] or name in ("statements", "declared", "concepts"):
            parents = PurePosixPath(table.files[0]).parent.name
            full = f"{name}_{parents}" if parents[:1].isdigit() else f"{parents}_{name}"
            name = _table_name(full) if parents else f"{name}_{taken[name] + 1}"
        number = 1
        while taken[singular(name)]:
            number += 1
            name = f"{table.name}_{number}"
        taken[singular(name)] += 1
        named.append(replace(table, name=name))
    lists = {name for table in named for name in _names_of_lists(table)}
    return [
        replace(table, name=f"{table.name}_records") if table.name in lists else table
        for table in named
    ]


def _names_of_lists(table: DataTable) -> Iterator[str]:
    """What the tables of the lists of records will be called: that of `cities` in `areas` areas_cities."""

    def within(value: JsonValue, name: str) -> Iterator[str]:
        if isinstance(value, dict):
            for key, inner in value.items():
                yield from within(inner, f"{name}_{re.sub(r'[^A-Za-z0-9]+', '_', key)}".lower())
        elif isinstance(value, list):
            yield name
            for item in value:
                yield from within(item, name)

    for record in table.records:
        yield from within(record, table.name)
