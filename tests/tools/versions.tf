# What `terraform init` must be able to install before the tests marked `terraform` can run.
# .ci/run and tests/terraform_tool.py both probe with this file.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 6.0.0"
    }
  }
}
