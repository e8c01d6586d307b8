resource "aws_bedrock_guardrail" "main" {
  name                      = local.name
  description               = local.changed ? "Keeps people safe" : "Keeps safe"
  blocked_input_messaging   = "This can't be asked."
  blocked_outputs_messaging = "This can't be answered."
  kms_key_arn               = aws_kms_key.main.arn
  content_policy_config {
    dynamic "filters_config" {
      for_each = toset(["HATE", "INSULTS", "SEXUAL", "VIOLENCE", "MISCONDUCT"])
      content {
        type            = filters_config.key
        input_strength  = "HIGH"
        output_strength = "HIGH"
      }
    }
    filters_config {
      type            = "PROMPT_ATTACK"
      input_strength  = "HIGH"
      output_strength = "NONE"
    }
  }
  sensitive_information_policy_config {
    pii_entities_config {
      type   = "EMAIL"
      action = "ANONYMIZE"
    }
    regexes_config {
      name        = "ticket"
      description = "Numbers of tickets" # the provider fails where there is none
      pattern     = "T-[0-9]{6}"
      action      = "BLOCK"
    }
  }
  topic_policy_config {
    topics_config {
      name       = "advice"
      definition = "Advice about money"
      examples   = ["What should I buy?"]
      type       = "DENY"
    }
  }
  word_policy_config {
    managed_word_lists_config {
      type = "PROFANITY"
    }
    words_config {
      text = "secret"
    }
  }
  contextual_grounding_policy_config {
    filters_config {
      type      = "GROUNDING"
      threshold = 0.75
    }
  }
}

resource "aws_bedrock_guardrail_version" "main" {
  guardrail_arn = aws_bedrock_guardrail.main.guardrail_arn
  description   = "first"
}

resource "aws_bedrock_model_invocation_logging_configuration" "main" {
  logging_config {
    text_data_delivery_enabled      = true
    embedding_data_delivery_enabled = true
    image_data_delivery_enabled     = true
    cloudwatch_config {
      log_group_name = aws_cloudwatch_log_group.main["bedrock"].name
      role_arn       = aws_iam_role.main.arn
    }
    s3_config {
      bucket_name = aws_s3_bucket.main["logs"].id
      key_prefix  = "bedrock"
    }
  }
}

resource "aws_opensearchserverless_security_policy" "encryption" {
  name = "${local.name}-key"
  type = "encryption"
  policy = jsonencode({
    Rules       = [{ ResourceType = "collection", Resource = ["collection/${local.name}-*"] }]
    AWSOwnedKey = false
    KmsARN      = aws_kms_key.main.arn
  })
}

resource "aws_opensearchserverless_vpc_endpoint" "main" {
  name               = local.name
  vpc_id             = aws_vpc.main.id
  subnet_ids         = aws_subnet.private[*].id
  security_group_ids = [aws_security_group.workloads.id]
}

resource "aws_opensearchserverless_security_policy" "network" {
  name        = "${local.name}-net"
  type        = "network"
  description = local.changed ? "From inside only" : "From inside"
  policy = jsonencode([{
    Rules           = [{ ResourceType = "collection", Resource = ["collection/${local.name}-kb"] }]
    AllowFromPublic = false
    SourceVPCEs     = [aws_opensearchserverless_vpc_endpoint.main.id]
  }])
}

resource "aws_opensearchserverless_access_policy" "data" {
  name = "${local.name}-data"
  type = "data"
  policy = jsonencode([{
    Rules = [{
      ResourceType = "index"
      Resource     = ["index/${local.name}-kb/*"]
      Permission   = concat(["aoss:DescribeIndex", "aoss:ReadDocument"], local.changed ? ["aoss:WriteDocument"] : [])
    }]
    Principal = [aws_iam_role.main.arn]
  }])
}

resource "aws_opensearchserverless_collection" "main" {
  name             = "${local.name}-kb"
  type             = "VECTORSEARCH"
  standby_replicas = "DISABLED"
  depends_on       = [aws_opensearchserverless_security_policy.encryption, aws_opensearchserverless_security_policy.network]
}

resource "aws_bedrockagent_knowledge_base" "main" {
  name        = local.name
  description = local.changed ? "What the team has written" : "What the team writes"
  role_arn    = aws_iam_role.main.arn
  knowledge_base_configuration {
    type = "VECTOR"
    vector_knowledge_base_configuration {
      embedding_model_arn = "arn:${local.partition}:bedrock:${local.region}::foundation-model/amazon.titan-embed-text-v2:0"
    }
  }
  storage_configuration {
    type = "OPENSEARCH_SERVERLESS"
    opensearch_serverless_configuration {
      collection_arn    = aws_opensearchserverless_collection.main.arn
      vector_index_name = "kb"
      field_mapping {
        vector_field   = "vector"
        text_field     = "text"
        metadata_field = "metadata"
      }
    }
  }
}

resource "aws_bedrockagent_data_source" "main" {
  name                 = "${local.name}-documents"
  description          = local.changed ? "Everything under kb" : null
  knowledge_base_id    = aws_bedrockagent_knowledge_base.main.id
  data_deletion_policy = "RETAIN"
  data_source_configuration {
    type = "S3"
    s3_configuration {
      bucket_arn         = aws_s3_bucket.main["data"].arn
      inclusion_prefixes = ["kb/"]
    }
  }
  server_side_encryption_configuration {
    kms_key_arn = aws_kms_key.main.arn
  }
}

resource "aws_bedrockagent_prompt" "main" {
  name                        = "${local.name}-summary"
  description                 = local.changed ? "Sums up" : null
  customer_encryption_key_arn = aws_kms_key.main.arn
  default_variant             = "v1"
  variant {
    name          = "v1"
    template_type = "TEXT"
    model_id      = "anthropic.claude-3-haiku-20240307-v1:0"
    template_configuration {
      text {
        text = "Sum up: {{text}}"
        input_variable {
          name = "text"
        }
      }
    }
  }
}

resource "aws_bedrockagent_agent" "main" {
  agent_name                  = local.name
  agent_resource_role_arn     = aws_iam_role.main.arn
  foundation_model            = "anthropic.claude-3-haiku-20240307-v1:0"
  instruction                 = "Answer questions about the platform from the knowledge base only."
  description                 = local.changed ? "Answers" : null
  customer_encryption_key_arn = aws_kms_key.main.arn
  idle_session_ttl_in_seconds = 600
  prepare_agent               = true
  guardrail_configuration = [{
    guardrail_identifier = aws_bedrock_guardrail.main.guardrail_id
    guardrail_version    = aws_bedrock_guardrail_version.main.version
  }]
}
