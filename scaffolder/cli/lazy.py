"""A group of commands whose modules are imported when they are called, and not to list them.

May not know which commands there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["LazyCommand", "LazyGroup", "with_examples"]


def with_examples(command: click.Command) -> None:
    r"""Put click's mark for lines that are not joined, a backspace, where a raw docstring has ``\b``."""
    command.help = (command.help or "").replace("\\b\n", "\b\n")


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """Where a command is (``command`` in a module) and its line in the list of commands."""

    module: str
    short_help: str

    def load(self) -> click.Command:
        """Import the command."""
        command = import_module(self.module).command
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.module}.command is not a command")
        return command


def _with_those_below(command: click.Command) -> list[click.Command]:
    return [command, *(command.commands.values() if isinstance(command, click.Group) else ())]


class LazyGroup(click.Group):
    """Commands in the order of ``lazy``; ``everywhere`` are options of each of them and of those below it."""

    lazy: Mapping[str, LazyCommand]
    everywhere: Sequence[click.Option]

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return [*self.lazy]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        entry = self.lazy.get(cmd_name)
        if entry is None:
            return None
        command = entry.load()
        for each in _with_those_below(command):
            with_examples(each)
            each.params += [option for option in self.everywhere if option not in each.params]
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Refuse a command that there is not, with the nearest one."""
        name = args[0]
        if name not in self.lazy and not name.startswith("-") and not ctx.resilient_parsing:
            from difflib import get_close_matches  # noqa: PLC0415 - only a misspelt command needs it

            near = get_close_matches(name, self.lazy, n=1)
            hint = f'Did you mean "{near[0]}"?' if near else f"There are {', '.join(self.lazy)}."
            raise click.UsageError(f'there is no command "{name}". {hint}', ctx)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete commands without importing them, and the group's own options."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only a shell asks for it

        return [
            *(CompletionItem(n, help=e.short_help) for n, e in self.lazy.items() if n.startswith(incomplete)),
            *click.Command.shell_complete(self, ctx, incomplete),
        ]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.short_help) for name, entry in self.lazy.items()])
