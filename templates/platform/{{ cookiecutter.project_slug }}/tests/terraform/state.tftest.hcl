mock_provider "aws" {
  source = "./mocks/aws"
}

# The other stacks: each of their outputs is told by its own name.
mock_provider "terraform" {
  source = "./mocks/stacks"
}

override_resource {
  target          = aws_kms_key.state
  override_during = plan
  values          = { arn = "arn:aws:kms:us-east-1:123456789012:key/state" }
}

run "the_bucket_is_closed" {
  command = plan

  assert {
    condition     = alltrue([for name in ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"] : aws_s3_bucket_public_access_block.state[name]])
    error_message = "The state bucket could be opened to the public."
  }
  assert {
    condition     = one(aws_s3_bucket_ownership_controls.state.rule).object_ownership == "BucketOwnerEnforced"
    error_message = "The state bucket's objects could belong to others, or have access lists."
  }
  assert {
    condition     = anytrue([for statement in data.aws_iam_policy_document.bucket-state.statement : statement.effect == "Deny" && anytrue([for condition in statement.condition : condition.variable == "aws:SecureTransport"])])
    error_message = "The state bucket answers without TLS."
  }
  assert {
    condition     = alltrue([for statement in data.aws_iam_policy_document.bucket-state.statement : statement.effect == "Deny"])
    error_message = "The state bucket's own policy lets somebody in."
  }
}

run "states_are_encrypted_and_kept" {
  command = plan

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.state.rule).apply_server_side_encryption_by_default).kms_master_key_id == aws_kms_key.state.arn
    error_message = "States are not encrypted with their own key."
  }
  assert {
    condition     = aws_kms_key.state.enable_key_rotation && aws_kms_key.state.deletion_window_in_days == 30
    error_message = "The key of the states is not rotated, or is gone within days of its deletion."
  }
  assert {
    condition     = one(aws_s3_bucket_versioning.state.versioning_configuration).status == "Enabled"
    error_message = "A state that is overwritten is lost."
  }
}
