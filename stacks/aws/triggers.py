"""EventBridge rules: what starts a pipeline (a schedule, drift, an approval), and what people are told of.

What cannot be delivered goes to a queue, which an alarm watches. May not make a role, a pipeline or a topic.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from stacks.adapter import Skipped, TargetProblem
from stacks.aws.alarms import FIVE_MINUTES_S, metric_alarm
from stacks.aws.alerts import Alerts
from stacks.aws.context import Context, Keys, Learning, Runnable
from stacks.aws.monitors import Watch
from stacks.aws.policy import Condition, Principal, Statement, document
from stacks.aws.schedules import cron_fault, event_schedules
from stacks.aws.watching import every_expression, job_of
from stacks.graph import JsonText, Node, StackBuilder, Value
from stacks.intents import ModelMonitor, ModelRegistry, OnlineEndpoint, TrainingPipeline, describe
from stacks.pipelines import Register
from stacks.record import record

__all__ = [
    "EVENTS",
    "ROLE",
    "RULE",
    "Triggers",
    "add_triggers",
    "queue_name",
    "started_pipelines",
    "trigger_problems",
]

EVENTS = "events.amazonaws.com"
ROLE = "triggers"
RULE = "event-rule"
KEPT_S = 14 * 86400
OLDEST_EVENT_S = 3600
RETRIES = 8
NAMES_IN_PATTERN = 12
"""Names or ARNs in one rule: an event pattern has at most 2,048 characters (EventBridge quotas, November 2026)."""

Item = TypeVar("Item")

BROKEN = ("FAILED", "OUT_OF_SERVICE", "ROLLING_BACK", "UPDATE_ROLLBACK_FAILED")
"""States of an endpoint that people hear of, spelled as events spell them (SageMaker Developer Guide, events)."""


def queue_name(context: Context) -> str:
    """The name of the queue for what could not be delivered."""
    return context.name("queue", "triggers-undelivered")


def started_pipelines(context: Context) -> tuple[str, ...]:
    """The names of the SageMaker pipelines that some event may start, once they are there."""
    named = {
        *(pipeline.name for pipeline in context.all_of(TrainingPipeline) if pipeline.schedule),
        *(monitor.retrain_pipeline for monitor in context.all_of(ModelMonitor) if monitor.retrain_pipeline),
        *(model.approval_pipeline for model in context.all_of(ModelRegistry) if model.approval_pipeline),
    }
    scoring = (endpoint.name for endpoint in _scored(context))
    looking = (monitor.name for monitor in context.all_of(ModelMonitor) if job_of(context, monitor))
    return (
        *(context.pipeline(name) for name in sorted(named)),
        *(context.scoring(name) for name in scoring),
        *(context.watching(name) for name in looking),
    )


def _scored(context: Context) -> Iterator[OnlineEndpoint]:
    return (it for it in context.all_of(OnlineEndpoint) if it.mode == "batch" and it.schedule)


def trigger_problems(context: Context) -> Iterator[TargetProblem]:
    """Say which schedules EventBridge cannot have, and which approvals would go round for ever."""
    written = [
        *((("pipelines", it.name, "schedule"), it.schedule) for it in context.all_of(TrainingPipeline)),
        *((("endpoints", it.name, "schedule"), it.schedule) for it in _scored(context)),
    ]
    for path, schedule in written:
        fault = cron_fault(schedule) if schedule else ""
        if fault:
            yield TargetProblem(
                path=path,
                code="schedule",
                message=f'{".".join(path)} "{schedule}" is not a schedule of aws: {fault}',
                hint="List the days of one of the two fields, and leave the other at *.",
            )
    for model in context.all_of(ModelRegistry):
        if model.approval == "automatic" and model.approval_pipeline in _registering(context, model.name):
            yield TargetProblem(
                path=("models", model.name, "on_approval"),
                code="endless",
                message=f"models.{model.name}.on_approval {model.approval_pipeline} registers {model.name} itself, and "
                "approval is automatic: each run would start the next",
                hint="Set approval to manual, or name another pipeline.",
            )


def _registering(context: Context, model: str) -> set[str]:
    """The pipelines that register versions of a model."""
    return {
        pipeline.name
        for pipeline in context.all_of(TrainingPipeline)
        if pipeline.steps is not None
        for step in pipeline.steps.steps
        if isinstance(step.action, Register) and step.action.model == model
    }


@record
class Triggers:
    """What rules are made with; ``role`` starts pipelines, and is there where one may be started."""

    context: Context
    keys: Keys
    learning: Learning
    alerts: Alerts
    role: Value


def add_triggers(stack: StackBuilder, triggers: Triggers, watches: Sequence[Watch]) -> Sequence[Skipped]:
    """Make the rules for what is there; say which pipeline is not there to be started."""
    rules = _Rules(stack, triggers)
    _on_schedule(rules)
    _on_period(rules, watches)
    left = [*_on_drift(rules, watches), *_on_approval(rules)]
    _on_failure(rules)
    return left


class _Rules:
    """Adds rules and targets; the queue comes with the first."""

    def __init__(self, stack: StackBuilder, triggers: Triggers) -> None:
        self.stack = stack
        self.context = triggers.context
        self.triggers = triggers
        self._queue: Node | None = None

    @property
    def tells(self) -> bool:
        """Whether anybody listens."""
        return self.triggers.alerts.topic is not None

    def rule(
        self, address: str, parts: Sequence[str], description: str, when: Mapping[str, Value], origin: str
    ) -> Node:
        return self.stack.resource(
            "aws_cloudwatch_event_rule",
            address,
            {
                "name": self.context.name(RULE, *parts),
                "description": description,
                "state": "ENABLED",
                **when,
            },
            origin=origin,
        )

    def start(self, rule: Node, run: Runnable) -> None:
        """Let a rule start a pipeline, with the parameters' own defaults."""
        self._target(rule, "pipeline", {"arn": run.arn, "role_arn": self.triggers.role})

    def tell(self, rule: Node, paths: Mapping[str, str], sentence: str) -> None:
        """Let a rule send a sentence, in which the names of paths stand in angle brackets."""
        self._target(
            rule,
            "people",
            {
                "arn": self.triggers.alerts.topic,
                "input_transformer": {"input_paths": dict(paths), "input_template": f'"{sentence}"'},
            },
        )

    def _target(self, rule: Node, target: str, arguments: Mapping[str, Value]) -> None:
        self.stack.resource(
            "aws_cloudwatch_event_target",
            f"{rule.address.name}--{target}",
            {
                "rule": rule.ref("name"),
                "target_id": target,
                **arguments,
                "dead_letter_config": {"arn": self._undelivered(rule.origin).ref("arn")},
                "retry_policy": {
                    "maximum_event_age_in_seconds": OLDEST_EVENT_S,
                    "maximum_retry_attempts": RETRIES,
                },
            },
            origin=rule.origin,
        )

    def _undelivered(self, origin: str) -> Node:
        if self._queue is None:
            self._queue = _queue(self.stack, self.triggers, origin)
        return self._queue


def _queue(stack: StackBuilder, triggers: Triggers, origin: str) -> Node:
    context, key = triggers.context, triggers.keys.logs
    queue = stack.resource(
        "aws_sqs_queue",
        "triggers",
        {
            "name": queue_name(context),
            "message_retention_seconds": KEPT_S,
            "kms_master_key_id": key,
            "sqs_managed_sse_enabled": True if key is None else None,
        },
        origin=origin,
    )
    arn = queue.ref("arn")
    policy = document(
        stack,
        "queue-triggers",
        [
            Statement(
                sid="Undelivered",
                actions=("sqs:SendMessage",),
                resources=(arn,),
                principals=(Principal("Service", (EVENTS,)),),
                conditions=(
                    Condition("StringEquals", "aws:SourceAccount", (context.account,)),
                    Condition(
                        "ArnLike", "aws:SourceArn", (context.arn("events", f"rule/{context.prefix}-*"),)
                    ),
                ),
            ),
            Statement(
                sid="DenyInsecureTransport",
                effect="Deny",
                actions=("sqs:*",),
                resources=(arn,),
                principals=(Principal("AWS", ("*",)),),
                conditions=(Condition("Bool", "aws:SecureTransport", ("false",)),),
            ),
        ],
        origin=origin,
    )
    stack.resource(
        "aws_sqs_queue_policy", "triggers", {"queue_url": queue.ref("id"), "policy": policy}, origin=origin
    )
    metric_alarm(
        stack,
        context,
        "undelivered",
        ("triggers", "undelivered"),
        {
            "alarm_description": "An event started no pipeline, or reached nobody: it waits in the queue",
            "namespace": "AWS/SQS",
            "metric_name": "ApproximateNumberOfMessagesVisible",
            "dimensions": {"QueueName": queue.ref("name")},
            "statistic": "Maximum",
            "period": FIVE_MINUTES_S,
            "threshold": 0,
            "evaluation_periods": 1,
            "datapoints_to_alarm": 1,
        },
        heard=triggers.alerts.heard,
        origin=origin,
    )
    return queue


# --- what starts a pipeline ------------------------------------------------------------------------------------------


def _on_schedule(rules: _Rules) -> None:
    """A pipeline that is not there yet says so itself."""
    learning = rules.triggers.learning
    for pipeline in rules.context.all_of(TrainingPipeline):
        if pipeline.schedule and pipeline.name in learning.pipelines:
            run = learning.pipelines[pipeline.name]
            _scheduled(rules, pipeline.name, pipeline.name, pipeline.schedule, run, describe(pipeline))
    for endpoint in _scored(rules.context):
        if endpoint.schedule and endpoint.name in learning.scoring:
            run = learning.scoring[endpoint.name]
            shown = f"{endpoint.name}--batch"
            _scheduled(rules, endpoint.name, shown, endpoint.schedule, run, describe(endpoint))


def _on_period(rules: _Rules, watches: Sequence[Watch]) -> None:
    """Monitors' own jobs."""
    for watch in watches:
        if watch.job is None:
            continue
        name = watch.intent.name
        rule = rules.rule(
            f"look-{name}",
            (name, "look"),
            f"Lets monitor {name} look every {watch.intent.every}",
            {"schedule_expression": every_expression(watch.intent)},
            describe(watch.intent),
        )
        rules.start(rule, watch.job)


def _scheduled(rules: _Rules, name: str, shown: str, cron: str, run: Runnable, origin: str) -> None:
    for number, expression in enumerate(event_schedules(cron)):
        rule = rules.rule(
            f"schedule-{shown}--weekdays" if number else f"schedule-{shown}",
            (shown, "schedule", "weekdays") if number else (shown, "schedule"),
            f"Starts {name} by its schedule, {cron} (UTC)",
            {"schedule_expression": expression},
            origin,
        )
        rules.start(rule, run)


def _on_drift(rules: _Rules, watches: Sequence[Watch]) -> Iterator[Skipped]:
    """An alarm that starts to ring starts one retraining; it rings on while drift stays."""
    for watch in watches:
        name, retrain = watch.intent.name, watch.intent.retrain_pipeline
        if retrain is None or watch.alarm is None:
            continue
        run = rules.triggers.learning.pipelines.get(retrain)
        if run is None:
            yield _missing(describe(watch.intent), "retrains", retrain)
            continue
        pattern: Value = {
            "source": ["aws.cloudwatch"],
            "detail-type": ["CloudWatch Alarm State Change"],
            "resources": [watch.alarm.ref("arn")],
            "detail": {"state": {"value": ["ALARM"]}},
        }
        rule = rules.rule(
            f"drift-{name}",
            (name, "drift"),
            f"Starts {retrain} when monitor {name} finds drift",
            {"event_pattern": JsonText(pattern)},
            describe(watch.intent),
        )
        rules.start(rule, run)


def _on_approval(rules: _Rules) -> Iterator[Skipped]:
    for model in rules.context.all_of(ModelRegistry):
        run = rules.triggers.learning.pipelines.get(model.approval_pipeline or "")
        if model.approval_pipeline is not None and run is None:
            yield _missing(describe(model), "starts when a version is approved", model.approval_pipeline)
        if run is None and not rules.tells:
            continue
        pattern: Value = {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Model Package State Change"],
            "detail": {
                "ModelPackageGroupName": [rules.context.model_group(model.name)],
                "ModelApprovalStatus": ["Approved"],
                "ModelPackageStatus": ["Completed"],
            },
        }
        rule = rules.rule(
            f"approved-{model.name}",
            (model.name, "approved"),
            f"A version of {model.name} was approved",
            {"event_pattern": JsonText(pattern)},
            describe(model),
        )
        if run is not None:
            rules.start(rule, run)
        if rules.tells:
            rules.tell(
                rule,
                {"group": "$.detail.ModelPackageGroupName", "version": "$.detail.ModelPackageVersion"},
                "Version <version> of model <group> was approved.",
            )


def _missing(intent: str, does: str, pipeline: str) -> Skipped:
    return Skipped(
        intent=intent,
        reason=f"pipeline {pipeline}, which it {does}, is not there yet",
        remedy=f"Do what pipeline {pipeline} waits for; the trigger comes with it.",
    )


def _parts(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """As many items as one pattern holds, at a time."""
    return (items[start : start + NAMES_IN_PATTERN] for start in range(0, len(items), NAMES_IN_PATTERN))


# --- what people are told of -----------------------------------------------------------------------------------------


def _on_failure(rules: _Rules) -> None:
    if not rules.tells:
        return
    learning = rules.triggers.learning
    runs = [*learning.pipelines.values(), *learning.scoring.values()]
    for number, part in enumerate(_parts(runs), start=1):
        pattern: Value = {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
            "detail": {
                "currentPipelineExecutionStatus": ["Failed"],
                "pipelineArn": [run.arn for run in part],
            },
        }
        rule = rules.rule(
            f"pipeline-failed-{number}",
            ("pipeline-failed", f"{number}"),
            "An execution of a pipeline failed",
            {"event_pattern": JsonText(pattern)},
            "notifications",
        )
        rules.tell(rule, {"run": "$.detail.pipelineExecutionArn"}, "A pipeline failed: <run>")
    for number, served in enumerate(_parts([*learning.endpoints.values()]), start=1):
        pattern = {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Endpoint State Change", "SageMaker Endpoint Deployment State Change"],
            "detail": {"EndpointName": [one.name for one in served], "EndpointStatus": list(BROKEN)},
        }
        rule = rules.rule(
            f"endpoint-failed-{number}",
            ("endpoint-failed", f"{number}"),
            "An endpoint or its deployment failed",
            {"event_pattern": JsonText(pattern)},
            "notifications",
        )
        rules.tell(
            rule,
            {"name": "$.detail.EndpointName", "status": "$.detail.EndpointStatus"},
            "Endpoint <name> is <status>.",
        )
