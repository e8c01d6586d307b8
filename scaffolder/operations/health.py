"""What is watched while traffic moves to a new version: the endpoint, the requests that it fails, and new alarms.

Asks a provider and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from scaffolder.operations.errors import OperationError
from scaffolder.operations.port import Provider
from scaffolder.operations.rollout import Sample, endpoint_is_sound
from scaffolder.operations.values import Capability, EndpointStatus
from stacks.intents import OnlineEndpoint, SupportLevel

__all__ = ["Watch", "can"]

PROBES = 5
"""Requests in each look: few, since they are captured with all others, and monitors look at them."""


def can(provider: Provider, capability: Capability) -> bool:
    """Whether a provider does something, whole or in part."""
    return provider.support[capability].level in {SupportLevel.FULL, SupportLevel.PARTIAL}


class Watch:
    """The health of one deployment behind an endpoint. An alarm that was there before is not held against it.

    With a ``sample``, each look asks five times, the deployment itself where the provider can; the spec's
    ``max_error_percent`` is how many of all of them may fail.
    """

    def __init__(
        self,
        provider: Provider,
        endpoint: OnlineEndpoint,
        deployment: str,
        sample: Sample | None,
    ) -> None:
        self._provider = provider
        self._endpoint = endpoint
        self._deployment = deployment
        self._sample = sample
        self._state = endpoint_is_sound(deployment)
        self._asked = 0
        self._failed = 0
        self._before = self._alarms()

    def __call__(self, status: EndpointStatus) -> str:
        checks: tuple[Callable[[], str], ...] = (lambda: self._state(status), self._errors, self._new_alarm)
        return next((wrong for check in checks if (wrong := check())), "")

    def _errors(self) -> str:
        if self._sample is None:
            return ""
        last = ""
        for _ in range(PROBES):
            self._asked += 1
            try:
                self._ask(self._sample)
            except OperationError as error:
                self._failed += 1
                last = str(error)
        percent = 100 * self._failed / self._asked
        if percent <= self._endpoint.max_error_percent:
            return ""
        allowed = f"at most {self._endpoint.max_error_percent:g} % may"
        return f"{self._failed} of {self._asked} requests failed ({allowed}); the last one: {last}"

    def _ask(self, sample: Sample) -> None:
        deployment = self._deployment if can(self._provider, Capability.TARGETED_INVOKE) else None
        self._provider.serving.invoke(
            self._endpoint.name, sample.body, content_type=sample.content_type, deployment=deployment
        )

    def _new_alarm(self) -> str:
        new = sorted(self._alarms() - self._before)
        return f"the monitor {new[0]} raised an alarm" if new else ""

    def _alarms(self) -> set[str]:
        """The endpoint's monitors that raise an alarm; what cannot be asked raises none."""
        found: set[str] = set()
        if can(self._provider, Capability.MONITORS):
            with suppress(OperationError):
                found |= {
                    one.name
                    for one in self._provider.monitoring.list()
                    if one.alarm and one.endpoint == self._endpoint.name
                }
        return found
