"""Notebooks: who owns one, what is shut, and what is kept of one that is destroyed."""

from __future__ import annotations

from tests.unit.stacks_gcp.asked import arguments, asked, nodes, synthesized

OWNERS = {"groups": {"scientists": ["user:ada@example.com", "group:science@example.com"]}}


def test_a_notebook_is_closed_encrypted_and_stops_when_nobody_uses_it() -> None:
    found = asked(workspace={"users": ["ada"], "idle_shutdown_minutes": 90})
    setup = arguments(found, "workspace", "google_workbench_instance.ada")["gce_setup"]
    assert setup["disable_public_ip"] is True
    assert setup["shielded_instance_config"]["enable_secure_boot"] is True
    assert setup["boot_disk"]["disk_encryption"] == setup["data_disks"]["disk_encryption"] == "CMEK"
    assert setup["metadata"]["idle-timeout-seconds"] == "5400"
    assert setup["metadata"]["notebook-disable-root"] == "true"
    assert setup["metadata"]["notebook-disable-downloads"] == "true"


def test_only_a_user_with_an_address_owns_a_notebook_and_the_other_is_warned_of() -> None:
    synthesis = synthesized(identity=OWNERS, workspace={"users": ["ada", "grace"]})
    (found,) = synthesis.environments
    ada, grace = (
        arguments(found, "workspace", f"google_workbench_instance.{name}") for name in ("ada", "grace")
    )
    assert ada["instance_owners"] == ["ada@example.com"]
    assert "instance_owners" not in grace
    assert [warning.code for warning in synthesis.warnings] == ["notebook-owner"]


def test_without_own_keys_google_encrypts_the_disks() -> None:
    found = asked(workspace={"users": ["ada"]}, security={"encryption": "provider"})
    setup = arguments(found, "workspace", "google_workbench_instance.ada")["gce_setup"]
    assert setup["boot_disk"]["disk_encryption"] == "GMEK"
    assert "kms_key" not in setup["data_disks"]


def test_a_home_that_is_kept_has_snapshots_that_outlive_the_disk() -> None:
    kept, lost = (asked(workspace={"users": ["ada"], "keep_home": keep}) for keep in (True, False))
    policy = arguments(kept, "workspace", "google_compute_resource_policy.home")["snapshot_schedule_policy"]
    assert policy["retention_policy"]["on_source_disk_delete"] == "KEEP_AUTO_SNAPSHOTS"
    assert "google_compute_resource_policy.home" not in nodes(lost, "workspace")


def test_sso_lets_identities_of_other_providers_in() -> None:
    found = asked(workspace={"users": ["ada"], "auth": "sso"})
    assert (
        arguments(found, "workspace", "google_workbench_instance.ada")["enable_third_party_identity"] is True
    )


def test_a_workspace_of_nobody_is_no_stack() -> None:
    assert not nodes(asked(workspace={"users": []}), "workspace")
