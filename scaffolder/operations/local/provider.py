"""The provider of this machine: its groups, each imported when it is first asked for.

May not read or write anything, nor import what a group needs.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from scaffolder.operations.local.layout import Layout
from scaffolder.operations.local.support import SUPPORT
from scaffolder.operations.port import Opening

if TYPE_CHECKING:
    from scaffolder.operations.local.batch import LocalBatch
    from scaffolder.operations.local.monitoring import LocalMonitoring
    from scaffolder.operations.local.preflight import LocalIdentity, LocalPreflight, NoState
    from scaffolder.operations.local.registry import LocalRegistry
    from scaffolder.operations.local.runs import LocalRuns
    from scaffolder.operations.local.serving import LocalServing
    from scaffolder.operations.local.teardown import LocalTeardown

__all__ = ["LocalProvider"]


class LocalProvider:
    """Operations on this machine. All state is in ``.scaffolder/`` beside the spec."""

    name = "local"
    support = SUPPORT

    def __init__(self, opening: Opening) -> None:
        self.opening = opening
        self.layout = Layout(opening.folder)

    @cached_property
    def identity(self) -> LocalIdentity:
        from scaffolder.operations.local.preflight import LocalIdentity  # noqa: PLC0415

        return LocalIdentity()

    @cached_property
    def preflight(self) -> LocalPreflight:
        from scaffolder.operations.local.preflight import LocalPreflight  # noqa: PLC0415

        return LocalPreflight(self.opening, self.layout)

    @cached_property
    def state(self) -> NoState:
        from scaffolder.operations.local.preflight import NoState  # noqa: PLC0415

        return NoState()

    @cached_property
    def runs(self) -> LocalRuns:
        from scaffolder.operations.local.runs import LocalRuns  # noqa: PLC0415

        return LocalRuns(self.opening, self.layout)

    @cached_property
    def registry(self) -> LocalRegistry:
        from scaffolder.operations.local.registry import LocalRegistry  # noqa: PLC0415

        return LocalRegistry(self.opening, self.layout)

    @cached_property
    def serving(self) -> LocalServing:
        from scaffolder.operations.local.serving import LocalServing  # noqa: PLC0415

        return LocalServing(self.opening, self.layout)

    @cached_property
    def batch(self) -> LocalBatch:
        from scaffolder.operations.local.batch import LocalBatch  # noqa: PLC0415

        return LocalBatch(self.opening, self.layout)

    @cached_property
    def monitoring(self) -> LocalMonitoring:
        from scaffolder.operations.local.monitoring import LocalMonitoring  # noqa: PLC0415

        return LocalMonitoring(self.opening, self.layout, self.runs)

    @cached_property
    def teardown(self) -> LocalTeardown:
        from scaffolder.operations.local.teardown import LocalTeardown  # noqa: PLC0415

        return LocalTeardown(self)
