# The types of the whole platform with the arguments that the product emits for them, written for the emulator:
# what it can't serve shows here first. Not the product's output, which has tests of its own.

terraform {
  required_version = ">= 1.10"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }
}

provider "aws" {
  region = local.region
  default_tags {
    tags = { project = "emulated", environment = "test" }
  }
}

variable "revision" {
  description = "The second one changes in place whatever can be."
  type        = number
  default     = 1
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  name      = "emulated-ml"
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = "eu-west-1"
  changed   = var.revision > 1
}
