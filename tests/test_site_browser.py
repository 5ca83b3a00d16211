"""The pages in a real browser: no complaint, no request elsewhere; by keyboard, by screen reader,
on a phone, in the dark, without scripts.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
from playwright.sync_api import ViewportSize

from browser_support import PHONE, WIDE, Browser, Page, axe, serving
from test_site import HOSTILE, hostile  # noqa: F401  # a fixture

# One page of each type.
TYPES = [
    "contradictions", "coverage",
    "index", "index.en", "lab/brandis", "lab/bad-berleburg.en", "organisation/open-knowledge-foundation-deutschland", "place/14729070",
    "programme/rogl", "document/redaktion", "total/kommunen", "def", "def/actionField", "def/kind/stadt", "def/kind", "membership/brandis/picture",
    "shape/UndertakingShape", "shapes", "vocabulary.en", "queries", "query/labs-by-land", "query/describe-a-lab", "browse/labore",
    "browse/labore-land", "browse/organisationen", "browse/organisationen-labor.en", "catalog", "releases", "search", "sparql", "404",
    "compare", "api/index", "api/index.en",
]  # fmt: skip


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with serving(site, "/some/path/") as address:
        yield address


def test_every_type_of_page_loads_without_complaint_and_fits_a_phone(
    browser: Browser, address: str
) -> None:
    for name in TYPES:
        with browser.page(viewport=PHONE) as page:
            page.goto(f"{address}{name}.html", wait_until="networkidle")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), (
                f"{name} is wider than a phone"
            )


def test_axe_finds_nothing(browser: Browser, address: str, packages: None) -> None:
    chosen = [
        "index",
        "lab/brandis",
        "browse/organisationen",
        "browse/labore-land",
        "catalog",
        "query/labs-by-land",
        "shapes",
        "vocabulary",
        "contradictions",
        "coverage.en",
        "sparql",
        "api/index",
        "api/index.en",
        "place/147290000000",
        "organisation/open-knowledge-foundation-deutschland",
    ]
    problems = {}
    for scheme in ("light", "dark"):
        with browser.page(viewport=WIDE, color_scheme=scheme, bypass_csp=True) as page:
            for name in chosen:
                page.goto(f"{address}{name}.html")
                if wrong := axe(page):
                    problems[f"{name} {scheme}"] = wrong
    assert problems == {}


def test_the_language_switch_keeps_the_place(page: Page, address: str) -> None:
    page.goto(f"{address}lab/brandis.html")
    anchor = page.evaluate("[...document.querySelectorAll('main [id]')].at(-1).id")
    page.goto(f"{address}lab/brandis.html#{anchor}")
    page.get_by_role("link", name="English").click()
    assert page.url == f"{address}lab/brandis.en.html#{anchor}"
    assert page.locator(f"[id='{anchor}']").count() == 1
    assert page.get_by_role("heading", name="Facts").is_visible()
    page.get_by_role("link", name="Deutsch", exact=True).click()
    assert page.url == f"{address}lab/brandis.html#{anchor}"


def test_a_page_is_walked_by_keyboard(page: Page, address: str) -> None:
    page.goto(f"{address}index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.locator("figure.map svg a").first.focus()
    assert page.evaluate("document.activeElement.getAttribute('aria-label')")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "/index.html" not in page.url and page.locator("h1").is_visible()


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("picture", ["map", "graph"])
def test_names_in_pictures_do_not_touch_and_can_be_read(
    browser: Browser, address: str, viewport: ViewportSize, picture: str
) -> None:
    with browser.page(viewport=viewport) as page:
        page.goto(f"{address}index.html")
        names = page.locator(f"figure.{picture} svg[role] text").evaluate_all(
            """(texts) => texts.map((text) => {
              const {left, top, right, bottom} = text.getBoundingClientRect();
              const size = parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a;
              return [text.textContent, left, top, right, bottom, size];
            })"""
        )
        assert len(names) >= 13
        assert [
            (a[0], b[0])
            for a, b in combinations(names, 2)
            if a[1] < b[3] and b[1] < a[3] and a[2] < b[4] and b[2] < a[4]
        ] == []
        assert min(name[5] for name in names) >= (11 if viewport == PHONE else 10)


@pytest.mark.parametrize("start", ["index.html", "index.en.html"])
def test_no_line_of_the_network_runs_through_a_name(page: Page, address: str, start: str) -> None:
    page.goto(address + start)
    crossed, names, steps = page.locator("figure.graph svg[role]").evaluate(
        """(picture) => {
          const lines = picture.querySelector("path.edges").getAttribute("d").split("M").slice(1)
            .map((line) => line.split(/[ L]/).map(Number));
          const names = [...picture.querySelectorAll("tspan")].map((name) => [name.textContent, name.getBBox()]);
          const crossed = new Set();
          let steps = 0;
          for (const [x, y, toX, toY] of lines) {
            const count = Math.ceil(Math.hypot(toX - x, toY - y) / 2);
            for (let step = 0; step <= count; step += 1, steps += 1) {
              const atX = x + (toX - x) * step / count, atY = y + (toY - y) * step / count;
              for (const [name, box] of names) {
                if (atX > box.x && atX < box.x + box.width && atY > box.y + 2 && atY < box.y + box.height - 2) crossed.add(name);
              }
            }
          }
          return [[...crossed], names.length, steps];
        }"""
    )
    assert names >= 20 and steps > 1_000
    assert crossed == []


def test_pictures_can_be_skipped_by_keyboard(page: Page, address: str) -> None:
    page.goto(f"{address}index.html")
    for picture in ("map", "graph"):
        page.locator(f"figure.{picture} .skip").focus()
        assert page.locator(f"figure.{picture} .skip").bounding_box()["x"] >= 0
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert not page.evaluate(f"document.activeElement.closest('figure.{picture}')")


def test_the_first_screen_has_the_beginning_of_the_picture(browser: Browser, address: str) -> None:
    with browser.page(viewport={"width": 1280, "height": 1000}) as page:
        for start in ("index.html", "index.en.html"):
            page.goto(address + start)
            assert page.locator(".matrix tbody tr").nth(1).bounding_box()["y"] < 1000


def test_the_map_has_a_place_abroad(page: Page, address: str) -> None:
    page.goto(f"{address}index.html")
    place = page.get_by_role("link", name="Eurométropole Strasbourg", exact=True)
    picture = page.locator("figure.map svg[role]").bounding_box()
    spot = place.first.bounding_box()
    assert picture["x"] < spot["x"] < picture["x"] + picture["width"]


def test_the_identifier_is_copied(browser: Browser, address: str) -> None:
    with browser.page(permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto(f"{address}lab/brandis.html")
        page.get_by_role("button", name="Kopieren").click()
        page.get_by_role("status").first.wait_for(state="attached")
        assert (
            page.evaluate("navigator.clipboard.readText()") == "https://w3id.org/rogl/lab/brandis"
        )


# -- questions of a first visit, each answered within three clicks ---------------------------------


def test_which_labs_are_in_north_rhine_westphalia(page: Page, address: str) -> None:
    page.goto(f"{address}index.html")
    page.locator(".beside .filters select").select_option("Nordrhein-Westfalen")
    assert page.locator("#main tbody tr:visible").count() == 4


def test_which_labs_are_in_north_rhine_westphalia_without_a_script(
    browser: Browser, address: str
) -> None:
    with browser.page(java_script_enabled=False) as page:
        page.goto(f"{address}index.html")
        page.locator(".beside").get_by_role("link", name="Nach Land").click()
        page.locator(".jump").get_by_role("link", name="Nordrhein-Westfalen").click()
        group = page.locator("section", has=page.get_by_role("heading", name="Nordrhein-Westfalen"))
        assert group.get_by_role("listitem").count() == 4


def test_in_which_labs_is_the_open_knowledge_foundation(page: Page, address: str) -> None:
    page.goto(f"{address}index.html")
    page.get_by_label("Namen, Orte, Dokumente suchen").fill("Open Knowledge Foundation")
    page.get_by_role("button", name="Suchen").click()
    page.get_by_role(
        "link", name="Open Knowledge Foundation Deutschland e.V.", exact=True
    ).first.click()
    table = page.get_by_role("region", name="Beteiligungen")
    assert table.get_by_role(
        "link", name="Labor Brandis und Partnerkommunen", exact=True
    ).is_visible()


def test_where_does_this_figure_come_from(page: Page, address: str) -> None:
    page.goto(f"{address}index.html")
    page.get_by_role("region", name="Veröffentlichte Zahlen").get_by_role(
        "link", name="Kommunen und kommunale Einrichtungen"
    ).click()
    assert page.get_by_text("Gezählt wird jeder Eintrag").is_visible()
    page.locator("a.ref").first.click()
    page.locator(".sources li:target .source-title a").click()
    assert page.get_by_text("Dokument", exact=True).is_visible()


def test_give_me_all_this_as_data(page: Page, address: str) -> None:
    page.goto(f"{address}lab/brandis.html")
    page.get_by_role("link", name="Alle Dateien, Formate und Prüfsummen").click()
    with page.expect_download() as info:
        page.get_by_role("link", name="rogl.ttl", exact=True).click()
    assert Path(info.value.path()).stat().st_size > 100_000


# -- without a script, from the disk, from hostile sources -----------------------------------------


def test_everything_but_search_and_queries_works_without_a_script(
    browser: Browser, address: str
) -> None:
    with browser.page(java_script_enabled=False) as page:
        page.goto(f"{address}search.html")
        page.locator("noscript a, main a").get_by_text("Labore").first.click()
        page.get_by_role("link", name="Labor Brandis und Partnerkommunen").click()
        assert page.get_by_text("https://w3id.org/rogl/lab/brandis", exact=True).is_visible()


def test_pages_open_from_the_disk(browser: Browser, site: Path) -> None:
    with browser.page() as page:
        page.goto((site / "lab/brandis.html").as_uri())
        assert (
            page.evaluate(
                "getComputedStyle(document.querySelector('.site-head')).borderBottomStyle"
            )
            == "solid"
        )
        page.locator(".menu").get_by_role("link", name="Organisationen").click()
        assert page.url.endswith("/browse/organisationen.html")


def test_hostile_names_do_no_harm(browser: Browser, hostile: Path) -> None:  # noqa: F811
    with serving(hostile) as address:
        for key, text in HOSTILE.items():
            with browser.page(viewport=PHONE) as page:
                page.on(
                    "dialog",
                    lambda dialog: pytest.fail(f"a name ran as a script: {dialog.message}"),
                )
                page.goto(f"{address}library/hostile-{key}.html")
                assert page.locator("h1").text_content() == text
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), (
                    f"{key} is wider than a phone"
                )
        with browser.page() as page:
            page.goto(f"{address}search.html?q=script")
            page.locator(".search-results a").first.wait_for()
