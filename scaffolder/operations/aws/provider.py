"""AWS as a provider of operations: its groups, and what it can and cannot do.

May not call AWS when it is made.
"""

from __future__ import annotations

from scaffolder.operations.aws.account import Account, Wire
from scaffolder.operations.aws.batch import Transforms
from scaffolder.operations.aws.hosting import Hosting
from scaffolder.operations.aws.monitoring import Monitors
from scaffolder.operations.aws.preflight import Doctor
from scaffolder.operations.aws.registry import Packages
from scaffolder.operations.aws.runs import Pipelines
from scaffolder.operations.aws.serving import Endpoints
from scaffolder.operations.aws.state import State
from scaffolder.operations.aws.support import SUPPORT
from scaffolder.operations.aws.surroundings import Surroundings
from scaffolder.operations.aws.teardown import Leftovers
from scaffolder.operations.port import Opening
from scaffolder.operations.values import Principal

__all__ = ["Aws"]


class _Identity:
    def __init__(self, account: Account) -> None:
        self._account = account

    def whoami(self) -> Principal:
        return self._account.whoami()


class Aws:
    """All groups, in one account and region."""

    name = "aws"
    support = SUPPORT

    def __init__(self, opening: Opening, wire: Wire | None = None) -> None:
        account = Account(opening, wire)
        around = Surroundings(account)
        hosting = Hosting(around)
        self.identity = _Identity(account)
        self.state = State(around)
        self.preflight = Doctor(around, self.state)
        self.runs = Pipelines(around)
        self.registry = Packages(around)
        self.serving = Endpoints(around, hosting, self.registry)
        self.batch = Transforms(around, hosting, self.registry)
        self.monitoring = Monitors(around)
        self.teardown = Leftovers(around, hosting)
