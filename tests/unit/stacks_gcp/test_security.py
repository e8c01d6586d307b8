"""APIs first and for good, agents before keys are used, and an audit trail that is kept."""

from __future__ import annotations

from tests.strategies import Spec
from tests.unit.stacks_gcp.asked import arguments, asked, nodes, synthesized

KEY_GRANT = "google_kms_crypto_key_iam_member."


def test_an_enabled_api_stays_when_the_stack_goes() -> None:
    found = nodes(asked(), "security")
    services = [node for node in found.values() if node.address.type == "google_project_service"]
    assert {str(node.arguments["service"]) for node in services} >= {
        "aiplatform.googleapis.com",
        "cloudkms.googleapis.com",
        "compute.googleapis.com",
    }
    assert {node.arguments["disable_on_destroy"] for node in services} == {False}


def test_the_api_that_the_provider_asks_after_each_other_one_is_enabled_first() -> None:
    for concern, first in (("state", "state-cloudresourcemanager"), ("security", "cloudresourcemanager")):
        found = nodes(asked(), concern)
        for address, node in found.items():
            if node.address.type == "google_project_service":
                own = address == f"google_project_service.{first}"
                after = [str(each) for each in node.depends_on]
                assert after == ([] if own else [f"google_project_service.{first}"])


def test_only_what_is_asked_for_enables_its_api() -> None:
    plain = nodes(asked(), "security")
    tracked = nodes(asked(tracking={"backend": "managed"}), "security")
    assert "google_project_service.sqladmin" not in plain
    assert {"google_project_service.sqladmin", "google_project_service.run"} <= tracked.keys()


def test_agents_come_from_the_beta_provider_which_no_other_stack_has() -> None:
    providers = {
        linked.stack.concern: [block.name for block in linked.stack.providers] for linked in asked().stacks
    }
    assert providers.pop("security") == ["google", "google-beta"]
    assert set(map(tuple, providers.values())) == {("google",)}


def test_an_agent_that_is_made_on_demand_gets_its_role_too() -> None:
    found = asked()
    grant = arguments(found, "security", "google_project_iam_member.agent-aiplatform")
    assert grant["role"] == "roles/aiplatform.serviceAgent"
    assert grant["member"] == "<google_project_service_identity.aiplatform.member>"


def test_keys_rotate_in_hardware_and_each_agent_may_use_both() -> None:
    found = asked()
    for name in ("data", "logs"):
        key = arguments(found, "security", f"google_kms_crypto_key.{name}")
        assert key["rotation_period"] == "7776000s"
        assert key["destroy_scheduled_duration"] == "2592000s"
        assert key["version_template"]["protection_level"] == "HSM"
    grants = {name for name in nodes(found, "security") if name.startswith(KEY_GRANT)}
    agents = ("aiplatform", "artifactregistry", "bigquery", "compute", "pubsub", "secretmanager", "storage")
    assert {f"{KEY_GRANT}{key}-{agent}" for key in ("data", "logs") for agent in agents} <= grants
    assert f"{KEY_GRANT}logs-logging" in grants
    assert f"{KEY_GRANT}data-logging" not in grants


def test_googles_keys_need_neither_ring_nor_grant() -> None:
    found = nodes(asked(security={"encryption": "provider"}), "security")
    assert not [name for name in found if "google_kms" in name]


def test_audit_logs_are_kept_as_files_and_for_questions_each_as_long_as_asked() -> None:
    found = asked(deletion_protection=True, security={"audit_retention_days": 800, "log_retention_days": 100})
    files = arguments(found, "security", "google_storage_bucket.audit")
    assert files["retention_policy"] == {"retention_period": str(800 * 86400), "is_locked": False}
    assert "versioning" not in files
    assert arguments(found, "security", "google_logging_project_bucket_config.audit")["retention_days"] == 100


def test_without_protection_files_of_the_trail_are_not_held_so_that_it_can_be_destroyed() -> None:
    files = arguments(asked(), "security", "google_storage_bucket.audit")
    assert "retention_policy" not in files
    assert files["versioning"] == {"enabled": True}
    assert files["force_destroy"] is True


def test_what_is_logged_of_a_project_is_the_first_environments() -> None:
    account: Spec = {"target": {"account": "acme-ml-dev"}}
    first, second = synthesized(environments={"dev": account, "test": account}).environments
    configs = [
        {name for name in nodes(each, "security") if name.startswith("google_project_iam_audit_config")}
        for each in (first, second)
    ]
    assert "google_project_iam_audit_config.aiplatform" in configs[0]
    assert configs[1] == set()


def test_no_trail_is_made_where_none_is_asked() -> None:
    found = nodes(asked(security={"audit": False}), "security")
    assert not [name for name in found if "audit" in name]
