"""The workspace stack. Written by write_cdktf_app.py beside this folder."""

from __future__ import annotations

from cdktf import S3Backend, TerraformOutput, TerraformStack
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderDefaultTags
from cdktf_cdktf_provider_aws.sagemaker_domain import (
    SagemakerDomain,
    SagemakerDomainDefaultSpaceSettings,
    SagemakerDomainDefaultUserSettings,
    SagemakerDomainDefaultUserSettingsCodeEditorAppSettings,
    SagemakerDomainDefaultUserSettingsCodeEditorAppSettingsAppLifecycleManagement,
    SagemakerDomainDefaultUserSettingsCodeEditorAppSettingsAppLifecycleManagementIdleSettings,
    SagemakerDomainDefaultUserSettingsCodeEditorAppSettingsDefaultResourceSpec,
    SagemakerDomainDefaultUserSettingsJupyterLabAppSettings,
    SagemakerDomainDefaultUserSettingsJupyterLabAppSettingsAppLifecycleManagement,
    SagemakerDomainDefaultUserSettingsJupyterLabAppSettingsAppLifecycleManagementIdleSettings,
    SagemakerDomainDefaultUserSettingsJupyterLabAppSettingsDefaultResourceSpec,
    SagemakerDomainDefaultUserSettingsSharingSettings,
    SagemakerDomainDefaultUserSettingsSpaceStorageSettings,
    SagemakerDomainDefaultUserSettingsSpaceStorageSettingsDefaultEbsStorageSettings,
    SagemakerDomainDomainSettings,
    SagemakerDomainDomainSettingsDockerSettings,
    SagemakerDomainRetentionPolicy,
)
from cdktf_cdktf_provider_aws.sagemaker_space import (
    SagemakerSpace,
    SagemakerSpaceOwnershipSettings,
    SagemakerSpaceSpaceSettings,
    SagemakerSpaceSpaceSettingsJupyterLabAppSettings,
    SagemakerSpaceSpaceSettingsJupyterLabAppSettingsDefaultResourceSpec,
    SagemakerSpaceSpaceSettingsSpaceStorageSettings,
    SagemakerSpaceSpaceSettingsSpaceStorageSettingsEbsStorageSettings,
    SagemakerSpaceSpaceSharingSettings,
)
from cdktf_cdktf_provider_aws.sagemaker_user_profile import (
    SagemakerUserProfile,
    SagemakerUserProfileUserSettings,
)
from constructs import Construct
from environment import Environment
from identity_stack import IdentityStack
from network_stack import NetworkStack
from security_stack import SecurityStack
from state_stack import StateStack


class WorkspaceStack(TerraformStack):
    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        identity: IdentityStack,
        network: NetworkStack,
        security: SecurityStack,
        state: StateStack,
    ) -> None:
        super().__init__(scope, f"{environment.prefix}-workspace")
        self.add_dependency(identity)
        self.add_dependency(network)
        self.add_dependency(security)
        self.add_dependency(state)
        S3Backend(
            self,
            bucket=f"{environment.prefix}-state-{environment.account}-eu-west-1",
            encrypt=True,
            key=f"{environment.name}/workspace.tfstate",
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

        sagemaker_domain_main = SagemakerDomain(
            self,
            "aws_sagemaker_domain_main",
            app_network_access_type="VpcOnly",
            auth_mode="IAM",
            default_space_settings=SagemakerDomainDefaultSpaceSettings(
                execution_role=identity.iam_role_workspace.arn,
                security_groups=[network.security_group_workloads.id],
            ),
            default_user_settings=SagemakerDomainDefaultUserSettings(
                code_editor_app_settings=SagemakerDomainDefaultUserSettingsCodeEditorAppSettings(
                    app_lifecycle_management=SagemakerDomainDefaultUserSettingsCodeEditorAppSettingsAppLifecycleManagement(
                        idle_settings=SagemakerDomainDefaultUserSettingsCodeEditorAppSettingsAppLifecycleManagementIdleSettings(
                            idle_timeout_in_minutes=60,
                            lifecycle_management="ENABLED",
                            max_idle_timeout_in_minutes=240,
                            min_idle_timeout_in_minutes=60,
                        ),
                    ),
                    default_resource_spec=SagemakerDomainDefaultUserSettingsCodeEditorAppSettingsDefaultResourceSpec(
                        instance_type="ml.m5.xlarge",
                    ),
                ),
                default_landing_uri="studio::",
                execution_role=identity.iam_role_workspace.arn,
                jupyter_lab_app_settings=SagemakerDomainDefaultUserSettingsJupyterLabAppSettings(
                    app_lifecycle_management=SagemakerDomainDefaultUserSettingsJupyterLabAppSettingsAppLifecycleManagement(
                        idle_settings=SagemakerDomainDefaultUserSettingsJupyterLabAppSettingsAppLifecycleManagementIdleSettings(
                            idle_timeout_in_minutes=60,
                            lifecycle_management="ENABLED",
                            max_idle_timeout_in_minutes=240,
                            min_idle_timeout_in_minutes=60,
                        ),
                    ),
                    default_resource_spec=SagemakerDomainDefaultUserSettingsJupyterLabAppSettingsDefaultResourceSpec(
                        instance_type="ml.m5.xlarge",
                    ),
                ),
                security_groups=[network.security_group_workloads.id],
                sharing_settings=SagemakerDomainDefaultUserSettingsSharingSettings(
                    notebook_output_option="Disabled",
                ),
                space_storage_settings=SagemakerDomainDefaultUserSettingsSpaceStorageSettings(
                    default_ebs_storage_settings=SagemakerDomainDefaultUserSettingsSpaceStorageSettingsDefaultEbsStorageSettings(
                        default_ebs_volume_size_in_gb=20,
                        maximum_ebs_volume_size_in_gb=100,
                    ),
                ),
                studio_web_portal="ENABLED",
            ),
            domain_name=f"{environment.prefix}",
            domain_settings=SagemakerDomainDomainSettings(
                docker_settings=SagemakerDomainDomainSettingsDockerSettings(enable_docker_access="DISABLED"),
                execution_role_identity_config="USER_PROFILE_NAME",
                security_group_ids=[network.security_group_workloads.id],
            ),
            kms_key_id=security.kms_key_data.arn,
            retention_policy=SagemakerDomainRetentionPolicy(home_efs_file_system="Delete"),
            subnet_ids=[
                network.subnet_private_1.id,
                network.subnet_private_2.id,
                network.subnet_private_3.id,
            ],
            tag_propagation="ENABLED",
            vpc_id=network.vpc_main.id,
        )
        sagemaker_user_profile_ada = SagemakerUserProfile(
            self,
            "aws_sagemaker_user_profile_ada",
            domain_id=sagemaker_domain_main.id,
            tags={"studiouser": "ada"},
            user_profile_name="ada",
            user_settings=SagemakerUserProfileUserSettings(
                execution_role=identity.iam_role_workspace.arn,
                security_groups=[network.security_group_workloads.id],
            ),
        )
        SagemakerSpace(
            self,
            "aws_sagemaker_space_ada",
            domain_id=sagemaker_domain_main.id,
            ownership_settings=SagemakerSpaceOwnershipSettings(
                owner_user_profile_name=sagemaker_user_profile_ada.user_profile_name,
            ),
            space_name="ada-lab",
            space_settings=SagemakerSpaceSpaceSettings(
                app_type="JupyterLab",
                jupyter_lab_app_settings=SagemakerSpaceSpaceSettingsJupyterLabAppSettings(
                    default_resource_spec=SagemakerSpaceSpaceSettingsJupyterLabAppSettingsDefaultResourceSpec(
                        instance_type="ml.m5.xlarge",
                    ),
                ),
                space_storage_settings=SagemakerSpaceSpaceSettingsSpaceStorageSettings(
                    ebs_storage_settings=SagemakerSpaceSpaceSettingsSpaceStorageSettingsEbsStorageSettings(
                        ebs_volume_size_in_gb=20,
                    ),
                ),
            ),
            space_sharing_settings=SagemakerSpaceSpaceSharingSettings(sharing_type="Private"),
        )
        sagemaker_user_profile_grace = SagemakerUserProfile(
            self,
            "aws_sagemaker_user_profile_grace",
            domain_id=sagemaker_domain_main.id,
            tags={"studiouser": "grace"},
            user_profile_name="grace",
            user_settings=SagemakerUserProfileUserSettings(
                execution_role=identity.iam_role_workspace.arn,
                security_groups=[network.security_group_workloads.id],
            ),
        )
        SagemakerSpace(
            self,
            "aws_sagemaker_space_grace",
            domain_id=sagemaker_domain_main.id,
            ownership_settings=SagemakerSpaceOwnershipSettings(
                owner_user_profile_name=sagemaker_user_profile_grace.user_profile_name,
            ),
            space_name="grace-lab",
            space_settings=SagemakerSpaceSpaceSettings(
                app_type="JupyterLab",
                jupyter_lab_app_settings=SagemakerSpaceSpaceSettingsJupyterLabAppSettings(
                    default_resource_spec=SagemakerSpaceSpaceSettingsJupyterLabAppSettingsDefaultResourceSpec(
                        instance_type="ml.m5.xlarge",
                    ),
                ),
                space_storage_settings=SagemakerSpaceSpaceSettingsSpaceStorageSettings(
                    ebs_storage_settings=SagemakerSpaceSpaceSettingsSpaceStorageSettingsEbsStorageSettings(
                        ebs_volume_size_in_gb=20,
                    ),
                ),
            ),
            space_sharing_settings=SagemakerSpaceSpaceSharingSettings(sharing_type="Private"),
        )

        TerraformOutput(self, "domain_id", value=sagemaker_domain_main.id)
        TerraformOutput(self, "domain_url", value=sagemaker_domain_main.url)
