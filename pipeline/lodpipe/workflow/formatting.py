"""Record files with their keys in the declared order and in one style.

Values and comments are the same: a file whose records would differ when they are read again stays
as it is, and is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import yaml
from msgspec import Struct

from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import Finding, InvalidData, Origin, Severity
from lodpipe.documents.csv_cells import NoCells, styled_csv, written_rows
from lodpipe.documents.json_style import styled_json, styled_json_lines
from lodpipe.documents.key_order import UNORDERED, KeyOrder
from lodpipe.documents.readers import READERS, current_limits, decoded, limited, read_bytes
from lodpipe.documents.tree import Mapping as Map
from lodpipe.documents.tree import Node, Scalar
from lodpipe.documents.yaml_style import styled_yaml
from lodpipe.sources import Field, Table, read_declaration
from lodpipe.sources.file_patterns import matching
from lodpipe.sources.file_reading import program_digest
from lodpipe.sources.forked_reading import cores, each
from lodpipe.sources.record_cache import RecordCache, cache_folder, digest
from lodpipe.workflow.renaming import folder_of
from lodpipe.workflow.repairs import RepairedFile

_MARK = "\ufeff"
_FEW = 50  # files for which no other process is started


class RecordFile(Struct, frozen=True):
    """A file of records: its name in findings, where it is, and the order of its keys."""

    name: str
    path: Path
    order: KeyOrder


class Formatting(Struct, frozen=True):
    """The files that change, how many there are, and what cannot be formatted."""

    files: Sequence[RepairedFile]
    count: int
    findings: Sequence[Finding]


def formatted_files(project: Project, only: Iterable[Path] = ()) -> Formatting:
    """The record files in order and style; `only` are those to look at (none: all). Nothing is
    written. Raises InvalidDeclaration, SourceError (LP106).
    """
    with limited(project.publication.limits.for_readers()):
        files = _chosen(project, only)
        processes = cores() if len(files) > _FEW else 1
        answers = each(_format, files, processes)
    changed, findings = [], []
    for file, (before, after, of_file) in zip(files, answers, strict=True):
        findings += of_file
        if after != before:
            changed.append(RepairedFile(file.name, file.path, before, after, 1))
    return Formatting(changed, len(files), findings)


class Unformatted(Struct, frozen=True):
    """The names of the files that would change, how many files there are, and what cannot be
    formatted.
    """

    names: Sequence[str]
    count: int
    findings: Sequence[Finding]


def unformatted_files(project: Project, only: Iterable[Path] = ()) -> Unformatted:
    """The record files that are not in order and style; `only` are those to look at (none: all).
    What a file of many was when it was looked at before is in the cache, by its bytes and all else
    that decides it; files with findings are looked at each time. Raises what formatted_files does.
    """
    with limited(project.publication.limits.for_readers()):
        files = _chosen(project, only)
        log = digest(str(project.root.resolve()).encode(), b"format").hex()
        cache = RecordCache(cache_folder() if len(files) > _FEW else None, log)
        keys = _keys(files)
        known = [cache.get(key) if key else None for key in keys]
        missing = [file for file, state in zip(files, known, strict=True) if state is None]
        processes = cores() if len(missing) > _FEW else 1
        answers = iter(each(_state, missing, processes) if missing else ())
        names, findings = [], []
        for file, key, state in zip(files, keys, known, strict=True):
            is_changed = state == _CHANGES
            if state is None:
                is_changed, of_file = next(answers)
                findings += of_file
                if key and not of_file:
                    cache.put(key, _CHANGES if is_changed else _STAYS)
            if is_changed:
                names.append(file.name)
        cache.write()
    return Unformatted(names, len(files), findings)


_CHANGES, _STAYS = b"changes", b"stays"


def _state(file: RecordFile) -> tuple[bool, list[Finding]]:
    """Whether a file would change, and what is wrong with it."""
    before, after, findings = _format(file)
    return before != after, findings


def _keys(files: Sequence[RecordFile]) -> list[bytes | None]:
    """What decides the format of each file; None where it is too large to be read."""
    program = digest(program_digest(), Path(__file__).read_bytes(), repr(current_limits()).encode())
    orders: dict[int, bytes] = {}  # of the tables, whose files share them
    keys: list[bytes | None] = []
    for file in files:
        number = id(file.order)
        if number not in orders:
            orders[number] = digest(program, repr(file.order).encode())
        try:
            data = read_bytes(file.path, file.name)
        except InvalidData:  # reported where it is formatted
            keys.append(None)
            continue
        keys.append(digest(orders[number], file.path.suffix.lower().encode(), data))
    return keys


def _chosen(project: Project, only: Iterable[Path]) -> list[RecordFile]:
    """The record files to look at."""
    wanted = {path.resolve() for path in only}
    files = record_files(project)
    return [file for file in files if not wanted or file.path.resolve() in wanted]


def record_files(project: Project) -> Iterator[RecordFile]:
    """The files of all tables that can be formatted, each once, in the order of their names. Links
    are left out: what they lead to has a name of its own.
    """
    root, languages = project.root, project.publication.languages
    declared = read_declaration(root / "source/records.yaml", "source/records.yaml")
    files: dict[str, RecordFile] = {}
    for table in declared.values():
        order = order_of_table(table, languages)
        folder = folder_of(table, root)
        for file in matching(folder, table.files.patterns, table.files.excluded):
            is_known = file.path.suffix.lower() in (*READERS, ".csv")
            if is_known and not file.is_linked:
                name = f"{table.files.above}{file.local}"
                files.setdefault(name, RecordFile(name, file.path, order))
    yield from (file for _, file in sorted(files.items()))


# -- order -----------------------------------------------------------------------------------------


def order_of_table(table: Table, languages: Sequence[str]) -> KeyOrder:
    """The order of the keys in the files of a table."""
    record = _order(table.root_field, languages)
    files = table.files
    order = (
        KeyOrder(rest=record, item=record)
        if files.is_keyed
        else KeyOrder(record.keys, record.rest, record)
    )
    for step in reversed(files.at):
        order = KeyOrder({step: order})
    return order


def _order(field: Field, languages: Sequence[str]) -> KeyOrder:
    """The order in a value, by the keys that files have."""
    if field.item is not None:
        item = _order(field.item, languages)
        return KeyOrder(rest=item, item=item.of_items) if field.kind == "keyed" else KeyOrder(item=item)  # fmt: skip
    if field.kind == "texts":
        return KeyOrder(dict.fromkeys(languages, UNORDERED))
    order = KeyOrder({})
    for name, entry in field.fields.items():
        if not entry.is_outside:
            _put(order, entry.source or (name,), _order(entry, languages))
    return order


def _put(order: KeyOrder, path: Sequence[str], below: KeyOrder) -> None:
    first, *rest = path
    if not rest:
        known = order.keys.get(first)
        order.keys[first] = KeyOrder({**known.keys, **below.keys}, below.rest, below.item) if known else below  # fmt: skip
        return
    _put(order.keys.setdefault(first, KeyOrder({})), rest, below)


# -- one file --------------------------------------------------------------------------------------


def _format(file: RecordFile) -> tuple[bytes, bytes, list[Finding]]:
    """The bytes of a file before and after, and what is wrong with it."""
    before = read_bytes(file.path, file.name)
    try:
        text = decoded(before, file.name)
        after, finding = formatted(text, file)
    except InvalidData as error:
        return before, before, [*error.findings]
    is_marked = before.startswith(_MARK.encode()) and file.path.suffix.lower() == ".csv"
    mark = _MARK if is_marked else ""
    return before, (mark + after).encode("utf-8"), [finding] if finding else []


def formatted(text: str, file: RecordFile) -> tuple[str, Finding | None]:
    """The text of a file in order and style, and (LP726) why it is not. Raises InvalidData where it
    cannot be read.
    """
    suffix = file.path.suffix.lower()
    if suffix != ".csv":
        READERS[suffix](text, file.name)
    finding = None
    for style in _STYLES.get(suffix, _YAML):
        try:
            after = style(text, file.order)
            if after == text or (_are_same(text, after, suffix) and style(after, file.order) == after):  # fmt: skip
                return after, finding
        except (InvalidData, NoCells, yaml.YAMLError):
            pass
        finding = Finding("LP726", Origin(file.name), severity=Severity.WARNING)
    return text, finding


Style = Callable[[str, KeyOrder], str]


def _yaml(text: str, order: KeyOrder, *, sort: bool = True) -> str:
    end = "\r\n" if text.partition("\n")[0].endswith("\r") else "\n"
    return styled_yaml(text, order, sort=sort).replace("\n", end)


_YAML: tuple[Style, ...] = (_yaml, lambda text, order: _yaml(text, order, sort=False))
_STYLES: dict[str, tuple[Style, ...]] = {
    ".csv": (lambda text, _: styled_csv(text),),
    ".json": (styled_json,),
    ".jsonl": (styled_json_lines,),
    ".ndjson": (styled_json_lines,),
}


def _are_same(before: str, after: str, suffix: str) -> bool:
    """Whether two texts hold the same records, with values that are written in the same way."""
    if suffix == ".csv":
        rows = [[row.values for row in written_rows(text)] for text in (before, after)]
        return rows[0] == rows[1]
    return _plain(READERS[suffix](before, "")) == _plain(READERS[suffix](after, ""))


def _plain(node: Node | None) -> object:
    """A node without its places."""
    if node is None or isinstance(node, Scalar):
        return node and (node.text, node.value)
    if isinstance(node, Map):
        return {key: _plain(value) for key, value in node.items.items()}
    return [_plain(item) for item in node.items]
