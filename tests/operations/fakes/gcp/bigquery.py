"""BigQuery, as far as somebody reads the requests of an endpoint: one kind of query, done a little later, in pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.operations.fakes.gcp.cloud import Cloud, Part, Refused
from tests.operations.fakes.gcp.discovery import Called

__all__ = ["BigQuery"]

PAGE = 25
"""Few to a page, so that whoever reads only the first is found out."""
QUERY = re.compile(
    r"SELECT (?P<columns>[a-z_, ]+) FROM `(?P<table>[^`]+)` WHERE logging_time >= @start AND logging_time < @end"
)
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\+00:00")
FIELDS = ("request_id", "logging_time", "request_payload", "response_payload")


class BigQuery(Part):
    """Tables of logged requests, by ``project.dataset.table``; rows are by the names of their columns."""

    METHODS: Mapping[str, str] = {
        "bigquery.jobs.query": "query",
        "bigquery.jobs.getQueryResults": "results",
    }

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.tables: dict[str, list[dict[str, Any]]] = {}
        self.jobs: dict[str, list[dict[str, Any]]] = {}

    def query(self, called: Called) -> Any:
        if called.path[0] != self.cloud.project:
            raise Refused(403, "PERMISSION_DENIED", f"Access Denied: Project {called.path[0]}")
        asked = called.body
        found = QUERY.fullmatch(asked["query"])
        if found is None or asked.get("useLegacySql") is not False or asked.get("parameterMode") != "NAMED":
            raise Refused(400, "INVALID_ARGUMENT", f"Syntax error: {asked['query']}")
        if set(found["columns"].split(", ")) - {*FIELDS}:
            raise Refused(400, "INVALID_ARGUMENT", f"Unrecognized name: {found['columns']}")
        if found["table"] not in self.tables:
            raise Refused(404, "NOT_FOUND", f"Not found: Table {found['table']}")
        start, end = (_moment(asked, name) for name in ("start", "end"))
        name = f"job_{self.cloud.fresh()}"
        self.jobs[name] = [
            _row(row, found["columns"].split(", "))
            for row in self.tables[found["table"]]
            if start <= row["logging_time"] < end
        ]
        return {"kind": "bigquery#queryResponse", "jobReference": self._reference(name), "jobComplete": False}

    def _reference(self, name: str) -> dict[str, str]:
        return {"projectId": self.cloud.project, "jobId": name, "location": self.cloud.region}

    def results(self, called: Called) -> Any:
        name = called.path[1]
        if name not in self.jobs or called.query.get("location") != self.cloud.region:
            raise Refused(404, "NOT_FOUND", f"Not found: Job {self.cloud.project}:{name}")
        if called.query.get("formatOptions.useInt64Timestamp") != "true":
            raise AssertionError("the fake writes times as whole microseconds only")
        start = int(called.query.get("pageToken", "0"))
        rows = self.jobs[name][start : start + PAGE]
        more = {"pageToken": str(start + PAGE)} if start + PAGE < len(self.jobs[name]) else {}
        return {
            "kind": "bigquery#getQueryResultsResponse",
            "jobReference": self._reference(name),
            "jobComplete": True,
            "totalRows": str(len(self.jobs[name])),
            **({"rows": rows} if rows else {}),
            **more,
        }


def _moment(asked: Mapping[str, Any], name: str) -> datetime:
    given = next(it for it in asked["queryParameters"] if it["name"] == name)
    text = given["parameterValue"]["value"]
    if given["parameterType"] != {"type": "TIMESTAMP"} or not TIMESTAMP.fullmatch(text):
        raise Refused(400, "INVALID_ARGUMENT", f"Invalid value for type TIMESTAMP: {text}")
    return datetime.fromisoformat(text)


def _row(row: Mapping[str, Any], columns: list[str]) -> dict[str, Any]:
    return {"f": [{"v": _value(row[column])} for column in columns]}


def _value(value: Any) -> Any:
    if isinstance(value, list):
        return [{"v": item} for item in value]
    return str(int(value.timestamp() * 1_000_000)) if isinstance(value, datetime) else value
