resource "aws_sagemaker_model_package_group" "main" {
  for_each                        = toset(["churn", "ranker"])
  model_package_group_name        = "${local.name}-${each.key}"
  model_package_group_description = "Versions of ${each.key}"
}

data "aws_iam_policy_document" "registry" {
  for_each = aws_sagemaker_model_package_group.main
  statement {
    sid       = "Read"
    actions   = concat(["sagemaker:DescribeModelPackage"], local.changed ? ["sagemaker:ListModelPackages"] : [])
    resources = [each.value.arn]
    principals {
      type        = "AWS"
      identifiers = ["arn:${local.partition}:iam::${local.account}:root"]
    }
  }
}

resource "aws_sagemaker_model_package_group_policy" "main" {
  for_each                 = data.aws_iam_policy_document.registry
  model_package_group_name = aws_sagemaker_model_package_group.main[each.key].model_package_group_name
  resource_policy          = each.value.json
}

locals {
  features = { customer_id = "String", event_time = "String", tenure = "Integral" }
  stores   = { both = [true, true], online = [true, false], offline = [false, true] }
}

resource "aws_sagemaker_feature_group" "main" {
  for_each                       = local.stores
  feature_group_name             = "${local.name}-${each.key}"
  record_identifier_feature_name = "customer_id"
  event_time_feature_name        = "event_time"
  role_arn                       = aws_iam_role.main.arn
  dynamic "feature_definition" {
    for_each = local.features
    content {
      feature_name = feature_definition.key
      feature_type = feature_definition.value
    }
  }
  dynamic "online_store_config" {
    for_each = each.value[0] ? [1] : []
    content {
      enable_online_store = true
      security_config {
        kms_key_id = aws_kms_key.main.arn
      }
      ttl_duration {
        unit  = "Days"
        value = local.changed ? 30 : 90
      }
    }
  }
  dynamic "offline_store_config" {
    for_each = each.value[1] ? [1] : []
    content {
      table_format = "Iceberg"
      s3_storage_config {
        s3_uri     = "s3://${aws_s3_bucket.main["data"].id}/features/"
        kms_key_id = aws_kms_key.main.arn
      }
      data_catalog_config {
        catalog    = "AwsDataCatalog"
        database   = aws_glue_catalog_database.features.name
        table_name = each.key
      }
    }
  }
}

resource "aws_sagemaker_mlflow_tracking_server" "main" {
  tracking_server_name            = local.name
  role_arn                        = aws_iam_role.main.arn
  artifact_store_uri              = "s3://${aws_s3_bucket.main["artifacts"].id}/mlflow"
  tracking_server_size            = local.changed ? "Medium" : "Small"
  automatic_model_registration    = false
  weekly_maintenance_window_start = "Sun:03:00"
}

locals {
  definition = jsonencode({
    Version  = "2020-12-01"
    Metadata = {}
    Parameters = [
      { Name = "MinAccuracy", Type = "Float", DefaultValue = local.changed ? 0.9 : 0.8 },
      { Name = "ModelApprovalStatus", Type = "String", DefaultValue = "PendingManualApproval" },
    ]
    Steps = [{ Name = "Stop", Type = "Fail", Arguments = { ErrorMessage = "nothing to train" } }]
  })
}

resource "aws_sagemaker_pipeline" "train" {
  pipeline_name         = "${local.name}-train"
  pipeline_display_name = "${local.name}-train"
  pipeline_description  = "Trains"
  role_arn              = aws_iam_role.main.arn
  pipeline_definition   = local.definition
  parallelism_configuration {
    max_parallel_execution_steps = 5
  }
}

resource "aws_sagemaker_model" "isolated" {
  name                     = "${local.name}-isolated"
  execution_role_arn       = aws_iam_role.main.arn
  enable_network_isolation = true
  primary_container {
    image          = "${local.account}.dkr.ecr.${local.region}.amazonaws.com/serve:v1"
    model_data_url = "s3://${aws_s3_bucket.main["artifacts"].id}/models/model.tar.gz"
    environment    = { LOG_LEVEL = "INFO" }
  }
  vpc_config {
    subnets            = aws_subnet.private[*].id
    security_group_ids = [aws_security_group.workloads.id]
  }
}

resource "aws_sagemaker_model" "open" {
  name               = "${local.name}-open"
  execution_role_arn = aws_iam_role.main.arn
  primary_container {
    image          = "${local.account}.dkr.ecr.${local.region}.amazonaws.com/serve:v1"
    model_data_url = "s3://${aws_s3_bucket.main["artifacts"].id}/models/model.tar.gz"
  }
}

resource "aws_sagemaker_endpoint_configuration" "realtime" {
  name_prefix = "${local.name}-realtime-"
  kms_key_arn = aws_kms_key.main.arn
  production_variants {
    variant_name           = "primary"
    model_name             = aws_sagemaker_model.isolated.name
    instance_type          = local.changed ? "ml.m7i.large" : "ml.m6i.large"
    initial_instance_count = 2
    initial_variant_weight = 1
    routing_config {
      routing_strategy = "LEAST_OUTSTANDING_REQUESTS"
    }
  }
  data_capture_config {
    enable_capture              = true
    initial_sampling_percentage = 20
    destination_s3_uri          = "s3://${aws_s3_bucket.main["data"].id}/capture"
    kms_key_id                  = aws_kms_key.main.arn
    capture_options {
      capture_mode = "Input"
    }
    capture_options {
      capture_mode = "Output"
    }
    capture_content_type_header {
      csv_content_types = ["text/csv"]
    }
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint_configuration" "async" {
  name = "${local.name}-async"
  production_variants {
    variant_name           = "primary"
    model_name             = aws_sagemaker_model.isolated.name
    instance_type          = "ml.g5.xlarge"
    initial_instance_count = 1
  }
  async_inference_config {
    output_config {
      s3_output_path  = "s3://${aws_s3_bucket.main["data"].id}/async/out"
      s3_failure_path = "s3://${aws_s3_bucket.main["data"].id}/async/failed"
      kms_key_id      = aws_kms_key.main.arn
      notification_config {
        success_topic = aws_sns_topic.alerts.arn
        error_topic   = aws_sns_topic.alerts.arn
      }
    }
    client_config {
      max_concurrent_invocations_per_instance = 4
    }
  }
}

resource "aws_sagemaker_endpoint_configuration" "serverless" {
  name = "${local.name}-serverless"
  production_variants {
    variant_name = "primary"
    model_name   = aws_sagemaker_model.open.name
    serverless_config {
      max_concurrency   = 5
      memory_size_in_mb = 2048
    }
  }
}

resource "aws_sagemaker_endpoint" "realtime" {
  name                 = "${local.name}-realtime"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.realtime.name
  deployment_config {
    blue_green_update_policy {
      termination_wait_in_seconds          = 300
      maximum_execution_timeout_in_seconds = 1800
      traffic_routing_configuration {
        type                     = "CANARY"
        wait_interval_in_seconds = 300
        canary_size {
          type  = "CAPACITY_PERCENT"
          value = 10
        }
      }
    }
    auto_rollback_configuration {
      alarms {
        alarm_name = aws_cloudwatch_metric_alarm.endpoint["5xx"].alarm_name
      }
    }
  }
}

resource "aws_sagemaker_endpoint" "other" {
  for_each = {
    async      = aws_sagemaker_endpoint_configuration.async.name
    serverless = aws_sagemaker_endpoint_configuration.serverless.name
  }
  name                 = "${local.name}-${each.key}"
  endpoint_config_name = each.value
}
