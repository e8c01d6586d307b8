"""What ``doctor`` asks of Google Cloud: credentials, permissions, APIs, quota for the spec's machines, names of buckets.

Each probe answers for itself: what cannot be found out is unknown, and raises nothing. May not change anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from scaffolder.operations.errors import NotAuthenticated, OperationError, PermissionDenied
from scaffolder.operations.gcp import storage
from scaffolder.operations.gcp.calls import Calls
from scaffolder.operations.gcp.identity import GcpIdentity
from scaffolder.operations.gcp.machines import Need, needs
from scaffolder.operations.values import Outcome, Probe
from stacks.gcp.permissions import ENDPOINTS, JOBS, LOOK, MODELS, RUNS
from stacks.gcp.services import services_of
from stacks.gcp.state import state_bucket
from stacks.intents import ObjectStore, OnlineEndpoint, StateStore, TrainingPipeline

__all__ = ["GcpPreflight"]

AT_ONCE = 30
"""So many APIs can be asked for in one call (Service Usage, services.batchGet)."""

LOGS = ("logging.logEntries.list",)
STATE = ("storage.buckets.create", "storage.buckets.get", "storage.buckets.update")


class GcpPreflight:
    """The probes of Google Cloud."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._place = calls.place

    # --- credentials ---

    def credentials(self) -> Iterator[Probe]:
        """Say who we are, and in whose project: credentials may be of another one, as CI's often are."""
        yield from _safe("credentials", "application default credentials", self._who)

    def _who(self) -> Iterator[Probe]:
        found = GcpIdentity(self._calls).whoami()
        own, project = self._calls.credentials_project, self._place.project
        detail = f"{found.principal}, in project {project}"
        if own and own != project:
            detail += f" (the credentials themselves name {own}; every call names {project})"
        yield Probe(
            group="credentials",
            subject="application default credentials",
            outcome=Outcome.PASS,
            detail=detail,
        )

    # --- permissions ---

    def permissions(self) -> Iterator[Probe]:
        """Ask what the credentials may do in the project, purpose by purpose."""
        for subject, wanted in self._purposes():
            yield from _safe("permissions", subject, partial(self._allowed, subject, wanted))

    def _purposes(self) -> Iterator[tuple[str, Sequence[str]]]:
        context = self._place.context
        endpoints = [it.mode for it in context.all_of(OnlineEndpoint)]
        if context.one_of(TrainingPipeline) is not None:
            yield "run pipelines", (*LOOK, *RUNS)
            yield "read logs", LOGS
        yield "register models", (*MODELS, "aiplatform.models.update")
        if "realtime" in endpoints:
            yield "deploy to endpoints", ENDPOINTS
        if "batch" in endpoints:
            yield "score in batch", tuple(it for it in JOBS if "batchPredictionJobs" in it)
        if context.platform.backend.kind == "managed":
            yield "make the state's bucket", STATE

    def _allowed(self, subject: str, wanted: Sequence[str]) -> Iterator[Probe]:
        asked = sorted(set(wanted))
        found = self._calls.rest(
            "cloudresourcemanager",
            "POST",
            f"v3/projects/{self._place.project}:testIamPermissions",
            f"ask for permissions to {subject}",
            json={"permissions": asked},
        )
        missing = [it for it in asked if it not in found.get("permissions", ())]
        if not missing:
            detail = f"{len(asked)} permissions"
            yield Probe(group="permissions", subject=subject, outcome=Outcome.PASS, detail=detail)
            return
        yield Probe(
            group="permissions",
            subject=subject,
            outcome=Outcome.FAIL,
            detail=f"missing {', '.join(missing)}",
            remedy=f"Let an administrator grant a role with them in project {self._place.project}.",
        )

    # --- APIs ---

    def services(self) -> Iterator[Probe]:
        """Ask which of the APIs that the platform needs are enabled."""
        names = [f"{service}.googleapis.com" for service in services_of(self._place.context)]
        for start in range(0, len(names), AT_ONCE):
            part = names[start : start + AT_ONCE]
            yield from _safe("services", f"{part[0]} and others", partial(self._enabled, part))

    def _enabled(self, names: Sequence[str]) -> Iterator[Probe]:
        project = self._place.project
        found = self._calls.rest(
            "serviceusage",
            "GET",
            f"v1/projects/{project}/services:batchGet",
            "look which APIs are enabled",
            params={"names": [f"projects/{project}/services/{name}" for name in names]},
        )
        states = {
            str(it["name"]).rpartition("/")[2]: str(it.get("state", "")) for it in found.get("services", ())
        }
        for name in names:
            if states.get(name) == "ENABLED":
                yield Probe(group="services", subject=name, outcome=Outcome.PASS, detail="enabled")
            else:
                yield Probe(
                    group="services",
                    subject=name,
                    outcome=Outcome.FAIL,
                    detail="not enabled",
                    remedy=f"Apply the stack security, or run `gcloud services enable {name} --project {project}`.",
                )

    # --- quota ---

    def quotas(self) -> Iterator[Probe]:
        """Hold the machines that the spec asks for against Vertex AI's quota in the region."""
        yield from _safe("quota", "Vertex AI", self._quotas)

    def _quotas(self) -> Iterator[Probe]:
        limits = self._limits()
        for need in needs(self._place.context):
            limit = limits.get(f"aiplatform.googleapis.com/{need.metric}")
            yield _quota(need, limit, self._place.context.region)

    def _limits(self) -> dict[str, int]:
        """The limits of Vertex AI in the region by metric; -1 is none."""
        path = (
            f"v1beta1/projects/{self._place.project}/services/aiplatform.googleapis.com/consumerQuotaMetrics"
        )
        asked: dict[str, Any] = {"view": "FULL", "pageSize": 200}
        limits: dict[str, int] = {}
        while True:
            page = self._calls.rest("serviceusage", "GET", path, "read Vertex AI's quota", params=asked)
            for metric in page.get("metrics", ()):
                limits |= {str(metric["metric"]): it for it in _regional(metric, self._place.context.region)}
            if not page.get("nextPageToken"):
                return limits
            asked["pageToken"] = page["nextPageToken"]

    # --- names ---

    def names(self) -> Iterator[Probe]:
        """Look whether the names of buckets, which the whole world shares, are free or ours."""
        context = self._place.context
        names = [context.bucket(store.name) for store in context.all_of(ObjectStore)]
        state = context.one_of(StateStore)
        if state is not None and state.create and context.platform.backend.kind == "managed":
            names.insert(0, state_bucket(context))
        for name in names:
            yield from _safe("names", f"bucket {name}", partial(self._name, name))

    def _name(self, name: str) -> Iterator[Probe]:
        subject = f"bucket {name}"
        try:
            found = storage.bucket(self._calls, name)
        except PermissionDenied:
            yield Probe(
                group="names",
                subject=subject,
                outcome=Outcome.FAIL,
                detail="taken: it is closed to these credentials",
                remedy="If it is another's, choose another name for the platform.",
            )
            return
        detail = "free" if found is None else "there already, and open to these credentials"
        yield Probe(group="names", subject=subject, outcome=Outcome.PASS, detail=detail)


def _regional(metric: Any, region: str) -> Iterator[int]:
    """The limit of a metric that is the most specific for a region: buckets come from the least specific on."""
    for limit in metric.get("consumerQuotaLimits", ()):
        found = None
        for bucket in limit.get("quotaBuckets", ()):
            if bucket.get("dimensions", {}).get("region", region) == region:
                found = int(bucket.get("effectiveLimit", 0))
        if found is not None:
            yield found


def _quota(need: Need, limit: int | None, region: str) -> Probe:
    subject = f"{need.metric} in {region}"
    asked = f"{need.many} for {need.what}"
    if limit is None:
        detail = f"{asked}; Vertex AI names no such quota"
        return Probe(group="quota", subject=subject, outcome=Outcome.UNKNOWN, detail=detail)
    if limit in {-1, 2**63 - 1} or need.many <= limit:
        shown = "without limit" if limit in {-1, 2**63 - 1} else f"of {limit}"
        return Probe(group="quota", subject=subject, outcome=Outcome.PASS, detail=f"{asked}, {shown}")
    return Probe(
        group="quota",
        subject=subject,
        outcome=Outcome.FAIL,
        detail=f"{asked}, and the limit is {limit}",
        remedy=f"Ask for more of {need.metric} at https://console.cloud.google.com/iam-admin/quotas.",
    )


def _safe(group: str, subject: str, probe: Callable[[], Iterator[Probe]]) -> Iterator[Probe]:
    """What a probe finds; what keeps it from that is unknown, but for credentials that are not good."""
    try:
        yield from [*probe()]
    except OperationError as error:
        outcome = Outcome.FAIL if isinstance(error, NotAuthenticated) else Outcome.UNKNOWN
        yield Probe(
            group=group,
            subject=subject,
            outcome=outcome,
            detail=": ".join(part for part in (error.message, error.code, error.text) if part),
            remedy=error.remedy,
        )
