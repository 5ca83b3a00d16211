"""Search in the browser, on a desktop and on a slow phone: seconds until it is ready, of each query until
its hits are shown, kilobytes that a query loads. By hand.

    python benchmarks/browser.py dist/site
    python benchmarks/browser.py docs/examples/research-organisations/dist/site

The phone has a quarter of the processor's speed, 1.6 Mbit/s and 150 ms of latency. The pages are
those that `lodpipe build` wrote; each query is made in a fresh profile.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from browser_support import PHONE, WIDE, Browser, launched, serving  # noqa: E402

TYPED = [
    "universitat munchen", "Universität Münchn", "stiftung", "reserch institute", "open knowlege", "hochsch", "zzzzqq", "a",
    "institute of technology",
]  # fmt: skip
# When the number of entries is shown, by the clock of the page: what the test program itself costs in a slow
# browser is not counted.
READY = """
new MutationObserver(() => {
  const status = document.querySelector("[role=status]");
  if (status && /[0-9]/.test(status.textContent)) window.ready ??= performance.now();
}).observe(document, {subtree: true, childList: true, characterData: true});
"""


def query(
    browser: Browser, address: str, text: str, *, slow: bool
) -> tuple[float, float, float, float, str]:
    """Seconds until ready and until the hits of a text, kilobytes before and for it, the status."""
    with browser.page(viewport=PHONE if slow else WIDE) as page:
        loaded: list[float] = []
        protocol = page.context.new_cdp_session(page)
        protocol.send("Network.enable")
        if slow:
            protocol.send("Emulation.setCPUThrottlingRate", {"rate": 4})
            speed = {
                "offline": False,
                "latency": 150,
                "downloadThroughput": 200_000,
                "uploadThroughput": 94_000,
            }
            protocol.send("Network.emulateNetworkConditions", speed)

        def finished(event: dict[str, Any]) -> None:
            loaded.append(event["encodedDataLength"] / 1000)

        protocol.on("Network.loadingFinished", finished)
        page.add_init_script(READY)
        page.goto(f"{address}search.html")
        page.locator("[role=status]", has_text=re.compile("[0-9]")).wait_for(timeout=120_000)
        ready, before = page.evaluate("window.ready") / 1000, sum(loaded)
        status = page.inner_text("[role=status]")
        start = time.perf_counter()
        page.fill("#search-input", text)
        while page.inner_text("[role=status]") == status:
            time.sleep(0.01)
        took = time.perf_counter() - start
        return ready, took, before, sum(loaded) - before, page.inner_text("[role=status]")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("site", type=Path)
    options = parser.parse_args()
    with launched() as browser, serving(options.site.resolve()) as address:
        for slow in (False, True):
            answers = [query(browser, address, text, slow=slow) for text in TYPED]
            print("phone" if slow else "desktop")
            print(
                f"  ready after {statistics.median(item[0] for item in answers):.2f} s, {statistics.median(item[2] for item in answers):.0f} kB"
            )
            for text, (_, took, _, size, status) in zip(TYPED, answers, strict=True):
                print(f"  {took:5.2f} s {size:6.0f} kB  {text}: {status}")


if __name__ == "__main__":
    main()
