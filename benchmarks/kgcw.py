"""Makes the parameters of the Knowledge Graph Construction Workshop's challenge as tables with
mappings, always the same bytes.

    python benchmarks/kgcw.py CASE ROWS FOLDER

The challenge (track 2, performance) varies one thing at a time over tables of 20 columns. Its own
generator draws at random; here cells come from the number of their row, as in generate.py.

| case | what it varies |
|---|---|
| duplicates-0 … duplicates-100 | per cent of the rows that repeat the first row |
| empties-0 … empties-100 | per cent of the rows whose cells are empty but for the key |
| join-1-1, join-1-10, join-10-1, join-5-3 … | rows of the child, and of the parent, that have a key |
| columns-1 … columns-30 | how many columns make a statement |
| maps-1 … maps-300 | how many triples maps read the one table |
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

from generate import mixed, write

COLUMNS = 20
CASES = (
    *(f"duplicates-{share}" for share in (0, 25, 50, 75, 100)),
    *(f"empties-{share}" for share in (0, 25, 50, 75, 100)),
    *(f"join-{child}-{parent}" for child, parent in ((1, 1), (1, 10), (10, 1), (5, 3), (10, 10))),
    *(f"columns-{count}" for count in (1, 5, 10, 30)),
    *(f"maps-{count}" for count in (1, 10, 30)),
)  # fmt: skip
Row = tuple[str, ...]

_VOCABULARIES = {
    "rml": ("@prefix m: <http://w3id.org/rml/> .\n@prefix r: <http://w3id.org/rml/> .\n", "r:CSV"),
    "rr": (
        "@prefix m: <http://semweb.mmlab.be/ns/rml#> .\n@prefix r: <http://www.w3.org/ns/r2rml#> .\n"
        "@prefix ql: <http://semweb.mmlab.be/ns/ql#> .\n",
        "ql:CSV",
    ),
}


def _cells(number: int, columns: int) -> Row:
    return tuple(
        f"value {column} {mixed(number * 64 + column) % 10**9}" for column in range(columns)
    )


def _table(rows: int, columns: int, duplicates: int = 0, empties: int = 0) -> Iterator[Row]:
    """Rows of a key and columns; the shares are in per cent, spread over the table."""
    for number in range(rows):
        share = mixed(number) % 100
        source = 0 if share < duplicates else number
        cells = _cells(source, columns)
        yield (f"{source}", *(("",) * columns if share < empties else cells))


def _joined(rows: int, repeats: int, name: str) -> Iterator[Row]:
    """Rows of which so many in a row have the same key."""
    for number in range(rows):
        yield (f"{number}", f"k{number // repeats}", f"{name} {mixed(number) % 10**9}")


def _map(number: int, source: str, columns: int, formulation: str, more: str = "") -> str:
    rules = "".join(
        f' ;\n  r:predicateObjectMap [ r:predicate <http://example.com/p{column}> ; r:objectMap [ m:reference "p{column}" ] ]'
        for column in range(columns)
    )
    return (
        f"<#map{number}> a r:TriplesMap ;\n"
        f'  m:logicalSource [ m:source "{source}" ; m:referenceFormulation {formulation} ] ;\n'
        f'  r:subjectMap [ r:template "http://example.com/{source[:-4]}/{number}/{{id}}" ]{rules}{more} .\n'
    )


_JOIN = (
    " ;\n  r:predicateObjectMap [ r:predicate <http://example.com/joined> ; r:objectMap ["
    ' r:parentTriplesMap <#map1> ; r:joinCondition [ r:child "key" ; r:parent "key" ] ] ]'
)


def generate(case: str, rows: int, folder: Path) -> None:
    """Writes the tables of a case, and its mapping in both vocabularies. Raises ValueError."""
    match = re.fullmatch(r"(duplicates|empties|join|columns|maps)-([0-9]+)(?:-([0-9]+))?", case)
    if match is None:
        raise ValueError(case)
    kind, number = match[1], int(match[2])
    columns = number if kind == "columns" else 0 if kind == "join" else COLUMNS
    if kind == "join":
        header = ("id", "key", "name")
        write(folder / "child.csv", header, _joined(rows, number, "child"))
        write(folder / "parent.csv", header, _joined(rows, int(match[3]), "parent"))
    else:
        header = ("id", *(f"p{column}" for column in range(columns)))
        shares = {kind: number} if kind in ("duplicates", "empties") else {}
        write(folder / "data.csv", header, _table(rows, columns, **shares))
    for name, (prefixes, formulation) in _VOCABULARIES.items():
        if kind == "join":
            maps = [
                _map(0, "child.csv", 0, formulation, _JOIN),
                _map(1, "parent.csv", 0, formulation),
            ]
        else:
            count = number if kind == "maps" else 1
            used = 5 if kind == "maps" else columns
            maps = [_map(place, "data.csv", used, formulation) for place in range(count)]
        text = f"@base <http://example.com/mapping> .\n{prefixes}{''.join(maps)}"
        (folder / f"{case}.{name}.ttl").write_text(text, "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Makes a case of the challenge's parameters.")
    parser.add_argument("case", choices=CASES)
    parser.add_argument("rows", type=int)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    generate(options.case, options.rows, options.folder)
