"""What the start page shows besides words: the map, the picture of the network, figures, and how
much there is of what.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lodpipe.config.publication import Project
from lodpipe.config.publication_keys import GraphPicture, MapPicture
from lodpipe.engine.page_store import PageContents, PageStore
from lodpipe.engine.statements import Statements
from lodpipe.site.addresses import Addresses, href
from lodpipe.site.declaration import AREA_COLUMNS, Site
from lodpipe.site.layout import Laid, lay_out
from lodpipe.site.map_areas import Name, hull_path, place_names
from lodpipe.site.maps import Box, Outline, box, is_inside, path, read_outlines
from lodpipe.site.names import chosen, label
from lodpipe.site.network_names import Name as NodeName
from lodpipe.site.network_names import Network
from lodpipe.site.values import Value

Labels = Mapping[str, Sequence[str | None]]


@dataclass
class Shape:
    """An outline or a point or a node as it is drawn."""

    text: str
    href: str | None
    kind: str
    d: str = ""
    x: float = 0.0
    y: float = 0.0
    network_name: NodeName | None = None  # of a node
    name: Name | None = None  # of an area, beside it


@dataclass(frozen=True)
class AreaPlaces:
    """A resource that the map shows as the hull of places, (longitude, latitude) each."""

    iri: str
    name: str
    kind: str
    places: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class SmallMap:
    """The map on the page of a resource: its points over the outlines, which are a file."""

    box: Box
    outlines: bool
    points: Sequence[Shape]
    legend: Sequence[tuple[str, str]]
    names: str


@dataclass(frozen=True)
class Figure:
    """What was announced and what is recorded."""

    text: Value
    announced: str
    recorded: str
    equal: bool
    unit: str = ""  # what the recorded number counts


def page_store(project: Project, statements: Statements, site: Site) -> PageStore:
    """What the pages are made of."""
    return PageStore(
        statements.session,
        project.publication.base,
        project.publication.languages,
        PageContents(
            [(kind.iri, kind.name) for kind in site.kinds],
            [table.paths for table in site.tables],
            [facet.query for facet in site.facets],
            site.annotations,
            site.map.pages.points if site.map and site.map.pages else None,
            site.cards,
        ),
    )


class Overview:
    """The declared pictures and figures of a publication, read once and drawn in each language."""

    def __init__(
        self, project: Project, store: PageStore, site: Site, addresses: Addresses
    ) -> None:
        self.project, self.store, self.site, self.addresses = project, store, site, addresses

    def _iri(self, resource: str) -> str:
        name = str(resource).strip("<>")
        return f"<{name}>" if "://" in name else f"<{self.addresses.base}{name}>"

    # -- map ---------------------------------------------------------------------------------------

    @cached_property
    def outlines(self) -> list[Outline]:
        """The declared outlines."""
        return (
            read_outlines(self.project.root, self.site.map.outlines)
            if self.site.map and self.site.map.outlines
            else []
        )

    @cached_property
    def points(self) -> list[tuple[str, float, float, str]]:
        """(resource, latitude, longitude, kind) of the map, in order."""
        if self.site.map is None:
            return []
        rows = self.store.declared(
            self.site.map.points, ("resource", "latitude", "longitude", "kind")
        )
        return sorted(
            (self._iri(r), round(float(y), 3), round(float(x), 3), str(k))
            for r, y, x, k in rows
            if None not in (r, y, x)
        )

    @cached_property
    def areas(self) -> list[AreaPlaces]:
        """What the map shows as areas, in order."""
        if self.site.map is None or self.site.map.areas is None:
            return []
        places: dict[tuple[str, str, str], set[tuple[float, float]]] = {}
        for resource, name, y, x, kind in self.store.declared(self.site.map.areas, AREA_COLUMNS):
            if None not in (resource, y, x):
                key = self._iri(resource), str(name or ""), str(kind)
                places.setdefault(key, set()).add((round(float(x), 3), round(float(y), 3)))
        return [AreaPlaces(*key, tuple(sorted(spots))) for key, spots in sorted(places.items())]

    @cached_property
    def area(self) -> Box | None:
        """What the map shows."""
        spots = [spot for item in self.areas for spot in item.places]
        return box(self.outlines, [*((x, y) for _, y, x, _ in self.points), *spots])

    @cached_property
    def _map_labels(self) -> Labels:
        return self.store.labels(
            [
                *(self._iri(outline.id) for outline in self.outlines),
                *(point for point, *_ in self.points),
                *(item.iri for item in self.areas),
            ]
        )

    def map(self, language: str) -> dict[str, Any] | None:
        """The map in a language; points of the kind that the legend names first are on top."""
        if self.site.map is None or self.area is None:
            return None
        outlines = [
            self._shape(
                self._iri(outline.id), "", language, self._map_labels, d=path(outline, self.area)
            )
            for outline in self.outlines
        ]
        order = {kind: number for number, kind in enumerate(self.site.map.legend)}
        points = sorted(self.points, key=lambda point: (-order.get(point[3], len(order)), point))
        drawn = [
            self._shape(
                iri,
                str(order.get(kind, len(order))),
                language,
                self._map_labels,
                x=self.area.x(x),
                y=self.area.y(y),
            )
            for iri, y, x, kind in points
            if is_inside(self.area, x, y)
        ]
        return {
            "box": self.area,
            "outlines": outlines,
            "areas": self._areas(self.area, order, language),
            "area_kinds": {str(order.get(item.kind, len(order))) for item in self.areas},
            "points": drawn,
            "outside": len(points) - len(drawn),
            **self._below(self.site.map, language),
        }

    def _areas(self, area: Box, order: Mapping[str, int], language: str) -> list[Shape]:
        """The areas with their names beside them; of places outside the map nothing is drawn."""
        shapes, named = [], []
        for item in self.areas:
            spots = [(area.x(x), area.y(y)) for x, y in item.places if is_inside(area, x, y)]
            if not spots:
                continue
            shape = self._shape(
                item.iri,
                str(order.get(item.kind, len(order))),
                language,
                self._map_labels,
                d=hull_path(spots),
            )
            shapes.append(shape)
            named.append((item.name or shape.text, spots))
        dots = [(area.x(x), area.y(y)) for _, y, x, _ in self.points if is_inside(area, x, y)]
        for shape, name in zip(
            shapes, place_names(named, dots, area.width, area.height), strict=True
        ):
            shape.name = name
        return shapes

    def outlines_file(self) -> str | None:
        """The outlines as an SVG file, which small maps show below their points; grey is visible in
        both themes.
        """
        if not self.outlines or self.area is None:
            return None
        area = self.area
        d = "".join(path(outline, area) for outline in self.outlines)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {area.width} {area.height}">'
            f'<path fill="#8794a1" fill-opacity=".16" stroke="#8794a1" stroke-width="2" d="{d}"/></svg>\n'
        )

    def small_map(self, spots: Sequence[Sequence[Any]], language: str) -> SmallMap | None:
        """The map of a page in a language; None where none of its points is on the map. The kind
        that the legend names first is the largest, below the others.
        """
        picture, area = self.site.map, self.area
        if not spots or area is None or picture is None or picture.pages is None:
            return None
        order = {kind: number for number, kind in enumerate(picture.pages.legend)}
        points: dict[tuple[float, float], Shape] = {}
        for _, iri, y, x, kind, *labels in spots:
            if is_inside(area, x, y):
                place = area.x(x), area.y(y)
                number = order.get(kind, len(order))
                shape = self._shape(
                    iri, str(number), language, {iri: labels}, x=place[0], y=place[1]
                )
                if place not in points or shape.kind < points[place].kind:
                    points[place] = shape
        if not points:
            return None
        drawn = sorted(points.values(), key=lambda shape: (shape.kind, shape.text))
        used = {shape.kind for shape in drawn}
        legend = [
            (str(number), chosen(texts, language))
            for number, texts in enumerate(picture.pages.legend.values())
            if str(number) in used
        ]
        names = ", ".join(dict.fromkeys(shape.text for shape in drawn))
        return SmallMap(area, bool(self.outlines), drawn, legend, names)

    def _below(self, picture: MapPicture | GraphPicture, language: str) -> dict[str, Any]:
        legend = [
            (str(number), chosen(texts, language))
            for number, texts in enumerate(picture.legend.values())
        ]
        return {
            "legend": legend,
            "caption": chosen(picture.caption, language),
            "attribution": chosen(picture.attribution, language)
            if isinstance(picture, MapPicture)
            else "",
        }

    def _shape(self, iri: str, kind: str, language: str, labels: Labels, **given: Any) -> Shape:
        page = self.addresses.page(iri[1:-1]) if iri in labels else None
        text, _ = label(
            labels.get(iri, [None]),
            self.addresses.languages.index(language) if iri in labels else 0,
            iri,
            self.addresses.base,
        )
        return Shape(
            text,
            href(page) + self.addresses.suffix(language) + ".html" if page else None,
            kind,
            **given,
        )

    # -- network -----------------------------------------------------------------------------------

    @cached_property
    def _network(self) -> tuple[dict[str, str], list[tuple[str, str]], Laid, Labels] | None:
        if self.site.graph is None:
            return None
        picture = self.site.graph
        kinds = {
            self._iri(r): str(k)
            for r, k in sorted(
                self.store.declared(picture.nodes, ("resource", "kind"), distinct=True)
            )
        }
        edges = [
            (self._iri(a), self._iri(b))
            for a, b in self.store.declared(picture.edges, ("source", "target"), distinct=True)
        ]
        laid = lay_out(list(kinds), edges)
        edges = sorted({(a, b) for a, b in edges if a in laid.places and b in laid.places})
        return kinds, edges, laid, self.store.labels(list(laid.places))

    def graph(self, language: str) -> dict[str, Any] | None:
        """The picture of the network in a language: edges, then nodes; those with several
        neighbours bear their names.
        """
        if self._network is None or self.site.graph is None:
            return None
        kinds, edges, laid, labels = self._network
        degree: dict[str, int] = dict.fromkeys(laid.places, 0)
        for a, b in edges:
            degree[a] += 1
            degree[b] += 1
        order = {kind: number for number, kind in enumerate(self.site.graph.legend)}
        nodes, named = [], dict[str, Shape]()
        for place in sorted(
            laid.places, key=lambda item: (-order.get(kinds[item], len(order)), item)
        ):
            x, y = laid.places[place]
            node = self._shape(
                place, str(order.get(kinds[place], len(order))), language, labels, x=x, y=y
            )
            nodes.append(node)
            if degree[place] != 1:
                named[place] = node
        network = Network(laid.places, laid.rings, edges, laid.width, laid.height)
        names = network.names({place: node.text for place, node in named.items()})
        for place, node in named.items():
            node.network_name = names[place]
        lines = "".join(
            f"M{laid.places[a][0]:g} {laid.places[a][1]:g}L{laid.places[b][0]:g} {laid.places[b][1]:g}"
            for a, b in edges
        )
        size = {
            "width": laid.width,
            "height": laid.height,
            "drawn": len(nodes),
            "total": len(kinds),
        }
        return {**size, "lines": lines, "nodes": nodes, **self._below(self.site.graph, language)}

    # -- figures -----------------------------------------------------------------------------------

    @cached_property
    def _figures(self) -> tuple[list[tuple[Any, ...]], Labels]:
        if self.site.figures is None:
            return [], {}
        rows = [
            (self._iri(r), a, b)
            for r, a, b in self.store.declared(
                self.site.figures.query, ("resource", "announced", "recorded")
            )
        ]
        return rows, self.store.labels([*(row[0] for row in rows), *self._units.values()])

    @cached_property
    def _units(self) -> dict[str, str]:
        """What is counted, by the resource of the figure."""
        if self.site.figures is None or self.site.figures.unit is None:
            return {}
        rows = self.store.declared(self.site.figures.unit, ("resource", "unit"))
        return {self._iri(resource): self._iri(unit) for resource, unit in rows if unit is not None}

    def figures(self, language: str) -> dict[str, Any] | None:
        """The table of figures."""
        if self.site.figures is None:
            return None
        rows, labels = self._figures
        figures = []
        for iri, announced, recorded in rows:
            shape = self._shape(iri, "", language, labels)
            equal = (
                announced is not None
                and recorded is not None
                and str(announced).split(" ")[-1] == str(recorded)
            )
            first, second = ("–" if item is None else str(item) for item in (announced, recorded))
            unit = (
                self._shape(self._units[iri], "", language, labels) if iri in self._units else None
            )
            figures.append(
                Figure(
                    Value(shape.text, shape.href), first, second, equal, unit.text if unit else ""
                )
            )
        return {
            "rows": figures,
            "title": chosen(self.site.figures.title, language),
            "caption": chosen(self.site.figures.caption, language),
        }
