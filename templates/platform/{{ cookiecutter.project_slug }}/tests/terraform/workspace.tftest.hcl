mock_provider "aws" {
  source = "./mocks/aws"
}

# The other stacks: each of their outputs is told by its own name.
mock_provider "terraform" {
  source = "./mocks/stacks"
}

run "studio_is_inside_the_network" {
  command = plan

  assert {
    condition     = aws_sagemaker_domain.main.app_network_access_type == "VpcOnly"
    error_message = "Notebooks reach the internet past the network."
  }
  assert {
    condition     = aws_sagemaker_domain.main.vpc_id == "aws_vpc_main_id" && aws_sagemaker_domain.main.subnet_ids == toset(["aws_subnet_private-1_id", "aws_subnet_private-2_id", "aws_subnet_private-3_id"])
    error_message = "The domain is not in the platform's private subnets."
  }
  assert {
    condition     = one(one(aws_sagemaker_domain.main.domain_settings).docker_settings).enable_docker_access == "DISABLED"
    error_message = "Notebooks can start containers of their own."
  }
}

run "home_files_are_encrypted_and_not_shared" {
  command = plan

  assert {
    condition     = endswith(aws_sagemaker_domain.main.kms_key_id, "aws_kms_key_data_arn")
    error_message = "Home files are not encrypted with the platform's key."
  }
  assert {
    condition     = one(one(aws_sagemaker_domain.main.default_user_settings).sharing_settings).notebook_output_option == "Disabled"
    error_message = "What a notebook shows is stored with the notebook when it is shared."
  }
  assert {
    condition     = one(aws_sagemaker_space.scientist-1.space_sharing_settings).sharing_type == "Private"
    error_message = "A user's space is everybody's."
  }
}

run "machines_that_nobody_uses_stop" {
  command = plan

  assert {
    condition = alltrue([
      for settings in [
        one(one(aws_sagemaker_domain.main.default_user_settings).jupyter_lab_app_settings),
        one(one(aws_sagemaker_domain.main.default_user_settings).code_editor_app_settings),
        ] : alltrue([
          one(one(settings.app_lifecycle_management).idle_settings).lifecycle_management == "ENABLED",
          one(one(settings.app_lifecycle_management).idle_settings).idle_timeout_in_minutes <= 120,
      ])
    ])
    error_message = "A machine that nobody uses runs for more than two hours."
  }
}
