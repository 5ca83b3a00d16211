"""The command line. Each command imports what it needs when it runs."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

PROJECT = click.option("--project", "root", default=".", type=click.Path(path_type=Path), help="The publication's folder (default: here).")
FORMAT = click.option(
    "--format", "formats", multiple=True, type=click.Choice(["text", "github", "gitlab", "sarif", "junit", "json", "markdown"]),
    help="How findings are told; may be given several times (default: text). All but text go to standard output.",
)  # fmt: skip
REPORT = click.option(
    "--report", "reports", multiple=True, metavar="FILE",
    help="Write a report as well: x.sarif, x.xml (JUnit), x.json, x.md, x.txt, or FORMAT:FILE. May be given several times.",
)  # fmt: skip
FAIL_ON = click.option(
    "--fail-on", type=click.Choice(["info", "warning", "error", "never"]), default="error",
    help="The least severity that fails (default: error). `never`: findings of the data pass, wrong declarations still exit 2.",
)  # fmt: skip
NO_COLOR = click.option("--no-color", is_flag=True, help="No colours; so does the variable NO_COLOR, and a pipe.")
ENGINE = click.option(
    "--engine", type=click.Choice(["columns", "pyshacl"]), help="SHACL engine (default: that of publication.yaml, columns where it names none)."
)
LANGUAGE = click.option("--lang", type=click.Choice(["de", "en"]), help="Language of the findings (default: the publication's first).")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lodpipe", prog_name="lodpipe")
def main() -> None:
    """Publish source records that people edit as validated linked open data.

    Exit codes: 0 conforms; 1 data does not conform; 2 wrong use or declaration, or no room, right or memory; 3 internal error;
    130, 143, 129 ended by Ctrl-C, SIGTERM, SIGHUP; 137 killed by the system; 141 output closed by its reader.
    """


@main.command()
@PROJECT
@ENGINE
@LANGUAGE
@FORMAT
@REPORT
@FAIL_ON
@NO_COLOR
@click.option("--no-site", is_flag=True, help="Leave out the pages (dist/site/).")
@click.option("--allow-shrink", is_flag=True, help="Build even if records became fewer than `shrink` in publication.yaml allows.")
@click.option("-v", "--verbose", is_flag=True, help="Tell each step and its time.")
def build(
    root: Path, engine: str | None, lang: str | None, formats: tuple[str, ...], reports: tuple[str, ...], fail_on: str, no_color: bool,
    no_site: bool, allow_shrink: bool, verbose: bool,
) -> None:  # fmt: skip
    """Read, map, validate, and write dist/ - whole or not at all."""
    telling = _telling(formats, reports, fail_on, no_color)

    def run(project: Any, say: Callable[[str], None]) -> tuple[Any, ...]:
        from lodpipe.workflow.build import build as build_project

        return build_project(project, engine=engine, say=say, fail_on=telling.fail_on, allow_shrink=allow_shrink, site=not no_site)

    _run(root, lang, verbose, run, telling=telling, needed=True)


@main.command()
@PROJECT
@ENGINE
@LANGUAGE
@FORMAT
@REPORT
@FAIL_ON
@NO_COLOR
@click.option("--watch", is_flag=True, help="Check again whenever a file is saved, until Ctrl-C.")
@click.option("-v", "--verbose", is_flag=True, help="Tell each step and its time.")
def check(
    root: Path, engine: str | None, lang: str | None, formats: tuple[str, ...], reports: tuple[str, ...], fail_on: str, no_color: bool,
    watch: bool, verbose: bool,
) -> None:  # fmt: skip
    """Read, map and validate; write nothing. Warns where dist/ is stale."""
    telling = _telling(formats, reports, fail_on, no_color)

    def run(project: Any, say: Callable[[str], None]) -> tuple[Any, ...]:
        from lodpipe.workflow.build import checked, stale

        with checked(project, engine=engine, say=say) as outcome:
            return (*outcome.findings, *stale(outcome))

    def once() -> None:
        _run(root, lang, verbose, run, telling=telling)

    _watched(root, once) if watch else once()


def _watched(root: Path, once: Callable[[], None]) -> None:
    """Runs a check, and again after each change, until Ctrl-C; then ends with the exit code of the last one.

    A first Ctrl-C during a check waits for its end, so that what was reported and the exit code agree; a second one does not.
    """
    from importlib import import_module
    from itertools import chain

    from lodpipe.documents.snapshot import changes, snapshot
    from lodpipe.runtime.supervision import supervised

    import_module("lodpipe.workflow.build")  # once, not in the process of each check
    code = 0
    try:
        for names in chain([[]], changes(root, snapshot(root))):
            if names:
                click.echo(f"-- {', '.join(names[:3])}{' …' if len(names) > 3 else ''}", err=True)
            end = supervised(lambda: _exit_code(once), patient=True)
            code = _reported(end)
            if end.asked or code == _CLOSED_PIPE:
                break
    except KeyboardInterrupt:
        pass
    sys.exit(code)


def _telling(formats: tuple[str, ...], reports: tuple[str, ...], fail_on: str, no_color: bool) -> Any:
    """What the options ask for; a report file whose format nobody can tell is wrong use."""
    from lodpipe.diagnostics.finding import Severity
    from lodpipe.reporters import Telling, format_of

    files = []
    for target in reports:
        try:
            name, file = format_of(target)
        except ValueError:
            raise click.BadParameter(f"{target}: say its format, as in sarif:{target}", param_hint="--report") from None
        files.append((name, Path(file)))
    least = None if fail_on == "never" else Severity[fail_on.upper()]
    return Telling(formats or ("text",), tuple(files), least, False if no_color else None)


@main.command(name="map")
@click.argument("mapping", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Output; its suffix decides: nq, nt, ttl, trig (default: N-Quads to stdout).")
@click.option("--base", default="http://example.com/base/", show_default=True, help="Base IRI, where the mapping states none.")
@click.option("--database", metavar="URL", help="Database, where the mapping names none: sqlite:///FILE or postgresql://USER@HOST/NAME.")
@click.option("--no-sort", "unsorted", is_flag=True, help="Write statements in any order; still none twice.")
@click.option("--memory", default="1GB", show_default=True, help="Bound on memory; beyond it spills to disk.")
@click.option("--bad-values", type=click.Choice(["error", "warn", "skip"]), default="error", help="Values that make no valid term (default: error).")
@LANGUAGE
@click.option("-v", "--verbose", is_flag=True, help="Tell each step, its time, and what each rule made.")
def map_(
    mapping: Path, out: Path | None, base: str, database: str | None, unsorted: bool, memory: str, bad_values: str, lang: str | None, verbose: bool
) -> None:
    """Run an RML, R2RML or YARRRML file by itself; its sources are relative to it."""
    from lodpipe.diagnostics.finding import LodpipeError
    from lodpipe.reporters import write_text
    from lodpipe.runtime.machine import machine_faults

    say = _teller(verbose)
    try:
        with machine_faults():
            from lodpipe.commands.map import map_file

            findings = map_file(
                mapping, out, base=base, database=database, sort=not unsorted, memory=memory, bad_values=bad_values, counts=verbose, say=say
            )
    except LodpipeError as error:
        write_text(error.findings, mapping.parent, sys.stderr, lang or "en")
        sys.exit(error.exit_code)
    if findings:
        write_text(findings, mapping.parent, sys.stderr, lang or "en")


@main.command()
@click.argument("data", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--shapes", multiple=True, required=True, type=click.Path(path_type=Path), help="Shapes graph; may be given several times.")
@click.option("--base", default="", metavar="IRI", help="Base IRI of the data and the shapes (default: the address of each file).")
@click.option("--engine", type=click.Choice(["columns", "pyshacl"]), default="columns", show_default=True, help="SHACL engine.")
@click.option(
    "--allow", "allowed", multiple=True, metavar="TERM",
    help="Ignore a term of SHACL that is unknown or not supported, such as sh:rule; may be given several times.",
)  # fmt: skip
@click.option("--report", type=click.Path(path_type=Path), metavar="FILE", help="Write the validation report as RDF: x.ttl, x.nt.")
@click.option("--since", multiple=True, type=click.Path(path_type=Path), metavar="OLD", help="The data as they were: validate only what changed.")
@click.option("--memory", default="1GB", show_default=True, help="Bound on memory of the engine columns; beyond it spills to disk.")
@LANGUAGE
@click.option("-v", "--verbose", is_flag=True, help="Tell each step and its time.")
def validate(
    data: tuple[Path, ...], shapes: tuple[Path, ...], base: str, engine: str, allowed: tuple[str, ...], report: Path | None,
    since: tuple[Path, ...], memory: str, lang: str | None, verbose: bool,
) -> None:  # fmt: skip
    """Validate RDF files with SHACL, without a project."""
    from lodpipe.diagnostics.finding import LodpipeError, Severity
    from lodpipe.reporters import summary, write_text
    from lodpipe.runtime.machine import machine_faults

    say = _teller(verbose)
    try:
        from lodpipe.shacl.supported import allowable

        terms, wrong = allowable(allowed)
        if wrong:
            raise click.BadParameter(f"{wrong[0]} is no term that may be ignored", param_hint="--allow")
        if base and ":" not in base:
            raise click.BadParameter(f"{base}: an absolute IRI is expected", param_hint="--base")
        with machine_faults():
            from lodpipe.commands.validate import Options, validate_files

            options = Options(engine=engine, base=base, allowed=terms, memory=memory)
            findings = validate_files(data, shapes, options, report=report, since=since, say=say)
    except LodpipeError as error:
        write_text(error.findings, Path(), sys.stderr, lang or "en")
        sys.exit(error.exit_code)
    if findings:
        write_text(findings, Path(), sys.stderr, lang or "en")
        sys.exit(1 if any(one.severity is Severity.ERROR for one in findings) else 0)
    _print(summary(findings, lang or "en"))


@main.command()
@PROJECT
@ENGINE
@LANGUAGE
@click.option("--served", metavar="URL", help="Where dist/ is served now, such as http://127.0.0.1:8000/: every address is asked with HEAD.")
def catalogue(root: Path, engine: str | None, lang: str | None, served: str | None) -> None:
    """Show the metadata quality score of data.europa.eu for dist/catalog.ttl, and what would raise it."""

    def run(project: Any, say: Callable[[str], None]) -> tuple[Any, ...]:
        from lodpipe.publish.catalogue.quality import asking, quality, told

        if not (project.dist / "catalog.ttl").is_file():
            raise click.UsageError("there is no dist/catalog.ttl yet: run `lodpipe build`")
        for line in told(quality(project, answers=asking(served, project.publication.catalogue.downloads), engine=engine)):
            _print(line)
        return ()

    _run(root, lang, False, run, quiet=True)


@main.command()
@PROJECT
@LANGUAGE
@click.argument("what", required=False, metavar="[NAME|FILE|-]")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="Value of a parameter; may be given several times.")
@click.option("--format", "style", type=click.Choice(["table", "csv", "json", "ttl", "markdown"]), help="Default: table for rows, ttl for triples.")
@click.option("--endpoint", metavar="URL", help="Ask this SPARQL endpoint instead of the dump in dist/.")
@click.option("--seconds", type=click.FloatRange(min=0.1), help="How long a query over dist/ may run (default: `limits: query`, 60).")
@click.option("--update", is_flag=True, help="Write all stored results in queries/results/ anew, from the records.")
def query(
    root: Path, lang: str | None, what: str | None, params: tuple[str, ...], style: str | None, endpoint: str | None, seconds: float | None,
    update: bool,
) -> None:  # fmt: skip
    """Run a query of queries/, a file, or standard input (-); without an argument, list the queries."""
    from lodpipe.diagnostics.finding import LodpipeError
    from lodpipe.reporters import write_text
    from lodpipe.runtime.machine import machine_faults

    if endpoint and not endpoint.startswith(("http://", "https://")):
        raise click.BadParameter("the address of an endpoint begins with http:// or https://", param_hint="--endpoint")
    if wrong := [one for one in params if "=" not in one]:
        raise click.BadParameter(f"{wrong[0]}: write NAME=VALUE", param_hint="--param")
    values = dict(one.split("=", 1) for one in params)
    try:
        with machine_faults():
            if update:
                _update(root)
            else:
                _print(_asked(root, lang, what, values, style, endpoint, seconds), end="")
    except LodpipeError as error:
        write_text(error.findings, root, sys.stderr, lang or _language(root))
        sys.exit(error.exit_code)


def _update(root: Path) -> None:
    from lodpipe.config.publication import Project
    from lodpipe.queries.confined import Limits
    from lodpipe.queries.samples import update
    from lodpipe.workflow.build import checked

    with checked(Project.open(root), queries=False) as outcome:
        limits = Limits(outcome.project.publication.limits.query)
        for name in update(outcome.declarations.queries, outcome.statements, outcome.project.root, limits):
            _print(name)


def _asked(
    root: Path, lang: str | None, what: str | None, values: dict[str, str], style: str | None, endpoint: str | None, seconds: float | None
) -> str:
    """The answer as a text; without a query, the list of queries. A query of one's own, asked at an endpoint, needs no project."""
    from lodpipe.config.publication import Project
    from lodpipe.queries.client import ask_here, ask_there, find_query, listing, shown
    from lodpipe.reporters import write_text

    project = None if endpoint and not (root / "publication.yaml").is_file() else Project.open(root)
    if what is None:
        return listing(project, lang or project.publication.languages[0]) if project else ""
    query = find_query(what, project)
    if project and not endpoint:
        found, warnings = ask_here(query, values, project, seconds or project.publication.limits.query)
        if warnings:
            write_text(warnings, root, sys.stderr, lang or project.publication.languages[0])
    else:
        found = ask_there(query, values, endpoint or "")
    try:
        return shown(found, style or ("table" if found.form in ("select", "ask") else "ttl"), query.text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--format") from None


@main.command()
@PROJECT
@LANGUAGE
@click.argument("what")
def explain(root: Path, lang: str | None, what: str) -> None:
    """Explain a finding's code (LP206), or where a resource comes from (its IRI below the base)."""
    from lodpipe.diagnostics.rules import KINDS, tell

    if what.upper() in KINDS:
        _print("{}: {}\n{}".format(what.upper(), *tell(what.upper(), {}, lang or _language(root))))
        return

    def run(project: Any, say: Callable[[str], None]) -> tuple[Any, ...]:
        from lodpipe.workflow.build import checked

        with checked(project, say=say) as outcome:
            _explain_resource(outcome, what)
        return ()

    _run(root, lang, False, run, quiet=True)


@main.command()
@PROJECT
@LANGUAGE
@click.option("--host", default="127.0.0.1", help="Address to listen at (default: 127.0.0.1, this machine only).")
@click.option("--port", default=8000, type=click.IntRange(0, 65535), help="Port to listen at; 0 takes a free one (default: 8000).")
@click.option("--seconds", default=10.0, type=click.FloatRange(min=0.1), help="How long a query may run (default: 10).")
@click.option("--memory", default="1GB", help="Memory that a query may take beyond the data (default: 1GB).")
@click.option("--processes", type=click.IntRange(1, 256), help="Queries at a time (default: two for each core, at least 4).")
@click.option("--result", default="50MB", help="How large an answer may be (default: 50MB).")
@click.option("--cache", default="64MB", help="Answers kept for who asks the same again (default: 64MB; 0MB keeps none).")
@click.option(
    "--client-seconds", default=10.0, type=click.FloatRange(min=0.1),
    help="How long a client may take to send a request, and to go on taking an answer (default: 10).",
)
@click.option("-q", "--quiet", is_flag=True, help="No line for each request.")
def serve(
    root: Path, lang: str | None, host: str, port: int, seconds: float, memory: str, processes: int | None, result: str, cache: str,
    client_seconds: float, quiet: bool,
) -> None:  # fmt: skip
    """Serve dist/ with a SPARQL endpoint at /sparql; read only."""

    def run(project: Any, _: Callable[[str], None]) -> tuple[Any, ...]:
        try:
            from lodpipe.serve import Settings
            from lodpipe.serve import run as serve_project
        except ModuleNotFoundError as error:
            raise click.ClickException(f"{error.name} is missing; install the extra: pip install 'lodpipe[serve]'") from None
        bounds: dict[str, Any] = {"slowness": client_seconds} | ({"processes": processes} if processes else {})
        settings = Settings(host=host, port=port, seconds=seconds, memory=_bytes(memory), result=_bytes(result), cache=_bytes(cache), **bounds)
        serve_project(project, settings, log=not quiet, say=lambda address: click.echo(f"serving {address}", err=True))
        return ()

    import signal

    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the server ends itself, and what it has begun first
    _run(root, lang, False, run, quiet=True)


def _bytes(size: str) -> int:
    """A size such as 50MB or 1GB in bytes."""
    units = {"KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}
    if size[-2:] not in units or not size[:-2].isdigit():
        raise click.BadParameter(f"{size}: a number with KB, MB or GB is expected, such as 1GB")
    return int(size[:-2]) * units[size[-2:]]


def _language(root: Path) -> str:
    """The first language of the publication, English where there is none."""
    from lodpipe.config.publication import Project
    from lodpipe.diagnostics.finding import LodpipeError

    try:
        return Project.open(root).publication.languages[0]
    except LodpipeError:
        return "en"


def _explain_resource(outcome: Any, what: str) -> None:
    """Every statement of a resource with the line and the rule that made it."""
    base = outcome.project.publication.base
    subject = f"<{what if '://' in what else base + what}>"
    rows = outcome.statements.rows_of(subject)
    if not rows:
        raise click.UsageError(f"nothing is said of {subject}")
    compact = outcome.declarations.vocabulary.compact
    for predicate, value, graph, record, number in rows:
        rule = outcome.statements.rules[number] if number is not None else None
        where = outcome.statements.locate(record, rule, subject)
        term = compact(value[1:-1]) if value.startswith("<") else value
        _print(f"{compact(predicate[1:-1])} {term}\n    {where} · rule {rule.name if rule else 'ontology'} · {compact(graph[1:-1])}")


def _teller(verbose: bool) -> Callable[[str], None]:
    """Tells each step with the time since the start, where that is wanted."""
    started = time.perf_counter()

    def say(step: str) -> None:
        if verbose:
            click.echo(f"{time.perf_counter() - started:7.2f} s  {step}", err=True)

    return say


def _run(
    root: Path, lang: str | None, verbose: bool, run: Callable[[Any, Callable[[str], None]], tuple[Any, ...]], quiet: bool = False,
    telling: Any = None, needed: bool = False,
) -> None:  # fmt: skip
    """Runs a command on a project, reports its findings, and ends with the exit code of the gravest.

    With `needed`, errors in the data fail in any case: there is no result.
    """
    from lodpipe.config.publication import Project
    from lodpipe.diagnostics.finding import InvalidData, LodpipeError
    from lodpipe.reporters import Telling, summary, write_text
    from lodpipe.runtime.machine import machine_faults

    telling = telling or Telling()
    say = _teller(verbose)
    try:
        findings: tuple[Any, ...] = ()
        code = 0
        try:
            with machine_faults():
                project = Project.open(root)
                lang = lang or project.publication.languages[0]
                findings = run(project, say)
                code = telling.exit_code(findings)
                say("done")
        except LodpipeError as error:
            passes = isinstance(error, InvalidData) and telling.fail_on is None and not needed
            findings, code = error.findings, 0 if passes else error.exit_code
        if findings or telling.formats != ("text",) or telling.files:
            telling.tell(findings, root, lang or "en", code)
        elif not quiet:
            _print(summary(findings, lang or "en"))
    except LodpipeError as error:  # a report that cannot be written
        write_text(error.findings, root, sys.stderr, lang or "en")
        code = error.exit_code
    if code:
        sys.exit(code)


def _print(text: str, end: str = "\n") -> None:
    """Writes to standard output at once, so that a full disk is noticed where it can be reported (LP706)."""
    try:
        click.echo(text + end, nl=False)
    except BrokenPipeError:
        raise
    except OSError as error:
        from lodpipe.diagnostics.finding import SourceError
        from lodpipe.runtime.machine import unwritable

        raise SourceError([unwritable("standard output", error)]) from None


# -- the process -------------------------------------------------------------------------------------------------------

_NO_THREAD_DATA = 127  # glibc ends a process so that has no memory for the data of a thread
_CLOSED_PIPE = 141  # what a shell gives for a program that SIGPIPE ends


def run() -> None:
    """The command `lodpipe`, in a process of its own that this one ends on request; `serve` and the wait of `--watch` end themselves."""
    import signal

    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))  # before and after there is anything to end
    command = next((one for one in sys.argv[1:] if not one.startswith("-")), "")
    if command == "serve" or (command == "check" and "--watch" in sys.argv):
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.exit(_exit_code(_command))
    from lodpipe.runtime.supervision import supervised

    end = supervised(lambda: _exit_code(_command))
    if end.asked and sys.stderr.isatty():
        sys.stderr.write("\r\033[K")  # a line of progress
    if end.code == 128 + signal.SIGINT:
        click.echo("interrupted", err=True)
    sys.exit(_reported(end))


def _command() -> None:
    code = main(standalone_mode=False)
    if isinstance(code, int) and code:
        sys.exit(code)


def _exit_code(work: Callable[[], object]) -> int:
    """The exit code of a command; what is not foreseen is an internal error (3), with its traceback."""
    from lodpipe.diagnostics.finding import LodpipeError
    from lodpipe.runtime.machine import machine_faults

    try:
        try:
            with machine_faults():
                work()
                _print("", end="")
        except LodpipeError as error:
            from lodpipe.reporters import write_text

            write_text(error.findings, Path(), sys.stderr)
            return error.exit_code
        except click.ClickException as error:
            error.show()
            return error.exit_code
        except SystemExit as end:
            _print("", end="")
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
            # click gives 1 where it meets a closed pipe, and puts a mute output in the place of the real one.
            return _CLOSED_PIPE if type(sys.stdout).__module__ == "click.utils" else code
        except (click.Abort, KeyboardInterrupt):
            click.echo("interrupted", err=True)
            return 130
        except BrokenPipeError:
            raise
        except Exception:
            import traceback

            traceback.print_exc()
            click.echo("This is a fault of lodpipe, not of your data. Please report it with the lines above.", err=True)
            return 3
    except (BrokenPipeError, LodpipeError):
        return _CLOSED_PIPE
    return 0


def _reported(end: Any) -> int:
    """The exit code of a process that has ended; what the system or a crash did to it is reported."""
    if not end.died and end.code != _NO_THREAD_DATA:
        return int(end.code)
    import resource
    import signal

    from lodpipe.diagnostics.finding import Finding
    from lodpipe.reporters import write_text

    name = signal.Signals(end.died).name if end.died else "thread-local data"
    code, finding = int(end.code), Finding("LP708", None, {"signal": name})
    if not end.died:
        code, finding = 2, Finding("LP707", None, {"detail": name})
    if end.died in (signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGTRAP):
        # Native code that finds no memory aborts; under a bound on memory that is the likely reason.
        bounded = resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY
        code, finding = (2, Finding("LP707", None, {"detail": name})) if bounded else (3, Finding("LP709", None, {"signal": name}))
    if end.died not in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        write_text([finding], Path(), sys.stderr)
    return code


if __name__ == "__main__":
    run()
