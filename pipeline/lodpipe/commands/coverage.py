"""`lodpipe coverage`: which expected fields of the records are known."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from lodpipe.commands.options import LANGUAGE, PROJECT, ProjectOptions, grouped
from lodpipe.commands.session import Progress, print_result, run_on_project

if TYPE_CHECKING:
    from lodpipe.config.publication import Project
    from lodpipe.diagnostics.finding import Finding
    from lodpipe.releases.coverage_figures import TableCoverage
    from lodpipe.workflow.coverage_report import CoverageReport

_SIGNS = {"known": "+", "partial": "~", "contradictory": "!", "editorial": "e", "unknown": "?"}
_TEXTS = {
    "known": {"en": "known", "de": "bekannt"},
    "partial": {"en": "incomplete", "de": "unvollständig"},
    "contradictory": {"en": "contradictory", "de": "widersprüchlich"},
    "editorial": {"en": "editorial only", "de": "nur redaktionell"},
    "unknown": {"en": "unknown", "de": "unbekannt"},
    "share": {"en": "with a value", "de": "mit Angabe"},
    "all": {"en": "all", "de": "alle"},
    "field": {"en": "field", "de": "Angabe"},
    "record": {"en": "record", "de": "Datensatz"},
    "now": {"en": "now", "de": "jetzt"},
    "none": {"en": "not recorded", "de": "nicht erfasst"},
}  # fmt: skip


def _word(name: str, language: str) -> str:
    return _TEXTS[name].get(language, _TEXTS[name]["en"])


@click.command("coverage")
@grouped("options", ProjectOptions, PROJECT, LANGUAGE)
@click.option("--table", metavar="NAME", help="Only this table of `coverage` in publication.yaml.")
@click.option(
    "--format", "report_format", type=click.Choice(["text", "json", "csv", "markdown"]),
    default="text", help="Format of the report (default: text).",
)  # fmt: skip
def command(options: ProjectOptions, table: str | None, report_format: str) -> None:
    """Report which expected fields of the records are known, unknown, contradictory or rest on the
    editors alone.
    """

    def work(project: Project, _: Progress) -> tuple[Finding, ...]:
        from lodpipe.workflow.coverage_report import coverage_report

        report = coverage_report(project, table)
        language = options.lang or project.publication.languages[0]
        print_result(_WRITERS[report_format](report, language), end="")
        return ()

    run_on_project(options, work)


def _label(texts: Mapping[str, str], language: str) -> str:
    return texts.get(language) or next(iter(texts.values()))


def _counts(item: TableCoverage, language: str) -> list[list[str]]:
    """A row for each field, and one for all together: label, numbers, share."""
    from lodpipe.releases.coverage_figures import STATES, share, total

    figures = item.figures()
    named = [(_label(item.fields[name], language), counts) for name, counts in figures.items()]
    rows = []
    for label, counts in (*named, (_word("all", language), total(figures))):
        part = share(counts)
        numbers = [str(counts.get(state, 0)) for state in STATES]
        rows.append([label, *numbers, "–" if part is None else f"{100 * part:.1f} %"])
    return rows


def _heads(language: str) -> list[str]:
    return [_word(name, language) for name in ("field", *_SIGNS, "share")]


def _past(report: CoverageReport, item: TableCoverage, language: str) -> list[str]:
    """The share of all fields in each release."""
    return [
        f"{version}: {_word('none', language) if part is None else f'{100 * part:.1f} %'}"
        for version, part in report.over_time[item.table]
    ]


def _text(report: CoverageReport, language: str) -> str:
    """Tables of numbers; then a line for each record, with a sign for each field."""
    lines: list[str] = []
    for item in report.tables:
        rows = [_heads(language), *_counts(item, language)]
        widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
        lines += [f"{_label(item.title, language)} ({len(item.records)})", ""]
        for row in rows:
            cells = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
            lines.append("  ".join([row[0].ljust(widths[0]), *cells]).rstrip())
        if past := _past(report, item, language):
            lines += ["", f"{_word('share', language)}: {'; '.join(past)}"]
        lines += [
            "",
            f"{'  '.join(f'{sign} {_word(name, language)}' for name, sign in _SIGNS.items())}",
        ]
        names = list(item.fields)
        lines += [
            f"{n:>2} {_label(item.fields[name], language)}" for n, name in enumerate(names, 1)
        ]
        lines.append("   " + " ".join(f"{n:>2}" for n in range(1, len(names) + 1)))
        for record in item.records:
            signs = " ".join(
                _SIGNS.get(record.states.get(name, ""), " ").rjust(2) for name in names
            )
            lines.append(f"   {signs}  {record.label}")
        lines.append("")
    return "\n".join(lines)


def _markdown(report: CoverageReport, language: str) -> str:
    lines: list[str] = []
    for item in report.tables:
        names = list(item.fields)
        heads = [
            _word("record", language),
            *(_label(item.fields[name], language) for name in names),
        ]
        lines += [
            f"## {_label(item.title, language)}",
            "",
            *_table([_heads(language), *_counts(item, language)]),
        ]
        lines += ["", *(f"- {line}" for line in _past(report, item, language)), ""]
        rows = [
            [
                record.label,
                *(
                    _word(record.states[name], language) if name in record.states else ""
                    for name in names
                ),
            ]
            for record in item.records
        ]
        lines += [*_table([heads, *rows]), ""]
    return "\n".join(lines)


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    escaped = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    head, *body = [f"| {' | '.join(row)} |" for row in escaped]
    return [head, "|" + "---|" * len(rows[0]), *body]


def _csv(report: CoverageReport, language: str) -> str:
    """A row for each record and expected field."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["table", "record", "label", "field", "state", "file", "line"])
    for item in report.tables:
        for record in item.records:
            for name, state in record.states.items():
                where = record.origin
                writer.writerow(
                    [item.table, record.key, record.label, name, state, where.file, where.line]
                )
    return out.getvalue()


def _json(report: CoverageReport, language: str) -> str:
    tables: list[dict[str, Any]] = [
        {
            "table": item.table,
            "title": dict(item.title),
            "fields": {name: dict(texts) for name, texts in item.fields.items()},
            "figures": item.figures(),
            "releases": [{"version": version, "share": part} for version, part in report.over_time[item.table]],
            "records": [
                {"key": record.key, "label": record.label, "file": record.origin.file, "line": record.origin.line, "states": dict(record.states)}
                for record in item.records
            ],
        }
        for item in report.tables
    ]  # fmt: skip
    return json.dumps({"tables": tables}, ensure_ascii=False, indent=1) + "\n"


_WRITERS = {"text": _text, "json": _json, "csv": _csv, "markdown": _markdown}
