"""The spec is valid and becomes the stacks that this project deploys; needs no account, no Terraform and no Node."""

from pathlib import Path

from scaffolder.pipeline import synthesize

SPEC = Path(__file__).parent.parent / "platform.yaml"
FOUNDATION = {"state", "security", "network", "storage", "registry", "identity"}
LEARNING = {{ '{"ml", "monitoring"}' if cookiecutter.provider == "gcp" else '{"workspace", "ml", "monitoring"}' }}


def test_each_environment_has_every_stack() -> None:
    for environment in synthesize(SPEC).environments:
        assert {linked.stack.concern for linked in environment.stacks} >= FOUNDATION | LEARNING


def test_each_environment_trains() -> None:
    for environment in synthesize(SPEC).environments:
        made = {str(node.address) for linked in environment.stacks for node in linked.nodes}
        assert "{{ {"aws": "aws_sagemaker_pipeline.train", "gcp": "google_colab_schedule.train", "azure": "azurerm_machine_learning_compute_cluster.cpu-medium"}[cookiecutter.provider] }}" in made


def test_the_spec_gives_no_warnings() -> None:
{%- if cookiecutter.provider == "azure" and cookiecutter.ci in ["gitlab", "jenkins"] %}
    # Azure compares whole subjects: jobs of other branches get no identity, and ci/README.md says what that means.
    assert [str(warning) for warning in synthesize(SPEC).warnings if warning.code != "ci-branches"] == []
{%- else %}
    assert [str(warning) for warning in synthesize(SPEC).warnings] == []
{%- endif %}


def test_production_keeps_its_data() -> None:
    (production,) = synthesize(SPEC, ["prod"]).environments
    assert production.platform.deletion_protection
{%- if cookiecutter.provider == "aws" %}
    holders = [node for linked in production.stacks for node in linked.nodes if node.address.type == "aws_s3_bucket"]
{%- else %}
    holders = [
        node for linked in production.stacks for node in linked.nodes if node.address.type == "{{ {"gcp": "google_storage_bucket", "azure": "azurerm_storage_account"}[cookiecutter.provider] }}"
    ]
{%- endif %}
    assert holders
    assert all(node.lifecycle.prevent_destroy for node in holders)
