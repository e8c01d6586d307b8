"""What surrounds SageMaker, as the emulator answers it: alarms, budgets, queues, guardrails, collections."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.fixture import ACCOUNT, Emulator


@pytest.fixture(autouse=True)
def _no_failures(emulator: Emulator) -> Iterator[None]:
    emulator.forget_operations()
    yield
    assert emulator.failures() == []


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"n{uuid.uuid4().hex[:12]}"


def _refused(raised: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


class TestCompositeAlarms:
    def test_one_is_made_of_alarms_that_exist(self, emulator: Emulator, name: str) -> None:
        cloudwatch = emulator.client("cloudwatch")
        rule = f'ALARM("{name}") OR NOT OK({name}) OR FALSE'
        composite = {"AlarmName": f"{name}-all", "AlarmRule": rule, "Tags": [{"Key": "k", "Value": "v"}]}
        with pytest.raises(ClientError) as raised:
            cloudwatch.put_composite_alarm(**composite)
        assert _refused(raised)[0] == "ValidationError"
        assert f"['{name}']" in _refused(raised)[1]
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="n",
            MetricName="m",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
        cloudwatch.put_composite_alarm(**composite, ActionsEnabled=False)
        alarms = cloudwatch.describe_alarms(AlarmNames=[f"{name}-all"], AlarmTypes=["CompositeAlarm"])
        told = alarms["CompositeAlarms"][0]
        assert (told["AlarmRule"], told["ActionsEnabled"]) == (rule, False)
        tags = cloudwatch.list_tags_for_resource(ResourceARN=told["AlarmArn"])["Tags"]
        assert tags == [{"Key": "k", "Value": "v"}]
        cloudwatch.delete_alarms(AlarmNames=[f"{name}-all"])
        assert cloudwatch.describe_alarms(AlarmNames=[f"{name}-all"])["CompositeAlarms"] == []


class TestBudgets:
    def test_limits_and_subscribers_change(self, emulator: Emulator, name: str) -> None:
        budgets = emulator.client("budgets")
        limit = {"Amount": "10", "Unit": "USD"}
        budget = {"BudgetName": name, "BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": limit}
        notification = {
            "NotificationType": "ACTUAL",
            "ComparisonOperator": "GREATER_THAN",
            "Threshold": 80.0,
            "ThresholdType": "PERCENTAGE",
        }
        people = [{"SubscriptionType": "EMAIL", "Address": f"{who}@example.com"} for who in ("a", "b")]
        budgets.create_budget(
            AccountId=ACCOUNT,
            Budget=budget,
            NotificationsWithSubscribers=[{"Notification": notification, "Subscribers": people[:1]}],
            ResourceTags=[{"Key": "k", "Value": "v"}],
        )
        named = {"AccountId": ACCOUNT, "BudgetName": name}
        budgets.create_subscriber(**named, Notification=notification, Subscriber=people[1])
        budgets.update_notification(
            **named, OldNotification=notification, NewNotification=notification | {"Threshold": 90.0}
        )
        with pytest.raises(ClientError) as raised:
            budgets.describe_subscribers_for_notification(**named, Notification=notification)
        assert _refused(raised)[0] == "NotFoundException"
        told = budgets.describe_subscribers_for_notification(
            **named, Notification=notification | {"Threshold": 90.0}
        )
        assert told["Subscribers"] == people
        budgets.update_budget(
            AccountId=ACCOUNT, NewBudget=budget | {"BudgetLimit": {"Amount": "20", "Unit": "USD"}}
        )
        assert budgets.describe_budget(**named)["Budget"]["BudgetLimit"]["Amount"] == "20"
        arn = f"arn:aws:budgets::{ACCOUNT}:budget/{name}"
        assert budgets.list_tags_for_resource(ResourceARN=arn)["ResourceTags"] == [{"Key": "k", "Value": "v"}]


class TestAnomalyMonitors:
    def test_a_subscription_needs_its_monitor(self, emulator: Emulator, name: str) -> None:
        ce = emulator.client("ce")
        subscription = {
            "SubscriptionName": name,
            "Frequency": "DAILY",
            "Subscribers": [{"Type": "EMAIL", "Address": "a@example.com"}],
        }
        with pytest.raises(ClientError) as raised:
            ce.create_anomaly_subscription(
                AnomalySubscription=subscription
                | {"MonitorArnList": [f"arn:aws:ce::{ACCOUNT}:anomalymonitor/x"]}
            )
        assert _refused(raised)[0] == "UnknownMonitorException"
        monitor = {"MonitorName": name, "MonitorType": "DIMENSIONAL", "MonitorDimension": "SERVICE"}
        arn = ce.create_anomaly_monitor(AnomalyMonitor=monitor)["MonitorArn"]
        subscribed = ce.create_anomaly_subscription(
            AnomalySubscription=subscription | {"MonitorArnList": [arn]}
        )["SubscriptionArn"]
        ce.update_anomaly_subscription(SubscriptionArn=subscribed, Frequency="WEEKLY")
        told = ce.get_anomaly_subscriptions(SubscriptionArnList=[subscribed])["AnomalySubscriptions"]
        assert [(each["Frequency"], each["MonitorArnList"]) for each in told] == [("WEEKLY", [arn])]
        ce.delete_anomaly_monitor(MonitorArn=arn)
        with pytest.raises(ClientError) as raised:
            ce.get_anomaly_monitors(MonitorArnList=[arn])
        assert _refused(raised)[0] == "UnknownMonitorException"


class TestScalableTargets:
    def test_one_that_is_registered_again_keeps_its_tags(self, emulator: Emulator, name: str) -> None:
        scaling = emulator.client("application-autoscaling")
        target = {
            "ServiceNamespace": "sagemaker",
            "ResourceId": f"endpoint/{name}/variant/v",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "MinCapacity": 1,
        }
        arn = scaling.register_scalable_target(**target, MaxCapacity=2, Tags={"k": "v"})["ScalableTargetARN"]
        scaling.register_scalable_target(**target, MaxCapacity=3)
        assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"k": "v"}
        scaling.untag_resource(ResourceARN=arn, TagKeys=["k"])
        assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {}


class TestQueues:
    def test_who_may_leave_dead_letters_is_told(self, emulator: Emulator, name: str) -> None:
        sqs = emulator.client("sqs")
        policy = json.dumps({"redrivePermission": "denyAll"})
        url = sqs.create_queue(QueueName=name, Attributes={"RedriveAllowPolicy": policy})["QueueUrl"]
        told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert (told["RedriveAllowPolicy"], told["QueueArn"].rpartition(":")[2]) == (policy, name)
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedriveAllowPolicy": ""})
        told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert "RedriveAllowPolicy" not in told


class TestGuardrails:
    def test_a_version_stays_while_the_draft_changes(self, emulator: Emulator, name: str) -> None:
        bedrock = emulator.client("bedrock")
        messages = {"blockedInputMessaging": "no", "blockedOutputsMessaging": "no"}
        words = {"wordPolicyConfig": {"wordsConfig": [{"text": "secret"}]}}
        guardrail = bedrock.create_guardrail(name=name, **messages, **words)["guardrailId"]
        version = bedrock.create_guardrail_version(guardrailIdentifier=guardrail, description="first")[
            "version"
        ]
        bedrock.update_guardrail(guardrailIdentifier=guardrail, name=name, **messages)
        draft = bedrock.get_guardrail(guardrailIdentifier=guardrail)
        kept = bedrock.get_guardrail(guardrailIdentifier=guardrail, guardrailVersion=version)
        assert (draft["version"], "wordPolicy" in draft) == ("DRAFT", False)
        assert (kept["version"], kept["description"], kept["wordPolicy"]["words"]) == (
            "1",
            "first",
            [{"text": "secret"}],
        )
        listed = bedrock.list_guardrails(guardrailIdentifier=guardrail)["guardrails"]
        assert [each["version"] for each in listed] == ["DRAFT", "1"]
        bedrock.delete_guardrail(guardrailIdentifier=guardrail, guardrailVersion="1")
        with pytest.raises(ClientError) as raised:
            bedrock.get_guardrail(guardrailIdentifier=guardrail, guardrailVersion="1")
        assert _refused(raised)[0] == "ResourceNotFoundException"

    def test_a_name_is_used_once(self, emulator: Emulator, name: str) -> None:
        bedrock = emulator.client("bedrock")
        guardrail = {"name": name, "blockedInputMessaging": "no", "blockedOutputsMessaging": "no"}
        bedrock.create_guardrail(**guardrail)
        with pytest.raises(ClientError) as raised:
            bedrock.create_guardrail(**guardrail)
        assert _refused(raised)[0] == "ConflictException"


class TestCollections:
    def _rules(self, name: str) -> list[dict[str, object]]:
        return [{"ResourceType": "collection", "Resource": [f"collection/{name}*"]}]

    def test_one_needs_a_key_and_not_just_a_network(self, emulator: Emulator, name: str) -> None:
        serverless = emulator.client("opensearchserverless")
        network = [{"Rules": self._rules(name), "AllowFromPublic": False}]
        serverless.create_security_policy(name=name, type="network", policy=json.dumps(network))
        with pytest.raises(ClientError) as raised:
            serverless.create_collection(name=name, type="VECTORSEARCH")
        assert _refused(raised)[0] == "ValidationException"
        assert "encryption" in _refused(raised)[1]
        key = {"Rules": self._rules(name), "AWSOwnedKey": False, "KmsARN": "arn:aws:kms:eu-west-1:1:key/k"}
        serverless.create_security_policy(name=name, type="encryption", policy=json.dumps(key))
        made = serverless.create_collection(name=name, type="VECTORSEARCH")["createCollectionDetail"]
        assert (made["kmsKeyArn"], made["standbyReplicas"]) == (key["KmsARN"], "ENABLED")
        serverless.delete_security_policy(name=name, type="network")
        with pytest.raises(ClientError) as raised:
            serverless.get_security_policy(name=name, type="network")
        assert _refused(raised)[0] == "ResourceNotFoundException"

    def test_an_access_policy_changes_from_its_newest_version_only(
        self, emulator: Emulator, name: str
    ) -> None:
        serverless = emulator.client("opensearchserverless")
        policy = {"name": name, "type": "data"}
        made = serverless.create_access_policy(**policy, policy=json.dumps([{"Rules": []}]))
        version = made["accessPolicyDetail"]["policyVersion"]
        changed = json.dumps([{"Rules": [], "Description": "changed"}])
        serverless.update_access_policy(**policy, policy=changed, policyVersion=version)
        told = serverless.get_access_policy(**policy)["accessPolicyDetail"]
        assert told["policy"] == json.loads(changed)
        with pytest.raises(ClientError) as raised:
            serverless.update_access_policy(**policy, policy=changed, policyVersion=version)
        assert _refused(raised)[0] == "ConflictException"

    def test_a_vpc_endpoint_is_one_of_ec2_as_well(self, emulator: Emulator, name: str) -> None:
        ec2, serverless = emulator.client("ec2"), emulator.client("opensearchserverless")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        group = ec2.create_security_group(GroupName=name, Description="d", VpcId=vpc)["GroupId"]
        made = serverless.create_vpc_endpoint(
            name=name, vpcId=vpc, subnetIds=[subnet], securityGroupIds=[group]
        )["createVpcEndpointDetail"]
        other = ec2.create_security_group(GroupName=f"{name}-o", Description="d", VpcId=vpc)["GroupId"]
        serverless.update_vpc_endpoint(
            id=made["id"], addSecurityGroupIds=[other], removeSecurityGroupIds=[group]
        )
        told = ec2.describe_vpc_endpoints(VpcEndpointIds=[made["id"]])["VpcEndpoints"][0]
        assert [each["GroupId"] for each in told["Groups"]] == [other]
        serverless.delete_vpc_endpoint(id=made["id"])
        gone = serverless.batch_get_vpc_endpoint(ids=[made["id"]])
        assert (gone["vpcEndpointDetails"], len(gone["vpcEndpointErrorDetails"])) == ([], 1)


class TestKnowledgeBases:
    def test_one_needs_its_collection(self, emulator: Emulator, name: str) -> None:
        arn = f"arn:aws:aoss:eu-west-1:{ACCOUNT}:collection/none"
        mapping = {"vectorField": "v", "textField": "t", "metadataField": "m"}
        storage = {"collectionArn": arn, "vectorIndexName": "i", "fieldMapping": mapping}
        with pytest.raises(ClientError) as raised:
            emulator.client("bedrock-agent").create_knowledge_base(
                name=name,
                roleArn=f"arn:aws:iam::{ACCOUNT}:role/work",
                knowledgeBaseConfiguration={
                    "type": "VECTOR",
                    "vectorKnowledgeBaseConfiguration": {
                        "embeddingModelArn": "arn:aws:bedrock:eu-west-1::foundation-model/amazon.titan"
                    },
                },
                storageConfiguration={
                    "type": "OPENSEARCH_SERVERLESS",
                    "opensearchServerlessConfiguration": storage,
                },
            )
        assert _refused(raised) == ("ValidationException", f"there is no collection {arn}")


class TestStateMachines:
    @pytest.mark.parametrize(
        ("definition", "code"),
        [
            ("{", "INVALID_JSON_DESCRIPTION"),
            ("{}", "SCHEMA_VALIDATION_FAILED"),
            ('{"StartAt": "B", "States": {"A": {"Type": "Succeed"}}}', "MISSING_TRANSITION_TARGET"),
            (
                '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}',
                "MISSING_TRANSITION_TARGET",
            ),
            ('{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}', None),
        ],
    )
    def test_a_definition_that_can_not_run_is_named(
        self, emulator: Emulator, definition: str, code: str | None
    ) -> None:
        client: Any = emulator.client("stepfunctions")
        told = client.validate_state_machine_definition(definition=definition)
        assert [each["code"] for each in told["diagnostics"]] == ([code] if code else [])
        assert told["result"] == ("FAIL" if code else "OK")
