"""What each cloud says of its resources' arguments: which protect data, how long data is kept, and where it is.

The records of the tables that lie beside each lowering (``stacks/<cloud>/losses.py``). May not know a cloud or a type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stacks.record import record

__all__ = ["Expiry", "Losses"]


@record
class Expiry:
    """An argument after whose number data goes; a number may be written as seconds (``604800s``).

    ``parent`` names the argument that refers to what holds the data. Zero keeps everything where ``zero_keeps``.
    ``deletes`` is an argument of a rule on the way there: one that has another value deletes nothing. ``sleeps`` is
    the same the other way round: a rule with this value is turned off.
    """

    path: tuple[str, ...]
    loses: str
    parent: str = ""
    zero_keeps: bool = False
    deletes: tuple[tuple[str, ...], str] | None = None
    sleeps: tuple[tuple[str, ...], str | bool] | None = None


@record
class Losses:
    """A cloud's tables. Names alone are of any type's argument; paths go down through blocks.

    ``guards`` protect when true; ``hazards`` when not; ``windows`` by their number (days, or seconds), ``states`` and
    ``policies`` by their value. ``places`` are the arguments of a provider that say where its resources are.
    """

    guards: frozenset[str]
    hazards: frozenset[str]
    policies: Mapping[str, str]
    windows: Sequence[str | tuple[str, ...]]
    states: Mapping[tuple[str, tuple[str, ...]], str | bool]
    places: frozenset[str]
    expiries: Mapping[str, tuple[Expiry, ...]]
