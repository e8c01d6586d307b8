mock_provider "aws" {
  source = "./mocks/aws"
}

# The other stacks: each of their outputs is told by its own name.
mock_provider "terraform" {
  source = "./mocks/stacks"
}

run "images_are_what_they_were_when_they_were_checked" {
  command = plan

  assert {
    condition     = alltrue([for repository in [aws_ecr_repository.training, aws_ecr_repository.serving] : repository.image_tag_mutability == "IMMUTABLE"])
    error_message = "A tag can be moved to another image."
  }
  assert {
    condition     = alltrue([for repository in [aws_ecr_repository.training, aws_ecr_repository.serving] : one(repository.image_scanning_configuration).scan_on_push])
    error_message = "Images are not scanned."
  }
  assert {
    condition = alltrue([
      for repository in [aws_ecr_repository.training, aws_ecr_repository.serving] :
      one(repository.encryption_configuration).encryption_type == "KMS" && endswith(one(repository.encryption_configuration).kms_key, "aws_kms_key_data_arn")
    ])
    error_message = "Images are not encrypted with the platform's key."
  }
}

run "old_images_go_and_the_newest_stay" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for cleanup in [aws_ecr_lifecycle_policy.training, aws_ecr_lifecycle_policy.serving] : [
        for rule in jsondecode(cleanup.policy).rules : rule.selection.tagStatus == "untagged" || rule.selection.countType == "imageCountMoreThan" && rule.selection.countNumber >= 10
      ]
    ]))
    error_message = "Tagged images go by their age, or fewer than ten of them stay."
  }
}
