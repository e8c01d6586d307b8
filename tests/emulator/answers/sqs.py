"""SQS: who may use a queue as a dead-letter queue, which moto 5.2.5 accepts and forgets."""

from __future__ import annotations

from collections.abc import Mapping

from tests.emulator.call import Call, Result, Service

__all__ = ["service"]

_FORGOTTEN = "RedriveAllowPolicy"


class _Policies:
    def __init__(self) -> None:
        self._policies: dict[tuple[str, str, str], object] = {}

    def created(self, call: Call, result: Result) -> Result:
        self._policies.pop(self._key(call), None)
        return self.changed(call, result)

    def changed(self, call: Call, result: Result) -> Result:
        given = call.mapping("Attributes")
        if given.get(_FORGOTTEN):
            self._policies[self._key(call)] = given[_FORGOTTEN]
        elif _FORGOTTEN in given:
            self._policies.pop(self._key(call), None)
        return result

    def told(self, call: Call, result: Result) -> Result:
        policy = self._policies.get(self._key(call))
        told = result.get("Attributes", {})
        if policy is None or not isinstance(told, Mapping) or not _is_wanted(call):
            return result
        return {**result, "Attributes": {**told, _FORGOTTEN: policy}}

    @staticmethod
    def _key(call: Call) -> tuple[str, str, str]:
        name = call.text("QueueName") or call.text("QueueUrl").rpartition("/")[2]
        return call.account, call.region, name


def service() -> Service:
    """SQS; the queues are moto's."""
    policies = _Policies()
    return Service(
        name="sqs",
        amendments={
            "CreateQueue": policies.created,
            "SetQueueAttributes": policies.changed,
            "GetQueueAttributes": policies.told,
        },
    )


def _is_wanted(call: Call) -> bool:
    return bool({"All", _FORGOTTEN} & set(map(str, call.listed("AttributeNames"))))
