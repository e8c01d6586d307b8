"""Buckets and repositories: lifecycles, access logs, and what keeps a protected one."""

from __future__ import annotations

from tests.unit.stacks_gcp.asked import arguments, asked, nodes


def test_objects_move_go_and_leave_versions_as_asked() -> None:
    days = {"expire_after_days": 90, "archive_after_days": 40, "keep_versions_days": 20}
    found = asked(storage={"buckets": {"extra": days}})
    rules = arguments(found, "storage", "google_storage_bucket.extra")["lifecycle_rule"]
    by_action = {
        (rule["action"]["type"], rule["condition"].get("with_state")): rule["condition"] for rule in rules
    }
    assert by_action["Delete", "LIVE"]["age"] == 90
    assert by_action["Delete", "ARCHIVED"]["days_since_noncurrent_time"] == 20
    assert by_action["SetStorageClass", "LIVE"]["age"] == 40
    assert by_action["AbortIncompleteMultipartUpload", None]["age"] == 7


def test_access_is_logged_in_the_logs_bucket_which_google_may_write() -> None:
    found = asked()
    logging = arguments(found, "storage", "google_storage_bucket.data")["logging"]
    assert logging == {
        "log_bucket": "<google_storage_bucket.logs.name>",
        "log_object_prefix": "gcs-access/data",
    }
    grant = arguments(found, "storage", "google_storage_bucket_iam_member.logs-delivery")
    assert grant["member"] == "group:cloud-storage-analytics@google.com"


def test_only_the_logs_bucket_takes_objects_that_name_no_key() -> None:
    found = asked()
    strict = "google_managed_encryption_enforcement_config"
    assert strict in arguments(found, "storage", "google_storage_bucket.data")["encryption"]
    assert strict not in arguments(found, "storage", "google_storage_bucket.logs")["encryption"]


def test_a_protected_bucket_is_kept_by_terraform_and_by_the_provider() -> None:
    kept, free = (
        nodes(asked(deletion_protection=protected), "storage")["google_storage_bucket.data"]
        for protected in (True, False)
    )
    assert (kept.lifecycle.prevent_destroy, kept.arguments["deletion_policy"]) == (True, "PREVENT")
    assert kept.arguments["force_destroy"] is False
    assert (free.lifecycle.prevent_destroy, free.arguments["deletion_policy"]) == (False, "DELETE")


def test_tags_of_images_stay_and_untagged_ones_go() -> None:
    found = asked(containers={"repositories": ["training"], "keep_images": 12})
    repository = arguments(found, "registry", "google_artifact_registry_repository.training")
    assert repository["docker_config"] == {"immutable_tags": True}
    keep, delete = repository["cleanup_policies"]
    assert (keep["action"], keep["most_recent_versions"]) == ("KEEP", {"keep_count": 12})
    assert (delete["action"], delete["condition"]["tag_state"]) == ("DELETE", "UNTAGGED")
    assert repository["cleanup_policy_dry_run"] is False


def test_pipelines_have_a_repository_for_their_templates() -> None:
    plain = nodes(asked(), "registry")
    assert not [name for name in plain if "pipeline--templates" in name]
    found = asked(pipelines={"train": {"definition": "train.yaml"}})
    templates = arguments(found, "registry", "google_artifact_registry_repository.pipeline--templates")
    assert templates["format"] == "KFP"
    assert templates["kms_key_name"] == "<google_kms_crypto_key.data.id>"
