"""`lodpipe explain`: explains a code, or shows which line and rule made each statement of a
resource.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import click

from lodpipe.commands.options import (
    LANGUAGE,
    ON,
    PROJECT,
    ProjectOptions,
    complete_rule,
    grouped,
)
from lodpipe.commands.session import Progress, language_of, print_result, run_on_project

if TYPE_CHECKING:
    from lodpipe.config.publication import Project
    from lodpipe.diagnostics.finding import Finding
    from lodpipe.workflow.pipeline import Outcome


@click.command("explain")
@grouped("options", ProjectOptions, PROJECT, ON, LANGUAGE)
@click.option("--rules", is_flag=True, help="List all rules: code, name, and what each is about.")
@click.argument("what", required=False, shell_complete=complete_rule)
def command(options: ProjectOptions, rules: bool, what: str | None) -> None:
    """Explain a rule by its code or name (LP206) with examples, or show where a resource comes from
    (its IRI, full or relative).
    """
    if rules:
        _print_rules(options.lang or language_of(options.root))
        return
    if what is None:
        raise click.UsageError("name a rule (LP206) or a resource, or list all rules by --rules")
    if _explain_rule(options, what):
        return

    def print_origins(project: Project, on_progress: Progress) -> tuple[Finding, ...]:
        from lodpipe.workflow.pipeline import Engines, checked

        with checked(project, engines=Engines(on=options.on), on_progress=on_progress) as outcome:
            _print_statements(outcome, what)
        return ()

    run_on_project(options, print_origins)


def _print_rules(language: str) -> None:
    """A line for each rule."""
    from lodpipe.diagnostics.explanation import title_of
    from lodpipe.diagnostics.rules import RULES

    width = max(len(rule.name) for rule in RULES.values())
    for code, rule in RULES.items():
        print_result(f"{code}  {rule.name.ljust(width)}  {title_of(code, language)}")


def _explain_rule(options: ProjectOptions, what: str) -> bool:
    """Prints the page of a rule; False where a resource is meant. Raises click.UsageError for a
    rule that does not exist.
    """
    from lodpipe.diagnostics.explanation import explanation
    from lodpipe.diagnostics.rule_selection import UnknownRule, looks_like_rule
    from lodpipe.diagnostics.rules import find_rule

    if rule := find_rule(what):
        width = min(shutil.get_terminal_size().columns, 100)
        language = options.lang or language_of(options.root)
        print_result(explanation(rule, language, width), end="")
        return True
    if looks_like_rule(what):
        raise click.UsageError(f"{UnknownRule(what)} (`lodpipe explain --rules` lists all)")
    return False


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
