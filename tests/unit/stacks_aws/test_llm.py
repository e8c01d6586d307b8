"""What a spec's llm section becomes on AWS: who may use what, what is closed, and what waits for its index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from scaffolder.errors import SpecError
from scaffolder.pipeline import EnvironmentPlatform, Synthesis, synthesize_loaded
from scaffolder.spec.load import parse_spec
from stacks.adapter import Skipped
from stacks.aws.guardrails import PERSONAL_DATA
from stacks.graph import JsonText, Node, Text
from tests.strategies import Spec, spec_text

BASE: Spec = {
    "version": 1,
    "name": "churn",
    "owner": "growth-ml",
    "target": {"provider": "aws", "region": "eu-west-1", "account": "123456789012"},
}
ADMIN = {"groups": {"admins": ["arn:aws:iam::123456789012:role/a"]}}
EXISTING = {
    "network_id": "vpc-0123456789abcdef0",
    "subnet_ids": ["subnet-0123456789abcdef0"],
    "security_group_ids": ["sg-0123456789abcdef0", "sg-0123456789abcdef1"],
}


def synthesized(llm: object, **more: object) -> Synthesis:
    """A small spec with an llm section."""
    return synthesize_loaded(parse_spec(spec_text({**BASE, "llm": llm, **more})))


def environment(llm: object, **more: object) -> EnvironmentPlatform:
    """The small spec's only environment."""
    (found,) = synthesized(llm, **more).environments
    return found


def nodes(found: EnvironmentPlatform, concern: str) -> dict[str, Node]:
    """A stack's nodes by address; none when there is no such stack."""
    return {
        str(node.address): node
        for linked in found.stacks
        if linked.stack.concern == concern
        for node in linked.stack.nodes
    }


def statements(found: EnvironmentPlatform, concern: str, name: str) -> dict[str, Mapping[str, Any]]:
    """A policy document's statements by sid."""
    written: Any = nodes(found, concern)[f"data.aws_iam_policy_document.{name}"].arguments["statement"]
    return {statement["sid"]: statement for statement in written}


def refused(llm: object, **more: object) -> str:
    """What a spec is refused with."""
    with pytest.raises(SpecError) as caught:
        synthesized(llm, **more)
    return str(caught.value)


def test_without_llm_nothing_of_it_is_made() -> None:
    (found,) = synthesize_loaded(parse_spec(spec_text(BASE))).environments
    assert nodes(found, "llm") == {}
    assert not any("bedrock" in address for address in nodes(found, "network"))
    assert "CrossRegionModels" not in str(nodes(found, "security"))
    assert "aws_iam_policy.llm" not in nodes(found, "identity")


def test_an_empty_llm_logs_invocations_and_no_more() -> None:
    found = nodes(environment({}), "llm")
    types = {node.address.type for node in found.values()}
    assert "aws_bedrock_model_invocation_logging_configuration" in types
    assert not types & {"aws_bedrock_guardrail", "aws_opensearchserverless_collection"}


def test_invocations_are_delivered_with_the_logs_key_and_their_bucket_is_logged() -> None:
    logged, silent = environment({}), environment({"log_invocations": False})
    assert "BedrockLogs" in statements(logged, "security", "key-logs")
    assert "BedrockLogs" not in statements(silent, "security", "key-logs")
    names = [
        statements(found, "storage", "bucket-logs")["AccessLogs"]["resources"] for found in (logged, silent)
    ]
    assert ["invocations" in str(resources) for resources in names] == [True, False]
    assert nodes(silent, "llm") == {}


def test_the_role_that_logs_is_allowed_before_bedrock_tries_it() -> None:
    logging = nodes(environment({}), "llm")["aws_bedrock_model_invocation_logging_configuration.main"]
    assert {str(address) for address in logging.depends_on} == {
        "aws_iam_role_policy.llm-logs",
        "aws_s3_bucket_policy.invocations",
    }


@pytest.mark.parametrize(
    ("prod", "is_made"),
    [({}, False), ({"region": "eu-central-1"}, True), ({"account": "210987654321"}, True)],
)
def test_environments_of_one_account_and_region_have_one_log(prod: Spec, *, is_made: bool) -> None:
    environments = {"dev": {}, "prod": {"target": prod} if prod else {}}
    dev, second = synthesized({}, environments=environments).environments
    assert nodes(dev, "llm")
    assert bool(nodes(second, "llm")) is is_made
    told = [skipped.reason for skipped in second.skipped if skipped.intent == "invocation logging"]
    assert ["lists earlier" in reason for reason in told] == [True] * (not is_made)


def test_models_are_invoked_by_workloads_and_scientists_only() -> None:
    groups = {
        name: [f"arn:aws:iam::123456789012:role/{name}"] for name in ("admins", "scientists", "viewers")
    }
    found = environment({"models": ["amazon.nova-lite-v1:0"]}, identity={"groups": groups})
    attachments = "aws_iam_role_policy_attachment."
    attached = [
        address
        for address in nodes(found, "identity")
        if address.startswith(attachments) and address.endswith("-llm") and ".ci-" not in address
    ]
    assert [address.rpartition(".")[2] for address in attached] == [
        "scientists-llm",
        "serving-llm",
        "training-llm",
    ]
    invoke = statements(found, "identity", "role-llm")["InvokeModels"]
    assert invoke["resources"] == ["arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0"]
    assert invoke["actions"] == ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]


def test_a_cross_region_model_is_invoked_by_its_profile_only() -> None:
    found = environment({"models": ["eu.amazon.nova-pro-v1:0"]}, security={"permissions_boundary": True})
    role = statements(found, "identity", "role-llm")
    profile = "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-pro-v1:0"
    assert role["InvokeProfiles"]["resources"] == [profile]
    through = role["InvokeThroughProfiles"]
    assert through["resources"] == ["arn:aws:bedrock:*::foundation-model/amazon.nova-pro-v1:0"]
    assert through["condition"] == [
        {"test": "StringEquals", "variable": "bedrock:InferenceProfileArn", "values": [profile]}
    ]
    assert "CrossRegionModels" in statements(found, "security", "boundary")


def test_private_endpoints_are_those_that_are_used() -> None:
    def endpoints(llm: object) -> set[str]:
        found = nodes(environment(llm), "network")
        return {address for address in found if address.startswith("aws_vpc_endpoint.bedrock")}

    assert endpoints({}) == set()
    assert endpoints({"models": ["amazon.nova-lite-v1:0"]}) == {"aws_vpc_endpoint.bedrock-runtime"}
    assert endpoints({"guardrails": {"default": {}}}) == {"aws_vpc_endpoint.bedrock-runtime"}
    assert endpoints({"knowledge_bases": {"docs": {}}}) == {"aws_vpc_endpoint.bedrock-agent-runtime"}


def guardrail(**keys: object) -> tuple[Node, Node]:
    """A guardrail and its version."""
    found = nodes(environment({"guardrails": {"default": keys}}), "llm")
    return found["aws_bedrock_guardrail.default"], found["aws_bedrock_guardrail_version.default"]


def test_a_guardrails_defaults_are_strict() -> None:
    made, _ = guardrail()
    content: Any = made.arguments["content_policy_config"]
    assert {item["type"]: item["input_strength"] for item in content["filters_config"]} == dict.fromkeys(
        ("HATE", "INSULTS", "MISCONDUCT", "SEXUAL", "VIOLENCE", "PROMPT_ATTACK"), "HIGH"
    )
    grounding: Any = made.arguments["contextual_grounding_policy_config"]
    assert [item["threshold"] for item in grounding["filters_config"]] == [0.75, 0.75]
    assert made.arguments["word_policy_config"] == {"managed_word_lists_config": [{"type": "PROFANITY"}]}
    assert "kms_key_arn" in made.arguments


def test_what_is_turned_off_is_left_out() -> None:
    made, _ = guardrail(content="none", prompt_attacks="none", grounding=0, relevance=0.5, profanity=False)
    policies = {name for name in made.arguments if name.endswith("_config")}
    assert policies == {"contextual_grounding_policy_config"}


def test_a_guardrails_change_makes_a_new_version_and_its_order_does_not() -> None:
    one = {"email": "mask", "phone": "block"}
    _, first = guardrail(pii=one)
    _, turned = guardrail(pii=dict(reversed(one.items())))
    _, changed = guardrail(pii={**one, "phone": "mask"})
    assert first.arguments == turned.arguments
    assert first.arguments["description"] != changed.arguments["description"]
    assert first.arguments["skip_destroy"] is True
    assert first.lifecycle.create_before_destroy


def test_every_kind_of_personal_data_has_one_name() -> None:
    assert len(set(PERSONAL_DATA.values())) == len(PERSONAL_DATA) == 31


def planned(found: EnvironmentPlatform) -> Sequence[Skipped]:
    """The knowledge bases that wait for the user."""
    return [skipped for skipped in found.skipped if skipped.intent.startswith("knowledge base")]


def test_a_knowledge_base_waits_for_its_index_and_says_how_to_make_it() -> None:
    found = environment({"knowledge_bases": {"docs": {"dimensions": 512}}}, identity=ADMIN)
    made = nodes(found, "llm")
    assert "aws_opensearchserverless_collection.docs" in made
    assert "aws_bedrockagent_knowledge_base.docs" not in made
    (waiting,) = planned(found)
    assert waiting.intent == "knowledge base docs"
    for needed in ("churn-dev-admins", "512 dimensions", "faiss", "llm.knowledge_bases.docs.index"):
        assert needed in waiting.remedy


def test_somebody_has_to_be_able_to_make_the_index() -> None:
    (waiting,) = planned(environment({"knowledge_bases": {"docs": {}}}))
    assert "identity.groups.admins, which names nobody yet" in waiting.remedy


def test_a_named_index_makes_the_knowledge_base_over_its_own_documents() -> None:
    found = environment(
        {"knowledge_bases": {"docs": {"index": "docs"}}}, identity=ADMIN, deletion_protection=True
    )
    made = nodes(found, "llm")
    base = made["aws_bedrockagent_knowledge_base.docs"]
    source = made["aws_bedrockagent_data_source.docs"]
    configuration: Any = source.arguments["data_source_configuration"]
    assert configuration["s3_configuration"]["inclusion_prefixes"] == ["kb/docs/"]
    assert source.arguments["data_deletion_policy"] == "RETAIN"
    assert base.lifecycle.prevent_destroy
    assert made["aws_opensearchserverless_collection.docs"].lifecycle.prevent_destroy
    assert {str(address) for address in base.depends_on} == {
        "aws_iam_role_policy.knowledge-docs",
        "aws_opensearchserverless_access_policy.docs",
    }
    assert planned(found) == []
    role = statements(found, "llm", "role-knowledge-docs")
    assert role["Embed"]["resources"] == [
        "arn:aws:bedrock:eu-west-1::foundation-model/amazon.titan-embed-text-v2:0"
    ]
    (readable,) = role["ReadDocuments"]["resources"]
    assert isinstance(readable, Text)
    assert readable.parts[-1] == "/kb/docs/*"


def test_a_collection_is_closed_and_those_who_make_its_index_read_nothing() -> None:
    made = nodes(environment({"knowledge_bases": {"docs": {}}}, identity=ADMIN), "llm")
    network = made["aws_opensearchserverless_security_policy.docs-network"].arguments["policy"]
    assert isinstance(network, JsonText)
    rules: Any = network.document
    assert [(rule["AllowFromPublic"], rule["SourceServices"]) for rule in rules] == [
        (False, ["bedrock.amazonaws.com"])
    ]
    access = made["aws_opensearchserverless_access_policy.docs"].arguments["policy"]
    assert isinstance(access, JsonText)
    documents: Any = access.document
    keepers = documents[1]
    assert not any("Document" in right for each in keepers["Rules"] for right in each["Permission"])


def test_the_clouds_own_keys_encrypt_where_the_spec_says_so() -> None:
    llm = {"guardrails": {"default": {}}, "knowledge_bases": {"docs": {"index": "docs"}}}
    made = nodes(environment(llm, security={"encryption": "provider"}), "llm")
    policy: Any = made["aws_opensearchserverless_security_policy.docs-encryption"].arguments["policy"]
    assert policy.document["AWSOwnedKey"] is True
    assert "KmsARN" not in policy.document
    assert "kms_key_arn" not in made["aws_bedrock_guardrail.default"].arguments
    assert "server_side_encryption_configuration" not in made["aws_bedrockagent_data_source.docs"].arguments


def test_a_security_group_that_was_there_gets_no_rule() -> None:
    made = nodes(environment({"knowledge_bases": {"docs": {}}}, network={"existing": EXISTING}), "llm")
    assert (
        made["aws_opensearchserverless_vpc_endpoint.main"].arguments["subnet_ids"] == EXISTING["subnet_ids"]
    )
    sources = [
        node.arguments["referenced_security_group_id"]
        for node in made.values()
        if node.address.type == "aws_vpc_security_group_ingress_rule"
    ]
    assert sources == EXISTING["security_group_ids"]
    assert not any("egress_rule" in address for address in made)


def test_names_are_cut_where_opensearch_cuts_them_and_stay_apart() -> None:
    bases: Spec = {"a-name-of-twenty-cha": {}, "a-name-of-twenty-chb": {}}
    made = nodes(environment({"knowledge_bases": bases}, name="platform-with-a-name"), "llm")
    names = {
        str(node.arguments["name"])
        for node in made.values()
        if node.address.type == "aws_opensearchserverless_collection"
    }
    assert len(names) == 2
    assert {len(name) for name in names} == {32}


@pytest.mark.parametrize(
    ("llm", "told"),
    [
        (
            {"models": ["Nova"]},
            'llm.models "Nova" is not a model id of Bedrock\'s, such as amazon.nova-lite-v1:0',
        ),
        ({"guardrails": {"default": {"pii": {"e-mail": "mask"}}}}, 'Did you mean "email"?'),
        ({"guardrails": {"default": {"pii": {"zodiac": "mask"}}}}, "Write a pattern for it, in patterns."),
        (
            {"knowledge_bases": {"docs": {"dimensions": 1000}}},
            "dimensions 1000 is not a size of amazon.titan-embed-text-v2:0's vectors: 1024 or 512 or 256",
        ),
        (
            {"knowledge_bases": {"docs": {"embedding_model": "eu.cohere.embed-v4:0"}}},
            "A knowledge base embeds in its own region: leave the profile's prefix out.",
        ),
    ],
)
def test_what_bedrock_would_not_understand_is_refused(llm: Spec, told: str) -> None:
    assert told in refused(llm)


def test_an_unknown_embedding_model_is_not_doubted() -> None:
    llm = {
        "knowledge_bases": {"docs": {"embedding_model": "acme.embed-v9:0", "dimensions": 77, "index": "i"}}
    }
    base: Any = nodes(environment(llm), "llm")["aws_bedrockagent_knowledge_base.docs"].arguments
    vector = base["knowledge_base_configuration"]["vector_knowledge_base_configuration"]
    assert "embedding_model_configuration" not in vector


def test_opening_a_collection_is_warned_of() -> None:
    policy = '[{"Rules": [], "AllowFromPublic": true}]'
    address = "aws_opensearchserverless_security_policy.docs-network"
    found = synthesized({"knowledge_bases": {"docs": {}}}, overrides={address: {"policy": policy}})
    codes = [warning.code for warning in found.warnings if warning.code.startswith("public")]
    assert codes == ["public-collection"]
