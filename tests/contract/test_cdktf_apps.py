"""A user's CDKTF app around a platform, with either engine: real constructs, real jsii, real Node."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from tests.cdktf_apps import ENGINES, App, run_app

pytestmark = pytest.mark.slow

SETUP = """
from scaffolder.constructs import *
from tests.graphs import *
platform = Platform(app, {graph}())
dev = platform.environment("dev")

def topic(scope, id, **arguments):
    made = TerraformResource(
        scope, id, terraform_resource_type="aws_sns_topic",
        terraform_generator_metadata={{"provider_name": "aws", "provider_version": "5.100.0"}},
    )
    for name, value in arguments.items():
        made.add_override(name, value)
    return made

class AwsProvider(TerraformProvider):
    def __init__(self, scope, id, alias=None, source="aws", **settings):
        super().__init__(
            scope, id, terraform_resource_type="aws", terraform_provider_source=source,
            terraform_generator_metadata={{"provider_name": "aws", "provider_version": "5.100.0"}},
        )
        for name, value in {{**settings, **({{"alias": alias}} if alias else {{}})}}.items():
            self.add_override(name, value)
"""


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return cast(str, request.param)


def run(engine: str, body: str, folder: Path, graph: str = "foundation") -> App:
    return run_app(engine, SETUP.format(graph=graph) + body, folder)


def test_the_users_own_constructs_in_a_stack_are_kept(engine: str, tmp_path: Path) -> None:
    body = """
storage = platform.stacks["churn-dev-storage"]
mine = topic(storage, "mine", name="mine", display_name=dev.storage.outputs(storage).bucket_arns["data"])
TerraformOutput(storage, "mine-arn", value=mine.get_string_attribute("arn"))
TerraformVariable(storage, "colour", type="string", default="red")
TerraformLocal(storage, "shade", "dark")
"""
    document = run(engine, body, tmp_path, "storage_only").document("churn-dev-storage")
    mine = document["resource"]["aws_sns_topic"]["mine"]
    assert (mine["name"], mine["display_name"]) == ("mine", "${aws_s3_bucket.data.arn}")
    assert document["output"]["mine-arn"]["value"] == "${aws_sns_topic.mine.arn}"
    assert document["variable"]["colour"]["default"] == "red"
    assert document["locals"]["shade"] == "dark"
    assert document["resource"]["aws_s3_bucket"]["data"]["lifecycle"] == {"prevent_destroy": True}
    assert [config["region"] for config in document["provider"]["aws"]] == ["eu-west-1"]
    assert document["//"]["outputs"]["churn-dev-storage"] == {
        "bucket_arns": "bucket_arns",
        "bucket_names": "bucket_names",
        "mine-arn": "mine-arn",
    }


ANOTHER = """
other = TerraformStack(app, "mine")
AwsProvider(other, "aws", region="eu-west-1")
network, security = dev.network.outputs(other), dev.security.outputs(other)
topic(other, "one", name=network.network_id, subnets=network.subnet_ids, key=security.data_key_arn)
dev.network.outputs(other)
"""


def test_another_stack_reads_outputs_from_the_state(engine: str, tmp_path: Path) -> None:
    app = run(engine, ANOTHER, tmp_path, "exporting")
    document = app.document("mine")
    state = "data.terraform_remote_state.churn_dev_"
    topic = document["resource"]["aws_sns_topic"]["one"]
    assert topic["name"] == f"${{{state}network.outputs.network_id}}"
    assert topic["subnets"] == [f"${{{state}network.outputs.subnet_ids[{index}]}}" for index in (0, 1)]
    assert topic["key"] == f"${{{state}security.outputs.data_key_arn}}"
    assert document["data"]["terraform_remote_state"] == {
        f"churn_dev_{concern}": {
            "backend": "s3",
            "config": {"bucket": "churn-state", "key": f"dev/{concern}.tfstate", "use_lockfile": True},
        }
        for concern in ("network", "security")
    }
    assert app.manifest()["stacks"]["mine"]["dependencies"] == ["churn-dev-network", "churn-dev-security"]


def test_the_outputs_of_a_stack_are_read_by_key(engine: str, tmp_path: Path) -> None:
    body = """
other = TerraformStack(app, "mine")
TerraformOutput(other, "arn", value=dev.storage.outputs(other).bucket_arns["data"])
"""
    document = run(engine, body, tmp_path, "storage_only").document("mine")
    name = '${data.terraform_remote_state.churn_dev_storage.outputs.bucket_arns["data"]}'
    assert document["output"]["arn"]["value"] == name
    assert document["data"]["terraform_remote_state"]["churn_dev_storage"] == {
        "backend": "local",
        "config": {"path": "../../../terraform.churn-dev-storage.tfstate"},
    }


def test_a_network_of_ones_own_needs_no_state(engine: str, tmp_path: Path) -> None:
    body = """
other = TerraformStack(app, "mine")
TerraformOutput(other, "subnets", value=dev.network.outputs(other).subnet_ids)
"""
    app = run(engine, body, tmp_path, "existing_network")
    assert app.document("mine")["output"]["subnets"]["value"] == ["subnet-1", "subnet-2"]
    assert "data" not in app.document("mine")
    assert app.manifest()["stacks"]["mine"]["dependencies"] == []


def test_a_platform_stack_that_reads_another_one_already_reads_it_once(engine: str, tmp_path: Path) -> None:
    body = """
storage = platform.stacks["churn-dev-storage"]
TerraformOutput(storage, "key", value=dev.security.outputs(storage).data_key_arn)
"""
    app = run(engine, body, tmp_path, "exporting")
    document = app.document("churn-dev-storage")
    read = "${data.terraform_remote_state.churn_dev_security.outputs.data_key_arn}"
    assert document["output"]["key"]["value"] == read
    assert sorted(document["data"]["terraform_remote_state"]) == ["churn_dev_security"]
    assert app.manifest()["stacks"]["churn-dev-storage"]["dependencies"] == ["churn-dev-security"]


def test_a_reference_to_a_users_construct_in_a_platform_stack_goes_through_its_real_backend(
    engine: str, tmp_path: Path
) -> None:
    body = """
made = topic(platform.stacks["churn-dev-network"], "mine", name="mine")
other = TerraformStack(app, "mine")
TerraformOutput(other, "arn", value=made.get_string_attribute("arn"))
"""
    app = run(engine, body, tmp_path, "exporting")
    (read,) = app.document("mine")["data"]["terraform_remote_state"].values()
    assert read == {
        "backend": "s3",
        "config": {"bucket": "churn-state", "key": "dev/network.tfstate", "use_lockfile": True},
    }
    backend = app.document("churn-dev-network")["terraform"]["backend"]
    assert backend == {"s3": {"bucket": "churn-state", "key": "dev/network.tfstate", "use_lockfile": True}}


def test_a_provider_that_the_user_adds_too_is_there_once(engine: str, tmp_path: Path) -> None:
    body = """
network = platform.stacks["churn-dev-network"]
AwsProvider(network, "aws", region="eu-west-1", max_retries=3)
AwsProvider(network, "us", alias="us", region="us-east-1")
"""
    document = run(engine, body, tmp_path).document("churn-dev-network")
    assert document["provider"]["aws"] == [
        {
            "region": "eu-west-1",
            "max_retries": 3,
            "default_tags": {"tags": {"name": "churn", "owner": "growth-ml"}},
        },
        {"alias": "us", "region": "us-east-1"},
    ]
    assert document["terraform"]["required_providers"] == {
        "aws": {"source": "hashicorp/aws", "version": ">= 5.90.0, < 6.0.0"}
    }


OTHER_REGION = (
    "stack churn-dev-network sets region of provider aws to 'us-east-1', the platform to 'eu-west-1'. "
    "Give your provider an alias, or change the platform spec"
)
OTHER_SOURCE = "stack churn-dev-network has two providers named aws: hashicorp/aws and someone/aws"
OTHER_BACKEND = (
    "stack churn-dev-network has a backend of its own (gcs). Where its state lives is said in the platform spec "
    "(state): leave the backend out of the app"
)
SAME_OUTPUT = (
    "stack churn-dev-network has output.vpc_id twice: from the platform and from the app. Give yours"
)
SAME_ADDRESS = "stack churn-dev-network has resource.aws_vpc.main twice: from the platform and from the app"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('AwsProvider(network, "aws", region="us-east-1")', OTHER_REGION),
        ('AwsProvider(network, "aws", source="someone/aws")', OTHER_SOURCE),
        ('GcsBackend(network, bucket="x", prefix="y")', OTHER_BACKEND),
        ('TerraformOutput(network, "vpc_id", value="mine")', SAME_OUTPUT),
        ('network.add_override("resource.aws_vpc.main", {"cidr_block": "10.0.0.0/8"})', SAME_ADDRESS),
    ],
)
def test_what_both_sides_say_differently_is_a_conflict(
    engine: str, tmp_path: Path, body: str, message: str
) -> None:
    app = run(engine, f'network = platform.stacks["churn-dev-network"]\n{body}', tmp_path)
    assert app.code != 0
    assert message in app.stderr


def test_hcl_from_an_app_is_refused_not_empty(engine: str, tmp_path: Path) -> None:
    app = run(engine, "platform.stacks['churn-dev-network'].to_hcl_terraform()", tmp_path)
    assert "For HCL run `scaffolder synth --format hcl`" in app.stderr


def test_an_environment_or_stack_that_is_not_there_is_named(engine: str, tmp_path: Path) -> None:
    body = """
for attempt in (lambda: platform.environment("prod"), lambda: dev.registry):
    try:
        attempt()
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
"""
    assert run(engine, body, tmp_path).stdout.splitlines() == [
        "UsageError: there is no environment 'prod' in this app; there is dev",
        "UsageError: environment dev has no registry stack; it has network, security, storage",
    ]


def test_what_is_not_an_app_is_refused(engine: str, tmp_path: Path) -> None:
    app = run(engine, "Platform(platform.stacks['churn-dev-network'], foundation())", tmp_path)
    assert "UsageError: a platform is added to an App of cdktf or cdktn, not to <" in app.stderr


def test_a_missing_engine_is_named_with_the_command_that_installs_it(tmp_path: Path) -> None:
    body = """
import sys
del sys.modules["cdktf"]
sys.meta_path.insert(0, type("Nothing", (), {"find_spec": staticmethod(lambda *_: None)}))
import importlib.machinery
sys.path[:] = [path for path in sys.path if "site-packages" not in path]
sys.path_importer_cache.clear()
from scaffolder.constructs import Platform
Platform(object(), [])
"""
    app = run_app("cdktf", f"import scaffolder.constructs\n{body}", tmp_path)
    assert "pip install 'scaffolder[cdktf]'" in app.stderr


def test_both_engines_know_their_own_app_when_both_are_imported(engine: str, tmp_path: Path) -> None:
    body = f"""
import cdktf, cdktn
print(type(platform.stacks["churn-dev-network"]).__mro__[1].__module__)
assert isinstance(platform.stacks["churn-dev-network"], {engine}.TerraformStack)
"""
    assert run(engine, body, tmp_path).stdout == f"{engine}\n"


def test_hostile_strings_survive_next_to_a_users_tokens(engine: str, tmp_path: Path) -> None:
    body = """
stack = platform.stacks["churn-dev-hostile"]
mine = topic(stack, "mine", name="mine")
TerraformOutput(stack, "joined", value=Fn.join("-", [mine.get_string_attribute("arn"), "x"]))
"""
    document: dict[str, Any] = run(engine, body, tmp_path, "hostile").document("churn-dev-hostile")
    values = document["output"]["many"]["value"]
    assert "$${TfToken[TOKEN.0]}" in values
    assert "#{Token[TOKEN.1]}" in values
    assert "aws_sns_topic.mine.arn" in document["output"]["joined"]["value"]


EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "02-foundation-aws" / "platform.yaml"


def test_a_spec_becomes_the_stacks_of_the_environments_asked_for(engine: str, tmp_path: Path) -> None:
    body = f"""
from scaffolder.constructs import Platform
from scaffolder.pipeline import synthesize
name = synthesize({str(EXAMPLE)!r}).environments[-1].name
platform = Platform(app, {str(EXAMPLE)!r}, environments=[name])
print(name, *sorted(platform.stacks))
other = TerraformStack(app, "mine")
outputs = platform.environment(name).storage.outputs(other)
TerraformOutput(other, "arns", value=outputs.bucket_arns)
"""
    app = run_app(engine, body, tmp_path)
    assert app.code == 0, app.stderr
    environment, *names = app.stdout.split()
    assert all(f"-{environment}-" in name for name in names)
    assert sorted(app.manifest()["stacks"]) == sorted([*names, "mine"])
    arns = app.document("mine")["output"]["arns"]["value"]
    assert all(f'.outputs.bucket_arns["{name}"]}}' in arn for name, arn in arns.items())


def test_findings_of_a_spec_reach_the_user(engine: str, tmp_path: Path) -> None:
    (tmp_path / "platform.yaml").write_text("version: 1\nname: churn\nownr: me\n")
    body = 'from scaffolder.constructs import Platform\nPlatform(app, "platform.yaml")'
    app = run_app(engine, body, tmp_path)
    assert app.code == 1
    assert "SpecError: platform.yaml:" in app.stderr
    assert "ownr" in app.stderr
