"""What the service account of each kind of workload may do: training, pipelines, serving, monitoring, and what starts them.

May not know people or CI. No account needs a key of Cloud KMS: the service agents encrypt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import assert_never

from stacks.gcp.context import Account
from stacks.gcp.grants import Holder, Reach, act_as, let_do, on_bucket, on_project, on_registry
from stacks.gcp.permissions import (
    DRIFT,
    EXPERIMENTS,
    FEATURES,
    GUARDED,
    INVOKE,
    JOBS,
    LOOK,
    MODELS,
    RUNS,
    SERVED,
    VECTORS,
)
from stacks.gcp.watching import job_of, looks
from stacks.graph import StackBuilder
from stacks.intents import (
    FoundationModels,
    Guardrail,
    KnowledgeBase,
    ModelMonitor,
    TrainingPipeline,
    WorkloadRole,
)
from stacks.pipelines import Run

__all__ = ["PULL", "READ", "USES", "WRITE", "WRITE_LOGS", "grant_tracking", "grant_workload", "models_asked"]

READ = "roles/storage.objectViewer"
WRITE = "roles/storage.objectUser"
PULL = "roles/artifactregistry.reader"
WRITE_LOGS = ("roles/logging.logWriter", "roles/monitoring.metricWriter")
QUERY = ("roles/bigquery.jobUser", "roles/bigquery.readSessionUser")

USES = {
    "training": "Training and processing jobs of Vertex AI",
    "pipelines": "Pipelines of Vertex AI and their steps",
    "serving": "Models behind endpoints of Vertex AI",
    "monitoring": "Drift tests on endpoints",
    "workspace": "People's notebooks",
    "triggers": "Schedules and events that start pipelines",
}


def models_asked(reach: Reach) -> tuple[str, ...]:
    """What it takes to ask a foundation model, where the platform names any, and to ask its guardrails.

    Vertex AI tells its models from endpoints nowhere.
    """
    asked = INVOKE if reach.context.one_of(FoundationModels) else ()
    return (*asked, *(GUARDED if reach.context.one_of(Guardrail) else ()))


def _filled(reach: Reach) -> tuple[str, ...]:
    """What it takes to write vectors of documents into the indexes of knowledge bases."""
    return VECTORS if reach.context.one_of(KnowledgeBase) else ()


def grant_workload(
    stack: StackBuilder, reach: Reach, role: WorkloadRole, holder: Holder, accounts: Mapping[str, Account]
) -> None:
    """Grant what one kind of workload needs; ``accounts`` are all of the platform's."""
    match role.purpose:
        case "training":
            _training(stack, reach, holder)
        case "pipelines":
            _pipelines(stack, reach, holder, accounts)
        case "serving":
            _serving(stack, reach, holder)
        case "monitoring":
            _monitoring(stack, reach, holder)
        case "workspace":
            _workspace(stack, reach, holder, accounts)
        case "triggers":
            _triggers(stack, reach, holder, accounts)
        case _:
            assert_never(role.purpose)


def grant_tracking(stack: StackBuilder, reach: Reach, holder: Holder) -> None:
    """Sign in to the tracking server's database, and keep its artifacts."""
    on_project(stack, reach, holder, "roles/cloudsql.client", "roles/cloudsql.instanceUser", *WRITE_LOGS)
    on_bucket(stack, reach, holder, "artifacts", WRITE, ("mlflow/",))


def _data(stack: StackBuilder, reach: Reach, holder: Holder) -> None:
    """Read every bucket of data, write artifacts, and write where the steps of pipelines say that they write."""
    places: dict[str, list[str]] = {"data": ["features/", "processed/"]}
    for bucket, prefix in sorted(set(_places(reach))):
        places.setdefault(bucket, []).append(prefix)
    for bucket in ("data", *reach.user_buckets):
        on_bucket(stack, reach, holder, bucket, READ)
    for bucket, prefixes in places.items():
        on_bucket(stack, reach, holder, bucket, WRITE, sorted(set(prefixes)))
    on_bucket(stack, reach, holder, "artifacts", WRITE)


def _places(reach: Reach) -> Iterator[tuple[str, str]]:
    """Bucket and prefix of each output with a place, up to the first part that only a run knows."""
    for pipeline in reach.context.all_of(TrainingPipeline):
        for step in pipeline.steps.steps if pipeline.steps else ():
            if not isinstance(step.action, Run):
                continue
            for output in step.action.outputs.values():
                if output.place is not None and output.place.bucket != "artifacts":
                    fixed = takewhile(lambda part: isinstance(part, str), output.place.path)
                    yield output.place.bucket, "".join(map(str, fixed))


def _training(stack: StackBuilder, reach: Reach, holder: Holder) -> None:
    let_do(
        stack, reach, holder, (*LOOK, *EXPERIMENTS, *FEATURES, *SERVED, *models_asked(reach), *_filled(reach))
    )
    on_project(stack, reach, holder, *WRITE_LOGS, *QUERY)
    on_registry(stack, reach, holder, PULL)
    _data(stack, reach, holder)


def _pipelines(stack: StackBuilder, reach: Reach, holder: Holder, accounts: Mapping[str, Account]) -> None:
    """The steps of a pipeline run as its account too, unless they are jobs of their own: it reaches what training does."""
    let_do(
        stack,
        reach,
        holder,
        (
            *LOOK,
            *RUNS,
            *JOBS,
            *EXPERIMENTS,
            *FEATURES,
            *MODELS,
            *SERVED,
            *models_asked(reach),
            *_filled(reach),
        ),
    )
    on_project(stack, reach, holder, *WRITE_LOGS, *QUERY)
    on_registry(stack, reach, holder, PULL)
    _data(stack, reach, holder)
    act_as(stack, holder, accounts, "training", "serving", *(["monitoring"] if looks(reach.context) else []))


def _serving(stack: StackBuilder, reach: Reach, holder: Holder) -> None:
    let_do(stack, reach, holder, (*LOOK, *FEATURES, *models_asked(reach)))
    on_project(stack, reach, holder, *WRITE_LOGS)
    on_registry(stack, reach, holder, PULL)
    on_bucket(stack, reach, holder, "artifacts", READ, ("models/",))
    on_bucket(stack, reach, holder, "data", WRITE, ("async/", "batch/", "capture/"))


def _monitoring(stack: StackBuilder, reach: Reach, holder: Holder) -> None:
    let_do(stack, reach, holder, (*LOOK, *RUNS, *SERVED))
    on_project(stack, reach, holder, *WRITE_LOGS, *QUERY)
    on_registry(stack, reach, holder, PULL)
    on_bucket(stack, reach, holder, "data", READ, ("capture/", "labels/"))
    on_bucket(stack, reach, holder, "artifacts", WRITE, ("baselines/", "monitoring/"))
    jobs = [job_of(reach.context, monitor) for monitor in reach.context.all_of(ModelMonitor)]
    code = tuple(f"code/{job.name}/" for job in jobs if job is not None)
    if code:
        on_bucket(stack, reach, holder, "artifacts", READ, code)


def _workspace(stack: StackBuilder, reach: Reach, holder: Holder, accounts: Mapping[str, Account]) -> None:
    """A notebook's account may look around, and run jobs only as the account of jobs."""
    let_do(
        stack,
        reach,
        holder,
        (*LOOK, *RUNS, *JOBS, *EXPERIMENTS, *FEATURES, *SERVED, *models_asked(reach)),
    )
    on_project(stack, reach, holder, *WRITE_LOGS, *QUERY)
    on_registry(stack, reach, holder, PULL)
    for bucket in ("data", "artifacts", *reach.user_buckets):
        on_bucket(stack, reach, holder, bucket, READ)
    on_bucket(stack, reach, holder, "data", WRITE, ("processed/",))
    on_bucket(stack, reach, holder, "artifacts", WRITE, ("code/", "experiments/"))
    act_as(stack, holder, accounts, "training", "pipelines")


def _triggers(stack: StackBuilder, reach: Reach, holder: Holder, accounts: Mapping[str, Account]) -> None:
    """Be started by the clock and by events, read what a run is, and start it: each through a workflow."""
    let_do(stack, reach, holder, (*RUNS, *JOBS, *DRIFT, *SERVED))
    on_project(stack, reach, holder, *WRITE_LOGS, "roles/eventarc.eventReceiver", "roles/workflows.invoker")
    on_bucket(stack, reach, holder, "artifacts", READ, ("pipelines/",))
    act_as(stack, holder, accounts, "pipelines", "serving")
