"""A domain with apps and spaces, and the schedules of monitors: what a test puts there. May not make any of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.operations.fakes.aws.store import Answers, Parameters, Place, absent, page, refused

__all__ = ["Monitors", "Studio"]


@dataclass(slots=True)
class Studio:
    place: Place
    domains: dict[str, str] = field(default_factory=dict)
    apps: list[dict[str, Any]] = field(default_factory=list)
    spaces: list[dict[str, Any]] = field(default_factory=list)

    @property
    def answers(self) -> Answers:
        return {
            "ListDomains": self.list_domains,
            "ListApps": lambda asked: self._listed(self.apps, asked, "Apps"),
            "DescribeApp": self._app,
            "DeleteApp": self.delete_app,
            "ListSpaces": lambda asked: self._listed(self.spaces, asked, "Spaces"),
            "DescribeSpace": self._space,
            "DeleteSpace": self.delete_space,
        }

    def list_domains(self, asked: Parameters) -> Mapping[str, Any]:
        told = [
            {
                "DomainArn": self.place.arn(f"domain/{number}"),
                "DomainId": number,
                "DomainName": name,
                "Status": "InService",
                "CreationTime": self.place.now(),
                "LastModifiedTime": self.place.now(),
                "Url": f"https://{number}.studio.{self.place.region}.sagemaker.aws",
            }
            for number, name in self.domains.items()
        ]
        return page(told, asked, "Domains")

    def _listed(self, things: list[dict[str, Any]], asked: Parameters, member: str) -> Mapping[str, Any]:
        found = [one for one in things if one["DomainId"] == asked.get("DomainIdEquals", one["DomainId"])]
        return page(found, asked, member)

    def _app(self, asked: Parameters) -> dict[str, Any]:
        names = ("DomainId", "UserProfileName", "SpaceName", "AppType", "AppName")
        for app in self.apps:
            if all(app.get(name) == asked.get(name) for name in names):
                return app
        raise absent(f"App {asked['AppName']}", "ResourceNotFound")

    def delete_app(self, asked: Parameters) -> Mapping[str, Any]:
        app = self._app(asked)
        if app["Status"] == "Deleted":
            raise absent(f"App {asked['AppName']}", "ResourceNotFound")
        app["Status"] = "Deleted"  # it is listed for a day more
        return {}

    def _space(self, asked: Parameters) -> dict[str, Any]:
        for space in self.spaces:
            if (space["DomainId"], space["SpaceName"]) == (asked["DomainId"], asked["SpaceName"]):
                return space
        raise absent(f"Space {asked['SpaceName']}", "ResourceNotFound")

    def delete_space(self, asked: Parameters) -> Mapping[str, Any]:
        space = self._space(asked)
        inside = [app for app in self.apps if app.get("SpaceName") == space["SpaceName"]]
        if any(app["Status"] != "Deleted" for app in inside):
            raise refused(f"Space {space['SpaceName']} has apps.", "ResourceInUse")
        self.spaces.remove(space)
        return {}


@dataclass(slots=True)
class Monitors:
    place: Place
    schedules: dict[str, dict[str, Any]] = field(default_factory=dict)
    executions: list[dict[str, Any]] = field(default_factory=list)

    @property
    def answers(self) -> Answers:
        return {"DescribeMonitoringSchedule": self.describe, "ListMonitoringExecutions": self.list}

    def _schedule(self, name: str) -> dict[str, Any]:
        if name not in self.schedules:
            arn = self.place.arn(f"monitoring-schedule/{name}")
            raise absent(f"Monitoring schedule {arn}", "ResourceNotFound")
        return self.schedules[name]

    def describe(self, asked: Parameters) -> Mapping[str, Any]:
        schedule = self._schedule(asked["MonitoringScheduleName"])
        mine = [
            one
            for one in self.executions
            if one["MonitoringScheduleName"] == schedule["MonitoringScheduleName"]
        ]
        return {**schedule, **({"LastMonitoringExecutionSummary": mine[-1]} if mine else {})}

    def list(self, asked: Parameters) -> Mapping[str, Any]:
        name = self._schedule(asked["MonitoringScheduleName"])["MonitoringScheduleName"]
        after = asked.get("ScheduledTimeAfter")
        found = [
            one
            for one in self.executions
            if one["MonitoringScheduleName"] == name
            and (after is None or one["ScheduledTime"].timestamp() > float(after))
        ]
        if asked.get("SortOrder", "Descending") == "Descending":
            found.reverse()
        return page(found, asked, "MonitoringExecutionSummaries")
