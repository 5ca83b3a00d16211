"""The command line. Each command imports what it needs when it runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

PROJECT = click.option("--project", "root", default=".", type=click.Path(path_type=Path), help="The publication's folder (default: here).")
ENGINE = click.option("--engine", type=click.Choice(["shacl", "pyshacl"]), help="SHACL engine (default: that of publication.yaml).")
LANGUAGE = click.option("--lang", type=click.Choice(["de", "en"]), help="Language of the findings (default: the publication's first).")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lodpipe", prog_name="lodpipe")
def main() -> None:
    """Publish source records that people edit as validated linked open data.

    Exit codes: 0 conforms, 1 data does not conform, 2 wrong use or declaration, 3 internal fault.
    """


@main.command()
@PROJECT
@ENGINE
@LANGUAGE
@click.option("-v", "--verbose", is_flag=True, help="Tell each step and its time.")
def build(root: Path, engine: str | None, lang: str | None, verbose: bool) -> None:
    """Read, map, validate, and write dist/ - whole or not at all."""

    def run(project: Any, say: Callable[[str], None]) -> tuple[Any, ...]:
        from pipeline.build import build as build_project

        return build_project(project, engine=engine, say=say)

    _run(root, lang, verbose, run)


@main.command()
@PROJECT
@ENGINE
@LANGUAGE
@click.option("-v", "--verbose", is_flag=True, help="Tell each step and its time.")
def check(root: Path, engine: str | None, lang: str | None, verbose: bool) -> None:
    """Read, map and validate; write nothing. Warns where dist/ is stale."""

    def run(project: Any, say: Callable[[str], None]) -> tuple[Any, ...]:
        from pipeline.build import checked, stale

        with checked(project, engine=engine, say=say) as outcome:
            return (*outcome.findings, *stale(outcome))

    _run(root, lang, verbose, run)


@main.command(name="map")
@click.argument("mapping", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Output; its suffix decides: nq, nt, ttl, trig (default: N-Quads to stdout).")
@click.option("--base", default="http://example.com/base/", show_default=True, help="Base IRI, where the mapping states none.")
@click.option("--database", metavar="URL", help="Database, where the mapping names none: sqlite:///FILE or postgresql://USER@HOST/NAME.")
@click.option("--no-sort", "unsorted", is_flag=True, help="Write statements in any order; still none twice.")
@click.option("--memory", default="4GB", show_default=True, help="Bound on memory; beyond it spills to disk.")
@click.option("--bad-values", type=click.Choice(["error", "warn", "skip"]), default="error", help="Values that make no valid term (default: error).")
@LANGUAGE
@click.option("-v", "--verbose", is_flag=True, help="Tell each step, its time, and what each rule made.")
def map_(
    mapping: Path, out: Path | None, base: str, database: str | None, unsorted: bool, memory: str, bad_values: str, lang: str | None, verbose: bool
) -> None:
    """Run an RML, R2RML or YARRRML file by itself; its sources are relative to it."""
    from pipeline.errors import LodpipeError
    from pipeline.report import write_text

    say = _teller(verbose)
    try:
        from pipeline.standalone import map_file

        mapped = map_file(
            mapping, out, base=base, database=database, sort=not unsorted, memory=memory, bad_values=bad_values, counts=verbose, say=say
        )
    except LodpipeError as error:
        write_text(error.findings, mapping.parent, sys.stderr, lang or "en")
        sys.exit(error.exit_code)
    if mapped.findings:
        write_text(mapped.findings, mapping.parent, sys.stderr, lang or "en")
    say(f"{mapped.statements:,} statements")


@main.command()
@PROJECT
@LANGUAGE
@click.argument("what")
def explain(root: Path, lang: str | None, what: str) -> None:
    """Explain a finding's code (LP206), or where a resource comes from (lab/brandis)."""
    from pipeline.messages import KINDS, tell

    if what.upper() in KINDS:
        click.echo("{}: {}\n{}".format(what.upper(), *tell(what.upper(), {}, lang or _language(root))))
        return

    def run(project: Any, say: Callable[[str], None]) -> tuple[Any, ...]:
        from pipeline.build import checked

        with checked(project, say=say) as outcome:
            _explain_resource(outcome, what)
        return ()

    _run(root, lang, False, run, quiet=True)


def _language(root: Path) -> str:
    """The first language of the publication, English where there is none."""
    from pipeline.errors import LodpipeError
    from pipeline.project import Project

    try:
        return Project.open(root).publication.languages[0]
    except LodpipeError:
        return "en"


def _explain_resource(outcome: Any, what: str) -> None:
    """Every statement of a resource with the line and the rule that made it."""
    base = outcome.project.publication.base
    subject = f"<{what if '://' in what else base + what}>"
    rows = outcome.statements.engine.rows("SELECT p, o, g, record, rule FROM statements WHERE s = ? ORDER BY p, o, g", [subject])
    if not rows:
        raise click.UsageError(f"nothing is said of {subject}")
    compact = outcome.declarations.vocabulary.compact
    for predicate, value, graph, record, number in rows:
        rule = outcome.statements.rules[number] if number is not None else None
        where = outcome.statements.locate(record, rule, subject)
        term = compact(value[1:-1]) if value.startswith("<") else value
        click.echo(f"{compact(predicate[1:-1])} {term}\n    {where} · rule {rule.name if rule else 'ontology'} · {compact(graph[1:-1])}")


def _teller(verbose: bool) -> Callable[[str], None]:
    """Tells each step with the time since the start, where that is wanted."""
    started = time.perf_counter()

    def say(step: str) -> None:
        if verbose:
            click.echo(f"{time.perf_counter() - started:7.2f} s  {step}", err=True)

    return say


def _run(root: Path, lang: str | None, verbose: bool, run: Callable[[Any, Callable[[str], None]], tuple[Any, ...]], quiet: bool = False) -> None:
    """Runs a command on a project, tells its findings, and ends with the exit code of the gravest."""
    from pipeline.errors import LodpipeError
    from pipeline.project import Project
    from pipeline.report import summary, write_text

    say = _teller(verbose)
    try:
        project = Project.open(root)
        lang = lang or project.publication.languages[0]
        findings = run(project, say)
    except LodpipeError as error:
        write_text(error.findings, root, sys.stderr, lang or "en")
        sys.exit(error.exit_code)
    say("done")
    if findings:
        write_text(findings, root, sys.stderr, lang)
    elif not quiet:
        click.echo(summary(findings, lang))


def run() -> None:
    """The command `lodpipe`: what nobody foresaw ends with exit code 3 and its traceback."""
    try:
        main()
    except Exception:
        import traceback

        traceback.print_exc()
        click.echo("This is a fault of lodpipe, not of your data. Please report it with the lines above.", err=True)
        sys.exit(3)


if __name__ == "__main__":
    run()
