"""What makes a name legal, and how one that is too long is cut: readable, distinct, and the same every time.

May not know a cloud: each has its own rules, with their sources.
"""

from __future__ import annotations

import re
from hashlib import sha256

from stacks.record import record

__all__ = ["NameRule", "fitted"]

_HASH_CHARACTERS = 8


@record
class NameRule:
    """How a kind of name must look: at most ``longest`` characters, all of it matching ``pattern``.

    ``joint`` stands before the hash of a name that was cut; empty where the kind takes no hyphen.
    """

    longest: int
    pattern: str
    source: str
    joint: str = "-"

    def allows(self, name: str) -> bool:
        """Whether a name keeps the rule."""
        return len(name) <= self.longest and re.fullmatch(self.pattern, name) is not None


def fitted(kind: str, rule: NameRule, name: str) -> str:
    """Return ``name``, cut to the rule's limit with a hash of the whole so that distinct names stay distinct.

    Raises:
        ValueError: even so it is not legal; a bug in the lowering that made it.
    """
    if len(name) > rule.longest:
        digest = sha256(name.encode()).hexdigest()[:_HASH_CHARACTERS]
        room = rule.longest - _HASH_CHARACTERS - len(rule.joint)
        name = f"{name[:room].rstrip('-./_')}{rule.joint}{digest}"
    if not rule.allows(name):
        raise ValueError(f"{name!r} is not a legal {kind} name: {rule.pattern} ({rule.source})")
    return name
