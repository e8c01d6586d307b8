"""What the commands that run a platform share: their options, the opened platform, and how they say how far they are.

May not decide what an operation does.
"""

from __future__ import annotations

import re
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from shlex import quote
from typing import Any, TextIO, TypeVar

import click

from scaffolder.cli import options
from scaffolder.cli.terminal import COLUMNS, ERASE_LINE, print_json
from scaffolder.errors import ScaffolderError, UsageError
from scaffolder.operations.adapters import extra_of
from scaffolder.operations.errors import OperationError, RunFailed
from scaffolder.operations.following import short_ref
from scaffolder.operations.names import intents_of
from scaffolder.operations.platform import Platform
from scaffolder.operations.values import FINISHED, Approval, LogLine, ModelVersion, Run, RunState, StepRun
from scaffolder.report.columns import shortened
from scaffolder.report.operations import duration, render_line, render_run, state_of
from scaffolder.report.operations_json import plain
from scaffolder.spec.environments import LOCAL
from stacks.intents import TrainingPipeline
from stacks.pipelines import Register

__all__ = [
    "LAST_LINES",
    "Session",
    "Talk",
    "detach",
    "follow",
    "operation",
    "parse_seconds",
    "show_run",
    "token",
]

LAST_LINES = 12
"""Lines of a failed step's log that are printed below it."""
COMMAND = re.compile(
    r"`(scaffolder (?!new\b|validate\b|preview\b|synth\b|support\b|schema\b|explain\b)[^`\n]+)`"
)
"""A command that a message names and that needs this command's options to mean the same platform."""
SECONDS = {"s": 1, "m": 60, "h": 3600}

F = TypeVar("F", bound=Callable[..., Any])


class Talk:
    """Says on stderr how far a command is: a line that changes on a terminal, lines that stay elsewhere."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._is_terminal = self._stream.isatty()
        self._shown = False

    def say(self, line: str) -> None:
        """Print a line that stays."""
        self.clear()
        click.echo(line, file=self._stream)

    def live(self, line: str) -> None:
        """Show what is under way, on a terminal only; the next line takes its place."""
        if self._is_terminal:
            text = shortened(line, COLUMNS - 1)
            self._shown = True  # before it is: an interrupt between the two would leave the line there
            click.echo(f"{ERASE_LINE}{text}", file=self._stream, nl=False, color=True)

    def clear(self) -> None:
        """Take the line that changes away."""
        if self._shown:
            click.echo(ERASE_LINE, file=self._stream, nl=False, color=True)
            self._shown = False


class Session:
    """A command at work: the opened platform, and where its output goes."""

    def __init__(self, platform: Platform, flags: str, *, as_json: bool) -> None:
        self.platform = platform
        self.as_json = as_json
        self.talk = Talk()
        self._flags = flags

    def command(self, words: str) -> str:
        """Write another command of the same platform."""
        return f"scaffolder {words}{self._flags}"

    def next(self, *commands: str) -> None:
        """Say which commands come next, to people."""
        if not self.as_json:
            click.echo("Next:", err=True)
            for words in commands:
                click.echo(f"  {self.command(words)}", err=True)

    def document(self, **values: object) -> Mapping[str, object]:
        """Make the command's JSON document."""
        head = {
            "platform": self.platform.name,
            "environment": self.platform.environment,
            "provider": self.platform.provider.name,
        }
        return {**head, **{name: plain(value) for name, value in values.items()}}

    def show(self, lines: Callable[[], Iterable[str]], **document: object) -> None:
        """Print the command's result: lines for people, or the document."""
        self.talk.clear()
        if self.as_json:
            print_json(self.document(**document))
        else:
            for line in lines():
                click.echo(line)

    def pointed(self, text: str) -> str:
        """Let commands that a message names mean this command's platform."""
        return COMMAND.sub(lambda found: f"`{found[1]}{'' if '--env' in found[1] else self._flags}`", text)

    @contextmanager
    def repeatable(self, command_token: str) -> Iterator[None]:
        """Around a call that creates: should it fail on the way, say how to repeat it without creating twice."""
        try:
            yield
        except KeyboardInterrupt:
            self.talk.say(_again(command_token))
            raise
        except OperationError as error:
            if error.retryable:
                self.talk.say(_again(command_token))
            raise


def _again(command_token: str) -> str:
    return f"To try again without starting it twice, add --token {command_token}"


def operation(function: F) -> F:
    """Give a command the platform's options and, as its first argument, the session they open."""

    @wraps(function)
    def command(
        *arguments: Any,
        spec: Path,
        environment: str,
        provider: str | None,
        as_json: bool,
        **given: Any,
    ) -> Any:
        platform = Platform.open(spec, env=environment, provider=provider)
        session = Session(platform, _flags(spec, environment, provider), as_json=as_json)
        try:
            with extra_of(platform.provider.name):
                return function(session, *arguments, **given)
        except (OperationError, UsageError) as error:
            error.args = (session.pointed(str(error)),)
            raise
        finally:
            session.talk.clear()

    wrapped: Any = command
    for option in (
        options.as_json,
        click.option(
            "--provider",
            metavar="NAME",
            help="Run on this provider, instead of the environment's own: a package of yours may add one.",
        ),
        click.option(
            "--env",
            "environment",
            metavar="ENV",
            default=LOCAL,
            show_default=True,
            help="The environment: one of the spec's, on its cloud, or local, this machine.",
        ),
        click.option(
            "-f",
            "--spec",
            "spec",
            metavar="FILE",
            type=click.Path(path_type=Path),
            default=options.DEFAULT_SPEC,
            show_default=True,
            help="The platform's spec.",
        ),
    ):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[no-any-return]


def _flags(spec: Path, environment: str, provider: str | None) -> str:
    flags = [f"--env {environment}"] if environment != LOCAL else []
    flags += [f"--spec {quote(str(spec))}"] if spec != options.DEFAULT_SPEC else []
    flags += [f"--provider {quote(provider)}"] if provider else []
    return "".join(f" {flag}" for flag in flags)


def token(function: F) -> F:
    """A token that makes a command safe to repeat."""
    return click.option(
        "--token",
        metavar="UUID",
        help="The token of an earlier try, which its output has: nothing is made twice.",
    )(function)


def detach(function: F) -> F:
    """Whether to come back at once."""
    return click.option("--detach", is_flag=True, help="Come back at once; it goes on.")(function)


def parse_seconds(_context: click.Context, _option: click.Parameter, text: str) -> float:
    """Read ``30s``, ``5m``, ``1h`` or a number of seconds."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smh]?)", text)
    if found is None:
        raise click.BadParameter(f'"{text}" is no duration, such as 30s, 5m or 1h')
    return float(found[1]) * SECONDS[found[2] or "s"]


# --- following runs --------------------------------------------------------------------------------------------------


class _Steps:
    """Says what changes in a run: each step that ends, on a line of its own, and what is under way."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._told: set[tuple[str, str]] = set()

    def __call__(self, run: Run) -> None:
        for step in run.steps:
            if step.state in FINISHED and (step.name, step.state) not in self._told:
                self._told.add((step.name, step.state))
                self._talk.say(f"  {step.name} {state_of(step)}{_took(step)}")
        if run.state not in FINISHED:
            self._talk.live(_under_way(run))


def _took(step: StepRun) -> str:
    if step.skipped or step.started is None or step.ended is None:
        return ""
    return f" in {duration((step.ended - step.started).total_seconds())}"


def _under_way(run: Run) -> str:
    ended = sum(step.state in FINISHED for step in run.steps)
    now = ", ".join(step.name for step in run.steps if step.state is RunState.RUNNING)
    count = f"{ended} of {len(run.steps)} steps" if run.steps else "no step yet"
    return f"  {run.pipeline} {run.state.value}: {count}{f', now {now}' if now else ''}"


def follow(
    session: Session, ref: str, head: str, *, command_token: str | None = None, logs: bool = False
) -> Run:
    """Say ``head``, follow a run to its end, and say how it is. Ctrl-C leaves it running.

    Raises:
        RunFailed: it failed, or was stopped; the document and the failed step's last lines are printed already.
    """
    short = short_ref(ref)
    on_line = (lambda line: session.talk.say(render_line(line))) if logs else None
    try:
        session.talk.say(f"{head} (token {command_token})" if command_token else head)
        return session.platform.runs.wait(ref, on_change=_Steps(session.talk), on_line=on_line)
    except KeyboardInterrupt:
        session.talk.say(f"\nThe run {short} goes on without you.")
        session.talk.say(f"  to follow it: {session.command(f'runs logs {short} --follow')}")
        session.talk.say(f"  to stop it:   {session.command(f'runs cancel {short}')}")
        raise
    except RunFailed:
        _show_failed(session, session.platform.runs.show(ref), command_token, with_lines=not logs)
        raise


def _show_failed(session: Session, run: Run, command_token: str | None, *, with_lines: bool) -> None:
    if session.as_json:
        session.show(lambda: (), token=command_token, run=run)
    failed = next((step.name for step in run.steps if step.state is RunState.FAILED), None)
    lines: deque[LogLine] = deque(maxlen=LAST_LINES)
    if with_lines and failed is not None:
        with suppress(ScaffolderError):  # the run's own failure is what has to be told
            lines.extend(session.platform.runs.logs(run.ref, step=failed))
    if lines:
        session.talk.say(f"The last lines of {failed}:")
        for line in lines:
            session.talk.say(f"  {line.text}")


def show_run(session: Session, run: Run, command_token: str | None) -> None:
    """Print a run as a command's result."""
    session.show(lambda: _with_token(run, command_token), token=command_token, run=run)


def _with_token(run: Run, command_token: str | None) -> Iterator[str]:
    first, *rest = render_run(run)
    yield first
    if command_token:
        yield f"  token      {command_token}"
    yield from rest


def tell_registered(session: Session, run: Run) -> None:
    """Say what comes after a run that registered a version."""
    if session.as_json:
        return
    for one in _registered(session, run):
        if one.approval is Approval.PENDING:
            session.next(f"models approve {one.model} {one.version}", f"models deploy {one.model}")
        elif one.approval is Approval.APPROVED:
            session.next(f"models deploy {one.model} {one.version}")


def _registered(session: Session, run: Run) -> list[ModelVersion]:
    pipeline = intents_of(session.platform.intents, TrainingPipeline).get(run.pipeline)
    steps = pipeline.steps.steps if pipeline and pipeline.steps else ()
    found = []
    for model in dict.fromkeys(step.action.model for step in steps if isinstance(step.action, Register)):
        try:
            newest = next(session.platform.models.list(model), None)
        except OperationError:  # what comes next is a courtesy: the run has succeeded
            continue
        if newest is not None and newest.run == run.ref:
            found.append(newest)
    return found
