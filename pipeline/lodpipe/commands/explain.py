"""`lodpipe explain`: explains a code, or shows which line and rule made each statement of a
resource.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lodpipe.commands.options import LANGUAGE, ON, PROJECT, ProjectOptions, grouped
from lodpipe.commands.session import Progress, language_of, print_result, run_on_project

if TYPE_CHECKING:
    from lodpipe.config.publication import Project
    from lodpipe.diagnostics.finding import Finding
    from lodpipe.workflow.pipeline import Outcome


@click.command("explain")
@grouped("options", ProjectOptions, PROJECT, ON, LANGUAGE)
@click.argument("what")
def command(options: ProjectOptions, what: str) -> None:
    """Explain a rule by its code or name (LP206), or show where a resource comes from (its IRI,
    full or relative).
    """
    from lodpipe.diagnostics.rules import find_rule, render

    if rule := find_rule(what):
        message, help_text = render(rule.code, {}, options.lang or language_of(options.root))
        print_result(f"{rule.code} ({rule.name}): {message}\n{help_text}")
        return

    def print_origins(project: Project, on_progress: Progress) -> tuple[Finding, ...]:
        from lodpipe.workflow.pipeline import Engines, checked

        with checked(project, engines=Engines(on=options.on), on_progress=on_progress) as outcome:
            _print_statements(outcome, what)
        return ()

    run_on_project(options, print_origins)


def _print_statements(outcome: Outcome, what: str) -> None:
    """Every statement of a resource with the line and the rule that made it."""
    base = outcome.project.publication.base
    subject = f"<{what if '://' in what else base + what}>"
    if not outcome.statements.is_described(subject):
        raise click.UsageError(f"no statement has the subject {subject}")
    compact = outcome.declarations.vocabulary.compact
    for statement in outcome.statements.sourced(subject):
        value = (
            compact(statement.value[1:-1]) if statement.value.startswith("<") else statement.value
        )
        rule = statement.rule.name if statement.rule else "ontology"
        if statement.graph == outcome.declarations.withdrawn.graph:
            rule = "withdrawn"
        print_result(
            f"{compact(statement.predicate[1:-1])} {value}\n    {statement.origin} · rule {rule} · {compact(statement.graph[1:-1])}"
        )
