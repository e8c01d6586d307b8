# needs: aws_sagemaker_endpoint.{{ cookiecutter.name }}
mock_provider "aws" {
  source = "./mocks/aws"
}

# The other stacks: each of their outputs is told by its own name.
mock_provider "terraform" {
  source = "./mocks/stacks"
}

run "what_is_asked_and_answered_is_kept_encrypted" {
  command = plan

  assert {
    condition     = one(aws_sagemaker_endpoint_configuration.{{ cookiecutter.name }}.data_capture_config).enable_capture && one(aws_sagemaker_endpoint_configuration.{{ cookiecutter.name }}.data_capture_config).initial_sampling_percentage > 0
    error_message = "Nothing is captured, so that nobody could see drift."
  }
  assert {
    condition     = toset([for option in one(aws_sagemaker_endpoint_configuration.{{ cookiecutter.name }}.data_capture_config).capture_options : option.capture_mode]) == toset(["Input", "Output"])
    error_message = "Either requests or answers are not captured."
  }
  assert {
    condition     = endswith(one(aws_sagemaker_endpoint_configuration.{{ cookiecutter.name }}.data_capture_config).kms_key_id, "aws_kms_key_data_arn")
    error_message = "What is captured is not encrypted with the platform's key."
  }
  assert {
    condition     = endswith(aws_sagemaker_endpoint_configuration.{{ cookiecutter.name }}.kms_key_arn, "aws_kms_key_data_arn")
    error_message = "The endpoint's disks are not encrypted with the platform's key."
  }
}

run "the_model_is_inside_the_network_and_reaches_nothing" {
  command = plan

  assert {
    condition     = aws_sagemaker_model.{{ cookiecutter.name }}.enable_network_isolation
    error_message = "The model's code can reach other machines."
  }
  assert {
    condition     = one(aws_sagemaker_model.{{ cookiecutter.name }}.vpc_config).subnets == toset(["aws_subnet_private-1_id", "aws_subnet_private-2_id", "aws_subnet_private-3_id"])
    error_message = "The model is not in the platform's private subnets."
  }
}

run "a_bad_deployment_takes_itself_back" {
  command = plan

  assert {
    condition     = length(one(one(aws_sagemaker_endpoint.{{ cookiecutter.name }}.deployment_config).auto_rollback_configuration).alarms) > 0
    error_message = "A deployment that answers with errors stays."
  }
}
