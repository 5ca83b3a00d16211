"""The files that lists give, opened by LibreOffice: texts stay texts, numbers and days are such, addresses
lead somewhere. Skipped where LibreOffice is not installed (`libreoffice-calc`).
"""

from __future__ import annotations

import csv
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from browser_support import Browser, serving
from support import ROOT

SOFFICE = shutil.which("soffice")
pytestmark = pytest.mark.skipif(
    SOFFICE is None, reason="LibreOffice is not installed: lists are not opened in it"
)
ASSETS = ROOT / "pipeline/lodpipe/site/assets"
OFFICE, TABLE, TEXT = (
    f"{{urn:oasis:names:tc:opendocument:xmlns:{name}}}"
    for name in ("office:1.0", "table:1.0", "text:1.0")
)
LONG = "lang " * 8_000
# In a page, in a workbook, and in CSV: the kind and the value of the cell in LibreOffice.
CELLS = [
    ("Größe „Straße“ Ærø 中文 😀", ("string", "Größe „Straße“ Ærø 中文 😀"), "same"),
    ("04011000", ("string", "04011000"), ("float", "4011000")),  # CSV cannot say that it is a text
    ('<data value="1234567.5">1.234.567,5</data>', ("float", "1234567.5"), "same"),
    ('<data value="-3.25">−3,25</data>', ("float", "-3.25"), "same"),
    ('<time datetime="2022-06-22">22. Juni 2022</time>', ("date", "2022-06-22"), "same"),
    ("=1+1", ("string", "=1+1"), ("string", "'=1+1")),
    ("+1+A1", ("string", "+1+A1"), ("string", "'+1+A1")),
    ("-2+3+cmd|' /C calc'!A0", ("string", "-2+3+cmd|' /C calc'!A0"), "marked"),
    ("@SUM(A1)", ("string", "@SUM(A1)"), ("string", "'@SUM(A1)")),
    ('=HYPERLINK("http://example.org")', ("string", '=HYPERLINK("http://example.org")'), "marked"),
    ("+49 30 1234", ("string", "+49 30 1234"), "same"),
    ('a; "b" & <i>c</i>', ("string", 'a; "b" & c'), "same"),
    (LONG, ("string", LONG.strip()[:32_766] + "…"), ("string", LONG.strip())),
]


@pytest.fixture
def files(browser: Browser, tmp_path: Path) -> Path:
    """CSV and XLSX of a page with a table of these cells, from the script of all pages."""
    site = tmp_path / "site"
    shutil.copytree(ASSETS, site / "assets")
    rows = "".join(
        f'<tr><th><a href="lab/x{number}.html">Eintrag {number}</a></th><td>{cell}</td></tr>'
        for number, (cell, *_) in enumerate(CELLS)
    )
    (site / "index.html").write_text(
        '<!doctype html><html lang="de"><meta charset="utf-8"><link rel="icon" href="data:,">'
        '<table id="main" data-filter><thead><tr><th>Name</th><th>Wert</th></tr></thead>'
        f'<tbody>{rows}</tbody></table><script src="assets/site.js"></script></html>',
        "utf-8",
    )
    with serving(site) as address, browser.page() as page:
        page.goto(f"{address}index.html")
        for suffix in ("csv", "xlsx"):
            with page.expect_download() as info:
                page.click(f"[data-download={suffix}]")
            info.value.save_as(tmp_path / f"list.{suffix}")
    return tmp_path


@pytest.fixture
def opened(files: Path) -> Callable[..., Path]:
    def convert(name: str, form: str, *options: str) -> Path:
        profile = f"-env:UserInstallation={(files / 'profile').as_uri()}"
        subprocess.run(
            [str(SOFFICE), "--headless", profile, *options, "--convert-to", form, "--outdir", str(files), str(files / name)],
            check=True, capture_output=True, timeout=180,
        )  # fmt: skip
        return (files / name).with_suffix(f".{form}")

    return convert


def cells(document: Path) -> list[list[tuple[str, str, str]]]:
    """Kind, value and address of each cell of a sheet; a kind `formula` where it is computed."""
    rows = []
    for row in ET.parse(document).getroot().iter(f"{TABLE}table-row"):
        listed = []
        for cell in row.iter(f"{TABLE}table-cell"):
            kind = cell.get(f"{OFFICE}value-type", "")
            if cell.get(f"{TABLE}formula"):
                kind = "formula"
            text = "\n".join("".join(part.itertext()) for part in cell.iter(f"{TEXT}p"))
            value = cell.get(f"{OFFICE}value") or cell.get(f"{OFFICE}date-value") or text
            link = next((part for part in cell.iter(f"{TEXT}a")), None)
            address = "" if link is None else link.get("{http://www.w3.org/1999/xlink}href", "")
            listed.append((kind, value, address))
        if any(kind for kind, *_ in listed):
            rows.append(listed)
    return rows


def test_a_workbook_has_texts_numbers_days_and_links(opened: Callable[..., Path]) -> None:
    heads, *rows = cells(opened("list.xlsx", "fods"))
    assert [value for _, value, _ in heads[:3]] == ["Name", "Wert", "Adresse"]
    assert [row[1][:2] for row in rows] == [expected for _, expected, _ in CELLS]
    for number, row in enumerate(rows):
        assert row[2][0] == "string" and row[2][1].endswith(f"/lab/x{number}.html")
        assert row[2][2] == row[2][1]  # the cell leads to its address


def test_german_csv_opens_with_umlauts_numbers_and_days(
    opened: Callable[..., Path], files: Path
) -> None:
    assert (files / "list.csv").read_bytes().startswith(b"\xef\xbb\xbfName;Wert;Adresse\r\n")
    with (files / "list.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.reader(file, delimiter=";"))) == len(CELLS) + 1
    german = "--infilter=Text - txt - csv (StarCalc):59,34,76,1,,1031,false,true"
    _, *rows = cells(opened("list.csv", "fods", german))
    for row, (_, in_workbook, in_csv) in zip(rows, CELLS, strict=True):
        if in_csv == "same":
            assert row[1][:2] == in_workbook
        elif in_csv == "marked":
            assert row[1][:2] == ("string", f"'{in_workbook[1]}")
        else:
            assert row[1][:2] == in_csv
