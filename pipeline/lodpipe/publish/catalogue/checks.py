"""A written catalogue against its files, its shapes, the code lists, its other forms and
publication.yaml.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyoxigraph as ox

from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import Finding, Origin, Severity
from lodpipe.publish.catalogue import codes
from lodpipe.publish.catalogue.graph import PREFIXES, name
from lodpipe.rdf.file_formats import BY_SUFFIX, PARSERS
from lodpipe.rdf.terms import Triple, parse_literal, plain_text
from lodpipe.rdf.turtle import TermWriter
from lodpipe.shacl import shapes
from lodpipe.sources.schema import nearest

FILE = "dist/catalog.ttl"
_FORMS = {
    suffix: PARSERS[suffix] for suffix in ("jsonld", "rdf", "nt")
}  # those of the catalogue beside Turtle
SHAPES = "shapes/catalogue"


def catalogue_findings(
    project: Project, folder: Path | None = None, validator: shapes.Validator | None = None
) -> Iterator[Finding]:
    """What is wrong with dist/catalog.ttl and what it says of the files beside it; nothing where
    there is no catalogue yet.
    """
    folder = folder or project.dist
    path = folder / "catalog.ttl"
    if not path.is_file():
        return
    try:
        triples = read_triples(path, ox.RdfFormat.TURTLE, project.publication.base)
    except (SyntaxError, ValueError) as error:
        yield Finding(
            "LP532",
            Origin(FILE, getattr(error, "lineno", 0) or 0),
            {"file": FILE, "detail": str(error)},
        )
        return
    catalogue = Catalogue(project, folder, triples, path.read_text("utf-8"))
    yield from catalogue.shape_findings(validator)
    yield from catalogue.structure_findings()
    yield from catalogue.file_findings()
    yield from catalogue.code_findings()
    yield from catalogue.release_findings()
    yield from catalogue.form_findings()


def read_triples(path: Path, form: ox.RdfFormat, base: str) -> list[Triple]:
    """The triples of a file in N-Triples spelling; its blank nodes numbered as they come."""
    numbers: dict[str, str] = {}

    def spelt(term: object) -> str:
        return (
            numbers.setdefault(str(term), f"_:b{len(numbers)}")
            if isinstance(term, ox.BlankNode)
            else str(term)
        )

    with path.open("rb") as file:
        return sorted(
            (spelt(item.subject), str(item.predicate), spelt(item.object))
            for item in ox.parse(file, format=form, base_iri=base)
        )


class Catalogue:
    """A catalogue that was read, and the ways to look into it."""

    def __init__(self, project: Project, folder: Path, triples: list[Triple], text: str) -> None:
        self.project, self.folder, self.triples = project, folder, triples
        self.publication = project.publication
        self.lines = text.split("\n")
        self.properties: dict[str, dict[str, list[str]]] = {}
        for s, p, o in triples:
            self.properties.setdefault(s, {}).setdefault(p, []).append(o)
        self.write = TermWriter(self.publication.base, PREFIXES)

    def values(self, subject: str, predicate: str) -> list[str]:
        """The objects of a predicate given as a prefixed name."""
        return self.properties.get(subject, {}).get(name(predicate), [])

    def value(self, subject: str, predicate: str) -> str:
        """The text or IRI of the first of them, or an empty text."""
        values = self.values(subject, predicate)
        return plain_text(values[0]) if values else ""

    def instances(self, class_: str) -> list[str]:
        """The nodes of a class."""
        return sorted(
            s
            for s, properties in self.properties.items()
            if name(class_) in properties.get(name("rdf:type"), [])
        )

    def where(self, subject: str, predicate: str | None = None) -> Origin:
        """The line of a node, or of what it says by a predicate."""
        start = next(
            (
                n
                for n, line in enumerate(self.lines, 1)
                if line.startswith((self.write(subject) + " ", subject + " "))
            ),
            0,
        )
        if start and predicate:
            spelt = "a" if predicate == name("rdf:type") else self.write(predicate)
            for number in range(start, len(self.lines) + 1):
                line = self.lines[number - 1]
                if number > start and not line.startswith(" "):
                    break
                if f" {spelt} " in line:
                    return Origin(FILE, number)
        return Origin(FILE, start)

    # -- checks ------------------------------------------------------------------------------------

    def shape_findings(self, validator: shapes.Validator | None) -> Iterator[Finding]:
        """The own shapes of the project (LP524)."""
        if not (self.project.root / SHAPES).is_dir():
            return
        read = shapes.read_shapes(
            self.project.root, self.publication.base, SHAPES, self.publication.ignored_terms
        )
        yield from read.findings
        for item in (validator or shapes.Validator(self.publication.shacl_engine)).run(
            self.triples, read
        ):
            own = read.messages.get(item.shape, {})
            message = own.get("en") or " ".join(item.messages) or item.component
            details = (
                f" ({self.write(item.value)})"
                if item.value and item.value != item.focus and len(item.value) < 200
                else ""
            )
            words = {
                "message_en": message + details,
                "message_de": own.get("de", message) + details,
                "focus": self.write(item.focus).strip("<>"),
            }
            yield Finding(
                "LP524",
                self.where(item.focus, item.path or None),
                words,
                shapes.SEVERITIES.get(item.severity, Severity.ERROR),
            )

    def structure_findings(self) -> Iterator[Finding]:
        """One catalogue, one dataset, every distribution and the service within it (LP533)."""

        def wrong(node: str, en: str, de: str) -> Finding:
            return Finding(
                "LP533",
                self.where(node),
                {"focus": self.write(node).strip("<>"), "message_en": en, "message_de": de},
            )

        catalogues, datasets = self.instances("dcat:Catalog"), self.instances("dcat:Dataset")
        listed = {item for node in catalogues for item in self.values(node, "dcat:dataset")}
        offered = {item for node in datasets for item in self.values(node, "dcat:distribution")}
        if len(catalogues) != 1:
            number = len(catalogues)
            words = {
                "focus": FILE,
                "message_en": f"{number} catalogues, not one",
                "message_de": f"{number} Kataloge statt eines",
            }
            yield Finding("LP533", Origin(FILE), words)
        for node in [dataset for dataset in datasets if dataset not in listed]:
            yield wrong(
                node,
                "a dataset that the catalogue does not list; portals would create an entry for it",
                "ein Datensatz, den der Katalog nicht aufführt; Portale würden daraus einen Eintrag erzeugen",
            )
        for node in [
            instance for instance in self.instances("dcat:Distribution") if instance not in offered
        ]:
            yield wrong(
                node,
                "a distribution that no dataset offers",
                "eine Distribution, die kein Datensatz anbietet",
            )
        for node in [
            item
            for item in offered
            if name("dcat:Distribution")
            not in self.properties.get(item, {}).get(name("rdf:type"), [])
        ]:
            yield wrong(
                node,
                "offered as a distribution, but not described as one",
                "als Distribution angeboten, aber nicht als solche beschrieben",
            )

    def file_findings(self) -> Iterator[Finding]:
        """Each distribution is a file of dist/ with the size and checksum it states (LP525 to
        LP527), and each dump is offered (LP529).
        """
        downloads = self.publication.downloads
        offered = set()
        for node in self.instances("dcat:Distribution"):
            address = self.value(node, "dcat:downloadURL")
            path = self.folder / address.removeprefix(downloads)
            inside = (
                address.startswith(downloads)
                and ".." not in Path(address.removeprefix(downloads)).parts
            )
            if not inside or not path.is_file():
                yield Finding(
                    "LP525", self.where(node, name("dcat:downloadURL")), {"value": address}
                )
                continue
            offered.add(address.removeprefix(downloads))
            yield from self._size_and_checksum(node, path)
            yield from self._format(node, path)
        for file in [
            *sorted(self.folder.glob(f"{self.publication.name}.*")),
            *sorted(self.folder.glob("tables/*.csv")),
        ]:
            if (
                file.relative_to(self.folder).as_posix() not in offered
                and _suffix(file) in BY_SUFFIX
            ):
                yield Finding(
                    "LP529",
                    Origin(FILE),
                    {"value": file.relative_to(self.folder).as_posix()},
                    Severity.WARNING,
                )

    def _size_and_checksum(self, node: str, path: Path) -> Iterator[Finding]:
        size = self.value(node, "dcat:byteSize")
        if size != str(path.stat().st_size):
            words = {"value": path.name, "found": size or "–", "expected": str(path.stat().st_size)}
            yield Finding("LP526", self.where(node, name("dcat:byteSize")), words)
        checksum = next(iter(self.values(node, "spdx:checksum")), "")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha512").hexdigest()
        stated = self.value(checksum, "spdx:checksumValue")
        if stated.lower() != digest:
            words = {
                "value": path.name,
                "found": f"{stated[:12]}…" if stated else "–",
                "expected": f"{digest[:12]}…",
            }
            yield Finding(
                "LP527",
                self.where(checksum, name("spdx:checksumValue")) if checksum else self.where(node),
                words,
            )

    def _format(self, node: str, path: Path) -> Iterator[Finding]:
        """Format, media type and packing as the file's name says (LP530)."""
        packed = path.suffix == ".gz"
        kind = BY_SUFFIX.get(_suffix(path))
        if kind is None:
            return
        iana = "https://www.iana.org/assignments/media-types/"
        expected = {
            "dct:format": codes.concept("file-type", kind.code),
            "dcat:mediaType": iana + kind.media_type,
            "dcat:compressFormat": f"{iana}application/gzip" if packed else "",
        }
        for predicate, wanted in expected.items():
            value = self.value(node, predicate)
            if value != wanted:
                words = {
                    "key": predicate,
                    "value": path.name,
                    "found": value or "–",
                    "expected": wanted or "–",
                }
                yield Finding("LP530", self.where(node, name(predicate)), words)

    def code_findings(self) -> Iterator[Finding]:
        """IRIs of code lists: known, and with type, label and scheme (LP528)."""
        used = {term for _, _, term in self.triples if term.startswith("<")} | set(self.properties)
        for term in sorted(used):
            pair = codes.scheme_and_code(term[1:-1])
            if pair is None:
                continue
            scheme, code = pair
            known = codes.codes()[scheme]
            where = next(
                (self.where(s, p) for s, p, o in self.triples if o == term), self.where(term)
            )
            lacks = ", ".join(
                p
                for p in ("rdf:type", "skos:prefLabel", "skos:inScheme")
                if not self.values(term, p)
            )
            if code not in known:
                near = nearest(code, list(known))
                details = f"is not in the list {scheme}", f"ist nicht in der Liste {scheme}"
                if near:
                    details = (
                        f"{details[0]}; did you mean `{near}`?",
                        f"{details[1]}; gemeint ist vielleicht `{near}`",
                    )
            elif lacks:
                details = f"lacks {lacks}", f"hat kein {lacks}"
            elif f"<{codes.SCHEMES[scheme].iri}>" not in self.values(term, "skos:inScheme"):
                details = "is in another scheme", "gehört zu einem anderen Schema"
            else:
                continue
            yield Finding(
                "LP528",
                where,
                {"value": term[1:-1], "detail_en": details[0], "detail_de": details[1]},
            )

    def release_findings(self) -> Iterator[Finding]:
        """Dates, version, identifier, licence and titles are those of publication.yaml (LP531)."""
        dataset, catalog = f"<{self.publication.base}dataset>", f"<{self.publication.base}catalog>"
        licence = codes.licence_of(self.publication.licence)
        expected: list[tuple[str, str, str]] = [
            (dataset, "dct:identifier", f"{self.publication.base}dataset"),
            (dataset, "dcat:version", self.publication.version),
            (dataset, "dct:issued", self.publication.issued),
            *((node, "dct:modified", self.publication.date) for node in (dataset, catalog)),
            *(
                (node, "dct:modified", self.publication.date)
                for node in self.instances("dcat:Distribution")
            ),
            *((node, "dct:license", licence.known) for node in self.instances("dcat:Distribution")),
            (f"<{licence.known}>", "dct:title", licence.title),
            (f"<{licence.known}>", "dct:description", licence.address),
        ]
        for node, predicate, wanted in expected:
            values = [plain_text(item) for item in self.values(node, predicate)]
            if values != [wanted]:
                yield self._unlike(node, predicate, ", ".join(values), wanted)
        for node in (dataset, catalog):
            for predicate, wanted_texts in (
                ("dct:title", self.publication.title),
                ("dct:description", self.publication.description),
            ):
                yield from self._texts(node, predicate, wanted_texts)

    def _texts(self, node: str, predicate: str, wanted: Mapping[str, str]) -> Iterator[Finding]:
        texts = {language(item): plain_text(item) for item in self.values(node, predicate)}
        for tag, text in wanted.items():
            if texts.get(tag) != text:
                yield self._unlike(
                    node,
                    predicate,
                    texts.get(tag, ""),
                    f"{text[:60]}… @{tag}" if len(text) > 60 else f"{text} @{tag}",
                )

    def _unlike(self, node: str, predicate: str, value: str, wanted: str) -> Finding:
        words = {
            "focus": self.write(node).strip("<>"),
            "key": predicate,
            "found": value or "–",
            "expected": wanted,
        }
        return Finding("LP531", self.where(node, name(predicate)), words, Severity.WARNING)

    def form_findings(self) -> Iterator[Finding]:
        """The other forms of the catalogue say the same (LP534)."""
        for suffix, form in _FORMS.items():
            path = self.folder / f"catalog.{suffix}"
            file = f"dist/{path.name}"
            try:
                other = set(read_triples(path, form, self.publication.base))
            except (SyntaxError, ValueError, OSError) as error:
                yield Finding(
                    "LP532",
                    Origin(file, getattr(error, "lineno", 0) or 0),
                    {"file": file, "detail": str(error)},
                )
                continue
            if more := set(self.triples) ^ other:
                yield Finding(
                    "LP534",
                    Origin(file),
                    {"file": file, "count": str(len(more)), "value": " ".join(min(more))[:160]},
                )


def _suffix(path: Path) -> str:
    return path.name.removesuffix(".gz").rpartition(".")[2]


def language(term: str) -> str:
    """The language of a literal, or an empty text."""
    literal = parse_literal(term)
    return literal.language if literal else ""
