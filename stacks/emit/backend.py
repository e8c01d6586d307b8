"""Where state is: a stack's own backend, and the backends of the stacks that it reads.

Knows no syntax. A local backend without a path gets the one at which CDKTF puts it: ``terraform.<stack>.tfstate``
beside the output folder, seen from ``<output folder>/stacks/<stack>``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from stacks.emit.expressions import remote_name
from stacks.graph import Backend, GraphError, LinkedStack
from stacks.record import record

__all__ = ["StateRead", "located", "state_reads"]


@record
class StateRead:
    """A data source that reads another stack's state; ``name`` is its name in Terraform."""

    stack: str
    name: str
    backend: Backend


def located(backend: Backend, stack: str) -> Backend:
    """Give a local backend its path, and leave every other one as it is."""
    if backend.kind != "local" or "path" in backend.config:
        return backend
    return replace(backend, config={**backend.config, "path": f"../../../terraform.{stack}.tfstate"})


def state_reads(linked: LinkedStack) -> Iterator[StateRead]:
    """List the states that a stack reads, sorted by stack.

    Raises:
        GraphError: two stacks whose names differ only in what Terraform's names cannot hold.
    """
    taken: dict[str, str] = {}
    for stack in sorted(linked.reads):
        name = remote_name(stack)
        if (other := taken.setdefault(name, stack)) != stack:
            raise GraphError(
                f"stack {linked.stack.name} reads {other} and {stack}, whose names are too alike"
            )
        yield StateRead(stack=stack, name=name, backend=located(linked.reads[stack], stack))
