"""A publication as it is served: whether identifiers lead to documents, and addresses to the files of
dist/, asked over HTTP.

Each address is requested below the one that the user names:

    https://example.org/cafes/cafe/x       → http://127.0.0.1:8000/cafe/x
    https://host.example/cafes.ttl         → http://127.0.0.1:8000/cafes.ttl
"""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import unquote, urljoin
from xml.etree import ElementTree

from lodpipe.config.publication_keys import Publication
from lodpipe.diagnostics.finding import Finding, Origin, Severity
from lodpipe.engine.statements import Statements
from lodpipe.publish.catalogue.checks import Catalogue, read_triples
from lodpipe.rdf.file_formats import DOCUMENTS, PARSERS
from lodpipe.rdf.uris import as_uri
from lodpipe.releases.tombstones import Tombstone
from lodpipe.workflow.pipeline import Outcome

Item = TypeVar("Item")
Question = Callable[[], Iterable[Finding]]
"""Asks for an address when it is called, and gives what is wrong with the answer."""
MOST_PAGES, MOST_TOMBSTONES = 2_000, 200
"""How many pages of the sitemap and withdrawn IRIs are asked for; of more, some spread evenly."""
_TIMEOUT = 30.0  # seconds without a byte
_AT_ONCE = 8
_IANA = "https://www.iana.org/assignments/media-types/"
_SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"
# What a host serves beside the dumps: file and media type; those that a publication lacks are left out.
_FILES = {
    "catalog.ttl": "text/turtle",
    "catalog.rdf": "application/rdf+xml",
    "catalog.jsonld": "application/ld+json",
    "void.ttl": "text/turtle",
    "prefixes.ttl": "text/turtle",
    "metadata.nq": "application/n-quads",
    "dataset.jsonld": "application/ld+json",
    "croissant.jsonld": "application/ld+json",
    "feed.trig": "application/trig",
    "dataset.linkset": "application/linkset+json",
    "site/feed.atom": "application/atom+xml",
    "site/sitemap.xml": "application/xml",
    "site/robots.txt": "text/plain",
    "site/llms.txt": "text/plain",
    "site/index.html": "text/html",
}
_UNKNOWN_TYPE = "application/octet-stream"
_SAME_TYPE = {"text/xml": "application/xml", "application/gzip": "application/x-gzip"}


class Answer(NamedTuple):
    """What an address answers: status (0: nothing, `reason` says why), media type, address after
    redirects, size in bytes and SHA-512 of its body, and the body where it was asked for.
    """

    status: int
    media_type: str = ""
    address: str = ""
    size: int = 0
    sha512: str = ""
    body: bytes = b""
    reason: str = ""

    @property
    def described(self) -> str:
        """The status, or why there is none."""
        return str(self.status) if self.status else self.reason


class Host:
    """Asks for addresses of a publication below the one at which it is served now."""

    def __init__(self, publication: Publication, served: str) -> None:
        self.served = served if served.endswith("/") else f"{served}/"
        own = {publication.base, publication.downloads, publication.host}
        self._prefixes = sorted({*own, *map(as_uri, own)}, key=len, reverse=True)

    def place(self, address: str) -> str:
        """Where an address is asked for."""
        for prefix in self._prefixes:
            if address.startswith(prefix):
                return self.served + address.removeprefix(prefix)
        return address

    def get(
        self, address: str, accept: str = "", *, method: str = "GET", redirects: bool = True
    ) -> Answer:
        """The answer of an address; a refusal is an answer as well. Without `redirects` a redirect is
        the answer, with the address that it leads to.
        """
        return self.request(self.place(address), accept, method=method, redirects=redirects)

    @staticmethod
    def request(
        place: str, accept: str = "", *, method: str = "GET", redirects: bool = True
    ) -> Answer:
        """The answer of the very address, wherever the publication is served."""
        headers = {"Accept": accept} if accept else {}
        handlers = [] if redirects else [_NoRedirects()]
        try:
            request = urllib.request.Request(as_uri(place), headers=headers, method=method)
            opener = urllib.request.build_opener(*handlers)
            with opener.open(request, timeout=_TIMEOUT) as answer:
                return _read(answer)
        except urllib.error.HTTPError as error:
            location = urljoin(place, error.headers.get("Location", ""))
            return Answer(error.code, error.headers.get_content_type(), location)
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            return Answer(0, reason=str(reason) or type(error).__name__)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def _read(answer: http.client.HTTPResponse) -> Answer:
    digest, size, head = hashlib.sha512(), 0, b""
    while block := answer.read(1 << 20):
        digest.update(block)
        size += len(block)
        head = head or block
    media_type = answer.headers.get_content_type()
    return Answer(answer.status, media_type, answer.url, size, digest.hexdigest(), head)


def served_findings(outcome: Outcome, served: str) -> list[Finding]:
    """What a served publication answers other than it should (LP550 to LP552).

    `served` is the address at which dist/site/ (or dist/) is served; nothing is asked where there is
    no dist/ yet. Where no server answers, that is the only finding.
    """
    project, publication = outcome.project, outcome.project.publication
    path = project.dist / "catalog.ttl"
    if not path.is_file():
        return []
    triples = read_triples(path, PARSERS["ttl"], publication.base)
    catalogue = Catalogue(project, project.dist, triples, path.read_text("utf-8"))
    tombstones = outcome.declarations.withdrawn.tombstones
    host = Host(publication, served)
    if not (first := host.request(host.served, method="HEAD")).status:
        return [_wrong(host, host.served, first.reason, "200")]
    questions: list[Question] = [
        *(_download(host, catalogue, node) for node in catalogue.instances("dcat:Distribution")),
        *_files(host, catalogue.folder, publication.downloads),
        *_pages(host, catalogue.folder / "site/sitemap.xml"),
    ]
    identifiers = [
        *_identifiers(host, publication, outcome.statements),
        *(
            ("", _tombstone(host, publication.base, item, catalogue.folder / "site"))
            for item in _some(tombstones, MOST_TOMBSTONES)
        ),
    ]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = pool.map(_answered, questions)
        identified = pool.map(lambda item: (item[0], _answered(item[1])), identifiers)
        findings = [finding for findings in answers for finding in findings]
        return findings + _identifier_findings(publication, list(identified))


def _answered(check: Question) -> list[Finding]:
    return list(check())


def _identifier_findings(
    publication: Publication, answers: Sequence[tuple[str, list[Finding]]]
) -> list[Finding]:
    """The findings of all identifiers, each with the media type that was asked for. Where none
    answers with RDF there is a single finding, LP552: the host knows files only. That is a warning as
    long as identifiers wait for w3id.org to redirect.
    """
    findings = [finding for _, answer in answers for finding in answer]
    described = {row.media_type for row in DOCUMENTS}
    rdf = [answer for media_type, answer in answers if media_type in described]
    answered = all(item.code == "LP551" or item.params["found"].isdigit() for item in findings)
    if not rdf or not answered or not all(rdf):
        return findings
    first = rdf[0][0]
    waits = publication.is_redirected and not publication.w3id
    severity = Severity.WARNING if waits else Severity.ERROR
    return [Finding("LP552", first.where, first.params, severity)]


def _wrong(host: Host, address: str, value: str, expected: str) -> Finding:
    params = {"value": address, "found": value, "expected": expected}
    return Finding("LP550", Origin(host.place(address)), params)


def _other(host: Host, address: str, key: str, value: str, expected: str) -> Finding:
    params = {"value": address, "key": key, "found": value or "–", "expected": expected}
    return Finding("LP551", Origin(host.place(address)), params)


def _other_type(host: Host, address: str, value: str, expected: str) -> Finding:
    """Another media type: a warning where the host does not know the suffix, because many hosts of
    files cannot learn it; an error of the catalogue, which harvesters read by its type.
    """
    finding = _other(host, address, "Content-Type", value, expected)
    is_catalogue = address.rpartition("/")[2].startswith("catalog.")
    if value == _UNKNOWN_TYPE and not is_catalogue:
        return replace(finding, severity=Severity.WARNING)
    return finding


def _some(items: Sequence[Item], most: int) -> Sequence[Item]:
    """At most so many items, spread evenly."""
    return items[:: max(1, -(-len(items) // most))]


def _download(host: Host, catalogue: Catalogue, node: str) -> Question:
    """Status, media type, size and checksum of a download, as the catalogue states them."""

    def check() -> Iterator[Finding]:
        address = catalogue.value(node, "dcat:downloadURL")
        answer = host.get(address)
        if answer.status != 200:
            yield _wrong(host, address, answer.described, "200")
            return
        packed = catalogue.value(node, "dcat:compressFormat")
        stated = (packed or catalogue.value(node, "dcat:mediaType")).removeprefix(_IANA)
        checksum = catalogue.value(
            next(iter(catalogue.values(node, "spdx:checksum")), ""), "spdx:checksumValue"
        )
        size = catalogue.value(node, "dcat:byteSize")
        if not _is_type(answer.media_type, stated):
            yield _other_type(host, address, answer.media_type, stated)
        if str(answer.size) != size:
            yield _other(host, address, "bytes", str(answer.size), size)
        elif answer.sha512 != checksum.lower():
            yield _other(host, address, "SHA-512", f"{answer.sha512[:12]}…", f"{checksum[:12]}…")

    return check


def _is_type(media_type: str, expected: str) -> bool:
    return _SAME_TYPE.get(media_type, media_type) == _SAME_TYPE.get(expected, expected)


def _files(host: Host, dist: Path, address: str) -> Iterator[Question]:
    """Catalogue, VoID, feeds, sitemap and start page: there, of the right type, and those of dist/."""
    for name, media_type in _FILES.items():
        if (dist / name).is_file():
            yield _file(host, dist / name, address + name.removeprefix("site/"), media_type)


def _file(host: Host, path: Path, address: str, media_type: str) -> Question:
    def check() -> Iterator[Finding]:
        answer = host.get(address)
        if answer.status != 200:
            yield _wrong(host, address, answer.described, "200")
            return
        if not _is_type(answer.media_type, media_type):
            yield _other_type(host, address, answer.media_type, media_type)
        if answer.sha512 != (expected := _sha512(path)):
            yield _other(host, address, "SHA-512", f"{answer.sha512[:12]}…", f"{expected[:12]}…")

    return check


def _sha512(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha512").hexdigest()


def _identifiers(
    host: Host, publication: Publication, statements: Statements
) -> Iterator[tuple[str, Question]]:
    """A resource of each class and the dataset, as each type of document, which comes first."""
    page = ["text/html"] if publication.site else []
    examples = set(statements.examples(publication.base).values())
    documents = {publication.base + "dataset": DOCUMENTS}
    documents |= {term[1:-1]: publication.document_formats for term in sorted(examples)}
    for resource, formats in documents.items():
        for media_type in [*(row.media_type for row in formats), *page]:
            yield media_type, _identifier(host, resource, media_type)


def _identifier(host: Host, resource: str, media_type: str) -> Question:
    def check() -> Iterator[Finding]:
        answer = host.get(resource, media_type)
        address = f"{resource} ({media_type})"
        if answer.status != 200:
            yield _wrong(host, address, answer.described, "200")
        elif not _is_type(answer.media_type, media_type):
            yield _other(host, address, "Content-Type", answer.media_type, media_type)
        elif media_type == "application/n-triples" and f"<{resource}> ".encode() not in answer.body:
            yield _other(host, address, "subject", "–", resource)

    return check


def _pages(host: Host, sitemap: Path) -> Iterator[Question]:
    """Each page of the sitemap answers; a large one is an index of files."""
    if not sitemap.is_file():
        return
    files = sorted(sitemap.parent.glob("sitemap-*.xml")) or [sitemap]
    pages = [item.text or "" for file in files for item in ElementTree.parse(file).iter(_SITEMAP)]
    for page in _some(pages, MOST_PAGES):
        yield lambda page=page: _page(host, page)  # type: ignore[misc]  # bound now


def _page(host: Host, page: str) -> Iterator[Finding]:
    answer = host.get(page, method="HEAD")
    if answer.status != 200:
        yield _wrong(host, page, answer.described, "200")


def _tombstone(host: Host, base: str, tombstone: Tombstone, site: Path) -> Question:
    """A withdrawn IRI leads to its only successor, or is gone. A host that knows files only sends
    the page of the withdrawal, with 200: a warning, because nothing can be done about it.
    """

    def check() -> Iterator[Finding]:
        address = base + tombstone.id
        answer = host.get(address, "text/html", redirects=False)
        hops = 0
        while answer.status in (302, 303, 307, 308) and hops < 5:  # w3id leads to the host
            answer, hops = host.request(answer.address, "text/html", redirects=False), hops + 1
        if answer.status == tombstone.status:
            return
        finding = _wrong(host, address, answer.described, str(tombstone.status))
        page = site / f"{unquote(tombstone.id)}.html"
        is_page = answer.status == 200 and page.is_file() and answer.sha512 == _sha512(page)
        yield replace(finding, severity=Severity.WARNING) if is_page else finding

    return check
