"""Versions as MLflow's database has them, read without MLflow: a command that only looks takes no seconds for an import.

Knows four tables of MLflow 3's schema and the tags that the registry writes; where a table is another one it says so, and
MLflow is asked instead. May not write.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from scaffolder.operations.errors import Unavailable
from scaffolder.operations.values import Approval, ModelVersion, Stage

__all__ = ["EXCLUSIVE", "TAG", "read_versions", "version_of", "whole"]

TAG = "scaffolder."
EXCLUSIVE = (Stage.PRODUCTION, Stage.STAGING)
DELETED = "Deleted_Internal"
WAIT_S = 20.0

_VERSIONS = """
select version, source, creation_time from model_versions
where name = ? and coalesce(current_stage, '') != ? order by version desc
"""
_TAGS = "select version, key, value from model_version_tags where name = ?"
_ALIASES = "select alias, version from registered_model_aliases where name = ?"


def read_versions(database: Path, model: str) -> list[ModelVersion] | None:
    """Read a model's versions, the newest first; ``None`` where the schema is not the one that is known.

    Raises:
        Unavailable: the database is damaged.
    """
    try:
        with whole(database), closing(sqlite3.connect(database, timeout=WAIT_S)) as connection:
            connection.execute("begin")  # one state of all three tables
            versions = connection.execute(_VERSIONS, (model, DELETED)).fetchall()
            holders = {str(alias): int(version) for alias, version in connection.execute(_ALIASES, (model,))}
            tags: dict[int, dict[str, str]] = {}
            for version, key, value in connection.execute(_TAGS, (model,)):
                tags.setdefault(int(version), {})[str(key)] = str(value)
    except sqlite3.OperationalError:
        return None
    return [
        version_of(model, int(version), str(source), int(created), tags.get(int(version), {}), holders)
        for version, source, created in versions
    ]


@contextmanager
def whole(database: Path) -> Iterator[None]:
    """Around what reads or writes the database.

    Raises:
        Unavailable: it is damaged, or no database.
    """
    try:
        yield
    except sqlite3.OperationalError:  # a lock, a table, a disk: not what this is about
        raise
    except sqlite3.DatabaseError as damage:
        raise Unavailable(
            f"the registry's database {database} is damaged: {damage}",
            remedy="Bring a copy of it back. The files of its versions are beside it, below files/.",
        ) from damage


def version_of(
    model: str,
    version: int,
    source: str,
    created_ms: int,
    all_tags: Mapping[str, str],
    holders: Mapping[str, int],
) -> ModelVersion:
    """Make a version of what MLflow has; ``holders`` are the versions by alias."""
    tags = dict(_ours(all_tags))
    return ModelVersion(
        ref=f"{model}/{version}",
        model=model,
        version=version,
        approval=Approval(tags.get("approval", Approval.PENDING)),
        stage=_stage(tags.get("stage", Stage.NONE), version, holders),
        created=_created(tags, created_ms),
        artifact_uri=source,
        image=tags.get("image", ""),
        metrics=json.loads(tags.get("metrics", "{}")),
        report_uri=tags.get("report_uri", ""),
        run=tags.get("run", ""),
        source_commit=tags.get("source_commit", ""),
        data_uri=tags.get("data_uri", ""),
        digest=tags.get("digest", ""),
    )


def _ours(tags: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in tags.items():
        if name.startswith(TAG):
            yield name.removeprefix(TAG), value


def _stage(tagged: str, version: int, holders: Mapping[str, int]) -> Stage:
    """The alias says who holds an exclusive stage; who is tagged with one and has no alias was moved out of it."""
    for stage in EXCLUSIVE:
        if holders.get(stage) == version:
            return stage
    return Stage.ARCHIVED if tagged in EXCLUSIVE else Stage(tagged)


def _created(tags: Mapping[str, str], stamp_ms: int) -> datetime:
    if "created" in tags:
        return datetime.fromisoformat(tags["created"])
    return datetime.fromtimestamp(stamp_ms / 1000, UTC)
