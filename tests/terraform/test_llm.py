"""Everything that a spec can ask of language models, applied by the real Terraform, watched and destroyed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.emulator.fixture import Emulator, emulator
from tests.external_tools import Terraform
from tests.terraform.deployment import Deployment
from tests.terraform.iam_actions import action_of, is_allowed, role_statements

__all__ = ["emulator"]

pytestmark = [pytest.mark.terraform, pytest.mark.slow]

PREFIX = "churn-dev"
LLM = f"{PREFIX}-llm"
SPEC = """
version: 1
name: churn
owner: growth-ml
target: {provider: aws, region: eu-west-1, account: "123456789012"}
network: {zones: 1}
security: {audit: false}
containers: {repositories: []}
identity:
  ci: {system: github, repository: growth/churn}
  groups: {admins: ["arn:aws:iam::123456789012:role/a"], scientists: ["arn:aws:iam::123456789012:role/s"]}
llm:
  models: ["amazon.nova-lite-v1:0", "eu.amazon.nova-pro-v1:0"]
  guardrails:
    default:
      content: medium
      pii: {email: mask, credit-card: block}
      patterns: {ticket: {regex: "[A-Z]{3}-[0-9]+", description: "Ticket numbers"}}
      denied_topics: {legal-advice: {definition: "Advice on law", examples: ["May I sue?"]}}
      denied_words: [rival]
      grounding: %(grounding)s
  knowledge_bases:
    docs: {index: docs, standby: true}
    manuals: {bucket: artifacts, prefix: manuals, dimensions: 512%(index)s}
"""
ONLY_AN_ADMINISTRATOR = {"iam:AttachRolePolicy", "iam:CreateOpenIDConnectProvider"}


def synthesize(scaffolder: Path, folder: Path, *, grounding: float, index: str = "") -> Path:
    """Synthesize the spec into a folder's ``cdktf.out``."""
    spec = folder / "platform.yaml"
    spec.write_text(SPEC % {"grounding": grounding, "index": f", index: {index}" if index else ""})
    out = folder / "cdktf.out"
    subprocess.run([scaffolder, "synth", spec, "--out", out], check=True, capture_output=True)
    return out


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the spec is."""
    return tmp_path_factory.mktemp("llm")


@pytest.fixture(scope="module")
def deployed(
    emulator: Emulator, terraform: Terraform, scaffolder_cli: Path, project: Path
) -> tuple[Deployment, frozenset[str]]:
    """The spec, applied; and the actions that it took."""
    folder = synthesize(scaffolder_cli, project, grounding=0.75)
    found = Deployment(folder, terraform, emulator.environment({}))
    found.deploy()
    return found, actions(emulator)


@pytest.fixture(scope="module")
def deployment(deployed: tuple[Deployment, frozenset[str]]) -> Deployment:
    """The deployed spec."""
    return deployed[0]


def actions(emulator: Emulator) -> frozenset[str]:
    """The actions behind the emulator's calls since the list was started anew."""
    return frozenset(
        action_of(str(call["service"]), str(call["operation"])) for call in emulator.operations()
    )


def test_a_second_plan_changes_nothing(deployment: Deployment, emulator: Emulator) -> None:
    plans = deployment.plans()
    assert {name: plan.changed for name, plan in plans.items() if plan.exit_code} == {}
    assert emulator.failures() == []


def test_the_guardrail_filters_what_the_spec_says(deployment: Deployment, emulator: Emulator) -> None:
    outputs = deployment.output(LLM)
    (identifier,) = outputs["guardrail_ids"].values()  # type: ignore[attr-defined]  # outputs are JSON
    assert outputs["guardrail_versions"] == {"default": "1"}
    guardrail = emulator.client("bedrock").get_guardrail(guardrailIdentifier=identifier, guardrailVersion="1")
    strengths = {
        item["type"]: (item["inputStrength"], item["outputStrength"])
        for item in guardrail["contentPolicy"]["filters"]
    }
    assert strengths.pop("PROMPT_ATTACK") == ("HIGH", "NONE")
    assert set(strengths) == {"HATE", "INSULTS", "MISCONDUCT", "SEXUAL", "VIOLENCE"}
    assert set(strengths.values()) == {("MEDIUM", "MEDIUM")}
    personal = guardrail["sensitiveInformationPolicy"]
    assert {item["type"]: item["action"] for item in personal["piiEntities"]} == {
        "EMAIL": "ANONYMIZE",
        "CREDIT_DEBIT_CARD_NUMBER": "BLOCK",
    }
    assert personal["regexes"][0]["pattern"] == "[A-Z]{3}-[0-9]+"
    assert guardrail["topicPolicy"]["topics"][0]["type"] == "DENY"
    assert [word["text"] for word in guardrail["wordPolicy"]["words"]] == ["rival"]
    assert guardrail["kmsKeyArn"] == deployment.output(f"{PREFIX}-security")["data_key_arn"]


def test_invocations_are_logged_with_the_logs_key_and_nowhere_open(
    deployment: Deployment, emulator: Emulator
) -> None:
    logging = emulator.client("bedrock").get_model_invocation_logging_configuration()["loggingConfig"]
    cloudwatch = logging["cloudWatchConfig"]
    bucket = cloudwatch["largeDataDeliveryS3Config"]["bucketName"]
    key = deployment.output(f"{PREFIX}-security")["logs_key_arn"]
    (group,) = emulator.client("logs").describe_log_groups(logGroupNamePrefix=cloudwatch["logGroupName"])[
        "logGroups"
    ]
    assert (group["kmsKeyId"], group["retentionInDays"]) == (key, 365)
    s3 = emulator.client("s3")
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == key
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    (writes,) = (item for item in policy["Statement"] if item["Sid"] == "BedrockWrites")
    assert writes["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}


def test_collections_are_closed_and_encrypted(deployment: Deployment, emulator: Emulator) -> None:
    vectors = emulator.client("opensearchserverless")
    names = [item["name"] for item in vectors.list_collections()["collectionSummaries"]]
    assert sorted(names) == [f"{PREFIX}-docs", f"{PREFIX}-manuals"]
    key = deployment.output(f"{PREFIX}-security")["data_key_arn"]
    (endpoint,) = vectors.list_vpc_endpoints()["vpcEndpointSummaries"]
    for name in names:
        encryption = vectors.get_security_policy(name=name, type="encryption")["securityPolicyDetail"]
        assert encryption["policy"]["KmsARN"] == key
        (network,) = vectors.get_security_policy(name=name, type="network")["securityPolicyDetail"]["policy"]
        assert network["AllowFromPublic"] is False
        assert network["SourceVPCEs"] == [endpoint["id"]]
        bedrock, keepers = vectors.get_access_policy(name=name, type="data")["accessPolicyDetail"]["policy"]
        assert all("ReadDocument" not in right for rule in keepers["Rules"] for right in rule["Permission"])
        assert {arn.rpartition("/")[2] for arn in keepers["Principal"]} == {
            f"{PREFIX}-admins",
            f"{PREFIX}-ci-deploy",
        }
        assert len(bedrock["Principal"]) == 1


def test_only_a_knowledge_base_with_an_index_is_made(deployment: Deployment, emulator: Emulator) -> None:
    (base,) = emulator.client("bedrock-agent").list_knowledge_bases()["knowledgeBaseSummaries"]
    assert base["name"] == f"{PREFIX}-docs"
    assert deployment.output(LLM)["knowledge_base_ids"] == {"docs": base["knowledgeBaseId"]}


def test_ci_may_plan_and_deploy_the_stack(
    deployed: tuple[Deployment, frozenset[str]], emulator: Emulator
) -> None:
    deployment, taken = deployed
    deploy = role_statements(emulator, PREFIX, "ci-deploy")
    assert {action for action in taken if not is_allowed(action, deploy)} <= ONLY_AN_ADMINISTRATOR
    plan = role_statements(emulator, PREFIX, "ci-plan")
    emulator.forget_operations()
    deployment.plan(LLM)
    assert {action for action in actions(emulator) if not is_allowed(action, plan)} == set()


def test_a_named_index_makes_the_knowledge_base_and_a_changed_guardrail_a_new_version(
    deployment: Deployment, emulator: Emulator, scaffolder_cli: Path, project: Path
) -> None:
    synthesize(scaffolder_cli, project, grounding=0.5, index="manuals")
    changed = deployment.plan(LLM).changed
    assert changed == (
        "aws_bedrock_guardrail.default",
        "aws_bedrock_guardrail_version.default",
        "aws_bedrockagent_data_source.manuals",
        "aws_bedrockagent_knowledge_base.manuals",
    )
    deployment.deploy_stack(LLM)
    outputs = deployment.output(LLM)
    assert outputs["guardrail_versions"] == {"default": "2"}
    (identifier,) = outputs["guardrail_ids"].values()  # type: ignore[attr-defined]  # outputs are JSON
    versions = emulator.client("bedrock").list_guardrails(guardrailIdentifier=identifier)["guardrails"]
    assert {version["version"] for version in versions} == {"DRAFT", "1", "2"}
    agent = emulator.client("bedrock-agent")
    identifier = outputs["knowledge_base_ids"]["manuals"]  # type: ignore[index]  # outputs are JSON
    base = agent.get_knowledge_base(knowledgeBaseId=identifier)["knowledgeBase"]
    vector = base["knowledgeBaseConfiguration"]["vectorKnowledgeBaseConfiguration"]
    assert vector["embeddingModelConfiguration"]["bedrockEmbeddingModelConfiguration"]["dimensions"] == 512
    assert deployment.plan(LLM).exit_code == 0


def test_destroy_leaves_nothing_behind(deployment: Deployment, emulator: Emulator) -> None:
    deployment.destroy()
    bedrock = emulator.client("bedrock")
    assert bedrock.list_guardrails()["guardrails"] == []
    assert not bedrock.get_model_invocation_logging_configuration().get("loggingConfig")
    vectors = emulator.client("opensearchserverless")
    assert vectors.list_collections()["collectionSummaries"] == []
    assert vectors.list_security_policies(type="network")["securityPolicySummaries"] == []
    assert emulator.client("bedrock-agent").list_knowledge_bases()["knowledgeBaseSummaries"] == []
    assert emulator.client("s3").list_buckets()["Buckets"] == []
