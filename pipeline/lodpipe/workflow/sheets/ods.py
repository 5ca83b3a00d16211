"""Workbooks of OpenDocument (.ods), through odfdo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile, ZipFile

from lodpipe.workflow.sheets.workbook import (
    CHOICES,
    HIDDEN,
    Cell,
    Cells,
    Sheet,
    column_letters,
    text_of,
    width_of,
)

if TYPE_CHECKING:
    from odfdo import Element, Table

_MORE_ROWS = 100  # below the last one that have lists to choose from, too
_STYLES = {
    "text": ("table-cell", '<style:table-cell-properties style:vertical-align="top" fo:wrap-option="wrap"/>'),
    "title": ("table-cell", '<style:table-cell-properties fo:background-color="#e8eef4"/><style:text-properties fo:font-weight="bold"/>'),
    "key": ("table-cell", '<style:table-cell-properties fo:background-color="#e8eef4"/><style:text-properties fo:color="#808080"/>'),
    "hidden": ("table", '<style:table-properties table:display="false"/>'),
}  # fmt: skip


def write_ods(
    path: Path, sheets: Sequence[Sheet], choices: Mapping[str, Sequence[str]], parts: Sequence[str]
) -> None:
    """Writes a workbook; `parts` are the rows of the hidden sheet."""
    from odfdo import Document, Element, Table

    document = Document("ods")
    body = document.body
    body.clear()
    document.insert_style(Element.from_tag(
        '<number:text-style style:name="as-text"><number:text-content/></number:text-style>'
    ), automatic=True)  # fmt: skip
    for name, (family, properties) in _STYLES.items():
        as_text = ' style:data-style-name="as-text"' if family == "table-cell" else ""
        tag = f'<style:style style:name="{name}" style:family="{family}"{as_text}>{properties}</style:style>'
        document.insert_style(Element.from_tag(tag), automatic=True)
    for width in sorted({width_of(sheet, at) for sheet in sheets for at in range(len(sheet.keys))}):
        column = f'<style:table-column-properties style:column-width="{width * 0.2:.1f}cm"/>'
        tag = (
            f'<style:style style:name="w{width}" style:family="table-column">{column}</style:style>'
        )
        document.insert_style(Element.from_tag(tag), automatic=True)
    body.append(_validations(choices))
    numbers = {name: number for number, name in enumerate(choices)}
    for sheet in sheets:
        table = Table(sheet.name)
        body.append(table)
        _fill(table, sheet, numbers)
    height = max(map(len, choices.values()), default=0)
    columns = [[*texts, *[""] * (height - len(texts))] for texts in choices.values()]
    for name, rows in ((CHOICES, zip(*columns, strict=True)), (HIDDEN, ([part] for part in parts))):
        table = Table(name, style="hidden")
        body.append(table)
        for row in rows:
            table.append(_row([(text, "text", "") for text in row]))
    document.save(path)


def _validations(choices: Mapping[str, Sequence[str]]) -> Element:
    """The lists that cells offer, by the numbers of the lists."""
    from odfdo import Element

    validations = Element.from_tag("<table:content-validations/>")
    for number, texts in enumerate(choices.values()):
        letter = column_letters(number + 1)
        area = f"[$'{CHOICES}'.${letter}$1:.${letter}${max(len(texts), 1)}]"
        rule = Element.from_tag("<table:content-validation/>")
        rule.set_attribute("table:name", f"list{number}")
        rule.set_attribute("table:condition", f"of:cell-content-is-in-list({area})")
        rule.set_attribute("table:allow-empty-cell", "true")
        rule.set_attribute("table:display-list", "unsorted")
        rule.append(Element.from_tag('<table:error-message table:display="true" table:message-type="warning"/>'))  # fmt: skip
        validations.append(rule)
    return validations


def _fill(table: Table, sheet: Sheet, numbers: Mapping[str, int]) -> None:
    """Columns, head and rows of a sheet."""
    from odfdo import Element

    offered = [
        f"list{numbers[sheet.choices[at]]}" if at in sheet.choices else ""
        for at in range(len(sheet.keys))
    ]
    for at in range(len(sheet.keys)):
        column = Element.from_tag("<table:table-column/>")
        column.set_attribute("table:style-name", f"w{width_of(sheet, at)}")
        column.set_attribute("table:default-cell-style-name", "text")
        table.append(column)
    head = Element.from_tag("<table:table-header-rows/>")
    for texts, style in ((sheet.titles, "title"), (sheet.keys, "key")):
        head.append(_row([(text, style, "") for text in texts]))
    table.append(head)
    for row in sheet.rows:
        table.append(_row([(text, "text", offered[at]) for at, text in enumerate(row)]))
    empty = _row([("", "text", name) for name in offered])
    empty.set_attribute("table:number-rows-repeated", str(_MORE_ROWS))
    table.append(empty)


def _row(cells: Sequence[tuple[str, str, str]]) -> Element:
    """A row of texts, each with its style and the list that it offers."""
    from odfdo import Element, Paragraph

    row = Element.from_tag("<table:table-row/>")
    for text, style, offered in cells:
        cell = Element.from_tag("<table:table-cell/>")
        cell.set_attribute("table:style-name", style)
        if offered:
            cell.set_attribute("table:content-validation-name", offered)
        if text:
            cell.set_attribute("office:value-type", "string")
            for line in text.split("\n"):
                cell.append(Paragraph(line))
        row.append(cell)
    return row


_OFFICE, _TABLE, _TEXT = (
    f"{{urn:oasis:names:tc:opendocument:xmlns:{name}:1.0}}" for name in ("office", "table", "text")
)
_MOST_CELLS = 10_000_000  # of a sheet, with those that are repeated


def read_ods(path: Path) -> dict[str, Cells]:
    """The cells of all sheets; rows end with their last cell that is not empty, and sheets with their
    last such row. Raises ValueError for what is no such file.

    Rows and cells that are repeated, up to the end of a sheet in files of LibreOffice, are made once.
    """
    from lxml import etree

    sheets: dict[str, Cells] = {}
    try:
        with ZipFile(path) as archive, archive.open("content.xml") as content:
            for _, table in etree.iterparse(
                content,
                tag=f"{_TABLE}table",
                resolve_entities=False,
                no_network=True,
                huge_tree=True,
            ):
                name = table.get(f"{_TABLE}name", "")
                sheets[name] = _cells(table)
                table.clear()
    except (BadZipFile, KeyError, etree.XMLSyntaxError) as error:
        raise ValueError(str(error)) from None
    return sheets


def _cells(table: Any) -> Cells:
    cells: Cells = []
    empty = 0  # rows since the last that is not
    left = _MOST_CELLS
    for row in table.iter(f"{_TABLE}table-row"):
        times = _repeated(row, "rows")
        texts = _row_cells(row)
        if not texts:
            empty += times
            continue
        left -= empty + times * len(texts)
        if left < 0:
            raise ValueError(f"a sheet of more than {_MOST_CELLS:,} cells")
        cells += [[]] * empty
        cells += [texts] * times
        empty = 0
    return cells


def _row_cells(row: Any) -> list[Cell]:
    cells: list[Cell] = []
    blank: list[Cell] = []  # since the last that is not
    for element in row:
        if element.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            continue
        times = _repeated(element, "columns")
        cell = Cell(_text(element), element.get(f"{_TABLE}formula") is not None)
        if not cell.text.strip() and not cell.is_formula:
            blank += [cell] * times
            continue
        cells += [*blank, *[cell] * times]
        blank = []
    return cells


def _repeated(element: Any, kind: str) -> int:
    return max(1, int(element.get(f"{_TABLE}number-{kind}-repeated", "1")))


def _text(cell: Any) -> str:
    """The text of a cell, a line for each paragraph; a number, day or truth value as text."""
    kind = cell.get(f"{_OFFICE}value-type")
    if kind in ("float", "percentage", "currency"):
        return text_of(float(cell.get(f"{_OFFICE}value", "nan")))
    if kind == "date":
        value = str(cell.get(f"{_OFFICE}date-value", ""))
        return value.removesuffix("T00:00:00")
    if kind == "boolean":
        return str(cell.get(f"{_OFFICE}boolean-value", ""))
    return text_of("\n".join(_inner_text(item) for item in cell if item.tag == f"{_TEXT}p"))


def _inner_text(element: Any) -> str:
    """The text of a paragraph or a part of it: spaces, tabulators and line breaks are elements."""
    parts = [element.text or ""]
    for item in element:
        if item.tag == f"{_TEXT}s":
            parts.append(" " * int(item.get(f"{_TEXT}c", "1")))
        elif item.tag in (f"{_TEXT}tab", f"{_TEXT}line-break"):
            parts.append("\t" if item.tag == f"{_TEXT}tab" else "\n")
        elif item.tag != f"{_OFFICE}annotation":
            parts.append(_inner_text(item))
        parts.append(item.tail or "")
    return "".join(parts)
