"""Answers of sample queries as plain JSON: values as texts, numbers and truth values."""

from __future__ import annotations

import json
import math
from typing import Any

from lodpipe.rdf.namespaces import XSD

_NUMBERS = frozenset(
    XSD + name for name in ("integer", "int", "long", "short", "decimal", "double", "float")
)


def plain_results(body: bytes) -> dict[str, Any]:
    """SPARQL results in JSON (W3C) as rows of plain values; unbound variables are missing."""
    results = json.loads(body)
    if "boolean" in results:
        return {"boolean": results["boolean"]}
    rows = [
        {name: _value(cell) for name, cell in row.items()} for row in results["results"]["bindings"]
    ]
    return {"columns": results["head"]["vars"], "total": len(rows), "items": rows}


def _value(cell: dict[str, str]) -> Any:
    text, datatype = cell["value"], cell.get("datatype", "")
    if datatype == XSD + "boolean":
        return text in ("true", "1")
    if datatype in _NUMBERS:
        try:
            number = float(text) if "." in text or "e" in text.lower() else int(text)
        except ValueError:
            return text
        return number if math.isfinite(number) else text
    return text
