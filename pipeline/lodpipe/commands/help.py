"""`lodpipe help`: searches the documentation and shows its pages, without a network."""

from __future__ import annotations

import shutil

import click

from lodpipe.commands.session import print_result


@click.command("help")
@click.argument("words", nargs=-1)
@click.pass_context
def command(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Show a page of the documentation (help tutorial), a command, a rule, or where WORDS occur.

    Without WORDS: the pages and what they are about.
    """
    width = min(shutil.get_terminal_size().columns, 100)
    if not words:
        _print_index()
    elif not (len(words) == 1 and _print_named(ctx, words[0], width)):
        _print_matches(" ".join(words), width)


def _print_index() -> None:
    from lodpipe.diagnostics.help_search import help_pages, title_of_page

    pages = help_pages()
    longest = max(map(len, pages))
    lines = [f"  {name.ljust(longest)}  {title_of_page(name)}\n" for name in pages]
    print_result(
        f"Pages:\n{''.join(lines)}\nlodpipe help PAGE shows one, lodpipe help WORDS searches them; lodpipe --help lists the commands."
    )


def _print_named(ctx: click.Context, name: str, width: int) -> bool:
    """Prints the options of a command, the page of that name, or a rule; False for other words."""
    from lodpipe.commands.cli import COMMANDS
    from lodpipe.diagnostics.explanation import as_text, explanation
    from lodpipe.diagnostics.help_search import help_pages
    from lodpipe.diagnostics.rules import find_rule

    page = name.lower().removesuffix(".md")
    group = ctx.find_root().command
    if page in COMMANDS and isinstance(group, click.Group):
        page_command = group.get_command(ctx, page)
        assert page_command is not None  # a command of the table
        with click.Context(page_command, info_name=f"lodpipe {page}") as inner:
            print_result(page_command.get_help(inner))
    elif page not in help_pages():
        rule = find_rule(name)
        if rule:
            print_result(explanation(rule, "en", width), end="")
        return rule is not None
    if page in help_pages():
        print_result(
            ("\n" if page in COMMANDS else "") + as_text(help_pages()[page], width), end=""
        )
    return True


def _print_matches(words: str, width: int) -> None:
    from lodpipe.diagnostics.help_search import excerpt, search

    sections = search(words)
    if not sections:
        raise click.UsageError(
            f"the documentation has no word of `{words}`; `lodpipe help` lists its pages"
        )
    for section in sections:
        print_result(f"{section.page}: {section.heading}\n    {excerpt(section, words, width - 4)}")
    print_result(f"\nlodpipe help {sections[0].page} shows the first.")
