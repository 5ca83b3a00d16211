"""The pages as files: every link leads somewhere, every page says the same as its data, nothing
asks another host, hostile names do no harm.
"""

from __future__ import annotations

import gzip
import hashlib
import html
import json
import re
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pyoxigraph as ox
import pytest
import yaml
from lxml import etree

from lodpipe.queries.samples import read_queries
from support import ROOT, TESTS, copy_project, fingerprint, invoke, run_process

BASE = "https://w3id.org/rogl/"
ADDRESSES = ("href", "src", "action", "data-index", "data-root", "data-config", "data-assets")


DATA_BLOCKS = ("application/ld+json", "application/json")  # no browser runs them


@dataclass
class Read:
    """What a page holds: addresses, ids, elements, and what scripts and styles are written into it."""

    addresses: list[tuple[str, str]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)
    policy: str = ""
    language: str = ""
    data: str = ""
    headings: list[str] = field(default_factory=list)

    def add(self, tag: str, given: dict[str, str], text: str) -> None:
        """An element with its attributes, and the text with which it begins."""
        self.addresses += [(f"{tag} {name}", given[name]) for name in ADDRESSES if name in given]
        self.ids += [given["id"]] if "id" in given else []
        self.inline += [
            f"{tag} {name}" for name in given if name.startswith("on") or name == "style"
        ]
        self.inline += [tag] if tag in ("style", "base", "iframe", "object", "embed") else []
        self.inline += (
            ["script"]
            if tag == "script" and "src" not in given and given.get("type") not in DATA_BLOCKS
            else []
        )
        if tag == "script" and given.get("type") == "application/ld+json":
            self.data += text
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"]
        if tag == "html":
            self.language = given.get("lang", "")
        self.headings += [tag] if tag == "h1" else []


@cache
def read(path: Path) -> Read:
    content = Read()
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True)
    for element in etree.fromstring(path.read_bytes(), parser).iter(etree.Element):
        content.add(element.tag, dict(element.attrib), element.text or "")
    return content


def pages(site: Path) -> list[Path]:
    """Every page but what the catalogue wrote."""
    return [path for path in sorted(site.rglob("*.html")) if path.name != "withdrawn.html"]


def dead(site: Path) -> Iterator[str]:
    """Links and anchors that lead nowhere."""
    for path in pages(site):
        for where, address in read(path).addresses:
            parts = urlsplit(address)
            if parts.scheme:
                continue
            # Where the page of an error is shown is not known: its links begin with a slash.
            start = site if path.name.startswith("404.") else path.parent
            local = unquote(parts.path).removeprefix("/" if start == site else "")
            goal = goal_of(site, start, local) if parts.path else path
            if goal is None:
                yield f"{path.relative_to(site)}: {where} {address}"
            elif (
                parts.fragment
                and "=" not in parts.fragment
                and unquote(parts.fragment) not in anchors(goal)
            ):
                yield f"{path.relative_to(site)}: no anchor {address}"


@cache
def goal_of(site: Path, start: Path, local: str) -> Path | None:
    """The file that an address leads to from a folder; None where there is none, or none of the site."""
    goal = (start / local).resolve()
    return goal if goal.is_relative_to(site.resolve()) and goal.exists() else None


@cache
def anchors(path: Path) -> frozenset[str]:
    return frozenset(read(path).ids)


def test_no_link_and_no_anchor_is_dead(site: Path) -> None:
    paths = pages(site)
    print(f"{len(paths)} pages, {sum(len(read(path).addresses) for path in paths)} addresses")
    assert len(paths) > 1500
    assert list(dead(site)) == []


def test_every_page_is_whole(site: Path) -> None:
    wrong = []
    for path in pages(site):
        content = read(path)
        language = "en" if path.name.endswith(".en.html") else "de"
        wrong += [f"{path.name}: {what}" for what in content.inline]
        wrong += [
            f"{path.name}: id {name} twice"
            for name in {name for name in content.ids if content.ids.count(name) > 1}
        ]
        wrong += (
            []
            if len(content.headings) == 1 and content.language == language
            else [f"{path.name}: headings or language"]
        )
        wrong += (
            []
            if content.policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'")
            else [f"{path.name}: policy"]
        )
        wrong += (
            []
            if ("wasm" in content.policy) == path.name.startswith("sparql.")
            and "unsafe-inline" not in content.policy
            else [f"{path.name}: policy"]
        )
    assert wrong == []


def test_what_pages_load_is_on_the_same_host(site: Path) -> None:
    loading = (
        "script src",
        "img src",
        "form action",
        "main data-index",
        "main data-root",
        "main data-config",
        "main data-assets",
    )
    outside = [
        f"{path.name}: {where} {address}"
        for path in pages(site)
        for where, address in read(path).addresses
        if where in loading and (urlsplit(address).scheme or address.startswith("/"))
    ]
    assert outside == []
    sheets = [
        path
        for path in (site / "assets").glob("*.css")
        if "url(" in path.read_text("utf-8") or "@import" in path.read_text("utf-8")
    ]
    assert sheets == []


def test_every_resource_has_its_page_and_the_same_as_data(site: Path, store: ox.Store) -> None:
    subjects = sorted({quad.subject.value for quad in store})
    print(f"{len(subjects)} resources")
    for iri in subjects:
        local = iri.removeprefix(BASE)
        texts = {
            suffix: (site / f"{local}.{suffix}").read_bytes()
            for suffix in ("html", "en.html", "ttl", "nt", "jsonld")
        }
        graphs = []
        for suffix, kind in (
            ("ttl", ox.RdfFormat.TURTLE),
            ("nt", ox.RdfFormat.N_TRIPLES),
            ("jsonld", ox.RdfFormat.JSON_LD),
        ):
            graphs.append({quad.triple for quad in ox.parse(texts[suffix], format=kind)})
        graphs.append(
            {
                quad.triple
                for quad in ox.parse(path=site / f"{local}.rdf", format=ox.RdfFormat.RDF_XML)
            }
        )
        assert all(graph_ == graphs[0] for graph_ in graphs), iri
        own = {quad.triple for quad in store.quads_for_pattern(ox.NamedNode(iri), None, None, None)}
        assert own <= graphs[0], iri
        embedded = {
            quad.triple
            for quad in ox.parse(read(site / f"{local}.html").data, format=ox.RdfFormat.JSON_LD)
        }
        assert embedded == own, iri


def test_shapes_and_queries_have_pages(site: Path) -> None:
    queries = read_queries(ROOT, ("de", "en"))
    assert len(queries) >= 20
    assert [
        query.name for query in queries if not (site / f"query/{query.name}.en.html").is_file()
    ] == []
    for query in queries:
        assert list(
            ox.parse(
                path=site / f"query/{query.name}.ttl", format=ox.RdfFormat.TURTLE, base_iri=BASE
            )
        ), query.name
    shapes = sorted((site / "shape").glob("*.ttl"))
    print(f"{len(shapes)} shapes")
    assert len(shapes) > 20
    for path in shapes:
        assert path.with_suffix(".html").is_file()
        assert list(ox.parse(path=path, format=ox.RdfFormat.TURTLE))


def test_the_start_page_is_small(site: Path) -> None:
    loaded = [
        site / "index.html",
        site / "assets/site.css",
        site / "assets/site.js",
        site / "assets/favicon.svg",
    ]
    assert sum(len(gzip.compress(path.read_bytes())) for path in loaded) < 150_000


def test_search_knows_every_name(site: Path, store: ox.Store) -> None:
    folder = site / "assets/search"
    index = json.loads((folder / "index.json").read_text("utf-8"))
    entries = [
        entry
        for path in folder.glob("entries-*.json")
        for entry in json.loads(path.read_text("utf-8"))
    ]
    assert len(entries) == index["entries"] > 300
    for page, labels, *_ in entries:
        assert labels
        assert (site / f"{page}.html").is_file() and (site / f"{page}.en.html").is_file()


def test_machines_find_sitemap_feed_and_robots(site: Path) -> None:
    sitemap = ET.fromstring((site / "sitemap.xml").read_bytes())
    places = [
        location.text or ""
        for location in sitemap.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")
    ]
    assert len(places) > 20 and all((site / place.removeprefix(BASE)).is_file() for place in places)
    feed = ET.fromstring((site / "feed.atom").read_bytes())
    assert [date.text for date in feed.iter("{http://www.w3.org/2005/Atom}updated")] == [
        "2026-11-23T00:00:00Z"
    ] * 2
    assert f"Sitemap: {BASE}sitemap.xml" in (site / "robots.txt").read_text("utf-8")


def test_llms_txt_lists_what_is_there_in_the_form_of_its_convention(site: Path) -> None:
    """llmstxt.org: a title, a summary, facts, then lists of links under headings."""
    lines = (site / "llms.txt").read_text("utf-8").splitlines()
    assert lines[0].startswith("# ") and lines[2].startswith("> ") and lines[4].startswith("- ")
    headings = [line.removeprefix("## ") for line in lines if line.startswith("## ")]
    assert headings == [
        "Downloads",
        "JSON API",
        "Sample queries",
        "SPARQL",
        "Data model",
        "Optional",
    ]
    links = [
        re.fullmatch(r"- \[([^\[\]]+)\]\((\S+)\): .+", line)
        for line in lines[lines.index("## Downloads") :]
        if line and not line.startswith("## ")
    ]
    addresses = [link[2] if link else "no link" for link in links]
    assert len(addresses) > 50 and all(address.startswith(BASE) for address in addresses)
    missing = {
        name for item in addresses if not (site / (name := item.removeprefix(BASE))).is_file()
    }
    assert missing == {"sparql"}  # a server answers it


def test_html_validates(site: Path, packages: None) -> None:
    tool = ROOT / "pipeline/frontend/node_modules/.bin/html-validate"
    kinds = {
        path.parent.relative_to(site).as_posix().split("/")[0]: path for path in pages(site)
    }  # one page of each folder
    top = [path for path in pages(site) if path.parent == site]
    chosen = sorted(
        {
            *kinds.values(),
            *top,
            site / "lab/brandis.html",
            site / "lab/brandis.en.html",
            *sorted((site / "browse").glob("*.html"))[:8],
        }
    )
    print(f"{len(chosen)} pages")
    done = subprocess.run(
        ["node", str(tool), "--config", str(TESTS / "site/htmlvalidate.json"), *map(str, chosen)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]


# -- builds ----------------------------------------------------------------------------------------


def digests(folder: Path) -> dict[str, str]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def test_pages_are_the_same_on_another_machine_and_an_unchanged_project_writes_none(
    site: Path, tmp_path: Path
) -> None:
    project = copy_project(tmp_path / "anderswo" / "Projekt")
    other = {
        "PYTHONHASHSEED": "4711",
        "LC_ALL": "C",
        "LANG": "C",
        "TZ": "Pacific/Kiritimati",
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
    }
    assert run_process("build", cwd=project, environment=other).returncode == 0
    folder = project / "dist/site"
    assert digests(folder) == digests(site)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert run_process("build", cwd=project).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


@pytest.mark.slow
def test_pages_disturb_neither_the_checksums_nor_the_staleness_check(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "libraries", TESTS / "projects/libraries")
    assert invoke("build", "--project", project, "--no-site").exit_code == 0
    plain = fingerprint(project / "dist")
    assert not (project / "dist/site").exists()
    assert invoke("build", "--project", project).exit_code == 0
    assert fingerprint(project / "dist") == plain and (project / "dist/site/index.html").is_file()
    assert "LP504" not in invoke("check", "--project", project).stderr


@pytest.mark.slow
def test_a_damaged_dist_is_repaired_and_its_pages_stay(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "libraries", TESTS / "projects/libraries")
    assert invoke("build", "--project", project).exit_code == 0
    pages_before = digests(project / "dist/site")
    damaged = project / "dist/libraries.ttl"
    damaged.unlink()
    damaged.write_text("nonsense", "utf-8")
    assert invoke("build", "--project", project).exit_code == 0
    assert "nonsense" not in damaged.read_text("utf-8")
    assert digests(project / "dist/site") == pages_before


def test_values_that_rest_on_editorial_work_alone_are_marked(site: Path, store: ox.Store) -> None:
    """Of each property either the values of which only `document/redaktion` speaks are marked, or
    none.
    """
    editorial = ox.NamedNode(f"{BASE}document/redaktion")
    anchors = {
        "org-classification": "http://www.w3.org/ns/org#classification",
        "def-legalform": f"{BASE}def/legalForm",
        "def-lead": f"{BASE}def/lead",
        "dct-spatial": "http://purl.org/dc/terms/spatial",
    }
    marked = unmarked = 0
    for path in (*site.glob("lab/*.html"), *site.glob("organisation/*.html")):
        if path.name.endswith(".en.html"):
            continue
        subject = ox.NamedNode(f"{BASE}{path.parent.name}/{path.stem}")
        page = path.read_text("utf-8")
        for anchor, iri in anchors.items():
            fact = re.search(rf'<div id="{anchor}"><dt>.*?</dd></div>', page, re.S)
            quads = store.quads_for_pattern(subject, ox.NamedNode(iri), None)
            graphs: dict[str, set[object]] = {}
            for quad in quads:
                graphs.setdefault(str(quad.object), set()).add(quad.graph_name)
            expected = sum(given == {editorial} for given in graphs.values())
            assert (fact[0].count('class="editorial"') if fact else 0) == expected, (path, anchor)
            marked, unmarked = marked + expected, unmarked + len(graphs) - expected
    print(f"{marked} values marked, {unmarked} not")
    assert marked > 100 and unmarked > 10


def words(path: Path) -> str:
    """What a page says, as one line of text."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", path.read_text("utf-8"))).split())


def words_of(markup: str) -> str:
    """What a part of a page says; elements within a line are no breaks."""
    return " ".join(html.unescape(re.sub(r"</?(?:a|strong)\b[^>]*>", "", markup)).split())


NOTES = """PREFIX oa: <http://www.w3.org/ns/oa#> PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>
PREFIX schema: <https://schema.org/> PREFIX dct: <http://purl.org/dc/terms/>
SELECT DISTINCT ?subject ?text WHERE {
  ?note dct:type <https://w3id.org/rogl/def/remark-kind/note> ; schema:text ?text ; oa:hasTarget/rdf:subject ?subject
  FILTER(LANG(?text) = "de") }"""

CLAIMS = """PREFIX def: <https://w3id.org/rogl/def/> PREFIX oa: <http://www.w3.org/ns/oa#>
PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> PREFIX schema: <https://schema.org/>
SELECT DISTINCT ?contradiction ?statement ?reason WHERE {
  ?contradiction a def:Contradiction ; oa:hasTarget ?statement ; schema:text ?reason FILTER(LANG(?reason) = "de") }"""


def test_each_note_is_on_the_page_of_its_statement(site: Path, store: ox.Store) -> None:
    rows = list(store.query(NOTES, use_default_graph_as_union=True))
    assert len(rows) >= 40
    missing = [
        (row["subject"].value, row["text"].value)
        for row in rows
        if " ".join(row["text"].value.split())
        not in words(site / f"{row['subject'].value.removeprefix(BASE)}.html")
    ]
    assert missing == []


def test_each_contradiction_is_on_the_page_of_all_with_every_statement_and_its_reason(
    site: Path, store: ox.Store
) -> None:
    page = (site / "contradictions.html").read_text("utf-8")
    rows = list(store.query(CLAIMS, use_default_graph_as_union=True))
    contradictions = {row["contradiction"].value for row in rows}
    assert len(contradictions) >= 15
    assert page.count('class="dispute"') == len(contradictions)
    assert len(re.findall(r'<li class="claim(?: chosen| unused)?">', page)) == len(
        {(row["contradiction"].value, row["statement"].value) for row in rows}
    )
    text = words(site / "contradictions.html")
    assert {row["reason"].value for row in rows if row["reason"].value not in text} == set()
    # A figure is shown as its source means it.
    assert re.search(r'"claim-value">mehr als <[^>]*>100<|"claim-value">mehr als 100', page)
    assert 'href="./contradictions.html"' in (site / "index.html").read_text("utf-8")


def test_what_is_not_known_of_a_record_is_on_its_page_and_on_the_page_of_gaps(
    site: Path, store: ox.Store
) -> None:
    page = (site / "contradictions.html").read_text("utf-8")
    rows = re.findall(r'<tr><th scope="row"><a href="\./lab/([^"]+)\.html">.*?</tr>', page)
    assert len(rows) == 13
    for name in rows:
        row = re.search(rf'<tr><th scope="row"><a href="\./lab/{name}\.html">.*?</tr>', page)
        strip = re.search(
            r'<section class="known".*?</section>', (site / f"lab/{name}.html").read_text(), re.S
        )
        assert row and strip
        for state in ("known", "partial", "contradictory", "editorial", "unknown"):
            assert row[0].count(f"s-{state}") == strip[0].count(f"s-{state}"), (name, state)
    gaps = """PREFIX schema: <https://schema.org/> PREFIX dct: <http://purl.org/dc/terms/>
        SELECT DISTINCT ?text { ?note dct:type <https://w3id.org/rogl/def/remark-kind/gap> ; schema:text ?text
        FILTER(LANG(?text) = "de") }"""
    texts = {row["text"].value for row in store.query(gaps, use_default_graph_as_union=True)}
    assert len(texts) >= 10
    whole = words(site / "contradictions.html")
    assert {text for text in texts if " ".join(text.split()) not in whole} == set()


def test_the_first_screen_states_figures_of_queries_and_hatches_what_is_unknown(
    site: Path, store: ox.Store
) -> None:
    start = (site / "index.html").read_text("utf-8")
    figures = [
        words_of(item)
        for item in re.findall(r"<p>(.*?)</p>", start.partition('class="story"')[2])[:4]
    ]
    assert "13 Labore in 8 Ländern" in figures[0] and "98-mal" in figures[0]
    assert "2.700.000 Euro für das Programm" in figures[1]
    assert "bei 5 von 13 bekannt, zusammen 915.800 Euro; bei 8 Laboren fehlt" in figures[2]
    contradictions = {
        row["s"].value
        for row in store.query(
            "SELECT DISTINCT ?s { ?s a <https://w3id.org/rogl/def/Contradiction> }",
            use_default_graph_as_union=True,
        )
    }
    assert f"An {len(contradictions)} Stellen" in figures[3]
    matrix = re.search(r'<table class="matrix">.*?</table>', start, re.S)
    assert matrix and matrix[0].count('class="gap-cell"') >= 8
    assert words_of(matrix[0]).count("915.800") == 1 and matrix[0].count("<circle") == 98


def test_sources_are_cards_with_publisher_address_and_quotes(site: Path) -> None:
    page = (site / "lab/brandis.html").read_text("utf-8")
    cards = re.findall(r'<li id="source-\d+">.*?</li>', page, re.S)
    card = next(card for card in cards if "Labor Brandis &amp; Kommunen im Partheland" in card)
    assert "Netzwerk Regionale Open Government Labore" in card
    assert 'href="http://open-government-kommunen.de/?page_id=2917" class="away"' in card
    quoted = [card for card in cards if "<blockquote>" in card]
    assert any("Initiative „Es geht LOS“" in card for card in quoted)
    assert sum('class="editorial"' in card for card in cards) == 1


def test_relations_are_worded_from_where_they_are_read(site: Path) -> None:
    district, town = words(site / "place/147290000000.html"), words(site / "place/14729070.html")
    assert "Umfasst Borsdorf Brandis Großpösna Naunhof" in district
    assert "Beteiligungen 5" in district and "Labor Brandis und Partnerkommunen" in town
    neighbours = words(site / "organisation/gemeinde-borsdorf.html").partition("denselben Laboren")[
        2
    ]
    assert "Makerspace Partheland" in neighbours and "Gemeinde Borsdorf" not in neighbours
    assert 'aria-label="Karte: Landkreis Leipzig, Borsdorf, ' in (
        site / "place/147290000000.html"
    ).read_text("utf-8")
    ET.parse(site / "assets/outlines.svg")


def test_a_facet_follows_paths_of_the_graph(tmp_path: Path) -> None:
    """A list by what its resources lead to, backwards and forwards; one without a way is an error."""
    project = copy_project(tmp_path / "libraries", TESTS / "projects/libraries")
    declared = project / "publication.yaml"
    given = yaml.safe_load(declared.read_text("utf-8"))
    facets = [
        {"name": "day", "label": {"en": "Day"}, "paths": ["term:openOn"]},
        {"name": "work", "label": {"en": "Work"}, "paths": ["^term:heldBy/term:of"]},
    ]
    given["site"] = {"kinds": [{"class": "schema:Library", "label": {"en": "Library"}}], "facets": facets}  # fmt: skip
    declared.write_text(yaml.safe_dump(given), "utf-8")
    assert invoke("build", "--project", project, "--fail-on", "never").exit_code == 0
    store = ox.Store()
    store.load(path=project / "dist/libraries.nt", format=ox.RdfFormat.N_TRIPLES)
    rows = [*store.query("SELECT ?s ?o { ?s <https://libraries.example/terms/openOn> ?o }")]
    page = (project / "dist/site/browse/library.html").read_text("utf-8")
    cells = re.findall(r'<td data-label="Day">(.*?)</td>', page)
    assert sum(cell.count("<a ") for cell in cells) == len(rows) == 2
    assert len(re.findall(r'<td data-label="Work">.*?work/', page)) > 1
    assert (project / "dist/site/browse/library-day.html").is_file()

    given["site"]["facets"][0].pop("paths")
    declared.write_text(yaml.safe_dump(given), "utf-8")
    result = invoke("check", "--project", project, "--lang", "en")
    assert "LP841" in result.stderr and "`query` or `paths`" in result.stderr


def test_another_publication_has_its_pages(built_libraries: Path) -> None:
    site = built_libraries / "dist/site"
    central, work = words(site / "library/central.html"), words(site / "work/kleider.html")
    start = words(site / "index.html")
    assert "2 libraries hold 16 copies, 3 of them" in start
    assert "Central Library 3 1" in start and "Harbour Branch: “Kontor” 12 unknown" in start
    assert "Together 15 1 more are unknown" in start
    page = (site / "library/central.html").read_text("utf-8")
    edit = "https://github.com/exampletown/libraries/edit/main/data/source/libraries.yaml#L"
    assert edit in page and "issues/new?title=Report%20an%20error%3A%20Central%20Library" in page
    assert "libraries.example%2Flibrary%2Fcentral%0A%0AStatement%3A%20" in page
    assert "Holds holding/c-1 holding/c-2" in central and "Stated as “of” by holding/" in work
    assert list(dead(site)) == []
    assert "Libraries of Exampletown" in (site / "index.html").read_text("utf-8")
    assert "Bibliotheken in Beispielstadt" in (site / "index.de.html").read_text("utf-8")
    assert not re.search(r"(?i)labor|rogl", (site / "index.html").read_text("utf-8"))


def test_no_pages_where_none_are_wanted(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "libraries", TESTS / "projects/libraries")
    declared = project / "publication.yaml"
    before, _, _ = declared.read_text("utf-8").partition("\nsite:")  # the last of its keys
    declared.write_text(f"{before}\nsite: false\n", "utf-8")
    assert invoke("build", "--project", project).exit_code == 0
    assert not (project / "dist/site").exists()


# -- hostile names ---------------------------------------------------------------------------------

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "attribute": '" onmouseover="alert(1)" x=\'',
    "template": "{{ 7 * 7 }} {% raw %} ${7}",
    "end": "</script></title><img src=x onerror=alert(1)>",
    "long": "Donaudampfschifffahrtsgesellschaft" * 20,
    "arabic": "مكتبة المدينة \u202egnp.exe",
    "entities": "&lt;b&gt; &amp; &#x3c;",
}


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The libraries with names that want to be more than names."""
    project = copy_project(
        tmp_path_factory.mktemp("hostile") / "libraries", TESTS / "projects/libraries"
    )
    records = [
        {"id": f"hostile-{key}", "name": {"en": text, "de": text}, "isil": f"DE-{number}"}
        for number, (key, text) in enumerate(HOSTILE.items(), 9000)
    ]
    with (project / "source/libraries.yaml").open("a", encoding="utf-8") as out:
        out.write("\n" + yaml.safe_dump(records, allow_unicode=True, width=10_000))
    done = run_process("build", "--project", project, "--lang", "en")
    assert done.returncode == 0, done.stderr
    return project / "dist/site"


@pytest.mark.slow
def test_hostile_names_stay_names(hostile: Path) -> None:
    assert list(dead(hostile)) == []
    text = "".join(path.read_text("utf-8") for path in pages(hostile))
    assert "<script>alert" not in text and "<img src=x" not in text
    for path in pages(hostile):
        assert read(path).inline == [], path.name
    titles = [
        (path, path.read_text("utf-8"))
        for path in hostile.rglob("*.html")
        if "hostile-script" in path.name
    ]
    assert titles and all("&lt;script&gt;alert(1)&lt;/script&gt;" in title for _, title in titles)
