"""Which arguments of Google Cloud's resources protect data, which say how long it is kept, and which say where it is.

Data, as the provider's documentation has it (hashicorp/google 8.7, November 2026); may not read a graph.
"""

from __future__ import annotations

from stacks.losses import Expiry, Losses

__all__ = ["LOSSES"]

DELETES = (("action", "type"), "Delete")

LOSSES = Losses(
    guards=frozenset({"deletion_protection", "deletion_protection_enabled"}),
    hazards=frozenset({"force_destroy", "delete_contents_on_destroy"}),
    policies={"deletion_policy": "PREVENT"},
    windows=(
        *("destroy_scheduled_duration", "retention_period"),
        ("soft_delete_policy", "retention_duration_seconds"),
        ("backup_configuration", "backup_retention_settings", "retained_backups"),
    ),
    states={
        ("google_storage_bucket", ("versioning", "enabled")): True,
        ("google_sql_database_instance", ("settings", "backup_configuration", "enabled")): True,
    },
    places=frozenset({"project", "region", "zone"}),
    expiries={
        "google_storage_bucket": (
            Expiry(
                path=("lifecycle_rule", "condition", "age"),
                loses="every object older than {} days",
                deletes=DELETES,
            ),
            Expiry(
                path=("lifecycle_rule", "condition", "days_since_noncurrent_time"),
                loses="every version replaced more than {} days ago",
                deletes=DELETES,
            ),
        ),
        "google_logging_project_bucket_config": (
            Expiry(path=("retention_days",), loses="every log older than {} days"),
        ),
        "google_artifact_registry_repository": (
            Expiry(
                path=("cleanup_policies", "most_recent_versions", "keep_count"),
                loses="the images that its rule no longer keeps: {} now",
            ),
            Expiry(
                path=("cleanup_policies", "condition", "older_than"),
                loses="the images that its rule no longer keeps: older than {} s",
                deletes=(("action",), "DELETE"),
            ),
        ),
        "google_bigquery_dataset": (
            Expiry(path=("default_table_expiration_ms",), loses="each new table after {} ms"),
        ),
    },
)
