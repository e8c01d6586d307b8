"""The monitoring stack. Written by write_cdktf_app.py beside this folder."""

from __future__ import annotations

import json

from cdktf import S3Backend, TerraformOutput, TerraformResourceLifecycle, TerraformStack
from cdktf_cdktf_provider_aws.budgets_budget import (
    BudgetsBudget,
    BudgetsBudgetCostFilter,
    BudgetsBudgetNotification,
)
from cdktf_cdktf_provider_aws.cloudwatch_dashboard import CloudwatchDashboard
from cdktf_cdktf_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
from cdktf_cdktf_provider_aws.cloudwatch_event_target import (
    CloudwatchEventTarget,
    CloudwatchEventTargetDeadLetterConfig,
    CloudwatchEventTargetInputTransformer,
    CloudwatchEventTargetRetryPolicy,
)
from cdktf_cdktf_provider_aws.cloudwatch_metric_alarm import (
    CloudwatchMetricAlarm,
    CloudwatchMetricAlarmMetricQuery,
    CloudwatchMetricAlarmMetricQueryMetric,
)
from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
    DataAwsIamPolicyDocument,
    DataAwsIamPolicyDocumentStatement,
    DataAwsIamPolicyDocumentStatementCondition,
    DataAwsIamPolicyDocumentStatementPrincipals,
)
from cdktf_cdktf_provider_aws.data_aws_sagemaker_prebuilt_ecr_image import DataAwsSagemakerPrebuiltEcrImage
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderDefaultTags
from cdktf_cdktf_provider_aws.sagemaker_data_quality_job_definition import (
    SagemakerDataQualityJobDefinition,
    SagemakerDataQualityJobDefinitionDataQualityAppSpecification,
    SagemakerDataQualityJobDefinitionDataQualityBaselineConfig,
    SagemakerDataQualityJobDefinitionDataQualityBaselineConfigConstraintsResource,
    SagemakerDataQualityJobDefinitionDataQualityBaselineConfigStatisticsResource,
    SagemakerDataQualityJobDefinitionDataQualityJobInput,
    SagemakerDataQualityJobDefinitionDataQualityJobInputEndpointInput,
    SagemakerDataQualityJobDefinitionDataQualityJobOutputConfig,
    SagemakerDataQualityJobDefinitionDataQualityJobOutputConfigMonitoringOutputs,
    SagemakerDataQualityJobDefinitionDataQualityJobOutputConfigMonitoringOutputsS3Output,
    SagemakerDataQualityJobDefinitionJobResources,
    SagemakerDataQualityJobDefinitionJobResourcesClusterConfig,
    SagemakerDataQualityJobDefinitionNetworkConfig,
    SagemakerDataQualityJobDefinitionNetworkConfigVpcConfig,
    SagemakerDataQualityJobDefinitionStoppingCondition,
)
from cdktf_cdktf_provider_aws.sagemaker_monitoring_schedule import (
    SagemakerMonitoringSchedule,
    SagemakerMonitoringScheduleMonitoringScheduleConfig,
    SagemakerMonitoringScheduleMonitoringScheduleConfigScheduleConfig,
)
from cdktf_cdktf_provider_aws.sns_topic import SnsTopic
from cdktf_cdktf_provider_aws.sns_topic_policy import SnsTopicPolicy
from cdktf_cdktf_provider_aws.sns_topic_subscription import SnsTopicSubscription
from cdktf_cdktf_provider_aws.sqs_queue import SqsQueue
from cdktf_cdktf_provider_aws.sqs_queue_policy import SqsQueuePolicy
from constructs import Construct
from environment import Environment
from identity_stack import IdentityStack
from ml_stack import MlStack
from network_stack import NetworkStack
from security_stack import SecurityStack
from state_stack import StateStack
from storage_stack import StorageStack


class MonitoringStack(TerraformStack):
    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        identity: IdentityStack,
        ml: MlStack,
        network: NetworkStack,
        security: SecurityStack,
        state: StateStack,
        storage: StorageStack,
    ) -> None:
        super().__init__(scope, f"{environment.prefix}-monitoring")
        self.add_dependency(identity)
        self.add_dependency(ml)
        self.add_dependency(network)
        self.add_dependency(security)
        self.add_dependency(state)
        self.add_dependency(storage)
        S3Backend(
            self,
            bucket=f"{environment.prefix}-state-{environment.account}-eu-west-1",
            encrypt=True,
            key=f"{environment.name}/monitoring.tfstate",
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

        sns_topic_alerts = SnsTopic(
            self,
            "aws_sns_topic_alerts",
            kms_master_key_id=security.kms_key_logs.arn,
            name=f"{environment.prefix}-alerts",
        )
        BudgetsBudget(
            self,
            "aws_budgets_budget_monthly",
            budget_type="COST",
            cost_filter=[BudgetsBudgetCostFilter(name="TagKeyValue", values=["user:platform$churn"])],
            limit_amount="2000.00",
            limit_unit="USD",
            name=f"{environment.prefix}-monthly",
            notification=[
                BudgetsBudgetNotification(
                    comparison_operator="GREATER_THAN",
                    notification_type="ACTUAL",
                    subscriber_sns_topic_arns=[sns_topic_alerts.arn],
                    threshold=80,
                    threshold_type="PERCENTAGE",
                ),
                BudgetsBudgetNotification(
                    comparison_operator="GREATER_THAN",
                    notification_type="FORECASTED",
                    subscriber_sns_topic_arns=[sns_topic_alerts.arn],
                    threshold=100,
                    threshold_type="PERCENTAGE",
                ),
            ],
            time_unit="MONTHLY",
        )
        cloudwatch_metric_alarm_errors_churn = CloudwatchMetricAlarm(
            self,
            "aws_cloudwatch_metric_alarm_errors-churn",
            alarm_actions=[sns_topic_alerts.arn],
            alarm_description="Endpoint churn fails more than 1 % of its requests",
            alarm_name=f"{environment.prefix}-churn-errors",
            comparison_operator="GreaterThanThreshold",
            datapoints_to_alarm=3,
            evaluation_periods=5,
            metric_query=[
                CloudwatchMetricAlarmMetricQuery(
                    id="failed",
                    metric=CloudwatchMetricAlarmMetricQueryMetric(
                        dimensions={
                            "EndpointName": ml.sagemaker_endpoint_churn.name,
                            "VariantName": "primary",
                        },
                        metric_name="Invocation5XXErrors",
                        namespace="AWS/SageMaker",
                        period=60,
                        stat="Sum",
                    ),
                ),
                CloudwatchMetricAlarmMetricQuery(
                    id="requests",
                    metric=CloudwatchMetricAlarmMetricQueryMetric(
                        dimensions={
                            "EndpointName": ml.sagemaker_endpoint_churn.name,
                            "VariantName": "primary",
                        },
                        metric_name="Invocations",
                        namespace="AWS/SageMaker",
                        period=60,
                        stat="Sum",
                    ),
                ),
                CloudwatchMetricAlarmMetricQuery(
                    expression="100 * failed / requests",
                    id="share",
                    label="Failed (%)",
                    return_data=True,
                ),
            ],
            ok_actions=[sns_topic_alerts.arn],
            threshold=1.0,
            treat_missing_data="notBreaching",
        )
        cloudwatch_metric_alarm_latency_churn = CloudwatchMetricAlarm(
            self,
            "aws_cloudwatch_metric_alarm_latency-churn",
            alarm_actions=[sns_topic_alerts.arn],
            alarm_description="One answer in a hundred of endpoint churn takes more than 300 ms",
            alarm_name=f"{environment.prefix}-churn-latency",
            comparison_operator="GreaterThanThreshold",
            datapoints_to_alarm=3,
            dimensions={"EndpointName": ml.sagemaker_endpoint_churn.name, "VariantName": "primary"},
            evaluation_periods=5,
            extended_statistic="p99",
            metric_name="ModelLatency",
            namespace="AWS/SageMaker",
            ok_actions=[sns_topic_alerts.arn],
            period=60,
            threshold=300000,
            treat_missing_data="notBreaching",
        )
        cloudwatch_metric_alarm_errors_uplift = CloudwatchMetricAlarm(
            self,
            "aws_cloudwatch_metric_alarm_errors-uplift",
            alarm_actions=[sns_topic_alerts.arn],
            alarm_description="Endpoint uplift fails more than 1 % of its requests",
            alarm_name=f"{environment.prefix}-uplift-errors",
            comparison_operator="GreaterThanThreshold",
            datapoints_to_alarm=3,
            evaluation_periods=5,
            metric_query=[
                CloudwatchMetricAlarmMetricQuery(
                    id="failed",
                    metric=CloudwatchMetricAlarmMetricQueryMetric(
                        dimensions={
                            "EndpointName": ml.sagemaker_endpoint_uplift.name,
                            "VariantName": "primary",
                        },
                        metric_name="Invocation5XXErrors",
                        namespace="AWS/SageMaker",
                        period=60,
                        stat="Sum",
                    ),
                ),
                CloudwatchMetricAlarmMetricQuery(
                    id="requests",
                    metric=CloudwatchMetricAlarmMetricQueryMetric(
                        dimensions={
                            "EndpointName": ml.sagemaker_endpoint_uplift.name,
                            "VariantName": "primary",
                        },
                        metric_name="Invocations",
                        namespace="AWS/SageMaker",
                        period=60,
                        stat="Sum",
                    ),
                ),
                CloudwatchMetricAlarmMetricQuery(
                    expression="100 * failed / requests",
                    id="share",
                    label="Failed (%)",
                    return_data=True,
                ),
            ],
            ok_actions=[sns_topic_alerts.arn],
            threshold=1.0,
            treat_missing_data="notBreaching",
        )
        cloudwatch_metric_alarm_latency_uplift = CloudwatchMetricAlarm(
            self,
            "aws_cloudwatch_metric_alarm_latency-uplift",
            alarm_actions=[sns_topic_alerts.arn],
            alarm_description="One answer in a hundred of endpoint uplift takes more than 1000 ms",
            alarm_name=f"{environment.prefix}-uplift-latency",
            comparison_operator="GreaterThanThreshold",
            datapoints_to_alarm=3,
            dimensions={"EndpointName": ml.sagemaker_endpoint_uplift.name, "VariantName": "primary"},
            evaluation_periods=5,
            extended_statistic="p99",
            metric_name="ModelLatency",
            namespace="AWS/SageMaker",
            ok_actions=[sns_topic_alerts.arn],
            period=60,
            threshold=1000000,
            treat_missing_data="notBreaching",
        )
        cloudwatch_metric_alarm_errors_uplift_slow = CloudwatchMetricAlarm(
            self,
            "aws_cloudwatch_metric_alarm_errors-uplift-slow",
            alarm_actions=[sns_topic_alerts.arn],
            alarm_description="Endpoint uplift-slow fails more than 1 % of its requests",
            alarm_name=f"{environment.prefix}-uplift-slow-errors",
            comparison_operator="GreaterThanThreshold",
            datapoints_to_alarm=3,
            evaluation_periods=5,
            metric_query=[
                CloudwatchMetricAlarmMetricQuery(
                    id="failed",
                    metric=CloudwatchMetricAlarmMetricQueryMetric(
                        dimensions={
                            "EndpointName": ml.sagemaker_endpoint_uplift_slow.name,
                            "VariantName": "primary",
                        },
                        metric_name="Invocation5XXErrors",
                        namespace="AWS/SageMaker",
                        period=60,
                        stat="Average",
                    ),
                ),
                CloudwatchMetricAlarmMetricQuery(
                    expression="100 * failed",
                    id="share",
                    label="Failed (%)",
                    return_data=True,
                ),
            ],
            ok_actions=[sns_topic_alerts.arn],
            threshold=1.0,
            treat_missing_data="notBreaching",
        )
        cloudwatch_metric_alarm_backlog_uplift_slow = CloudwatchMetricAlarm(
            self,
            "aws_cloudwatch_metric_alarm_backlog-uplift-slow",
            alarm_actions=[sns_topic_alerts.arn],
            alarm_description="Endpoint uplift-slow has a request that waits for more than 1800 s",
            alarm_name=f"{environment.prefix}-uplift-slow-backlog",
            comparison_operator="GreaterThanThreshold",
            datapoints_to_alarm=2,
            dimensions={"EndpointName": ml.sagemaker_endpoint_uplift_slow.name},
            evaluation_periods=3,
            metric_name="ApproximateAgeOfOldestRequest",
            namespace="AWS/SageMaker",
            ok_actions=[sns_topic_alerts.arn],
            period=300,
            statistic="Maximum",
            threshold=1800,
            treat_missing_data="notBreaching",
        )
        cloudwatch_metric_alarm_failed_train = CloudwatchMetricAlarm(
            self,
            "aws_cloudwatch_metric_alarm_failed-train",
            alarm_description="Pipeline train failed; the message about it names the execution",
            alarm_name=f"{environment.prefix}-train-failed",
            comparison_operator="GreaterThanThreshold",
            datapoints_to_alarm=1,
            dimensions={"PipelineName": ml.sagemaker_pipeline_train.pipeline_name},
            evaluation_periods=1,
            metric_name="ExecutionFailed",
            namespace="AWS/Sagemaker/ModelBuildingPipeline",
            period=300,
            statistic="Sum",
            threshold=0,
            treat_missing_data="notBreaching",
        )
        cloudwatch_metric_alarm_failed_churn_bulk__batch = CloudwatchMetricAlarm(
            self,
            "aws_cloudwatch_metric_alarm_failed-churn-bulk--batch",
            alarm_description="Pipeline churn-bulk--batch failed; the message about it names the execution",
            alarm_name=f"{environment.prefix}-churn-bulk--batch-failed",
            comparison_operator="GreaterThanThreshold",
            datapoints_to_alarm=1,
            dimensions={"PipelineName": ml.sagemaker_pipeline_churn_bulk_batch.pipeline_name},
            evaluation_periods=1,
            metric_name="ExecutionFailed",
            namespace="AWS/Sagemaker/ModelBuildingPipeline",
            period=300,
            statistic="Sum",
            threshold=0,
            treat_missing_data="notBreaching",
        )
        sagemaker_prebuilt_ecr_image_analyzer = DataAwsSagemakerPrebuiltEcrImage(
            self,
            "data_aws_sagemaker_prebuilt_ecr_image_analyzer",
            image_tag="latest",
            repository_name="sagemaker-model-monitor-analyzer",
        )
        sagemaker_data_quality_job_definition_churn = SagemakerDataQualityJobDefinition(
            self,
            "aws_sagemaker_data_quality_job_definition_churn",
            data_quality_app_specification=SagemakerDataQualityJobDefinitionDataQualityAppSpecification(
                environment={"publish_cloudwatch_metrics": "Enabled"},
                image_uri=sagemaker_prebuilt_ecr_image_analyzer.registry_path,
            ),
            data_quality_baseline_config=SagemakerDataQualityJobDefinitionDataQualityBaselineConfig(
                constraints_resource=SagemakerDataQualityJobDefinitionDataQualityBaselineConfigConstraintsResource(
                    s3_uri=f"s3://{storage.s3_bucket_artifacts.id}/baselines/churn/constraints.json",
                ),
                statistics_resource=SagemakerDataQualityJobDefinitionDataQualityBaselineConfigStatisticsResource(
                    s3_uri=f"s3://{storage.s3_bucket_artifacts.id}/baselines/churn/statistics.json",
                ),
            ),
            data_quality_job_input=SagemakerDataQualityJobDefinitionDataQualityJobInput(
                endpoint_input=SagemakerDataQualityJobDefinitionDataQualityJobInputEndpointInput(
                    endpoint_name=ml.sagemaker_endpoint_churn.name,
                ),
            ),
            data_quality_job_output_config=SagemakerDataQualityJobDefinitionDataQualityJobOutputConfig(
                kms_key_id=security.kms_key_data.arn,
                monitoring_outputs=SagemakerDataQualityJobDefinitionDataQualityJobOutputConfigMonitoringOutputs(
                    s3_output=SagemakerDataQualityJobDefinitionDataQualityJobOutputConfigMonitoringOutputsS3Output(
                        s3_uri=f"s3://{storage.s3_bucket_artifacts.id}/monitoring/churn",
                    ),
                ),
            ),
            job_resources=SagemakerDataQualityJobDefinitionJobResources(
                cluster_config=SagemakerDataQualityJobDefinitionJobResourcesClusterConfig(
                    instance_count=1,
                    instance_type="ml.m5.xlarge",
                    volume_kms_key_id=security.kms_key_data.arn,
                    volume_size_in_gb=20,
                ),
            ),
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
            name=f"{environment.prefix}-churn-39caf512",
            network_config=SagemakerDataQualityJobDefinitionNetworkConfig(
                enable_inter_container_traffic_encryption=True,
                enable_network_isolation=False,
                vpc_config=SagemakerDataQualityJobDefinitionNetworkConfigVpcConfig(
                    security_group_ids=[network.security_group_workloads.id],
                    subnets=[
                        network.subnet_private_1.id,
                        network.subnet_private_2.id,
                        network.subnet_private_3.id,
                    ],
                ),
            ),
            role_arn=identity.iam_role_monitoring.arn,
            stopping_condition=SagemakerDataQualityJobDefinitionStoppingCondition(
                max_runtime_in_seconds=1800,
            ),
        )
        sagemaker_monitoring_schedule_churn = SagemakerMonitoringSchedule(
            self,
            "aws_sagemaker_monitoring_schedule_churn",
            monitoring_schedule_config=SagemakerMonitoringScheduleMonitoringScheduleConfig(
                monitoring_job_definition_name=sagemaker_data_quality_job_definition_churn.name,
                monitoring_type="DataQuality",
                schedule_config=SagemakerMonitoringScheduleMonitoringScheduleConfigScheduleConfig(
                    schedule_expression="cron(0 * ? * * *)",
                ),
            ),
            name=f"{environment.prefix}-churn",
        )
        cloudwatch_metric_alarm_drift_churn = CloudwatchMetricAlarm(
            self,
            "aws_cloudwatch_metric_alarm_drift-churn",
            alarm_actions=[sns_topic_alerts.arn],
            alarm_description="The inputs of endpoint churn have drifted from the training data: tenure_months, monthly_charge",
            alarm_name=f"{environment.prefix}-churn-drift",
            comparison_operator="GreaterThanOrEqualToThreshold",
            datapoints_to_alarm=2,
            evaluation_periods=5,
            metric_query=[
                CloudwatchMetricAlarmMetricQuery(
                    id="m0_0",
                    metric=CloudwatchMetricAlarmMetricQueryMetric(
                        dimensions={
                            "Endpoint": ml.sagemaker_endpoint_churn.name,
                            "MonitoringSchedule": sagemaker_monitoring_schedule_churn.name,
                        },
                        metric_name="feature_baseline_drift_tenure_months",
                        namespace="aws/sagemaker/Endpoints/data-metrics",
                        period=3600,
                        stat="Maximum",
                    ),
                ),
                CloudwatchMetricAlarmMetricQuery(
                    id="m0_1",
                    metric=CloudwatchMetricAlarmMetricQueryMetric(
                        dimensions={
                            "Endpoint": ml.sagemaker_endpoint_churn.name,
                            "Feature": "tenure_months",
                            "MonitoringSchedule": sagemaker_monitoring_schedule_churn.name,
                        },
                        metric_name="feature_baseline_drift_tenure_months",
                        namespace="aws/sagemaker/Endpoints/data-metrics",
                        period=3600,
                        stat="Maximum",
                    ),
                ),
                CloudwatchMetricAlarmMetricQuery(
                    id="m1_0",
                    metric=CloudwatchMetricAlarmMetricQueryMetric(
                        dimensions={
                            "Endpoint": ml.sagemaker_endpoint_churn.name,
                            "MonitoringSchedule": sagemaker_monitoring_schedule_churn.name,
                        },
                        metric_name="feature_baseline_drift_monthly_charge",
                        namespace="aws/sagemaker/Endpoints/data-metrics",
                        period=3600,
                        stat="Maximum",
                    ),
                ),
                CloudwatchMetricAlarmMetricQuery(
                    id="m1_1",
                    metric=CloudwatchMetricAlarmMetricQueryMetric(
                        dimensions={
                            "Endpoint": ml.sagemaker_endpoint_churn.name,
                            "Feature": "monthly_charge",
                            "MonitoringSchedule": sagemaker_monitoring_schedule_churn.name,
                        },
                        metric_name="feature_baseline_drift_monthly_charge",
                        namespace="aws/sagemaker/Endpoints/data-metrics",
                        period=3600,
                        stat="Maximum",
                    ),
                ),
                CloudwatchMetricAlarmMetricQuery(
                    expression="MAX([m0_0, m0_1, m1_0, m1_1])",
                    id="drift",
                    label="Highest drift",
                    return_data=True,
                ),
            ],
            ok_actions=[sns_topic_alerts.arn],
            threshold=0.2,
            treat_missing_data="notBreaching",
        )
        sqs_queue_triggers = SqsQueue(
            self,
            "aws_sqs_queue_triggers",
            kms_master_key_id=security.kms_key_logs.arn,
            message_retention_seconds=1209600,
            name=f"{environment.prefix}-triggers-undelivered",
        )
        cloudwatch_metric_alarm_undelivered = CloudwatchMetricAlarm(
            self,
            "aws_cloudwatch_metric_alarm_undelivered",
            alarm_actions=[sns_topic_alerts.arn],
            alarm_description="An event started no pipeline, or reached nobody: it waits in the queue",
            alarm_name=f"{environment.prefix}-triggers-undelivered",
            comparison_operator="GreaterThanThreshold",
            datapoints_to_alarm=1,
            dimensions={"QueueName": sqs_queue_triggers.name},
            evaluation_periods=1,
            metric_name="ApproximateNumberOfMessagesVisible",
            namespace="AWS/SQS",
            ok_actions=[sns_topic_alerts.arn],
            period=300,
            statistic="Maximum",
            threshold=0,
            treat_missing_data="notBreaching",
        )
        cloudwatch_dashboard_main = CloudwatchDashboard(
            self,
            "aws_cloudwatch_dashboard_main",
            dashboard_body=json.dumps(
                {
                    "widgets": [
                        {
                            "height": 2,
                            "properties": {
                                "markdown": f"# churn, {environment.name}\nBudget: 2000.00 USD a month; alerts at 80 % spent and 100 % forecast.",
                            },
                            "type": "text",
                            "width": 24,
                            "x": 0,
                            "y": 0,
                        },
                        {
                            "height": 6,
                            "properties": {
                                "alarms": [
                                    cloudwatch_metric_alarm_errors_churn.arn,
                                    cloudwatch_metric_alarm_latency_churn.arn,
                                    cloudwatch_metric_alarm_errors_uplift.arn,
                                    cloudwatch_metric_alarm_latency_uplift.arn,
                                    cloudwatch_metric_alarm_errors_uplift_slow.arn,
                                    cloudwatch_metric_alarm_backlog_uplift_slow.arn,
                                    cloudwatch_metric_alarm_failed_train.arn,
                                    cloudwatch_metric_alarm_failed_churn_bulk__batch.arn,
                                    cloudwatch_metric_alarm_drift_churn.arn,
                                    cloudwatch_metric_alarm_undelivered.arn,
                                ],
                                "title": "Alarms",
                            },
                            "type": "alarm",
                            "width": 24,
                            "x": 0,
                            "y": 2,
                        },
                        {
                            "height": 6,
                            "properties": {
                                "metrics": [
                                    [
                                        "AWS/SageMaker",
                                        "Invocations",
                                        "EndpointName",
                                        ml.sagemaker_endpoint_churn.name,
                                        "VariantName",
                                        "primary",
                                    ],
                                ],
                                "period": 300,
                                "region": "eu-west-1",
                                "stacked": False,
                                "stat": "Sum",
                                "title": "churn: requests",
                                "view": "timeSeries",
                            },
                            "type": "metric",
                            "width": 6,
                            "x": 0,
                            "y": 8,
                        },
                        {
                            "height": 6,
                            "properties": {
                                "metrics": [
                                    [
                                        "AWS/SageMaker",
                                        "Invocation5XXErrors",
                                        "EndpointName",
                                        ml.sagemaker_endpoint_churn.name,
                                        "VariantName",
                                        "primary",
                                    ],
                                    [
                                        "AWS/SageMaker",
                                        "Invocation4XXErrors",
                                        "EndpointName",
                                        ml.sagemaker_endpoint_churn.name,
                                        "VariantName",
                                        "primary",
                                    ],
                                ],
                                "period": 300,
                                "region": "eu-west-1",
                                "stacked": False,
                                "stat": "Sum",
                                "title": "churn: errors",
                                "view": "timeSeries",
                            },
                            "type": "metric",
                            "width": 6,
                            "x": 6,
                            "y": 8,
                        },
                        {
                            "height": 6,
                            "properties": {
                                "metrics": [
                                    [
                                        "AWS/SageMaker",
                                        "ModelLatency",
                                        "EndpointName",
                                        ml.sagemaker_endpoint_churn.name,
                                        "VariantName",
                                        "primary",
                                        {"label": "p50", "stat": "p50"},
                                    ],
                                    [
                                        "AWS/SageMaker",
                                        "ModelLatency",
                                        "EndpointName",
                                        ml.sagemaker_endpoint_churn.name,
                                        "VariantName",
                                        "primary",
                                        {"label": "p99", "stat": "p99"},
                                    ],
                                ],
                                "period": 300,
                                "region": "eu-west-1",
                                "stacked": False,
                                "stat": "p99",
                                "title": "churn: latency (µs)",
                                "view": "timeSeries",
                            },
                            "type": "metric",
                            "width": 6,
                            "x": 12,
                            "y": 8,
                        },
                        {
                            "height": 6,
                            "properties": {
                                "metrics": [
                                    [
                                        "/aws/sagemaker/Endpoints",
                                        "CPUUtilization",
                                        "EndpointName",
                                        ml.sagemaker_endpoint_churn.name,
                                        "VariantName",
                                        "primary",
                                        {"label": "CPU"},
                                    ],
                                    [
                                        "/aws/sagemaker/Endpoints",
                                        "GPUUtilization",
                                        "EndpointName",
                                        ml.sagemaker_endpoint_churn.name,
                                        "VariantName",
                                        "primary",
                                        {"label": "GPU"},
                                    ],
                                ],
                                "period": 300,
                                "region": "eu-west-1",
                                "stacked": False,
                                "stat": "Average",
                                "title": "churn: machines (% of one processor)",
                                "view": "timeSeries",
                            },
                            "type": "metric",
                            "width": 6,
                            "x": 18,
                            "y": 8,
                        },
                        {
                            "height": 6,
                            "properties": {
                                "metrics": [
                                    [
                                        "AWS/SageMaker",
                                        "Invocations",
                                        "EndpointName",
                                        ml.sagemaker_endpoint_uplift.name,
                                        "VariantName",
                                        "primary",
                                    ],
                                ],
                                "period": 300,
                                "region": "eu-west-1",
                                "stacked": False,
                                "stat": "Sum",
                                "title": "uplift: requests",
                                "view": "timeSeries",
                            },
                            "type": "metric",
                            "width": 8,
                            "x": 0,
                            "y": 14,
                        },
                        {
                            "height": 6,
                            "properties": {
                                "metrics": [
                                    [
                                        "AWS/SageMaker",
                                        "Invocation5XXErrors",
                                        "EndpointName",
                                        ml.sagemaker_endpoint_uplift.name,
                                        "VariantName",
                                        "primary",
                                    ],
                                    [
                                        "AWS/SageMaker",
                                        "Invocation4XXErrors",
                                        "EndpointName",
                                        ml.sagemaker_endpoint_uplift.name,
                                        "VariantName",
                                        "primary",
                                    ],
                                ],
                                "period": 300,
                                "region": "eu-west-1",
                                "stacked": False,
                                "stat": "Sum",
                                "title": "uplift: errors",
                                "view": "timeSeries",
                            },
                            "type": "metric",
                            "width": 8,
                            "x": 8,
                            "y": 14,
                        },
                        {
                            "height": 6,
                            "properties": {
                                "metrics": [
                                    [
                                        "AWS/SageMaker",
                                        "ModelLatency",
                                        "EndpointName",
                                        ml.sagemaker_endpoint_uplift.name,
                                        "VariantName",
                                        "primary",
                                        {"label": "p50", "stat": "p50"},
                                    ],
                                    [
                                        "AWS/SageMaker",
                                        "ModelLatency",
                                        "EndpointName",
                                        ml.sagemaker_endpoint_uplift.name,
                                        "VariantName",
                                        "primary",
                                        {"label": "p99", "stat": "p99"},
                                    ],
                                ],
                                "period": 300,
                                "region": "eu-west-1",
                                "stacked": False,
                                "stat": "p99",
                                "title": "uplift: latency (µs)",
                                "view": "timeSeries",
                            },
                            "type": "metric",
                            "width": 8,
                            "x": 16,
                            "y": 14,
                        },
                        {
                            "height": 6,
                            "properties": {
                                "metrics": [
                                    [
                                        "AWS/SageMaker",
                                        "ApproximateBacklogSize",
                                        "EndpointName",
                                        ml.sagemaker_endpoint_uplift_slow.name,
                                        {"stat": "Maximum"},
                                    ],
                                    [
                                        "AWS/SageMaker",
                                        "ApproximateAgeOfOldestRequest",
                                        "EndpointName",
                                        ml.sagemaker_endpoint_uplift_slow.name,
                                        {"stat": "Maximum", "yAxis": "right"},
                                    ],
                                ],
                                "period": 300,
                                "region": "eu-west-1",
                                "stacked": False,
                                "stat": "Maximum",
                                "title": "uplift-slow: waiting requests, oldest (s)",
                                "view": "timeSeries",
                            },
                            "type": "metric",
                            "width": 6,
                            "x": 0,
                            "y": 20,
                        },
                        {
                            "height": 6,
                            "properties": {
                                "metrics": [
                                    [
                                        "AWS/SageMaker",
                                        "Invocation5XXErrors",
                                        "EndpointName",
                                        ml.sagemaker_endpoint_uplift_slow.name,
                                        "VariantName",
                                        "primary",
                                    ],
                                ],
                                "period": 300,
                                "region": "eu-west-1",
                                "stacked": False,
                                "stat": "Sum",
                                "title": "uplift-slow: errors",
                                "view": "timeSeries",
                            },
                            "type": "metric",
                            "width": 6,
                            "x": 6,
                            "y": 20,
                        },
                        {
                            "height": 6,
                            "properties": {
                                "metrics": [
                                    [
                                        "AWS/SageMaker",
                                        "ModelLatency",
                                        "EndpointName",
                                        ml.sagemaker_endpoint_uplift_slow.name,
                                        "VariantName",
                                        "primary",
                                        {"label": "p50", "stat": "p50"},
                                    ],
                                    [
                                        "AWS/SageMaker",
                                        "ModelLatency",
                                        "EndpointName",
                                        ml.sagemaker_endpoint_uplift_slow.name,
                                        "VariantName",
                                        "primary",
                                        {"label": "p99", "stat": "p99"},
                                    ],
                                ],
                                "period": 300,
                                "region": "eu-west-1",
                                "stacked": False,
                                "stat": "p99",
                                "title": "uplift-slow: latency (µs)",
                                "view": "timeSeries",
                            },
                            "type": "metric",
                            "width": 6,
                            "x": 12,
                            "y": 20,
                        },
                        {
                            "height": 6,
                            "properties": {
                                "metrics": [
                                    [
                                        "/aws/sagemaker/Endpoints",
                                        "CPUUtilization",
                                        "EndpointName",
                                        ml.sagemaker_endpoint_uplift_slow.name,
                                        "VariantName",
                                        "primary",
                                        {"label": "CPU"},
                                    ],
                                    [
                                        "/aws/sagemaker/Endpoints",
                                        "GPUUtilization",
                                        "EndpointName",
                                        ml.sagemaker_endpoint_uplift_slow.name,
                                        "VariantName",
                                        "primary",
                                        {"label": "GPU"},
                                    ],
                                ],
                                "period": 300,
                                "region": "eu-west-1",
                                "stacked": False,
                                "stat": "Average",
                                "title": "uplift-slow: machines (% of one processor)",
                                "view": "timeSeries",
                            },
                            "type": "metric",
                            "width": 6,
                            "x": 18,
                            "y": 20,
                        },
                        {
                            "height": 6,
                            "properties": {
                                "metrics": [
                                    [
                                        "AWS/Sagemaker/ModelBuildingPipeline",
                                        "ExecutionStarted",
                                        "PipelineName",
                                        ml.sagemaker_pipeline_train.pipeline_name,
                                        {"label": "started"},
                                    ],
                                    [
                                        "AWS/Sagemaker/ModelBuildingPipeline",
                                        "ExecutionSucceeded",
                                        "PipelineName",
                                        ml.sagemaker_pipeline_train.pipeline_name,
                                        {"label": "succeeded"},
                                    ],
                                    [
                                        "AWS/Sagemaker/ModelBuildingPipeline",
                                        "ExecutionFailed",
                                        "PipelineName",
                                        ml.sagemaker_pipeline_train.pipeline_name,
                                        {"label": "failed"},
                                    ],
                                ],
                                "period": 300,
                                "region": "eu-west-1",
                                "stacked": False,
                                "stat": "Sum",
                                "title": "train: executions",
                                "view": "timeSeries",
                            },
                            "type": "metric",
                            "width": 12,
                            "x": 0,
                            "y": 26,
                        },
                        {
                            "height": 6,
                            "properties": {
                                "metrics": [
                                    [
                                        "AWS/Sagemaker/ModelBuildingPipeline",
                                        "ExecutionDuration",
                                        "PipelineName",
                                        ml.sagemaker_pipeline_train.pipeline_name,
                                    ],
                                ],
                                "period": 300,
                                "region": "eu-west-1",
                                "stacked": False,
                                "stat": "Maximum",
                                "title": "train: duration (ms)",
                                "view": "timeSeries",
                            },
                            "type": "metric",
                            "width": 12,
                            "x": 12,
                            "y": 26,
                        },
                        {
                            "height": 6,
                            "properties": {
                                "metrics": [
                                    [
                                        "AWS/Sagemaker/ModelBuildingPipeline",
                                        "ExecutionStarted",
                                        "PipelineName",
                                        ml.sagemaker_pipeline_churn_bulk_batch.pipeline_name,
                                        {"label": "started"},
                                    ],
                                    [
                                        "AWS/Sagemaker/ModelBuildingPipeline",
                                        "ExecutionSucceeded",
                                        "PipelineName",
                                        ml.sagemaker_pipeline_churn_bulk_batch.pipeline_name,
                                        {"label": "succeeded"},
                                    ],
                                    [
                                        "AWS/Sagemaker/ModelBuildingPipeline",
                                        "ExecutionFailed",
                                        "PipelineName",
                                        ml.sagemaker_pipeline_churn_bulk_batch.pipeline_name,
                                        {"label": "failed"},
                                    ],
                                ],
                                "period": 300,
                                "region": "eu-west-1",
                                "stacked": False,
                                "stat": "Sum",
                                "title": "churn-bulk--batch: executions",
                                "view": "timeSeries",
                            },
                            "type": "metric",
                            "width": 12,
                            "x": 0,
                            "y": 32,
                        },
                        {
                            "height": 6,
                            "properties": {
                                "metrics": [
                                    [
                                        "AWS/Sagemaker/ModelBuildingPipeline",
                                        "ExecutionDuration",
                                        "PipelineName",
                                        ml.sagemaker_pipeline_churn_bulk_batch.pipeline_name,
                                    ],
                                ],
                                "period": 300,
                                "region": "eu-west-1",
                                "stacked": False,
                                "stat": "Maximum",
                                "title": "churn-bulk--batch: duration (ms)",
                                "view": "timeSeries",
                            },
                            "type": "metric",
                            "width": 12,
                            "x": 12,
                            "y": 32,
                        },
                        {
                            "height": 6,
                            "properties": {
                                "annotations": {"horizontal": [{"label": "drifted", "value": 0.2}]},
                                "metrics": [
                                    [
                                        "aws/sagemaker/Endpoints/data-metrics",
                                        "feature_baseline_drift_tenure_months",
                                        "Endpoint",
                                        ml.sagemaker_endpoint_churn.name,
                                        "MonitoringSchedule",
                                        sagemaker_monitoring_schedule_churn.name,
                                        {"label": "tenure_months"},
                                    ],
                                    [
                                        "aws/sagemaker/Endpoints/data-metrics",
                                        "feature_baseline_drift_tenure_months",
                                        "Endpoint",
                                        ml.sagemaker_endpoint_churn.name,
                                        "Feature",
                                        "tenure_months",
                                        "MonitoringSchedule",
                                        sagemaker_monitoring_schedule_churn.name,
                                        {"label": "tenure_months"},
                                    ],
                                    [
                                        "aws/sagemaker/Endpoints/data-metrics",
                                        "feature_baseline_drift_monthly_charge",
                                        "Endpoint",
                                        ml.sagemaker_endpoint_churn.name,
                                        "MonitoringSchedule",
                                        sagemaker_monitoring_schedule_churn.name,
                                        {"label": "monthly_charge"},
                                    ],
                                    [
                                        "aws/sagemaker/Endpoints/data-metrics",
                                        "feature_baseline_drift_monthly_charge",
                                        "Endpoint",
                                        ml.sagemaker_endpoint_churn.name,
                                        "Feature",
                                        "monthly_charge",
                                        "MonitoringSchedule",
                                        sagemaker_monitoring_schedule_churn.name,
                                        {"label": "monthly_charge"},
                                    ],
                                ],
                                "period": 3600,
                                "region": "eu-west-1",
                                "stacked": False,
                                "stat": "Maximum",
                                "title": "churn: drift of the inputs",
                                "view": "timeSeries",
                            },
                            "type": "metric",
                            "width": 24,
                            "x": 0,
                            "y": 38,
                        },
                    ],
                },
            ),
            dashboard_name=f"{environment.prefix}",
        )
        cloudwatch_event_rule_approved_churn = CloudwatchEventRule(
            self,
            "aws_cloudwatch_event_rule_approved-churn",
            description="A version of churn was approved",
            event_pattern=json.dumps(
                {
                    "detail": {
                        "ModelApprovalStatus": ["Approved"],
                        "ModelPackageGroupName": [f"{environment.prefix}-churn"],
                        "ModelPackageStatus": ["Completed"],
                    },
                    "detail-type": ["SageMaker Model Package State Change"],
                    "source": ["aws.sagemaker"],
                },
            ),
            name=f"{environment.prefix}-churn-approved",
            state="ENABLED",
        )
        cloudwatch_event_rule_approved_uplift = CloudwatchEventRule(
            self,
            "aws_cloudwatch_event_rule_approved-uplift",
            description="A version of uplift was approved",
            event_pattern=json.dumps(
                {
                    "detail": {
                        "ModelApprovalStatus": ["Approved"],
                        "ModelPackageGroupName": [f"{environment.prefix}-uplift"],
                        "ModelPackageStatus": ["Completed"],
                    },
                    "detail-type": ["SageMaker Model Package State Change"],
                    "source": ["aws.sagemaker"],
                },
            ),
            name=f"{environment.prefix}-uplift-approved",
            state="ENABLED",
        )
        cloudwatch_event_rule_drift_churn = CloudwatchEventRule(
            self,
            "aws_cloudwatch_event_rule_drift-churn",
            description="Starts train when monitor churn finds drift",
            event_pattern=json.dumps(
                {
                    "detail": {"state": {"value": ["ALARM"]}},
                    "detail-type": ["CloudWatch Alarm State Change"],
                    "resources": [cloudwatch_metric_alarm_drift_churn.arn],
                    "source": ["aws.cloudwatch"],
                },
            ),
            name=f"{environment.prefix}-churn-drift",
            state="ENABLED",
        )
        cloudwatch_event_rule_endpoint_failed_1 = CloudwatchEventRule(
            self,
            "aws_cloudwatch_event_rule_endpoint-failed-1",
            description="An endpoint or its deployment failed",
            event_pattern=json.dumps(
                {
                    "detail": {
                        "EndpointName": [
                            ml.sagemaker_endpoint_churn.name,
                            ml.sagemaker_endpoint_uplift.name,
                            ml.sagemaker_endpoint_uplift_slow.name,
                        ],
                        "EndpointStatus": [
                            "FAILED",
                            "OUT_OF_SERVICE",
                            "ROLLING_BACK",
                            "UPDATE_ROLLBACK_FAILED",
                        ],
                    },
                    "detail-type": [
                        "SageMaker Endpoint State Change",
                        "SageMaker Endpoint Deployment State Change",
                    ],
                    "source": ["aws.sagemaker"],
                },
            ),
            name=f"{environment.prefix}-endpoint-failed-1",
            state="ENABLED",
        )
        cloudwatch_event_rule_pipeline_failed_1 = CloudwatchEventRule(
            self,
            "aws_cloudwatch_event_rule_pipeline-failed-1",
            description="An execution of a pipeline failed",
            event_pattern=json.dumps(
                {
                    "detail": {
                        "currentPipelineExecutionStatus": ["Failed"],
                        "pipelineArn": [
                            ml.sagemaker_pipeline_train.arn,
                            ml.sagemaker_pipeline_churn_bulk_batch.arn,
                        ],
                    },
                    "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
                    "source": ["aws.sagemaker"],
                },
            ),
            name=f"{environment.prefix}-pipeline-failed-1",
            state="ENABLED",
        )
        cloudwatch_event_rule_schedule_churn_bulk__batch = CloudwatchEventRule(
            self,
            "aws_cloudwatch_event_rule_schedule-churn-bulk--batch",
            description="Starts churn-bulk by its schedule, 30 4 * * mon (UTC)",
            name=f"{environment.prefix}-churn-bulk--batch-schedule",
            schedule_expression="cron(30 4 ? * MON *)",
            state="ENABLED",
        )
        cloudwatch_event_rule_schedule_train = CloudwatchEventRule(
            self,
            "aws_cloudwatch_event_rule_schedule-train",
            description="Starts train by its schedule, 0 3 * * * (UTC)",
            name=f"{environment.prefix}-train-schedule",
            schedule_expression="cron(0 3 * * ? *)",
            state="ENABLED",
        )
        CloudwatchEventTarget(
            self,
            "aws_cloudwatch_event_target_approved-churn--people",
            arn=sns_topic_alerts.arn,
            dead_letter_config=CloudwatchEventTargetDeadLetterConfig(arn=sqs_queue_triggers.arn),
            input_transformer=CloudwatchEventTargetInputTransformer(
                input_paths={
                    "group": "$.detail.ModelPackageGroupName",
                    "version": "$.detail.ModelPackageVersion",
                },
                input_template='"Version <version> of model <group> was approved."',
            ),
            retry_policy=CloudwatchEventTargetRetryPolicy(
                maximum_event_age_in_seconds=3600,
                maximum_retry_attempts=8,
            ),
            rule=cloudwatch_event_rule_approved_churn.name,
            target_id="people",
        )
        CloudwatchEventTarget(
            self,
            "aws_cloudwatch_event_target_approved-churn--pipeline",
            arn=ml.sagemaker_pipeline_train.arn,
            dead_letter_config=CloudwatchEventTargetDeadLetterConfig(arn=sqs_queue_triggers.arn),
            retry_policy=CloudwatchEventTargetRetryPolicy(
                maximum_event_age_in_seconds=3600,
                maximum_retry_attempts=8,
            ),
            role_arn=identity.iam_role_triggers.arn,
            rule=cloudwatch_event_rule_approved_churn.name,
            target_id="pipeline",
        )
        CloudwatchEventTarget(
            self,
            "aws_cloudwatch_event_target_approved-uplift--people",
            arn=sns_topic_alerts.arn,
            dead_letter_config=CloudwatchEventTargetDeadLetterConfig(arn=sqs_queue_triggers.arn),
            input_transformer=CloudwatchEventTargetInputTransformer(
                input_paths={
                    "group": "$.detail.ModelPackageGroupName",
                    "version": "$.detail.ModelPackageVersion",
                },
                input_template='"Version <version> of model <group> was approved."',
            ),
            retry_policy=CloudwatchEventTargetRetryPolicy(
                maximum_event_age_in_seconds=3600,
                maximum_retry_attempts=8,
            ),
            rule=cloudwatch_event_rule_approved_uplift.name,
            target_id="people",
        )
        CloudwatchEventTarget(
            self,
            "aws_cloudwatch_event_target_drift-churn--pipeline",
            arn=ml.sagemaker_pipeline_train.arn,
            dead_letter_config=CloudwatchEventTargetDeadLetterConfig(arn=sqs_queue_triggers.arn),
            retry_policy=CloudwatchEventTargetRetryPolicy(
                maximum_event_age_in_seconds=3600,
                maximum_retry_attempts=8,
            ),
            role_arn=identity.iam_role_triggers.arn,
            rule=cloudwatch_event_rule_drift_churn.name,
            target_id="pipeline",
        )
        CloudwatchEventTarget(
            self,
            "aws_cloudwatch_event_target_endpoint-failed-1--people",
            arn=sns_topic_alerts.arn,
            dead_letter_config=CloudwatchEventTargetDeadLetterConfig(arn=sqs_queue_triggers.arn),
            input_transformer=CloudwatchEventTargetInputTransformer(
                input_paths={"name": "$.detail.EndpointName", "status": "$.detail.EndpointStatus"},
                input_template='"Endpoint <name> is <status>."',
            ),
            retry_policy=CloudwatchEventTargetRetryPolicy(
                maximum_event_age_in_seconds=3600,
                maximum_retry_attempts=8,
            ),
            rule=cloudwatch_event_rule_endpoint_failed_1.name,
            target_id="people",
        )
        CloudwatchEventTarget(
            self,
            "aws_cloudwatch_event_target_pipeline-failed-1--people",
            arn=sns_topic_alerts.arn,
            dead_letter_config=CloudwatchEventTargetDeadLetterConfig(arn=sqs_queue_triggers.arn),
            input_transformer=CloudwatchEventTargetInputTransformer(
                input_paths={"run": "$.detail.pipelineExecutionArn"},
                input_template='"A pipeline failed: <run>"',
            ),
            retry_policy=CloudwatchEventTargetRetryPolicy(
                maximum_event_age_in_seconds=3600,
                maximum_retry_attempts=8,
            ),
            rule=cloudwatch_event_rule_pipeline_failed_1.name,
            target_id="people",
        )
        CloudwatchEventTarget(
            self,
            "aws_cloudwatch_event_target_schedule-churn-bulk--batch--pipeline",
            arn=ml.sagemaker_pipeline_churn_bulk_batch.arn,
            dead_letter_config=CloudwatchEventTargetDeadLetterConfig(arn=sqs_queue_triggers.arn),
            retry_policy=CloudwatchEventTargetRetryPolicy(
                maximum_event_age_in_seconds=3600,
                maximum_retry_attempts=8,
            ),
            role_arn=identity.iam_role_triggers.arn,
            rule=cloudwatch_event_rule_schedule_churn_bulk__batch.name,
            target_id="pipeline",
        )
        CloudwatchEventTarget(
            self,
            "aws_cloudwatch_event_target_schedule-train--pipeline",
            arn=ml.sagemaker_pipeline_train.arn,
            dead_letter_config=CloudwatchEventTargetDeadLetterConfig(arn=sqs_queue_triggers.arn),
            retry_policy=CloudwatchEventTargetRetryPolicy(
                maximum_event_age_in_seconds=3600,
                maximum_retry_attempts=8,
            ),
            role_arn=identity.iam_role_triggers.arn,
            rule=cloudwatch_event_rule_schedule_train.name,
            target_id="pipeline",
        )
        policy_document_topic_alerts = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_topic-alerts",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["sns:Publish"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:SourceAccount",
                        ),
                    ],
                    effect="Allow",
                    principals=[
                        DataAwsIamPolicyDocumentStatementPrincipals(
                            identifiers=["budgets.amazonaws.com", "cloudwatch.amazonaws.com"],
                            type="Service",
                        ),
                    ],
                    resources=[sns_topic_alerts.arn],
                    sid="Publishers",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["sns:Publish"],
                    effect="Allow",
                    principals=[
                        DataAwsIamPolicyDocumentStatementPrincipals(
                            identifiers=["events.amazonaws.com"],
                            type="Service",
                        ),
                    ],
                    resources=[sns_topic_alerts.arn],
                    sid="Rules",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["sns:Publish"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="Null",
                            values=["false"],
                            variable="aws:SourceAccount",
                        ),
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringNotEquals",
                            values=[environment.account],
                            variable="aws:SourceAccount",
                        ),
                    ],
                    effect="Deny",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[sns_topic_alerts.arn],
                    sid="DenyOtherAccounts",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["sns:Publish"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="Bool",
                            values=["false"],
                            variable="aws:SecureTransport",
                        ),
                    ],
                    effect="Deny",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[sns_topic_alerts.arn],
                    sid="DenyInsecureTransport",
                ),
            ],
        )
        SnsTopicPolicy(
            self,
            "aws_sns_topic_policy_alerts",
            arn=sns_topic_alerts.arn,
            policy=policy_document_topic_alerts.json,
        )
        SnsTopicSubscription(
            self,
            "aws_sns_topic_subscription_email-1",
            endpoint="mlops@example.com",
            protocol="email",
            topic_arn=sns_topic_alerts.arn,
        )
        policy_document_queue_triggers = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_queue-triggers",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["sqs:SendMessage"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:SourceAccount",
                        ),
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="ArnLike",
                            values=[
                                f"arn:aws:events:eu-west-1:{environment.account}:rule/{environment.prefix}-*",
                            ],
                            variable="aws:SourceArn",
                        ),
                    ],
                    effect="Allow",
                    principals=[
                        DataAwsIamPolicyDocumentStatementPrincipals(
                            identifiers=["events.amazonaws.com"],
                            type="Service",
                        ),
                    ],
                    resources=[sqs_queue_triggers.arn],
                    sid="Undelivered",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["sqs:*"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="Bool",
                            values=["false"],
                            variable="aws:SecureTransport",
                        ),
                    ],
                    effect="Deny",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[sqs_queue_triggers.arn],
                    sid="DenyInsecureTransport",
                ),
            ],
        )
        SqsQueuePolicy(
            self,
            "aws_sqs_queue_policy_triggers",
            policy=policy_document_queue_triggers.json,
            queue_url=sqs_queue_triggers.id,
        )

        TerraformOutput(self, "alerts_topic_arn", value=sns_topic_alerts.arn)
        TerraformOutput(self, "dashboard_name", value=cloudwatch_dashboard_main.dashboard_name)
        TerraformOutput(
            self,
            "monitoring_schedule_names",
            value={"churn": sagemaker_monitoring_schedule_churn.name},
        )
