mock_provider "aws" {
  source = "./mocks/aws"
}

# The other stacks: each of their outputs is told by its own name.
mock_provider "terraform" {
  source = "./mocks/stacks"
}

override_resource {
  target          = aws_kms_key.logs
  override_during = plan
  values          = { arn = "arn:aws:kms:us-east-1:123456789012:key/logs" }
}

run "keys_are_rotated_and_not_lost_by_a_slip" {
  command = plan

  assert {
    condition     = alltrue([for key in [aws_kms_key.data, aws_kms_key.logs] : key.enable_key_rotation])
    error_message = "A key is not rotated."
  }
  assert {
    condition     = alltrue([for key in [aws_kms_key.data, aws_kms_key.logs] : key.deletion_window_in_days == 30])
    error_message = "A key, and all that it encrypts, is gone within days of its deletion."
  }
}

run "everything_done_is_recorded" {
  command = plan

  assert {
    condition     = aws_cloudtrail.audit.enable_logging && aws_cloudtrail.audit.is_multi_region_trail && aws_cloudtrail.audit.include_global_service_events
    error_message = "The trail does not record all regions and global services."
  }
  assert {
    condition     = aws_cloudtrail.audit.enable_log_file_validation
    error_message = "Nobody could tell that the trail's files were changed."
  }
  assert {
    condition     = aws_cloudtrail.audit.kms_key_id == aws_kms_key.logs.arn && aws_cloudwatch_log_group.audit.kms_key_id == aws_kms_key.logs.arn
    error_message = "The trail is not encrypted with the key of the logs."
  }
  assert {
    condition     = aws_cloudwatch_log_group.audit.retention_in_days >= 365
    error_message = "The trail is kept for less than a year where alarms read it."
  }
}

run "the_records_are_closed_and_kept" {
  command = plan

  assert {
    condition     = alltrue([for name in ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"] : aws_s3_bucket_public_access_block.audit[name]])
    error_message = "The trail's bucket could be opened to the public."
  }
  assert {
    condition     = one(aws_s3_bucket_versioning.audit.versioning_configuration).status == "Enabled"
    error_message = "A file of the trail that is overwritten is lost."
  }
  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.audit.rule).apply_server_side_encryption_by_default).kms_master_key_id == aws_kms_key.logs.arn
    error_message = "The trail's files are not encrypted with the key of the logs."
  }
}
{%- if cookiecutter.ci != "none" %}

run "no_role_of_ours_gets_beyond_the_ceiling" {
  command = plan

  assert {
    condition = alltrue([
      for action in ["cloudtrail:StopLogging", "kms:ScheduleKeyDeletion", "s3:PutBucketPublicAccessBlock", "iam:Create*"] : anytrue([
        for statement in data.aws_iam_policy_document.boundary.statement : statement.effect == "Deny" && contains(statement.actions, action)
      ])
    ])
    error_message = "The ceiling lets a role stop the records, delete keys, open buckets or make roles."
  }
  assert {
    condition     = alltrue([for statement in data.aws_iam_policy_document.boundary.statement : statement.effect == "Deny" || !contains(statement.actions, "*")])
    error_message = "The ceiling is no ceiling."
  }
}
{%- endif %}
