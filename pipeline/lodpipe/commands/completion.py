"""`lodpipe completion`: prints the script with which a shell completes commands and options."""

from __future__ import annotations

import click

from lodpipe.commands.session import print_result


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script with which bash, zsh or fish completes commands, options and rules.

    \b
    bash: lodpipe completion bash > ~/.local/share/bash-completion/completions/lodpipe
    zsh:  lodpipe completion zsh > "${fpath[1]}/_lodpipe"
    fish: lodpipe completion fish > ~/.config/fish/completions/lodpipe.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None, shell  # each choice has one
    program = context.find_root().command
    completion = kind(program, {}, "lodpipe", "_LODPIPE_COMPLETE")
    print_result(completion.source_template % completion.source_vars())
