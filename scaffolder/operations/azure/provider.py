"""Azure as a provider of operations: its groups around one set of calls, and what it does and does not.

May not import an SDK before an operation runs, nor make a call when it is made.
"""

from __future__ import annotations

from scaffolder.operations.azure.batch import AzureBatch
from scaffolder.operations.azure.calls import Calls, Cloud
from scaffolder.operations.azure.identity import AzureIdentity
from scaffolder.operations.azure.monitoring import AzureMonitoring
from scaffolder.operations.azure.place import Place
from scaffolder.operations.azure.preflight import AzurePreflight
from scaffolder.operations.azure.registry import AzureRegistry
from scaffolder.operations.azure.runs import AzureRuns
from scaffolder.operations.azure.schedules import AzureSchedules, Timetable
from scaffolder.operations.azure.serving import AzureServing
from scaffolder.operations.azure.state import AzureState
from scaffolder.operations.azure.support import SUPPORT
from scaffolder.operations.azure.teardown import AzureTeardown
from scaffolder.operations.port import Opening

__all__ = ["AzureProvider"]


class AzureProvider:
    """Operations of one environment on Azure."""

    name = "azure"
    support = SUPPORT

    def __init__(self, opening: Opening, cloud: Cloud | None = None) -> None:
        cloud = cloud or Cloud()
        calls, place = Calls(cloud, opening.sleep), Place(opening.platform, cloud.blobs)
        self.identity = AzureIdentity(calls, place)
        self.preflight = AzurePreflight(calls, place, self.identity)
        self.state = AzureState(calls, place)
        self.runs = AzureRuns(calls, place)
        timetable = Timetable(calls, place, opening.sleep)
        self.monitoring = AzureMonitoring(calls, place, self.runs, timetable)
        self.schedules = AzureSchedules(timetable, place, self.runs, self.monitoring)
        self.registry = AzureRegistry(calls, place)
        self.serving = AzureServing(calls, place, opening)
        self.batch = AzureBatch(calls, place)
        self.teardown = AzureTeardown(calls, place, self.serving, timetable)
