"""What stands in Terraform's way in Azure: jobs that run, deployments that serve, what scales them, people's own machines.

Never what holds versions, runs or files. May not remove what a stack made: Terraform does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from scaffolder.operations.azure.calls import ML_API, Calls, Document
from scaffolder.operations.azure.history import state_of
from scaffolder.operations.azure.place import Place
from scaffolder.operations.azure.runs import cancel_job
from scaffolder.operations.azure.scaling import API as SCALING
from scaffolder.operations.azure.schedules import Timetable
from scaffolder.operations.azure.serving import AzureServing
from scaffolder.operations.errors import NotFound
from scaffolder.operations.values import FINISHED, Removable

__all__ = ["AzureTeardown"]

SCHEDULE, JOB, DEPLOYMENT, SCALES, MACHINE = (
    "schedule",
    "job",
    "deployment",
    "autoscale setting",
    "compute instance",
)


class AzureTeardown:
    """What has to go first."""

    def __init__(self, calls: Calls, place: Place, serving: AzureServing, timetable: Timetable) -> None:
        self._calls = calls
        self._place = place
        self._serving = serving
        self._timetable = timetable

    def inventory(self) -> Iterator[Removable]:
        """Yield what starts jobs, the jobs, what scales deployments, the deployments, and machines that no stack made."""
        yield from self._schedules()
        yield from self._jobs()
        yield from self._settings()
        for endpoint in self._place.realtime():
            for deployment in self._deployments(endpoint.name):
                share = f"{endpoint.name}/{deployment['name']}"
                yield Removable(kind=DEPLOYMENT, name=share, ref=str(deployment["id"]))
        yield from self._machines()

    def remove(self, item: Removable) -> None:
        """Remove one; a deployment's traffic goes first, which Azure asks for."""
        doing = f"remove the {item.kind} {item.name}"
        if item.kind == JOB:
            with suppress(NotFound):
                cancel_job(self._calls, self._place, item.name)
        elif item.kind == SCHEDULE:
            self._timetable.remove(item.name)
        elif item.kind == SCALES:
            self._calls.delete(item.ref, doing, api=SCALING)
        elif item.kind == DEPLOYMENT:
            self._serving.drain(*item.name.split("/"))
            self._calls.delete(item.ref, doing)
        else:
            self._calls.delete(item.ref, doing, underlyingResourceAction="Delete")

    def is_gone(self, item: Removable) -> bool:
        """Whether it is there no more; a job that has ended is no obstacle."""
        api = SCALING if item.kind == SCALES else ML_API
        found = self._calls.find(item.ref, f"look for the {item.kind} {item.name}", api=api)
        if found is None:
            return True
        return item.kind == JOB and state_of(str(found["properties"].get("status"))) in FINISHED

    # --- parts ---

    def _schedules(self) -> Iterator[Removable]:
        with suppress(NotFound):
            for one in self._timetable.list():
                path = self._timetable.path(one.name)
                yield Removable(kind=SCHEDULE, name=one.name, ref=path, detail=f"{one.key}, {one.cron} (UTC)")

    def _jobs(self) -> Iterator[Removable]:
        for job in self._listed(f"{self._place.workspace}/jobs", "list jobs", listViewType="ActiveOnly"):
            native = str(job["properties"].get("status"))
            if state_of(native) not in FINISHED:
                yield Removable(kind=JOB, name=str(job["name"]), ref=str(job["id"]), detail=native)

    def _settings(self) -> Iterator[Removable]:
        """What scales the deployments; the group's other settings are not ours."""
        path = f"{self._place.group}/providers/Microsoft.Insights/autoscaleSettings"
        for setting in self._listed(path, "list autoscale settings", api=SCALING):
            if str(setting["properties"].get("targetResourceUri") or "").startswith(
                f"{self._place.workspace}/"
            ):
                yield Removable(kind=SCALES, name=str(setting["name"]), ref=str(setting["id"]))

    def _deployments(self, endpoint: str) -> Iterator[Document]:
        path = f"{self._place.endpoint_id(endpoint)}/deployments"
        return self._listed(path, f"list what is behind {endpoint}")

    def _machines(self) -> Iterator[Removable]:
        for compute in self._listed(f"{self._place.workspace}/computes", "list machines"):
            own = (compute.get("tags") or {}).get("platform") == self._place.platform.name
            if compute["properties"].get("computeType") == "ComputeInstance" and not own:
                yield Removable(
                    kind=MACHINE,
                    name=str(compute["name"]),
                    ref=str(compute["id"]),
                    holds_data=True,
                    detail="made by a person; what is on its own disk is nowhere else",
                )

    def _listed(self, path: str, doing: str, **params: str) -> Iterator[Document]:
        """What a list has; nothing, where what it is of is not there."""
        try:
            yield from self._calls.pages(path, doing, **params)
        except NotFound:
            return
