"""A map as SVG: outlines from a table of shapes, points from a query; longitude runs evenly in x,
latitude in y.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from math import cos, radians
from pathlib import Path

from lodpipe.documents.readers import inside

HEIGHT = 800
_COLUMNS = ["id", "wkt"]
_RING = re.compile(r"\(([^()]+)\)")


class OutlineError(ValueError):
    """The file of outlines is not one that can be drawn."""


@dataclass(frozen=True)
class Outline:
    """A shape: the resource that it shows (relative to the base), and its rings as (longitude,
    latitude).
    """

    id: str
    rings: tuple[tuple[tuple[float, float], ...], ...]


@dataclass(frozen=True)
class Box:
    """The part of the world that a map shows, and its size in the picture."""

    width: int
    height: int
    west: float
    east: float
    south: float
    north: float

    def x(self, longitude: float) -> float:
        """Position of a longitude in the picture."""
        return round((longitude - self.west) / (self.east - self.west) * self.width, 1)

    def y(self, latitude: float) -> float:
        """Position of a latitude in the picture."""
        return round((self.north - latitude) / (self.north - self.south) * self.height, 1)


def is_inside(area: Box, longitude: float, latitude: float) -> bool:
    """Whether a map shows a point."""
    return area.west <= longitude <= area.east and area.south <= latitude <= area.north


def read_outlines(root: Path, name: str) -> list[Outline]:
    """A CSV file with the columns id and wkt (POLYGON or MULTIPOLYGON, OGC 06-103r4). Raises
    OutlineError.
    """
    path = root / name
    if not path.is_file():
        raise OutlineError(f"there is no file `{name}`")
    csv.field_size_limit(10_000_000)
    with inside(path, root, name).open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if missing := [item for item in _COLUMNS if item not in (reader.fieldnames or [])]:
            raise OutlineError(f"`{name}`: column `{missing[0]}` is missing")
        return [
            Outline(row["id"], _rings(row["wkt"], f"{name}, line {number}"))
            for number, row in enumerate(reader, 2)
        ]


def _rings(wkt: str, where: str) -> tuple[tuple[tuple[float, float], ...], ...]:
    try:
        rings = tuple(
            tuple(_point(pair) for pair in ring.split(",")) for ring in _RING.findall(wkt)
        )
    except ValueError:
        raise OutlineError(f"{where}: not the WKT of a polygon") from None
    if not rings or not re.match(r"\s*(MULTI)?POLYGON\s*\(", wkt):
        raise OutlineError(f"{where}: not the WKT of a polygon")
    return rings


def _point(pair: str) -> tuple[float, float]:
    longitude, latitude = pair.split()
    return float(longitude), float(latitude)


def box(outlines: list[Outline], points: list[tuple[float, float]]) -> Box | None:
    """The box of everything that is drawn, with a small margin; points are (longitude, latitude).
    Beside outlines it reaches the points that are near them, not those in another part of the world.
    """
    corners = [
        corner for outline in outlines for ring in outline.rings for corner in ring
    ] or points
    if not corners:
        return None
    west, south, east, north = _sides(corners)
    near = max(east - west, north - south) / 4
    inside = [
        (x, y)
        for x, y in points
        if west - near <= x <= east + near and south - near <= y <= north + near
    ]
    west, south, east, north = _sides([(west, south), (east, north), *inside])
    margin = max(east - west, north - south, 0.2) * 0.03
    west, east, south, north = (
        round(item, 3) for item in (west - margin, east + margin, south - margin, north + margin)
    )
    ratio = (east - west) * round(cos(radians((south + north) / 2)), 4) / (north - south)
    return Box(max(200, min(1600, round(HEIGHT * ratio))), HEIGHT, west, east, south, north)


def _sides(points: list[tuple[float, float]]) -> tuple[float, float, float, float]:
    """West, south, east and north of points."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def path(outline: Outline, area: Box) -> str:
    """The `d` of an SVG path."""
    parts = []
    for ring in outline.rings:
        points = [f"{area.x(longitude):g} {area.y(latitude):g}" for longitude, latitude in ring]
        visible = [
            point
            for number, point in enumerate(points[:-1])
            if number == 0 or point != points[number - 1]
        ]
        if len(visible) > 2:
            parts.append(f"M{visible[0]}L{' '.join(visible[1:])}Z")
    return "".join(parts)
