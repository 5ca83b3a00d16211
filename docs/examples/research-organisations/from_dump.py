"""Writes the table that this example reads from ROR's data dump (JSON, schema 2): one row an
organisation, several values of a cell divided by `|`.

    python from_dump.py v1.74-2025-11-24-ror-data_schema_v2.json > ror.csv
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

COLUMNS = (
    "ror", "status", "name", "name_de", "aliases", "types", "established", "city", "country", "geonames_city",
    "lat", "lon", "website", "wikidata", "isni", "grid", "fundref", "parents", "record", "schema",
)  # fmt: skip


def row(record: dict[str, Any]) -> dict[str, object]:
    """The row of one organisation; what it does not have is empty."""
    names = record["names"]
    name = next(item["value"] for item in names if "ror_display" in item["types"])
    german = next((item["value"] for item in names if item.get("lang") == "de"), "")
    others = dict.fromkeys(
        item["value"] for item in names if item["value"] not in (name, german)
    )  # a set that keeps the order
    location = record["locations"][0] if record.get("locations") else {}
    details = location.get("geonames_details", {})
    identifiers = {
        item["type"]: item.get("preferred") or item["all"][0]
        for item in record.get("external_ids", [])
    }
    parents = [item["id"] for item in record.get("relationships", []) if item["type"] == "parent"]
    website = next(
        (item["value"] for item in record.get("links", []) if item["type"] == "website"), ""
    )
    return {
        "ror": record["id"],
        "status": record["status"],
        "name": name,
        "name_de": german if german != name else "",
        "aliases": "|".join(others),
        "types": "|".join(sorted(record["types"])),
        "established": record.get("established") or "",
        "city": details.get("name", ""),
        "country": details.get("country_code", ""),
        "geonames_city": location.get("geonames_id", ""),
        "lat": details.get("lat", ""),
        "lon": details.get("lng", ""),
        "website": website,
        **{kind: identifiers.get(kind, "") for kind in ("wikidata", "isni", "grid", "fundref")},
        "parents": "|".join(parents),
        "record": "dump",
        "schema": "2",
    }


def main(path: str) -> None:
    """Writes the rows of a dump to standard output."""
    writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for record in json.loads(Path(path).read_text("utf-8")):
        writer.writerow(row(record))


if __name__ == "__main__":
    main(sys.argv[1])
