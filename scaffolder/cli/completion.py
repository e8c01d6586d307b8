"""``scaffolder completion``: the script that completes this command line in a shell.

Thin: prints click's own script. May not write to a shell's start-up files.
"""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from scaffolder.cli.options import COMPLETE_VARIABLE

__all__ = ["SHELLS", "command"]

SHELLS = ("bash", "zsh", "fish")


@click.command(name="completion", short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    r"""Print the script that completes commands, options and keys of the spec in a shell.

    \b
    Examples:
      in ~/.bashrc:                     source <(scaffolder completion bash)
      in ~/.zshrc:                      source <(scaffolder completion zsh)
      in ~/.config/fish/config.fish:    scaffolder completion fish | source
    """
    completion = get_completion_class(shell)
    if completion is None:
        raise click.UsageError(f"click {shell} completion is not there", context)
    root = context.find_root()
    click.echo(completion(root.command, {}, "scaffolder", COMPLETE_VARIABLE).source())
