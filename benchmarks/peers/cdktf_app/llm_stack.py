"""The llm stack. Written by write_cdktf_app.py beside this folder."""

from __future__ import annotations

import json

from cdktf import S3Backend, TerraformOutput, TerraformResourceLifecycle, TerraformStack
from cdktf_cdktf_provider_aws.bedrock_guardrail import (
    BedrockGuardrail,
    BedrockGuardrailContentPolicyConfig,
    BedrockGuardrailContentPolicyConfigFiltersConfig,
    BedrockGuardrailContextualGroundingPolicyConfig,
    BedrockGuardrailContextualGroundingPolicyConfigFiltersConfig,
    BedrockGuardrailSensitiveInformationPolicyConfig,
    BedrockGuardrailSensitiveInformationPolicyConfigPiiEntitiesConfig,
    BedrockGuardrailSensitiveInformationPolicyConfigRegexesConfig,
    BedrockGuardrailTopicPolicyConfig,
    BedrockGuardrailTopicPolicyConfigTopicsConfig,
    BedrockGuardrailWordPolicyConfig,
    BedrockGuardrailWordPolicyConfigManagedWordListsConfig,
)
from cdktf_cdktf_provider_aws.bedrock_guardrail_version import BedrockGuardrailVersion
from cdktf_cdktf_provider_aws.bedrock_model_invocation_logging_configuration import (
    BedrockModelInvocationLoggingConfiguration,
    BedrockModelInvocationLoggingConfigurationLoggingConfig,
    BedrockModelInvocationLoggingConfigurationLoggingConfigCloudwatchConfig,
    BedrockModelInvocationLoggingConfigurationLoggingConfigCloudwatchConfigLargeDataDeliveryS3Config,
)
from cdktf_cdktf_provider_aws.bedrockagent_data_source import (
    BedrockagentDataSource,
    BedrockagentDataSourceDataSourceConfiguration,
    BedrockagentDataSourceDataSourceConfigurationS3Configuration,
    BedrockagentDataSourceServerSideEncryptionConfiguration,
)
from cdktf_cdktf_provider_aws.bedrockagent_knowledge_base import (
    BedrockagentKnowledgeBase,
    BedrockagentKnowledgeBaseKnowledgeBaseConfiguration,
    BedrockagentKnowledgeBaseKnowledgeBaseConfigurationVectorKnowledgeBaseConfiguration,
    BedrockagentKnowledgeBaseKnowledgeBaseConfigurationVectorKnowledgeBaseConfigurationEmbeddingModelConfiguration,
    BedrockagentKnowledgeBaseKnowledgeBaseConfigurationVectorKnowledgeBaseConfigurationEmbeddingModelConfigurationBedrockEmbeddingModelConfiguration,
    BedrockagentKnowledgeBaseStorageConfiguration,
    BedrockagentKnowledgeBaseStorageConfigurationOpensearchServerlessConfiguration,
    BedrockagentKnowledgeBaseStorageConfigurationOpensearchServerlessConfigurationFieldMapping,
)
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
    DataAwsIamPolicyDocument,
    DataAwsIamPolicyDocumentStatement,
    DataAwsIamPolicyDocumentStatementCondition,
    DataAwsIamPolicyDocumentStatementPrincipals,
)
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.opensearchserverless_access_policy import OpensearchserverlessAccessPolicy
from cdktf_cdktf_provider_aws.opensearchserverless_collection import OpensearchserverlessCollection
from cdktf_cdktf_provider_aws.opensearchserverless_security_policy import OpensearchserverlessSecurityPolicy
from cdktf_cdktf_provider_aws.opensearchserverless_vpc_endpoint import OpensearchserverlessVpcEndpoint
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderDefaultTags
from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket
from cdktf_cdktf_provider_aws.s3_bucket_lifecycle_configuration import (
    S3BucketLifecycleConfiguration,
    S3BucketLifecycleConfigurationRule,
    S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload,
    S3BucketLifecycleConfigurationRuleExpiration,
    S3BucketLifecycleConfigurationRuleFilter,
    S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration,
)
from cdktf_cdktf_provider_aws.s3_bucket_logging import S3BucketLoggingA
from cdktf_cdktf_provider_aws.s3_bucket_notification import S3BucketNotification
from cdktf_cdktf_provider_aws.s3_bucket_ownership_controls import (
    S3BucketOwnershipControls,
    S3BucketOwnershipControlsRule,
)
from cdktf_cdktf_provider_aws.s3_bucket_policy import S3BucketPolicy
from cdktf_cdktf_provider_aws.s3_bucket_public_access_block import S3BucketPublicAccessBlock
from cdktf_cdktf_provider_aws.s3_bucket_server_side_encryption_configuration import (
    S3BucketServerSideEncryptionConfigurationA,
    S3BucketServerSideEncryptionConfigurationRuleA,
    S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA,
)
from cdktf_cdktf_provider_aws.s3_bucket_versioning import (
    S3BucketVersioningA,
    S3BucketVersioningVersioningConfiguration,
)
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.vpc_security_group_egress_rule import VpcSecurityGroupEgressRule
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule
from constructs import Construct
from environment import Environment
from identity_stack import IdentityStack
from network_stack import NetworkStack
from security_stack import SecurityStack
from state_stack import StateStack
from storage_stack import StorageStack


class LlmStack(TerraformStack):
    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        identity: IdentityStack,
        network: NetworkStack,
        security: SecurityStack,
        state: StateStack,
        storage: StorageStack,
    ) -> None:
        super().__init__(scope, f"{environment.prefix}-llm")
        self.add_dependency(identity)
        self.add_dependency(network)
        self.add_dependency(security)
        self.add_dependency(state)
        self.add_dependency(storage)
        S3Backend(
            self,
            bucket=f"{environment.prefix}-state-{environment.account}-eu-west-1",
            encrypt=True,
            key=f"{environment.name}/llm.tfstate",
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

        bedrock_guardrail_assistant = BedrockGuardrail(
            self,
            "aws_bedrock_guardrail_assistant",
            blocked_input_messaging="This request or its answer is not allowed.",
            blocked_outputs_messaging="This request or its answer is not allowed.",
            content_policy_config=[
                BedrockGuardrailContentPolicyConfig(
                    filters_config=[
                        BedrockGuardrailContentPolicyConfigFiltersConfig(
                            input_strength="HIGH",
                            output_strength="HIGH",
                            type="HATE",
                        ),
                        BedrockGuardrailContentPolicyConfigFiltersConfig(
                            input_strength="HIGH",
                            output_strength="HIGH",
                            type="INSULTS",
                        ),
                        BedrockGuardrailContentPolicyConfigFiltersConfig(
                            input_strength="HIGH",
                            output_strength="HIGH",
                            type="MISCONDUCT",
                        ),
                        BedrockGuardrailContentPolicyConfigFiltersConfig(
                            input_strength="HIGH",
                            output_strength="HIGH",
                            type="SEXUAL",
                        ),
                        BedrockGuardrailContentPolicyConfigFiltersConfig(
                            input_strength="HIGH",
                            output_strength="HIGH",
                            type="VIOLENCE",
                        ),
                        BedrockGuardrailContentPolicyConfigFiltersConfig(
                            input_strength="HIGH",
                            output_strength="NONE",
                            type="PROMPT_ATTACK",
                        ),
                    ],
                ),
            ],
            contextual_grounding_policy_config=[
                BedrockGuardrailContextualGroundingPolicyConfig(
                    filters_config=[
                        BedrockGuardrailContextualGroundingPolicyConfigFiltersConfig(
                            threshold=0.75,
                            type="GROUNDING",
                        ),
                        BedrockGuardrailContextualGroundingPolicyConfigFiltersConfig(
                            threshold=0.75,
                            type="RELEVANCE",
                        ),
                    ],
                ),
            ],
            description=f"Guardrail assistant of {environment.prefix}",
            kms_key_arn=security.kms_key_data.arn,
            name=f"{environment.prefix}-assistant",
            sensitive_information_policy_config=[
                BedrockGuardrailSensitiveInformationPolicyConfig(
                    pii_entities_config=[
                        BedrockGuardrailSensitiveInformationPolicyConfigPiiEntitiesConfig(
                            action="BLOCK",
                            type="CREDIT_DEBIT_CARD_NUMBER",
                        ),
                        BedrockGuardrailSensitiveInformationPolicyConfigPiiEntitiesConfig(
                            action="ANONYMIZE",
                            type="EMAIL",
                        ),
                    ],
                    regexes_config=[
                        BedrockGuardrailSensitiveInformationPolicyConfigRegexesConfig(
                            action="ANONYMIZE",
                            description="Numbers of support tickets",
                            name="ticket",
                            pattern="TCK-[0-9]{6}",
                        ),
                    ],
                ),
            ],
            topic_policy_config=[
                BedrockGuardrailTopicPolicyConfig(
                    topics_config=[
                        BedrockGuardrailTopicPolicyConfigTopicsConfig(
                            definition="Advice on a contract, a claim or a right.",
                            examples=["Can I sue them?"],
                            name="legal-advice",
                            type="DENY",
                        ),
                    ],
                ),
            ],
            word_policy_config=[
                BedrockGuardrailWordPolicyConfig(
                    managed_word_lists_config=[
                        BedrockGuardrailWordPolicyConfigManagedWordListsConfig(type="PROFANITY"),
                    ],
                ),
            ],
        )
        bedrock_guardrail_version_assistant = BedrockGuardrailVersion(
            self,
            "aws_bedrock_guardrail_version_assistant",
            description="Filters 3fbe46039874",
            guardrail_arn=bedrock_guardrail_assistant.guardrail_arn,
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
            skip_destroy=True,
        )
        s3_bucket_invocations = S3Bucket(
            self,
            "aws_s3_bucket_invocations",
            bucket=f"{environment.prefix}-invocations-{environment.account}-eu-west-1",
            force_destroy=True,
        )
        cloudwatch_log_group_invocations = CloudwatchLogGroup(
            self,
            "aws_cloudwatch_log_group_invocations",
            kms_key_id=security.kms_key_logs.arn,
            name=f"/{environment.prefix}/invocations",
            retention_in_days=365,
        )
        policy_document_trust_llm_logs = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_trust-llm-logs",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["sts:AssumeRole"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:SourceAccount",
                        ),
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="ArnLike",
                            values=[f"arn:aws:bedrock:eu-west-1:{environment.account}:*"],
                            variable="aws:SourceArn",
                        ),
                    ],
                    effect="Allow",
                    principals=[
                        DataAwsIamPolicyDocumentStatementPrincipals(
                            identifiers=["bedrock.amazonaws.com"],
                            type="Service",
                        ),
                    ],
                    sid="Service",
                ),
            ],
        )
        iam_role_llm_logs = IamRole(
            self,
            "aws_iam_role_llm-logs",
            assume_role_policy=policy_document_trust_llm_logs.json,
            description="Bedrock writes the log of model invocations",
            max_session_duration=3600,
            name=f"{environment.prefix}-llm-logs",
            permissions_boundary=security.iam_policy_boundary.arn,
        )
        policy_document_role_llm_logs = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_role-llm-logs",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                    effect="Allow",
                    resources=[
                        f"{cloudwatch_log_group_invocations.arn}:log-stream:aws/bedrock/modelinvocations",
                    ],
                    sid="WriteLog",
                ),
            ],
        )
        iam_role_policy_llm_logs = IamRolePolicy(
            self,
            "aws_iam_role_policy_llm-logs",
            name="llm-logs",
            policy=policy_document_role_llm_logs.json,
            role=iam_role_llm_logs.id,
        )
        policy_document_bucket_invocations = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_bucket-invocations",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["s3:*"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="Bool",
                            values=["false"],
                            variable="aws:SecureTransport",
                        ),
                    ],
                    effect="Deny",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[s3_bucket_invocations.arn, f"{s3_bucket_invocations.arn}/*"],
                    sid="DenyInsecureTransport",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["s3:*"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="NumericLessThan",
                            values=["1.2"],
                            variable="s3:TlsVersion",
                        ),
                    ],
                    effect="Deny",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[s3_bucket_invocations.arn, f"{s3_bucket_invocations.arn}/*"],
                    sid="DenyOldTls",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["s3:PutObject"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:SourceAccount",
                        ),
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="ArnLike",
                            values=[f"arn:aws:bedrock:eu-west-1:{environment.account}:*"],
                            variable="aws:SourceArn",
                        ),
                    ],
                    effect="Allow",
                    principals=[
                        DataAwsIamPolicyDocumentStatementPrincipals(
                            identifiers=["bedrock.amazonaws.com"],
                            type="Service",
                        ),
                    ],
                    resources=[
                        f"{s3_bucket_invocations.arn}/large/AWSLogs/{environment.account}/BedrockModelInvocationLogs/*",
                    ],
                    sid="BedrockWrites",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["s3:PutObject"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="Null",
                            values=["false"],
                            variable="s3:x-amz-server-side-encryption-aws-kms-key-id",
                        ),
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringNotEquals",
                            values=[security.kms_key_logs.arn],
                            variable="s3:x-amz-server-side-encryption-aws-kms-key-id",
                        ),
                    ],
                    effect="Deny",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[f"{s3_bucket_invocations.arn}/*"],
                    sid="DenyOtherKeys",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["s3:PutObject"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="Null",
                            values=["false"],
                            variable="s3:x-amz-server-side-encryption",
                        ),
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringNotEquals",
                            values=["aws:kms"],
                            variable="s3:x-amz-server-side-encryption",
                        ),
                    ],
                    effect="Deny",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[f"{s3_bucket_invocations.arn}/*"],
                    sid="DenyOtherEncryption",
                ),
            ],
        )
        s3_bucket_public_access_block_invocations = S3BucketPublicAccessBlock(
            self,
            "aws_s3_bucket_public_access_block_invocations",
            block_public_acls=True,
            block_public_policy=True,
            bucket=s3_bucket_invocations.id,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        )
        s3_bucket_policy_invocations = S3BucketPolicy(
            self,
            "aws_s3_bucket_policy_invocations",
            bucket=s3_bucket_invocations.id,
            depends_on=[s3_bucket_public_access_block_invocations],
            policy=policy_document_bucket_invocations.json,
        )
        BedrockModelInvocationLoggingConfiguration(
            self,
            "aws_bedrock_model_invocation_logging_configuration_main",
            depends_on=[iam_role_policy_llm_logs, s3_bucket_policy_invocations],
            logging_config=[
                BedrockModelInvocationLoggingConfigurationLoggingConfig(
                    cloudwatch_config=[
                        BedrockModelInvocationLoggingConfigurationLoggingConfigCloudwatchConfig(
                            large_data_delivery_s3_config=[
                                BedrockModelInvocationLoggingConfigurationLoggingConfigCloudwatchConfigLargeDataDeliveryS3Config(
                                    bucket_name=s3_bucket_invocations.id,
                                    key_prefix="large",
                                ),
                            ],
                            log_group_name=cloudwatch_log_group_invocations.name,
                            role_arn=iam_role_llm_logs.arn,
                        ),
                    ],
                    embedding_data_delivery_enabled=True,
                    image_data_delivery_enabled=True,
                    text_data_delivery_enabled=True,
                    video_data_delivery_enabled=True,
                ),
            ],
        )
        policy_document_trust_knowledge_docs = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_trust-knowledge-docs",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["sts:AssumeRole"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:SourceAccount",
                        ),
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="ArnLike",
                            values=[f"arn:aws:bedrock:eu-west-1:{environment.account}:knowledge-base/*"],
                            variable="aws:SourceArn",
                        ),
                    ],
                    effect="Allow",
                    principals=[
                        DataAwsIamPolicyDocumentStatementPrincipals(
                            identifiers=["bedrock.amazonaws.com"],
                            type="Service",
                        ),
                    ],
                    sid="Service",
                ),
            ],
        )
        iam_role_knowledge_docs = IamRole(
            self,
            "aws_iam_role_knowledge-docs",
            assume_role_policy=policy_document_trust_knowledge_docs.json,
            description="Bedrock reads and searches knowledge base docs",
            max_session_duration=3600,
            name=f"{environment.prefix}-knowledge-docs",
            permissions_boundary=security.iam_policy_boundary.arn,
        )
        opensearchserverless_security_policy_docs_encryption = OpensearchserverlessSecurityPolicy(
            self,
            "aws_opensearchserverless_security_policy_docs-encryption",
            name=f"{environment.prefix}-docs",
            policy=json.dumps(
                {
                    "AWSOwnedKey": False,
                    "KmsARN": security.kms_key_data.arn,
                    "Rules": [
                        {"Resource": [f"collection/{environment.prefix}-docs"], "ResourceType": "collection"},
                    ],
                },
            ),
            type="encryption",
        )
        security_group_vectors = SecurityGroup(
            self,
            "aws_security_group_vectors",
            description="TLS to the collections of vectors",
            name=f"{environment.prefix}-vectors",
            revoke_rules_on_delete=True,
            tags={"Name": f"{environment.prefix}-vectors"},
            vpc_id=network.vpc_main.id,
        )
        opensearchserverless_vpc_endpoint_main = OpensearchserverlessVpcEndpoint(
            self,
            "aws_opensearchserverless_vpc_endpoint_main",
            name=f"{environment.prefix}-vectors",
            security_group_ids=[security_group_vectors.id],
            subnet_ids=[
                network.subnet_private_1.id,
                network.subnet_private_2.id,
                network.subnet_private_3.id,
            ],
            vpc_id=network.vpc_main.id,
        )
        opensearchserverless_security_policy_docs_network = OpensearchserverlessSecurityPolicy(
            self,
            "aws_opensearchserverless_security_policy_docs-network",
            name=f"{environment.prefix}-docs",
            policy=json.dumps(
                [
                    {
                        "AllowFromPublic": False,
                        "Description": "From the network and from Bedrock, never from the internet",
                        "Rules": [
                            {
                                "Resource": [f"collection/{environment.prefix}-docs"],
                                "ResourceType": "collection",
                            },
                        ],
                        "SourceServices": ["bedrock.amazonaws.com"],
                        "SourceVPCEs": [opensearchserverless_vpc_endpoint_main.id],
                    },
                ],
            ),
            type="network",
        )
        opensearchserverless_collection_docs = OpensearchserverlessCollection(
            self,
            "aws_opensearchserverless_collection_docs",
            depends_on=[
                opensearchserverless_security_policy_docs_encryption,
                opensearchserverless_security_policy_docs_network,
            ],
            description="Vectors of docs: 1024 dimensions",
            name=f"{environment.prefix}-docs",
            standby_replicas="DISABLED",
            type="VECTORSEARCH",
        )
        policy_document_role_knowledge_docs = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_role-knowledge-docs",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["bedrock:InvokeModel"],
                    effect="Allow",
                    resources=["arn:aws:bedrock:eu-west-1::foundation-model/amazon.titan-embed-text-v2:0"],
                    sid="Embed",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["s3:ListBucket"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:ResourceAccount",
                        ),
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringLike",
                            values=["kb/handbook/*"],
                            variable="s3:prefix",
                        ),
                    ],
                    effect="Allow",
                    resources=[storage.s3_bucket_data.arn],
                    sid="ListDocuments",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["s3:GetObject"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:ResourceAccount",
                        ),
                    ],
                    effect="Allow",
                    resources=[f"{storage.s3_bucket_data.arn}/kb/handbook/*"],
                    sid="ReadDocuments",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
                    effect="Allow",
                    resources=[security.kms_key_data.arn],
                    sid="UseKey",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["aoss:APIAccessAll"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[f"{environment.prefix}-docs"],
                            variable="aoss:collection",
                        ),
                    ],
                    effect="Allow",
                    resources=[f"arn:aws:aoss:eu-west-1:{environment.account}:collection/*"],
                    sid="ReachVectors",
                ),
            ],
        )
        iam_role_policy_knowledge_docs = IamRolePolicy(
            self,
            "aws_iam_role_policy_knowledge-docs",
            name="knowledge-docs",
            policy=policy_document_role_knowledge_docs.json,
            role=iam_role_knowledge_docs.id,
        )
        opensearchserverless_access_policy_docs = OpensearchserverlessAccessPolicy(
            self,
            "aws_opensearchserverless_access_policy_docs",
            name=f"{environment.prefix}-docs",
            policy=json.dumps(
                [
                    {
                        "Description": "Bedrock",
                        "Principal": [iam_role_knowledge_docs.arn],
                        "Rules": [
                            {
                                "Permission": ["aoss:DescribeCollectionItems"],
                                "Resource": [f"collection/{environment.prefix}-docs"],
                                "ResourceType": "collection",
                            },
                            {
                                "Permission": [
                                    "aoss:DescribeIndex",
                                    "aoss:ReadDocument",
                                    "aoss:UpdateIndex",
                                    "aoss:WriteDocument",
                                ],
                                "Resource": [f"index/{environment.prefix}-docs/*"],
                                "ResourceType": "index",
                            },
                        ],
                    },
                    {
                        "Description": "Keepers of the index",
                        "Principal": [identity.iam_role_admins.arn, identity.iam_role_ci_deploy.arn],
                        "Rules": [
                            {
                                "Permission": ["aoss:DescribeCollectionItems"],
                                "Resource": [f"collection/{environment.prefix}-docs"],
                                "ResourceType": "collection",
                            },
                            {
                                "Permission": [
                                    "aoss:CreateIndex",
                                    "aoss:DeleteIndex",
                                    "aoss:DescribeIndex",
                                    "aoss:UpdateIndex",
                                ],
                                "Resource": [f"index/{environment.prefix}-docs/*"],
                                "ResourceType": "index",
                            },
                        ],
                    },
                ],
            ),
            type="data",
        )
        bedrockagent_knowledge_base_docs = BedrockagentKnowledgeBase(
            self,
            "aws_bedrockagent_knowledge_base_docs",
            depends_on=[iam_role_policy_knowledge_docs, opensearchserverless_access_policy_docs],
            description="Documents below kb/handbook/ of the data bucket",
            knowledge_base_configuration=[
                BedrockagentKnowledgeBaseKnowledgeBaseConfiguration(
                    type="VECTOR",
                    vector_knowledge_base_configuration=[
                        BedrockagentKnowledgeBaseKnowledgeBaseConfigurationVectorKnowledgeBaseConfiguration(
                            embedding_model_arn="arn:aws:bedrock:eu-west-1::foundation-model/amazon.titan-embed-text-v2:0",
                            embedding_model_configuration=[
                                BedrockagentKnowledgeBaseKnowledgeBaseConfigurationVectorKnowledgeBaseConfigurationEmbeddingModelConfiguration(
                                    bedrock_embedding_model_configuration=[
                                        BedrockagentKnowledgeBaseKnowledgeBaseConfigurationVectorKnowledgeBaseConfigurationEmbeddingModelConfigurationBedrockEmbeddingModelConfiguration(
                                            dimensions=1024,
                                            embedding_data_type="FLOAT32",
                                        ),
                                    ],
                                ),
                            ],
                        ),
                    ],
                ),
            ],
            name=f"{environment.prefix}-docs",
            role_arn=iam_role_knowledge_docs.arn,
            storage_configuration=[
                BedrockagentKnowledgeBaseStorageConfiguration(
                    opensearch_serverless_configuration=[
                        BedrockagentKnowledgeBaseStorageConfigurationOpensearchServerlessConfiguration(
                            collection_arn=opensearchserverless_collection_docs.arn,
                            field_mapping=[
                                BedrockagentKnowledgeBaseStorageConfigurationOpensearchServerlessConfigurationFieldMapping(
                                    metadata_field="metadata",
                                    text_field="text",
                                    vector_field="vector",
                                ),
                            ],
                            vector_index_name="handbook",
                        ),
                    ],
                    type="OPENSEARCH_SERVERLESS",
                ),
            ],
        )
        BedrockagentDataSource(
            self,
            "aws_bedrockagent_data_source_docs",
            data_deletion_policy="DELETE",
            data_source_configuration=[
                BedrockagentDataSourceDataSourceConfiguration(
                    s3_configuration=[
                        BedrockagentDataSourceDataSourceConfigurationS3Configuration(
                            bucket_arn=storage.s3_bucket_data.arn,
                            inclusion_prefixes=["kb/handbook/"],
                        ),
                    ],
                    type="S3",
                ),
            ],
            knowledge_base_id=bedrockagent_knowledge_base_docs.id,
            name=f"{environment.prefix}-docs",
            server_side_encryption_configuration=[
                BedrockagentDataSourceServerSideEncryptionConfiguration(
                    kms_key_arn=security.kms_key_data.arn,
                ),
            ],
        )
        s3_bucket_versioning_invocations = S3BucketVersioningA(
            self,
            "aws_s3_bucket_versioning_invocations",
            bucket=s3_bucket_invocations.id,
            versioning_configuration=S3BucketVersioningVersioningConfiguration(status="Enabled"),
        )
        S3BucketLifecycleConfiguration(
            self,
            "aws_s3_bucket_lifecycle_configuration_invocations",
            bucket=s3_bucket_invocations.id,
            depends_on=[s3_bucket_versioning_invocations],
            rule=[
                S3BucketLifecycleConfigurationRule(
                    abort_incomplete_multipart_upload=[
                        S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload(
                            days_after_initiation=7,
                        ),
                    ],
                    expiration=[S3BucketLifecycleConfigurationRuleExpiration(days=365)],
                    filter=[S3BucketLifecycleConfigurationRuleFilter()],
                    id="housekeeping",
                    noncurrent_version_expiration=[
                        S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration(noncurrent_days=365),
                    ],
                    status="Enabled",
                ),
            ],
        )
        S3BucketLoggingA(
            self,
            "aws_s3_bucket_logging_invocations",
            bucket=s3_bucket_invocations.id,
            target_bucket=storage.s3_bucket_logs.id,
            target_prefix="s3-access/invocations/",
        )
        S3BucketNotification(
            self,
            "aws_s3_bucket_notification_invocations",
            bucket=s3_bucket_invocations.id,
            eventbridge=True,
        )
        S3BucketOwnershipControls(
            self,
            "aws_s3_bucket_ownership_controls_invocations",
            bucket=s3_bucket_invocations.id,
            rule=S3BucketOwnershipControlsRule(object_ownership="BucketOwnerEnforced"),
        )
        S3BucketServerSideEncryptionConfigurationA(
            self,
            "aws_s3_bucket_server_side_encryption_configuration_invocations",
            bucket=s3_bucket_invocations.id,
            rule=[
                S3BucketServerSideEncryptionConfigurationRuleA(
                    apply_server_side_encryption_by_default=S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA(
                        kms_master_key_id=security.kms_key_logs.arn,
                        sse_algorithm="aws:kms",
                    ),
                    bucket_key_enabled=True,
                ),
            ],
        )
        VpcSecurityGroupEgressRule(
            self,
            "aws_vpc_security_group_egress_rule_vectors",
            description="TLS to the collections of vectors",
            from_port=443,
            ip_protocol="tcp",
            referenced_security_group_id=security_group_vectors.id,
            security_group_id=network.security_group_workloads.id,
            to_port=443,
        )
        VpcSecurityGroupIngressRule(
            self,
            "aws_vpc_security_group_ingress_rule_vectors",
            description="TLS from workloads",
            from_port=443,
            ip_protocol="tcp",
            referenced_security_group_id=network.security_group_workloads.id,
            security_group_id=security_group_vectors.id,
            to_port=443,
        )

        TerraformOutput(
            self,
            "collection_endpoints",
            value={"docs": opensearchserverless_collection_docs.collection_endpoint},
        )
        TerraformOutput(self, "guardrail_ids", value={"assistant": bedrock_guardrail_assistant.guardrail_id})
        TerraformOutput(
            self,
            "guardrail_versions",
            value={"assistant": bedrock_guardrail_version_assistant.version},
        )
        TerraformOutput(self, "invocation_bucket", value=s3_bucket_invocations.id)
        TerraformOutput(self, "invocation_log_group", value=cloudwatch_log_group_invocations.name)
        TerraformOutput(self, "knowledge_base_ids", value={"docs": bedrockagent_knowledge_base_docs.id})
