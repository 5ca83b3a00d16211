"""The documentation says what is true: its commands and examples are run, its lists are complete,
its links lead somewhere.

A comment before a code block says what the block is for:

    file: PATH      a file of the page's own project (docs/another-network.md is the small one that
                    other pages break)
    wrong: PATH     replaces that file; the page's finding must be reported
    fixed: PATH     replaces it again; the finding must be gone, and there must be no other error
    mapping         a whole mapping for the small project (YARRRML, or RML in Turtle), followed by
    makes           the statements that it makes
    run             shell or Python, run in the page's own project, else in a built copy of the
                    real publication
    from: PATH      a piece of that file
    change: PATH    lines to take out (-) and to put in (+) before the next run
    new: PATH       a file that the reader writes at this point of the page
    serve           starts `lodpipe serve`, its first line, and runs the others meanwhile: `curl`, lodpipe
    stderr          a piece of what the last run printed
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import pyoxigraph as ox
import pytest
from click.testing import CliRunner

from lodpipe import LodpipeError, Project, checked
from lodpipe.commands.cli import COMMANDS, main
from lodpipe.config import publication_docs
from lodpipe.diagnostics import rule_pages
from lodpipe.diagnostics.finding import Finding, Severity
from lodpipe.diagnostics.rules import RULES
from lodpipe.mapping.functions import function_docs
from lodpipe.mapping.yarrrml import yarrrml_nodes, yarrrml_reader
from lodpipe.sources.record_declaration import TYPES
from lodpipe.workflow.pipeline import stale
from serving import serving
from support import ROOT, invoke

DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text("utf-8")
BUILT = {"dist", "data"}  # of docs/examples/, where `make examples` has run
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]
    if not BUILT & set(path.relative_to(ROOT).parts)
)
ERROR_PAGES = sorted((DOCS / "errors").glob("LP*.md"))
UNTESTED = {
    "LP305": "reported by `lodpipe map` only",
    "LP315": "reported of records in values: tests/views/broken-documents",
    "LP316": "reported of annotations: tests/views/wrong-annotations",
    "LP617": "reported by `lodpipe mapping` only: tests/test_mapping_conversion.py",
    "LP720": "reported by `lodpipe init` only: tests/test_init.py",
    "LP721": "reported by `lodpipe init` only: tests/test_init.py",
    **dict.fromkeys(
        ("LP722", "LP723", "LP724", "LP725", "LP726"),
        "reported by commands that edit records: tests/test_editing.py",
    ),
    **dict.fromkeys(("LP727", "LP728", "LP729"), "reported of workbooks: tests/test_sheets.py"),
    "LP550": "asks a server: tests/test_landing.py",
    "LP551": "asks a server: tests/test_landing.py",
    "LP552": "asks a server: tests/test_landing.py",
    "LP610": "needs a pattern that takes seconds: tests/test_shacl_paths.py",
    "LP614": "needs Spark: tests/test_shacl_spark.py",
    "LP615": "needs Spark: tests/test_spark_databases.py",
    **dict.fromkeys(
        ("LP560", "LP561", "LP562", "LP563"),
        "reported by `lodpipe link` only: tests/test_linking.py",
    ),
    "LP566": "needs several queries: tests/test_queries.py",
    "LP820": "needs a project without dist/: tests/test_serve.py",
    "LP821": "needs a port that is taken: tests/test_serve.py",
    "LP822": "needs a server: tests/test_store_files.py",
    "LP823": "needs a server: tests/test_store_files.py",
    "LP613": "reported by runs on Spark only: tests/test_spark_cluster.py",
    "LP228": "needs many texts: tests/test_plausible.py",
    "LP255": "needs texts in two languages: tests/test_plausible.py",
    "LP701": "needs a full disk",
    "LP702": "needs a second build",
    "LP513": "needs an older dist/: tests/test_reports.py",
    "LP703": "needs a full disk: tests/test_faults.py",
    "LP704": "needs a file saved during a build: tests/test_faults.py",
    "LP705": "needs time: tests/test_faults.py",
    "LP706": "needs a full disk: tests/test_faults.py",
    "LP707": "needs a bound on memory: tests/test_faults.py",
    "LP708": "needs a kill: tests/test_faults.py",
    "LP709": "needs a crash: tests/test_faults.py",
    "LP710": "needs a wrong writer: tests/test_dumps.py",
    **dict.fromkeys(
        (f"LP54{number}" for number in range(9)),
        "needs a closed release: tests/test_releases.py",
    ),
    "LP807": "reported by `lodpipe query` only: tests/test_queries.py",
    "LP808": "reported by `lodpipe query` only: tests/test_queries.py",
    "LP809": "reported by `lodpipe query` only: tests/test_queries.py",
    "LP810": "reported by `lodpipe query` only: tests/test_queries.py",
    **dict.fromkeys(
        ("LP811", "LP812", "LP813", "LP814", "LP815", "LP816"),
        "reported of queries: tests/test_confined.py",
    ),
}


@dataclass(frozen=True)
class Block:
    """A code block: what it is for, which file it is about, its language and its text."""

    purpose: str
    path: str
    language: str
    text: str


def blocks(page: str) -> list[Block]:
    matches = re.findall(
        r"^<!-- ([a-z0-9-]+)(?:: (\S+))? -->\n```(\w+)\n(.*?)^```$", page, re.M | re.S
    )
    return [Block(*parts) for parts in matches]


def names(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# -- the small project -----------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The publication of docs/another-network.md, written out."""
    for block in blocks((DOCS / "another-network.md").read_text("utf-8")):
        if block.purpose == "file":
            put(tmp_path / block.path, block.text)
    return tmp_path


def put(path: Path, text: str, encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding)


def chunks(text: str) -> dict[str, str]:
    """The top-level entries of a YAML map."""
    return {
        section.split(":")[0]: section
        for section in re.findall(r"^\S.*\n(?:[ \n].*\n?)*", text, re.M)
    }


def replaced(project: Path, block: Block) -> None:
    """Puts a block in the place of a file; in publication.yaml and records.yaml, of the entries
    that it shows.
    """
    path = project / block.path
    text = block.text
    if block.path in ("publication.yaml", "source/records.yaml"):
        text = "".join((chunks(path.read_text("utf-8")) | chunks(text)).values())
    put(path, text, "latin-1" if block.purpose == "latin-1" else "utf-8")


def findings(project: Path) -> tuple[Finding, ...]:
    try:
        with checked(Project.open(project)) as outcome:
            return (*outcome.findings, *stale(outcome))
    except LodpipeError as error:
        return error.findings


def test_the_small_project_builds_and_then_has_no_finding(small: Path) -> None:
    assert invoke("build", "--project", small).exit_code == 0
    assert findings(small) == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [page for page in ERROR_PAGES if page.stem not in UNTESTED], ids=lambda page: page.stem
)
def test_the_anti_pattern_is_reported_and_the_best_practice_is_not(page: Path, small: Path) -> None:
    code = page.stem
    before = {path: path.read_bytes() for path in small.rglob("*") if path.is_file()}
    pieces = blocks(page.read_text("utf-8"))
    for block in pieces:
        if block.purpose in ("wrong", "latin-1"):
            replaced(small, block)
        elif block.purpose == "delete":
            (small / block.path).unlink()
    reported = findings(small)
    assert code in {finding.code for finding in reported}, [
        (finding.code, dict(finding.params)) for finding in reported
    ]
    for path in {path for path in small.rglob("*") if path.is_file()} - before.keys():
        path.unlink()
    for path, data in before.items():
        path.write_bytes(data)
    for block in pieces:
        if block.purpose == "fixed":
            replaced(small, block)
        elif block.purpose == "built":
            assert invoke("build", "--project", small).exit_code == 0
    left = [
        (finding.code, dict(finding.params))
        for finding in findings(small)
        if finding.code == code or finding.severity is Severity.ERROR
    ]
    assert left == []


def mapping_examples() -> list[tuple[Block, str]]:
    pieces = [
        block
        for block in blocks((DOCS / "mapping.md").read_text("utf-8"))
        if block.purpose in ("mapping", "makes")
    ]
    assert [block.purpose for block in pieces] == ["mapping", "makes"] * (len(pieces) // 2)
    return [(mapping, two.text) for mapping, two in zip(pieces[::2], pieces[1::2], strict=True)]


@pytest.mark.parametrize("number", range(len(mapping_examples())))
def test_each_mapping_example_makes_what_the_page_says(number: int, small: Path) -> None:
    mapping, expected = mapping_examples()[number]
    (small / "source/mapping.yaml").unlink()
    name = "mapping.rml.ttl" if mapping.language == "turtle" else "mapping.yaml"
    put(small / "source" / name, mapping.text)
    with checked(Project.open(small)) as outcome:
        base, prefixes = outcome.project.publication.base, outcome.declarations.vocabulary.prefixes
        statements = {
            f"{s} {p} {o} {g}".strip()
            for s, p, o, g in outcome.statements.quads()
            if g != f"<{base}def>"
        }
    head = "".join(f"@prefix {name}: <{namespace}> .\n" for name, namespace in prefixes.items())
    assert statements == {
        str(quad).removesuffix(" .").strip()
        for quad in ox.parse(head + expected, format=ox.RdfFormat.TRIG, base_iri=base)
    }


# -- commands and pieces ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "<!-- run -->" in page.read_text("utf-8")], ids=names
)
def test_commands_and_pieces_of_a_page_hold(
    page: Path,
    built: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pieces = blocks(page.read_text("utf-8"))
    project = tmp_path / "project"
    own_files = [block for block in pieces if block.purpose == "file"]
    if not own_files:
        shutil.copytree(built, project)
    for block in own_files:
        put(project / block.path, block.text)
    monkeypatch.chdir(project)
    output = ""
    for block in pieces:
        if block.purpose == "run" and block.language == "python":
            exec(compile(block.text, str(page), "exec"), {})  # the documentation's own code
            output = capsys.readouterr().out
        elif block.purpose == "run":
            output = "".join(
                shell(line) for line in block.text.splitlines() if line.startswith("lodpipe")
            )
        elif block.purpose == "serve":
            output = served(block.text, project, tmp_path / "serve.log")
        elif block.purpose == "stderr":
            assert block.text in output, output
        elif block.purpose == "new":
            assert not (project / block.path).exists()
            put(project / block.path, block.text)
        elif block.purpose == "from":
            assert block.text in (project / block.path).read_text("utf-8"), (
                f"{block.path} does not hold the piece"
            )
        elif block.purpose == "change":
            change(project / block.path, block.text)


def shell(line: str) -> str:
    result = CliRunner().invoke(main, shlex.split(line, comments=True)[1:])
    assert result.exception is None or isinstance(result.exception, SystemExit), line
    assert result.exit_code < 2, f"{line}\n{result.output}"
    return result.output


def served(commands: str, project: Path, log: Path) -> str:
    """What the commands after the first answer while the project is served."""
    first, *others = commands.splitlines()
    assert shlex.split(first, comments=True) == ["lodpipe", "serve"]
    output = ""
    with serving(project, log) as server:
        for line in others:
            line = line.replace("http://127.0.0.1:8000/", server.url)
            if line.startswith("lodpipe"):
                output += shell(line)
                continue
            program, address = shlex.split(line, comments=True)
            assert program == "curl"
            answer = server.request(address.removeprefix(server.url.rstrip("/")))
            assert answer.status == 200, line
            output += answer.body.decode("utf-8")
    return output


def change(path: Path, diff: str) -> None:
    old, new = (
        "".join(line[1:] + "\n" for line in diff.splitlines() if line[0] in sides)
        for sides in (" -", " +")
    )
    text = path.read_text("utf-8")
    assert text.count(old) == 1, f"{path.name} does not hold these lines once:\n{old}"
    path.write_text(text.replace(old, new), "utf-8")


# -- completeness ----------------------------------------------------------------------------------


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert {page.stem for page in ERROR_PAGES} == set(RULES)
    assert [
        page.stem
        for page in ERROR_PAGES
        if not page.read_text("utf-8").startswith(f"# {page.stem}: ")
    ] == []


def test_the_pages_of_the_rules_are_fresh() -> None:
    stale_pages = [
        path.name
        for path, text in rule_pages.update_folder(DOCS / "errors").items()
        if path.read_text("utf-8") != text
    ]
    assert stale_pages == [], "run `make docs`"
    assert all(
        rule.name in (DOCS / f"errors/{rule.code}.md").read_text("utf-8") for rule in RULES.values()
    )


def test_the_table_of_functions_is_what_there_is() -> None:
    page = (DOCS / "functions.md").read_text("utf-8")
    assert function_docs.update_page(page) == page, "run `make docs`"


def test_every_command_is_in_the_readme_and_every_option_there_or_on_its_page() -> None:
    missing = []
    for name in COMMANDS:
        command = main.get_command(click.Context(main), name)
        missing += [] if f"lodpipe {name}" in README else [name]
        own = DOCS / f"{name}.md"
        page = README + (own.read_text("utf-8") if own.is_file() else "")
        for parameter in command.params:
            spelt = (
                parameter.opts
                if isinstance(parameter, click.Option)
                else [str(parameter.name).upper()]
            )
            missing += [
                f"{name} {option}"
                for option in spelt
                if not re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", page)
            ]
    assert missing == []


def keys_of(schema: object) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(keys_of, schema))
    if not isinstance(schema, dict):
        return set()
    return set(schema.get("properties", {})).union(*map(keys_of, schema.values()))


def mentioned(name: str) -> Callable[[str], bool]:
    page = (DOCS / name).read_text("utf-8")
    return lambda word: bool(
        re.search(rf"`[^`\n]*(?<![\w-]){re.escape(word)}(?![\w-])[^`\n]*`", page)
    )


def test_the_keys_of_publication_yaml_are_fresh_in_schema_and_documentation() -> None:
    schema = publication_docs.schema()
    assert json.loads(publication_docs.SCHEMA_FILE.read_text("utf-8")) == schema, "run `make docs`"
    page = (DOCS / "declarations.md").read_text("utf-8")
    assert publication_docs.update_page(page) == page, "run `make docs`"


def test_every_key_of_publication_yaml_is_described_once() -> None:
    def undescribed(part: object) -> list[str]:
        if isinstance(part, list):
            return [name for item in part for name in undescribed(item)]
        if not isinstance(part, dict):
            return []
        keys = part.get("properties", {})
        missing = [key for key, value in keys.items() if not value.get("description")]
        return missing + [name for value in part.values() for name in undescribed(value)]

    schema = publication_docs.schema()
    assert undescribed(schema) == []
    page = (DOCS / "declarations.md").read_text("utf-8")
    known, described = keys_of(schema), mentioned("declarations.md")
    assert len(known) > 80 and [key for key in sorted(known) if not described(key)] == []
    assert [key for key in schema["properties"] if page.count(f"\n| `{key}` |") < 1] == []


def test_every_type_of_field_is_described() -> None:
    described = mentioned("declarations.md")
    assert [
        type_
        for type_ in (*TYPES, "ref", "concept", "texts", "fields", "list", "required", "key")
        if not described(type_)
    ] == []


def test_every_key_of_the_mapping_is_described() -> None:
    described = mentioned("mapping.md")
    keys = {*yarrrml_nodes.ALIASES, *yarrrml_nodes.ALIASES.values(), *yarrrml_reader._DOCUMENT_KEYS}
    assert [key for key in sorted(keys) if not described(key)] == []


def test_everything_in_dist_is_in_the_readme(dist: Path) -> None:
    published = {
        path.name + ("/" if path.is_dir() else "")
        for path in dist.iterdir()
        if path.suffix != ".gz"
    }
    assert [name for name in sorted(published) if f"`{name}" not in README] == []


def test_the_attribution_is_the_declared_one() -> None:
    assert Project.open(ROOT).publication.attribution.strip() in (
        ROOT / "DATA-LICENCE.md"
    ).read_text("utf-8")


def anchors(page: Path) -> set[str]:
    titles = re.findall(
        r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.M | re.S), re.M
    )
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_page_is_listed_once() -> None:
    """In docs/README.md; pages of a folder with a README.md of its own are listed by that one."""
    index = (DOCS / "README.md").read_text("utf-8")
    listed = sorted(
        target for target in re.findall(r"\]\(([^)#]+)[^)]*\)", index) if ".." not in target
    )
    pages = [*DOCS.glob("*.md"), *DOCS.glob("*/README.md")]
    expected = sorted(path.relative_to(DOCS).as_posix() for path in pages)
    expected.remove("README.md")
    assert listed == expected and len(expected) > 40


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.M | re.S)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)|<img [^>]*src=\"([^\"]+)\"", text):
        link = "".join(target)
        if "://" in link or link.startswith("mailto:"):
            continue
        file, _, anchor = link.partition("#")
        goal = (page.parent / file).resolve() if file else page
        if not goal.exists() or (anchor and anchor not in anchors(goal)):
            broken.append(link)
    assert broken == []


def test_pages_are_counted() -> None:
    assert len(PAGES) >= 50 and len(mapping_examples()) >= 6
