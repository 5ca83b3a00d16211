"""The picture that is shown where a page is shared (Open Graph): what pages say of it, and one that is
drawn from the data, the map of the start page beside its network.

It has no texts: these would need fonts, and pages bring their titles anyway. So every machine with the
same resvg draws the same bytes, in all languages.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from lodpipe.config.publication import Project
from lodpipe.config.publication_keys import SiteKeys
from lodpipe.config.vocabulary import Vocabulary
from lodpipe.engine.statements import Statements
from lodpipe.site.addresses import Addresses
from lodpipe.site.declaration import read_site
from lodpipe.site.overview import Overview, page_store

WIDTH, HEIGHT = 1200, 630
"""What those who show previews ask for, in pixels."""
_MARGIN = 40
_MEDIA_TYPES = {".png": "image/png", ".webp": "image/webp", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}  # fmt: skip
_COLOURS = ("#0b4f6c", "#b4440f", "#55626f", "#6d8f3c", "#8e5aa8")  # .k0 … of site.css
_LAND, _BACK, _LINE, _QUIET = "#ffffff", "#eaf1f5", "#c3ced7", "#8794a0"


class Picture(Struct, frozen=True):
    """A picture: its address, media type, and width and height in pixels where these are known."""

    address: str
    media_type: str
    width: int = 0
    height: int = 0


def declared_picture(project: Project) -> Picture | None:
    """The picture that publication.yaml declares, as it is among the pages."""
    site = project.publication.site
    if not isinstance(site, SiteKeys) or site.preview is None:
        return None
    media_type = _MEDIA_TYPES[Path(site.preview).suffix]
    address = f"{project.publication.host}{preview_file(site.preview)}"
    return Picture(address, media_type, *_size(project.root / site.preview))


def preview_file(path: str) -> str:
    """The file of the site that the declared picture becomes.

    >>> preview_file("source/network.png")
    'assets/preview.png'
    """
    return f"assets/preview{Path(path).suffix}"


def _size(path: Path) -> tuple[int, int]:
    """Width and height of a PNG (its chunk IHDR comes first); (0, 0) of others."""
    with path.open("rb") as file:
        head = file.read(24)
    if len(head) == 24 and head.startswith(b"\x89PNG\r\n\x1a\n"):
        width, height = struct.unpack(">II", head[16:])
        return width, height
    return 0, 0


def draw_preview(project: Project, statements: Statements, vocabulary: Vocabulary) -> str | None:
    """The picture as SVG; None where publication.yaml declares neither a map nor a network."""
    publication = project.publication
    site = read_site(project, vocabulary)
    addresses = Addresses(publication.base, publication.languages)
    overview = Overview(project, page_store(project, statements, site), site, addresses)
    language = publication.languages[0]
    pictures = [
        (picture["box"].width, picture["box"].height, "".join(_map(picture)))
        for picture in [overview.map(language)]
        if picture
    ] + [
        (picture["width"], picture["height"], "".join(_network(picture)))
        for picture in [overview.graph(language)]
        if picture and picture["nodes"]
    ]
    return _composed(pictures) if pictures else None


def _composed(pictures: list[tuple[int, int, str]]) -> str:
    """Pictures side by side, each as high as possible; the space is divided by their proportions."""
    room = WIDTH - _MARGIN * (len(pictures) + 1)
    inner = HEIGHT - 2 * _MARGIN
    shares = [width / height for width, height, _ in pictures]
    parts, left = [], float(_MARGIN)
    for (width, height, drawn), share in zip(pictures, shares, strict=True):
        space = room * share / sum(shares)
        scale = min(space / width, inner / height)
        x, y = left + (space - width * scale) / 2, _MARGIN + (inner - height * scale) / 2
        parts.append(f'<g transform="translate({x:.2f} {y:.2f}) scale({scale:.4f})">{drawn}</g>')
        left += space + _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{_BACK}"/>{"".join(parts)}</svg>'
    )


def _map(picture: dict[str, Any]) -> Iterator[str]:
    for outline in picture["outlines"]:
        yield f'<path d="{outline.d}" fill="{_LAND}" stroke="{_QUIET}" stroke-width="1.2"/>'
    for area in picture["areas"]:
        colour = _COLOURS[int(area.kind) % len(_COLOURS)]
        yield (
            f'<path d="{area.d}" fill="{colour}" stroke="{colour}" stroke-width="16" opacity="0.35" '
            'stroke-linejoin="round" stroke-linecap="round"/>'
        )
    for point in picture["points"]:
        yield _circle(point.x, point.y, 11 if point.kind == "0" else 5, point.kind)


def _network(picture: dict[str, Any]) -> Iterator[str]:
    yield f'<path d="{picture["lines"]}" fill="none" stroke="{_LINE}" stroke-width="2"/>'
    for node in picture["nodes"]:
        yield _circle(node.x, node.y, 14 if node.kind == "0" else 7, node.kind)


def _circle(x: float, y: float, radius: int, kind: str) -> str:
    colour = _COLOURS[int(kind) % len(_COLOURS)]
    return f'<circle cx="{x:g}" cy="{y:g}" r="{radius}" fill="{colour}" stroke="#fff" stroke-width="1.5"/>'


def png(svg: str) -> bytes:
    """An SVG picture as PNG. Raises ImportError without the extra `preview`."""
    import resvg_py

    return bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True))
