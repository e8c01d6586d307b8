"""What a domain leaves behind, and what people started in it, goes in order."""

from __future__ import annotations

from typing import Any

from scaffolder.operations.values import Removable
from tests.operations.worlds.aws import AwsWorld

DOMAIN, GONE = "d-abcdefghijkl", "d-zzzzzzzzzzzz"


def _studio(world: AwsWorld) -> None:
    studio = world.cloud.studio
    studio.domains = {DOMAIN: "churn-dev", "d-other": "somebody-else"}
    about = {"DomainId": DOMAIN, "Status": "InService", "CreationTime": world.clock.now()}
    studio.apps = [
        {**about, "SpaceName": "mine", "AppType": "JupyterLab", "AppName": "default"},
        {**about, "UserProfileName": "ada", "AppType": "JupyterServer", "AppName": "default"},
        {**about, "Status": "Deleted", "SpaceName": "old", "AppType": "JupyterLab", "AppName": "default"},
        {**about, "DomainId": "d-other", "SpaceName": "x", "AppType": "JupyterLab", "AppName": "default"},
    ]
    studio.spaces = [{**about, "SpaceName": "mine"}, {**about, "DomainId": "d-other", "SpaceName": "theirs"}]


def _leftovers(world: AwsWorld) -> dict[str, Any]:
    """What a domain that is gone left: a mounted file system, a network interface, two groups that name each other."""
    ec2, efs = world.cloud.client("ec2"), world.cloud.client("efs")
    private = [{"Name": "tag:Name", "Values": ["churn-dev-private-*"]}]
    (subnet, *_) = ec2.describe_subnets(Filters=private)["Subnets"]
    vpc = subnet["VpcId"]
    system = efs.create_file_system(
        CreationToken=GONE,
        Tags=[
            {
                "Key": "ManagedByAmazonSageMakerResource",
                "Value": f"arn:aws:sagemaker:eu-west-1:123456789012:domain/{GONE}",
            }
        ],
    )["FileSystemId"]
    other = efs.create_file_system(CreationToken="other")["FileSystemId"]
    mount = efs.create_mount_target(FileSystemId=system, SubnetId=subnet["SubnetId"])["MountTargetId"]
    interface = ec2.create_network_interface(
        SubnetId=subnet["SubnetId"], Description="[DO NOT DELETE] ENI managed by SageMaker for Studio"
    )["NetworkInterface"]["NetworkInterfaceId"]
    groups = [
        ec2.create_security_group(
            GroupName=f"security-group-for-{way}-nfs-{GONE}", Description="by SageMaker", VpcId=vpc
        )["GroupId"]
        for way in ("inbound", "outbound")
    ]
    rule = {"IpProtocol": "tcp", "FromPort": 2049, "ToPort": 2049}
    inbound, outbound = groups
    ec2.authorize_security_group_ingress(
        GroupId=inbound, IpPermissions=[{**rule, "UserIdGroupPairs": [{"GroupId": outbound}]}]
    )
    ec2.authorize_security_group_egress(
        GroupId=outbound, IpPermissions=[{**rule, "UserIdGroupPairs": [{"GroupId": inbound}]}]
    )
    return {"system": system, "other": other, "mount": mount, "interface": interface, "groups": groups}


def _go(world: AwsWorld, items: list[Removable]) -> None:
    for item in items:
        assert not world.provider.teardown.is_gone(item), item
        world.provider.teardown.remove(item)
        assert world.provider.teardown.is_gone(item), item
    for item in items:
        world.provider.teardown.remove(item)


def test_apps_go_before_the_spaces_that_they_are_in(world: AwsWorld) -> None:
    _studio(world)
    items = [*world.provider.teardown.inventory()]
    assert [(item.kind, item.name) for item in items] == [
        ("app", "JupyterLab default of mine"),
        ("app", "JupyterServer default of ada"),
        ("space", "mine"),
    ]
    assert [item.holds_data for item in items] == [False, False, True]
    _go(world, items)
    assert [*world.provider.teardown.inventory()] == []
    assert [space["SpaceName"] for space in world.cloud.studio.spaces] == ["theirs"]


def test_what_a_domain_left_in_the_network_goes_and_nothing_else(world: AwsWorld) -> None:
    left = _leftovers(world)
    items = [*world.provider.teardown.inventory()]
    assert [item.kind for item in items[:2]] == ["mount target", "file system"]
    assert {item.ref for item in items} >= {left["system"], left["mount"], left["interface"], *left["groups"]}
    assert left["other"] not in {item.ref for item in items}
    _go(world, items)
    assert [*world.provider.teardown.inventory()] == []


def test_a_home_whose_domain_still_stands_stays(world: AwsWorld) -> None:
    left = _leftovers(world)
    world.cloud.studio.domains = {GONE: "churn-dev"}
    assert left["system"] not in {item.ref for item in world.provider.teardown.inventory()}
