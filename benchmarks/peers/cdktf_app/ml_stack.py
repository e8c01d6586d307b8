"""The ml stack. Written by write_cdktf_app.py beside this folder."""

from __future__ import annotations

import json

from cdktf import S3Backend, TerraformOutput, TerraformResourceLifecycle, TerraformStack
from cdktf_cdktf_provider_aws.appautoscaling_policy import (
    AppautoscalingPolicy,
    AppautoscalingPolicyStepScalingPolicyConfiguration,
    AppautoscalingPolicyStepScalingPolicyConfigurationStepAdjustment,
    AppautoscalingPolicyTargetTrackingScalingPolicyConfiguration,
    AppautoscalingPolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecification,
    AppautoscalingPolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationDimensions,
)
from cdktf_cdktf_provider_aws.appautoscaling_target import AppautoscalingTarget
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
from cdktf_cdktf_provider_aws.glue_catalog_database import GlueCatalogDatabase
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderDefaultTags
from cdktf_cdktf_provider_aws.s3_object import S3Object
from cdktf_cdktf_provider_aws.sagemaker_endpoint import (
    SagemakerEndpoint,
    SagemakerEndpointDeploymentConfig,
    SagemakerEndpointDeploymentConfigAutoRollbackConfiguration,
    SagemakerEndpointDeploymentConfigAutoRollbackConfigurationAlarms,
    SagemakerEndpointDeploymentConfigBlueGreenUpdatePolicy,
    SagemakerEndpointDeploymentConfigBlueGreenUpdatePolicyTrafficRoutingConfiguration,
    SagemakerEndpointDeploymentConfigBlueGreenUpdatePolicyTrafficRoutingConfigurationCanarySize,
)
from cdktf_cdktf_provider_aws.sagemaker_endpoint_configuration import (
    SagemakerEndpointConfiguration,
    SagemakerEndpointConfigurationAsyncInferenceConfig,
    SagemakerEndpointConfigurationAsyncInferenceConfigOutputConfig,
    SagemakerEndpointConfigurationAsyncInferenceConfigOutputConfigNotificationConfig,
    SagemakerEndpointConfigurationDataCaptureConfig,
    SagemakerEndpointConfigurationDataCaptureConfigCaptureContentTypeHeader,
    SagemakerEndpointConfigurationDataCaptureConfigCaptureOptions,
    SagemakerEndpointConfigurationProductionVariants,
    SagemakerEndpointConfigurationProductionVariantsRoutingConfig,
    SagemakerEndpointConfigurationProductionVariantsServerlessConfig,
)
from cdktf_cdktf_provider_aws.sagemaker_feature_group import (
    SagemakerFeatureGroup,
    SagemakerFeatureGroupFeatureDefinition,
    SagemakerFeatureGroupOfflineStoreConfig,
    SagemakerFeatureGroupOfflineStoreConfigDataCatalogConfig,
    SagemakerFeatureGroupOfflineStoreConfigS3StorageConfig,
    SagemakerFeatureGroupOnlineStoreConfig,
    SagemakerFeatureGroupOnlineStoreConfigSecurityConfig,
)
from cdktf_cdktf_provider_aws.sagemaker_mlflow_tracking_server import SagemakerMlflowTrackingServer
from cdktf_cdktf_provider_aws.sagemaker_model import (
    SagemakerModel,
    SagemakerModelPrimaryContainer,
    SagemakerModelVpcConfig,
)
from cdktf_cdktf_provider_aws.sagemaker_model_package_group import SagemakerModelPackageGroup
from cdktf_cdktf_provider_aws.sagemaker_pipeline import (
    SagemakerPipeline,
    SagemakerPipelineParallelismConfiguration,
)
from cdktf_cdktf_provider_aws.sns_topic import SnsTopic
from cdktf_cdktf_provider_aws.sns_topic_policy import SnsTopicPolicy
from constructs import Construct
from environment import Environment
from identity_stack import IdentityStack
from network_stack import NetworkStack
from registry_stack import RegistryStack
from security_stack import SecurityStack
from state_stack import StateStack
from storage_stack import StorageStack


class MlStack(TerraformStack):
    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        identity: IdentityStack,
        network: NetworkStack,
        registry: RegistryStack,
        security: SecurityStack,
        state: StateStack,
        storage: StorageStack,
    ) -> None:
        super().__init__(scope, f"{environment.prefix}-ml")
        self.add_dependency(identity)
        self.add_dependency(network)
        self.add_dependency(registry)
        self.add_dependency(security)
        self.add_dependency(state)
        self.add_dependency(storage)
        S3Backend(
            self,
            bucket=f"{environment.prefix}-state-{environment.account}-eu-west-1",
            encrypt=True,
            key=f"{environment.name}/ml.tfstate",
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

        cloudwatch_metric_alarm_rollback_churn = CloudwatchMetricAlarm(
            self,
            "aws_cloudwatch_metric_alarm_rollback-churn",
            alarm_description="Takes a deployment of churn back; it tells nobody",
            alarm_name=f"{environment.prefix}-churn-rollback",
            comparison_operator="GreaterThanThreshold",
            datapoints_to_alarm=2,
            evaluation_periods=2,
            metric_query=[
                CloudwatchMetricAlarmMetricQuery(
                    id="failed",
                    metric=CloudwatchMetricAlarmMetricQueryMetric(
                        dimensions={"EndpointName": f"{environment.prefix}-churn", "VariantName": "primary"},
                        metric_name="Invocation5XXErrors",
                        namespace="AWS/SageMaker",
                        period=60,
                        stat="Sum",
                    ),
                ),
                CloudwatchMetricAlarmMetricQuery(
                    id="requests",
                    metric=CloudwatchMetricAlarmMetricQueryMetric(
                        dimensions={"EndpointName": f"{environment.prefix}-churn", "VariantName": "primary"},
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
            threshold=1.0,
            treat_missing_data="notBreaching",
        )
        sagemaker_model_churn = SagemakerModel(
            self,
            "aws_sagemaker_model_churn",
            enable_network_isolation=True,
            execution_role_arn=identity.iam_role_serving.arn,
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
            name=f"{environment.prefix}-churn-35cac874",
            primary_container=SagemakerModelPrimaryContainer(
                image=f"{registry.ecr_repository_serving.repository_url}:1.2.0",
                mode="SingleModel",
                model_data_url=f"s3://{storage.s3_bucket_artifacts.id}/models/churn/2026-11/model.tar.gz",
            ),
            vpc_config=SagemakerModelVpcConfig(
                security_group_ids=[network.security_group_workloads.id],
                subnets=[
                    network.subnet_private_1.id,
                    network.subnet_private_2.id,
                    network.subnet_private_3.id,
                ],
            ),
        )
        sagemaker_endpoint_configuration_churn = SagemakerEndpointConfiguration(
            self,
            "aws_sagemaker_endpoint_configuration_churn",
            data_capture_config=SagemakerEndpointConfigurationDataCaptureConfig(
                capture_content_type_header=SagemakerEndpointConfigurationDataCaptureConfigCaptureContentTypeHeader(
                    csv_content_types=["text/csv"],
                    json_content_types=["application/json"],
                ),
                capture_options=[
                    SagemakerEndpointConfigurationDataCaptureConfigCaptureOptions(capture_mode="Input"),
                    SagemakerEndpointConfigurationDataCaptureConfigCaptureOptions(capture_mode="Output"),
                ],
                destination_s3_uri=f"s3://{storage.s3_bucket_data.id}/capture/churn",
                enable_capture=True,
                initial_sampling_percentage=50,
                kms_key_id=security.kms_key_data.arn,
            ),
            kms_key_arn=security.kms_key_data.arn,
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
            name_prefix=f"{environment.prefix}-churn-",
            production_variants=[
                SagemakerEndpointConfigurationProductionVariants(
                    initial_instance_count=2,
                    initial_variant_weight=1,
                    instance_type="ml.m5.xlarge",
                    model_name=sagemaker_model_churn.name,
                    routing_config=[
                        SagemakerEndpointConfigurationProductionVariantsRoutingConfig(
                            routing_strategy="LEAST_OUTSTANDING_REQUESTS",
                        ),
                    ],
                    variant_name="primary",
                ),
            ],
        )
        self.sagemaker_endpoint_churn = SagemakerEndpoint(
            self,
            "aws_sagemaker_endpoint_churn",
            deployment_config=SagemakerEndpointDeploymentConfig(
                auto_rollback_configuration=SagemakerEndpointDeploymentConfigAutoRollbackConfiguration(
                    alarms=[
                        SagemakerEndpointDeploymentConfigAutoRollbackConfigurationAlarms(
                            alarm_name=cloudwatch_metric_alarm_rollback_churn.alarm_name,
                        ),
                    ],
                ),
                blue_green_update_policy=SagemakerEndpointDeploymentConfigBlueGreenUpdatePolicy(
                    maximum_execution_timeout_in_seconds=3600,
                    termination_wait_in_seconds=300,
                    traffic_routing_configuration=SagemakerEndpointDeploymentConfigBlueGreenUpdatePolicyTrafficRoutingConfiguration(
                        canary_size=SagemakerEndpointDeploymentConfigBlueGreenUpdatePolicyTrafficRoutingConfigurationCanarySize(
                            type="INSTANCE_COUNT",
                            value=1,
                        ),
                        type="CANARY",
                        wait_interval_in_seconds=300,
                    ),
                ),
            ),
            endpoint_config_name=sagemaker_endpoint_configuration_churn.name,
            name=f"{environment.prefix}-churn",
        )
        appautoscaling_target_churn = AppautoscalingTarget(
            self,
            "aws_appautoscaling_target_churn",
            max_capacity=8,
            min_capacity=2,
            resource_id=f"endpoint/{self.sagemaker_endpoint_churn.name}/variant/primary",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            service_namespace="sagemaker",
        )
        AppautoscalingPolicy(
            self,
            "aws_appautoscaling_policy_churn",
            name=f"{environment.prefix}-churn-load",
            policy_type="TargetTrackingScaling",
            resource_id=appautoscaling_target_churn.resource_id,
            scalable_dimension=appautoscaling_target_churn.scalable_dimension,
            service_namespace=appautoscaling_target_churn.service_namespace,
            target_tracking_scaling_policy_configuration=AppautoscalingPolicyTargetTrackingScalingPolicyConfiguration(
                customized_metric_specification=AppautoscalingPolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecification(
                    dimensions=[
                        AppautoscalingPolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationDimensions(
                            name="EndpointName",
                            value=f"{environment.prefix}-churn",
                        ),
                        AppautoscalingPolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationDimensions(
                            name="VariantName",
                            value="primary",
                        ),
                    ],
                    metric_name="CPUUtilization",
                    namespace="/aws/sagemaker/Endpoints",
                    statistic="Average",
                ),
                scale_in_cooldown=300,
                scale_out_cooldown=60,
                target_value=240,
            ),
        )
        cloudwatch_metric_alarm_rollback_uplift_slow = CloudwatchMetricAlarm(
            self,
            "aws_cloudwatch_metric_alarm_rollback-uplift-slow",
            alarm_description="Takes a deployment of uplift-slow back; it tells nobody",
            alarm_name=f"{environment.prefix}-uplift-slow-rollback",
            comparison_operator="GreaterThanThreshold",
            datapoints_to_alarm=2,
            evaluation_periods=2,
            metric_query=[
                CloudwatchMetricAlarmMetricQuery(
                    id="failed",
                    metric=CloudwatchMetricAlarmMetricQueryMetric(
                        dimensions={
                            "EndpointName": f"{environment.prefix}-uplift-slow",
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
            threshold=1.0,
            treat_missing_data="notBreaching",
        )
        sns_topic_async = SnsTopic(
            self,
            "aws_sns_topic_async",
            kms_master_key_id=security.kms_key_data.arn,
            name=f"{environment.prefix}-async",
        )
        sagemaker_model_uplift_slow = SagemakerModel(
            self,
            "aws_sagemaker_model_uplift-slow",
            enable_network_isolation=True,
            execution_role_arn=identity.iam_role_serving.arn,
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
            name=f"{environment.prefix}-uplift-slow-56c8ddec",
            primary_container=SagemakerModelPrimaryContainer(
                image=f"{registry.ecr_repository_serving.repository_url}:1.2.0",
                mode="SingleModel",
                model_data_url=f"s3://{storage.s3_bucket_artifacts.id}/models/uplift/2026-11/model.tar.gz",
            ),
            vpc_config=SagemakerModelVpcConfig(
                security_group_ids=[network.security_group_workloads.id],
                subnets=[
                    network.subnet_private_1.id,
                    network.subnet_private_2.id,
                    network.subnet_private_3.id,
                ],
            ),
        )
        sagemaker_endpoint_configuration_uplift_slow = SagemakerEndpointConfiguration(
            self,
            "aws_sagemaker_endpoint_configuration_uplift-slow",
            async_inference_config=SagemakerEndpointConfigurationAsyncInferenceConfig(
                output_config=SagemakerEndpointConfigurationAsyncInferenceConfigOutputConfig(
                    kms_key_id=security.kms_key_data.arn,
                    notification_config=SagemakerEndpointConfigurationAsyncInferenceConfigOutputConfigNotificationConfig(
                        error_topic=sns_topic_async.arn,
                        success_topic=sns_topic_async.arn,
                    ),
                    s3_failure_path=f"s3://{storage.s3_bucket_data.id}/async/uplift-slow/failures",
                    s3_output_path=f"s3://{storage.s3_bucket_data.id}/async/uplift-slow/answers",
                ),
            ),
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
            name_prefix=f"{environment.prefix}-uplift-slow-",
            production_variants=[
                SagemakerEndpointConfigurationProductionVariants(
                    initial_instance_count=1,
                    initial_variant_weight=1,
                    instance_type="ml.g4dn.xlarge",
                    model_name=sagemaker_model_uplift_slow.name,
                    variant_name="primary",
                ),
            ],
        )
        self.sagemaker_endpoint_uplift_slow = SagemakerEndpoint(
            self,
            "aws_sagemaker_endpoint_uplift-slow",
            deployment_config=SagemakerEndpointDeploymentConfig(
                auto_rollback_configuration=SagemakerEndpointDeploymentConfigAutoRollbackConfiguration(
                    alarms=[
                        SagemakerEndpointDeploymentConfigAutoRollbackConfigurationAlarms(
                            alarm_name=cloudwatch_metric_alarm_rollback_uplift_slow.alarm_name,
                        ),
                    ],
                ),
                blue_green_update_policy=SagemakerEndpointDeploymentConfigBlueGreenUpdatePolicy(
                    maximum_execution_timeout_in_seconds=3600,
                    termination_wait_in_seconds=300,
                    traffic_routing_configuration=SagemakerEndpointDeploymentConfigBlueGreenUpdatePolicyTrafficRoutingConfiguration(
                        type="ALL_AT_ONCE",
                        wait_interval_in_seconds=300,
                    ),
                ),
            ),
            endpoint_config_name=sagemaker_endpoint_configuration_uplift_slow.name,
            name=f"{environment.prefix}-uplift-slow",
        )
        appautoscaling_target_uplift_slow = AppautoscalingTarget(
            self,
            "aws_appautoscaling_target_uplift-slow",
            max_capacity=3,
            min_capacity=0,
            resource_id=f"endpoint/{self.sagemaker_endpoint_uplift_slow.name}/variant/primary",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            service_namespace="sagemaker",
        )
        AppautoscalingPolicy(
            self,
            "aws_appautoscaling_policy_uplift-slow",
            name=f"{environment.prefix}-uplift-slow-load",
            policy_type="TargetTrackingScaling",
            resource_id=appautoscaling_target_uplift_slow.resource_id,
            scalable_dimension=appautoscaling_target_uplift_slow.scalable_dimension,
            service_namespace=appautoscaling_target_uplift_slow.service_namespace,
            target_tracking_scaling_policy_configuration=AppautoscalingPolicyTargetTrackingScalingPolicyConfiguration(
                customized_metric_specification=AppautoscalingPolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecification(
                    dimensions=[
                        AppautoscalingPolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationDimensions(
                            name="EndpointName",
                            value=f"{environment.prefix}-uplift-slow",
                        ),
                    ],
                    metric_name="ApproximateBacklogSizePerInstance",
                    namespace="AWS/SageMaker",
                    statistic="Average",
                ),
                scale_in_cooldown=300,
                scale_out_cooldown=60,
                target_value=5,
            ),
        )
        appautoscaling_policy_uplift_slow_wake = AppautoscalingPolicy(
            self,
            "aws_appautoscaling_policy_uplift-slow-wake",
            name=f"{environment.prefix}-uplift-slow-wake",
            policy_type="StepScaling",
            resource_id=appautoscaling_target_uplift_slow.resource_id,
            scalable_dimension=appautoscaling_target_uplift_slow.scalable_dimension,
            service_namespace=appautoscaling_target_uplift_slow.service_namespace,
            step_scaling_policy_configuration=AppautoscalingPolicyStepScalingPolicyConfiguration(
                adjustment_type="ChangeInCapacity",
                cooldown=300,
                metric_aggregation_type="Average",
                step_adjustment=[
                    AppautoscalingPolicyStepScalingPolicyConfigurationStepAdjustment(
                        metric_interval_lower_bound="0",
                        scaling_adjustment=1,
                    ),
                ],
            ),
        )
        CloudwatchMetricAlarm(
            self,
            "aws_cloudwatch_metric_alarm_wake-uplift-slow",
            alarm_actions=[appautoscaling_policy_uplift_slow_wake.arn],
            alarm_description="Requests of uplift-slow wait and no machine runs",
            alarm_name=f"{environment.prefix}-uplift-slow-wake",
            comparison_operator="GreaterThanOrEqualToThreshold",
            datapoints_to_alarm=2,
            dimensions={"EndpointName": f"{environment.prefix}-uplift-slow"},
            evaluation_periods=2,
            metric_name="HasBacklogWithoutCapacity",
            namespace="AWS/SageMaker",
            period=60,
            statistic="Average",
            threshold=1,
            treat_missing_data="missing",
        )
        glue_catalog_database_features = GlueCatalogDatabase(
            self,
            "aws_glue_catalog_database_features",
            description="The offline store's tables",
            name=f"churn_{environment.name}_features",
        )
        s3_object_train__evaluate_py = S3Object(
            self,
            "aws_s3_object_train--evaluate-py",
            bucket=storage.s3_bucket_artifacts.id,
            content=(
                '"""Measure the model on the test rows, and write metrics.json, which the pipeline\'s gate reads."""\n'
                "\n"
                "import argparse\n"
                "import json\n"
                "import tarfile\n"
                "from pathlib import Path\n"
                "\n"
                "import joblib\n"
                "import pandas as pd\n"
                "from sklearn.metrics import accuracy_score, roc_auc_score\n"
                "\n"
                "\n"
                "def unpacked(folder: Path) -> Path:\n"
                '    """The model\'s folder: a training job hands it over as model.tar.gz."""\n'
                '    archive = folder / "model.tar.gz"\n'
                "    if not archive.exists():\n"
                "        return folder\n"
                '    target = Path("/tmp/model")\n'
                "    with tarfile.open(archive) as packed:\n"
                '        packed.extractall(target, filter="data")\n'
                "    return target\n"
                "\n"
                "\n"
                "def main() -> None:\n"
                "    parser = argparse.ArgumentParser()\n"
                '    parser.add_argument("--model", type=Path, required=True)\n'
                '    parser.add_argument("--data", type=Path, required=True)\n'
                '    parser.add_argument("--report", type=Path, required=True)\n'
                "    given = parser.parse_args()\n"
                '    model = joblib.load(unpacked(given.model) / "model.joblib")\n'
                '    rows = pd.read_csv(given.data / "rows.csv")\n'
                '    scores = model.predict_proba(rows.drop(columns="churned"))[:, 1]\n'
                "    metrics = {\n"
                '        "auc": float(roc_auc_score(rows["churned"], scores)),\n'
                '        "accuracy": float(accuracy_score(rows["churned"], scores > 0.5)),\n'
                '        "rows": len(rows),\n'
                "    }\n"
                "    given.report.mkdir(parents=True, exist_ok=True)\n"
                '    (given.report / "metrics.json").write_text(json.dumps(metrics))\n'
                "    print(metrics)\n"
                "\n"
                "\n"
                'if __name__ == "__main__":\n'
                "    main()\n"
            ),
            content_type="text/plain; charset=utf-8",
            key="code/train/f29956dca4811b00/evaluate.py",
            kms_key_id=security.kms_key_data.arn,
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
        )
        s3_object_train__prepare_py = S3Object(
            self,
            "aws_s3_object_train--prepare-py",
            bucket=storage.s3_bucket_artifacts.id,
            content=(
                '"""Split the raw customers into training and test rows, always the same ones: by the hash of their id."""\n'
                "\n"
                "import argparse\n"
                "import hashlib\n"
                "from pathlib import Path\n"
                "\n"
                "import pandas as pd\n"
                "\n"
                'FEATURES = ["tenure_months", "monthly_charge", "active"]\n'
                'TARGET = "churned"\n'
                "TEST_PERCENT = 20\n"
                "\n"
                "\n"
                "def is_test(customer_id: str) -> bool:\n"
                "    return int(hashlib.sha256(customer_id.encode()).hexdigest(), 16) % 100 < TEST_PERCENT\n"
                "\n"
                "\n"
                "def main() -> None:\n"
                "    parser = argparse.ArgumentParser()\n"
                '    parser.add_argument("--raw", type=Path, required=True)\n'
                '    parser.add_argument("--train", type=Path, required=True)\n'
                '    parser.add_argument("--test", type=Path, required=True)\n'
                "    given = parser.parse_args()\n"
                '    files = sorted(given.raw.glob("**/*.csv"))\n'
                "    if not files:\n"
                '        raise SystemExit(f"no CSV files below {given.raw}")\n'
                "    rows = pd.concat([pd.read_csv(file) for file in files], ignore_index=True)\n"
                '    rows = rows.dropna(subset=["customer_id", TARGET]).drop_duplicates("customer_id", keep="last")\n'
                '    test = rows["customer_id"].astype(str).map(is_test)\n'
                "    for folder, part in ((given.train, rows[~test]), (given.test, rows[test])):\n"
                "        folder.mkdir(parents=True, exist_ok=True)\n"
                '        part[[TARGET, *FEATURES]].to_csv(folder / "rows.csv", index=False)\n'
                '        print(f"{folder}: {len(part)} rows")\n'
                "\n"
                "\n"
                'if __name__ == "__main__":\n'
                "    main()\n"
            ),
            content_type="text/plain; charset=utf-8",
            key="code/train/f29956dca4811b00/prepare.py",
            kms_key_id=security.kms_key_data.arn,
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
        )
        s3_object_train__train_py = S3Object(
            self,
            "aws_s3_object_train--train-py",
            bucket=storage.s3_bucket_artifacts.id,
            content=(
                '"""Fit gradient-boosted trees on the training rows."""\n'
                "\n"
                "import argparse\n"
                "from pathlib import Path\n"
                "\n"
                "import joblib\n"
                "import pandas as pd\n"
                "from sklearn.ensemble import HistGradientBoostingClassifier\n"
                "\n"
                "\n"
                "def main() -> None:\n"
                "    parser = argparse.ArgumentParser()\n"
                '    parser.add_argument("--data", type=Path, required=True)\n'
                '    parser.add_argument("--model", type=Path, required=True)\n'
                '    parser.add_argument("--max-depth", type=int, default=6)\n'
                "    given = parser.parse_args()\n"
                '    rows = pd.read_csv(given.data / "rows.csv")\n'
                "    model = HistGradientBoostingClassifier(max_depth=given.max_depth, random_state=0)\n"
                '    model.fit(rows.drop(columns="churned"), rows["churned"])\n'
                "    given.model.mkdir(parents=True, exist_ok=True)\n"
                '    joblib.dump(model, given.model / "model.joblib")\n'
                '    print(f"trained on {len(rows)} rows")\n'
                "\n"
                "\n"
                'if __name__ == "__main__":\n'
                "    main()\n"
            ),
            content_type="text/plain; charset=utf-8",
            key="code/train/f29956dca4811b00/train.py",
            kms_key_id=security.kms_key_data.arn,
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
        )
        sagemaker_model_uplift = SagemakerModel(
            self,
            "aws_sagemaker_model_uplift",
            execution_role_arn=identity.iam_role_serving.arn,
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
            name=f"{environment.prefix}-uplift-1a7b89f0",
            primary_container=SagemakerModelPrimaryContainer(
                image=f"{registry.ecr_repository_serving.repository_url}:1.2.0",
                mode="SingleModel",
                model_data_url=f"s3://{storage.s3_bucket_artifacts.id}/models/uplift/2026-11/model.tar.gz",
            ),
        )
        sagemaker_endpoint_configuration_uplift = SagemakerEndpointConfiguration(
            self,
            "aws_sagemaker_endpoint_configuration_uplift",
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
            name_prefix=f"{environment.prefix}-uplift-",
            production_variants=[
                SagemakerEndpointConfigurationProductionVariants(
                    model_name=sagemaker_model_uplift.name,
                    serverless_config=SagemakerEndpointConfigurationProductionVariantsServerlessConfig(
                        max_concurrency=10,
                        memory_size_in_mb=3072,
                    ),
                    variant_name="primary",
                ),
            ],
        )
        self.sagemaker_endpoint_uplift = SagemakerEndpoint(
            self,
            "aws_sagemaker_endpoint_uplift",
            endpoint_config_name=sagemaker_endpoint_configuration_uplift.name,
            name=f"{environment.prefix}-uplift",
        )
        SagemakerFeatureGroup(
            self,
            "aws_sagemaker_feature_group_customer",
            event_time_feature_name="updated_at",
            feature_definition=[
                SagemakerFeatureGroupFeatureDefinition(feature_name="customer_id", feature_type="String"),
                SagemakerFeatureGroupFeatureDefinition(feature_name="updated_at", feature_type="String"),
                SagemakerFeatureGroupFeatureDefinition(feature_name="tenure_months", feature_type="Integral"),
                SagemakerFeatureGroupFeatureDefinition(
                    feature_name="monthly_charge",
                    feature_type="Fractional",
                ),
                SagemakerFeatureGroupFeatureDefinition(feature_name="plan", feature_type="String"),
                SagemakerFeatureGroupFeatureDefinition(feature_name="active", feature_type="Integral"),
            ],
            feature_group_name=f"{environment.prefix}-customer",
            offline_store_config=SagemakerFeatureGroupOfflineStoreConfig(
                data_catalog_config=SagemakerFeatureGroupOfflineStoreConfigDataCatalogConfig(
                    catalog="AwsDataCatalog",
                    database=glue_catalog_database_features.name,
                    table_name="customer",
                ),
                s3_storage_config=SagemakerFeatureGroupOfflineStoreConfigS3StorageConfig(
                    kms_key_id=security.kms_key_data.arn,
                    s3_uri=f"s3://{storage.s3_bucket_data.id}/features/",
                ),
                table_format="Iceberg",
            ),
            online_store_config=SagemakerFeatureGroupOnlineStoreConfig(
                enable_online_store=True,
                security_config=SagemakerFeatureGroupOnlineStoreConfigSecurityConfig(
                    kms_key_id=security.kms_key_data.arn,
                ),
            ),
            record_identifier_feature_name="customer_id",
            role_arn=identity.iam_role_training.arn,
        )
        sagemaker_mlflow_tracking_server_main = SagemakerMlflowTrackingServer(
            self,
            "aws_sagemaker_mlflow_tracking_server_main",
            artifact_store_uri=f"s3://{storage.s3_bucket_artifacts.id}/mlflow",
            automatic_model_registration=False,
            role_arn=identity.iam_role_training.arn,
            tracking_server_name=f"{environment.prefix}",
            tracking_server_size="Small",
            weekly_maintenance_window_start="Sun:03:00",
        )
        sagemaker_model_churn_bulk = SagemakerModel(
            self,
            "aws_sagemaker_model_churn-bulk",
            enable_network_isolation=True,
            execution_role_arn=identity.iam_role_serving.arn,
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
            name=f"{environment.prefix}-churn-bulk-35cac874",
            primary_container=SagemakerModelPrimaryContainer(
                image=f"{registry.ecr_repository_serving.repository_url}:1.2.0",
                mode="SingleModel",
                model_data_url=f"s3://{storage.s3_bucket_artifacts.id}/models/churn/2026-11/model.tar.gz",
            ),
            vpc_config=SagemakerModelVpcConfig(
                security_group_ids=[network.security_group_workloads.id],
                subnets=[
                    network.subnet_private_1.id,
                    network.subnet_private_2.id,
                    network.subnet_private_3.id,
                ],
            ),
        )
        SagemakerModelPackageGroup(
            self,
            "aws_sagemaker_model_package_group_churn",
            model_package_group_description="Versions of churn",
            model_package_group_name=f"{environment.prefix}-churn",
            tags={"approval": "manual"},
        )
        SagemakerModelPackageGroup(
            self,
            "aws_sagemaker_model_package_group_uplift",
            model_package_group_description="Versions of uplift",
            model_package_group_name=f"{environment.prefix}-uplift",
            tags={"approval": "automatic"},
        )
        self.sagemaker_pipeline_churn_bulk_batch = SagemakerPipeline(
            self,
            "aws_sagemaker_pipeline_churn-bulk-batch",
            pipeline_definition=json.dumps(
                {
                    "Metadata": {},
                    "Parameters": [
                        {
                            "DefaultValue": f"s3://{storage.s3_bucket_data.id}/batch/churn-bulk/input/",
                            "Name": "Input",
                            "Type": "String",
                        },
                        {
                            "DefaultValue": f"s3://{storage.s3_bucket_data.id}/batch/churn-bulk/output",
                            "Name": "Output",
                            "Type": "String",
                        },
                        {"DefaultValue": "text/csv", "Name": "ContentType", "Type": "String"},
                        {"DefaultValue": 4, "Name": "Instances", "Type": "Integer"},
                    ],
                    "Steps": [
                        {
                            "Arguments": {
                                "BatchStrategy": "MultiRecord",
                                "ModelName": sagemaker_model_churn_bulk.name,
                                "TransformInput": {
                                    "ContentType": {"Get": "Parameters.ContentType"},
                                    "DataSource": {
                                        "S3DataSource": {
                                            "S3DataType": "S3Prefix",
                                            "S3Uri": {"Get": "Parameters.Input"},
                                        },
                                    },
                                    "SplitType": "Line",
                                },
                                "TransformOutput": {
                                    "AssembleWith": "Line",
                                    "KmsKeyId": security.kms_key_data.arn,
                                    "S3OutputPath": {
                                        "Std:Join": {
                                            "On": "/",
                                            "Values": [
                                                {"Get": "Parameters.Output"},
                                                {"Get": "Execution.PipelineExecutionId"},
                                            ],
                                        },
                                    },
                                },
                                "TransformResources": {
                                    "InstanceCount": {"Get": "Parameters.Instances"},
                                    "InstanceType": "ml.m5.2xlarge",
                                    "VolumeKmsKeyId": security.kms_key_data.arn,
                                },
                            },
                            "Name": "score",
                            "Type": "Transform",
                        },
                    ],
                    "Version": "2020-12-01",
                },
            ),
            pipeline_description="Scores what is below batch/churn-bulk/input of the data bucket",
            pipeline_display_name=f"{environment.prefix}-churn-bulk--batch",
            pipeline_name=f"{environment.prefix}-churn-bulk--batch",
            role_arn=identity.iam_role_pipelines.arn,
        )
        self.sagemaker_pipeline_train = SagemakerPipeline(
            self,
            "aws_sagemaker_pipeline_train",
            depends_on=[s3_object_train__evaluate_py, s3_object_train__prepare_py, s3_object_train__train_py],
            parallelism_configuration=SagemakerPipelineParallelismConfiguration(
                max_parallel_execution_steps=5,
            ),
            pipeline_definition=json.dumps(
                {
                    "Metadata": {},
                    "Parameters": [
                        {"DefaultValue": "2026-11-01", "Name": "day", "Type": "String"},
                        {"DefaultValue": 6, "Name": "max_depth", "Type": "Integer"},
                        {"DefaultValue": 0.8, "Name": "min_auc", "Type": "Float"},
                    ],
                    "Steps": [
                        {
                            "Arguments": {
                                "AppSpecification": {
                                    "ContainerArguments": [
                                        "python",
                                        "prepare.py",
                                        "--raw",
                                        "/opt/ml/processing/input/raw",
                                        "--train",
                                        "/opt/ml/processing/output/train",
                                        "--test",
                                        "/opt/ml/processing/output/test",
                                    ],
                                    "ContainerEntrypoint": [
                                        "/bin/sh",
                                        "-c",
                                        'cd "$0" && exec "$@"',
                                        "/opt/ml/processing/input/code",
                                    ],
                                    "ImageUri": f"{registry.ecr_repository_training.repository_url}:1.2.0",
                                },
                                "NetworkConfig": {
                                    "EnableInterContainerTrafficEncryption": True,
                                    "EnableNetworkIsolation": False,
                                    "VpcConfig": {
                                        "SecurityGroupIds": [network.security_group_workloads.id],
                                        "Subnets": [
                                            network.subnet_private_1.id,
                                            network.subnet_private_2.id,
                                            network.subnet_private_3.id,
                                        ],
                                    },
                                },
                                "ProcessingInputs": [
                                    {
                                        "AppManaged": False,
                                        "InputName": "code",
                                        "S3Input": {
                                            "LocalPath": "/opt/ml/processing/input/code",
                                            "S3CompressionType": "None",
                                            "S3DataDistributionType": "FullyReplicated",
                                            "S3DataType": "S3Prefix",
                                            "S3InputMode": "File",
                                            "S3Uri": f"s3://{storage.s3_bucket_artifacts.id}/code/train/f29956dca4811b00",
                                        },
                                    },
                                    {
                                        "AppManaged": False,
                                        "InputName": "raw",
                                        "S3Input": {
                                            "LocalPath": "/opt/ml/processing/input/raw",
                                            "S3CompressionType": "None",
                                            "S3DataDistributionType": "FullyReplicated",
                                            "S3DataType": "S3Prefix",
                                            "S3InputMode": "File",
                                            "S3Uri": {
                                                "Std:Join": {
                                                    "On": "",
                                                    "Values": [
                                                        f"s3://{storage.s3_bucket_data.id}/",
                                                        "raw/",
                                                        {"Get": "Parameters.day"},
                                                    ],
                                                },
                                            },
                                        },
                                    },
                                ],
                                "ProcessingOutputConfig": {
                                    "KmsKeyId": security.kms_key_data.arn,
                                    "Outputs": [
                                        {
                                            "AppManaged": False,
                                            "OutputName": "train",
                                            "S3Output": {
                                                "LocalPath": "/opt/ml/processing/output/train",
                                                "S3UploadMode": "EndOfJob",
                                                "S3Uri": {
                                                    "Std:Join": {
                                                        "On": "/",
                                                        "Values": [
                                                            f"s3://{storage.s3_bucket_artifacts.id}",
                                                            "runs",
                                                            "train",
                                                            {"Get": "Execution.PipelineExecutionId"},
                                                            "prepare",
                                                            "train",
                                                        ],
                                                    },
                                                },
                                            },
                                        },
                                        {
                                            "AppManaged": False,
                                            "OutputName": "test",
                                            "S3Output": {
                                                "LocalPath": "/opt/ml/processing/output/test",
                                                "S3UploadMode": "EndOfJob",
                                                "S3Uri": {
                                                    "Std:Join": {
                                                        "On": "/",
                                                        "Values": [
                                                            f"s3://{storage.s3_bucket_artifacts.id}",
                                                            "runs",
                                                            "train",
                                                            {"Get": "Execution.PipelineExecutionId"},
                                                            "prepare",
                                                            "test",
                                                        ],
                                                    },
                                                },
                                            },
                                        },
                                    ],
                                },
                                "ProcessingResources": {
                                    "ClusterConfig": {
                                        "InstanceCount": 1,
                                        "InstanceType": "ml.m5.2xlarge",
                                        "VolumeKmsKeyId": security.kms_key_data.arn,
                                        "VolumeSizeInGB": 30,
                                    },
                                },
                                "RoleArn": identity.iam_role_training.arn,
                                "StoppingCondition": {"MaxRuntimeInSeconds": 14400},
                            },
                            "CacheConfig": {"Enabled": True, "ExpireAfter": "P7D"},
                            "Name": "prepare",
                            "Type": "Processing",
                        },
                        {
                            "Arguments": {
                                "AlgorithmSpecification": {
                                    "ContainerArguments": [
                                        "python",
                                        "train.py",
                                        "--data",
                                        "/opt/ml/input/data/train",
                                        "--model",
                                        "/opt/ml/model",
                                        "--max-depth",
                                        {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.max_depth"}]}},
                                    ],
                                    "ContainerEntrypoint": [
                                        "/bin/sh",
                                        "-c",
                                        'cd "$0" && exec "$@"',
                                        "/opt/ml/input/data/code",
                                    ],
                                    "TrainingImage": f"{registry.ecr_repository_training.repository_url}:1.2.0",
                                    "TrainingInputMode": "File",
                                },
                                "CheckpointConfig": {
                                    "LocalPath": "/opt/ml/checkpoints",
                                    "S3Uri": {
                                        "Std:Join": {
                                            "On": "/",
                                            "Values": [
                                                f"s3://{storage.s3_bucket_artifacts.id}",
                                                "checkpoints",
                                                "train",
                                                {"Get": "Execution.PipelineExecutionId"},
                                                "train",
                                            ],
                                        },
                                    },
                                },
                                "EnableInterContainerTrafficEncryption": True,
                                "EnableManagedSpotTraining": True,
                                "EnableNetworkIsolation": False,
                                "InputDataConfig": [
                                    {
                                        "ChannelName": "code",
                                        "DataSource": {
                                            "S3DataSource": {
                                                "S3DataDistributionType": "FullyReplicated",
                                                "S3DataType": "S3Prefix",
                                                "S3Uri": f"s3://{storage.s3_bucket_artifacts.id}/code/train/f29956dca4811b00",
                                            },
                                        },
                                    },
                                    {
                                        "ChannelName": "train",
                                        "DataSource": {
                                            "S3DataSource": {
                                                "S3DataDistributionType": "FullyReplicated",
                                                "S3DataType": "S3Prefix",
                                                "S3Uri": {
                                                    "Get": "Steps.prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri",
                                                },
                                            },
                                        },
                                    },
                                ],
                                "OutputDataConfig": {
                                    "KmsKeyId": security.kms_key_data.arn,
                                    "S3OutputPath": {
                                        "Std:Join": {
                                            "On": "/",
                                            "Values": [
                                                f"s3://{storage.s3_bucket_artifacts.id}",
                                                "models",
                                                "train",
                                                {"Get": "Execution.PipelineExecutionId"},
                                                "train",
                                            ],
                                        },
                                    },
                                },
                                "ResourceConfig": {
                                    "InstanceCount": 1,
                                    "InstanceType": "ml.m5.2xlarge",
                                    "VolumeKmsKeyId": security.kms_key_data.arn,
                                    "VolumeSizeInGB": 30,
                                },
                                "RoleArn": identity.iam_role_training.arn,
                                "StoppingCondition": {
                                    "MaxRuntimeInSeconds": 7200,
                                    "MaxWaitTimeInSeconds": 14400,
                                },
                                "VpcConfig": {
                                    "SecurityGroupIds": [network.security_group_workloads.id],
                                    "Subnets": [
                                        network.subnet_private_1.id,
                                        network.subnet_private_2.id,
                                        network.subnet_private_3.id,
                                    ],
                                },
                            },
                            "Name": "train",
                            "RetryPolicies": [
                                {
                                    "BackoffRate": 2.0,
                                    "ExceptionType": ["Step.SERVICE_FAULT", "Step.THROTTLING"],
                                    "IntervalSeconds": 60,
                                    "MaxAttempts": 2,
                                },
                                {
                                    "BackoffRate": 2.0,
                                    "ExceptionType": [
                                        "SageMaker.JOB_INTERNAL_ERROR",
                                        "SageMaker.CAPACITY_ERROR",
                                        "SageMaker.RESOURCE_LIMIT",
                                    ],
                                    "IntervalSeconds": 60,
                                    "MaxAttempts": 2,
                                },
                            ],
                            "Type": "Training",
                        },
                        {
                            "Arguments": {
                                "AppSpecification": {
                                    "ContainerArguments": [
                                        "python",
                                        "evaluate.py",
                                        "--model",
                                        "/opt/ml/processing/input/model",
                                        "--data",
                                        "/opt/ml/processing/input/test",
                                        "--report",
                                        "/opt/ml/processing/output/report",
                                    ],
                                    "ContainerEntrypoint": [
                                        "/bin/sh",
                                        "-c",
                                        'cd "$0" && exec "$@"',
                                        "/opt/ml/processing/input/code",
                                    ],
                                    "ImageUri": f"{registry.ecr_repository_training.repository_url}:1.2.0",
                                },
                                "NetworkConfig": {
                                    "EnableInterContainerTrafficEncryption": True,
                                    "EnableNetworkIsolation": False,
                                    "VpcConfig": {
                                        "SecurityGroupIds": [network.security_group_workloads.id],
                                        "Subnets": [
                                            network.subnet_private_1.id,
                                            network.subnet_private_2.id,
                                            network.subnet_private_3.id,
                                        ],
                                    },
                                },
                                "ProcessingInputs": [
                                    {
                                        "AppManaged": False,
                                        "InputName": "code",
                                        "S3Input": {
                                            "LocalPath": "/opt/ml/processing/input/code",
                                            "S3CompressionType": "None",
                                            "S3DataDistributionType": "FullyReplicated",
                                            "S3DataType": "S3Prefix",
                                            "S3InputMode": "File",
                                            "S3Uri": f"s3://{storage.s3_bucket_artifacts.id}/code/train/f29956dca4811b00",
                                        },
                                    },
                                    {
                                        "AppManaged": False,
                                        "InputName": "model",
                                        "S3Input": {
                                            "LocalPath": "/opt/ml/processing/input/model",
                                            "S3CompressionType": "None",
                                            "S3DataDistributionType": "FullyReplicated",
                                            "S3DataType": "S3Prefix",
                                            "S3InputMode": "File",
                                            "S3Uri": {"Get": "Steps.train.ModelArtifacts.S3ModelArtifacts"},
                                        },
                                    },
                                    {
                                        "AppManaged": False,
                                        "InputName": "test",
                                        "S3Input": {
                                            "LocalPath": "/opt/ml/processing/input/test",
                                            "S3CompressionType": "None",
                                            "S3DataDistributionType": "FullyReplicated",
                                            "S3DataType": "S3Prefix",
                                            "S3InputMode": "File",
                                            "S3Uri": {
                                                "Get": "Steps.prepare.ProcessingOutputConfig.Outputs['test'].S3Output.S3Uri",
                                            },
                                        },
                                    },
                                ],
                                "ProcessingOutputConfig": {
                                    "KmsKeyId": security.kms_key_data.arn,
                                    "Outputs": [
                                        {
                                            "AppManaged": False,
                                            "OutputName": "report",
                                            "S3Output": {
                                                "LocalPath": "/opt/ml/processing/output/report",
                                                "S3UploadMode": "EndOfJob",
                                                "S3Uri": {
                                                    "Std:Join": {
                                                        "On": "/",
                                                        "Values": [
                                                            f"s3://{storage.s3_bucket_artifacts.id}",
                                                            "runs",
                                                            "train",
                                                            {"Get": "Execution.PipelineExecutionId"},
                                                            "evaluate",
                                                            "report",
                                                        ],
                                                    },
                                                },
                                            },
                                        },
                                    ],
                                },
                                "ProcessingResources": {
                                    "ClusterConfig": {
                                        "InstanceCount": 1,
                                        "InstanceType": "ml.m5.2xlarge",
                                        "VolumeKmsKeyId": security.kms_key_data.arn,
                                        "VolumeSizeInGB": 30,
                                    },
                                },
                                "RoleArn": identity.iam_role_training.arn,
                                "StoppingCondition": {"MaxRuntimeInSeconds": 14400},
                            },
                            "Name": "evaluate",
                            "PropertyFiles": [
                                {
                                    "FilePath": "metrics.json",
                                    "OutputName": "report",
                                    "PropertyFileName": "report",
                                },
                            ],
                            "Type": "Processing",
                        },
                        {
                            "Arguments": {
                                "Conditions": [
                                    {
                                        "LeftValue": {
                                            "Std:JsonGet": {
                                                "Path": "auc",
                                                "PropertyFile": {
                                                    "Get": "Steps.evaluate.PropertyFiles.report",
                                                },
                                            },
                                        },
                                        "RightValue": {"Get": "Parameters.min_auc"},
                                        "Type": "GreaterThanOrEqualTo",
                                    },
                                ],
                                "ElseSteps": [],
                                "IfSteps": [
                                    {
                                        "Arguments": {
                                            "InferenceSpecification": {
                                                "Containers": [
                                                    {
                                                        "Image": f"{registry.ecr_repository_serving.repository_url}:1.2.0",
                                                        "ModelDataUrl": {
                                                            "Get": "Steps.train.ModelArtifacts.S3ModelArtifacts",
                                                        },
                                                    },
                                                ],
                                                "SupportedContentTypes": ["text/csv"],
                                                "SupportedResponseMIMETypes": ["text/csv"],
                                            },
                                            "ModelApprovalStatus": "PendingManualApproval",
                                            "ModelMetrics": {
                                                "ModelQuality": {
                                                    "Statistics": {
                                                        "ContentType": "application/json",
                                                        "S3Uri": {
                                                            "Std:Join": {
                                                                "On": "/",
                                                                "Values": [
                                                                    {
                                                                        "Get": "Steps.evaluate.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri",
                                                                    },
                                                                    "metrics.json",
                                                                ],
                                                            },
                                                        },
                                                    },
                                                },
                                            },
                                            "ModelPackageGroupName": f"{environment.prefix}-churn",
                                        },
                                        "Name": "register",
                                        "Type": "RegisterModel",
                                    },
                                    {
                                        "Arguments": {
                                            "AppSpecification": {
                                                "ImageUri": "468650794304.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-model-monitor-analyzer:latest",
                                            },
                                            "Environment": {
                                                "dataset_format": json.dumps({"csv": {"header": True}}),
                                                "dataset_source": "/opt/ml/processing/input/train",
                                                "output_path": "/opt/ml/processing/output/baseline",
                                                "publish_cloudwatch_metrics": "Disabled",
                                            },
                                            "NetworkConfig": {
                                                "EnableInterContainerTrafficEncryption": True,
                                                "EnableNetworkIsolation": False,
                                                "VpcConfig": {
                                                    "SecurityGroupIds": [network.security_group_workloads.id],
                                                    "Subnets": [
                                                        network.subnet_private_1.id,
                                                        network.subnet_private_2.id,
                                                        network.subnet_private_3.id,
                                                    ],
                                                },
                                            },
                                            "ProcessingInputs": [
                                                {
                                                    "AppManaged": False,
                                                    "InputName": "train",
                                                    "S3Input": {
                                                        "LocalPath": "/opt/ml/processing/input/train",
                                                        "S3CompressionType": "None",
                                                        "S3DataDistributionType": "FullyReplicated",
                                                        "S3DataType": "S3Prefix",
                                                        "S3InputMode": "File",
                                                        "S3Uri": {
                                                            "Get": "Steps.prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri",
                                                        },
                                                    },
                                                },
                                            ],
                                            "ProcessingOutputConfig": {
                                                "KmsKeyId": security.kms_key_data.arn,
                                                "Outputs": [
                                                    {
                                                        "AppManaged": False,
                                                        "OutputName": "baseline",
                                                        "S3Output": {
                                                            "LocalPath": "/opt/ml/processing/output/baseline",
                                                            "S3UploadMode": "EndOfJob",
                                                            "S3Uri": f"s3://{storage.s3_bucket_artifacts.id}/baselines/churn",
                                                        },
                                                    },
                                                ],
                                            },
                                            "ProcessingResources": {
                                                "ClusterConfig": {
                                                    "InstanceCount": 1,
                                                    "InstanceType": "ml.m5.2xlarge",
                                                    "VolumeKmsKeyId": security.kms_key_data.arn,
                                                    "VolumeSizeInGB": 30,
                                                },
                                            },
                                            "RoleArn": identity.iam_role_training.arn,
                                            "StoppingCondition": {"MaxRuntimeInSeconds": 14400},
                                        },
                                        "DependsOn": ["register"],
                                        "Name": "baseline",
                                        "Type": "Processing",
                                    },
                                ],
                            },
                            "Name": "register-gate",
                            "Type": "Condition",
                        },
                    ],
                    "Version": "2020-12-01",
                },
            ),
            pipeline_description="Prepare the data, train, evaluate, and register the model if it is good enough",
            pipeline_display_name=f"{environment.prefix}-train",
            pipeline_name=f"{environment.prefix}-train",
            role_arn=identity.iam_role_pipelines.arn,
        )
        policy_document_topic_async = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_topic-async",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["sns:Publish"],
                    effect="Allow",
                    principals=[
                        DataAwsIamPolicyDocumentStatementPrincipals(
                            identifiers=[identity.iam_role_serving.arn],
                            type="AWS",
                        ),
                    ],
                    resources=[sns_topic_async.arn],
                    sid="Answers",
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
                    resources=[sns_topic_async.arn],
                    sid="DenyInsecureTransport",
                ),
            ],
        )
        SnsTopicPolicy(
            self,
            "aws_sns_topic_policy_async",
            arn=sns_topic_async.arn,
            policy=policy_document_topic_async.json,
        )

        TerraformOutput(self, "async_topic_arn", value=sns_topic_async.arn)
        TerraformOutput(
            self,
            "endpoint_names",
            value={
                "churn": self.sagemaker_endpoint_churn.name,
                "uplift": self.sagemaker_endpoint_uplift.name,
                "uplift-slow": self.sagemaker_endpoint_uplift_slow.name,
            },
        )
        TerraformOutput(
            self,
            "pipeline_arns",
            value={
                "churn-bulk--batch": self.sagemaker_pipeline_churn_bulk_batch.arn,
                "train": self.sagemaker_pipeline_train.arn,
            },
        )
        TerraformOutput(self, "tracking_server_arn", value=sagemaker_mlflow_tracking_server_main.arn)
