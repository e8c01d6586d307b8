"""SageMaker: what moto 5.2.5 lacks (Studio, tracking servers, schedules), forgets, or accepts though AWS refuses.

Models, endpoints, pipelines, the registry and job definitions stay moto's. May not run a job or a model.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.emulator.answers.sagemaker.endpoints import part as endpoints
from tests.emulator.answers.sagemaker.features import part as features
from tests.emulator.answers.sagemaker.monitoring import part as monitoring
from tests.emulator.answers.sagemaker.notebooks import part as notebooks
from tests.emulator.answers.sagemaker.pipelines import part as pipelines
from tests.emulator.answers.sagemaker.registry import part as registry
from tests.emulator.answers.sagemaker.studio import part as studio
from tests.emulator.answers.sagemaker.tagging import sagemaker_tags, tag_answers
from tests.emulator.answers.sagemaker.tracking import part as tracking
from tests.emulator.call import Amendment, Answer, Service
from tests.emulator.tags import Tags

__all__ = ["service"]

_PARTS: tuple[Callable[[Tags], Service], ...] = (
    endpoints,
    features,
    monitoring,
    notebooks,
    pipelines,
    registry,
    studio,
    tracking,
)


def service() -> Service:
    """SageMaker with nothing in it."""
    tags = sagemaker_tags()
    answers: dict[str, Answer] = dict(tag_answers(tags))
    amendments: dict[str, Amendment] = {}
    for part in _PARTS:
        made = part(tags)
        answers |= made.answers
        amendments |= made.amendments
    return Service(name="sagemaker", answers=answers, amendments=amendments)
