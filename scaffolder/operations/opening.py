"""From a spec's file and an environment's name to a provider that is ready to be asked.

Reads the spec and what it names, and nothing else: no network, no SDK, no file is written. May not know what a provider
does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from scaffolder.errors import SpecError, UsageError
from scaffolder.operations.adapters import open_provider
from scaffolder.operations.port import Opening, Provider
from scaffolder.pipeline import synthesize_loaded
from scaffolder.pipelines.load import load_definitions
from scaffolder.resolve import resolve
from scaffolder.spec.environments import LOCAL
from scaffolder.spec.load import LoadedSpec, load_spec
from scaffolder.spec.nodes import nearest
from stacks.record import record

if TYPE_CHECKING:
    from stacks.intents import Platform

__all__ = ["Opened", "open_environment", "utc_now"]


def utc_now() -> datetime:
    """Tell the time as this machine has it."""
    return datetime.now(UTC)


@record
class Opened:
    """One environment of a spec, and the provider that runs it."""

    spec: Path
    environment: str
    platform: Platform
    provider: Provider
    opening: Opening


def open_environment(
    spec: str | Path,
    environment: str,
    provider: str | None = None,
    *,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], datetime] = utc_now,
) -> Opened:
    """Open an environment on its cloud, ``local`` on this machine, or any of them on the provider named.

    Raises:
        SpecError: the spec, or what it asks of the environment's cloud, has findings.
        UsageError: there is no such environment or provider.
    """
    path = Path(spec)
    loaded = load_spec(path)
    platform = _local(loaded) if environment == LOCAL else _deployed(loaded, environment)
    opening = Opening(platform=platform, folder=path.absolute().parent, sleep=sleep, now=now)
    name = provider or (LOCAL if environment == LOCAL else platform.target.provider)
    return Opened(
        spec=path,
        environment=environment,
        platform=platform,
        provider=open_provider(name, opening),
        opening=opening,
    )


def _local(loaded: LoadedSpec) -> Platform:
    """The first environment's platform: what only its cloud would refuse, or needs, is no matter here."""
    first = replace(loaded, environments=loaded.environments[:1])
    (environment,) = first.environments
    definitions = load_definitions(first, images_needed=False)
    if any(finding.severity == "error" for finding in definitions.findings):
        raise SpecError(definitions.findings)
    return resolve(
        environment.spec, environment.name, pipelines=definitions.by_environment.get(environment.name, {})
    )


def _deployed(loaded: LoadedSpec, name: str) -> Platform:
    chosen = tuple(each for each in loaded.environments if each.name == name)
    if not chosen:
        names = [LOCAL, *(each.name for each in loaded.environments)]
        hint = nearest(name, names) or f"There are {', '.join(names)}."
        raise UsageError(f'there is no environment "{name}". {hint}')
    # What is deployed is operated, also when a policy has become stricter since: a rollback cannot wait for it.
    synthesis = synthesize_loaded(
        replace(loaded, environments=chosen), schema_of_overrides_only=True, policies=()
    )
    return synthesis.environments[0].platform
