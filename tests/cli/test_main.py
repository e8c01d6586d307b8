"""What all commands have in common: help, exit codes, streams, colours and encodings."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from tests.cli.conftest import SPEC, Cli

pytestmark = pytest.mark.cli

COMMANDS = (
    "new",
    "add",
    "update",
    "status",
    "templates",
    "validate",
    "preview",
    "synth",
    "diff",
    "compile",
    "graph",
    "iam",
    "doctor",
    "bootstrap",
    "run",
    "runs",
    "schedules",
    "models",
    "endpoints",
    "score",
    "monitors",
    "retrain",
    "destroy",
    "support",
    "explain",
    "schema",
    "completion",
)
BAD = SPEC.replace("owner", "ownr")


def test_help_lists_every_command_and_every_exit_code(cli: Cli) -> None:
    ran = cli.run("--help")
    assert (ran.code, ran.stderr) == (0, "")
    assert re.findall(r"^  ([a-z]+) {2,}\S", ran.stdout, re.MULTILINE) == [*COMMANDS]
    assert re.findall(r"^ +([0-9]+)  ", ran.stdout, re.MULTILINE) == [
        *("0", "1", "2", "3", "4", "5", "6", "7", "8", "10"),
        *(str(code) for code in range(20, 33)),
        *("64", "70", "74", "130", "141"),
    ]
    assert "  Examples:\n    scaffolder new platform churn\n" in ran.stdout


@pytest.mark.parametrize(
    "command", [(), ("new", "platform"), *((name,) for name in COMMANDS if name != "new")], ids=str
)
def test_help_has_examples_and_fits_80_columns(cli: Cli, command: tuple[str, ...]) -> None:
    ran = cli.run(*command, "--help")
    assert (ran.code, ran.stderr) == (0, "")
    assert "Examples:\n" in ran.stdout
    assert "\\b" not in ran.stdout
    assert [line for line in ran.stdout.splitlines() if len(line) > 80] == []


def test_version(cli: Cli) -> None:
    ran = cli.run("--version")
    assert (ran.code, ran.stderr) == (0, "")
    assert re.fullmatch(r"scaffolder [0-9]+\.[0-9]+\.[0-9]+\S*\n", ran.stdout)


def test_no_command_is_a_usage_error_with_the_help(cli: Cli) -> None:
    ran = cli.run()
    assert (ran.code, ran.stdout) == (64, "")
    assert ran.stderr.startswith("Usage: scaffolder [OPTIONS] COMMAND [ARGS]...\n")


def test_a_misspelt_command_gets_the_nearest_one(cli: Cli) -> None:
    ran = cli.run("vlidate")
    assert (ran.code, ran.stdout) == (64, "")
    assert ran.stderr.endswith('Error: there is no command "vlidate". Did you mean "validate"?\n')


def test_an_unknown_option_is_a_usage_error_and_not_a_finding(cli: Cli) -> None:
    ran = cli.run("validate", "--colour")
    assert (ran.code, ran.stdout) == (64, "")
    assert "--colour" in ran.stderr


@pytest.mark.parametrize("command", [("preview",), ("synth",), ("graph", "platform.yaml")], ids=str)
def test_findings_exit_with_2_and_leave_stdout_to_results(cli: Cli, command: tuple[str, ...]) -> None:
    cli.write("platform.yaml", BAD)
    ran = cli.run(*command)
    assert (ran.code, ran.stdout) == (2, "")
    assert "platform.yaml:3:1: error[unknown-key]: ownr is not a key" in ran.stderr
    assert ran.stderr.endswith("errors\n")


def test_no_colours_in_a_pipe(cli: Cli) -> None:
    cli.write("platform.yaml", BAD)
    assert "\033" not in cli.run("validate").stdout


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
    ids=str,
)
def test_colours_on_a_terminal_unless_they_are_unwanted(
    cli: Cli, environment: dict[str, str], *, coloured: bool
) -> None:
    cli.write("platform.yaml", BAD)
    assert ("\033[31m" in on_terminal(cli, "validate", environment)) is coloured


def on_terminal(cli: Cli, command: str, environment: dict[str, str]) -> str:
    """Run it with a terminal as its stdout."""
    pty = pytest.importorskip("pty", reason="this system has no terminals")
    reader, writer = pty.openpty()
    with open(reader, "rb", buffering=0) as terminal:  # noqa: PTH123 - a file descriptor
        process = subprocess.Popen(
            [cli.executable, command],
            cwd=cli.folder,
            env={**cli.environment, "TERM": "xterm", **environment},
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=subprocess.DEVNULL,
        )
        os.close(writer)
        seen = b""
        try:
            while more := terminal.read(4096):
                seen += more
        except OSError:  # Linux says so when the last writer is gone
            pass
        process.wait(600)
    return seen.decode()


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_a_terminal_without_utf_8_survives_every_character(cli: Cli, encoding: str) -> None:
    cli.write("platform.yaml", SPEC.replace("growth-ml", '"日😀"') + "nmae: x\n")
    ran = cli.run("validate", environment={"PYTHONIOENCODING": encoding})
    assert ran.code == 2
    assert "\\u65e5\\U0001f600" in ran.stdout


def test_json_is_utf_8_whatever_the_terminal_is(cli: Cli) -> None:
    cli.write("日.yaml")
    ran = cli.run("validate", "日.yaml", "--json", environment={"PYTHONIOENCODING": "ascii"})
    assert ran.document["specs"][0]["spec"] == "日.yaml"


@pytest.mark.skipif(os.name == "nt", reason="file names are texts there")
def test_a_file_whose_name_is_no_text_can_be_told(cli: Cli) -> None:
    name = os.fsdecode(b"\xff.yaml")
    (cli.folder / name).write_text(SPEC, encoding="utf-8")
    assert cli.run("validate", name).stdout == "\\udcff.yaml is valid: churn (dev)\n"
    assert cli.run("validate", name, "--json").document["specs"][0]["spec"] == name
    assert cli.run("preview", name, "--json").document["spec"] == name


def test_a_closed_pipe_is_quiet(cli: Cli) -> None:
    cli.write("platform.yaml")
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [cli.executable, "preview"],
            cwd=cli.folder,
            env=cli.environment,
            stdout=writer,
            stderr=subprocess.PIPE,
            timeout=600,
            check=False,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_closed_stdout_is_no_bug(cli: Cli) -> None:
    cli.write("platform.yaml")
    done = subprocess.run(
        ["sh", "-c", '"$0" validate >&-', cli.executable],
        cwd=cli.folder,
        env=cli.environment,
        capture_output=True,
        timeout=600,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
