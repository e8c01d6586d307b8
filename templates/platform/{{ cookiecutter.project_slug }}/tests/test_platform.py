"""The spec is valid and becomes the stacks that this project deploys; needs no account, no Terraform and no Node."""

from pathlib import Path

from scaffolder.pipeline import synthesize

SPEC = Path(__file__).parent.parent / "platform.yaml"
FOUNDATION = {"state", "security", "network", "storage", "registry", "identity"}
LEARNING = {"workspace", "ml", "monitoring"}


def test_each_environment_has_every_stack() -> None:
    for environment in synthesize(SPEC).environments:
        assert {linked.stack.concern for linked in environment.stacks} >= FOUNDATION | LEARNING


def test_each_environment_trains() -> None:
    for environment in synthesize(SPEC).environments:
        made = {str(node.address) for linked in environment.stacks for node in linked.nodes}
        assert "aws_sagemaker_pipeline.train" in made


def test_the_spec_gives_no_warnings() -> None:
    assert [str(warning) for warning in synthesize(SPEC).warnings] == []


def test_production_keeps_its_data() -> None:
    (production,) = synthesize(SPEC, ["prod"]).environments
    assert production.platform.deletion_protection
    holders = [node for linked in production.stacks for node in linked.nodes if node.address.type == "aws_s3_bucket"]
    assert holders
    assert all(node.lifecycle.prevent_destroy for node in holders)
