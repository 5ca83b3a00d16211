"""What editors changed in a workbook, merged with what changed in the files since it was written.

Three states of a cell are compared: as it was exported (kept in the workbook), as it is in the
workbook now, as it is in the files now. Where both others differ from the first, and from each
other, that is a conflict.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lodpipe.diagnostics.finding import Finding, Origin, Severity
from lodpipe.diagnostics.suggestions import nearest
from lodpipe.workflow.sheets.sheet_rows import ITEM, RECORD, RowId, Rows, SheetForm
from lodpipe.workflow.sheets.workbook import HEAD, Cells, column_letters

_VERSION = 1


def state_text(rows: Mapping[str, Rows], forms: Mapping[str, SheetForm], title: Mapping[str, str]) -> str:  # fmt: skip
    """The exported rows of all sheets, as the workbook keeps them."""
    sheets = {
        name: {
            "sheet": title[name],
            "keys": [column.key for column in forms[name].columns],
            "rows": [[row.record, row.position, *cells] for row, cells in of_sheet.items()],
        }
        for name, of_sheet in rows.items()
    }
    data = json.dumps({"version": _VERSION, "sheets": sheets}, ensure_ascii=False).encode()
    return base64.b64encode(zlib.compress(data, 9)).decode()


@dataclass(frozen=True)
class Base:
    """The exported state of a sheet: its name in the workbook, the keys of its columns, its rows."""

    title: str
    keys: tuple[str, ...]
    rows: Mapping[RowId, Mapping[str, str]]


def read_state(text: str) -> dict[str, Base]:
    """The exported state by the names of sheets. Raises ValueError where it is none."""
    try:
        data = json.loads(zlib.decompress(base64.b64decode(text, validate=True)))
        if data["version"] != _VERSION:
            raise ValueError(data["version"])
        return {
            name: Base(
                sheet["sheet"],
                tuple(sheet["keys"]),
                {
                    RowId(record, _position(item)): dict(zip(sheet["keys"], cells, strict=True))
                    for record, item, *cells in sheet["rows"]
                },
            )
            for name, sheet in data["sheets"].items()
        }
    except (zlib.error, KeyError, TypeError) as error:
        raise ValueError(str(error)) from None


def _position(text: str) -> tuple[int, ...]:
    """Raises ValueError where it is none."""
    return tuple(int(part) for part in text.split(".")) if text else ()


@dataclass(frozen=True)
class SheetRow:
    """A row of a sheet of the workbook: its number, and the texts of its columns by their keys."""

    number: int
    row: RowId
    cells: Mapping[str, str]
    is_new: bool


@dataclass
class ReadSheet:
    """A sheet of the workbook as it was read, and the numbers of its columns by their keys."""

    form: SheetForm
    title: str
    file: str
    columns: Mapping[str, int]
    rows: list[SheetRow] = field(default_factory=list)

    def place(self, row: int, key: str) -> tuple[Origin, str]:
        """Where a cell is, and its name, `clubs!B7`."""
        column = self.columns.get(key, 0)
        name = f"{self.title}!{column_letters(column + 1)}{row}"
        return Origin(f"{self.file} {name}"), name


def read_sheet(
    form: SheetForm, base: Base, cells: Cells, file: str, findings: list[Finding]
) -> ReadSheet:
    """The rows of a sheet; what is wrong with it is added to the findings (LP727)."""
    header = [cell.text.strip() for cell in cells[HEAD - 1]] if len(cells) >= HEAD else []
    columns = {key: number for number, key in enumerate(header) if key}
    sheet = ReadSheet(form, base.title, file, columns)
    _SheetReader(sheet, base, findings).read(cells)
    return sheet


class _SheetReader:
    """Reads the rows of one sheet."""

    def __init__(self, sheet: ReadSheet, base: Base, findings: list[Finding]) -> None:
        self.sheet, self.form, self.base, self.findings = sheet, sheet.form, base, findings
        key_column = sheet.form.table.key_column
        own = ".".join(key_column.path) if key_column else ""
        self.own = RECORD if sheet.form.lists else own
        self._seen: set[RowId] = set()

    def read(self, cells: Cells) -> None:
        """Adds the rows to the sheet."""
        for key in self.sheet.columns:
            if key not in self.form.keys:
                near = nearest(key, self.form.keys)
                self._wrong(HEAD, key, f"there is no column `{key}`" + (f"; did you mean `{near}`?" if near else ""),
                            f"eine Spalte `{key}` gibt es nicht" + (f"; gemeint ist vielleicht `{near}`" if near else ""))  # fmt: skip
        needed = (self.own, ITEM) if self.form.lists else (self.own,)
        if missing := [key for key in needed if key not in self.sheet.columns]:
            self._wrong(HEAD, missing[0], f"the column `{missing[0]}` is missing",
                        f"die Spalte `{missing[0]}` fehlt")  # fmt: skip
            return
        for number, row in enumerate(cells[HEAD:], HEAD + 1):
            texts = {
                key: row[at].text.strip("\n") if at < len(row) else ""
                for key, at in self.sheet.columns.items()
            }
            if not any(text.strip() for text in texts.values()):
                continue
            for key, at in self.sheet.columns.items():
                if at < len(row) and row[at].is_formula:
                    self._wrong(number, key, "it is a formula; only texts are read",
                                "sie ist eine Formel; gelesen werden nur Texte")  # fmt: skip
            texts[self.own] = texts[self.own].strip()
            self._row(number, texts)

    def _row(self, number: int, texts: dict[str, str]) -> None:
        depth, key = len(self.form.lists), texts[self.own]
        if not key:
            self._wrong(number, self.own, "the row names no record", "die Zeile nennt keinen Datensatz")  # fmt: skip
            return
        try:
            item = _position(texts[ITEM].strip()) if depth else ()
        except ValueError:
            item = (0,) * (depth + 1)
        row = RowId(key, item)
        is_new = len(item) < depth or (not depth and row not in self.base.rows)
        if depth and not (row in self.base.rows or len(item) == depth - 1):
            self._wrong(number, ITEM, "no such item was exported; a new row has no position of its own",
                        "einen solchen Eintrag gab es beim Export nicht; eine neue Zeile hat keine eigene Position")  # fmt: skip
            return
        if row in self._seen and not (is_new and depth):
            self._wrong(number, self.own, "the row is there twice", "die Zeile kommt zweimal vor")
            return
        self._seen.add(row)
        self.sheet.rows.append(SheetRow(number, row, texts, is_new))

    def _wrong(self, row: int, key: str, english: str, german: str) -> None:
        where, _ = self.sheet.place(row, key)
        params = {"detail_en": english, "detail_de": german}
        self.findings.append(Finding("LP727", where, params))


@dataclass
class Merged:
    """What is to change in the files: new texts of cells, new rows, and rows to remove."""

    cells: dict[tuple[str, RowId], dict[str, str]] = field(default_factory=dict)
    added: list[tuple[str, SheetRow]] = field(default_factory=list)
    removed: list[tuple[str, RowId]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def merged(
    sheets: Mapping[str, ReadSheet], bases: Mapping[str, Base], current: Mapping[str, Rows], *, delete: bool
) -> Merged:  # fmt: skip
    """Compares the three states; conflicts are findings (LP728), and so are rows that are gone from
    the workbook and not to be removed (LP729).
    """
    result = Merged()
    gone: dict[str, set[str]] = {}
    for name, sheet in sheets.items():
        merge = _Merge(name, sheet, bases[name], current.get(name, {}), result)
        table = sheet.form.table.name
        merge.run(gone.get(table, set()), delete=delete)
        if not sheet.form.lists:
            gone[table] = {row.record for row in merge.gone}
    return result


class _Merge:
    """The comparison of one sheet."""

    def __init__(
        self, name: str, sheet: ReadSheet, base: Base, current: Rows, into: Merged
    ) -> None:
        self.name, self.sheet, self.base, self.into = name, sheet, base, into
        keys = [column.key for column in sheet.form.columns]
        self.current = {row: dict(zip(keys, cells, strict=True)) for row, cells in current.items()}
        self.compared = [key for key in keys if key in sheet.columns and key in base.keys]
        seen = {row.row for row in sheet.rows if not row.is_new}
        self.gone = [row for row in base.rows if row not in seen]
        self.moved = _records_with_other_items(base.rows, self.current) if sheet.form.lists else set()  # fmt: skip

    def run(self, gone: set[str], *, delete: bool) -> None:
        """Adds what changed to the result; `gone` are the records that the workbook lacks."""
        for row in self.sheet.rows:
            if row.row.record in gone:
                continue
            if row.is_new:
                self._new(row)
            elif changed := self._changed(row):
                self._compare(row, changed)
        for missing in self.gone:
            if missing.record not in gone:
                self._remove(missing, delete)

    def _changed(self, row: SheetRow) -> list[str]:
        base = self.base.rows[row.row]
        return [key for key in self.compared if row.cells[key] != base[key].strip("\n")]

    def _compare(self, row: SheetRow, changed: Sequence[str]) -> None:
        current = self.current.get(row.row)
        if current is None or row.row.record in self.moved:
            self._conflict(row.number, changed[0], row.cells[changed[0]], "")
            return
        for key in changed:
            if current[key].strip("\n") == row.cells[key]:
                continue
            if current[key] != self.base.rows[row.row][key]:
                self._conflict(row.number, key, row.cells[key], current[key])
            else:
                self.into.cells.setdefault((self.name, row.row), {})[key] = row.cells[key]

    def _new(self, row: SheetRow) -> None:
        """A record that is in the files by now is none, if its cells are the same."""
        if self.sheet.form.lists or row.row not in self.current:
            self.into.added.append((self.name, row))
            return
        for key in self.compared:
            if self.current[row.row][key].strip("\n") != row.cells[key]:
                self._conflict(row.number, key, row.cells[key], self.current[row.row][key])

    def _remove(self, row: RowId, delete: bool) -> None:
        current, base = self.current.get(row), self.base.rows[row]
        if current is None:
            return  # of the files, too
        name = f"{self.name}/{row.record}" + (f"/{row.position}" if row.item else "")
        if row.record in self.moved or any(current[key] != base[key] for key in self.compared):
            self._conflict(1, next(iter(self.sheet.columns)), "", name)
        elif delete:
            self.into.removed.append((self.name, row))
        else:
            where = Origin(f"{self.sheet.file} {self.sheet.title}")
            self.into.findings.append(
                Finding("LP729", where, {"record": name}, severity=Severity.WARNING)
            )

    def _conflict(self, number: int, key: str, own: str, other: str) -> None:
        where, cell = self.sheet.place(number, key)
        params = {"cell": cell, "value": _short(own), "other": _short(other)}
        self.into.findings.append(Finding("LP728", where, params))


def _records_with_other_items(base: Iterable[RowId], current: Iterable[RowId]) -> set[str]:
    """The records whose lists have got longer or shorter, so that positions mean other items."""
    return {row.record for row in set(base) ^ set(current)}


def _short(text: str) -> str:
    one_line = text.replace("\n", " ⏎ ")
    return one_line if len(one_line) <= 80 else one_line[:79] + "…"
