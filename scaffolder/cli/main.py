"""The ``scaffolder`` command: its list of commands, and the one place that turns an error into an exit code.

May not import what a command needs: ``--help`` and ``--version`` have to be quick.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from scaffolder.cli.lazy import LazyCommand, LazyGroup, with_examples
from scaffolder.cli.options import COMPLETE_VARIABLE
from scaffolder.errors import (
    MissingExtraError,
    OutputFolderError,
    ProjectError,
    ScaffolderError,
    SpecError,
    TemplateError,
    UnsupportedError,
    UsageError,
)
from scaffolder.operations.errors import (
    AlreadyExists,
    Conflict,
    InvalidRequest,
    NotAuthenticated,
    NotFound,
    OperationError,
    PermissionDenied,
    QuotaExceeded,
    RolledBack,
    RunFailed,
    Throttled,
    TimedOut,
    Unavailable,
)

__all__ = ["COMMANDS", "EXIT_CODES", "main", "scaffolder"]

BUG = 70
CANNOT_PRINT = 74
INTERRUPTED = 130
CLOSED_PIPE = 141
COLLECT_AFTER = 20_000
"""How many new objects the garbage collector waits for. More saves no time, and takes memory with many specs."""

EXIT_CODES = (
    (0, "done"),
    (1, "something would change, fails (doctor) or differs (runs reproduce)"),
    (SpecError.exit_code, "a spec has findings"),
    (OutputFolderError.exit_code, "a folder or file cannot be written, or is not ours"),
    (UnsupportedError.exit_code, "the target cannot do this, or not in this version"),
    (MissingExtraError.exit_code, "a Python package is missing; the error names its extra"),
    (TemplateError.exit_code, "a project template cannot be found or rendered"),
    (ProjectError.exit_code, "a project is in no state to be updated"),
    (8, "an update has conflicts, which git's markers show"),
    (10, "diff --exit-code: data may be lost or left behind"),
    (OperationError.exit_code, "an operation failed"),
    (NotAuthenticated.exit_code, "no credentials, or they have expired"),
    (PermissionDenied.exit_code, "the credentials may not do this"),
    (NotFound.exit_code, "what the operation is about is not there"),
    (AlreadyExists.exit_code, "what the operation makes is there, and is another one"),
    (Conflict.exit_code, "what the operation is about is busy; try again"),
    (InvalidRequest.exit_code, "a value, a state or an order that the provider refuses"),
    (QuotaExceeded.exit_code, "the account may not have so much"),
    (Throttled.exit_code, "too many calls; try again later"),
    (Unavailable.exit_code, "the service does not answer; try again later"),
    (TimedOut.exit_code, "what was waited for did not happen in time; it may still"),
    (RunFailed.exit_code, "a run or a job failed, or was stopped"),
    (RolledBack.exit_code, "a new version was not healthy; the traffic is where it was"),
    (UsageError.exit_code, "the command line does not fit"),
    (BUG, "a bug in scaffolder"),
    (CANNOT_PRINT, "the system refused to read or write"),
    (INTERRUPTED, "interrupted by Ctrl-C"),
    (CLOSED_PIPE, "the reader of the output went away"),
)

COMMANDS = {
    "new": LazyCommand("scaffolder.cli.new", "Start a project from a template."),
    "add": LazyCommand("scaffolder.cli.add", "Give a project one more template, such as CI."),
    "update": LazyCommand(
        "scaffolder.cli.update", "Bring a project to newer templates, and keep what its owners changed."
    ),
    "status": LazyCommand(
        "scaffolder.cli.status",
        "Say how far behind their templates projects are, and whether an update would merge cleanly.",
    ),
    "templates": LazyCommand(
        "scaffolder.cli.templates", "List templates, show what one asks, and check one."
    ),
    "validate": LazyCommand(
        "scaffolder.cli.validate", "Check specs and print everything that is wrong with them."
    ),
    "preview": LazyCommand("scaffolder.cli.preview", "Show the stacks and resources that a spec becomes."),
    "synth": LazyCommand("scaffolder.cli.synth", "Write the Terraform that specs become."),
    "diff": LazyCommand("scaffolder.cli.diff", "Show what a change of the spec adds, changes and removes."),
    "compile": LazyCommand("scaffolder.cli.compile", "Print the document that a pipeline becomes."),
    "graph": LazyCommand("scaffolder.cli.graph", "Draw the stacks and what needs what, as Mermaid or SVG."),
    "iam": LazyCommand("scaffolder.cli.iam", "List who may do what: roles, actions and resources."),
    "doctor": LazyCommand(
        "scaffolder.cli.doctor", "Check credentials, permissions, services, quotas and names."
    ),
    "bootstrap": LazyCommand("scaffolder.cli.bootstrap", "Make the place where Terraform's state will be."),
    "run": LazyCommand("scaffolder.cli.run", "Run a pipeline and follow it to its end."),
    "runs": LazyCommand("scaffolder.cli.runs", "List, show, follow, cancel and repeat runs of pipelines."),
    "schedules": LazyCommand(
        "scaffolder.cli.schedules", "Make pipelines' schedules where Terraform cannot (Azure), and list them."
    ),
    "models": LazyCommand(
        "scaffolder.cli.models", "Register, approve, promote, deploy and roll back versions of models."
    ),
    "endpoints": LazyCommand("scaffolder.cli.endpoints", "List and show endpoints, and ask them."),
    "score": LazyCommand("scaffolder.cli.score", "Score files in batch with a model."),
    "monitors": LazyCommand(
        "scaffolder.cli.monitors", "List monitors, look for drift, and show what was found."
    ),
    "retrain": LazyCommand("scaffolder.cli.retrain", "Train again where a monitor asks for it."),
    "destroy": LazyCommand(
        "scaffolder.cli.destroy", "Remove what operations made, before Terraform removes the rest."
    ),
    "support": LazyCommand("scaffolder.cli.support", "Show what each cloud carries of what a spec may ask."),
    "explain": LazyCommand("scaffolder.cli.explain", "Explain a key of the spec."),
    "schema": LazyCommand("scaffolder.cli.schema", "Print the spec's JSON Schema, for editors."),
    "completion": LazyCommand("scaffolder.cli.completion", "Print the completion script of a shell."),
}

DEBUG = click.Option(
    ["--debug"], is_flag=True, expose_value=False, help="Show the traceback of an error in scaffolder."
)


def _print_version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:  # noqa: FBT001
    if wanted and not context.resilient_parsing:
        from scaffolder import __version__  # noqa: PLC0415 - slow, and rarely asked for

        click.echo(f"scaffolder {__version__}")
        context.exit()


EPILOG = "\b\nExit codes:\n" + "\n".join(f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES)


@click.group(
    cls=LazyGroup,
    name="scaffolder",
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
    epilog=EPILOG,
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version.",
)
@click.pass_context
def scaffolder(context: click.Context) -> None:
    r"""Turn one YAML file, the platform spec, into an MLOps platform as Terraform, and run it.

    Synthesis is offline: it needs no account, no credentials and no network. What runs the platform does it on this
    machine, or with --env on an environment's cloud.

    \b
    Examples:
      scaffolder new platform churn
      scaffolder validate platform.yaml
      scaffolder preview platform.yaml --env dev
      scaffolder synth platform.yaml --out cdktf.out
      scaffolder run train
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(UsageError.exit_code)


scaffolder.lazy = COMMANDS
scaffolder.everywhere = (DEBUG,)
scaffolder.params.append(DEBUG)
with_examples(scaffolder)


def main(arguments: Sequence[str] | None = None, group: click.Group = scaffolder) -> int:
    """Run a command line and return the exit code; nothing escapes. Without ``arguments`` it owns the process."""
    if arguments is not None:
        return _guarded(arguments, group)
    gc.set_threshold(COLLECT_AFTER)
    _survive_any_terminal()
    code = _guarded(sys.argv[1:], group)
    gc.freeze()  # The process ends: there is nothing that the interpreter's last collection (30 ms) could give back.
    return code


def _guarded(given: Sequence[str], group: click.Group) -> int:
    try:
        code = _run([*given], group)
        sys.stdout.flush()  # while an error of it can still be told
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return UsageError.exit_code
    except SpecError as error:
        from scaffolder.cli.terminal import tell_findings  # noqa: PLC0415 - slow, and only for findings

        tell_findings(error.findings, "human", err=True)
        return error.exit_code
    except ScaffolderError as error:
        click.echo(f"error: {error}", err=True)
        return error.exit_code
    except OSError as error:
        return _closed_pipe() if error.errno == errno.EPIPE else _cannot(error, debug="--debug" in given)
    except Exception as error:  # noqa: BLE001 - the last resort
        return _bug(error, debug="--debug" in given)
    return code


def _run(arguments: list[str], group: click.Group) -> int:
    """Run a command; click's own ``main`` would turn errors into exit codes of its own."""
    if instruction := os.environ.get(COMPLETE_VARIABLE):
        from click.shell_completion import shell_complete  # noqa: PLC0415 - only a shell asks for it

        return shell_complete(group, {}, "scaffolder", COMPLETE_VARIABLE, instruction)
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    try:
        with group.make_context("scaffolder", arguments, color=False if plain else None) as context:
            group.invoke(context)
    except click.exceptions.Exit as done:
        return done.exit_code
    return 0


def _survive_any_terminal() -> None:
    """Let one that lacks a character see its code, a file's name be any bytes, and stdout be closed."""
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open to the end
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _closed_pipe() -> int:
    """Give the interpreter something to flush to when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return CLOSED_PIPE


def _cannot(error: OSError, *, debug: bool) -> int:
    where = f": {error.filename}" if error.filename else ""
    click.echo(f"error: {error.strerror or error}{where}", err=True)
    _print_traceback(error, debug=debug)
    return CANNOT_PRINT


def _bug(error: Exception, *, debug: bool) -> int:
    from scaffolder import __version__  # noqa: PLC0415 - slow, and only for bugs

    python = ".".join(map(str, sys.version_info[:3]))
    first = (str(error).splitlines() or [""])[0]
    click.echo(
        f"This is a bug in scaffolder, not in your spec: {type(error).__name__}: {first}\n"
        "Please report it to scaffolder's maintainers with the command line, the spec if you can share it, and what\n"
        f"the same command prints with --debug. (scaffolder {__version__}, Python {python}, {sys.platform})",
        err=True,
    )
    _print_traceback(error, debug=debug)
    return BUG


def _print_traceback(error: BaseException, *, debug: bool) -> None:
    if debug:
        import traceback  # noqa: PLC0415 - slow, and only for bugs

        traceback.print_exception(error)
