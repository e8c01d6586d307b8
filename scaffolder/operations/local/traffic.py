"""The split of an endpoint's traffic: whole percents by deployment, kept to exactly, request by request.

May not know what a deployment is.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["Split"]

WHOLE = 100


class Split:
    """Names deployments in turn, so that of each hundred requests in a row every one gets its percents.

    The turns are smooth: at 80 and 20, every fifth is the second's.
    """

    def __init__(self, percent: Mapping[str, int]) -> None:
        self.percent = {name: share for name, share in percent.items() if share}
        self._owed = dict.fromkeys(self.percent, 0)

    def next(self) -> str | None:
        """Name the deployment of the next request; ``None`` where none takes traffic."""
        if len(self.percent) < 2:
            return next(iter(self.percent), None)
        for name, share in self.percent.items():
            self._owed[name] += share
        chosen = max(self._owed, key=self._owed.__getitem__)
        self._owed[chosen] -= WHOLE
        return chosen
