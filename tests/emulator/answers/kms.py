"""KMS: the rotation period. moto 5.2.5 switches rotation on and off, but forgets how often it happens."""

from __future__ import annotations

from tests.emulator.call import Call, Result, Service

__all__ = ["service"]

_DEFAULT_PERIOD_IN_DAYS = 365
"""EnableKeyRotation, RotationPeriodInDays (AWS KMS API reference, 2025-06)."""


class _RotationPeriods:
    def __init__(self) -> None:
        self._days: dict[tuple[str, str, str], int] = {}

    def enable(self, call: Call, result: Result) -> Result:
        days = call.parameters.get("RotationPeriodInDays")
        self._days[self._key(call)] = days if isinstance(days, int) else _DEFAULT_PERIOD_IN_DAYS
        return result

    def status(self, call: Call, result: Result) -> Result:
        if not result.get("KeyRotationEnabled"):
            return result
        days = self._days.get(self._key(call), _DEFAULT_PERIOD_IN_DAYS)
        return {**result, "RotationPeriodInDays": days}

    @staticmethod
    def _key(call: Call) -> tuple[str, str, str]:
        return call.account, call.region, call.text("KeyId").rpartition("key/")[2]


def service() -> Service:
    """KMS with every key at the default period."""
    periods = _RotationPeriods()
    return Service(
        name="kms", amendments={"EnableKeyRotation": periods.enable, "GetKeyRotationStatus": periods.status}
    )
