"""The rows of a register file: CSV, JSON, JSON Lines or Parquet, each row a map of texts.

Nested JSON is flattened: `{"names": [{"value": "ANU"}]}` has the column `names.value`, with a text
for each item. A CSV cell may hold several texts as well, which `register_columns` splits.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from lodpipe.diagnostics.finding import Finding, InvalidData, InvalidDeclaration, Origin
from lodpipe.documents.csv_dialect import Dialect
from lodpipe.documents.readers import read_text, unreadable
from lodpipe.engine.file_scans import parquet_rows

Row = Mapping[str, tuple[str, ...]]
DELIMITERS = (",", ";", "\t", "|")
KINDS = (".csv", ".tsv", ".txt", ".json", ".geojson", ".jsonl", ".ndjson", ".parquet")


@dataclass(frozen=True)
class RegisterFile:
    """A file of entries, and the encoding of its text."""

    path: Path
    name: str
    encoding: str = "utf-8"

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Each row with its line (of JSON and Parquet: its number), from the first to the last.

        Raises SourceError (LP106) where the file cannot be read, InvalidData for a wrong encoding
        (LP101) or invalid text (LP102), InvalidDeclaration for a file without entries or of a kind
        that is not known (LP560).
        """
        suffix = self.path.suffix.lower()
        if suffix not in KINDS:
            detail = f"files of kind `{suffix}` cannot be read; known: {', '.join(KINDS)}"
            raise InvalidDeclaration([Finding("LP560", Origin(self.name), {"detail": detail})])
        if not self.path.is_file():
            raise unreadable(self.name, FileNotFoundError(2, "No such file"))
        if suffix in (".csv", ".tsv", ".txt"):
            return self._csv_rows()
        if suffix in (".jsonl", ".ndjson"):
            return self._json_lines()
        if suffix == ".parquet":
            return self._parquet_rows()
        return self._json_rows()

    # -- CSV ---------------------------------------------------------------------------------------

    def _csv_rows(self) -> Iterator[tuple[int, Row]]:
        line = 0
        try:
            encoding = "utf-8-sig" if self.encoding.lower() in ("utf-8", "utf8") else self.encoding
            with self.path.open(encoding=encoding, newline="") as file:
                dialect = Dialect(delimiter=_delimiter(file.readline()))
                file.seek(0)
                header: list[str] = []
                for line, cells in dialect.rows(file):
                    if not header:
                        header = [cell.strip() for cell in cells]
                        continue
                    yield (
                        line,
                        {
                            name: (text,)
                            for name, cell in zip(header, cells, strict=False)
                            if name and (text := cell.strip())
                        },
                    )
        except UnicodeDecodeError as error:
            self._wrong_encoding(error)
        except LookupError:
            detail = f"there is no encoding `{self.encoding}`"
            raise InvalidDeclaration(
                [Finding("LP560", Origin(self.name), {"detail": detail})]
            ) from None
        except csv.Error as error:
            params = {"format": "CSV", "detail": str(error)}
            raise InvalidData([Finding("LP102", Origin(self.name, line), params)]) from None
        except OSError as error:
            raise unreadable(self.name, error) from None

    def _wrong_encoding(self, error: UnicodeDecodeError) -> None:
        if self.encoding.lower() in ("utf-8", "utf8"):
            read_text(self.path, self.name)  # raises LP101 with the line
        params = {"file": self.name, "detail": str(error)}
        raise InvalidData([Finding("LP101", Origin(self.name), params)]) from None

    # -- JSON --------------------------------------------------------------------------------------

    def _json_rows(self) -> Iterator[tuple[int, Row]]:
        text = read_text(self.path, self.name)
        try:
            tree = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            raise self._wrong_json(error) from None
        del text
        records = _records(tree)
        if not records:
            detail = "the file has no list of entries"
            raise InvalidDeclaration([Finding("LP560", Origin(self.name), {"detail": detail})])
        for number, record in enumerate(records, 1):
            yield number, flattened(record)

    def _json_lines(self) -> Iterator[tuple[int, Row]]:
        number = 0
        try:
            with self.path.open("rb") as lines:
                for number, line in enumerate(lines, 1):
                    if line.strip():
                        yield number, flattened(msgspec.json.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._wrong_json(error, number) from None
        except OSError as error:
            raise unreadable(self.name, error) from None

    def _wrong_json(self, error: Exception, line: int = 0) -> InvalidData:
        params = {"format": "JSON", "detail": str(error)}
        where = Origin(self.name, getattr(error, "lineno", line))
        return InvalidData([Finding("LP102", where, params)])

    # -- Parquet -----------------------------------------------------------------------------------

    def _parquet_rows(self) -> Iterator[tuple[int, Row]]:
        for number, row in enumerate(parquet_rows(self.path, self.name), 1):
            yield number, flattened(row)


def _delimiter(header: str) -> str:
    """The sign that separates the columns of a header."""
    return max(DELIMITERS, key=header.count)


def _records(tree: Any, depth: int = 4) -> list[Any]:
    """The entries of a JSON file: a list of maps at the top or, of those below, the longest."""
    if isinstance(tree, list):
        return tree if tree and all(isinstance(item, dict) for item in tree) else []
    if not isinstance(tree, dict) or not depth:
        return []
    below = [_records(value, depth - 1) for value in tree.values()]
    if lists := max(below, key=len, default=[]):
        return lists
    # {"Q42": {…}, "Q43": {…}}
    values = list(tree.values())
    return values if len(values) > 1 and all(isinstance(item, dict) for item in values) else []


def flattened(record: Any) -> Row:
    """A record as columns of texts.

    >>> flattened({"id": 7, "names": [{"value": "ANU"}, {"value": "Uni"}], "old": None})
    {'id': ('7',), 'names.value': ('ANU', 'Uni')}
    """
    columns: dict[str, list[str]] = {}
    _flatten(record, "", columns)
    return {name: tuple(texts) for name, texts in columns.items()}


def _flatten(value: Any, path: str, columns: dict[str, list[str]]) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            _flatten(item, f"{path}.{key}" if path else str(key), columns)
    elif isinstance(value, list | tuple):
        for item in value:
            _flatten(item, path, columns)
    elif value is not None and (text := str(value).strip()):
        columns.setdefault(path, []).append(text)
