"""Whose account it is, what is asked before anything is made, and the state's bucket, on AWS."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from scaffolder.operations.aws.account import Wire
from scaffolder.operations.aws.provider import Aws
from scaffolder.operations.errors import NotAuthenticated, PermissionDenied, TimedOut, Unavailable
from scaffolder.operations.port import Opening
from scaffolder.operations.values import Outcome
from stacks.intents import Platform
from tests.operations.worlds.aws import AwsWorld


def _opened(world: AwsWorld, platform: Platform, wire: Wire | None = None) -> Aws:
    opening = Opening(platform=platform, folder=Path(), sleep=world.clock.sleep, now=world.clock.now)
    return Aws(opening, wire)


def test_nothing_is_done_in_another_account(world: AwsWorld) -> None:
    world.cloud.basics.account = "999999999999"
    with pytest.raises(PermissionDenied, match=r"999999999999.*123456789012"):
        list(world.provider.state.ensure())
    assert world.cloud.calls == ["sts:GetCallerIdentity"]
    outcomes = [probe.outcome for probe in world.provider.preflight.credentials()]
    assert outcomes == [Outcome.PASS, Outcome.FAIL]


def test_without_credentials_the_user_is_told_how_to_sign_in(
    world: AwsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(NotAuthenticated, match="aws sso login"):
        world.provider.identity.whoami()
    assert world.calls() == 0


def test_a_service_that_cannot_be_reached_is_unavailable(
    world: AwsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free.getsockname()[1]}")
        with pytest.raises(Unavailable):
            world.provider.identity.whoami()
    assert world.slept() > 0


def test_a_service_that_says_nothing_is_timed_out(world: AwsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(TimedOut):
            _opened(world, world.platform, Wire(read_s=0.05)).identity.whoami()


def test_a_permission_that_is_lacking_is_named(world: AwsWorld) -> None:
    world.cloud.basics.denied = {"sagemaker:CreateEndpoint"}
    probes = {probe.subject: probe for probe in world.provider.preflight.permissions()}
    assert probes["sagemaker:CreateEndpoint"].outcome is Outcome.FAIL
    assert "Allow sagemaker:CreateEndpoint" in probes["sagemaker:CreateEndpoint"].remedy
    assert {probe.outcome for name, probe in probes.items() if name != "sagemaker:CreateEndpoint"} == {
        Outcome.PASS
    }


def test_a_quota_that_is_too_small_is_named(world: AwsWorld) -> None:
    (machines,) = [name for name in world.cloud.basics.quotas if "endpoint" in name]
    world.cloud.basics.quotas[machines] = 2.0
    probes = {probe.subject: probe for probe in world.provider.preflight.quotas()}
    assert probes[machines].outcome is Outcome.FAIL
    assert "asks for 3" in probes[machines].detail
    assert machines in probes[machines].remedy
    assert Outcome.UNKNOWN in {probe.outcome for probe in probes.values()}, "training is in no list"


def test_buckets_are_free_or_ours(world: AwsWorld) -> None:
    found = {probe.subject: probe.detail for probe in world.provider.preflight.names()}
    assert found[world.context.bucket("state")] == "free"
    assert found[world.context.bucket("data")] == "this account's already"


def test_the_states_bucket_is_as_the_state_stack_makes_it(world: AwsWorld) -> None:
    list(world.provider.state.ensure())
    s3, bucket = world.cloud.client("s3"), world.context.bucket("state")
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    blocked = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert set(blocked.values()) == {True}
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    key = rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"]
    assert world.cloud.keys.aliases[world.context.alias("state")] in key
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    assert [one["Sid"] for one in policy["Statement"]] == ["DenyInsecureTransport", "DenyOldTls"]
    assert world.cloud.keys.rotated


def test_what_somebody_loosened_is_mended(world: AwsWorld) -> None:
    list(world.provider.state.ensure())
    bucket = world.context.bucket("state")
    world.cloud.client("s3").put_bucket_versioning(
        Bucket=bucket, VersioningConfiguration={"Status": "Suspended"}
    )
    planned = {one.subject: one.action for one in world.provider.state.ensure(dry_run=True)}
    assert planned["versioning"] == "changed"
    assert {action for name, action in planned.items() if name != "versioning"} == {"unchanged"}
    list(world.provider.state.ensure())
    assert world.cloud.client("s3").get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"


def test_two_that_bootstrap_at_once_do_not_interleave(world: AwsWorld) -> None:
    first = world.provider.state.ensure()
    for _ in range(4):
        next(first)
    with pytest.raises(Exception, match="lock bootstrap is held"):
        list(_opened(world, world.platform).state.ensure())
    list(first)
    assert {one.action for one in _opened(world, world.platform).state.ensure()} == {"unchanged"}


def test_of_two_that_lock_at_once_one_succeeds(world: AwsWorld) -> None:
    list(world.provider.state.ensure())
    held: list[str] = []

    def attempt(owner: str) -> None:
        provider = _opened(world, world.platform)
        try:
            held.append(provider.state.acquire("dev", owner).owner)
        except Exception as error:  # noqa: BLE001 - of whatever kind
            held.append(type(error).__name__)

    threads = [Thread(target=attempt, args=(owner,)) for owner in ("ada", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(name in {"ada", "bob"} for name in held) == [False, True]
    assert "Conflict" in held


def test_a_backend_of_the_users_own_is_left_alone(world: AwsWorld) -> None:
    own = replace(world.platform.backend, kind="local")
    (told,) = _opened(world, replace(world.platform, backend=own)).state.ensure()
    assert told.action == "unchanged"
    assert world.calls() == 0
