"""Which arguments of AWS's resources protect data, which say how long it is kept, and which say where it is.

Data, as the provider's documentation has it (hashicorp/aws 5.100, November 2026); may not read a graph.
"""

from __future__ import annotations

from stacks.losses import Expiry, Losses

__all__ = ["LOSSES"]

DISABLED = (("status",), "Disabled")

LOSSES = Losses(
    guards=frozenset(
        {
            *("deletion_protection", "deletion_protection_enabled", "enable_deletion_protection"),
            *("skip_destroy", "object_lock_enabled"),
        }
    ),
    hazards=frozenset({"force_destroy", "force_delete", "skip_final_snapshot", "delete_automated_backups"}),
    policies={},
    windows=("deletion_window_in_days", "recovery_window_in_days", "backup_retention_period"),
    states={
        ("aws_s3_bucket_versioning", ("versioning_configuration", "status")): "Enabled",
        ("aws_sagemaker_domain", ("retention_policy", "home_efs_file_system")): "Retain",
    },
    places=frozenset({"region", "allowed_account_ids"}),
    expiries={
        "aws_s3_bucket_lifecycle_configuration": (
            Expiry(
                path=("rule", "expiration", "days"),
                loses="every object older than {} days",
                parent="bucket",
                sleeps=DISABLED,
            ),
            Expiry(
                path=("rule", "noncurrent_version_expiration", "noncurrent_days"),
                loses="every version replaced more than {} days ago",
                parent="bucket",
                sleeps=DISABLED,
            ),
        ),
        "aws_cloudwatch_log_group": (
            Expiry(path=("retention_in_days",), loses="every log older than {} days", zero_keeps=True),
        ),
        "aws_ecr_lifecycle_policy": (
            Expiry(
                path=("policy", "rules", "selection", "countNumber"),
                loses="the images that its rule no longer keeps: {} now",
                parent="repository",
            ),
        ),
    },
)
