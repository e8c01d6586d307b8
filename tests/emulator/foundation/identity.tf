locals {
  roles = {
    flow-logs  = { service = "vpc-flow-logs.amazonaws.com", actions = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"], resources = ["${aws_cloudwatch_log_group.main["flow"].arn}:*"] }
    cloudtrail = { service = "cloudtrail.amazonaws.com", actions = ["logs:CreateLogStream", "logs:PutLogEvents"], resources = ["${aws_cloudwatch_log_group.main["trail"].arn}:log-stream:*"] }
    training   = { service = "sagemaker.amazonaws.com", actions = ["s3:GetObject"], resources = ["${aws_s3_bucket.main["data"].arn}/*"] }
    pipelines  = { service = "sagemaker.amazonaws.com", actions = ["s3:PutObject"], resources = ["${aws_s3_bucket.main["artifacts"].arn}/pipelines/*"] }
    events     = { service = "events.amazonaws.com", actions = ["sqs:SendMessage"], resources = [aws_sqs_queue.undelivered.arn] }
  }
}

data "aws_iam_policy_document" "boundary" {
  statement {
    sid       = "Ceiling"
    actions   = ["sagemaker:*", "s3:*", "logs:*", "sqs:*", "iam:PassRole"]
    resources = ["*"]
    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:RequestedRegion"
      values   = [local.region]
    }
  }
}

resource "aws_iam_policy" "boundary" {
  name        = "${local.name}-boundary"
  description = "The most that any role of the platform may do"
  policy      = data.aws_iam_policy_document.boundary.json
}

data "aws_iam_policy_document" "trust" {
  for_each = local.roles
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = [each.value.service]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

data "aws_iam_policy_document" "role" {
  for_each = local.roles
  statement {
    actions   = each.value.actions
    resources = each.value.resources
  }
}

resource "aws_iam_role" "service" {
  for_each             = local.roles
  name                 = "${local.name}-${each.key}"
  assume_role_policy   = data.aws_iam_policy_document.trust[each.key].json
  permissions_boundary = aws_iam_policy.boundary.arn
  max_session_duration = 3600
}

resource "aws_iam_role_policy" "service" {
  for_each = local.roles
  name     = "work"
  role     = aws_iam_role.service[each.key].id
  policy   = data.aws_iam_policy_document.role[each.key].json
}

resource "aws_iam_openid_connect_provider" "ci" {
  for_each       = { github = "https://token.actions.githubusercontent.com", gitlab = "https://gitlab.com" }
  url            = each.value
  client_id_list = [each.key == "github" ? "sts.amazonaws.com" : "https://gitlab.com"]
}

data "aws_iam_policy_document" "ci_trust" {
  for_each = aws_iam_openid_connect_provider.ci
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [each.value.arn]
    }
    condition {
      test     = "StringEquals"
      variable = "${trimprefix(each.value.url, "https://")}:sub"
      values   = ["repo:example/churn:environment:test"]
    }
  }
}

resource "aws_iam_role" "ci" {
  for_each           = data.aws_iam_policy_document.ci_trust
  name               = "${local.name}-ci-${each.key}"
  assume_role_policy = each.value.json
}

resource "aws_iam_policy" "ci" {
  name   = "${local.name}-ci"
  policy = data.aws_iam_policy_document.role["pipelines"].json
}

resource "aws_iam_role_policy_attachment" "ci" {
  for_each   = aws_iam_role.ci
  role       = each.value.name
  policy_arn = aws_iam_policy.ci.arn
}

resource "aws_iam_role_policy_attachment" "ci_reads" {
  for_each   = aws_iam_role.ci
  role       = each.value.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/job-function/ViewOnlyAccess"
}
