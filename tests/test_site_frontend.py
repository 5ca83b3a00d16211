"""Search, SPARQL and the small helps, in a real browser: what people type is found, what they ask
is answered, what never ends can be stopped.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import pyoxigraph as ox
import pytest
from playwright.sync_api import Locator

from browser_support import PHONE, Browser, Page, axe, serving
from lodpipe.site.render import script_json
from support import PROGRAM


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with serving(site) as address:
        yield address


@pytest.fixture(scope="module")
def query_page(browser: Browser, address: str) -> Iterator[Page]:
    """One query page for many questions, so that the store is loaded once."""
    with browser.page() as page:
        page.goto(f"{address}sparql.html")
        page.locator("[data-sample]").first.wait_for()
        yield page


def open_query(page: Page, hash_: str) -> None:
    """Goes to the address with this after `#`, as a link would, and waits for the answer."""
    begin(page, hash_)
    answered(page)


def begin(page: Page, hash_: str) -> None:
    page.evaluate("document.querySelector('.result').replaceChildren()")
    page.evaluate("hash => { location.hash = hash }", hash_)


def answered(page: Page) -> None:
    page.locator(".result:not([aria-busy])").locator(".downloads, [role=alert]").first.wait_for(
        timeout=30_000
    )


def downloaded(page: Page, suffix: str) -> bytes:
    with page.expect_download() as info:
        page.click(f"[data-download={suffix}]")
    return Path(info.value.path()).read_bytes()


# -- search ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("Großpösna", "Gemeinde Großpösna"),
        ("grosspoesna", "Gemeinde Großpösna"),
        ("Grosposna", "Gemeinde Großpösna"),
        ("open knowlegde", "Open Knowledge Foundation"),
        ("wuerzb", "Würzburg"),
        ("MARBURK", "Marburg"),
        ("hochschule fur technik", "Hochschule für Technik"),
        ("OKF", "Open Knowledge Foundation"),
        ("14729070", "Brandis"),
        ("180000", "Brandis"),
    ],
)
def test_search_finds_it_however_it_is_spelt(
    page: Page, address: str, typed: str, label: str
) -> None:
    page.goto(f"{address}search.html")
    page.fill("#search-input", typed)
    page.locator(".search-results a", has_text=label).first.wait_for(timeout=15_000)
    assert typed in page.inner_text("[role=status]")
    assert page.locator(".search-group h2").count() >= 1


def test_search_by_address_and_by_keyboard(page: Page, address: str) -> None:
    page.goto(f"{address}search.html?q=stadt")
    page.locator(".search-group").first.wait_for()
    assert page.evaluate("document.activeElement.id") == "search-input"
    page.keyboard.press("ArrowDown")
    first = page.locator(".search-results a").first
    assert page.evaluate("document.activeElement.href") == first.evaluate("(link) => link.href")
    page.keyboard.press("Escape")
    page.keyboard.type(" brandis")
    page.locator(".search-results").get_by_role("link", name="Stadt Brandis", exact=True).wait_for()
    page.wait_for_url("**/search.html?q=stadt+brandis")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/organisation/stadt-brandis.html")
    assert page.inner_text("h1") == "Stadt Brandis"


def test_the_box_in_the_header_leads_to_the_search(page: Page, address: str) -> None:
    page.goto(f"{address}lab/brandis.html")
    page.locator("header [name=q]").fill("wiesenburg")
    page.keyboard.press("Enter")
    page.locator(".search-results a", has_text="Wiesenburg").first.wait_for()


def test_search_in_english_leads_to_english_pages(page: Page, address: str) -> None:
    page.goto(f"{address}search.en.html?q=brandis")
    page.locator(".search-group").first.wait_for()
    assert "hits for" in page.inner_text("[role=status]")
    links = page.locator(".search-results a").evaluate_all(
        "(links) => links.map((link) => link.href)"
    )
    assert links and all(link.endswith(".en.html") for link in links)


# -- queries ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def samples(site: Path) -> list[dict]:
    return [
        query
        for query in json.loads((site / "sparql.json").read_text("utf-8"))["queries"]
        if not query.get("federated")
    ]


def test_every_sample_query_gives_the_stored_result(
    query_page: Page, root: Path, samples: list[dict]
) -> None:
    wrong = []
    for sample in samples:
        query_page.evaluate("document.querySelector('.result').replaceChildren()")
        query_page.click(f'[data-sample="{sample["name"]}"]')
        answered(query_page)
        got, stored = (
            displayed_rows(query_page, sample["form"]),
            stored_result(root / "queries" / "results", sample),
        )
        if got != stored:
            wrong.append(
                (sample["name"], query_page.inner_text(".result")[:200], len(got), len(stored))
            )
    print(f"{len(samples)} sample queries")
    assert wrong == [] and len(samples) >= 20


def displayed_rows(page: Page, form: str) -> list[tuple]:
    """What the page offers to download, as rows, statements or one word."""
    if form == "ask":
        return [(page.inner_text(".verdict"),)]
    if form == "select":
        return [
            tuple(row)
            for row in csv.reader(io.StringIO(downloaded(page, "csv").decode(), newline=""))
        ]
    return sorted(
        (str(triple),) for triple in ox.parse(downloaded(page, "ttl"), format=ox.RdfFormat.TURTLE)
    )


def stored_result(folder: Path, sample: dict) -> list[tuple]:
    if sample["form"] == "ask":
        return [
            (
                "Ja"
                if (folder / f"{sample['name']}.txt").read_text("utf-8").strip() == "true"
                else "Nein",
            )
        ]
    if sample["form"] == "select":
        with (folder / f"{sample['name']}.csv").open(encoding="utf-8", newline="") as file:
            return [tuple(row) for row in csv.reader(file)]
    return sorted(
        (str(triple),)
        for triple in ox.parse(path=folder / f"{sample['name']}.ttl", format=ox.RdfFormat.TURTLE)
    )


def test_an_endless_query_can_be_stopped_while_the_page_answers(query_page: Page) -> None:
    open_query(query_page, "query=ASK{}")
    begin(
        query_page,
        "query=SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l FILTER(?c < ?f) }",
    )
    query_page.locator(".clock", has_text="1,").wait_for()  # it runs for a second
    start = time.monotonic()
    query_page.locator(".samples li").last.hover()
    assert query_page.evaluate("1 + 1") == 2
    assert time.monotonic() - start < 2
    query_page.locator("button", has_text="Anhalten").click()
    query_page.locator(".tool-status", has_text="Angehalten nach").wait_for(timeout=5_000)
    open_query(query_page, "query=ASK{}")
    assert query_page.inner_text(".verdict") == "Ja"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("DELETE WHERE { ?s ?p ?o }", "Die Abfrage ist nicht lesbar, Zeile 1"),
        (
            "SELECT * { SERVICE <https://example.org/> { ?s ?p ?o } }",
            "SERVICE fragt andere Rechner",
        ),
        ("SELECT * " + "{ " * 3000 + "} " * 3000, "abgestürzt"),
    ],
)
def test_what_cannot_run_is_reported_and_the_next_query_runs(
    query_page: Page, query: str, message: str
) -> None:
    open_query(query_page, f"query={query}")
    assert message in query_page.inner_text("[role=alert]")
    open_query(query_page, "query=SELECT (1 AS ?one) {}")
    assert query_page.inner_text(".tool-status").startswith("1 Zeile in ")


def test_a_link_brings_back_a_long_query_and_its_view(page: Page, address: str) -> None:
    page.goto(f"{address}sparql.html")
    page.locator("[data-sample]").first.wait_for()
    comment = "# " + "ä&+#%\"'<x>" * 400
    query = f"{comment}\nSELECT ?label (COUNT(*) AS ?n) {{ ?s a ?label }} GROUP BY ?label"
    page.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(query)
    page.keyboard.press("Control+Enter")
    answered(page)
    page.click("[data-view=chart]")
    link = page.url
    page.goto("about:blank")
    page.goto(link)
    answered(page)
    assert page.locator(".result-chart li").count() > 10
    assert page.locator(".cm-line").all_inner_texts()[1] == query.split("\n")[1]


def test_known_prefixes_are_declared_where_they_are_missing(query_page: Page) -> None:
    open_query(query_page, "query=SELECT ?lab { ?lab a org:OrganizationalCollaboration }")
    assert "13 Zeilen" in query_page.inner_text(".tool-status")
    assert (
        query_page.locator(".cm-line").first.inner_text()
        == "PREFIX org: <http://www.w3.org/ns/org#>"
    )


def test_terms_of_the_data_are_proposed_and_tab_leaves_all_the_same(
    page: Page, address: str
) -> None:
    page.goto(f"{address}sparql.html#query=ASK{{}}")
    answered(page)
    page.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.type("SELECT * { ?lab a org:Organizational")
    page.locator(".proposals li", has_text="org:OrganizationalCollaboration").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Ausführen"
    page.locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.press("Control+Space")
    page.locator(".proposals li").wait_for()
    page.wait_for_timeout(
        100
    )  # a proposal cannot be taken in its first 75 ms, lest one takes it unseen
    page.keyboard.press("Enter")
    assert page.locator(".cm-line").all_inner_texts() == [
        "SELECT * { ?lab a org:OrganizationalCollaboration"
    ]


def test_an_error_is_reported_with_its_line(query_page: Page) -> None:
    open_query(query_page, "query=SELECT *%0A{ ?s ?p%0A}")
    assert "Zeile 3" in query_page.inner_text("[role=alert]")
    assert query_page.locator(".cm-wrong").inner_text() == "}"


def test_downloads_are_what_the_store_answers(query_page: Page, site: Path) -> None:
    store = ox.Store()
    store.bulk_load(path=site / "rogl.nt", format=ox.RdfFormat.N_TRIPLES)
    order = "?s ?p STR(?o) LANG(?o) STR(DATATYPE(?o))"
    query = f"SELECT ?s ?p ?o {{ ?s ?p ?o FILTER(isLiteral(?o)) }} ORDER BY {order}"
    open_query(query_page, f"query={query}")
    assert downloaded(query_page, "csv") == store.query(query).serialize(
        format=ox.QueryResultsFormat.CSV
    )
    wanted = json.loads(store.query(query).serialize(format=ox.QueryResultsFormat.JSON))
    assert json.loads(downloaded(query_page, "json")) == wanted
    assert query_page.locator("tbody tr").count() == 1000  # in pages: the rest is one button away
    query_page.locator("button", has_text="Weiter").click()
    assert query_page.locator(".pager span").inner_text().startswith("Zeilen 1.001 bis 2.000 von ")

    describe = "DESCRIBE <https://w3id.org/rogl/lab/brandis>"
    open_query(query_page, f"query={describe}")
    turtle = downloaded(query_page, "ttl")
    assert set(ox.parse(turtle, format=ox.RdfFormat.TURTLE)) == {
        ox.Quad(*triple) for triple in store.query(describe)
    }


def test_a_table_sorts_and_leads_to_our_pages(query_page: Page, site: Path) -> None:
    open_query(
        query_page,
        "query=SELECT ?lab (COUNT(?x) AS ?n) { ?lab a schema:ResearchProject ; org:hasMember ?x } GROUP BY ?lab",
    )
    query_page.locator("th button", has_text="n").last.click()
    numbers = [int(text) for text in query_page.locator("td.number").all_inner_texts()]
    assert numbers == sorted(numbers) and len(numbers) == 13
    assert query_page.locator("th[aria-sort=ascending]").inner_text() == "n"
    pages = query_page.locator("tbody a").evaluate_all(
        "(links) => links.map((link) => new URL(link.href).pathname)"
    )
    assert len(pages) == 13 and all((site / page.lstrip("/")).is_file() for page in pages)


def test_points_are_on_the_map(query_page: Page) -> None:
    places = "?ort schema:geo ?g ; skos:prefLabel ?label . ?g schema:latitude ?lat ; schema:longitude ?long"
    open_query(query_page, f"query=SELECT ?ort ?label ?lat ?long {{ {places} }}&view=map")
    assert query_page.locator(".result-map circle").count() > 30
    assert query_page.locator(".result-map a[aria-label]").count() > 30
    assert query_page.locator(".result-map .land path").count() >= 16


def test_a_declared_unit_is_at_its_numbers_and_days_are_in_words(query_page: Page) -> None:
    open_query(query_page, "sample=funding-known-and-unknown&view=table")
    assert query_page.locator("thead th").all_inner_texts()[:2] == ["Name", "Betrag"]
    cells = query_page.locator("td.number").all_inner_texts()
    assert "180.000 €" in [cell.replace("\u00a0", " ") for cell in cells]
    assert b",180000," in downloaded(query_page, "csv")
    open_query(
        query_page, 'query=SELECT ("2022-06-22"^^xsd:date AS ?day) ("2020"^^xsd:gYear AS ?year) {}'
    )
    day = query_page.locator("tbody td").first
    assert day.inner_text() == "22. Juni 2022"
    assert (
        day.locator("[title='2022-06-22']").evaluate("(e) => getComputedStyle(e).whiteSpace")
        == "nowrap"
    )


def test_a_chart_has_the_unknown_hatched_as_a_picture_too(query_page: Page) -> None:
    open_query(query_page, "sample=funding-known-and-unknown")
    assert query_page.locator(".bar-unknown").count() == 8
    background = "(bar) => getComputedStyle(bar).backgroundImage"
    assert "gradient" in query_page.locator(".bar-unknown svg").first.evaluate(background)
    picture = ElementTree.fromstring(downloaded(query_page, "svg"))
    fills = [bar.get("fill") for bar in picture.iter("{http://www.w3.org/2000/svg}rect")]
    assert fills.count("url(#unknown)") == 8 and fills.count("#0b4f6c") == 5


def test_a_result_with_places_is_geojson(query_page: Page) -> None:
    open_query(query_page, "sample=municipalities-map")
    features = json.loads(downloaded(query_page, "geojson"))["features"]
    assert len(features) > 30
    for feature in features:
        longitude, latitude = feature["geometry"]["coordinates"]
        assert 5 < longitude < 16 and 47 < latitude < 56
        assert feature["properties"]["label"]


def test_an_embedded_chart_has_the_chart_alone(
    browser: Browser, address: str, tmp_path: Path
) -> None:
    with browser.page(allow=("favicon.ico", "404")) as page:
        page.goto(f"{address}sparql.html#sample=funding-known-and-unknown")
        answered(page)
        page.locator(".embed summary").click()
        snippet = page.locator(".embed pre").inner_text()
        assert "sample=funding-known-and-unknown&amp;view=chart" in snippet
        (tmp_path / "article.html").write_text(f"<!doctype html>{snippet}", "utf-8")
        with serving(tmp_path) as elsewhere:
            page.goto(f"{elsewhere}article.html")
            frame = page.frame_locator("iframe")
            frame.locator(".result-chart li").first.wait_for()
            for hidden in (".site-head", ".samples", ".editor", "h1"):
                assert not frame.locator(hidden).first.is_visible()
            assert frame.get_by_role("link", name="Abfrage und Daten öffnen").is_visible()


def test_a_foreign_reader_opens_the_workbook_of_a_table(page: Page, address: str) -> None:
    openpyxl = pytest.importorskip("openpyxl")

    def rows(name: str) -> list[tuple]:
        page.goto(f"{address}query/{name}.html")
        book = openpyxl.load_workbook(io.BytesIO(downloaded(page, "xlsx")))
        return list(book.active.iter_rows(values_only=True))

    places = rows("municipalities-and-population")
    assert places[0][:4] == ("Name", "Gemeindeschlüssel", "Einwohner", "Fläche")
    assert ("Bremen", "04011000", 586271, 31820) in [row[:4] for row in places]
    assert "Großpösna" in [row[0] for row in places]
    days = [row[0] for row in rows("timeline")]
    assert datetime(2017, 5, 16) in days and "2017-02" in days


def test_a_table_sorts_numbers_by_value(page: Page, address: str) -> None:
    page.goto(f"{address}query/municipalities-and-population.html")
    page.locator("th button", has_text="Einwohner").click()
    numbers = page.locator("tbody tr td:nth-child(3) data").evaluate_all(
        "(cells) => cells.map((cell) => Number(cell.value))"
    )
    assert numbers == sorted(numbers) and len(numbers) > 20


# -- for everyone ----------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_violation_of_accessibility(
    packages: None, browser: Browser, address: str, scheme: str
) -> None:
    with browser.page(color_scheme=scheme) as page:
        page.goto(f"{address}search.html?q=stadt")
        page.locator(".search-group").first.wait_for()
        violations = [("search", *violation) for violation in axe(page)]
        page.goto(f"{address}sparql.html")
        page.locator("[data-sample]").first.wait_for()
        violations += [("sparql", *violation) for violation in axe(page)]
        for hash_ in (
            "query=SELECT * { ?s ?p ?o } LIMIT 20",
            "query=DESCRIBE <https://w3id.org/rogl/lab/brandis>",
            "query=ASK {}",
            "query=SELECT {",
        ):
            open_query(page, hash_)
            violations += [(hash_, *violation) for violation in axe(page)]
        assert violations == []


FOCUSED = "((one) => (one.shadowRoot?.activeElement ?? one).ariaLabel ?? one.textContent)(document.activeElement)"


def test_the_keyboard_passes_through_the_query_page(page: Page, address: str) -> None:
    page.goto(f"{address}sparql.html")
    page.locator("[data-sample]").first.wait_for()
    page.locator("[data-sample]").last.focus()
    seen = []
    for _ in range(3):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(FOCUSED))
    assert seen == [
        "SPARQL-Abfrage",
        "Ausführen",
        "Link kopieren",
    ]  # what cannot be done, as to stop, is passed over
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Control+Enter")
    answered(page)


@pytest.mark.parametrize(
    "where", ["search.html?q=stadt", "sparql.html#query=SELECT * { ?s ?p ?o } LIMIT 20"]
)
def test_nothing_sticks_out_on_a_phone(browser: Browser, address: str, where: str) -> None:
    with browser.page(viewport=PHONE) as page:
        page.goto(address + where)
        page.locator(".search-group, .downloads").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("query", ["SELECT * { ?s ?p ?o } LIMIT 20", "ASK {}", "SELECT * { ?s", ""])
def test_on_a_phone_the_answer_of_a_query_is_in_view(
    browser: Browser, address: str, query: str
) -> None:
    with browser.page(viewport=PHONE) as page:
        page.goto(f"{address}sparql.html" + (f"#query={query}" if query else ""))
        if not query:
            page.locator("[data-sample]").nth(1).click()
        answered(page)
        top = page.evaluate("document.querySelector('.result').getBoundingClientRect().top")
        assert 0 < top < PHONE["height"] / 2
        assert page.locator(".result:focus").count() == 1


HOSTILE = [
    "<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "x" * 5000, "\u202eשלום مرحبا", "javascript:alert(1)", "&amp;lt; {{7*7}}",
    "\u0007",
]  # fmt: skip


def test_hostile_labels_stay_text_in_the_search(page: Page, address: str) -> None:
    entries = [
        [f"lab/{number}", [f"hostile {text}"], [text], text] for number, text in enumerate(HOSTILE)
    ]
    entries += [[HOSTILE[4], ["hostile page"]], ["../../x?<y>", ["hostile path"]]]
    head: dict = {"languages": ["de", "en"], "groups": [[HOSTILE[0]]], "starts": [0], "block": 64}
    files = {"words": ["hostile"], "endings": ["elitsoh"], "terms": ["hostile"]}
    head |= {**files, "entries": len(entries)}
    index = {
        "terms-0": [["hostile", [3, *[11] * (len(entries) - 1)]]],
        "entries-0": entries,
    }
    page.route(
        "**/assets/search/*.json",
        lambda route: route.fulfill(json=index[route.request.url.rpartition("/")[2][:-5]]),
    )
    page.route(
        "**/search.html*",
        lambda route: route.fulfill(
            body=re.sub(
                '(id="search-files">).*?(?=</script>)',
                lambda match: match[1] + script_json(head),
                route.fetch().text(),
                count=1,
                flags=re.DOTALL,
            )
        ),
    )
    page.goto(f"{address}search.html?q=hostile")
    page.locator(".search-group").first.wait_for()
    assert page.locator(".search-results li").count() == len(entries)
    assert page.locator(".search-results script, .search-results img").count() == 0
    hrefs = page.locator(".search-results a").evaluate_all(
        "(links) => links.map((link) => link.href)"
    )
    assert all(href.startswith(address) for href in hrefs)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth")


def test_hostile_results_stay_text(query_page: Page) -> None:
    rows = " ".join(json.dumps(text) for text in HOSTILE)
    open_query(
        query_page,
        "query="
        + quote(
            f"SELECT ?label (IRI(?label) AS ?iri) ?n {{ VALUES ?label {{ {rows} }} BIND(1 AS ?n) }}"
        ),
    )
    assert query_page.locator("tbody tr").count() == len(HOSTILE)
    assert query_page.locator("tbody script, tbody img").count() == 0
    assert (
        query_page.locator("tbody a").evaluate_all(
            "(links) => links.filter((link) => link.protocol === 'javascript:').length"
        )
        == 0
    )
    assert query_page.evaluate("document.documentElement.scrollWidth") <= query_page.evaluate(
        "innerWidth"
    )
    query_page.click("[data-view=chart]")
    assert query_page.locator(".result-chart script, .result-chart img").count() == 0


def test_it_works_below_any_path_and_when_the_host_unpacks(browser: Browser, site: Path) -> None:
    """Some hosts send .gz files with Content-Encoding, so the browser unpacks them."""
    with serving(site, prefix="/a/b/", unpacking=True) as address, browser.page() as page:
        page.goto(
            f"{address}sparql.html#query=SELECT (COUNT(*) AS ?n) {{ ?s a schema:ResearchProject }}"
        )
        answered(page)
        assert page.locator("td.number").inner_text() == "13"


def test_lodpipe_serve_can_be_queried_instead(browser: Browser, site: Path) -> None:
    dump = (site.parent / "rogl.nt").read_text("utf-8").splitlines()
    described = sum(line.startswith("<https://w3id.org/rogl/lab/brandis> ") for line in dump)
    with served(site.parent.parent) as address, browser.page(allow=("400",)) as page:
        urls: list[str] = []
        page.on("request", lambda request: urls.append(request.url))
        page.goto(f"{address}sparql.html")
        page.locator("label", has_text="auf dem Server").click()
        for query, message in (
            ("SELECT ?lab { ?lab a schema:ResearchProject }", "13 Zeilen in "),
            ("DESCRIBE <https://w3id.org/rogl/lab/brandis>", f"{described} Tripel in "),
            ("ASK {}", "Antwort"),
        ):
            open_query(page, f"query={query}")
            assert page.inner_text(".tool-status").startswith(message)
        open_query(page, "query=SELECT {")
        assert "Zeile 1" in page.inner_text("[role=alert]")
        assert f"{address}sparql" in urls and not any(
            url.endswith((".gz", "worker.js")) for url in urls
        )
        page.locator("label", has_text="in diesem Browser").click()
        open_query(page, "query=SELECT ?lab { ?lab a schema:ResearchProject } LIMIT 100")
        assert page.inner_text(".tool-status").startswith("13 Zeilen in ")


@contextmanager
def served(project: Path) -> Iterator[str]:
    """The address of `lodpipe serve` on a free port."""
    command = [*PROGRAM, "serve", "--project", str(project), "--port", "0", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield next(line.split()[-1] for line in server.stdout if line.startswith("serving "))
        finally:
            server.terminate()


def test_opened_as_a_file_the_page_says_what_it_needs(browser: Browser, site: Path) -> None:
    with browser.page() as page:
        page.goto((site / "sparql.html").as_uri())
        assert "http.server" in page.locator("#sparql [role=alert]").inner_text()


def test_csv_reads_back(query_page: Page) -> None:
    open_query(
        query_page,
        'query=SELECT ?a ?b { VALUES (?a ?b) { ("x,\\"y\\"\\n" <http://e/>) (UNDEF "z") } }',
    )
    assert list(csv.reader(io.StringIO(downloaded(query_page, "csv").decode(), newline=""))) == [
        ["a", "b"],
        ['x,"y"\n', "http://e/"],
        ["", "z"],
    ]


# -- small helps -----------------------------------------------------------------------------------


def test_the_identifier_is_copied(browser: Browser, address: str) -> None:
    with browser.page(permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto(f"{address}lab/brandis.html")
        page.click("[data-copy]")
        page.locator("[data-copy]", has_text="Kopiert").wait_for()
        assert (
            page.evaluate("navigator.clipboard.readText()") == "https://w3id.org/rogl/lab/brandis"
        )


def test_a_table_is_filtered_by_choice_and_by_text(page: Page, address: str) -> None:
    page.goto(address)
    table = page.locator("table[data-filter]").first
    page.locator(".filters select").first.select_option("Nordrhein-Westfalen")
    assert table.locator("tbody tr:visible").count() == 4
    assert page.locator(".filter-count").first.inner_text() == "4 von 13 Zeilen"
    page.locator(".filters input").first.fill("niederrh")
    assert table.locator("tbody tr:visible").inner_text().startswith("Labor Niederrhein")


def test_a_picture_zooms_by_button_key_and_wheel(page: Page, address: str) -> None:
    page.goto(address)
    picture = page.locator("[data-zoom] svg[viewBox][role]").last
    sizes = [view_box(picture)]
    page.locator(".zoom-bar").last.locator("button").first.click()
    sizes.append(view_box(picture))
    page.keyboard.press("+")
    sizes.append(view_box(picture))
    picture.hover()
    page.mouse.wheel(0, -100)
    page.wait_for_timeout(100)
    sizes.append(view_box(picture))
    assert [size[2] for size in sizes] == sorted((size[2] for size in sizes), reverse=True) and len(
        {size[2] for size in sizes}
    ) == 4
    page.keyboard.press("ArrowRight")
    assert view_box(picture)[0] > sizes[-1][0]
    page.keyboard.press("0")
    assert view_box(picture) == sizes[0]


def view_box(picture: Locator) -> tuple[float, ...]:
    return tuple(float(number) for number in (picture.get_attribute("viewBox") or "").split())


def test_the_first_page_is_light(page: Page, address: str, site: Path) -> None:
    """What a first visit loads, packed as hosts pack it: under 150 kB."""
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.goto(address)
    page.wait_for_load_state("networkidle")
    sizes = {
        url: len(gzip.compress((site / (url.removeprefix(address) or "index.html")).read_bytes()))
        for url in set(urls)
    }
    print(sizes)
    assert sum(sizes.values()) < 150_000 and len(sizes) <= 6


def test_a_comparison_begins_from_a_list_or_from_nothing(page: Page, address: str) -> None:
    """Opened without a choice, the page offers what can be compared; a list leads to its own."""
    page.goto(f"{address}compare.html")
    page.get_by_text("Was soll verglichen werden?").wait_for()
    assert page.locator("main select").count() == 0
    page.locator("main nav a", has_text="Programme").click()
    page.get_by_label("Erster Eintrag").locator("option").nth(4).wait_for(state="attached")

    page.goto(f"{address}browse/labore.html")
    page.locator("main").get_by_role("link", name="Vergleichen").click()
    page.get_by_label("Erster Eintrag").select_option("Labor Gerbrunn | Würzburg")
    page.get_by_label("Zweiter Eintrag").select_option("Labor Merzenich | Kerpen")
    page.locator("table.compared").wait_for()
    heads = page.locator("table.compared thead a").all_inner_texts()
    assert heads == ["Labor Gerbrunn | Würzburg", "Labor Merzenich | Kerpen"]
    assert page.locator("main nav [aria-current]").inner_text() == "Labore"
