"""The bucket of states, its key, and where each stack looks for its own."""

from __future__ import annotations

from tests.unit.stacks_gcp.asked import arguments, asked, nodes


def test_the_state_bucket_is_closed_versioned_and_has_a_key_of_its_own() -> None:
    bucket = arguments(asked(), "state", "google_storage_bucket.state")
    assert bucket["name"] == "churn-dev-state-acme-ml-dev"
    assert bucket["public_access_prevention"] == "enforced"
    assert bucket["uniform_bucket_level_access"] is True
    assert bucket["versioning"] == {"enabled": True}
    assert bucket["encryption"]["default_kms_key_name"] == "<google_kms_crypto_key.state.id>"


def test_nothing_uses_the_key_before_cloud_storage_may() -> None:
    bucket = nodes(asked(), "state")["google_storage_bucket.state"]
    assert "google_kms_crypto_key_iam_member.state-storage" in {str(each) for each in bucket.depends_on}


def test_each_stack_has_its_place_in_the_bucket_and_the_first_is_local() -> None:
    backends = {linked.stack.concern: linked.stack.backend for linked in asked().stacks}
    assert backends["state"].kind == "local"
    assert backends["network"].kind == "gcs"
    assert backends["network"].config == {
        "bucket": "churn-dev-state-acme-ml-dev",
        "prefix": "dev/network",
        "kms_encryption_key": "projects/acme-ml-dev/locations/europe-west4/keyRings/churn-dev-state/cryptoKeys/state",
    }


def test_a_bucket_of_the_users_own_is_used_below_its_prefix() -> None:
    found = asked(state={"backend": "gcs", "settings": {"bucket": "ours", "prefix": "ml/"}})
    backends = {linked.stack.concern: linked.stack.backend.config for linked in found.stacks}
    assert "state" not in backends
    assert backends["security"] == {"bucket": "ours", "prefix": "ml/churn/dev/security"}


def test_with_googles_keys_no_key_is_named() -> None:
    found = asked(security={"encryption": "provider"})
    assert "encryption" not in arguments(found, "state", "google_storage_bucket.state")
    backends = {linked.stack.concern: linked.stack.backend.config for linked in found.stacks}
    assert "kms_encryption_key" not in backends["network"]
