resource "aws_sns_topic" "alerts" {
  name              = "${local.name}-alerts"
  kms_master_key_id = aws_kms_key.main["logs"].arn
}

data "aws_iam_policy_document" "topic" {
  statement {
    sid       = "Services"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alerts.arn]
    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com", "events.amazonaws.com", "cloudtrail.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

resource "aws_sns_topic_policy" "alerts" {
  arn    = aws_sns_topic.alerts.arn
  policy = data.aws_iam_policy_document.topic.json
}

resource "aws_sns_topic_subscription" "queue" {
  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "sqs"
  endpoint  = aws_sqs_queue.undelivered.arn
}

resource "aws_sqs_queue" "undelivered" {
  name                      = "${local.name}-undelivered"
  kms_master_key_id         = aws_kms_key.main["logs"].arn
  message_retention_seconds = 1209600
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "${local.name}-errors"
  alarm_description   = "Log events that say ERROR"
  namespace           = local.name
  metric_name         = "Errors"
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]
}

resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = "${local.name}-errors"
  log_group_name = aws_cloudwatch_log_group.main["trail"].name
  pattern        = "ERROR"
  metric_transformation {
    name      = "Errors"
    namespace = local.name
    value     = "1"
  }
}

resource "aws_cloudwatch_event_rule" "approved" {
  name        = "${local.name}-approved"
  description = "A model version was approved"
  state       = "ENABLED"
  event_pattern = jsonencode({
    source      = ["aws.sagemaker"]
    detail-type = ["SageMaker Model Package State Change"]
  })
}

resource "aws_cloudwatch_event_target" "approved" {
  rule      = aws_cloudwatch_event_rule.approved.name
  target_id = "alerts"
  arn       = aws_sns_topic.alerts.arn
  dead_letter_config {
    arn = aws_sqs_queue.undelivered.arn
  }
  retry_policy {
    maximum_event_age_in_seconds = 3600
    maximum_retry_attempts       = 3
  }
}
