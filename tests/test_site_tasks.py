"""The tasks of a first visit (tests/site/tasks.yaml), done in a real browser by what is readable on
the screen: on a desktop and on a phone, in German and in English, in three clicks at most.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import yaml
from playwright.sync_api import Locator, ViewportSize
from playwright.sync_api import TimeoutError as NotReadable

from browser_support import PHONE, WIDE, Browser, Page, serving

TASKS = yaml.safe_load(Path(__file__).parent.joinpath("site/tasks.yaml").read_text("utf-8"))
MOST_CLICKS = 3
WAIT = 5_000  # ms for a text or link to appear
SCREENS: dict[str, ViewportSize] = {"desktop": WIDE, "phone": PHONE}
START = {"de": "index.html", "en": "index.en.html"}


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with serving(site, "/some/path/") as address:
        yield address


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[Page]:
    """One page for all visits, so that what they share is loaded once."""
    with browser.page() as page:
        yield page


class Visitor:
    """Someone who reads the screen, and the number of their clicks."""

    def __init__(self, page: Page, screen: str) -> None:
        self.page, self.screen = page, screen
        self.clicks = 0
        self.file = b""

    def follow(self, step: Mapping[str, Any]) -> None:
        """One step of a task."""
        for kind in ("menu", "click", "write", "choose", "see", "file", "address"):
            if kind in step:
                getattr(self, f"_{kind}")(step)

    def _menu(self, step: Mapping[str, Any]) -> None:
        if self.screen == "phone":
            self._press(self.page.locator(".menu-button"))
        self._press(self.page.locator(".menu").get_by_role("link", name=step["menu"], exact=True))

    def _click(self, step: Mapping[str, Any]) -> None:
        targets = self.page.locator("main :is(a, button, summary)", has_text=step["click"])
        self._press(targets.filter(visible=True).first)

    def _press(self, target: Locator) -> None:
        downloads: list[Any] = []
        self.page.once("download", lambda download: downloads.append(download))
        target.click(timeout=WAIT)
        self.clicks += 1
        self.page.wait_for_load_state("domcontentloaded")
        if downloads:
            self.file = Path(downloads[0].path()).read_bytes()

    def _write(self, step: Mapping[str, Any]) -> None:
        self.page.get_by_label(step["into"]).filter(visible=True).first.fill(step["write"])

    def _choose(self, step: Mapping[str, Any]) -> None:
        label = re.compile(rf"^\s*{re.escape(step['of'])}\b")
        field = self.page.get_by_label(label).filter(visible=True).first
        field.select_option(label=step["choose"], timeout=WAIT)
        self.clicks += 1

    def _see(self, step: Mapping[str, Any]) -> None:
        for text in step["see"]:
            self.page.get_by_text(text).filter(visible=True).first.wait_for(timeout=WAIT)

    def _file(self, step: Mapping[str, Any]) -> None:
        text = self.file.decode("utf-8", "replace")
        for wanted in step["file"]:
            assert wanted in text, f"the file has no `{wanted}`"

    def _address(self, step: Mapping[str, Any]) -> None:
        assert unquote(self.page.url).endswith(step["address"]), self.page.url


def failure(visitor: Visitor, steps: Sequence[Mapping[str, Any]]) -> str | None:
    """At which step a visitor fails; None for a task that is done in few clicks."""
    for step in steps:
        try:
            visitor.follow(step)
        except (NotReadable, AssertionError) as error:
            return f"{step}: {str(error).splitlines()[0]}"
    if visitor.clicks > MOST_CLICKS:
        return f"{visitor.clicks} clicks"
    return None


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("language", START)
def test_strangers_do_what_they_came_for(
    window: Page, address: str, language: str, screen: str
) -> None:
    failures = {}
    window.set_viewport_size(SCREENS[screen])
    for task in TASKS:
        window.goto(address + START[language], wait_until="domcontentloaded")
        if wrong := failure(Visitor(window, screen), task[language]):
            failures[task["task"]] = wrong
    assert failures == {} and len(TASKS) == 12


def test_an_error_is_reported_where_the_publication_names_a_repository(
    window: Page, built_libraries: Path
) -> None:
    with serving(built_libraries / "dist" / "site") as address:
        for screen in SCREENS.values():
            window.set_viewport_size(screen)
            window.goto(f"{address}index.html")
            window.locator("main a[href*='browse/']").first.click()
            window.locator("#list tbody a, .groups a").first.click()
            report = window.locator("section.feedback a").first.get_attribute("href")
            iri = window.locator(".iri code").inner_text()
            assert report.startswith("https://github.com/exampletown/libraries/issues/new?")
            assert iri in unquote(report)
