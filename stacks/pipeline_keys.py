"""The keys of a pipeline's definition, and how each target of a compiler says what it does with each.

A target lists what it does not carry as it is asked; a test holds every list to what the target's compiler makes. May not
know a target.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from stacks.record import record

__all__ = ["KEYS", "Carried", "Carries", "carries"]

How: TypeAlias = Literal["full", "differs", "ignored", "refused"]

KEYS = (
    "description",
    "parameters",
    "steps.*.kind",
    "steps.*.image",
    "steps.*.code",
    "steps.*.command",
    "steps.*.command, left out",
    "steps.*.environment",
    "steps.*.inputs: STEP.OUTPUT",
    "steps.*.inputs: BUCKET:PATH",
    "steps.*.outputs",
    "steps.*.outputs: BUCKET:PATH",
    "steps.*.instance",
    "steps.*.instances",
    "steps.*.volume_gb",
    "steps.*.timeout",
    "steps.*.spot",
    "steps.*.cache",
    "steps.*.retries",
    "steps.*.after",
    "steps.*.when.metric",
    "steps.*.when.at_least",
    "steps.*.when.at_most",
    "steps.*.when.otherwise",
    "steps.*.register.model",
    "steps.*.register.artifact",
    "steps.*.register.image",
    "steps.*.register.content_type",
    "steps.*.register.metrics",
)
"""As the vocabulary names them; some do two things, by what is written there. The top's image and code are the steps'."""


@record
class Carried:
    """What a target does with a key; the reason is empty where it does what is asked."""

    how: How
    reason: str = ""


Carries: TypeAlias = Mapping[str, Carried]


def carries(
    *,
    differs: Mapping[str, str] | None = None,
    ignored: Mapping[str, str] | None = None,
    refused: Mapping[str, str] | None = None,
) -> Carries:
    """Write a target's list: what differs, changes nothing or is refused, and why; everything else is full.

    Raises:
        KeyError: there is no such key.
    """
    found = dict.fromkeys(KEYS, Carried(how="full"))
    lists: tuple[tuple[How, Mapping[str, str]], ...] = (
        ("differs", differs or {}),
        ("ignored", ignored or {}),
        ("refused", refused or {}),
    )
    for how, reasons in lists:
        for key, reason in reasons.items():
            if key not in found:
                raise KeyError(key)
            found[key] = Carried(how=how, reason=reason)
    return found
