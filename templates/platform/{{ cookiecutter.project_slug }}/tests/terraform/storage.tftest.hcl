mock_provider "aws" {
  source = "./mocks/aws"
}

# The other stacks: each of their outputs is told by its own name.
mock_provider "terraform" {
  source = "./mocks/stacks"
}

run "buckets_are_closed" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for block in [
        aws_s3_bucket_public_access_block.data,
        aws_s3_bucket_public_access_block.artifacts,
        aws_s3_bucket_public_access_block.logs,
      ] : [block.block_public_acls, block.block_public_policy, block.ignore_public_acls, block.restrict_public_buckets]
    ]))
    error_message = "A bucket could be opened to the public."
  }
  assert {
    condition = alltrue([
      for controls in [
        aws_s3_bucket_ownership_controls.data,
        aws_s3_bucket_ownership_controls.artifacts,
        aws_s3_bucket_ownership_controls.logs,
      ] : one(controls.rule).object_ownership == "BucketOwnerEnforced"
    ])
    error_message = "A bucket's objects could belong to others, or have access lists."
  }
  assert {
    condition = alltrue([
      for policy in [
        data.aws_iam_policy_document.bucket-data,
        data.aws_iam_policy_document.bucket-artifacts,
        data.aws_iam_policy_document.bucket-logs,
        ] : anytrue([
          for statement in policy.statement : statement.effect == "Deny" && anytrue([for condition in statement.condition : condition.variable == "aws:SecureTransport"])
      ])
    ])
    error_message = "A bucket answers without TLS."
  }
  assert {
    condition = alltrue([
      for statement in concat(data.aws_iam_policy_document.bucket-data.statement, data.aws_iam_policy_document.bucket-artifacts.statement) : statement.effect == "Deny"
    ])
    error_message = "A bucket's own policy lets somebody in."
  }
}

run "data_is_encrypted_and_kept" {
  command = plan

  assert {
    condition = alltrue([
      for encryption in [
        aws_s3_bucket_server_side_encryption_configuration.data,
        aws_s3_bucket_server_side_encryption_configuration.artifacts,
      ] : endswith(one(one(encryption.rule).apply_server_side_encryption_by_default).kms_master_key_id, "aws_kms_key_data_arn")
    ])
    error_message = "A bucket is not encrypted with the platform's key."
  }
  assert {
    condition = alltrue([
      for versioning in [
        aws_s3_bucket_versioning.data,
        aws_s3_bucket_versioning.artifacts,
        aws_s3_bucket_versioning.logs,
      ] : one(versioning.versioning_configuration).status == "Enabled"
    ])
    error_message = "An object that is overwritten is lost."
  }
}

run "access_is_recorded" {
  command = plan

  assert {
    condition     = aws_s3_bucket_logging.data.target_prefix != aws_s3_bucket_logging.artifacts.target_prefix
    error_message = "The records of access to the buckets are mixed up."
  }
}
