"""The network stack. Written by write_cdktf_app.py beside this folder."""

from __future__ import annotations

from cdktf import S3Backend, TerraformOutput, TerraformResourceLifecycle, TerraformStack
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
    DataAwsIamPolicyDocument,
    DataAwsIamPolicyDocumentStatement,
    DataAwsIamPolicyDocumentStatementCondition,
    DataAwsIamPolicyDocumentStatementPrincipals,
)
from cdktf_cdktf_provider_aws.default_network_acl import DefaultNetworkAcl
from cdktf_cdktf_provider_aws.default_route_table import DefaultRouteTable
from cdktf_cdktf_provider_aws.default_security_group import DefaultSecurityGroup
from cdktf_cdktf_provider_aws.eip import Eip
from cdktf_cdktf_provider_aws.flow_log import FlowLog
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.internet_gateway import InternetGateway
from cdktf_cdktf_provider_aws.nat_gateway import NatGateway
from cdktf_cdktf_provider_aws.network_acl import NetworkAcl, NetworkAclEgress, NetworkAclIngress
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderDefaultTags
from cdktf_cdktf_provider_aws.route import Route
from cdktf_cdktf_provider_aws.route_table import RouteTable
from cdktf_cdktf_provider_aws.route_table_association import RouteTableAssociation
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.subnet import Subnet
from cdktf_cdktf_provider_aws.vpc import Vpc
from cdktf_cdktf_provider_aws.vpc_endpoint import VpcEndpoint
from cdktf_cdktf_provider_aws.vpc_security_group_egress_rule import VpcSecurityGroupEgressRule
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule
from constructs import Construct
from environment import Environment
from security_stack import SecurityStack
from state_stack import StateStack


class NetworkStack(TerraformStack):
    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        security: SecurityStack,
        state: StateStack,
    ) -> None:
        super().__init__(scope, f"{environment.prefix}-network")
        self.add_dependency(security)
        self.add_dependency(state)
        S3Backend(
            self,
            bucket=f"{environment.prefix}-state-{environment.account}-eu-west-1",
            encrypt=True,
            key=f"{environment.name}/network.tfstate",
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

        cloudwatch_log_group_flow = CloudwatchLogGroup(
            self,
            "aws_cloudwatch_log_group_flow",
            kms_key_id=security.kms_key_logs.arn,
            name=f"/{environment.prefix}/flow",
            retention_in_days=365,
        )
        self.vpc_main = Vpc(
            self,
            "aws_vpc_main",
            cidr_block="10.40.0.0/16",
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags={"Name": f"{environment.prefix}"},
        )
        DefaultNetworkAcl(
            self,
            "aws_default_network_acl_closed",
            default_network_acl_id=self.vpc_main.default_network_acl_id,
            lifecycle=TerraformResourceLifecycle(ignore_changes=["subnet_ids"]),
            tags={"Name": f"{environment.prefix}-default-closed"},
        )
        DefaultRouteTable(
            self,
            "aws_default_route_table_closed",
            default_route_table_id=self.vpc_main.default_route_table_id,
            route=[],
            tags={"Name": f"{environment.prefix}-default-closed"},
        )
        DefaultSecurityGroup(
            self,
            "aws_default_security_group_closed",
            tags={"Name": f"{environment.prefix}-default-closed"},
            vpc_id=self.vpc_main.id,
        )
        internet_gateway_main = InternetGateway(
            self,
            "aws_internet_gateway_main",
            tags={"Name": f"{environment.prefix}"},
            vpc_id=self.vpc_main.id,
        )
        eip_nat_1 = Eip(
            self,
            "aws_eip_nat-1",
            depends_on=[internet_gateway_main],
            domain="vpc",
            tags={"Name": f"{environment.prefix}-nat-euw1-az1"},
        )
        policy_document_trust_flow_logs = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_trust-flow-logs",
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
                            values=[f"arn:aws:ec2:eu-west-1:{environment.account}:vpc-flow-log/*"],
                            variable="aws:SourceArn",
                        ),
                    ],
                    effect="Allow",
                    principals=[
                        DataAwsIamPolicyDocumentStatementPrincipals(
                            identifiers=["vpc-flow-logs.amazonaws.com"],
                            type="Service",
                        ),
                    ],
                    sid="Service",
                ),
            ],
        )
        iam_role_flow_logs = IamRole(
            self,
            "aws_iam_role_flow-logs",
            assume_role_policy=policy_document_trust_flow_logs.json,
            description="VPC flow logs are written to CloudWatch Logs",
            max_session_duration=3600,
            name=f"{environment.prefix}-flow-logs",
            permissions_boundary=security.iam_policy_boundary.arn,
        )
        FlowLog(
            self,
            "aws_flow_log_main",
            iam_role_arn=iam_role_flow_logs.arn,
            log_destination=cloudwatch_log_group_flow.arn,
            log_destination_type="cloud-watch-logs",
            max_aggregation_interval=60,
            tags={"Name": f"{environment.prefix}"},
            traffic_type="ALL",
            vpc_id=self.vpc_main.id,
        )
        policy_document_role_flow_logs = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_role-flow-logs",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                    effect="Allow",
                    resources=[f"{cloudwatch_log_group_flow.arn}:*"],
                    sid="WriteLog",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["logs:DescribeLogGroups"],
                    effect="Allow",
                    resources=["*"],
                    sid="FindLog",
                ),
            ],
        )
        IamRolePolicy(
            self,
            "aws_iam_role_policy_flow-logs",
            name="flow-logs",
            policy=policy_document_role_flow_logs.json,
            role=iam_role_flow_logs.id,
        )
        subnet_public_1 = Subnet(
            self,
            "aws_subnet_public-1",
            availability_zone_id="euw1-az1",
            cidr_block="10.40.240.0/24",
            map_public_ip_on_launch=False,
            tags={"Name": f"{environment.prefix}-public-euw1-az1"},
            vpc_id=self.vpc_main.id,
        )
        nat_gateway_nat_1 = NatGateway(
            self,
            "aws_nat_gateway_nat-1",
            allocation_id=eip_nat_1.id,
            connectivity_type="public",
            depends_on=[internet_gateway_main],
            subnet_id=subnet_public_1.id,
            tags={"Name": f"{environment.prefix}-euw1-az1"},
        )
        self.subnet_private_1 = Subnet(
            self,
            "aws_subnet_private-1",
            availability_zone_id="euw1-az1",
            cidr_block="10.40.0.0/20",
            map_public_ip_on_launch=False,
            tags={"Name": f"{environment.prefix}-private-euw1-az1"},
            vpc_id=self.vpc_main.id,
        )
        self.subnet_private_2 = Subnet(
            self,
            "aws_subnet_private-2",
            availability_zone_id="euw1-az2",
            cidr_block="10.40.16.0/20",
            map_public_ip_on_launch=False,
            tags={"Name": f"{environment.prefix}-private-euw1-az2"},
            vpc_id=self.vpc_main.id,
        )
        self.subnet_private_3 = Subnet(
            self,
            "aws_subnet_private-3",
            availability_zone_id="euw1-az3",
            cidr_block="10.40.32.0/20",
            map_public_ip_on_launch=False,
            tags={"Name": f"{environment.prefix}-private-euw1-az3"},
            vpc_id=self.vpc_main.id,
        )
        NetworkAcl(
            self,
            "aws_network_acl_private",
            egress=[
                NetworkAclEgress(
                    action="allow",
                    cidr_block="10.40.0.0/16",
                    from_port=0,
                    protocol="-1",
                    rule_no=100,
                    to_port=0,
                ),
                NetworkAclEgress(
                    action="allow",
                    cidr_block="0.0.0.0/0",
                    from_port=443,
                    protocol="tcp",
                    rule_no=110,
                    to_port=443,
                ),
            ],
            ingress=[
                NetworkAclIngress(
                    action="allow",
                    cidr_block="10.40.0.0/16",
                    from_port=0,
                    protocol="-1",
                    rule_no=100,
                    to_port=0,
                ),
                NetworkAclIngress(
                    action="allow",
                    cidr_block="0.0.0.0/0",
                    from_port=1024,
                    protocol="tcp",
                    rule_no=110,
                    to_port=3388,
                ),
                NetworkAclIngress(
                    action="allow",
                    cidr_block="0.0.0.0/0",
                    from_port=3390,
                    protocol="tcp",
                    rule_no=120,
                    to_port=65535,
                ),
            ],
            subnet_ids=[self.subnet_private_1.id, self.subnet_private_2.id, self.subnet_private_3.id],
            tags={"Name": f"{environment.prefix}-private"},
            vpc_id=self.vpc_main.id,
        )
        NetworkAcl(
            self,
            "aws_network_acl_public",
            egress=[
                NetworkAclEgress(
                    action="allow",
                    cidr_block="10.40.0.0/16",
                    from_port=0,
                    protocol="-1",
                    rule_no=100,
                    to_port=0,
                ),
                NetworkAclEgress(
                    action="allow",
                    cidr_block="0.0.0.0/0",
                    from_port=443,
                    protocol="tcp",
                    rule_no=110,
                    to_port=443,
                ),
            ],
            ingress=[
                NetworkAclIngress(
                    action="allow",
                    cidr_block="10.40.0.0/16",
                    from_port=0,
                    protocol="-1",
                    rule_no=100,
                    to_port=0,
                ),
                NetworkAclIngress(
                    action="allow",
                    cidr_block="0.0.0.0/0",
                    from_port=1024,
                    protocol="tcp",
                    rule_no=110,
                    to_port=3388,
                ),
                NetworkAclIngress(
                    action="allow",
                    cidr_block="0.0.0.0/0",
                    from_port=3390,
                    protocol="tcp",
                    rule_no=120,
                    to_port=65535,
                ),
            ],
            subnet_ids=[subnet_public_1.id],
            tags={"Name": f"{environment.prefix}-public"},
            vpc_id=self.vpc_main.id,
        )
        route_table_private_1 = RouteTable(
            self,
            "aws_route_table_private-1",
            tags={"Name": f"{environment.prefix}-private-euw1-az1"},
            vpc_id=self.vpc_main.id,
        )
        Route(
            self,
            "aws_route_private-nat-1",
            destination_cidr_block="0.0.0.0/0",
            nat_gateway_id=nat_gateway_nat_1.id,
            route_table_id=route_table_private_1.id,
        )
        route_table_private_2 = RouteTable(
            self,
            "aws_route_table_private-2",
            tags={"Name": f"{environment.prefix}-private-euw1-az2"},
            vpc_id=self.vpc_main.id,
        )
        Route(
            self,
            "aws_route_private-nat-2",
            destination_cidr_block="0.0.0.0/0",
            nat_gateway_id=nat_gateway_nat_1.id,
            route_table_id=route_table_private_2.id,
        )
        route_table_private_3 = RouteTable(
            self,
            "aws_route_table_private-3",
            tags={"Name": f"{environment.prefix}-private-euw1-az3"},
            vpc_id=self.vpc_main.id,
        )
        Route(
            self,
            "aws_route_private-nat-3",
            destination_cidr_block="0.0.0.0/0",
            nat_gateway_id=nat_gateway_nat_1.id,
            route_table_id=route_table_private_3.id,
        )
        route_table_public = RouteTable(
            self,
            "aws_route_table_public",
            tags={"Name": f"{environment.prefix}-public"},
            vpc_id=self.vpc_main.id,
        )
        Route(
            self,
            "aws_route_public-internet",
            destination_cidr_block="0.0.0.0/0",
            gateway_id=internet_gateway_main.id,
            route_table_id=route_table_public.id,
        )
        RouteTableAssociation(
            self,
            "aws_route_table_association_private-1",
            route_table_id=route_table_private_1.id,
            subnet_id=self.subnet_private_1.id,
        )
        RouteTableAssociation(
            self,
            "aws_route_table_association_private-2",
            route_table_id=route_table_private_2.id,
            subnet_id=self.subnet_private_2.id,
        )
        RouteTableAssociation(
            self,
            "aws_route_table_association_private-3",
            route_table_id=route_table_private_3.id,
            subnet_id=self.subnet_private_3.id,
        )
        RouteTableAssociation(
            self,
            "aws_route_table_association_public-1",
            route_table_id=route_table_public.id,
            subnet_id=subnet_public_1.id,
        )
        security_group_endpoints = SecurityGroup(
            self,
            "aws_security_group_endpoints",
            description="TLS to the interface endpoints",
            name=f"{environment.prefix}-endpoints",
            revoke_rules_on_delete=True,
            tags={"Name": f"{environment.prefix}-endpoints"},
            vpc_id=self.vpc_main.id,
        )
        self.security_group_workloads = SecurityGroup(
            self,
            "aws_security_group_workloads",
            description="SageMaker jobs, notebooks and endpoints",
            name=f"{environment.prefix}-workloads",
            revoke_rules_on_delete=True,
            tags={"Name": f"{environment.prefix}-workloads"},
            vpc_id=self.vpc_main.id,
        )
        policy_document_endpoint_bedrock_agent_runtime = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_endpoint-bedrock-agent-runtime",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["bedrock:Retrieve"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:PrincipalAccount",
                        ),
                    ],
                    effect="Allow",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[f"arn:aws:bedrock:eu-west-1:{environment.account}:knowledge-base/*"],
                    sid="OwnAccount",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["bedrock:RetrieveAndGenerate"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:PrincipalAccount",
                        ),
                    ],
                    effect="Allow",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=["*"],
                    sid="WithoutResource",
                ),
            ],
        )
        VpcEndpoint(
            self,
            "aws_vpc_endpoint_bedrock-agent-runtime",
            policy=policy_document_endpoint_bedrock_agent_runtime.json,
            private_dns_enabled=True,
            security_group_ids=[security_group_endpoints.id],
            service_name="com.amazonaws.eu-west-1.bedrock-agent-runtime",
            subnet_ids=[self.subnet_private_1.id, self.subnet_private_2.id, self.subnet_private_3.id],
            tags={"Name": f"{environment.prefix}-bedrock-agent-runtime"},
            vpc_endpoint_type="Interface",
            vpc_id=self.vpc_main.id,
        )
        policy_document_endpoint_bedrock_runtime = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_endpoint-bedrock-runtime",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:PrincipalAccount",
                        ),
                    ],
                    effect="Allow",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[
                        "arn:aws:bedrock:*::foundation-model/*",
                        f"arn:aws:bedrock:eu-west-1:{environment.account}:inference-profile/*",
                    ],
                    sid="OwnAccount",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["bedrock:ApplyGuardrail"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:PrincipalAccount",
                        ),
                    ],
                    effect="Allow",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[f"arn:aws:bedrock:eu-west-1:{environment.account}:guardrail/*"],
                    sid="OwnAccount1",
                ),
            ],
        )
        VpcEndpoint(
            self,
            "aws_vpc_endpoint_bedrock-runtime",
            policy=policy_document_endpoint_bedrock_runtime.json,
            private_dns_enabled=True,
            security_group_ids=[security_group_endpoints.id],
            service_name="com.amazonaws.eu-west-1.bedrock-runtime",
            subnet_ids=[self.subnet_private_1.id, self.subnet_private_2.id, self.subnet_private_3.id],
            tags={"Name": f"{environment.prefix}-bedrock-runtime"},
            vpc_endpoint_type="Interface",
            vpc_id=self.vpc_main.id,
        )
        policy_document_endpoint_ecr_api = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_endpoint-ecr-api",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["ecr:*"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:PrincipalAccount",
                        ),
                    ],
                    effect="Allow",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=["arn:aws:ecr:eu-west-1:*:repository/*"],
                    sid="OwnAccount",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["ecr:GetAuthorizationToken"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:PrincipalAccount",
                        ),
                    ],
                    effect="Allow",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=["*"],
                    sid="WithoutResource",
                ),
            ],
        )
        VpcEndpoint(
            self,
            "aws_vpc_endpoint_ecr-api",
            policy=policy_document_endpoint_ecr_api.json,
            private_dns_enabled=True,
            security_group_ids=[security_group_endpoints.id],
            service_name="com.amazonaws.eu-west-1.ecr.api",
            subnet_ids=[self.subnet_private_1.id, self.subnet_private_2.id, self.subnet_private_3.id],
            tags={"Name": f"{environment.prefix}-ecr-api"},
            vpc_endpoint_type="Interface",
            vpc_id=self.vpc_main.id,
        )
        policy_document_endpoint_ecr_dkr = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_endpoint-ecr-dkr",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["ecr:*"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:PrincipalAccount",
                        ),
                    ],
                    effect="Allow",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=["arn:aws:ecr:eu-west-1:*:repository/*"],
                    sid="OwnAccount",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["ecr:GetAuthorizationToken"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:PrincipalAccount",
                        ),
                    ],
                    effect="Allow",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=["*"],
                    sid="WithoutResource",
                ),
            ],
        )
        VpcEndpoint(
            self,
            "aws_vpc_endpoint_ecr-dkr",
            policy=policy_document_endpoint_ecr_dkr.json,
            private_dns_enabled=True,
            security_group_ids=[security_group_endpoints.id],
            service_name="com.amazonaws.eu-west-1.ecr.dkr",
            subnet_ids=[self.subnet_private_1.id, self.subnet_private_2.id, self.subnet_private_3.id],
            tags={"Name": f"{environment.prefix}-ecr-dkr"},
            vpc_endpoint_type="Interface",
            vpc_id=self.vpc_main.id,
        )
        policy_document_endpoint_featurestore_runtime = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_endpoint-featurestore-runtime",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=[
                        "sagemaker:BatchGetRecord",
                        "sagemaker:DeleteRecord",
                        "sagemaker:GetRecord",
                        "sagemaker:PutRecord",
                    ],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:PrincipalAccount",
                        ),
                    ],
                    effect="Allow",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[f"arn:aws:sagemaker:eu-west-1:{environment.account}:feature-group/*"],
                    sid="OwnAccount",
                ),
            ],
        )
        VpcEndpoint(
            self,
            "aws_vpc_endpoint_featurestore-runtime",
            policy=policy_document_endpoint_featurestore_runtime.json,
            private_dns_enabled=True,
            security_group_ids=[security_group_endpoints.id],
            service_name="com.amazonaws.eu-west-1.sagemaker.featurestore-runtime",
            subnet_ids=[self.subnet_private_1.id, self.subnet_private_2.id, self.subnet_private_3.id],
            tags={"Name": f"{environment.prefix}-featurestore-runtime"},
            vpc_endpoint_type="Interface",
            vpc_id=self.vpc_main.id,
        )
        policy_document_endpoint_kms = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_endpoint-kms",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["kms:*"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:PrincipalAccount",
                        ),
                    ],
                    effect="Allow",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[
                        f"arn:aws:kms:eu-west-1:{environment.account}:key/*",
                        f"arn:aws:kms:eu-west-1:{environment.account}:alias/*",
                    ],
                    sid="OwnAccount",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["kms:ListAliases"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:PrincipalAccount",
                        ),
                    ],
                    effect="Allow",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=["*"],
                    sid="WithoutResource",
                ),
            ],
        )
        VpcEndpoint(
            self,
            "aws_vpc_endpoint_kms",
            policy=policy_document_endpoint_kms.json,
            private_dns_enabled=True,
            security_group_ids=[security_group_endpoints.id],
            service_name="com.amazonaws.eu-west-1.kms",
            subnet_ids=[self.subnet_private_1.id, self.subnet_private_2.id, self.subnet_private_3.id],
            tags={"Name": f"{environment.prefix}-kms"},
            vpc_endpoint_type="Interface",
            vpc_id=self.vpc_main.id,
        )
        policy_document_endpoint_logs = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_endpoint-logs",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["logs:*"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:PrincipalAccount",
                        ),
                    ],
                    effect="Allow",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[f"arn:aws:logs:eu-west-1:{environment.account}:log-group:*"],
                    sid="OwnAccount",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["logs:DescribeLogGroups"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:PrincipalAccount",
                        ),
                    ],
                    effect="Allow",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=["*"],
                    sid="WithoutResource",
                ),
            ],
        )
        VpcEndpoint(
            self,
            "aws_vpc_endpoint_logs",
            policy=policy_document_endpoint_logs.json,
            private_dns_enabled=True,
            security_group_ids=[security_group_endpoints.id],
            service_name="com.amazonaws.eu-west-1.logs",
            subnet_ids=[self.subnet_private_1.id, self.subnet_private_2.id, self.subnet_private_3.id],
            tags={"Name": f"{environment.prefix}-logs"},
            vpc_endpoint_type="Interface",
            vpc_id=self.vpc_main.id,
        )
        policy_document_endpoint_mlflow = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_endpoint-mlflow",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["sagemaker-mlflow:*"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:PrincipalAccount",
                        ),
                    ],
                    effect="Allow",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[f"arn:aws:sagemaker:eu-west-1:{environment.account}:mlflow-tracking-server/*"],
                    sid="OwnAccount",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["sagemaker-mlflow:AccessUI"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:PrincipalAccount",
                        ),
                    ],
                    effect="Allow",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=["*"],
                    sid="WithoutResource",
                ),
            ],
        )
        VpcEndpoint(
            self,
            "aws_vpc_endpoint_mlflow",
            policy=policy_document_endpoint_mlflow.json,
            private_dns_enabled=True,
            security_group_ids=[security_group_endpoints.id],
            service_name="aws.sagemaker.eu-west-1.experiments",
            subnet_ids=[self.subnet_private_1.id, self.subnet_private_2.id, self.subnet_private_3.id],
            tags={"Name": f"{environment.prefix}-mlflow"},
            vpc_endpoint_type="Interface",
            vpc_id=self.vpc_main.id,
        )
        policy_document_endpoint_monitoring = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_endpoint-monitoring",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["cloudwatch:DescribeAlarms"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:PrincipalAccount",
                        ),
                    ],
                    effect="Allow",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[f"arn:aws:cloudwatch:eu-west-1:{environment.account}:alarm:*"],
                    sid="OwnAccount",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=[
                        "cloudwatch:GetMetricData",
                        "cloudwatch:GetMetricStatistics",
                        "cloudwatch:ListMetrics",
                        "cloudwatch:PutMetricData",
                    ],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:PrincipalAccount",
                        ),
                    ],
                    effect="Allow",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=["*"],
                    sid="WithoutResource",
                ),
            ],
        )
        VpcEndpoint(
            self,
            "aws_vpc_endpoint_monitoring",
            policy=policy_document_endpoint_monitoring.json,
            private_dns_enabled=True,
            security_group_ids=[security_group_endpoints.id],
            service_name="com.amazonaws.eu-west-1.monitoring",
            subnet_ids=[self.subnet_private_1.id, self.subnet_private_2.id, self.subnet_private_3.id],
            tags={"Name": f"{environment.prefix}-monitoring"},
            vpc_endpoint_type="Interface",
            vpc_id=self.vpc_main.id,
        )
        policy_document_endpoint_s3 = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_endpoint-s3",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["s3:*"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:ResourceAccount",
                        ),
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:PrincipalAccount",
                        ),
                    ],
                    effect="Allow",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=["arn:aws:s3:::*"],
                    sid="OwnBuckets",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["s3:GetObject"],
                    effect="Allow",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[
                        "arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*",
                        "arn:aws:s3:::jumpstart-cache-prod-eu-west-1/*",
                    ],
                    sid="ImageLayersAndModels",
                ),
            ],
        )
        vpc_endpoint_s3 = VpcEndpoint(
            self,
            "aws_vpc_endpoint_s3",
            policy=policy_document_endpoint_s3.json,
            route_table_ids=[route_table_private_1.id, route_table_private_2.id, route_table_private_3.id],
            service_name="com.amazonaws.eu-west-1.s3",
            tags={"Name": f"{environment.prefix}-s3"},
            vpc_endpoint_type="Gateway",
            vpc_id=self.vpc_main.id,
        )
        policy_document_endpoint_sagemaker_api = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_endpoint-sagemaker-api",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["sagemaker:*"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:PrincipalAccount",
                        ),
                    ],
                    effect="Allow",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[f"arn:aws:sagemaker:eu-west-1:{environment.account}:*"],
                    sid="OwnAccount",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["sagemaker:GetSearchSuggestions", "sagemaker:List*", "sagemaker:Search"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:PrincipalAccount",
                        ),
                    ],
                    effect="Allow",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=["*"],
                    sid="WithoutResource",
                ),
            ],
        )
        VpcEndpoint(
            self,
            "aws_vpc_endpoint_sagemaker-api",
            policy=policy_document_endpoint_sagemaker_api.json,
            private_dns_enabled=True,
            security_group_ids=[security_group_endpoints.id],
            service_name="com.amazonaws.eu-west-1.sagemaker.api",
            subnet_ids=[self.subnet_private_1.id, self.subnet_private_2.id, self.subnet_private_3.id],
            tags={"Name": f"{environment.prefix}-sagemaker-api"},
            vpc_endpoint_type="Interface",
            vpc_id=self.vpc_main.id,
        )
        policy_document_endpoint_sagemaker_runtime = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_endpoint-sagemaker-runtime",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointAsync"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:PrincipalAccount",
                        ),
                    ],
                    effect="Allow",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[f"arn:aws:sagemaker:eu-west-1:{environment.account}:endpoint/*"],
                    sid="OwnAccount",
                ),
            ],
        )
        VpcEndpoint(
            self,
            "aws_vpc_endpoint_sagemaker-runtime",
            policy=policy_document_endpoint_sagemaker_runtime.json,
            private_dns_enabled=True,
            security_group_ids=[security_group_endpoints.id],
            service_name="com.amazonaws.eu-west-1.sagemaker.runtime",
            subnet_ids=[self.subnet_private_1.id, self.subnet_private_2.id, self.subnet_private_3.id],
            tags={"Name": f"{environment.prefix}-sagemaker-runtime"},
            vpc_endpoint_type="Interface",
            vpc_id=self.vpc_main.id,
        )
        policy_document_endpoint_secretsmanager = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_endpoint-secretsmanager",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["secretsmanager:*"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:PrincipalAccount",
                        ),
                    ],
                    effect="Allow",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[f"arn:aws:secretsmanager:eu-west-1:{environment.account}:secret:*"],
                    sid="OwnAccount",
                ),
            ],
        )
        VpcEndpoint(
            self,
            "aws_vpc_endpoint_secretsmanager",
            policy=policy_document_endpoint_secretsmanager.json,
            private_dns_enabled=True,
            security_group_ids=[security_group_endpoints.id],
            service_name="com.amazonaws.eu-west-1.secretsmanager",
            subnet_ids=[self.subnet_private_1.id, self.subnet_private_2.id, self.subnet_private_3.id],
            tags={"Name": f"{environment.prefix}-secretsmanager"},
            vpc_endpoint_type="Interface",
            vpc_id=self.vpc_main.id,
        )
        policy_document_endpoint_sts = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_endpoint-sts",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:PrincipalAccount",
                        ),
                    ],
                    effect="Allow",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[f"arn:aws:iam::{environment.account}:role/*"],
                    sid="OwnAccount",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["sts:GetCallerIdentity"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:PrincipalAccount",
                        ),
                    ],
                    effect="Allow",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=["*"],
                    sid="WithoutResource",
                ),
            ],
        )
        VpcEndpoint(
            self,
            "aws_vpc_endpoint_sts",
            policy=policy_document_endpoint_sts.json,
            private_dns_enabled=True,
            security_group_ids=[security_group_endpoints.id],
            service_name="com.amazonaws.eu-west-1.sts",
            subnet_ids=[self.subnet_private_1.id, self.subnet_private_2.id, self.subnet_private_3.id],
            tags={"Name": f"{environment.prefix}-sts"},
            vpc_endpoint_type="Interface",
            vpc_id=self.vpc_main.id,
        )
        VpcSecurityGroupEgressRule(
            self,
            "aws_vpc_security_group_egress_rule_among-workloads",
            description="Among workloads: Studio apps, NFS, encrypted training",
            ip_protocol="-1",
            referenced_security_group_id=self.security_group_workloads.id,
            security_group_id=self.security_group_workloads.id,
        )
        VpcSecurityGroupEgressRule(
            self,
            "aws_vpc_security_group_egress_rule_to-endpoints",
            description="TLS to the interface endpoints",
            from_port=443,
            ip_protocol="tcp",
            referenced_security_group_id=security_group_endpoints.id,
            security_group_id=self.security_group_workloads.id,
            to_port=443,
        )
        VpcSecurityGroupEgressRule(
            self,
            "aws_vpc_security_group_egress_rule_to-internet",
            cidr_ipv4="0.0.0.0/0",
            description="TLS to the internet through NAT",
            from_port=443,
            ip_protocol="tcp",
            security_group_id=self.security_group_workloads.id,
            to_port=443,
        )
        VpcSecurityGroupEgressRule(
            self,
            "aws_vpc_security_group_egress_rule_to-s3",
            description="TLS to S3 through the gateway endpoint",
            from_port=443,
            ip_protocol="tcp",
            prefix_list_id=vpc_endpoint_s3.prefix_list_id,
            security_group_id=self.security_group_workloads.id,
            to_port=443,
        )
        VpcSecurityGroupIngressRule(
            self,
            "aws_vpc_security_group_ingress_rule_among-workloads",
            description="Among workloads: Studio apps, NFS, encrypted training",
            ip_protocol="-1",
            referenced_security_group_id=self.security_group_workloads.id,
            security_group_id=self.security_group_workloads.id,
        )
        VpcSecurityGroupIngressRule(
            self,
            "aws_vpc_security_group_ingress_rule_endpoints-from-workloads",
            description="TLS from workloads",
            from_port=443,
            ip_protocol="tcp",
            referenced_security_group_id=self.security_group_workloads.id,
            security_group_id=security_group_endpoints.id,
            to_port=443,
        )

        TerraformOutput(self, "network_id", value=self.vpc_main.id)
        TerraformOutput(self, "security_group_ids", value=[self.security_group_workloads.id])
        TerraformOutput(
            self,
            "subnet_ids",
            value=[self.subnet_private_1.id, self.subnet_private_2.id, self.subnet_private_3.id],
        )
