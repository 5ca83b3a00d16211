"""Records of formats that no declaration describes: TOML, the front matter of Markdown and other
texts, GeoJSON. A proposal writes them again, as JSON Lines.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, cast

from lodpipe.diagnostics.finding import Finding, InvalidData, Origin
from lodpipe.documents.readers import read_text, read_yaml
from lodpipe.documents.tree import JsonValue, value_of

Record = dict[str, JsonValue]

_FRONT_MATTER = re.compile(r"---[ \t]*\r?\n(.*?)^---[ \t]*$", re.DOTALL | re.MULTILINE)


def toml_record(path: Path, name: str) -> Record | None:
    """The map of a TOML file; dates and times are texts."""
    try:
        return cast(Record, _plain(tomllib.loads(read_text(path, name))))
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        where = Origin(name, int(line[1])) if line else Origin(name)
        raise InvalidData(
            [Finding("LP102", where, {"format": "TOML", "detail": str(error)})]
        ) from None


def _plain(value: Any) -> JsonValue:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    return cast(JsonValue, value)


def front_matter(path: Path, name: str) -> Record | None:
    """The map between two lines of hyphens at the beginning of a text; None where there is none."""
    match = _FRONT_MATTER.match(read_text(path, name))
    tree = read_yaml(match[1], name) if match else None
    content = None if tree is None else value_of(tree)
    return content if isinstance(content, dict) else None


# Suffix → the record of a file.
FORMATS: dict[str, Callable[[Path, str], Record | None]] = {
    ".toml": toml_record,
    **dict.fromkeys((".md", ".markdown", ".mdx", ".txt", ".html"), front_matter),
}


def is_geojson(content: JsonValue) -> bool:
    """Whether a document is a collection of features in GeoJSON (RFC 7946)."""
    return (
        isinstance(content, dict)
        and content.get("type") == "FeatureCollection"
        and isinstance(content.get("features"), list)
    )


def features(content: JsonValue) -> list[Record]:
    """The properties of features, those with a point with its latitude and longitude; other
    geometries are left out.
    """
    assert isinstance(content, dict)
    records = []
    for feature in cast(list[Record], content["features"]):
        properties = feature.get("properties")
        record: Record = {"id": feature["id"]} if "id" in feature else {}
        record |= properties if isinstance(properties, dict) else {}
        record |= _point(feature.get("geometry"), record)
        if record:
            records.append(record)
    return records


def _point(geometry: JsonValue, record: Record) -> Record:
    """Latitude and longitude of a point, where the properties do not have them."""
    if not isinstance(geometry, dict) or geometry.get("type") != "Point":
        return {}
    place = geometry.get("coordinates")
    if not isinstance(place, list) or len(place) < 2 or {"latitude", "longitude"} & record.keys():
        return {}
    return {"latitude": place[1], "longitude": place[0]}
