data "aws_iam_policy_document" "key" {
  for_each = toset(["data", "logs", "state"])
  statement {
    sid       = "Account"
    actions   = ["kms:*"]
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = ["arn:${local.partition}:iam::${local.account}:root"]
    }
  }
  statement {
    sid       = "Services"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey*", "kms:DescribeKey"]
    resources = ["*"]
    principals {
      type        = "Service"
      identifiers = ["cloudtrail.amazonaws.com", "events.amazonaws.com", "sns.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
  dynamic "statement" {
    for_each = each.key == "logs" ? [1] : []
    content {
      sid       = "Logs"
      actions   = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
      resources = ["*"]
      principals {
        type        = "Service"
        identifiers = ["logs.${local.region}.amazonaws.com"]
      }
      condition {
        test     = "ArnLike"
        variable = "kms:EncryptionContext:aws:logs:arn"
        values   = ["arn:${local.partition}:logs:${local.region}:${local.account}:log-group:*"]
      }
    }
  }
}

resource "aws_kms_key" "main" {
  for_each                = data.aws_iam_policy_document.key
  description             = "${local.name} ${each.key}"
  enable_key_rotation     = true
  rotation_period_in_days = each.key == "data" ? 180 : null
  deletion_window_in_days = 30
  policy                  = each.value.json
}

resource "aws_kms_alias" "main" {
  for_each      = aws_kms_key.main
  name          = "alias/${local.name}-${each.key}"
  target_key_id = each.value.key_id
}

resource "aws_cloudwatch_log_group" "main" {
  for_each          = { flow = "/network/flow", trail = "/audit/trail" }
  name              = "/${local.name}${each.value}"
  retention_in_days = 365
  kms_key_id        = aws_kms_key.main["logs"].arn
}

resource "aws_cloudtrail" "main" {
  name                          = local.name
  s3_bucket_name                = aws_s3_bucket.main["logs"].id
  s3_key_prefix                 = "cloudtrail"
  kms_key_id                    = aws_kms_key.main["logs"].arn
  is_multi_region_trail         = true
  include_global_service_events = true
  enable_log_file_validation    = true
  cloud_watch_logs_group_arn    = "${aws_cloudwatch_log_group.main["trail"].arn}:*"
  cloud_watch_logs_role_arn     = aws_iam_role.service["cloudtrail"].arn
  sns_topic_name                = aws_sns_topic.alerts.name
  advanced_event_selector {
    name = "management"
    field_selector {
      field  = "eventCategory"
      equals = ["Management"]
    }
  }
  advanced_event_selector {
    name = "data"
    field_selector {
      field  = "eventCategory"
      equals = ["Data"]
    }
    field_selector {
      field  = "resources.type"
      equals = ["AWS::S3::Object"]
    }
    field_selector {
      field       = "resources.ARN"
      starts_with = ["${aws_s3_bucket.main["data"].arn}/"]
    }
  }
  insight_selector {
    insight_type = "ApiCallRateInsight"
  }
  depends_on = [aws_s3_bucket_policy.main]
}

resource "aws_ebs_encryption_by_default" "main" {
  enabled = true
}

resource "aws_ebs_default_kms_key" "main" {
  key_arn = aws_kms_key.main["data"].arn
}

resource "aws_s3_account_public_access_block" "main" {
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_iam_account_password_policy" "main" {
  minimum_password_length        = 16
  require_lowercase_characters   = true
  require_uppercase_characters   = true
  require_numbers                = true
  require_symbols                = true
  password_reuse_prevention      = 24
  max_password_age               = 90
  allow_users_to_change_password = true
}

resource "aws_accessanalyzer_analyzer" "main" {
  analyzer_name = local.name
  type          = "ACCOUNT"
}

resource "aws_guardduty_detector" "main" {
  enable                       = true
  finding_publishing_frequency = "FIFTEEN_MINUTES"
}

resource "aws_securityhub_account" "main" {
  enable_default_standards = false
}
