"""What is sent for a pipeline job is what azure-ai-ml itself sends for the same document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from scaffolder.operations.azure.jobs import submission
from scaffolder.pipeline import synthesize
from stacks.azure.assets import workspace_id
from stacks.azure.context import Context
from stacks.azure.pipelines import compiled
from stacks.intents import TrainingPipeline

EXAMPLES = Path(__file__).parents[3] / "examples"
pytestmark = [
    pytest.mark.filterwarnings("ignore::marshmallow.warnings.RemovedInMarshmallow4Warning"),
    pytest.mark.filterwarnings("ignore::marshmallow.warnings.ChangedInMarshmallow4Warning"),
]


def _plain(node: dict[str, Any]) -> dict[str, Any]:
    """Without what only a workspace resolves, or only says who wrote it; a duration in one form."""
    found = {key: value for key, value in node.items() if key not in {"componentId", "computeId", "_source"}}
    return {
        "inputs": {},
        "outputs": {},
        **found,
        "limits": found.get("limits", {}).get("job_limits_type", ""),
    }


@pytest.mark.parametrize("example", ["08-full-azure", "05-gpu-training-aws"])
def test_the_vendors_client_writes_the_same_job(example: str, tmp_path: Path) -> None:
    from azure.ai.ml import load_job  # noqa: PLC0415 - it takes two seconds

    context = Context(synthesize(EXAMPLES / example / "platform.yaml").environments[0].platform)
    intent = next(context.all_of(TrainingPipeline))
    assert intent.steps is not None
    document = compiled(intent, intent.steps, context)
    file = tmp_path / "job.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    theirs = load_job(file)._to_rest_object().as_dict()["properties"]  # noqa: SLF001 - what it sends
    ours = submission(document, workspace_id(context), {}, {}).job["properties"]
    assert {name: _plain(node) for name, node in ours["jobs"].items()} == {
        name: _plain(node) for name, node in theirs["jobs"].items()
    }
    for key in ("jobType", "displayName", "experimentName", "inputs", "tags"):
        assert ours[key] == theirs[key], key


def test_a_component_is_named_by_what_is_in_it() -> None:
    context = Context(synthesize(EXAMPLES / "08-full-azure/platform.yaml").environments[0].platform)
    intent = next(context.all_of(TrainingPipeline))
    assert intent.steps is not None
    one, two = (
        {it.path for it in submission(compiled(intent, intent.steps, context, values), "/w", {}, {}).assets}
        for values in ({}, {"max_depth": 9})
    )
    assert one == two
    paths = [path for path in one if "/components/" in path]
    assert len(paths) == len(intent.steps.steps)
