"""Workbooks of Excel (.xlsx) and OpenDocument (.ods): texts in cells, lists to choose from, and a
hidden sheet with the state of the export.

Every cell is a text, also `=1+1` and `007`: nothing is evaluated, and no zero is lost.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

HIDDEN, CHOICES = "_lodpipe", "_choices"
HEAD = 2  # rows: titles, keys
LONGEST = 32_767  # characters of a cell in Excel
_PART = 30_000
_MOST_NAME = 31
_COLUMN_WIDTH, _WIDEST = 14, 50


class Sheet(Struct, frozen=True):
    """A sheet: its name, titles and keys of the columns, rows of texts, and the list that a column
    offers, by its number.
    """

    name: str
    titles: Sequence[str]
    keys: Sequence[str]
    rows: Sequence[Sequence[str]]
    choices: Mapping[int, str] = {}


class Cell(Struct, frozen=True):
    """A cell that was read: its text, and whether a formula made it."""

    text: str
    is_formula: bool = False


Cells = list[list[Cell]]


class MissingExtra(Exception):
    """A library of the extra `sheet` is not installed."""


def titles_of(names: Iterable[str]) -> dict[str, str]:
    """The names that sheets have in a workbook: at most 31 characters, each once.

    >>> list(titles_of(["clubs", "associations.departments.rooms.seats", "associations.departments.rooms.names"]).values())
    ['clubs', 'associations.departments.room~2', 'associations.departments.room~3']
    """
    titles: dict[str, str] = {}
    for number, name in enumerate(names, 1):
        mark = f"~{number}"
        titles[name] = name if len(name) <= _MOST_NAME else name[: _MOST_NAME - len(mark)] + mark
    return titles


def column_letters(number: int) -> str:
    """The letters of a column, from 1.

    >>> column_letters(1), column_letters(28)
    ('A', 'AB')
    """
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def write_workbook(
    path: Path, sheets: Sequence[Sheet], choices: Mapping[str, Sequence[str]], state: str
) -> None:
    """Writes a workbook; the suffix decides how. Raises MissingExtra."""
    parts = [state[at : at + _PART] for at in range(0, len(state), _PART)]
    try:
        if path.suffix.lower() == ".ods":
            from lodpipe.workflow.sheets.ods import write_ods

            write_ods(path, sheets, choices, parts)
        else:
            _write_xlsx(path, sheets, choices, parts)
    except ImportError as error:
        raise MissingExtra(str(error)) from error


def read_workbook(path: Path) -> tuple[dict[str, Cells], str]:
    """The cells of all visible sheets by the names of the sheets, and the state of the export (empty
    where there is none). Raises MissingExtra; OSError, ValueError for what is no workbook.
    """
    try:
        if path.suffix.lower() == ".ods":
            from lodpipe.workflow.sheets.ods import read_ods

            sheets = read_ods(path)
        else:
            sheets = _read_xlsx(path)
    except ImportError as error:
        raise MissingExtra(str(error)) from error
    state = "".join(row[0].text for row in sheets.pop(HIDDEN, []) if row)
    sheets.pop(CHOICES, None)
    return sheets, state


def text_of(value: object) -> str:
    """The text of a value that a spreadsheet has made of a text.

    >>> text_of(5.0), text_of(True), text_of(datetime.datetime(2021, 5, 1)), text_of(None), text_of("007")
    ('5', 'true', '2021-05-01', '', '007')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime):
        is_day = value.time() == datetime.time()
        return (value.date() if is_day else value).isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(value).replace("\r\n", "\n").replace("_x000D_\n", "\n")


def width_of(sheet: Sheet, number: int) -> int:
    """A width for a column, in characters."""
    cells = [sheet.titles[number], sheet.keys[number], *(row[number] for row in sheet.rows[:200])]
    longest = max(len(line) for cell in cells for line in cell.split("\n"))
    return min(max(longest + 2, _COLUMN_WIDTH), _WIDEST)


def _write_xlsx(
    path: Path, sheets: Sequence[Sheet], choices: Mapping[str, Sequence[str]], parts: Sequence[str]
) -> None:
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.worksheet.datavalidation import DataValidation

    book = Workbook()
    for first in book.worksheets:
        book.remove(first)
    fill, bold, grey = PatternFill("solid", fgColor="E8EEF4"), Font(bold=True), Font(color="808080")
    wrapped = Alignment(wrap_text=True, vertical="top")
    for sheet in sheets:
        page = book.create_sheet(sheet.name)
        for number, row in enumerate((sheet.titles, sheet.keys, *sheet.rows), 1):
            for column, text in enumerate(row, 1):
                if not text:
                    continue
                cell = _put(page, number, column, text)
                cell.alignment = wrapped
                if number <= HEAD:
                    cell.fill, cell.font = fill, bold if number == 1 else grey
        page.freeze_panes = page.cell(HEAD + 1, 2)
        for number in range(len(sheet.keys)):
            dimension = page.column_dimensions[column_letters(number + 1)]
            dimension.width, dimension.number_format = width_of(sheet, number), "@"
            name = sheet.choices.get(number)
            if name and choices[name]:
                letter = column_letters([*choices].index(name) + 1)
                area = f"{CHOICES}!${letter}$1:${letter}${len(choices[name])}"
                rule = DataValidation("list", formula1=area, allow_blank=True, showErrorMessage=True)  # fmt: skip
                rule.errorStyle = "warning"
                own = column_letters(number + 1)
                rule.add(f"{own}{HEAD + 1}:{own}{len(sheet.rows) + HEAD + 1000}")
                page.add_data_validation(rule)
    lists, state = book.create_sheet(CHOICES), book.create_sheet(HIDDEN)
    lists.sheet_state, state.sheet_state = "hidden", "veryHidden"
    for column, texts in enumerate(choices.values(), 1):
        for number, text in enumerate(texts, 1):
            _put(lists, number, column, text)
    for number, part in enumerate(parts, 1):
        _put(state, number, 1, part)
    book.save(path)


def _put(page: Any, row: int, column: int, text: str) -> Any:
    """A cell with a text, whatever it looks like."""
    cell = page.cell(row, column, text)
    cell.data_type = "s"
    cell.number_format = "@"
    return cell


def _read_xlsx(path: Path) -> dict[str, Cells]:
    from zipfile import BadZipFile

    from openpyxl import load_workbook

    try:
        book = load_workbook(path, data_only=False)
    except (BadZipFile, KeyError) as error:
        raise ValueError(str(error)) from None
    return {
        page.title: [
            [Cell(text_of(cell.value), cell.data_type == "f") for cell in row]
            for row in page.iter_rows()
        ]
        for page in book.worksheets
    }
