mock_provider "aws" {
  source = "./mocks/aws"
}

# The other stacks: each of their outputs is told by its own name.
mock_provider "terraform" {
  source = "./mocks/stacks"
}

run "jobs_run_inside_the_network" {
  command = plan

  assert {
    condition = alltrue([
      for step in jsondecode(aws_sagemaker_pipeline.train.pipeline_definition).Steps :
      step.Arguments.NetworkConfig.VpcConfig.Subnets == ["aws_subnet_private-1_id", "aws_subnet_private-2_id", "aws_subnet_private-3_id"] && step.Arguments.NetworkConfig.EnableInterContainerTrafficEncryption
      if step.Type == "Processing"
    ])
    error_message = "A job runs outside of the network, or its machines talk in the clear."
  }
  assert {
    condition = alltrue([
      for step in jsondecode(aws_sagemaker_pipeline.train.pipeline_definition).Steps :
      step.Arguments.VpcConfig.Subnets == ["aws_subnet_private-1_id", "aws_subnet_private-2_id", "aws_subnet_private-3_id"] && step.Arguments.EnableInterContainerTrafficEncryption
      if step.Type == "Training"
    ])
    error_message = "Training runs outside of the network, or its machines talk in the clear."
  }
}

run "what_jobs_read_and_write_is_encrypted" {
  command = plan

  assert {
    condition = alltrue([
      for step in jsondecode(aws_sagemaker_pipeline.train.pipeline_definition).Steps :
      endswith(step.Arguments.ProcessingOutputConfig.KmsKeyId, "aws_kms_key_data_arn") && endswith(step.Arguments.ProcessingResources.ClusterConfig.VolumeKmsKeyId, "aws_kms_key_data_arn")
      if step.Type == "Processing"
    ])
    error_message = "What a job writes is not encrypted with the platform's key."
  }
  assert {
    condition = alltrue([
      for step in jsondecode(aws_sagemaker_pipeline.train.pipeline_definition).Steps :
      endswith(step.Arguments.OutputDataConfig.KmsKeyId, "aws_kms_key_data_arn") && endswith(step.Arguments.ResourceConfig.VolumeKmsKeyId, "aws_kms_key_data_arn")
      if step.Type == "Training"
    ])
    error_message = "What training writes is not encrypted with the platform's key."
  }
}

run "a_model_is_registered_only_if_it_is_good_enough_and_served_only_if_approved" {
  command = plan

  assert {
    condition = alltrue([
      for step in jsondecode(aws_sagemaker_pipeline.train.pipeline_definition).Steps : step.Type != "RegisterModel"
    ])
    error_message = "A model is registered without a look at its metrics."
  }
  assert {
    condition     = aws_sagemaker_model_package_group.{{ cookiecutter.name }}.tags["approval"] == "manual"
    error_message = "Nobody is asked before a version is approved."
  }
}
