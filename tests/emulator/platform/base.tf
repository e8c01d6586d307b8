resource "aws_vpc" "main" {
  cidr_block = "10.50.0.0/16"
}

resource "aws_subnet" "private" {
  count             = 2
  vpc_id            = aws_vpc.main.id
  availability_zone = "${local.region}${["a", "b"][count.index]}"
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 4, count.index)
}

resource "aws_security_group" "workloads" {
  name        = "${local.name}-workloads"
  description = "Jobs, endpoints and people"
  vpc_id      = aws_vpc.main.id
}

resource "aws_kms_key" "main" {
  description         = local.name
  enable_key_rotation = true
}

resource "aws_s3_bucket" "main" {
  for_each      = toset(["data", "artifacts", "logs"])
  bucket        = "${local.name}-${each.key}-${local.account}"
  force_destroy = true
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["sagemaker.amazonaws.com", "events.amazonaws.com", "scheduler.amazonaws.com", "bedrock.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "main" {
  name               = local.name
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_glue_catalog_database" "features" {
  name        = "emulated_features"
  description = "The offline store"
}

resource "aws_secretsmanager_secret" "git" {
  name                    = "${local.name}/git"
  description             = local.changed ? "Reads the code" : "Reads code"
  kms_key_id              = aws_kms_key.main.arn
  recovery_window_in_days = 0
}

data "aws_iam_policy_document" "secret" {
  statement {
    effect    = "Deny"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
    condition {
      test     = "StringNotEquals"
      variable = "aws:PrincipalAccount"
      values   = [local.account]
    }
  }
}

resource "aws_secretsmanager_secret_policy" "git" {
  secret_arn = aws_secretsmanager_secret.git.arn
  policy     = data.aws_iam_policy_document.secret.json
}

resource "aws_secretsmanager_secret_version" "git" {
  secret_id                = aws_secretsmanager_secret.git.id
  secret_string_wo         = jsonencode({ username = "git", password = "set out of band" })
  secret_string_wo_version = var.revision
}
