resource "aws_signer_signing_profile" "main" {
  platform_id = "AWSLambda-SHA384-ECDSA"
  name_prefix = "emulated_"
}

resource "aws_lambda_code_signing_config" "main" {
  description = local.changed ? "Signed code only" : "Signed code"
  allowed_publishers {
    signing_profile_version_arns = [aws_signer_signing_profile.main.version_arn]
  }
  policies {
    untrusted_artifact_on_deployment = "Enforce"
  }
}

resource "aws_lambda_function" "deploy" {
  function_name                  = "${local.name}-deploy"
  role                           = aws_iam_role.main.arn
  runtime                        = "python3.13"
  handler                        = "deploy.handler"
  filename                       = "${path.module}/deploy.zip"
  source_code_hash               = filebase64sha256("${path.module}/deploy.zip")
  timeout                        = 30 * var.revision
  reserved_concurrent_executions = 5
  kms_key_arn                    = aws_kms_key.main.arn
  code_signing_config_arn        = aws_lambda_code_signing_config.main.arn
  dead_letter_config {
    target_arn = aws_sqs_queue.main["undelivered"].arn
  }
  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.main["events"].name
  }
  tracing_config {
    mode = "Active"
  }
  vpc_config {
    subnet_ids         = aws_subnet.private[*].id
    security_group_ids = [aws_security_group.workloads.id]
  }
}

resource "aws_lambda_permission" "events" {
  statement_id  = "events"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.deploy.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.pattern["approved"].arn
}

resource "aws_sfn_state_machine" "deploy" {
  name     = "${local.name}-deploy"
  role_arn = aws_iam_role.main.arn
  type     = "STANDARD"
  definition = jsonencode({
    Comment = "Deploys revision ${var.revision}"
    StartAt = "Stop"
    States  = { Stop = { Type = "Succeed" } }
  })
  logging_configuration {
    level                  = "ALL"
    include_execution_data = true
    log_destination        = "${aws_cloudwatch_log_group.main["events"].arn}:*"
  }
  tracing_configuration {
    enabled = true
  }
  encryption_configuration {
    type                              = "CUSTOMER_MANAGED_KMS_KEY"
    kms_key_id                        = aws_kms_key.main.arn
    kms_data_key_reuse_period_seconds = 300
  }
}
