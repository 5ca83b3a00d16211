"""`lodpipe sheet`: records in a workbook, and what editors changed in it back in their files.

Cases are in tests/editing/sheet.yaml: what is changed in the workbook, what in the files meanwhile.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml

from support import TESTS, invoke
from test_editing import cases, contents, expected_contents, project_of

openpyxl = pytest.importorskip("openpyxl")
FILES: dict[str, str] = yaml.safe_load((TESTS / "editing/sheet-files.yaml").read_text("utf-8"))


def exported(root: Path, suffix: str = ".xlsx") -> Path:
    path = root.parent / f"book{suffix}"
    result = invoke("sheet", "export", path, "--project", root, "--lang", "de")
    assert result.exit_code == 0, result.output
    return path


def edited(path: Path, changes: dict[str, Any]) -> None:
    """Writes texts into cells (`clubs!B3`), removes rows (`clubs!3`: null)."""
    book = openpyxl.load_workbook(path)
    for place, text in changes.items():
        sheet, _, cell = place.partition("!")
        if text is None and cell.isdigit():
            book[sheet].delete_rows(int(cell))
        else:
            book[sheet][cell] = text
            book[sheet][cell].data_type = "f" if place.endswith("D4") and text == "=1+1" else "s"
    book.save(path)


@pytest.mark.parametrize("case", cases("sheet.yaml"))
def test_changes_of_a_workbook_are_merged(case: dict[str, Any], tmp_path: Path) -> None:
    root = project_of(tmp_path / "p", FILES)
    book = exported(root)
    edited(book, case.get("cells", {}))
    for name, (old, new) in case.get("meanwhile", {}).items():
        path = root / name
        text = path.read_bytes().decode()
        assert old in text
        path.write_bytes(text.replace(old, new).encode())
    before = contents(root)
    result = invoke(
        "sheet", "import", book, "--project", root, "--lang", "en", *case.get("options", [])
    )
    assert result.exit_code == (1 if "error" in case else 0), result.output
    for message in [case["error"]] if "error" in case else case.get("messages", []):
        assert message in result.stderr
    after = contents(root)
    assert after == expected_contents(before, case.get("after", {}))


def test_the_workbook_has_texts_titles_and_choices(tmp_path: Path) -> None:
    root = project_of(tmp_path / "p", FILES)
    book = openpyxl.load_workbook(exported(root))
    assert book.sheetnames == ["towns", "clubs", "clubs.rooms", "_choices", "_lodpipe"]
    sheet = book["clubs"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows[0] == ["Id", "Name (en)", "Name (de)", "Ort", "Founded", "Tags", "Note"]
    assert rows[1] == ["id", "name.en", "name.de", "town", "founded", "tags", "note"]
    assert rows[2] == ["chess", "Chess", None, "007", "1851-05-01", "pub\nsport", "=1+1"]
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value]
    assert {cell.data_type for cell in cells} == {"s"}
    assert {cell.number_format for cell in cells} == {"@"}
    rule = sheet.data_validations.dataValidation[0]
    assert (str(rule.sqref)[:2], rule.formula1) == ("D3", "_choices!$A$1:$A$2")
    assert [row[0].value for row in book["_choices"].iter_rows()] == ["007", "008"]
    assert [book[name].sheet_state for name in ("_choices", "_lodpipe")] == ["hidden", "veryHidden"]


def test_opendocument_is_read_as_it_was_written(tmp_path: Path) -> None:
    pytest.importorskip("odfdo")
    from lodpipe.workflow.sheets.workbook import read_workbook

    root = project_of(tmp_path / "p", FILES)
    sheets, state = read_workbook(exported(root, ".ods"))
    others, other_state = read_workbook(exported(root))
    assert state == other_state
    texts = [
        {name: [[cell.text for cell in row] for row in rows] for name, rows in cells.items()}
        for cells in (sheets, others)
    ]
    for name, rows in texts[1].items():
        assert [[*row, *[""] * (len(rows[0]) - len(row))] for row in texts[0][name]] == rows
    result = invoke("sheet", "import", tmp_path / "book.ods", "--project", root, "--lang", "en")
    assert "the workbook changes nothing" in result.stderr


def test_cells_repeated_to_the_end_of_a_sheet_are_read_once(tmp_path: Path) -> None:
    """LibreOffice fills rows and sheets with repeated cells; a stray space in the last row of all is no
    reason to make a million rows.
    """
    pytest.importorskip("odfdo")
    from lodpipe.workflow.sheets.workbook import read_workbook

    book = exported(project_of(tmp_path / "p", FILES), ".ods")
    before = read_workbook(book)
    fill = '<table:table-cell table:style-name="text" table:number-columns-repeated="16000"/>'
    space = '<table:table-row><table:table-cell office:value-type="string"><text:p> </text:p></table:table-cell></table:table-row>'
    empty = f'<table:table-row table:number-rows-repeated="1048000">{fill}</table:table-row>'
    with ZipFile(book) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    content = (
        parts["content.xml"].decode().replace("</table:table-row>", f"{fill}</table:table-row>")
    )
    content = content.replace("</table:table>", f"{empty}{space}</table:table>")
    with ZipFile(book, "w") as archive:
        for name, data in (parts | {"content.xml": content.encode()}).items():
            archive.writestr(name, data)
    start = os.times().user
    assert read_workbook(book) == before
    assert os.times().user - start < 5


@pytest.mark.parametrize("name", ["book.xlsx", "book.ods"])
def test_what_is_no_workbook_is_refused(name: str, tmp_path: Path) -> None:
    root = project_of(tmp_path / "p", FILES)
    (tmp_path / name).write_text("id,name\n")
    result = invoke("sheet", "import", tmp_path / name, "--project", root)
    assert result.exit_code == 1
    assert f"{name}: error LP727" in result.stderr


def test_records_two_folders_above_are_copied_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an import tries on a copy stays in the folder of that copy."""
    (tmp_path / "data").mkdir()
    (tmp_path / "scratch").mkdir()
    rows = [{"id": f"t{number}", "name": f"Town {number}"} for number in range(12)]
    (tmp_path / "data/towns.json").write_text(json.dumps(rows), "utf-8")
    project = tmp_path / "one/two"
    project.mkdir(parents=True)
    result = invoke("init", tmp_path / "data", "--project", project, "--yes", "--name", "towns")
    assert result.exit_code == 0, result.output
    assert "root: ../../data" in (project / "source/records.yaml").read_text("utf-8")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    for command in (("export", tmp_path / "t.xlsx"), ("import", tmp_path / "t.xlsx")):
        result = invoke("sheet", *command, "--project", project)
        assert result.exit_code == 0, result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "one", "scratch", "t.xlsx"]
    assert list((tmp_path / "scratch").iterdir()) == []
