"""Azure's own reader of pipeline jobs takes what the compiler writes, of every example and of definitions that are drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from scaffolder.pipeline import synthesize
from stacks.azure.context import Context
from stacks.azure.pipelines import compiled
from stacks.intents import ModelRegistry, TrainingPipeline
from stacks.pipelines import PipelineDefinition
from tests.definitions import definitions
from tests.operations.platforms import platform_in
from tests.unit.stacks_azure.definitions import flaws

EXAMPLES = Path(__file__).parents[3] / "examples"
pytestmark = [
    pytest.mark.filterwarnings("ignore::marshmallow.warnings.RemovedInMarshmallow4Warning"),
    pytest.mark.filterwarnings("ignore::marshmallow.warnings.ChangedInMarshmallow4Warning"),
]
SPECS = sorted(path.parent / "platform.yaml" for path in EXAMPLES.glob("*/pipelines"))


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Context:
    return Context(platform_in("azure", tmp_path_factory.mktemp("project")))


def read(document: dict[str, Any], folder: Path) -> Any:
    """Let azure-ai-ml read the document, as its command line does."""
    from azure.ai.ml import load_job  # noqa: PLC0415 - it takes two seconds

    path = folder / "job.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return load_job(path)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: str(spec.parent.name))
def test_the_vendor_reads_every_example(spec: Path, tmp_path: Path) -> None:
    for environment in synthesize(spec).environments:
        context = Context(environment.platform)
        for intent in context.all_of(TrainingPipeline):
            assert intent.steps is not None
            document = compiled(intent, intent.steps, context)
            assert list(flaws(document)) == []
            job = read(document, tmp_path)
            assert job._validate().passed, job._validate().error_messages  # noqa: SLF001 - what `create` asks first
            assert set(job.jobs) == {step.name.replace("-", "_") for step in intent.steps.steps}


@settings(max_examples=12, deadline=None)
@given(definition=st.deferred(definitions))
def test_the_vendor_reads_what_is_drawn(
    azure: Context, definition: PipelineDefinition, tmp_path_factory: Any
) -> None:
    intent = next(azure.all_of(TrainingPipeline))
    assert list(azure.all_of(ModelRegistry))
    document = compiled(intent, definition, azure)
    job = read(document, tmp_path_factory.mktemp("job"))
    assert job._validate().passed, job._validate().error_messages  # noqa: SLF001 - what `create` asks first
    for name, node in job.jobs.items():
        written = document["jobs"][name]
        assert node.component.command == written["component"]["command"]
        assert set(node.component.inputs) == set(written["component"].get("inputs", {}))
        assert node.component.is_deterministic == written["component"]["is_deterministic"]
        assert node.limits is None or node.limits.timeout == written["limits"]["timeout"]
