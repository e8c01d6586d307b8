"""What an override weakens is said, and what Google Cloud does not offer is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.stacks_gcp.asked import refused, synthesized

IDENTITY = {"ci": {"system": "github", "repository": "a/b"}}


def warned(address: str, override: dict[str, Any], **more: Any) -> list[str]:
    """The codes of what is warned of."""
    return [each.code for each in synthesized(overrides={address: override}, **more).warnings]


@pytest.mark.parametrize(
    ("address", "override", "code"),
    [
        ("google_storage_bucket.data", {"public_access_prevention": "inherited"}, "public-access"),
        ("google_storage_bucket.data", {"uniform_bucket_level_access": False}, "public-access"),
        ("google_storage_bucket.data", {"versioning": None}, "versioning"),
        ("google_kms_crypto_key.data", {"rotation_period": None}, "key-rotation"),
        ("google_kms_crypto_key.data", {"destroy_scheduled_duration": "86400s"}, "key-destruction"),
        ("google_project_service.compute", {"disable_on_destroy": True}, "service-kept"),
        ("google_logging_project_sink.audit", {"disabled": True}, "audit-trail"),
        ("google_logging_project_bucket_config.audit", {"cmek_settings": None}, "log-encryption"),
        ("google_compute_firewall.deny-egress", {"log_config": None}, "firewall-log"),
        ("google_compute_subnetwork.workloads", {"private_ip_google_access": False}, "subnet"),
        ("google_compute_network.platform", {"auto_create_subnetworks": True}, "subnet"),
        ("google_project_iam_member.training-own", {"role": "roles/editor"}, "broad-grant"),
        ("google_storage_bucket_iam_member.logs-delivery", {"member": "allUsers"}, "public-grant"),
        ("google_iam_workload_identity_pool_provider.ci", {"attribute_condition": None}, "ci-trust"),
    ],
)
def test_what_weakens_the_platform_is_said(address: str, override: dict[str, Any], code: str) -> None:
    assert code in warned(address, override, identity=IDENTITY)


def test_opening_a_rule_to_the_internet_is_said() -> None:
    found = warned("google_compute_firewall.from-inside", {"source_ranges": ["0.0.0.0/0"]})
    assert set(found) == {"open-ingress", "weakened"}


def test_a_protected_bucket_that_could_be_destroyed_is_said() -> None:
    found = warned("google_storage_bucket.data", {"deletion_policy": "DELETE"}, deletion_protection=True)
    assert found == ["deletion-protection"]


def test_other_overrides_are_not() -> None:
    assert warned("google_storage_bucket.data", {"requester_pays": False}) == []


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"target": {"region": "europe-west7"}}, "is not a region that the gcp catalog lists"),
        ({"target": {"region": "europe-west10"}}, "has no Vertex AI"),
        ({"network": {"zones": 4}}, "is more than europe-west4 has: 3"),
        ({"network": {"zones": ["europe-west1-b"]}}, "is not a zone of europe-west4"),
        ({"security": {"log_retention_days": 3652}}, "is more than Cloud Logging keeps: 3650"),
        ({"name": "google-churn"}, "cannot begin a bucket's name"),
        ({"tags": {"Team": "a", "team": "b"}}, 'is the same label as "Team"'),
    ],
)
def test_what_google_does_not_offer_is_refused(more: dict[str, Any], says: str) -> None:
    target = {"provider": "gcp", "region": "europe-west4", "account": "acme-ml-dev", **more.pop("target", {})}
    assert says in refused(target=target, **more)


def test_a_tag_that_changes_as_a_label_is_warned_of() -> None:
    warnings = synthesized(tags={"team": "Growth ML"}).warnings
    assert [each.code for each in warnings] == ["label"]
    assert 'becomes the label "team: growth_ml"' in warnings[0].message


def test_nobody_is_warned_of_a_label_that_the_platform_spells_itself() -> None:
    kept = {"audit_retention_days": 2190, "log_retention_days": 2190}
    made = synthesized(security={"profiles": ["hipaa", "soc2"], **kept})
    assert [each for each in made.warnings if each.code == "label"] == []
