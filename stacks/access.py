"""Who may do what on a platform, as its graph says it: roles, policies of resources, and ceilings over roles.

Neutral result types of the lowering port's ``access``. May not know a cloud's resource types or how it writes a policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from stacks.record import record

__all__ = ["Access", "Ceiling", "Condition", "Effect", "Grant", "Guarded", "Name", "Role"]

Effect: TypeAlias = Literal["Allow", "Deny", "Unreadable"]


@dataclass(frozen=True, slots=True)
class Name:
    """A resource, a principal or a condition's value. ``short`` leaves out what is the same all over the platform.

    What only the cloud knows stands in angle brackets: ``<bucket data>/models/*``.
    """

    full: str
    short: str


@dataclass(frozen=True, slots=True)
class Condition:
    """``key`` compared by ``test`` with any of ``values``."""

    test: str
    key: str
    values: tuple[Name, ...]


@record
class Grant:
    """One statement of a policy. ``policy`` names the policy; the ``not_`` fields say "all but these".

    The effect is ``Unreadable`` when an override put something there that is no policy.
    """

    policy: str
    sid: str
    effect: Effect
    principals: tuple[Name, ...] = ()
    not_principals: tuple[Name, ...] = ()
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[Name, ...] = ()
    not_resources: tuple[Name, ...] = ()
    conditions: tuple[Condition, ...] = ()


@record
class Role:
    """An identity of the platform: who may take it on (``trust``), and what it may do then (``grants``).

    ``key`` is its name in the graph, ``name`` the cloud's. ``ceiling`` names what caps it, or is empty. ``elsewhere``
    names policies attached to it whose text is not in the graph.
    """

    key: str
    name: str
    address: str
    stack: str
    origin: str
    trust: tuple[Grant, ...]
    grants: tuple[Grant, ...]
    ceiling: str = ""
    elsewhere: tuple[str, ...] = ()


@record
class Guarded:
    """A resource with a policy of its own: a bucket, a key, a topic, a network endpoint."""

    what: str
    address: str
    stack: str
    origin: str
    grants: tuple[Grant, ...]


@record
class Ceiling:
    """A policy that caps roles and grants nothing by itself."""

    what: str
    address: str
    stack: str
    origin: str
    grants: tuple[Grant, ...]


@record
class Access:
    """Everything of one environment, in the order of the graph."""

    roles: tuple[Role, ...]
    guarded: tuple[Guarded, ...]
    ceilings: tuple[Ceiling, ...]
