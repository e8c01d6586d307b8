"""The list of commands is the commands', the page is theirs too, and neither help nor version loads the pipeline."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import scaffolder as package
from scaffolder.cli.lazy import with_examples
from scaffolder.cli.main import COMMANDS, scaffolder

ROOT = Path(__file__).resolve().parents[3]
HEAVY = (
    "yaml",
    "scaffolder.pipeline",
    "scaffolder.spec",
    "stacks",
    "scaffolder.operations.values",
    "cookiecutter",
    "json",
    "logging",
    "tempfile",
)
SDKS = (
    *("boto3", "botocore", "google.cloud.aiplatform", "google.auth", "azure.ai", "azure.core"),
    *("mlflow", "evidently", "sklearn", "pandas", "numpy", "scipy", "fastapi", "uvicorn", "sqlalchemy"),
)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_says(name: str) -> None:
    command = COMMANDS[name].load()
    short_help = command.get_short_help_str(limit=200).rstrip(".")
    assert (command.name, f"{short_help}.") == (name, COMMANDS[name].short_help)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_a_help(name: str) -> None:
    command = scaffolder.get_command(click.Context(scaffolder), name)
    assert command is not None
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    assert [option.name for option in options if not option.help] == []
    assert "debug" in [option.name for option in options]


def all_commands() -> Iterator[tuple[str, click.Command]]:
    """Every command, and those below it, by what is typed."""
    for name, entry in COMMANDS.items():
        command = entry.load()
        with_examples(command)
        yield name, command
        for below in command.commands.values() if isinstance(command, click.Group) else ():
            with_examples(below)
            yield f"{name} {below.name}", below


@pytest.mark.parametrize(("name", "command"), [pytest.param(*each, id=each[0]) for each in all_commands()])
def test_every_help_fits_80_columns_and_what_is_called_has_examples(
    name: str, command: click.Command
) -> None:
    with click.Context(command, info_name=f"scaffolder {name}", max_content_width=80) as context:
        told = command.get_help(context)
    assert [line for line in told.splitlines() if len(line) > 80] == []
    assert isinstance(command, click.Group) or re.search(f"\n    .*scaffolder {name}", told)
    assert "\\b" not in told


def test_loading_a_command_twice_gives_it_no_option_twice() -> None:
    context = click.Context(scaffolder)
    first = scaffolder.get_command(context, "schema")
    assert first is not None
    options = [*first.params]
    assert scaffolder.get_command(context, "schema") is first
    assert first.params == options


@pytest.mark.parametrize("arguments", [["--help"], []], ids=str)
def test_help_loads_nothing_that_only_commands_need(arguments: list[str]) -> None:
    script = (
        "import sys\nfrom scaffolder.cli.main import main\n"
        f"main({arguments!r})\nsys.stdout.write('\\n' + ' '.join(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "click" in loaded
    assert loaded & set(HEAVY) == set()


def test_no_help_loads_an_sdk() -> None:
    script = (
        "import contextlib, io, sys\nfrom scaffolder.cli.main import COMMANDS, main\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    for name, entry in COMMANDS.items():\n"
        "        for below in ['', *getattr(entry.load(), 'commands', ())]:\n"
        "            assert main([each for each in (name, below, '--help') if each]) == 0\n"
        "print(*sorted(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert "scaffolder.cli.models" in loaded
    assert [name for name in loaded if name.startswith(SDKS)] == []


def test_the_page_of_the_command_line_is_current(tmp_path: Path) -> None:
    written = tmp_path / "cli.md"
    script = ROOT / "scripts" / "regen" / "cli_reference.py"
    environment = {**os.environ, "COLUMNS": "80"}
    subprocess.run([sys.executable, script, written], env=environment, check=True, timeout=600)
    page = ROOT / "docs" / "reference" / "cli.md"
    assert page.read_text(encoding="utf-8") == written.read_text(encoding="utf-8"), (
        "run: python scripts/regen/cli_reference.py"
    )


@pytest.mark.parametrize("name", package.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(package, name)
    assert name in dir(package)


def test_a_name_that_there_is_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'synthesise'"):
        _ = getattr(package, "synthesise")  # noqa: B009 - mypy knows that it is not there
