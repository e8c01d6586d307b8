"""What starts runs: Cloud Scheduler for batch predictions, and events of approval and drift, each through a workflow.

Pipelines by the clock are schedules of Vertex AI's own. May not make an account, a run's text or a channel.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence

from stacks.adapter import Skipped, TargetProblem
from stacks.gcp.alarms import flow_alarm
from stacks.gcp.alerts import Alerts
from stacks.gcp.context import Account, Context, Learning, Runnable, Surroundings
from stacks.gcp.flows import approved, asked, drifted, pipeline_flow, scoring_flow, uploaded
from stacks.gcp.jobs import model_id
from stacks.gcp.watching import drift_log
from stacks.graph import GraphError, JsonText, Node, StackBuilder, Value, text
from stacks.intents import ModelMonitor, ModelRegistry, OnlineEndpoint, TrainingPipeline, describe
from stacks.pipelines import Register
from stacks.record import record

__all__ = ["ROLE", "Triggers", "add_triggers", "trigger_problems"]

ROLE = "triggers"
AUDIT = "google.cloud.audit.log.v1.written"
MESSAGE = "google.cloud.pubsub.topic.v1.messagePublished"
API = "aiplatform.googleapis.com"
METHODS = {
    "manual": {
        "api": "google.cloud.aiplatform.v1.ModelService.MergeVersionAliases",
        "console": "google.cloud.aiplatform.ui.ModelService.MergeVersionAliases",
    },
    "automatic": {"api": "google.cloud.aiplatform.v1.ModelService.UploadModel"},
}
"""The calls by which a version gets the alias of approval, as audit logs spell them; the console's are apart."""

ANOMALIES = "aiplatform.googleapis.com%2Fmodel_monitoring_anomaly"
"""Where monitors of Vertex AI log drift, once ``enableLogging`` is set (Vertex AI, model monitoring, November 2026)."""

DEADLINE = "180s"
KEPT = "604800s"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def trigger_problems(context: Context) -> Iterator[TargetProblem]:
    """Refuse an approval that would go round for ever."""
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
    """What triggers are made with."""

    around: Surroundings
    learning: Learning
    alerts: Alerts

    @property
    def account(self) -> Account:
        """The account that starts runs; there where the platform has something to start."""
        found = self.around.roles.get(ROLE)
        if found is None:
            raise GraphError("something is to be started, and nobody may")
        return found


def add_triggers(stack: StackBuilder, triggers: Triggers) -> Sequence[Skipped]:
    """Make what starts what is there; say which pipeline is not there to be started."""
    _by_the_clock(stack, triggers)
    return [*_on_approval(stack, triggers), *_on_drift(stack, triggers)]


def _missing(intent: str, does: str, pipeline: str) -> Skipped:
    return Skipped(
        intent=intent,
        reason=f"pipeline {pipeline}, which it {does}, is not there yet",
        remedy=f"Do what pipeline {pipeline} waits for; the trigger comes with it.",
    )


# --- by the clock ----------------------------------------------------------------------------------------------------


def _by_the_clock(stack: StackBuilder, triggers: Triggers) -> None:
    for endpoint in triggers.around.context.all_of(OnlineEndpoint):
        run = triggers.learning.scoring.get(endpoint.name)
        if run is None or endpoint.schedule is None:
            continue
        flow = _flow(stack, triggers, run, run.name, scoring_flow(triggers.around), describe(endpoint))
        _clock(stack, triggers, endpoint, endpoint.schedule, flow)


def _clock(stack: StackBuilder, triggers: Triggers, endpoint: OnlineEndpoint, cron: str, flow: Node) -> None:
    context = triggers.around.context
    stack.resource(
        "google_cloud_scheduler_job",
        endpoint.name,
        {
            "name": context.name("job", endpoint.name),
            "description": f"Scores with {endpoint.name} by its schedule",
            "region": context.region,
            "schedule": cron,
            "time_zone": "Etc/UTC",
            "attempt_deadline": DEADLINE,
            "paused": False,
            "retry_config": {"retry_count": 3, "min_backoff_duration": "30s", "max_doublings": 3},
            "http_target": {
                "http_method": "POST",
                "uri": text("https://workflowexecutions.googleapis.com/v1/", flow.ref("id"), "/executions"),
                "headers": {"Content-Type": "application/json"},
                "body": b64encode(b"{}").decode(),
                "oauth_token": {"service_account_email": triggers.account.email, "scope": SCOPE},
            },
        },
        origin=describe(endpoint),
    )


# --- by events -------------------------------------------------------------------------------------------------------


def _on_approval(stack: StackBuilder, triggers: Triggers) -> Iterator[Skipped]:
    around = triggers.around
    for model in around.context.all_of(ModelRegistry):
        if model.approval_pipeline is None:
            continue
        run = triggers.learning.pipelines.get(model.approval_pipeline)
        if run is None:
            yield _missing(describe(model), "starts when a version is approved", model.approval_pipeline)
            continue
        known = model_id(around, model.name)
        guard = [*(approved(known) if model.approval == "manual" else uploaded(known))]
        name = f"approved-{model.name}"
        flow = _flow(stack, triggers, run, name, pipeline_flow(around, run.name, guard), describe(model))
        for way, method in METHODS[model.approval].items():
            criteria = {"type": AUDIT, "serviceName": API, "methodName": method}
            _event(stack, triggers, f"{name}-{way}", criteria, flow, describe(model))


def _on_drift(stack: StackBuilder, triggers: Triggers) -> Iterator[Skipped]:
    """Every monitor logs into one topic; each workflow takes what is about its endpoint."""
    topic: Node | None = None
    around = triggers.around
    for monitor in around.context.all_of(ModelMonitor):
        if monitor.retrain_pipeline is None or monitor.endpoint not in triggers.learning.endpoints:
            continue
        run = triggers.learning.pipelines.get(monitor.retrain_pipeline)
        if run is None:
            yield _missing(describe(monitor), "retrains", monitor.retrain_pipeline)
            continue
        topic = topic or _drift_topic(stack, triggers, describe(monitor))
        if monitor.image is not None and monitor.name not in triggers.learning.watching:
            continue
        own = monitor.name in triggers.learning.watching
        guard = [
            *(asked(monitor.name) if own else drifted(around, around.context.endpoint_id(monitor.endpoint)))
        ]
        name = f"drift-{monitor.name}"
        flow = _flow(stack, triggers, run, name, pipeline_flow(around, run.name, guard), describe(monitor))
        _event(stack, triggers, name, {"type": MESSAGE}, flow, describe(monitor), topic)


def _drift_topic(stack: StackBuilder, triggers: Triggers, origin: str) -> Node:
    """What monitors log of drift, handed on as messages."""
    context, keys = triggers.around.context, triggers.around.keys
    topic = stack.resource(
        "google_pubsub_topic",
        "drift",
        {
            "name": context.name("topic", "drift"),
            "kms_key_name": keys.data,
            "message_retention_duration": KEPT,
            "message_storage_policy": {
                "allowed_persistence_regions": [context.region],
                "enforce_in_transit": True,
            },
        },
        origin=origin,
    )
    sink = stack.resource(
        "google_logging_project_sink",
        "drift",
        {
            "name": context.name("sink", "drift"),
            "description": "Drift that monitors found",
            "destination": text("pubsub.googleapis.com/", topic.ref("id")),
            "filter": " OR ".join(f'logName="{name}"' for name in _drift_logs(triggers)),
            "unique_writer_identity": True,
        },
        origin=origin,
    )
    stack.resource(
        "google_pubsub_topic_iam_member",
        "drift",
        {
            "topic": topic.ref("name"),
            "role": "roles/pubsub.publisher",
            "member": sink.ref("writer_identity"),
        },
        origin=origin,
    )
    return topic


def _drift_logs(triggers: Triggers) -> Iterator[str]:
    """Where Vertex AI's monitors and our own jobs say what they found; a log that nobody writes is left out."""
    context = triggers.around.context
    images = {monitor.image is not None for monitor in context.all_of(ModelMonitor)}
    if False in images:
        yield f"projects/{context.project}/logs/{ANOMALIES}"
    if True in images:
        yield drift_log(context)


def _event(
    stack: StackBuilder,
    triggers: Triggers,
    name: str,
    criteria: dict[str, str],
    flow: Node,
    origin: str,
    topic: Node | None = None,
) -> None:
    """Let an event start a workflow."""
    context = triggers.around.context
    stack.resource(
        "google_eventarc_trigger",
        name,
        {
            "name": context.name("resource", name),
            "location": context.region,
            "service_account": triggers.account.email,
            "event_data_content_type": "application/json",
            "matching_criteria": [
                {"attribute": attribute, "value": value} for attribute, value in criteria.items()
            ],
            "destination": {"workflow": flow.ref("id")},
            "transport": {"pubsub": {"topic": topic.ref("id")}} if topic is not None else None,
        },
        origin=origin,
    )


def _flow(
    stack: StackBuilder, triggers: Triggers, run: Runnable, name: str, document: Value, origin: str
) -> Node:
    """A workflow that starts a run, and what tells of it when it can't."""
    context, keys, alerts = triggers.around.context, triggers.around.keys, triggers.alerts
    flow = stack.resource(
        "google_workflows_workflow",
        name,
        {
            "name": context.name("resource", name),
            "description": f"Starts {run.name}",
            "region": context.region,
            "service_account": triggers.account.name,
            "crypto_key_name": keys.data,
            "call_log_level": "LOG_ERRORS_ONLY",
            "execution_history_level": "EXECUTION_HISTORY_BASIC",
            "deletion_protection": False,
            "user_env_vars": {"BUCKET": triggers.around.stores.bucket("artifacts"), "OBJECT": run.template},
            "source_contents": JsonText(document),
        },
        origin=origin,
    )
    flow_alarm(stack, context, name, flow, alerts.heard, origin)
    return flow
