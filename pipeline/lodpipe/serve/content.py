"""What dist/ holds, as addresses: files, documents of resources, withdrawn ones; as the web servers'
configurations have them.
"""

from __future__ import annotations

import contextlib
import hashlib
import mimetypes
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from lodpipe.config.publication import Project
from lodpipe.config.vocabulary import read_vocabulary
from lodpipe.diagnostics.finding import Finding, Origin, SourceError
from lodpipe.publish.catalogue.self_description import METADATA, graphs_of
from lodpipe.publish.catalogue.signposting import header_links, read_links
from lodpipe.publish.catalogue.versions import document_of
from lodpipe.publish.catalogue.web import MEDIA_TYPES, document_ends
from lodpipe.publish.catalogue.withdrawn import LIST, WithdrawnIri, read_list
from lodpipe.publish.packed_pages import SiteArchive, packed_pages
from lodpipe.rdf.file_formats import DOCUMENTS
from lodpipe.serve.negotiation import PAGES, languages, named

_LANDING = re.compile(r"(?:index|catalog)(?:\.[a-z]+)?\.html")


@dataclass(frozen=True)
class Content:
    """One state of dist/: its version is a hash of its files' checksums, so that the same data has
    the same ETags everywhere.
    """

    dist: Path
    name: str
    base: str
    version: str
    languages: tuple[str, ...]
    prefixes: Mapping[str, str]
    withdrawn: Mapping[str, WithdrawnIri]
    """By the address of the resource."""
    landing: str = ""
    path: str = "/"
    """Of the pages on the host that the publication declares."""
    packed: SiteArchive | None = None
    """The pages of resources where they are in one file."""
    formats: frozenset[str] = frozenset(row.suffix for row in DOCUMENTS)
    """The suffixes of the data formats of resources."""

    @property
    def dumps(self) -> list[tuple[str, str]]:
        """The files that workers load, with their formats; the description's is the last."""
        files = [(str(self.dist / f"{self.name}.{suffix}"), suffix) for suffix in ("nq", "nt")]
        described = self.dist / METADATA
        return [*files, (str(described), "nq")] if described.is_file() else files

    @property
    def metadata(self) -> tuple[str, ...]:
        """The IRIs of the graphs that describe the data."""
        return graphs_of(self.base)

    def file(self, address: str) -> Path | None:
        """The file of an address, in dist/ or in its pages; None where there is none. No address
        leads out of dist/.
        """
        if not _is_open(address):
            return None
        parts = PurePosixPath(address).parts
        for folder in (self.dist, self.dist / "site"):
            path = folder.joinpath(*parts)
            with contextlib.suppress(OSError):  # a name that is too long
                if path.is_file() and path.resolve().is_relative_to(self.dist.resolve()):
                    return path
        return None

    def packed_file(self, address: str) -> bytes | None:
        """The file of an address in the packed pages; None where there is none."""
        return self.packed.read(address) if self.packed and _is_open(address) else None

    def _has(self, address: str) -> bool:
        if self.file(address):
            return True
        return self.packed is not None and _is_open(address) and self.packed.has(address)

    def is_closed(self, path: Path) -> bool:
        """Whether a file is in the folder of a closed release, which has checksums of its own and
        never changes.
        """
        for folder in (self.dist, self.dist / "site"):
            if path.is_relative_to(folder) and len(parts := path.relative_to(folder).parts) > 1:
                return (self.dist / parts[0] / "SHA256SUMS").is_file()
        return False

    def withdrawn_at(self, address: str) -> tuple[str, str] | None:
        """The address of the withdrawn resource that an address belongs to, and the end of its
        document behind it.
        """
        for end in ("", *document_ends(self.languages)):
            resource = address.removesuffix(end)
            if resource in self.withdrawn and address == resource + end:
                return resource, end
        return None

    def document(self, address: str) -> str:
        """The address of a resource's document, without suffix."""
        return document_of(address)

    def wanted(self, accept: str, document: str = "") -> Iterator[str]:
        """The suffixes that a client asks for, best first; at the end what it gets where nothing of
        these is there: harvesters get the catalogue as data.
        """
        yield from (item.name for item in named(accept, PAGES))
        yield from ("ttl", "html") if document == "catalog" else ("html", "ttl")

    def of_base(self, accept: str) -> str | None:
        """The address of the document that answers for the base IRI; None for the start page."""
        first = next((item.name for item in named(accept, PAGES)), "html")
        address = self.data_file("catalog", first) or ""
        return address if first != "html" and address else None

    def data_file(self, document: str, suffix: str) -> str | None:
        """The address of a file that describes something in a format; JSON-LD is JSON as well."""
        for end in (suffix, "jsonld") if suffix == "json" else (suffix,):
            if self._has(f"{document}.{end}"):
                return f"{document}.{end}"
        return None

    def links(self, address: str) -> str:
        """The Link header of a page: where the landing page leads machines; empty for others."""
        return self.landing if _LANDING.fullmatch(address) else ""

    def page(self, document: str, accept_language: str) -> str | None:
        """The address of a document's page in the language that the client likes best."""
        for language in languages(accept_language, self.languages):
            address = (
                f"{document}.html"
                if language == self.languages[0]
                else f"{document}.{language}.html"
            )
            if self._has(address):
                return address
        return f"{document}.html" if self._has(f"{document}.html") else None


def _is_open(address: str) -> bool:
    """Whether an address may be one of a file: no part is hidden, and none leads out."""
    parts = PurePosixPath(address).parts
    hidden = any(part.startswith(".") and part != ".well-known" for part in parts)
    return not hidden and "\0" not in address and "\\" not in address and address == "/".join(parts)


def read_content(project: Project) -> Content:
    """The present state of a project's dist/. Raises SourceError (LP820) where the dumps that the
    endpoint needs are not there.
    """
    publication, dist = project.publication, project.dist
    sums = dist / "SHA256SUMS"
    missing = [
        name
        for name in (f"{publication.name}.nq", f"{publication.name}.nt", "SHA256SUMS")
        if not (dist / name).is_file()
    ]
    if missing:
        raise SourceError([Finding("LP820", Origin("dist"), {"missing": ", ".join(missing)})])
    listed = read_list(dist) if (dist / LIST).is_file() else {}
    prefixes = {"": publication.base, **read_vocabulary(project.root, publication.base).prefixes}
    version = hashlib.sha256(sums.read_bytes()).hexdigest()[:16]
    return Content(
        dist,
        publication.name,
        publication.base,
        version,
        publication.languages,
        prefixes,
        {unquote(iri.removeprefix(publication.base)): row for iri, row in listed.items()},
        ", ".join(link.header for link in header_links(read_links(dist))),
        publication.path,
        packed_pages(dist),
        frozenset(row.suffix for row in publication.document_formats),
    )


def media_type(path: Path) -> str:
    """What a file is sent as."""
    suffix = path.suffix[1:]
    return (
        MEDIA_TYPES.get(suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    )
