"""The change feed: a Linked Data Event Stream of static files.

    feed.trig                  the root: what the stream is, and a relation to every page
    2026-11-23/feed-1.trig     pages of the release of that day, which never change
    2026-11-23/feed-2.trig
    catalog-feed.trig          the same of the catalogue (DCAT-AP Feed)
    2026-11-23/catalog-feed-1.trig

A member is an activity of ActivityStreams, `as:Create`, `as:Update` or `as:Delete` of one resource.
A named graph called like the member holds the triples of the resource after the change:

    <…/2026-12-01/feed-1.trig#1> a as:Update ; as:object <…/organisation/a> ; as:published "…" .
    <…/2026-12-01/feed-1.trig#1> { <…/organisation/a> <…/name> "A" . }

The members of a release are one transaction, which the last one ends. Pages are made of the data of
a release, of those before it, and of nothing else: no clock, no settings that may change.

Specifications: LDES 1.0 and its server primer (https://w3id.org/ldes/specification), TREE.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple

from lodpipe.rdf.terms import quote_literal
from lodpipe.releases.change_set import ChangeSet
from lodpipe.releases.difference import ResourceChange
from lodpipe.releases.graph_versions import SortedLines, without_graph
from lodpipe.releases.ledger import Ledger, Release

DATA = "feed"
CATALOGUE = "catalog-feed"
PAGE_SIZE = 100
"""Members of a page. Some clients follow the links between the resources of a page, which takes
time that grows faster than the page.
"""
PREFIXES = """\
@prefix adms: <http://www.w3.org/ns/adms#> .
@prefix as: <https://www.w3.org/ns/activitystreams#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix ldes: <https://w3id.org/ldes#> .
@prefix tree: <https://w3id.org/tree#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
_COMPLETED = "<http://publications.europa.eu/resource/authority/distribution-status/COMPLETED>"


class Member(NamedTuple):
    """What happened to a resource: `Create`, `Update` or `Delete`, and its triples afterwards (lines
    of N-Triples without the line break).
    """

    activity: str
    subject: bytes
    triples: tuple[bytes, ...]


@dataclass(frozen=True)
class Event:
    """The release that members belong to: base IRI, version, folder below dist/, and when it was
    published.
    """

    base: str
    version: str
    folder: str
    published: str


def event_of(base: str, ledger: Ledger, release: Release) -> Event:
    """The event of a release that is in the ledger."""
    return Event(base, release.version, release.folder, published(ledger, release))


def published(ledger: Ledger, release: Release) -> str:
    """When a release was published, as xsd:dateTime: its date; each further release of one day is a
    second later, so that their order is kept.
    """
    earlier = sum(
        other.date == release.date and other.number < release.number for other in ledger.releases
    )
    minutes, seconds = divmod(earlier, 60)
    return f"{release.date}T00:{minutes:02}:{seconds:02}Z"


# -- members ---------------------------------------------------------------------------------------


def first_members(version: SortedLines) -> Iterator[Member]:
    """A Create for each resource of a version. Blank nodes are none: they have no IRI."""
    subject, triples = b"", dict[bytes, None]()
    for block in _blocks(version.chunks()):
        for line in block:
            name = line.partition(b" ")[0]
            if name != subject:
                yield from _created(subject, triples)
                subject, triples = name, {}
            triples[without_graph(line)] = None
    yield from _created(subject, triples)


def _created(subject: bytes, triples: Iterable[bytes]) -> Iterator[Member]:
    if subject.startswith(b"<"):
        yield Member("Create", subject, tuple(triples))


def changed_members(changes: ChangeSet) -> Iterator[Member]:
    """A member for each resource whose triples differ; a statement that only moved from one graph to
    another is no change.
    """
    for change, lines in _described(changes, changes.versions[1].chunks()):
        if not change.subject.startswith(b"<"):
            continue
        before = {without_graph(line) for line in {*lines}.difference(change.added)}
        before.update(map(without_graph, change.removed))
        after = tuple(dict.fromkeys(map(without_graph, lines)))
        if before != {*after}:
            activity = "Delete" if not after else "Update" if before else "Create"
            yield Member(activity, change.subject, after)


def _described(
    changes: Iterable[ResourceChange], chunks: Iterable[bytes]
) -> Iterator[tuple[ResourceChange, list[bytes]]]:
    """Each change with all lines of its subject, from the new version in one pass."""
    blocks, lines = _blocks(chunks), list[bytes]()
    for change in changes:
        start, end = change.subject + b" ", change.subject + b"!"
        while not lines or lines[-1] < end:
            # The subject may go on in the next block.
            beginning = lines[bisect_left(lines, start) :]
            block = next(blocks, None)
            lines = beginning + (block or [])
            if block is None:
                break
        yield change, lines[bisect_left(lines, start) : bisect_left(lines, end)]


def _blocks(chunks: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Chunks of bytes as lists of whole lines."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        if lines:
            yield lines


# -- pages -----------------------------------------------------------------------------------------


def write_pages(event: Event, members: Iterable[Member], folder: Path, stem: str = DATA) -> None:
    """feed-1.trig, feed-2.trig … into the folder of a release; none where nothing changed."""
    stream, following = f"<{stream_iri(event.base, stem)}>", _with_end(members)
    for number in count(1):
        page = list(islice(following, PAGE_SIZE))
        if not page:
            return
        name = f"{stem}-{number}.trig"
        with (folder / name).open("wb") as out:
            out.write(
                f"{PREFIXES}\n{stream} a ldes:EventStream ; tree:view <../{stem}.trig> .\n"
                "<> a tree:Node ; ldes:immutable true .\n".encode()
            )
            for position, (member, is_last) in enumerate(page, 1):
                term = f"<{event.base}{event.folder}/{name}#{position}>"
                out.write(f"\n{stream} tree:member {term} .\n".encode())
                transaction = _transaction(event, is_last=is_last) if stem == DATA else ""
                out.write(_activity(term, member, f"{_time(event.published)}{transaction}"))


def stream_iri(base: str, stem: str = DATA) -> str:
    """The IRI of a stream, which leads to its root."""
    return f"{base}{stem}.trig#stream"


def _with_end(members: Iterable[Member]) -> Iterator[tuple[Member, bool]]:
    """Each member, and whether it is the last."""
    following = iter(members)
    if (member := next(following, None)) is None:
        return
    for item in following:
        yield member, False
        member = item
    yield member, True


def _transaction(event: Event, *, is_last: bool) -> str:
    end = f" ; adms:status {_COMPLETED}" if is_last else ""
    return f" ; as:context <{event.base}dataset/{event.version}>{end}"


def _activity(term: str, member: Member, described: str) -> bytes:
    """A member: the activity, and the triples in its graph."""
    head = (
        f"{term} a as:{member.activity} ; as:object {member.subject.decode()} ; "
        f"as:published {described} .\n"
    ).encode()
    if not member.triples:
        return head
    return b"%b%b {\n%b\n}\n" % (head, term.encode(), b"\n".join(member.triples))


def _time(value: str) -> str:
    return f'"{value}"^^xsd:dateTime'


# -- root ------------------------------------------------------------------------------------------

_ABOUT = {
    DATA: (
        "ldes:versionCreateObject as:Create",
        "ldes:versionUpdateObject as:Update",
        "ldes:versionDeleteObject as:Delete",
        "ldes:transactionPath as:context",
        "ldes:transactionFinalizedPath adms:status",
        f"ldes:transactionFinalizedObject {_COMPLETED}",
    ),
    CATALOGUE: (
        "ldes:versionCreateObject as:Create",
        "ldes:versionUpdateObject as:Update",
        "ldes:versionDeleteObject as:Delete",
        "tree:shape <https://semiceu.github.io/LDES-DCAT-AP-feeds/shape.ttl#ActivityShape>",
    ),
}


def write_root(
    base: str, title: Mapping[str, str], ledger: Ledger, folder: Path, stem: str = DATA
) -> None:
    """feed.trig: the stream, the policy (nothing was dropped since the first release), and for each
    page two relations, the bounds of its time.
    """
    about = [
        *(f"dct:title {quote_literal(text, language)}" for language, text in title.items()),
        "ldes:timestampPath as:published",
        "ldes:versionOfPath as:object",
        *_ABOUT[stem],
        "tree:view <>",
    ]
    with (folder / f"{stem}.trig").open("w", encoding="utf-8", newline="\n") as out:
        out.write(f"{PREFIXES}\n<{stream_iri(base, stem)}> a ldes:EventStream ;\n  ")
        out.write(" ;\n  ".join(about) + " .\n\n")
        out.write("<> a tree:Node, ldes:EventSource ; ldes:retentionPolicy <#retention> .\n")
        first = _time(published(ledger, ledger.first))
        out.write(f"<#retention> a ldes:RetentionPolicy ; ldes:startingFrom {first} .\n")
        for release in ledger.releases:
            value = _time(published(ledger, release))
            for page in pages_of(folder, release, stem):
                for name, bound in (("from", "Greater"), ("until", "Less")):
                    relation = f"<#{name}/{page}>"
                    out.write(
                        f"<> tree:relation {relation} .\n{relation} a tree:{bound}ThanOrEqualToRelation ;"
                        f" tree:path as:published ; tree:value {value} ; tree:node <{page}> .\n"
                    )


def pages_of(folder: Path, release: Release, stem: str = DATA) -> list[str]:
    """The pages of a release below dist/, in their order."""
    written = folder / release.folder
    names = (
        [path.name for path in written.glob(f"{stem}-*.trig")]
        if written.is_dir()
        else [name for name in release.files if name.startswith(f"{stem}-")]
    )
    numbered = sorted((int(name[len(stem) + 1 : -len(".trig")]), name) for name in names)
    return [f"{release.folder}/{name}" for _, name in numbered]
