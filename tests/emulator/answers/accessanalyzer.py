"""IAM Access Analyzer: analyzers and their tags. moto 5.2.5 has no such service. May not analyze anything."""

from __future__ import annotations

from tests.emulator.call import Service
from tests.emulator.entity import Entity, Store
from tests.emulator.tags import Tags

__all__ = ["service"]

_ANALYZER = Entity(
    noun="Analyzer",
    key=("analyzerName",),
    arn="arn:aws:access-analyzer:{region}:{account}:analyzer/{analyzerName}",
    arn_member="arn",
    listed="analyzers",
    wrapped="analyzer",
    defaults={"status": "ACTIVE"},
    renamed={"analyzerName": "name"},
    timestamps=("createdAt",),
)


def service() -> Service:
    """Access Analyzer without an analyzer."""
    tags = Tags()
    return Service(name="accessanalyzer", answers={**Store(_ANALYZER, tags).answers(), **tags.answers()})
