"""Fixtures: the repository, copies of the publication that a test may break, and one built dist/
for the whole run.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from playwright.sync_api import Page

from browser_support import CHROMIUM, Browser, launched
from serving import Served, serving
from support import COUNTED, ROOT, TESTS, WITHDRAWN, copy_project, run_process


def pytest_configure() -> None:
    """Programs that tests start receive Ctrl-C and the end of a terminal, also where the tests run in
    the background (`&`, `nohup`) and were started deaf to them. Their modules are compiled once, not once for each program, and Java's
    classes only by its fast compiler: no program of the tests runs long enough for the other.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP"):  # Windows has none
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")


SLOW_FIXTURES = {
    "built",
    "copy_of_project",
    "postgresql",
    "site",
    "publication",
    "three_releases",
    "server",
    "browser",
}  # the real publication, its pages, databases, servers, a browser
SLOW_MODULES = {
    "test_suites", "test_shacl_suite", "test_shacl_differential", "test_shacl_incremental", "test_shapes", "test_catalogue_mutations",
    "test_catalogue_portals", "test_catalogue_web", "test_chain", "test_confined", "test_determinism", "test_faults", "test_hidden", "test_hostile",
    "test_inventory", "test_mapping_mutations", "test_output_syntax", "test_outputs", "test_queries_engines", "test_serve_hostile", "test_serve_life",
    "test_signals", "test_site_browser", "test_site_bundle", "test_site_frontend", "test_spark", "test_spark_build", "test_spark_cluster",
    "test_shacl_spark", "test_incremental", "test_plausible", "test_breakage", "test_docs", "test_landing", "test_templates", "test_shacl_parts",
    "test_resident", "test_serve_connections", "test_reports", "test_feed", "test_store_files", "test_withdrawn", "test_compression",
    "test_queries", "test_api", "test_layout", "test_file_sources", "test_releases", "test_init", "test_spark_databases", "test_spark_files",
    "test_atomic", "test_block_yaml", "test_catalogue", "test_databases", "test_diff", "test_dumps", "test_gather", "test_lines", "test_linking",
    "test_linter", "test_live_pages", "test_map_cases", "test_mapping", "test_packed_pages", "test_record_cache", "test_sheets", "test_supervision",
    "test_targets", "test_views", "test_former_names", "test_shacl_paths", "test_functions",
    "test_package", "test_memory_sources", "test_site_formats",
}  # fmt: skip
LONGEST = (
    "test_spark", "test_spark_databases", "test_spark_build", "test_spark_files", "test_shacl_spark", "test_spark_cluster",
    "test_shapes", "test_incremental",
    "test_breakage", "test_plausible", "test_chain", "test_catalogue_web", "test_releases", "test_api", "test_faults", "test_site",
    "test_docs", "test_suites", "test_signals",
    "test_queries_engines", "test_serve_life", "test_serve_hostile", "test_hostile", "test_site_browser", "test_site_frontend", "test_confined",
    "test_output_syntax", "test_shacl_differential", "test_package",
)  # fmt: skip
GROUPS = dict.fromkeys(
    (
        "test_spark",
        "test_spark_build",
        "test_spark_files",
        "test_spark_databases",
        "test_shacl_spark",
    ),
    "spark",
)  # modules that share what takes long to start; each other module is a group of its own
SHOWN = 25  # the longest modules at the end of a run


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """`make test-fast` does not even read the modules that are slow as a whole."""
    fast = config.getoption("markexpr") == "not slow"
    return True if fast and collection_path.stem in SLOW_MODULES else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks as slow what takes time by its fixtures or as a whole; single tests are marked where
    they are. The longest modules come first: a run on many cores does not end with one of them.
    """
    order = {stem: number for number, stem in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))
    for item in items:
        if not isinstance(item, pytest.Function):
            continue
        if SLOW_FIXTURES & set(item.fixturenames) or item.path.stem in SLOW_MODULES:
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """One worker runs all modules of a group; each other module is divided from the rest alone."""
    from xdist.scheduler import LoadFileScheduling

    class Groups(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return GROUPS.get(Path(file).stem, file)

    return Groups(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist hands on what it counted."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["counted"] = session.config.stash.get(COUNTED, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """The process that leads the workers takes it over."""
    node.config.stash.setdefault(COUNTED, []).extend(
        getattr(node, "workeroutput", {}).get("counted", [])
    )


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Prints what was counted, and which modules took most of the time."""
    for line in config.stash.get(COUNTED, []):
        terminalreporter.write_line(line)
    seconds = seconds_of_modules(terminalreporter)
    if len(seconds) > 1:
        total = sum(seconds.values())
        terminalreporter.section(f"longest modules, of {total:.0f} seconds of all workers")
        for module, own in seconds.most_common(SHOWN):
            terminalreporter.write_line(f"{own:7.1f}  {module}")


def seconds_of_modules(terminalreporter: pytest.TerminalReporter) -> Counter[str]:
    """The time of the tests of each module and of their fixtures, in all workers. A fixture of the
    whole run counts for the module that needs it first.
    """
    seconds: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                seconds[report.nodeid.partition("::")[0]] += report.duration
    return seconds


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test depends on who runs it."""
    for name in ("NO_COLOR", "FORCE_COLOR", "PYTHONHASHSEED"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture
def copy_of_project(tmp_path: Path) -> Path:
    """A fresh copy of the real publication, for this test to break."""
    return copy_project(tmp_path / "project")


Build = Callable[..., Path]


@pytest.fixture(scope="session")
def build_once(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Builds a copy of a project once for all processes of a run; to be read, not changed."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared

    def build(
        name: str, *options: str, origin: Path = ROOT, prepare: Callable[[Path], object] = Path
    ) -> Path:
        project = shared / f"built-{name}" / "project"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not project.exists():
                copy = copy_project(project.with_name(f"unfinished-{os.getpid()}"), origin)
                prepare(copy)
                done = run_process(
                    "build", "--project", copy, "--lang", "en", *options, timeout=300
                )
                assert done.returncode == 0, f"{name} does not build:\n{done.stderr}"
                copy.rename(project)
        return project

    return build


@pytest.fixture(scope="session")
def built(build_once: Build) -> Path:
    """A copy of the real publication with its dist/ (without pages)."""
    return build_once("publication-without-pages", "--no-site")


@pytest.fixture(scope="session")
def built_libraries(build_once: Build) -> Path:
    """The small project of tests/projects/libraries with its dist/; to be copied."""
    return build_once("libraries", origin=TESTS / "projects" / "libraries")


@pytest.fixture(scope="session")
def dist(built: Path) -> Path:
    """The dist/ of that copy."""
    return built / "dist"


@pytest.fixture(scope="session")
def site(build_once: Build) -> Path:
    """The pages of the real publication."""
    return build_once("publication") / "dist" / "site"


@pytest.fixture(scope="session")
def publication(build_once: Build) -> Path:
    """A built copy of the real publication with two tombstones, to be served."""
    return build_once(
        "publication-with-tombstones",
        prepare=lambda copy: (copy / "source/withdrawn.yaml").write_text(WITHDRAWN, "utf-8"),
    )


@pytest.fixture(scope="session")
def server(publication: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server over it with short bounds."""
    log = tmp_path_factory.mktemp("server") / "log"
    with serving(
        publication,
        log,
        "--timeout",
        1,
        "--client-timeout",
        1,
        "--processes",
        4,
        "--memory",
        "300MB",
        "--max-result",
        "5MB",
    ) as server:
        yield server


@pytest.fixture(scope="session")
def store(dist: Path) -> ox.Store:
    """The built N-Quads in a store that answers SPARQL."""
    store = ox.Store()
    store.bulk_load(path=dist / "rogl.nq", format=ox.RdfFormat.N_QUADS)
    return store


@pytest.fixture(scope="session")
def select(store: ox.Store) -> Callable[[str], list[tuple[str, ...]]]:
    """Runs a SPARQL query over the union of all graphs; each row as texts, IRIs below the base in
    short form.
    """
    prefixes = (
        "BASE <https://w3id.org/rogl/> PREFIX def: <https://w3id.org/rogl/def/> PREFIX org: <http://www.w3.org/ns/org#> "
        "PREFIX schema: <https://schema.org/> PREFIX skos: <http://www.w3.org/2004/02/skos/core#> PREFIX owl: <http://www.w3.org/2002/07/owl#> "
        "PREFIX prov: <http://www.w3.org/ns/prov#> PREFIX dct: <http://purl.org/dc/terms/> PREFIX foaf: <http://xmlns.com/foaf/0.1/> "
        "PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> "
        "PREFIX adms: <http://www.w3.org/ns/adms#> PREFIX dcterms: <http://purl.org/dc/terms/> "
    )

    def run(query: str, *, union: bool = True) -> list[tuple[str, ...]]:
        rows = store.query(prefixes + query, use_default_graph_as_union=union)
        return [
            tuple(
                "" if cell is None else cell.value.removeprefix("https://w3id.org/rogl/")
                for cell in row
            )
            for row in rows
        ]

    return run


@pytest.fixture(scope="session")
def local_spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The session of Spark that modules of the group `spark` share."""
    from spark_support import session_with_driver  # looks for Java

    with session_with_driver(tmp_path_factory.mktemp("spark")):
        yield


@pytest.fixture(scope="session")
def is_root() -> bool:
    """Whether file permissions bind this user at all."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


@pytest.fixture(scope="session")
def packages() -> None:
    """The pinned npm packages of the front end, installed where they are not."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed: the npm packages of the front end are missing")
    target = "pipeline/frontend/node_modules/.made"
    with (ROOT / "pipeline" / "frontend" / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one process of a parallel run installs, the others wait
        installed = subprocess.run(
            ["make", "--silent", target],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    if installed.returncode != 0:
        pytest.skip(f"the npm packages cannot be installed: {installed.stderr.strip()[-200:]}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser; its pages fail the test for whatever the console complains of
    (browser_support.py).
    """
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: the pages are not tried in a browser")
    with launched() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page at desktop width."""
    with browser.page() as page:
        yield page


@pytest.fixture(scope="session")
def committed() -> ox.Store:
    """The committed statements, in memory."""
    store = ox.Store()
    store.bulk_load(path=ROOT / "dist/rogl.nt", format=ox.RdfFormat.N_TRIPLES)
    return store


@pytest.fixture(scope="session")
def predicates(committed: ox.Store) -> dict[str, int]:
    """How many of these statements have each predicate."""
    return dict(
        Counter(quad.predicate.value for quad in committed.quads_for_pattern(None, None, None))
    )
