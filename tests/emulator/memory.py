"""Keeps what Create calls carried, where moto serves a kind of thing but forgets or invents some of it.

May not answer a call: it amends what moto answers.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.emulator.call import Amendment, Call, Result

__all__ = ["Memory"]


class Memory:
    """The parameters of the living things of one kind.

    Of `members`, a thing is told exactly what its last Create or Update carried: what moto forgot comes back,
    what it invented goes.
    """

    def __init__(
        self,
        noun: str,
        name_member: str,
        members: tuple[str, ...],
        defaults: Mapping[str, object] | None = None,
    ) -> None:
        self._noun = noun
        self._name_member = name_member
        self._members = members
        self._defaults = defaults or {}
        self._kept: dict[tuple[str, str, str], dict[str, object]] = {}

    def of(self, call: Call, name: str) -> Mapping[str, object]:
        """What is kept of a thing in the account and region of a call; empty where there is none."""
        return self._kept.get((call.account, call.region, name), {})

    def replace(self, call: Call) -> None:
        """Keep what a call carries instead of what was kept."""
        self._kept[self._key(call)] = self._given(call)

    def amendments(self) -> dict[str, Amendment]:
        return {
            f"Create{self._noun}": self._remember,
            f"Update{self._noun}": self._change,
            f"Describe{self._noun}": self._recall,
            f"Delete{self._noun}": self._forget,
        }

    def _remember(self, call: Call, result: Result) -> Result:
        self.replace(call)
        return result

    def _change(self, call: Call, result: Result) -> Result:
        self._kept.setdefault(self._key(call), {}).update(self._given(call))
        return result

    def _recall(self, call: Call, result: Result) -> Result:
        if self._key(call) not in self._kept:
            return result
        others = {member: value for member, value in result.items() if member not in self._members}
        return {**others, **self._defaults, **self._kept[self._key(call)]}

    def _forget(self, call: Call, result: Result) -> Result:
        self._kept.pop(self._key(call), None)
        return result

    def _given(self, call: Call) -> dict[str, object]:
        return {m: call.parameters[m] for m in self._members if call.parameters.get(m) is not None}

    def _key(self, call: Call) -> tuple[str, str, str]:
        return call.account, call.region, call.text(self._name_member)
