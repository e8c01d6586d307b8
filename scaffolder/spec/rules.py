"""Rules over more than one field (interim)."""

from __future__ import annotations

from collections.abc import Mapping

from scaffolder.spec.model import PlatformSpec
from scaffolder.spec.nodes import Report, Tree


def check_environment(spec: PlatformSpec, tree: Tree, report: Report) -> None: ...
def check_environments(environments: Mapping[str, tuple[PlatformSpec, Tree]], report: Report) -> None: ...
