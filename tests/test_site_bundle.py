"""The bundle of the pages is what its sources make, and its parts do what they say."""

from __future__ import annotations

import gzip
import json
import subprocess
from pathlib import Path

from support import ROOT

FRONTEND = ROOT / "pipeline" / "frontend"
ASSETS = ROOT / "pipeline" / "lodpipe" / "site" / "assets"
BUILT = (
    "THIRD-PARTY.txt",
    "compare.js",
    "oxigraph.wasm.gz",
    "search.js",
    "site.js",
    "sparql-worker.js",
    "sparql.js",
    "tools.css",
)
PACKAGES = json.loads((FRONTEND / "package.json").read_text("utf-8"))
LOCK = json.loads((FRONTEND / "package-lock.json").read_text("utf-8"))


def run(*command: str | Path, at: Path = FRONTEND) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*map(str, command)],
        cwd=at,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


def test_the_committed_bundle_is_what_its_sources_make(packages: None, tmp_path: Path) -> None:
    done = run("node", "build.mjs", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert tuple(sorted(path.name for path in tmp_path.iterdir())) == BUILT
    drifted = [
        name for name in BUILT if (tmp_path / name).read_bytes() != (ASSETS / name).read_bytes()
    ]
    assert drifted == [], "run `make frontend` and commit pipeline/lodpipe/site/assets/"
    wasm = (FRONTEND / "node_modules" / "oxigraph" / "web_bg.wasm").read_bytes()
    assert gzip.decompress((ASSETS / "oxigraph.wasm.gz").read_bytes()) == wasm


def test_types_and_units_of_the_front_end(packages: None) -> None:
    types = run("npm", "run", "--silent", "check")
    assert types.returncode == 0, types.stdout
    units = run("npm", "run", "--silent", "test")
    assert units.returncode == 0, units.stdout
    print([line for line in units.stdout.split("\n") if "pass" in line or "tests" in line])


def test_packages_are_pinned_and_locked_without_addresses() -> None:
    loose = [
        name
        for part in ("dependencies", "devDependencies")
        for name, version in PACKAGES[part].items()
        if not version[0].isdigit()
    ]
    assert loose == []
    locked = {name: package for name, package in LOCK["packages"].items() if name}
    assert [
        name
        for name, package in locked.items()
        if "resolved" in package or "integrity" not in package
    ] == []


def test_the_scripts_of_a_page_are_small_and_use_no_eval() -> None:
    sizes = {name: len(gzip.compress((ASSETS / name).read_bytes())) for name in BUILT}
    print(sizes)
    assert (
        sizes["site.js"] < 8_500
        and sizes["search.js"] < 7_000
        and sizes["sparql.js"] < 130_000
        and sizes["oxigraph.wasm.gz"] < 1_600_000
    )
    scripts = "".join((ASSETS / name).read_text("utf-8") for name in BUILT if name.endswith(".js"))
    assert [
        word
        for word in ("eval(", "new Function", "innerHTML", "insertAdjacentHTML", "document.write")
        if word in scripts
    ] == []


def test_each_bundled_package_has_its_licence() -> None:
    text = (ASSETS / "THIRD-PARTY.txt").read_text("utf-8")
    used = PACKAGES["dependencies"].items()
    assert [name for name, version in used if f"\n{name} {version} (" not in text] == []
