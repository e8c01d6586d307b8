"""The `terraform test` files of a generated project: green as it is made, red for each promise that is broken."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from tests.external_tools import NodeTools, Terraform
from tests.templates.projects import new_project

pytestmark = [pytest.mark.terraform, pytest.mark.slow]

STACKS = ("state", "security", "network", "storage", "registry", "identity", "workspace", "ml", "monitoring")
ANYWHERE = "0.0.0.0/0"
SERVED = {"approval": "manual", "image": "serving:0.1.0", "data": "churn/1/model.tar.gz"}

BROKEN: Mapping[str, Mapping[str, Mapping[str, Mapping[str, object]]]] = {
    "state": {
        "The state bucket could be opened to the public.": {
            "aws_s3_bucket_public_access_block.state": {"block_public_policy": False}
        },
        "The key of the states is not rotated, or is gone within days of its deletion.": {
            "aws_kms_key.state": {"enable_key_rotation": False}
        },
        "A state that is overwritten is lost.": {
            "aws_s3_bucket_versioning.state": {"versioning_configuration": {"status": "Suspended"}}
        },
    },
    "security": {
        "A key is not rotated.": {"aws_kms_key.data": {"enable_key_rotation": False}},
        "A key, and all that it encrypts, is gone within days of its deletion.": {
            "aws_kms_key.logs": {"deletion_window_in_days": 7}
        },
        "The trail does not record all regions and global services.": {
            "aws_cloudtrail.audit": {"is_multi_region_trail": False}
        },
        "The trail's bucket could be opened to the public.": {
            "aws_s3_bucket_public_access_block.audit": {"restrict_public_buckets": False}
        },
    },
    "network": {
        "A security group lets in what is not of the platform.": {
            "aws_vpc_security_group_ingress_rule.endpoints-from-workloads": {"cidr_ipv4": ANYWHERE}
        },
        "A subnet gives out public addresses.": {"aws_subnet.private-2": {"map_public_ip_on_launch": True}},
        "Workloads reach addresses outside of the network. Where egress is nat, take this test away.": {
            "aws_vpc_security_group_egress_rule.to-s3": {"cidr_ipv4": ANYWHERE}
        },
        "A service is not reached by its private endpoint under its usual name.": {
            "aws_vpc_endpoint.sts": {"private_dns_enabled": False}
        },
        "Some traffic is not recorded.": {"aws_flow_log.main": {"traffic_type": "REJECT"}},
    },
    "storage": {
        "A bucket could be opened to the public.": {
            "aws_s3_bucket_public_access_block.data": {"block_public_acls": False}
        },
        "A bucket is not encrypted with the platform's key.": {
            "aws_s3_bucket_server_side_encryption_configuration.artifacts": {
                "rule": {
                    "apply_server_side_encryption_by_default": {
                        "sse_algorithm": "aws:kms",
                        "kms_master_key_id": "arn:aws:kms:eu-west-1:123456789012:key/other",
                    }
                }
            }
        },
        "An object that is overwritten is lost.": {
            "aws_s3_bucket_versioning.data": {"versioning_configuration": {"status": "Suspended"}}
        },
    },
    "registry": {
        "A tag can be moved to another image.": {
            "aws_ecr_repository.serving": {"image_tag_mutability": "MUTABLE"}
        },
        "Images are not scanned.": {
            "aws_ecr_repository.training": {"image_scanning_configuration": {"scan_on_push": False}}
        },
    },
    "identity": {
        "A workload's role has no ceiling, so that CI, which may change it, has none.": {
            "aws_iam_role.training": {"permissions_boundary": "arn:aws:iam::123456789012:policy/other"}
        },
    },
    "workspace": {
        "Notebooks reach the internet past the network.": {
            "aws_sagemaker_domain.main": {"app_network_access_type": "PublicInternetOnly"}
        },
        "Home files are not encrypted with the platform's key.": {
            "aws_sagemaker_domain.main": {"kms_key_id": "arn:aws:kms:eu-west-1:123456789012:key/other"}
        },
        "A user's space is everybody's.": {
            "aws_sagemaker_space.scientist-1": {"space_sharing_settings": {"sharing_type": "Shared"}}
        },
    },
    "ml": {
        "Nobody is asked before a version is approved.": {
            "aws_sagemaker_model_package_group.churn": {"tags": {"approval": "automatic"}}
        },
        "The endpoint's disks are not encrypted with the platform's key.": {
            "aws_sagemaker_endpoint_configuration.churn": {
                "kms_key_arn": "arn:aws:kms:eu-west-1:123456789012:key/other"
            }
        },
        "The model's code can reach other machines.": {
            "aws_sagemaker_model.churn": {"enable_network_isolation": False}
        },
    },
    "monitoring": {
        "Alerts are not encrypted with the key of the logs.": {
            "aws_sns_topic.alerts": {"kms_master_key_id": "alias/aws/sns"}
        },
        "Something that should happen by itself is turned off.": {
            "aws_cloudwatch_event_rule.schedule-train": {"state": "DISABLED"}
        },
        "Nobody hears of events that reached nobody.": {
            "aws_cloudwatch_metric_alarm.undelivered": {"alarm_actions": []}
        },
        "Nobody hears of alerts.": {"aws_sns_topic_subscription.email-1": {"endpoint": "else@example.com"}},
        "The monthly budget is more than 2,000: if you want that, say so here too.": {
            "aws_budgets_budget.monthly": {"limit_amount": "5000.00"}
        },
    },
}
"""What is said, by stack, and the overrides that break it. Those of one argument's resource are merged."""


def run_tests(
    project: Path, terraform: Terraform, node_tools: NodeTools, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run the project's own tests of its stacks, as its README says."""
    path = f"{Path(sys.executable).parent}:{terraform.environment['PATH']}"
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-rs",
            "-p",
            "no:cacheprovider",
            "tests/terraform",
            *arguments,
        ],
        cwd=project,
        env={**terraform.environment, "JSII_NODE": node_tools.environment["JSII_NODE"], "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def project(scaffolder_cli: Path, tmp_path: Path) -> Path:
    return new_project(scaffolder_cli, tmp_path / "churn", "--name", "churn")


def test_a_new_projects_stacks_keep_their_promises(
    project: Path, terraform: Terraform, node_tools: NodeTools
) -> None:
    done = run_tests(project, terraform, node_tools)
    assert done.returncode == 0, done.stdout[-6000:]
    # The endpoint's wait for a version of its model, in both environments; all others run, and the one over all.
    assert f"{2 * len(STACKS) + 1} passed, 2 skipped" in done.stdout
    assert done.stdout.count("has no aws_sagemaker_endpoint.churn yet") == 2


def test_so_do_those_of_the_other_engine_without_ci(
    scaffolder_cli: Path, tmp_path: Path, terraform: Terraform, node_tools: NodeTools
) -> None:
    flags = ("--name", "churn", "--ci", "none", "--engine", "cdktn")
    folder = new_project(scaffolder_cli, tmp_path / "churn", *flags)
    done = run_tests(folder, terraform, node_tools, "-k", "dev-security or dev-identity")
    assert done.returncode == 0, done.stdout[-6000:]
    assert "2 passed" in done.stdout


def served(project: Path) -> dict[str, object]:
    """The project's spec, with a model to serve."""
    spec = yaml.safe_load((project / "platform.yaml").read_text())
    assert isinstance(spec, dict)
    return {**spec, "models": {"churn": SERVED}}


def test_an_endpoint_that_is_made_keeps_its_promises(
    project: Path, terraform: Terraform, node_tools: NodeTools
) -> None:
    (project / "platform.yaml").write_text(json.dumps(served(project)))
    done = run_tests(project, terraform, node_tools, "-k", "dev-ml")
    assert done.returncode == 0, done.stdout[-6000:]
    assert "2 passed" in done.stdout


def messages(project: Path) -> set[str]:
    """Everything that the project's tests of its stacks could say."""
    texts = [path.read_text() for path in (project / "tests" / "terraform").glob("*.tftest.hcl")]
    return {message for text in texts for message in re.findall(r'error_message\s*= "(.*)"', text)}


def test_each_promise_that_an_override_breaks_is_told_and_no_other(
    project: Path, terraform: Terraform, node_tools: NodeTools
) -> None:
    overrides: dict[str, dict[str, object]] = {}
    for promises in BROKEN.values():
        for broken in promises.values():
            for address, arguments in broken.items():
                overrides.setdefault(address, {}).update(arguments)
    (project / "platform.yaml").write_text(json.dumps({**served(project), "overrides": overrides}))
    done = run_tests(project, terraform, node_tools, "-k", "churn-dev")
    assert done.returncode == 1, done.stdout[-6000:]
    assert BROKEN.keys() == set(STACKS)
    said = " ".join(done.stdout.replace("\nE  ", " ").split())
    told = {message for message in messages(project) if message in said}
    assert told == {promise for promises in BROKEN.values() for promise in promises}


def test_a_stack_without_a_test_is_told(project: Path, terraform: Terraform, node_tools: NodeTools) -> None:
    (project / "tests" / "terraform" / "monitoring.tftest.hcl").unlink()
    done = run_tests(project, terraform, node_tools, "-k", "every_stack")
    assert done.returncode == 1
    assert "churn-dev-monitoring" in done.stdout
