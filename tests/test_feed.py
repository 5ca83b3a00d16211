"""The change feed: three releases of the real publication, replicated by two clients and by hand."""

from __future__ import annotations

import functools
import http.server
import io
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import ClassVar

import feedparser
import pyoxigraph as ox
import pytest

from lodpipe.config.publication import Project
from lodpipe.releases import feed
from lodpipe.releases.change_formats import BY_NAME, View
from lodpipe.releases.change_set import ChangeSet
from lodpipe.releases.feed import (
    Event,
    Member,
    changed_members,
    event_of,
    first_members,
    pages_of,
    write_pages,
)
from lodpipe.releases.graph_versions import SortedLines, canonical_file
from lodpipe.releases.ledger import read_ledger
from lodpipe.releases.patches import earlier_version
from lodpipe.workflow.pipeline import build
from releases_support import first_release, second_release, third_release
from serving import serving
from support import TESTS

AS = "https://www.w3.org/ns/activitystreams#"
TREE = "https://w3id.org/tree#"
LDES = "https://w3id.org/ldes#"
RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
CLIENTS = TESTS / "ldes"
EVENT = Event("https://example.org/", "1.1.0", "2026-12-01", "2026-12-01T00:00:00Z")
HAS_CLIENTS = (CLIENTS / "node_modules/.made").is_file() and shutil.which("node") is not None
with_clients = pytest.mark.skipif(not HAS_CLIENTS, reason="no LDES clients: make ldes")

Quads = set[ox.Quad]


# -- members of small graphs -----------------------------------------------------------------------


def _version(folder: Path, name: str, lines: str) -> SortedLines:
    path = folder / f"{name}.nq"
    path.write_text("".join(f"{line}\n" for line in sorted(lines.strip().splitlines())), "utf-8")
    return SortedLines(canonical_file(path, name))


def _changes(folder: Path, old: str, new: str) -> list[Member]:
    versions = [_version(folder, "old", old), _version(folder, "new", new)]
    with ChangeSet(*(version._version for version in versions)) as changes:
        return list(changed_members(changes))


def test_each_kind_of_change_is_its_activity(tmp_path: Path) -> None:
    old = '<urn:a> <urn:p> "1" <urn:g> .\n<urn:a> <urn:p> "2" <urn:g> .\n<urn:b> <urn:p> "1" <urn:g> .'
    new = '<urn:a> <urn:p> "2" <urn:g> .\n<urn:a> <urn:p> "3" <urn:g> .\n<urn:c> <urn:p> "1" <urn:g> .'
    assert _changes(tmp_path, old, new) == [
        Member("Update", b"<urn:a>", (b'<urn:a> <urn:p> "2" .', b'<urn:a> <urn:p> "3" .')),
        Member("Delete", b"<urn:b>", ()),
        Member("Create", b"<urn:c>", (b'<urn:c> <urn:p> "1" .',)),
    ]


def test_a_statement_that_moves_to_another_graph_is_in_the_patch_alone(tmp_path: Path) -> None:
    old = '<urn:a> <urn:p> "1" <urn:g> .\n<urn:b> <urn:p> <urn:o> <urn:g> .\n<urn:b> <urn:p> <urn:o> <urn:h> .'
    new = '<urn:a> <urn:p> "1" <urn:h> .\n<urn:b> <urn:p> <urn:o> <urn:h> .'
    assert _changes(tmp_path, old, new) == []
    versions = [_version(tmp_path, name, text) for name, text in (("old", old), ("new", new))]
    with ChangeSet(*(version._version for version in versions)) as changes:
        patch = io.BytesIO()
        BY_NAME["patch"].write(changes, View(), patch)
    assert patch.getvalue().splitlines()[1:-1] == [
        b'D <urn:a> <urn:p> "1" <urn:g> .',
        b'A <urn:a> <urn:p> "1" <urn:h> .',
        b"D <urn:b> <urn:p> <urn:o> <urn:g> .",
    ]


def test_a_tombstone_in_the_graph_is_an_update(tmp_path: Path) -> None:
    """A consumer that deletes would lack what the dump says of the withdrawn resource."""
    deprecated = '<urn:a> <http://www.w3.org/2002/07/owl#deprecated> "true" <urn:g> .'
    member, *others = _changes(tmp_path, '<urn:a> <urn:p> "1" <urn:g> .', deprecated)
    assert (member.activity, others) == ("Update", [])


def test_a_blank_node_has_no_member(tmp_path: Path) -> None:
    lines = '<urn:a> <urn:p> _:x <urn:g> .\n_:x <urn:p> "1" <urn:g> .'
    with _version(tmp_path, "one", lines) as version:
        assert [member.subject for member in first_members(version)] == [b"<urn:a>"]


def test_a_resource_that_spans_blocks_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lodpipe.releases.graph_versions.BLOCK", 64)
    lines = [f'<urn:{name}> <urn:p> "{value}" <urn:g> .' for name in "abc" for value in range(9)]
    text = "\n".join(lines)
    changed = text.replace('<urn:b> <urn:p> "4"', '<urn:b> <urn:p> "x"')
    (member,) = _changes(tmp_path, text, changed)
    assert len(member.triples) == 9
    with _version(tmp_path, "all", text) as version:
        assert [len(member.triples) for member in first_members(version)] == [9, 9, 9]


def _members(count: int) -> Iterator[Member]:
    for number in range(count):
        name = f"<urn:{number}>".encode()
        yield Member("Create", name, (name + b' <urn:p> "1" .',))


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (3, [3]), (4, [4]), (9, [4, 4, 1])])
def test_pages_have_a_fixed_number_of_members_and_one_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, sizes: list[int]
) -> None:
    monkeypatch.setattr(feed, "PAGE_SIZE", 4)
    write_pages(EVENT, _members(count), tmp_path)
    pages = [tmp_path / f"feed-{number}.trig" for number in range(1, len(sizes) + 1)]
    assert sorted(tmp_path.iterdir()) == pages
    quads = [_parsed(page) for page in pages]
    assert [len(_objects(page, f"{TREE}member")) for page in quads] == sizes
    ends = [
        quad.subject.value
        for page in quads
        for quad in page
        if quad.predicate.value == "http://www.w3.org/ns/adms#status"
    ]
    if sizes:
        assert ends == [f"https://example.org/2026-12-01/feed-{len(sizes)}.trig#{sizes[-1]}"]


# -- three releases --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def three_releases(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The project after each of three releases."""
    folder = tmp_path_factory.mktemp("feed")
    steps: list[Callable[[Path], None]] = [second_release, third_release]
    states = [first_release(folder / "1")]
    for number, step in enumerate(steps, 2):
        states.append(shutil.copytree(states[-1], folder / str(number), symlinks=True))
        step(states[-1])
    return states


def _parsed(page: Path, address: str = "http://host.invalid/2026-12-01/page.trig") -> Quads:
    return set(ox.parse(path=page, format=ox.RdfFormat.TRIG, base_iri=address))


def _objects(quads: Iterable[ox.Quad], predicate: str) -> list[str]:
    return [quad.object.value for quad in quads if quad.predicate.value == predicate]


def _in_order(project: Path, stem: str = "feed") -> list[Path]:
    ledger = read_ledger(project)
    return [
        project / "dist" / page
        for release in ledger.releases
        for page in pages_of(project / "dist", release, stem)
    ]


def _applied(quads: Iterable[ox.Quad]) -> tuple[set[ox.Triple], dict[str, str]]:
    """The triples after the last activity of each resource, and those activities."""
    objects: dict[str, str] = {}
    times: dict[str, str] = {}
    kinds: dict[str, str] = {}
    payload: dict[str, set[ox.Triple]] = {}
    for quad in quads:
        if not isinstance(quad.graph_name, ox.DefaultGraph):
            payload.setdefault(quad.graph_name.value, set()).add(quad.triple)
        elif quad.predicate.value == f"{AS}object":
            objects[quad.subject.value] = quad.object.value
        elif quad.predicate.value == f"{AS}published":
            times[quad.subject.value] = quad.object.value
        elif quad.predicate.value == RDF_TYPE and quad.object.value.startswith(AS):
            kinds[quad.subject.value] = quad.object.value.removeprefix(AS)
    last: dict[str, str] = {}
    for member in sorted(objects, key=lambda name: times[name]):
        last[objects[member]] = member
    triples = {triple for member in last.values() for triple in payload.get(member, ())}
    return triples, {resource: kinds[member] for resource, member in last.items()}


def _dump(project: Path) -> set[ox.Triple]:
    path = project / "dist/rogl.nt"
    return {quad.triple for quad in ox.parse(path=path, format=ox.RdfFormat.N_TRIPLES)}


def test_the_feed_applied_gives_the_dump_of_each_release(three_releases: list[Path]) -> None:
    for project in three_releases:
        quads = [quad for page in _in_order(project) for quad in _parsed(page)]
        triples, _ = _applied(quads)
        assert triples == _dump(project)


def test_every_kind_of_change_has_its_activity(three_releases: list[Path]) -> None:
    """A rename, a removal, an addition; a merger, a membership that ended, a second rename."""
    base = Project.open(three_releases[0]).publication.base
    expected = [
        {
            "lab/bremen-bremerhaven": "Update",
            "membership/bremen-bremerhaven/aktive-menschen-bremen": "Delete",
            "membership/bremen-bremerhaven/neue-stelle": "Create",
            "organisation/aktive-menschen-bremen": "Delete",
            "organisation/awo-bremen": "Update",
            "organisation/neue-stelle": "Create",
        },
        {
            "interval/bremen-bremerhaven/stadt-bremen": "Create",
            "interval/bremen-bremerhaven/stadt-bremen/end": "Create",
            "lab/bremen-bremerhaven": "Update",
            "membership/bremen-bremerhaven/ambulante-versorgungsbruecken": "Delete",
            "membership/bremen-bremerhaven/neue-stelle": "Update",
            "membership/bremen-bremerhaven/stadt-bremen": "Update",
            "organisation/ambulante-versorgungsbruecken": "Delete",
            "organisation/awo-bremen": "Update",
            "statement/total/beteiligte-spaeter/recorded/number": "Update",
            "statement/total/zivilgesellschaft/recorded/number": "Update",
            "total/beteiligte-spaeter": "Update",
            "total/zivilgesellschaft": "Update",
        },
    ]
    ledger = read_ledger(three_releases[-1])
    for release, activities in zip(ledger.releases[1:], expected, strict=True):
        pages = pages_of(three_releases[-1] / "dist", release)
        quads = [quad for page in pages for quad in _parsed(three_releases[-1] / "dist" / page)]
        _, actual = _applied(quads)
        described = {name.removeprefix(base): kind for name, kind in actual.items()}
        # A tombstone that stays in the graph is described: an update.
        gone = {name for name, kind in activities.items() if kind == "Delete"}
        assert described.keys() == activities.keys()
        assert all(
            kind == activities[name] or (name in gone and kind == "Update")
            for name, kind in described.items()
        )


def test_pages_are_rebuilt_from_the_ledger_byte_by_byte(
    three_releases: list[Path], tmp_path: Path
) -> None:
    root = three_releases[-1]
    ledger, base = read_ledger(root), Project.open(root).publication.base
    current = canonical_file(root / "dist/rogl.nq", "now")
    for release in ledger.releases:
        target = tmp_path / release.version
        target.mkdir()
        event = event_of(base, ledger, release)
        with earlier_version(ledger, current, ledger.last, release) as new:
            if previous := ledger.before(release.version):
                with (
                    earlier_version(ledger, current, ledger.last, previous) as old,
                    ChangeSet(old, new) as changes,
                ):
                    write_pages(event, changed_members(changes), target)
            else:
                with SortedLines(new) as lines:
                    write_pages(event, first_members(lines), target)
        pages = pages_of(root / "dist", release)
        assert pages and len(pages) == len(list(target.iterdir()))
        for page in pages:
            written = target / page.partition("/")[2]
            assert written.read_bytes() == (root / "dist" / page).read_bytes(), page


@pytest.mark.parametrize("stem", ["feed", "catalog-feed"])
def test_the_root_names_every_page_once(three_releases: list[Path], stem: str) -> None:
    root, address = (
        three_releases[-1] / f"dist/{stem}.trig",
        f"http://host.invalid/data/{stem}.trig",
    )
    text, quads = root.read_text("utf-8"), _parsed(root, address)
    assert _objects(quads, f"{TREE}view") == [address]
    for name in ("timestampPath", "versionOfPath", "versionDeleteObject", "retentionPolicy"):
        assert len(_objects(quads, LDES + name)) == 1
    pages = re.findall(r"tree:node <([^>]*)>", text)
    expected = [
        page.relative_to(three_releases[-1] / "dist").as_posix()
        for page in _in_order(three_releases[-1], stem)
    ]
    assert pages == [page for page in expected for _ in range(2)]  # both bounds of its time
    stream = f"<{Project.open(three_releases[-1]).publication.base}{stem}.trig#stream>"
    for page in expected:
        quads = _parsed(three_releases[-1] / "dist" / page, f"http://host.invalid/data/{page}")
        assert _objects(quads, f"{TREE}view") == [address]
        assert {str(quad.subject) for quad in quads if "tree#member" in str(quad)} == {stream}


def test_releases_of_one_day_follow_each_other(three_releases: list[Path]) -> None:
    times = [_objects(_parsed(page), f"{AS}published")[0] for page in _in_order(three_releases[-1])]
    assert sorted({*times}) == list(dict.fromkeys(times))
    assert sorted({*times}) == [
        "2026-11-23T00:00:00Z",
        "2026-12-01T00:00:00Z",
        "2026-12-01T00:00:01Z",
    ]


def test_a_development_state_adds_nothing_to_the_feeds(
    three_releases: list[Path], tmp_path: Path
) -> None:
    project = shutil.copytree(three_releases[1], tmp_path / "project", symlinks=True)
    before = {
        path.relative_to(project): path.read_bytes() for path in project.glob("dist/**/*feed*.trig")
    }
    organisations = project / "source/organisations.yaml"
    text = organisations.read_text("utf-8")
    organisations.write_text(text.replace("name: Neue Stelle", "name: Neuere Stelle"), "utf-8")
    build(Project.open(project), site=False)
    after = {
        path.relative_to(project): path.read_bytes() for path in project.glob("dist/**/*feed*.trig")
    }
    assert len(before) > 10 and after == before


# -- the catalogue as a feed -----------------------------------------------------------------------


def test_the_catalogue_feed_applied_gives_the_catalogue(three_releases: list[Path]) -> None:
    for project in three_releases:
        quads = [quad for page in _in_order(project, "catalog-feed") for quad in _parsed(page)]
        triples, kinds = _applied(quads)
        path = project / "dist/catalog.nt"
        assert triples == {
            quad.triple for quad in ox.parse(path=path, format=ox.RdfFormat.N_TRIPLES)
        }
        assert "Delete" not in kinds.values()


def test_the_catalogue_feed_meets_the_activity_shape(three_releases: list[Path]) -> None:
    import pyshacl
    import rdflib

    shape = rdflib.Graph().parse(CLIENTS / "activity-shape.ttl", format="turtle")
    pages = _in_order(three_releases[-1], "catalog-feed")
    for page in pages:
        union = rdflib.Graph()
        for quad in _parsed(page):
            union.parse(data=f"{quad.triple} .", format="nt")
        conforms, _, text = pyshacl.validate(union, shacl_graph=shape)
        assert conforms, text
    # The shape finds what it should find.
    union.update(f"DELETE {{ ?m <{AS}object> ?o }} WHERE {{ ?m <{AS}object> ?o ; a ?c }}")
    union.update(f"INSERT {{ ?m <{AS}object> 'text' }} WHERE {{ ?m <{AS}published> ?t }}")
    assert not pyshacl.validate(union, shacl_graph=shape)[0]
    assert len(pages) == 3


# -- pages and server ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def with_pages(three_releases: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project after the second release with its pages; its notes hold HTML."""
    project = tmp_path_factory.mktemp("pages") / "project"
    shutil.copytree(three_releases[1], project, symlinks=True)
    with (project / "releases/1.1.0/notes.en.md").open("a", encoding="utf-8") as notes:
        notes.write("\n## More\n\n<script>alert(1)</script> [x](javascript:alert(1)) ![y](//z)\n")
    build(Project.open(project))
    return project


def test_atom_has_an_entry_for_each_release(with_pages: Path) -> None:
    site = with_pages / "dist/site"
    base = Project.open(with_pages).publication.base
    parsed = feedparser.parse((site / "feed.atom").read_bytes())
    assert not parsed.bozo and parsed.version == "atom10"
    assert [(entry.id, entry.updated) for entry in parsed.entries] == [
        (f"{base}release/1.1.0", "2026-12-01T00:00:00Z"),
        (f"{base}release/1.0.0", "2026-11-23T00:00:00Z"),
    ]
    assert parsed.feed.updated == "2026-12-01T00:00:00Z"
    assert "2 geändert, 2 zurückgezogen" in parsed.entries[0].summary
    addresses = [link.href for entry in parsed.entries for link in entry.links]
    assert len(addresses) == 5
    for address in addresses:
        path, _, anchor = address.removeprefix(base).partition("#")
        assert (site / path).is_file()
        assert not anchor or f'id="{anchor}"' in (site / path).read_text("utf-8")


def test_the_page_of_releases_shows_notes_and_no_html_of_theirs(with_pages: Path) -> None:
    site = with_pages / "dist/site"
    german, english = (
        (site / name).read_text("utf-8") for name in ("releases.html", "releases.en.html")
    )
    assert german.index('id="release-1.1.0"') < german.index('id="release-1.0.0"')
    assert "Fassung 1.1.0 vom 1. Dezember 2026" in german and "<h3>Neu</h3>" in german
    assert "<h3>More</h3>" in english and "&lt;script&gt;alert(1)&lt;/script&gt;" in english
    assert "<script>" not in english and 'href="javascript' not in english
    assert "<img" not in english.partition("<main")[2]
    for name in ("2026-12-01/changes.json", "2026-12-01/feed-1.trig", "2026-11-23/catalog.ttl"):
        assert f'href="./{name}"' in german
    for text in (german, english):
        assert '<link rel="alternate" type="application/trig"' in text
        assert "Zwischenstand" not in text and "Development" not in text


def test_serve_sends_what_caches_need(with_pages: Path, tmp_path: Path) -> None:
    with serving(with_pages, tmp_path / "log") as server:
        for path, lasts in (
            ("/feed.trig", "max-age=60"),
            ("/2026-12-01/feed-1.trig", "max-age=31536000, immutable"),
        ):
            answer = server.request(path)
            assert answer.status == 200 and answer.media_type == "application/trig"
            assert lasts in answer.headers["cache-control"]
            assert answer.headers["access-control-allow-origin"] == "*"
            again = server.request(path, headers={"If-None-Match": answer.headers["etag"]})
            assert again.status == 304
        feed_itself = server.request("/feed", headers={"Accept": "text/turtle"})
        assert (feed_itself.status, feed_itself.headers["location"]) == (303, "/catalog.ttl")


# -- clients ---------------------------------------------------------------------------------------


class _Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map: ClassVar = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".trig": "application/trig",
    }

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the output of tests is theirs."""


@pytest.fixture
def served(
    three_releases: list[Path], tmp_path: Path
) -> Iterator[tuple[str, Callable[[int], None]]]:
    """The address of a server of dist/, and a function that puts the files of a release there."""
    link = tmp_path / "dist"

    def publish(number: int) -> None:
        link.unlink(missing_ok=True)
        link.symlink_to(three_releases[number] / "dist")

    publish(2)
    handler = functools.partial(_Handler, directory=str(link))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", publish
        server.shutdown()


def _client(script: str, *arguments: str) -> Quads:
    done = subprocess.run(
        ["node", str(CLIENTS / script), *arguments],
        capture_output=True, text=True, encoding="utf-8", timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(ox.parse(_SHORT.sub(_spelled, done.stdout), format=ox.RdfFormat.N_QUADS))


# Both write quads with the abbreviations of Turtle.
_SHORT = re.compile(
    r"(?<=> )(?:(?P<boolean>true|false)|(?P<integer>[+-]?\d+)|(?P<decimal>[+-]?\d*\.\d+)|"
    r"(?P<double>[+-]?\d+(?:\.\d*)?[eE][+-]?\d+))(?= (?:<[^>]*> )?\.$)",
    re.MULTILINE,
)


def _spelled(match: re.Match[str]) -> str:
    return f'"{match[0]}"^^<http://www.w3.org/2001/XMLSchema#{match.lastgroup}>'


LDES_CLIENT = "node_modules/ldes-client/dist/bin/cli.js"


@with_clients
@pytest.mark.parametrize("order", ["none", "ascending"])
def test_ldes_client_replicates_the_dump(
    three_releases: list[Path], served: tuple[str, Callable[[int], None]], order: str
) -> None:
    triples, _ = _applied(_client(LDES_CLIENT, f"{served[0]}feed.trig", "--ordered", order))
    assert triples == _dump(three_releases[2])


@with_clients
def test_ldes_client_with_saved_state_gets_the_new_members_only(
    three_releases: list[Path], served: tuple[str, Callable[[int], None]], tmp_path: Path
) -> None:
    address, publish = served
    publish(1)
    arguments = (f"{address}feed.trig", "--save", str(tmp_path / "state"))
    before = _client(LDES_CLIENT, *arguments)
    assert _applied(before)[0] == _dump(three_releases[1])
    publish(2)
    after = _client(LDES_CLIENT, *arguments)
    release = read_ledger(three_releases[2]).last
    pages = [
        _parsed(three_releases[2] / "dist" / page)
        for page in pages_of(three_releases[2] / "dist", release)
    ]
    expected = {name for page in pages for name in _objects(page, f"{TREE}member")}
    actual = {quad.subject.value for quad in after if quad.predicate.value == f"{AS}object"}
    assert actual == expected and len(actual) == 12
    assert _applied(before | after)[0] == _dump(three_releases[2])


@with_clients
def test_the_other_client_replicates_the_dump(
    three_releases: list[Path], served: tuple[str, Callable[[int], None]]
) -> None:
    base = Project.open(three_releases[2]).publication.base
    triples, _ = _applied(_client("treecg.mjs", f"{served[0]}feed.trig", base, served[0]))
    assert triples == _dump(three_releases[2])


@with_clients
def test_ldes_client_replicates_the_catalogue(
    three_releases: list[Path], served: tuple[str, Callable[[int], None]]
) -> None:
    """Without its shape, which is on the network."""
    triples, _ = _applied(_client(LDES_CLIENT, f"{served[0]}catalog-feed.trig", "--no-shape"))
    path = three_releases[2] / "dist/catalog.nt"
    actual = {quad.triple for quad in ox.parse(path=path, format=ox.RdfFormat.N_TRIPLES)}
    assert _without_blank_nodes(triples) == _without_blank_nodes(actual)


def _without_blank_nodes(triples: Iterable[ox.Triple]) -> set[str]:
    return {re.sub(r"_:\S+", "_:x", str(triple)) for triple in triples}
