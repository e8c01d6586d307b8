"""Security Hub: the hub's settings. moto 5.2.5 has the hub, but not the call that changes it."""

from __future__ import annotations

from tests.emulator.call import Call, Result, Service

__all__ = ["service"]

_SETTINGS = ("AutoEnableControls", "ControlFindingGenerator")


class _HubSettings:
    def __init__(self) -> None:
        self._changed: dict[tuple[str, str], dict[str, object]] = {}

    def update(self, call: Call) -> Result:
        given = {name: call.parameters[name] for name in _SETTINGS if name in call.parameters}
        self._changed.setdefault((call.account, call.region), {}).update(given)
        return {}

    def describe(self, call: Call, result: Result) -> Result:
        return {**result, **self._changed.get((call.account, call.region), {})}

    def forget(self, call: Call, result: Result) -> Result:
        self._changed.pop((call.account, call.region), None)
        return result


def service() -> Service:
    """Security Hub with its settings as moto makes them."""
    settings = _HubSettings()
    return Service(
        name="securityhub",
        answers={"UpdateSecurityHubConfiguration": settings.update},
        amendments={"DescribeHub": settings.describe, "DisableSecurityHub": settings.forget},
    )
