resource "aws_appautoscaling_target" "realtime" {
  service_namespace  = "sagemaker"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  resource_id        = "endpoint/${aws_sagemaker_endpoint.realtime.name}/variant/primary"
  min_capacity       = 2
  max_capacity       = local.changed ? 8 : 6
}

resource "aws_appautoscaling_policy" "realtime" {
  name               = "${local.name}-invocations"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.realtime.service_namespace
  scalable_dimension = aws_appautoscaling_target.realtime.scalable_dimension
  resource_id        = aws_appautoscaling_target.realtime.resource_id
  target_tracking_scaling_policy_configuration {
    target_value       = 750
    scale_in_cooldown  = 300
    scale_out_cooldown = 60
    predefined_metric_specification {
      predefined_metric_type = "SageMakerVariantInvocationsPerInstance"
    }
  }
}

resource "aws_appautoscaling_scheduled_action" "night" {
  name               = "${local.name}-night"
  service_namespace  = aws_appautoscaling_target.realtime.service_namespace
  scalable_dimension = aws_appautoscaling_target.realtime.scalable_dimension
  resource_id        = aws_appautoscaling_target.realtime.resource_id
  schedule           = "cron(0 22 * * ? *)"
  scalable_target_action {
    min_capacity = 1
    max_capacity = 2
  }
}

resource "aws_sagemaker_data_quality_job_definition" "drift" {
  name     = "${local.name}-drift"
  role_arn = aws_iam_role.main.arn
  data_quality_app_specification {
    image_uri = "${local.account}.dkr.ecr.${local.region}.amazonaws.com/monitor:v1"
  }
  data_quality_baseline_config {
    constraints_resource {
      s3_uri = "s3://${aws_s3_bucket.main["artifacts"].id}/baseline/constraints.json"
    }
    statistics_resource {
      s3_uri = "s3://${aws_s3_bucket.main["artifacts"].id}/baseline/statistics.json"
    }
  }
  data_quality_job_input {
    endpoint_input {
      endpoint_name = aws_sagemaker_endpoint.realtime.name
    }
  }
  data_quality_job_output_config {
    kms_key_id = aws_kms_key.main.arn
    monitoring_outputs {
      s3_output {
        s3_uri = "s3://${aws_s3_bucket.main["data"].id}/monitoring"
      }
    }
  }
  job_resources {
    cluster_config {
      instance_count    = 1
      instance_type     = "ml.m5.large"
      volume_size_in_gb = 20
      volume_kms_key_id = aws_kms_key.main.arn
    }
  }
  network_config {
    enable_inter_container_traffic_encryption = true
    enable_network_isolation                  = false
    vpc_config {
      subnets            = aws_subnet.private[*].id
      security_group_ids = [aws_security_group.workloads.id]
    }
  }
  stopping_condition {
    max_runtime_in_seconds = 3600
  }
}

resource "aws_sagemaker_monitoring_schedule" "drift" {
  name = "${local.name}-drift"
  monitoring_schedule_config {
    monitoring_job_definition_name = aws_sagemaker_data_quality_job_definition.drift.name
    monitoring_type                = "DataQuality"
    schedule_config {
      schedule_expression = local.changed ? "cron(0 0 ? * * *)" : "cron(0 * ? * * *)"
    }
  }
}

locals {
  alarms = {
    "5xx"   = { metric = "Invocation5XXErrors", statistic = "Sum", extended = null, threshold = 5 }
    "4xx"   = { metric = "Invocation4XXErrors", statistic = "Sum", extended = null, threshold = 50 }
    latency = { metric = "ModelLatency", statistic = null, extended = "p95", threshold = 500000 }
  }
}

resource "aws_cloudwatch_metric_alarm" "endpoint" {
  for_each            = local.alarms
  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = "${each.value.metric} of the endpoint"
  namespace           = "AWS/SageMaker"
  metric_name         = each.value.metric
  dimensions          = { EndpointName = "${local.name}-realtime", VariantName = "primary" }
  statistic           = each.value.statistic
  extended_statistic  = each.value.extended
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  threshold           = each.value.threshold * var.revision
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]
}

resource "aws_cloudwatch_metric_alarm" "error_rate" {
  alarm_name          = "${local.name}-error-rate"
  alarm_description   = "Errors in percent"
  evaluation_periods  = 3
  threshold           = 1
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  metric_query {
    id          = "rate"
    expression  = "100 * errors / calls"
    label       = "Error rate"
    return_data = true
  }
  dynamic "metric_query" {
    for_each = { errors = "Invocation5XXErrors", calls = "Invocations" }
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/SageMaker"
        metric_name = metric_query.value
        period      = 60
        stat        = "Sum"
        dimensions  = { EndpointName = "${local.name}-realtime", VariantName = "primary" }
      }
    }
  }
}

resource "aws_cloudwatch_composite_alarm" "endpoint" {
  alarm_name        = "${local.name}-unhealthy"
  alarm_description = local.changed ? "Call somebody" : "Tell somebody"
  alarm_rule        = join(" OR ", [for alarm in aws_cloudwatch_metric_alarm.endpoint : "ALARM(\"${alarm.alarm_name}\")"])
  alarm_actions     = [aws_sns_topic.alerts.arn]
  ok_actions        = [aws_sns_topic.alerts.arn]
  actions_suppressor {
    alarm            = aws_cloudwatch_metric_alarm.error_rate.alarm_name
    extension_period = 60
    wait_period      = 120
  }
}

resource "aws_cloudwatch_dashboard" "main" {
  dashboard_name = local.name
  dashboard_body = jsonencode({ widgets = [{
    type = "metric", x = 0, y = 0, width = 12, height = 6
    properties = {
      region  = local.region
      title   = "Latency p95"
      stat    = "p95"
      period  = 60 * var.revision
      metrics = [["AWS/SageMaker", "ModelLatency", "EndpointName", "${local.name}-realtime", "VariantName", "primary"]]
    }
  }] })
}

resource "aws_cloudwatch_log_group" "main" {
  for_each          = toset(["endpoints", "bedrock", "events"])
  name              = "/${local.name}/${each.key}"
  retention_in_days = 365
  kms_key_id        = aws_kms_key.main.arn
}

resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = "${local.name}-errors"
  log_group_name = aws_cloudwatch_log_group.main["endpoints"].name
  pattern        = "ERROR"
  metric_transformation {
    name          = "Errors"
    namespace     = local.name
    value         = "1"
    default_value = "0"
    unit          = "Count"
  }
}
