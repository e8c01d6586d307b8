"""The registry stack. Written by write_cdktf_app.py beside this folder."""

from __future__ import annotations

import json

from cdktf import S3Backend, TerraformOutput, TerraformStack
from cdktf_cdktf_provider_aws.ecr_lifecycle_policy import EcrLifecyclePolicy
from cdktf_cdktf_provider_aws.ecr_repository import (
    EcrRepository,
    EcrRepositoryEncryptionConfiguration,
    EcrRepositoryImageScanningConfiguration,
)
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderDefaultTags
from constructs import Construct
from environment import Environment
from security_stack import SecurityStack
from state_stack import StateStack


class RegistryStack(TerraformStack):
    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        security: SecurityStack,
        state: StateStack,
    ) -> None:
        super().__init__(scope, f"{environment.prefix}-registry")
        self.add_dependency(security)
        self.add_dependency(state)
        S3Backend(
            self,
            bucket=f"{environment.prefix}-state-{environment.account}-eu-west-1",
            encrypt=True,
            key=f"{environment.name}/registry.tfstate",
            kms_key_id=f"arn:aws:kms:eu-west-1:{environment.account}:alias/{environment.prefix}/state",
            region="eu-west-1",
        )
        self.add_override("terraform.backend.s3.use_lockfile", True)
        AwsProvider(
            self,
            "aws",
            allowed_account_ids=[environment.account],
            default_tags=[
                AwsProviderDefaultTags(
                    tags={
                        "cost-center": "1234",
                        "environment": environment.name,
                        "managed-by": "scaffolder",
                        "owner": "growth-ml",
                        "platform": "churn",
                    },
                ),
            ],
            region="eu-west-1",
        )

        self.ecr_repository_serving = EcrRepository(
            self,
            "aws_ecr_repository_serving",
            encryption_configuration=[
                EcrRepositoryEncryptionConfiguration(
                    encryption_type="KMS",
                    kms_key=security.kms_key_data.arn,
                ),
            ],
            force_delete=True,
            image_scanning_configuration=EcrRepositoryImageScanningConfiguration(scan_on_push=True),
            image_tag_mutability="IMMUTABLE",
            name=f"{environment.prefix}/serving",
        )
        EcrLifecyclePolicy(
            self,
            "aws_ecr_lifecycle_policy_serving",
            policy=json.dumps(
                {
                    "rules": [
                        {
                            "action": {"type": "expire"},
                            "description": "Untagged images go after 7 days",
                            "rulePriority": 1,
                            "selection": {
                                "countNumber": 7,
                                "countType": "sinceImagePushed",
                                "countUnit": "days",
                                "tagStatus": "untagged",
                            },
                        },
                        {
                            "action": {"type": "expire"},
                            "description": "The newest 50 images stay",
                            "rulePriority": 2,
                            "selection": {
                                "countNumber": 50,
                                "countType": "imageCountMoreThan",
                                "tagStatus": "any",
                            },
                        },
                    ],
                },
            ),
            repository=self.ecr_repository_serving.name,
        )
        self.ecr_repository_training = EcrRepository(
            self,
            "aws_ecr_repository_training",
            encryption_configuration=[
                EcrRepositoryEncryptionConfiguration(
                    encryption_type="KMS",
                    kms_key=security.kms_key_data.arn,
                ),
            ],
            force_delete=True,
            image_scanning_configuration=EcrRepositoryImageScanningConfiguration(scan_on_push=True),
            image_tag_mutability="IMMUTABLE",
            name=f"{environment.prefix}/training",
        )
        EcrLifecyclePolicy(
            self,
            "aws_ecr_lifecycle_policy_training",
            policy=json.dumps(
                {
                    "rules": [
                        {
                            "action": {"type": "expire"},
                            "description": "Untagged images go after 7 days",
                            "rulePriority": 1,
                            "selection": {
                                "countNumber": 7,
                                "countType": "sinceImagePushed",
                                "countUnit": "days",
                                "tagStatus": "untagged",
                            },
                        },
                        {
                            "action": {"type": "expire"},
                            "description": "The newest 50 images stay",
                            "rulePriority": 2,
                            "selection": {
                                "countNumber": 50,
                                "countType": "imageCountMoreThan",
                                "tagStatus": "any",
                            },
                        },
                    ],
                },
            ),
            repository=self.ecr_repository_training.name,
        )

        TerraformOutput(
            self,
            "repository_arns",
            value={"serving": self.ecr_repository_serving.arn, "training": self.ecr_repository_training.arn},
        )
        TerraformOutput(
            self,
            "repository_urls",
            value={
                "serving": self.ecr_repository_serving.repository_url,
                "training": self.ecr_repository_training.repository_url,
            },
        )
