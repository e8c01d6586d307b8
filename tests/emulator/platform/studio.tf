resource "aws_sagemaker_studio_lifecycle_config" "idle" {
  studio_lifecycle_config_name     = "${local.name}-idle"
  studio_lifecycle_config_app_type = "JupyterLab"
  studio_lifecycle_config_content  = base64encode("#!/bin/bash\nset -eu\n")
}

resource "aws_sagemaker_domain" "main" {
  domain_name             = local.name
  auth_mode               = "IAM"
  vpc_id                  = aws_vpc.main.id
  subnet_ids              = aws_subnet.private[*].id
  app_network_access_type = "VpcOnly"
  kms_key_id              = aws_kms_key.main.arn
  tag_propagation         = "ENABLED"

  default_user_settings {
    execution_role      = aws_iam_role.main.arn
    security_groups     = [aws_security_group.workloads.id]
    studio_web_portal   = "ENABLED"
    default_landing_uri = "studio::"
    sharing_settings {
      notebook_output_option = "Disabled"
    }
    jupyter_lab_app_settings {
      lifecycle_config_arns = [aws_sagemaker_studio_lifecycle_config.idle.arn]
      default_resource_spec {
        instance_type        = "ml.t3.medium"
        lifecycle_config_arn = aws_sagemaker_studio_lifecycle_config.idle.arn
      }
      app_lifecycle_management {
        idle_settings {
          lifecycle_management        = "ENABLED"
          idle_timeout_in_minutes     = local.changed ? 90 : 60
          min_idle_timeout_in_minutes = 60
          max_idle_timeout_in_minutes = 240
        }
      }
    }
    code_editor_app_settings {
      default_resource_spec {
        instance_type = "ml.t3.medium"
      }
    }
    space_storage_settings {
      default_ebs_storage_settings {
        default_ebs_volume_size_in_gb = 20
        maximum_ebs_volume_size_in_gb = 100
      }
    }
  }
  default_space_settings {
    execution_role  = aws_iam_role.main.arn
    security_groups = [aws_security_group.workloads.id]
  }
  domain_settings {
    execution_role_identity_config = "USER_PROFILE_NAME"
    security_group_ids             = [aws_security_group.workloads.id]
    docker_settings {
      enable_docker_access = "DISABLED"
    }
  }
  retention_policy {
    home_efs_file_system = "Delete"
  }
}

resource "aws_sagemaker_user_profile" "people" {
  for_each          = toset(["ada", "grace"])
  domain_id         = aws_sagemaker_domain.main.id
  user_profile_name = each.key
  user_settings {
    execution_role  = aws_iam_role.main.arn
    security_groups = local.changed ? [] : [aws_security_group.workloads.id]
  }
  tags = { studiouser = each.key }
}

resource "aws_sagemaker_space" "ada" {
  domain_id          = aws_sagemaker_domain.main.id
  space_name         = "ada-lab"
  space_display_name = local.changed ? "Ada's lab" : null
  ownership_settings {
    owner_user_profile_name = aws_sagemaker_user_profile.people["ada"].user_profile_name
  }
  space_sharing_settings {
    sharing_type = "Private"
  }
  space_settings {
    app_type = "JupyterLab"
    jupyter_lab_app_settings {
      default_resource_spec {
        instance_type = "ml.t3.medium"
      }
    }
    space_storage_settings {
      ebs_storage_settings {
        ebs_volume_size_in_gb = 20
      }
    }
  }
}

resource "aws_sagemaker_code_repository" "main" {
  code_repository_name = "${local.name}-code"
  git_config {
    repository_url = "https://example.com/team/code.git"
    branch         = "main"
    secret_arn     = aws_secretsmanager_secret.git.arn
  }
}

resource "aws_sagemaker_notebook_instance_lifecycle_configuration" "stop" {
  name     = "${local.name}-stop"
  on_start = base64encode("#!/bin/bash\nset -eu\n")
}

resource "aws_sagemaker_notebook_instance" "main" {
  name                    = "${local.name}-box"
  role_arn                = aws_iam_role.main.arn
  instance_type           = "ml.t3.medium"
  subnet_id               = aws_subnet.private[0].id
  security_groups         = [aws_security_group.workloads.id]
  kms_key_id              = aws_kms_key.main.arn
  direct_internet_access  = "Disabled"
  root_access             = "Disabled"
  platform_identifier     = "notebook-al2-v3"
  volume_size             = 20
  lifecycle_config_name   = aws_sagemaker_notebook_instance_lifecycle_configuration.stop.name
  default_code_repository = aws_sagemaker_code_repository.main.code_repository_name
  instance_metadata_service_configuration {
    minimum_instance_metadata_service_version = "2"
  }
}
