"""Writes tables into a workbook, and what was changed in one into the record files."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from msgspec import Struct

from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import Finding, InvalidData, Origin, Severity
from lodpipe.sources import Table, read_declaration
from lodpipe.workflow.declarations import other_records
from lodpipe.workflow.pipeline import checked
from lodpipe.workflow.record_rows import OpenedRecords, opened_records
from lodpipe.workflow.repairs import RepairedFile
from lodpipe.workflow.sheets.sheet_files import SheetChanges
from lodpipe.workflow.sheets.sheet_import import (
    Base,
    Merged,
    merged,
    read_sheet,
    read_state,
    state_text,
)
from lodpipe.workflow.sheets.sheet_rows import (
    ITEM,
    RECORD,
    Located,
    Rows,
    SheetColumn,
    SheetForm,
    forms_of,
    key_of,
    located_records,
    rows_of,
)
from lodpipe.workflow.sheets.workbook import (
    LONGEST,
    Cells,
    Sheet,
    read_workbook,
    titles_of,
    write_workbook,
)

_FOLDERS = ("publication.yaml", "source", "ontology", "shapes", "queries", "releases")
_HEADS = {
    "en": {RECORD: "Record", ITEM: "Position", "true/false": "true/false"},
    "de": {RECORD: "Datensatz", ITEM: "Position", "true/false": "true/false"},
}


class Imported(Struct, frozen=True):
    """The files that change, how many cells, rows and removals that are, and findings."""

    files: Sequence[RepairedFile]
    cells: int
    added: int
    removed: int
    findings: Sequence[Finding]


# -- export ----------------------------------------------------------------------------------------


def table_names(project: Project) -> list[str]:
    """The declared tables, by name."""
    name = "source/records.yaml"
    return list(read_declaration(project.root / name, name))


def export_workbook(project: Project, path: Path, names: Sequence[str], language: str) -> int:
    """Writes the tables of these names (none: all that can be) into a workbook; gives the number of
    rows. Raises InvalidData, MissingExtra.
    """
    with opened_records(project) as opened:
        forms = _forms(opened, names)
        rows = _rows(project, opened, forms)
        choices = _choices(opened, forms.values())
    titles = titles_of(forms)
    sheets = [
        _sheet(titles[name], form, rows[name], choices, language) for name, form in forms.items()
    ]
    for sheet in sheets:
        for number, row in enumerate(sheet.rows):
            if any(len(cell) > LONGEST for cell in row):
                detail = f"{sheet.name}: row {number + 1} has more than {LONGEST:,} characters in a cell"  # fmt: skip
                german = f"{sheet.name}: Zeile {number + 1} hat mehr als {LONGEST} Zeichen in einer Zelle"  # fmt: skip
                raise InvalidData([Finding("LP727", Origin(path.name), {"detail_en": detail, "detail_de": german})])  # fmt: skip
    write_workbook(path, sheets, choices, state_text(rows, forms, titles))
    return sum(len(of_sheet) for of_sheet in rows.values())


def _forms(opened: OpenedRecords, names: Sequence[str]) -> dict[str, SheetForm]:
    """The sheets of tables; without names, tables that have no key of their own are left out."""
    declared, forms = opened.rows.declared, {}
    for name in names or declared:
        try:
            several = forms_of(declared[name], opened.lexicon.languages)
        except InvalidData:
            if names:
                raise
            continue
        forms.update({form.name: form for form in several})
    return forms


def _located(project: Project, table: Table) -> dict[str, Located]:
    return {key: item for item in located_records(project, table) if (key := key_of(table, item.node))}  # fmt: skip


def _rows(project: Project, opened: OpenedRecords, forms: Mapping[str, SheetForm]) -> dict[str, Rows]:  # fmt: skip
    """The rows of all sheets as the files are."""
    tables = {form.table.name for form in forms.values()}
    located = {name: _located(project, opened.rows.declared[name]) for name in tables}
    return {name: rows_of(form, located[form.table.name]) for name, form in forms.items()}


def _choices(opened: OpenedRecords, forms: Iterable[SheetForm]) -> dict[str, list[str]]:
    """What columns offer, by the names of the lists."""
    choices: dict[str, list[str]] = {}
    for form in forms:
        for column in form.columns:
            name = _choice(column)
            if name and name not in choices:
                choices[name] = list(_texts(opened, column))
        if form.lists:
            choices.setdefault(f"ref {form.table.name}", list(_keys(opened, form.table.name)))
    return choices


def _choice(column: SheetColumn) -> str:
    """The name of the list that a column offers; empty where it has none. A cell with several
    values has none: a choice would replace them.
    """
    field = column.field
    if column.several:
        return ""
    if field.values is not None:
        return f"values {'|'.join(field.values)}"
    if field.kind in ("ref", "concept"):
        return f"{field.kind} {field.target}"
    return "true/false" if field.target == "boolean" else ""


def _texts(opened: OpenedRecords, column: SheetColumn) -> Iterable[str]:
    field = column.field
    if field.values is not None:
        return field.values
    if field.kind == "ref":
        return _keys(opened, field.target)
    return opened.lexicon.concepts[field.target] if field.kind == "concept" else ("true", "false")


def _keys(opened: OpenedRecords, table: str) -> Iterator[str]:
    key = opened.rows.declared[table].key or ""
    yield from (text for row in opened.rows.rows(table) if (text := row.cells.get(key)))


def _sheet(title: str, form: SheetForm, rows: Rows, choices: Mapping[str, object], language: str) -> Sheet:  # fmt: skip
    heads = _HEADS.get(language, _HEADS["en"])
    own = [heads[RECORD], heads[ITEM]] if form.lists else []
    offered = {at: _choice(column) for at, column in enumerate(form.columns, len(own))}
    if form.lists:
        offered[0] = f"ref {form.table.name}"
    return Sheet(
        title,
        [*own, *(title_of(column, language) for column in form.columns)],
        form.keys,
        [[*((row.record, row.position) if form.lists else ()), *cells] for row, cells in rows.items()],
        {at: name for at, name in offered.items() if name and choices.get(name)},
    )  # fmt: skip


def title_of(column: SheetColumn, language: str) -> str:
    """The title of a column: as declared, else its name in words.

    >>> from lodpipe.sources import Field
    >>> title_of(SheetColumn(("legal_form", "de"), Field("value", "text")), "en")
    'Legal form (de)'
    """
    if title := column.titles.get(language) or column.titles.get(""):
        return title
    first, *rest = column.path
    words = first.replace("_", " ").replace("-", " ")
    return f"{words[:1].upper()}{words[1:]}" + (f" ({', '.join(rest)})" if rest else "")


# -- import ----------------------------------------------------------------------------------------


def import_workbook(project: Project, path: Path, *, delete: bool) -> Imported:
    """What a workbook changes in the files, after a check of the whole publication with these
    changes. Nothing is written. Raises InvalidData with all conflicts and errors.
    """
    cells, bases = _read(path)
    with _copied(project) as copy:
        with opened_records(copy) as opened:
            forms = _forms_of_bases(opened, bases, path.name)
            rows = _rows(copy, opened, forms)
            findings: list[Finding] = []
            sheets = {
                name: read_sheet(form, bases[name], cells[bases[name].title], path.name, findings)
                for name, form in forms.items()
                if bases[name].title in cells
            }
            merge = merged(sheets, bases, rows, delete=delete)
            findings += merge.findings
            if any(finding.severity is Severity.ERROR for finding in findings):
                raise InvalidData(findings)
            touched = _apply(copy, opened, forms, merge)
        if touched:
            findings += _checked(copy, set(touched))
        files = [file for name in sorted(touched) if (file := _file(project, copy, name))]
    counts = (sum(map(len, merge.cells.values())), len(merge.added), len(merge.removed))
    return Imported(files, *counts, findings)


def _read(path: Path) -> tuple[dict[str, Cells], dict[str, Base]]:
    try:
        cells, state = read_workbook(path)
        return cells, read_state(state)
    except OSError as error:
        from lodpipe.documents.readers import unreadable

        raise unreadable(path.name, error) from None
    except ValueError:
        params = {
            "detail_en": "it is no workbook that `lodpipe sheet export` wrote",
            "detail_de": "sie ist keine Arbeitsmappe aus `lodpipe sheet export`",
        }
        raise InvalidData([Finding("LP727", Origin(path.name), params)]) from None


def _forms_of_bases(opened: OpenedRecords, bases: Mapping[str, Base], file: str) -> dict[str, SheetForm]:  # fmt: skip
    """The sheets that were exported. Raises InvalidData (LP727) where one is not declared any more."""
    tables = [name for name in opened.rows.declared if any(base.split(".")[0] == name for base in bases)]  # fmt: skip
    forms = _forms(opened, tables) if tables else {}
    if missing := [name for name in bases if name not in forms]:
        params = {
            "detail_en": f"records.yaml no longer declares `{missing[0]}`",
            "detail_de": f"records.yaml deklariert `{missing[0]}` nicht mehr",
        }
        raise InvalidData([Finding("LP727", Origin(file), params)])
    return {name: forms[name] for name in forms if name in bases}


@contextlib.contextmanager
def _copied(project: Project) -> Iterator[Project]:
    """A copy of all that a check reads; files are linked, and replaced where they change."""
    with tempfile.TemporaryDirectory(prefix="lodpipe-sheet-") as folder:
        others = [name for names in other_records(project.root) for name in names()]
        depth = max((Path(name).parts.count("..") for name in others), default=0)
        root = Path(folder).resolve().joinpath(*["above"] * depth, "project")
        root.mkdir(parents=True)
        for name in dict.fromkeys((*_FOLDERS, *others)):
            source = project.root / name
            if source.is_dir():
                shutil.copytree(source, root / name, dirs_exist_ok=True)
            elif source.is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, root / name)
        yield replace(project, root=root)


def _apply(copy: Project, opened: OpenedRecords, forms: Mapping[str, SheetForm], merge: Merged) -> list[str]:  # fmt: skip
    """Writes the changes into the copy; gives the names of the files."""
    touched: list[str] = []
    for table in dict.fromkeys(form.table.name for form in forms.values()):
        own = [form for form in forms.values() if form.table.name == table]
        changes = SheetChanges(copy, own[0].table, own, opened)
        changes.apply(merge, _located(copy, own[0].table))
        touched += changes.touched
    return touched


def _checked(copy: Project, touched: set[str]) -> list[Finding]:
    """The findings in changed files. Raises InvalidData where one of them is an error."""
    try:
        with checked(copy, queries=False) as outcome:
            findings = [*outcome.findings]
    except InvalidData as error:
        findings = [*error.findings]
    own = [finding for finding in findings if finding.where and finding.where.file in touched]
    if any(finding.severity is Severity.ERROR for finding in own):
        raise InvalidData(own)
    return own


def _file(project: Project, copy: Project, name: str) -> RepairedFile | None:
    path, new = project.root / name, copy.root / name
    before = path.read_bytes() if path.exists() else None
    if not new.exists():
        return RepairedFile(name, path, before, b"", 1, is_removed=True)
    after = new.read_bytes()
    return None if after == before else RepairedFile(name, path, before, after, 1)
