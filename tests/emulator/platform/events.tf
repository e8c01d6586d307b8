resource "aws_sns_topic" "alerts" {
  name              = "${local.name}-alerts"
  display_name      = local.changed ? "Alerts of the platform" : "Alerts"
  kms_master_key_id = aws_kms_key.main.arn
}

data "aws_iam_policy_document" "topic" {
  statement {
    sid       = "Services"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alerts.arn]
    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com", "events.amazonaws.com", "budgets.amazonaws.com", "costalerts.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
  statement {
    sid       = "Tls"
    effect    = "Deny"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alerts.arn]
    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sns_topic_policy" "alerts" {
  arn    = aws_sns_topic.alerts.arn
  policy = data.aws_iam_policy_document.topic.json
}

resource "aws_sns_topic_subscription" "people" {
  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "email"
  endpoint  = "team@example.com"
}

resource "aws_sns_topic_subscription" "queue" {
  topic_arn            = aws_sns_topic.alerts.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.main["alerts"].arn
  raw_message_delivery = local.changed
  filter_policy        = jsonencode({ severity = ["high"] })
}

resource "aws_sqs_queue" "main" {
  for_each                          = toset(["undelivered", "alerts"])
  name                              = "${local.name}-${each.key}"
  kms_master_key_id                 = aws_kms_key.main.arn
  kms_data_key_reuse_period_seconds = 300
  message_retention_seconds         = 1209600
  redrive_allow_policy              = each.key == "undelivered" ? jsonencode({ redrivePermission = "allowAll" }) : null
}

data "aws_iam_policy_document" "queue" {
  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.main["undelivered"].arn]
    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

resource "aws_sqs_queue_policy" "undelivered" {
  queue_url = aws_sqs_queue.main["undelivered"].id
  policy    = data.aws_iam_policy_document.queue.json
}

resource "aws_cloudwatch_event_bus" "main" {
  name               = local.name
  kms_key_identifier = aws_kms_key.main.arn
}

locals {
  patterns = {
    approved = { source = ["aws.sagemaker"], detail-type = ["SageMaker Model Package State Change"], detail = { ModelPackageGroupName = ["${local.name}-churn"], ModelApprovalStatus = ["Approved"] } }
    drifted  = { source = ["aws.cloudwatch"], detail-type = ["CloudWatch Alarm State Change"], detail = { alarmName = [aws_cloudwatch_metric_alarm.error_rate.alarm_name], state = { value = ["ALARM"] } } }
    failed   = { source = ["aws.sagemaker"], detail-type = ["SageMaker Model Building Pipeline Execution Status Change"], detail = { currentPipelineExecutionStatus = ["Failed"] } }
  }
}

resource "aws_cloudwatch_event_rule" "pattern" {
  for_each      = local.patterns
  name          = "${local.name}-${each.key}"
  description   = "When something is ${each.key}"
  event_pattern = jsonencode(each.value)
  state         = "ENABLED"
}

resource "aws_cloudwatch_event_rule" "weekly" {
  name                = "${local.name}-weekly"
  description         = "Trains every week"
  schedule_expression = local.changed ? "rate(14 days)" : "rate(7 days)"
  state               = "ENABLED"
}

resource "aws_cloudwatch_event_target" "train" {
  for_each  = { approved = aws_cloudwatch_event_rule.pattern["approved"].name, drifted = aws_cloudwatch_event_rule.pattern["drifted"].name, weekly = aws_cloudwatch_event_rule.weekly.name }
  rule      = each.value
  target_id = "pipeline"
  arn       = aws_sagemaker_pipeline.train.arn
  role_arn  = aws_iam_role.main.arn
  sagemaker_pipeline_target {
    pipeline_parameter_list {
      name  = "ModelApprovalStatus"
      value = "PendingManualApproval"
    }
  }
  dead_letter_config {
    arn = aws_sqs_queue.main["undelivered"].arn
  }
  retry_policy {
    maximum_event_age_in_seconds = 3600
    maximum_retry_attempts       = 4
  }
}

resource "aws_cloudwatch_event_target" "tell" {
  rule      = aws_cloudwatch_event_rule.pattern["failed"].name
  target_id = "alerts"
  arn       = aws_sns_topic.alerts.arn
  input_transformer {
    input_paths    = { name = "$.detail.pipelineArn" }
    input_template = "\"pipeline <name> failed\""
  }
}

resource "aws_cloudwatch_event_archive" "main" {
  name             = local.name
  event_source_arn = aws_cloudwatch_event_bus.main.arn
  retention_days   = 30
}

resource "aws_scheduler_schedule_group" "main" {
  name = local.name
}

resource "aws_scheduler_schedule" "nightly" {
  name                         = "${local.name}-nightly"
  group_name                   = aws_scheduler_schedule_group.main.name
  schedule_expression          = local.changed ? "cron(0 3 * * ? *)" : "cron(0 2 * * ? *)"
  schedule_expression_timezone = "UTC"
  kms_key_arn                  = aws_kms_key.main.arn
  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 15
  }
  target {
    arn      = aws_sagemaker_pipeline.train.arn
    role_arn = aws_iam_role.main.arn
    sagemaker_pipeline_parameters {
      pipeline_parameter {
        name  = "MinAccuracy"
        value = "0.7"
      }
    }
    dead_letter_config {
      arn = aws_sqs_queue.main["undelivered"].arn
    }
    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 3
    }
  }
}

resource "aws_budgets_budget" "monthly" {
  name         = "${local.name}-monthly"
  budget_type  = "COST"
  limit_amount = local.changed ? "3000" : "2000"
  limit_unit   = "USD"
  time_unit    = "MONTHLY"
  cost_filter {
    name   = "TagKeyValue"
    values = ["user:project$emulated"]
  }
  dynamic "notification" {
    for_each = local.changed ? { ACTUAL = 90, FORECASTED = 100 } : { ACTUAL = 80, FORECASTED = 100 }
    content {
      comparison_operator        = "GREATER_THAN"
      threshold                  = notification.value
      threshold_type             = "PERCENTAGE"
      notification_type          = notification.key
      subscriber_email_addresses = ["team@example.com"]
      subscriber_sns_topic_arns  = [aws_sns_topic.alerts.arn]
    }
  }
}

resource "aws_ce_anomaly_monitor" "main" {
  name              = local.changed ? "${local.name}-services" : local.name
  monitor_type      = "DIMENSIONAL"
  monitor_dimension = "SERVICE"
}

resource "aws_ce_anomaly_subscription" "main" {
  name             = local.name
  frequency        = local.changed ? "WEEKLY" : "DAILY"
  monitor_arn_list = [aws_ce_anomaly_monitor.main.arn]
  subscriber {
    type    = "EMAIL"
    address = "team@example.com"
  }
  threshold_expression {
    dimension {
      key           = "ANOMALY_TOTAL_IMPACT_ABSOLUTE"
      match_options = ["GREATER_THAN_OR_EQUAL"]
      values        = ["100"]
    }
  }
}
