mock_provider "aws" {
  source = "./mocks/aws"
}

# The other stacks: each of their outputs is told by its own name.
mock_provider "terraform" {
  source = "./mocks/stacks"
}

override_resource {
  target          = aws_sns_topic.alerts
  override_during = plan
  values          = { arn = "arn:aws:sns:us-east-1:123456789012:alerts" }
}

run "alerts_are_encrypted_and_only_this_account_sends_them" {
  command = plan

  assert {
    condition     = endswith(aws_sns_topic.alerts.kms_master_key_id, "aws_kms_key_logs_arn")
    error_message = "Alerts are not encrypted with the key of the logs."
  }
  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.topic-alerts.statement : statement.effect == "Deny" || statement.sid == "Rules" || anytrue([
        for condition in statement.condition : condition.variable == "aws:SourceAccount"
      ])
      ]) && anytrue([
      for statement in data.aws_iam_policy_document.topic-alerts.statement : statement.effect == "Deny" && anytrue([
        for condition in statement.condition : condition.variable == "aws:SourceAccount"
      ])
    ])
    error_message = "Another account can send alerts."
  }
  assert {
    condition     = anytrue([for statement in data.aws_iam_policy_document.topic-alerts.statement : statement.effect == "Deny" && anytrue([for condition in statement.condition : condition.variable == "aws:SecureTransport"])])
    error_message = "Alerts are taken without TLS."
  }
  assert {
    condition     = aws_sns_topic_subscription.email-1.endpoint == "{{ cookiecutter.email }}"
    error_message = "Nobody hears of alerts."
  }
}

run "spending_is_watched" {
  command = plan

  assert {
    condition     = aws_budgets_budget.monthly.time_unit == "MONTHLY" && tonumber(aws_budgets_budget.monthly.limit_amount) <= 2000
    error_message = "The monthly budget is more than 2,000: if you want that, say so here too."
  }
  assert {
    condition = alltrue([
      for type in ["ACTUAL", "FORECASTED"] : anytrue([
        for notification in aws_budgets_budget.monthly.notification : notification.notification_type == type && notification.threshold <= 100
      ])
    ])
    error_message = "Nobody hears in time that the budget is spent, or will be."
  }
}

run "what_should_happen_by_itself_does" {
  command = plan

  assert {
    condition = alltrue([
      for rule in [
        aws_cloudwatch_event_rule.schedule-train,
        aws_cloudwatch_event_rule.approved-{{ cookiecutter.name }},
        aws_cloudwatch_event_rule.pipeline-failed-1,
      ] : rule.state == "ENABLED"
    ])
    error_message = "Something that should happen by itself is turned off."
  }
  assert {
    condition     = endswith(aws_cloudwatch_event_target.schedule-train--pipeline.role_arn, "aws_iam_role_triggers_arn")
    error_message = "The schedule starts its pipeline with another role than the one for that."
  }
  assert {
    condition     = endswith(aws_sqs_queue.triggers.kms_master_key_id, "aws_kms_key_logs_arn")
    error_message = "Events that reached nobody are not encrypted with the key of the logs."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.undelivered.threshold == 0 && length(aws_cloudwatch_metric_alarm.undelivered.alarm_actions) > 0
    error_message = "Nobody hears of events that reached nobody."
  }
}
