"""Makes two registers of any size, always the same bytes: organisations.csv and memberships.csv.

    python benchmarks/generate.py ROWS FOLDER

No clock and no `random`: every cell comes from a row's number through one multiplicative hash. The
cells hold what registers hold and mapping engines stumble over: Unicode (umlauts, Chinese, Arabic,
emoji, combining marks), quotes, backslashes, tabs, line breaks inside quoted cells, empty cells,
keys with spaces, slashes and umlauts, names that read `NA` or `null`.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path

_ORGANISATIONS = (
    "key",
    "name",
    "name_en",
    "description",
    "kind",
    "place",
    "founded",
    "employees",
    "website",
)
_MEMBERSHIPS = ("id", "organisation", "lab", "role", "since")
_KINDS = (
    "stadt",
    "gemeinde",
    "kreis",
    "verein",
    "stiftung",
    "hochschule",
    "unternehmen",
    "initiative",
)
_ROLES = ("lead", "partner", "sponsor", "resonance partner", "network actor")
# Few places and many rows: the statement `place a Location` is made again by every row.
_PLACES = tuple(
    f"{first}{last}{suffix}"
    for first, last, suffix in product(
        ("Bad ", "Neu", "Groß ", "Ober", "Klein-", "Sankt "),
        ("hausen", "Kirchen", "Königs", "Linden", "berg"),
        ("", " (Saale)", " am See", " 3"),
    )
)
_WORDS = (
    "Wasser", "Bürger", "Straße", "Offene Daten", "Łódź", "Zürich", "東京都", "الجمعية", "Ἀθῆναι", "Νέα", "Cafe\u0301", "Île-de-France",
    "O'Neill", "Söhne & Töchter", "Netzwerk", "Kultur", "Umwelt", "Energie", "Gesundheit", "Verkehr", "Jugend", "Heimat", "Markt", "Brücke",
)  # fmt: skip
_NAMES = (
    "{0} {1} e.V.", '"{0}" {1} GmbH', "Verein „{0}“ für {1}", "{0}, {1} und Partner", "C:\\{0}\\{1}", "{0} \U0001f3db\ufe0f {1}",
    "{0}/{1} (gemeinnützig)", "  {0} – {1} ", "{0}\t{1}", "<{0}> & {{{1}}}",
)  # fmt: skip
_DESCRIPTIONS = (
    "", "", "", "Kümmert sich um {0}.", "Erste Zeile: {0}\nZweite Zeile: {1}", 'Sagt: "{0}", \'{1}\' und `mehr`.', "Pfad \\\\server\\{0}\\n",
    "Spalten\t{0}\t{1}\n\n\nEnde \U0001f1e9\U0001f1ea", "Straße 1, 04821 {0}; Tel. +49 (0)341 1234\r\nFax {1}", "{0} {1} " * 6,
)  # fmt: skip
_ENGLISH = (
    "",
    "",
    "",
    "",
    "Association for {0}",
    "The “{0}” Society",
    "{0} Foundation, Inc.",
    "{0} & {1} Ltd.",
)
_DAYS = tuple(
    f"{year}-{month:02}-{day:02}"
    for year in range(1800, 2026)
    for month in range(1, 13)
    for day in range(1, 29)
)
_MONTHS = tuple(f"{year}-{month:02}" for year in range(2018, 2026) for month in range(1, 13))
_MASK = (1 << 64) - 1


def mixed(number: int) -> int:
    """64 well-mixed bits of a number (the finaliser of SplitMix64; Steele, Lea and Flood 2014)."""
    z = (number * 0x9E3779B97F4A7C15 + 0x1234567) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def key(number: int) -> str:
    """The key of an organisation; one in ten has a space and a slash, one in fifty an umlaut."""
    if number % 10 == 3:
        return f"Amt {number}/Ost"
    return f"büro-{number}" if number % 50 == 7 else f"org-{number}"


def _phrases() -> tuple[list[list[str]], ...]:
    """Every text with every pair of words, made once: a row only picks."""
    pairs = list(product(_WORDS, _WORDS))
    return tuple(
        [[shape.format(*pair) for pair in pairs] for shape in shapes]
        for shapes in (_NAMES, _DESCRIPTIONS, _ENGLISH)
    )


def organisations(rows: int) -> Iterator[tuple[str, ...]]:
    names, descriptions, english = _phrases()
    pairs = len(names[0])
    for number in range(rows):
        bits = mixed(number)
        name = f"{names[bits % 10][(bits >> 4) % pairs]} {number}"
        name_en = (
            ("NA", "null")[number & 1]
            if bits % 997 == 5
            else english[(bits >> 14) & 7][(bits >> 17) % pairs]
        )
        founded = _DAYS[(bits >> 30) % len(_DAYS)] if (bits >> 27) & 7 else ""
        employees = str((bits >> 47) % 20_000) if (bits >> 45) & 3 else ""
        website = (
            f"https://www.example.org/{(bits >> 50) % 5000}/{number}?q=a%20b#top"
            if number % 5
            else ""
        )
        yield (
            key(number), name, name_en, descriptions[(bits >> 24) % 10][(bits >> 17) % pairs], _KINDS[(bits >> 60) & 7],
            _PLACES[(bits >> 33) % len(_PLACES)], founded, employees, website,
        )  # fmt: skip


def memberships(rows: int) -> Iterator[tuple[str, ...]]:
    """As many memberships as organisations; one in a hundred names an organisation that is not
    there.
    """
    labs = max(rows // 50, 1)
    for number in range(rows):
        bits = mixed(number + (1 << 40))
        organisation = (bits >> 8) % rows if bits % 100 else rows + number
        since = _MONTHS[(bits >> 40) % len(_MONTHS)] if (bits >> 50) & 3 else ""
        yield (
            f"m{number}",
            key(organisation),
            f"lab {(bits >> 20) % labs}",
            _ROLES[(bits >> 56) % len(_ROLES)],
            since,
        )


def write(path: Path, header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def generate(rows: int, folder: Path) -> None:
    """Both files, unless they are there already."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, header, rows_of in (
        ("organisations", _ORGANISATIONS, organisations),
        ("memberships", _MEMBERSHIPS, memberships),
    ):
        path = folder / f"{name}.csv"
        if not path.exists():
            part = path.with_suffix(".part")
            write(part, header, rows_of(rows))
            part.rename(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Makes organisations.csv and memberships.csv.")
    parser.add_argument("rows", type=int)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    generate(options.rows, options.folder)
