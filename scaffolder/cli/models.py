"""``scaffolder models``: versions of models, from the registry to the endpoint.

Thin: asks and prints. May not know a provider.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import click

from scaffolder.cli.endpoints import content_type_of
from scaffolder.cli.operations import Session, operation, parse_seconds, token
from scaffolder.errors import UsageError
from scaffolder.operations.errors import InvalidRequest, OperationError
from scaffolder.operations.names import checked_token
from scaffolder.operations.rollout import AT_ONCE, Canary, Rollout, RolloutPlan, Sample
from scaffolder.operations.values import Approval, ModelVersion, Stage
from scaffolder.report.operations import render_plan, render_version, render_versions, split_words
from scaffolder.report.operations_json import ModelDocumentJson, ModelsJson, RolloutJson

__all__ = ["DOCUMENTS", "command"]

DOCUMENTS = {
    "list": ModelsJson,
    "register": ModelDocumentJson,
    "approve": ModelDocumentJson,
    "reject": ModelDocumentJson,
    "promote": ModelDocumentJson,
    "deploy": RolloutJson,
    "rollback": RolloutJson,
}

F = TypeVar("F", bound=Callable[..., Any])
model = click.argument("model", metavar="MODEL")
version = click.argument("version", metavar="VERSION", type=click.IntRange(min=1))
note = click.option("--note", metavar="TEXT", default="", help="Why; it is kept with the version.")
endpoint = click.option("--endpoint", metavar="NAME", help="The endpoint, where the model has more than one.")
dry_run = click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")


@click.group("models", short_help="Register, approve, promote, deploy and roll back versions of models.")
def command() -> None:
    r"""Register, approve, promote, deploy and roll back versions of models.

    Only approved versions are deployed. A stage says what a version is used for; an endpoint serves what was deployed
    to it.

    \b
    Examples:
      scaffolder models list
      scaffolder models approve churn 3
      scaffolder models deploy churn 3
      scaffolder models rollback churn
    """


@command.command("list")
@click.argument("model", metavar="[MODEL]", required=False)
@operation
def list_(session: Session, model: str | None) -> None:
    r"""List the versions in the registry, the newest of each model first.

    \b
    Examples:
      scaffolder models list
      scaffolder models list churn --json | jq '.versions[0].metrics'
    """
    found = [*session.platform.models.list(model)]
    session.show(lambda: render_versions(found), versions=found)


@command.command("register")
@model
@click.option(
    "--artifact",
    metavar="URI",
    required=True,
    help="The folder with the model's files: BUCKET:PATH, or the provider's own URI.",
)
@click.option("--image", metavar="IMAGE", default="", help="The image that serves it.")
@click.option(
    "--metric", "metrics", metavar="NAME=NUMBER", multiple=True, help="How good it is; may be repeated."
)
@click.option("--run", metavar="RUN", default="", help="The run that made it.")
@token
@operation
def register(
    session: Session,
    model: str,
    artifact: str,
    image: str,
    metrics: Sequence[str],
    run: str,
    token: str | None,
) -> None:
    r"""Add a version that no pipeline registered.

    \b
    Examples:
      scaffolder models register churn --artifact artifacts:models/churn/2026-11
      scaffolder models register churn --artifact artifacts:x --metric auc=0.91
    """
    models = session.platform.models
    given = checked_token(token)
    measured = _metrics(metrics)
    whole = session.platform.runs.ref(run) if run else ""
    with session.repeatable(given):
        one = models.register(model, artifact, image=image, metrics=measured, run=whole, token=given)
    _show(session, one, given)
    if one.approval is Approval.PENDING:
        session.next(f"models approve {one.model} {one.version}")


def _metrics(texts: Sequence[str]) -> dict[str, float]:
    found = {}
    for text in texts:
        name, equals, number = text.partition("=")
        try:
            found[name] = float(number)
        except ValueError:
            equals = ""
        if not equals or not name:
            raise UsageError(f'--metric "{text}" is not NAME=NUMBER, such as --metric auc=0.91')
    return found


@command.command("approve")
@model
@version
@note
@operation
def approve(session: Session, model: str, version: int, note: str) -> None:
    r"""Let a version be deployed.

    \b
    Examples:
      scaffolder models approve churn 3 --note 'reviewed by Ana'
    """
    one = session.platform.models.approve(model, version, note=note)
    _show(session, one, None)
    session.next(f"models deploy {one.model} {one.version}")


@command.command("reject")
@model
@version
@note
@operation
def reject(session: Session, model: str, version: int, note: str) -> None:
    r"""Keep a version from being deployed.

    What serves already goes on until another version takes its place.

    \b
    Examples:
      scaffolder models reject churn 3 --note 'worse for new customers'
    """
    _show(session, session.platform.models.reject(model, version, note=note), None)


@command.command("promote")
@model
@version
@click.option(
    "--stage",
    type=click.Choice([stage.value for stage in Stage]),
    default=Stage.PRODUCTION.value,
    show_default=True,
    help="What the version is used for.",
)
@click.option(
    "--if-better", is_flag=True, help="Only if it is better than the version that is in production."
)
@click.option("--metric", metavar="NAME", default="", help="Compare by this number, not by the gate's.")
@operation
def promote(session: Session, model: str, version: int, stage: str, metric: str, *, if_better: bool) -> None:
    r"""Move a version to a stage; who held staging or production before is archived.

    A stage is a word in the registry, by which others find the version. It moves no traffic: `models deploy` does.

    \b
    Examples:
      scaffolder models promote churn 3
      scaffolder models promote churn 3 --if-better
      scaffolder models promote churn 3 --stage staging
    """
    models = session.platform.models
    if if_better:
        decided = models.is_better(model, version, metric=metric)
        if not decided.promote:
            raise InvalidRequest(
                f"version {version} of {model} stays where it is: {decided.why}",
                remedy="Without --if-better it is promoted all the same.",
            )
        session.talk.say(decided.why)
    _show(session, models.promote(model, version, stage=Stage(stage)), None)


def _show(session: Session, one: ModelVersion, command_token: str | None) -> None:
    session.show(lambda: render_version(one), token=command_token, version=one)


# --- deploy and rollback ---------------------------------------------------------------------------------------------


def _canary(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f'"{text}" is no list of percents, such as 10,50,100') from None


def pace(function: F) -> F:
    """How a version takes over."""
    usual = Canary()
    for option in (
        click.option("--keep-old", is_flag=True, help="Leave the old deployment there, without traffic."),
        click.option("--now", is_flag=True, help="Give it all traffic at once."),
        click.option(
            "--step-wait",
            "step_wait_s",
            metavar="DURATION",
            default=f"{usual.wait_s:.0f}s",
            show_default=True,
            callback=parse_seconds,
            help="Watch each share for so long: 30s, 5m, 1h.",
        ),
        click.option(
            "--canary",
            metavar="PERCENTS",
            callback=_canary,
            help=f"The shares of the traffic, step by step.  [default: {','.join(map(str, usual.steps))}]",
        ),
    ):
        function = option(function)
    return function


@command.command("deploy")
@model
@click.argument("version", metavar="[VERSION]", type=click.IntRange(min=1), required=False)
@endpoint
@pace
@click.option(
    "--smoke",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A request that the version must answer, before it gets traffic and while it is watched; captured as any other.",
)
@dry_run
@operation
def deploy(
    session: Session,
    model: str,
    version: int | None,
    endpoint: str | None,
    smoke: Path | None,
    *,
    dry_run: bool,
    **pace: Any,
) -> None:
    r"""Bring a version behind the model's endpoint, step by step of its traffic.

    VERSION is the newest approved one when it is left out. Between the steps the endpoint, the answers to --smoke and
    the alarms of its monitors are watched; a version that is not healthy gives the traffic back, and the command exits
    with 32. Killed and called again, it goes on where it was.

    \b
    Examples:
      scaffolder models deploy churn --dry-run
      scaffolder models deploy churn 3 --smoke rows.csv --step-wait 5m
      scaffolder models deploy churn 3 --canary 5,25,100 --env prod
      scaffolder models deploy churn --now
    """
    models = session.platform.models
    plan = models.plan(model, version, endpoint=endpoint, canary=_chosen_canary(**pace))
    if dry_run:
        _show_plan(session, plan)
        return
    sample = Sample(body=smoke.read_bytes(), content_type=content_type_of(smoke)) if smoke else None
    with _interruptible(session, plan):
        done = models.carry_out(plan, smoke=sample, tell=session.talk.say, live=session.talk.live)
    _show_rollout(session, plan, done)
    _tell_stage(session, done)


def _chosen_canary(
    *, canary: tuple[int, ...] | None, step_wait_s: float, now: bool, keep_old: bool
) -> Canary:
    if now and canary is not None:
        raise UsageError("--now and --canary exclude each other")
    if now:
        return Canary(steps=AT_ONCE.steps, wait_s=AT_ONCE.wait_s, keep_old=keep_old)
    return Canary(steps=canary or Canary().steps, wait_s=step_wait_s, keep_old=keep_old)


@command.command("rollback")
@model
@click.option(
    "--to", metavar="VERSION", type=click.IntRange(min=1), help="This version, instead of the one before."
)
@endpoint
@click.option("--keep", is_flag=True, help="Leave the deployment that goes there, without traffic.")
@click.option("--reject", is_flag=True, help="Reject the versions that lose their traffic, too.")
@dry_run
@operation
def rollback(
    session: Session,
    model: str,
    to: int | None,
    endpoint: str | None,
    *,
    keep: bool,
    reject: bool,
    dry_run: bool,
) -> None:
    r"""Give all traffic to the version before, at once.

    While the traffic is split, that is the version which the new one takes it from. Else it is a deployment that was
    kept, or the newest earlier version that is approved.

    \b
    Examples:
      scaffolder models rollback churn --dry-run
      scaffolder models rollback churn --reject
      scaffolder models rollback churn --to 1
    """
    models = session.platform.models
    plan = models.plan_rollback(model, to=to, endpoint=endpoint, keep=keep)
    if dry_run:
        _show_plan(session, plan)
        return
    losing = [
        one.version
        for one in session.platform.endpoints.show(plan.request.endpoint).deployments
        if one.traffic_percent and one.version not in {None, plan.request.version}
    ]
    with _interruptible(session, plan):
        done = models.carry_out(plan, tell=session.talk.say, live=session.talk.live)
    for lost in losing if reject else ():
        models.reject(model, lost or 0, note="rolled back")
        session.talk.say(f"version {lost} of {model} is rejected")
    _show_rollout(session, plan, done)
    _tell_stage(session, done)


@contextmanager
def _interruptible(session: Session, plan: RolloutPlan) -> Iterator[None]:
    """Say how to go on, or back, after Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt:
        name = plan.request.model
        session.talk.say("\nThe rollout stopped where it was; the endpoint goes on as it is.")
        session.talk.say(f"  to look at it: {session.command(f'endpoints show {plan.request.endpoint}')}")
        session.talk.say(
            f"  to go on:      {session.command(f'models deploy {name} {plan.request.version}')}"
        )
        session.talk.say(f"  to go back:    {session.command(f'models rollback {name}')}")
        raise


def _show_plan(session: Session, plan: RolloutPlan) -> None:
    session.show(lambda: render_plan(plan), **_plan_values(plan, dry_run=True))


def _show_rollout(session: Session, plan: RolloutPlan, done: Rollout) -> None:
    session.show(
        lambda: [
            f"{done.endpoint} serves version {done.version} of {done.model}: {split_words(done.traffic)}"
        ],
        **_plan_values(plan, dry_run=False),
    )


def _tell_stage(session: Session, done: Rollout) -> None:
    """Where another version is in production than the one that serves, say so: `score` goes by the stage."""
    if session.as_json:
        return
    with suppress(OperationError):
        for one in session.platform.models.list(done.model):
            if one.stage is Stage.PRODUCTION and one.version != done.version:
                session.talk.say(
                    f"version {one.version} of {done.model} is still in the stage production, which `score` goes by"
                )
                session.next(f"models promote {done.model} {done.version}")


def _plan_values(plan: RolloutPlan, *, dry_run: bool) -> dict[str, object]:
    request = plan.request
    return {
        "dry_run": dry_run,
        "endpoint": request.endpoint,
        "model": request.model,
        "version": request.version,
        "deployment": request.deployment,
        "is_there": plan.is_there,
        "before": plan.before,
        "steps": plan.splits,
        "step_wait_s": plan.step_wait_s,
        "removes": plan.removes,
    }
