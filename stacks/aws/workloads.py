"""Roles that services assume for a workload: training, pipelines, serving, monitoring and what starts pipelines.

May not know people or CI.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import assert_never

from stacks.aws.context import Context, Keys, Network, Registry, Stores
from stacks.aws.policy import Condition, Statement, service_trust
from stacks.aws.roles import Role, add_role
from stacks.aws.triggers import EVENTS, started_pipelines
from stacks.aws.watching import job_of
from stacks.graph import Node, StackBuilder, Value, text
from stacks.intents import (
    ExperimentTracking,
    FeatureStore,
    ModelMonitor,
    OnlineEndpoint,
    TrainingPipeline,
    WorkloadRole,
    describe,
)
from stacks.pipelines import Run
from stacks.record import record

__all__ = [
    "PASSED_TO_JOBS",
    "SAGEMAKER",
    "Reach",
    "add_workload_role",
    "key_statements",
    "own_runs",
    "pass_role",
]

SAGEMAKER = "sagemaker.amazonaws.com"

AWS_IMAGE_REPOSITORIES = ("huggingface-*", "pytorch-*", "sagemaker-*", "tensorflow-*", "xgboost*")
"""Repositories of images that AWS publishes from its own accounts (SageMaker docker registry paths, November 2026)."""


OWN_JOBS = ("hyper-parameter-tuning-job", "processing-job", "training-job")
OWN_DOMAIN, OWN_PROFILE = "&{sagemaker:DomainId}", "&{sagemaker:UserProfileName}"
STUDIO_LISTS = (
    "sagemaker:ListApps",
    "sagemaker:ListDomains",
    "sagemaker:ListSpaces",
    "sagemaker:ListUserProfiles",
)
PASSED_TO_JOBS = ("training", "serving", "monitoring")
"""The roles that pipelines hand to the jobs and models they make; they are added before."""


@record
class Reach:
    """What the roles of a platform can be given."""

    context: Context
    keys: Keys
    network: Network
    stores: Stores
    registry: Registry

    def objects(self, bucket: str, *prefixes: str) -> tuple[Value, ...]:
        """The objects of a bucket, or those below some prefixes."""
        arn = self.stores.arn(bucket)
        return tuple(text(arn, f"/{prefix}*") for prefix in prefixes or ("",))

    def sagemaker(self, *kinds: str) -> tuple[Value, ...]:
        """ARN patterns of this account's SageMaker resources of some kinds."""
        return tuple(self.context.arn("sagemaker", f"{kind}/*") for kind in kinds)

    @property
    def user_buckets(self) -> tuple[str, ...]:
        """The buckets that only the user knows the use of."""
        return tuple(name for name in self.stores.by_name if name not in ("data", "artifacts", "logs"))


def add_workload_role(
    stack: StackBuilder, reach: Reach, role: WorkloadRole, others: Mapping[str, Value]
) -> Node:
    """Add the role of one kind of workload; ``others`` are the ARNs of those that are there already."""
    match role.purpose:
        case "training":
            use, allows = "SageMaker training and processing jobs", _training(reach)
        case "pipelines":
            use, allows = (
                "SageMaker pipelines start and watch jobs",
                _pipelines(
                    reach, [others[name] for name in PASSED_TO_JOBS if name != "monitoring" or _looks(reach)]
                ),
            )
        case "serving":
            use, allows = "SageMaker models behind endpoints", _serving(reach)
        case "monitoring":
            use, allows = "SageMaker model monitors", _monitoring(reach)
        case "workspace":
            use, allows = (
                "People's notebooks and apps in SageMaker Studio",
                _studio(reach, others["training"]),
            )
        case "triggers":
            use, allows = "EventBridge rules start pipelines", _triggers(reach)
        case _:
            assert_never(role.purpose)
    return add_role(
        stack,
        reach.context,
        reach.keys,
        Role(
            name=role.purpose,
            description=use,
            trust=[_trust(reach, role)],
            allows=allows,
        ),
        origin=describe(role),
    )


def _trust(reach: Reach, role: WorkloadRole) -> Statement:
    """SageMaker, for this account; a domain that marks sessions with the user's name needs two actions more."""
    if role.purpose == "triggers":
        rules = reach.context.arn("events", f"rule/{reach.context.prefix}-*")
        return service_trust(EVENTS, reach.context.account, source_arn=rules)
    trust = service_trust(SAGEMAKER, reach.context.account)
    if role.purpose == "workspace":
        return replace(trust, actions=(*trust.actions, "sts:SetSourceIdentity", "sts:TagSession"))
    return trust


def key_statements(keys: Keys, *, grants: bool = False) -> tuple[Statement, ...]:
    """Use the data key; with ``grants``, let AWS's own services use it on the role's behalf (encrypted volumes)."""
    if keys.data is None:
        return ()
    use = Statement(
        sid="UseKey",
        actions=("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"),
        resources=(keys.data,),
    )
    if not grants:
        return (use,)
    grant = Statement(
        sid="GrantKeyToService",
        actions=("kms:CreateGrant",),
        resources=(keys.data,),
        conditions=(Condition("Bool", "kms:GrantIsForAWSResource", ("true",)),),
    )
    return use, grant


def pass_role(*arns: Value, sid: str = "PassRole") -> Statement:
    """Hand roles to SageMaker, and to nothing else."""
    return Statement(
        sid=sid,
        actions=("iam:PassRole",),
        resources=arns,
        conditions=(Condition("StringEquals", "iam:PassedToService", (SAGEMAKER,)),),
    )


def _job(reach: Reach) -> tuple[Statement, ...]:
    """What every job and model container needs: its image, logs, metrics, network interfaces, and the key."""
    context = reach.context
    images = tuple(
        f"arn:{context.partition}:ecr:{context.region}:*:repository/{name}" for name in AWS_IMAGE_REPOSITORIES
    )
    groups = context.arn("logs", "log-group:/aws/sagemaker/*")
    return (
        Statement(sid="ImageLogin", actions=("ecr:GetAuthorizationToken",), resources=("*",)),
        Statement(
            sid="PullImages",
            actions=("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
            resources=(*reach.registry.arns.values(), *images),
        ),
        Statement(
            sid="WriteLogs",
            actions=(
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:DescribeLogStreams",
                "logs:PutLogEvents",
            ),
            resources=(groups, f"{groups}:log-stream:*"),
        ),
        Statement(
            sid="WriteMetrics",
            actions=("cloudwatch:PutMetricData",),
            resources=("*",),
            conditions=(
                Condition(
                    "StringLike",
                    "cloudwatch:namespace",
                    ("/aws/sagemaker/*", "aws/sagemaker/*", f"{context.prefix}/*"),
                ),
            ),
        ),
        Statement(
            sid="JoinNetwork",
            actions=(
                "ec2:CreateNetworkInterface",
                "ec2:CreateNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface",
                "ec2:DeleteNetworkInterfacePermission",
            ),
            resources=(
                context.arn("ec2", "network-interface/*"),
                *reach.network.subnet_arns,
                *reach.network.security_group_arns,
            ),
            conditions=(Condition("ArnEqualsIfExists", "ec2:Vpc", (reach.network.network_arn,)),),
        ),
        Statement(
            sid="SeeNetwork",
            actions=(
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
            ),
            resources=("*",),
        ),
        *key_statements(reach.keys, grants=True),
    )


def _list(reach: Reach, *buckets: str) -> Statement:
    return Statement(
        sid="ListBuckets",
        actions=("s3:GetBucketLocation", "s3:ListBucket"),
        resources=tuple(reach.stores.arn(bucket) for bucket in buckets),
    )


def _training(reach: Reach) -> Sequence[Statement]:
    context = reach.context
    read = ("data", "artifacts", *reach.user_buckets)
    return (
        *_job(reach),
        _list(reach, *read),
        Statement(
            sid="ReadObjects",
            actions=("s3:GetObject",),
            resources=tuple(arn for bucket in read for arn in reach.objects(bucket)),
        ),
        Statement(
            sid="WriteObjects",
            actions=("s3:AbortMultipartUpload", "s3:PutObject"),
            resources=(*reach.objects("data", "processed/", "features/"), *reach.objects("artifacts")),
        ),
        *_places(reach),
        Statement(
            sid="UseFeatures",
            actions=(
                "sagemaker:BatchGetRecord",
                "sagemaker:DescribeFeatureGroup",
                "sagemaker:GetRecord",
                "sagemaker:PutRecord",
            ),
            resources=(context.arn("sagemaker", f"feature-group/{context.prefix}-*"),),
        ),
        *_feature_catalog(reach),
        *_tracking(reach),
    )


def _places(reach: Reach) -> Iterator[Statement]:
    """Write where the steps of pipelines say that they write, up to the first thing that only a run knows."""
    places: dict[tuple[str, str], None] = {}
    for pipeline in reach.context.all_of(TrainingPipeline):
        for step in pipeline.steps.steps if pipeline.steps else ():
            if isinstance(step.action, Run):
                for output in step.action.outputs.values():
                    if output.place is not None and output.place.bucket != "artifacts":
                        fixed = takewhile(lambda part: isinstance(part, str), output.place.path)
                        places[output.place.bucket, "".join(map(str, fixed))] = None
    if places:
        yield Statement(
            sid="WriteOutputs",
            actions=("s3:AbortMultipartUpload", "s3:PutObject"),
            resources=tuple(
                arn for bucket, prefix in sorted(places) for arn in reach.objects(bucket, prefix)
            ),
        )


def _feature_catalog(reach: Reach) -> Iterator[Statement]:
    """An offline store writes below the data bucket and keeps its table in the catalog."""
    context = reach.context
    if not any(intent.offline for intent in context.all_of(FeatureStore)):
        return
    database = f"{context.prefix}_features".replace("-", "_")
    yield Statement(sid="ReadBucketAcl", actions=("s3:GetBucketAcl",), resources=(reach.stores.arn("data"),))
    yield Statement(
        sid="WriteFeatureAcls", actions=("s3:PutObjectAcl",), resources=reach.objects("data", "features/")
    )
    yield Statement(
        sid="KeepFeatureTables",
        actions=(
            "glue:CreateTable",
            "glue:GetDatabase",
            "glue:GetPartitions",
            "glue:GetTable",
            "glue:UpdateTable",
        ),
        resources=(
            context.arn("glue", "catalog"),
            context.arn("glue", f"database/{database}"),
            context.arn("glue", f"table/{database}/*"),
        ),
    )


def _tracking(reach: Reach) -> Iterator[Statement]:
    """Log to the tracking server, and open its pages, which takes no resource."""
    context = reach.context
    if context.one_of(ExperimentTracking) is None:
        return
    yield Statement(
        sid="Track",
        actions=(
            "sagemaker-mlflow:CreateExperiment",
            "sagemaker-mlflow:CreateRun",
            "sagemaker-mlflow:GetExperiment*",
            "sagemaker-mlflow:GetMetricHistory",
            "sagemaker-mlflow:GetRun",
            "sagemaker-mlflow:ListArtifacts",
            "sagemaker-mlflow:Log*",
            "sagemaker-mlflow:Search*",
            "sagemaker-mlflow:Set*Tag",
            "sagemaker-mlflow:UpdateRun",
        ),
        resources=(context.arn("sagemaker", f"mlflow-tracking-server/{context.prefix}"),),
    )
    yield Statement(sid="OpenTracking", actions=("sagemaker-mlflow:AccessUI",), resources=("*",))


def reach_tracking(reach: Reach) -> Iterator[Statement]:
    """Find the tracking server, and sign in to its pages."""
    if reach.context.one_of(ExperimentTracking) is None:
        return
    yield Statement(
        sid="ReachTracking",
        actions=(
            "sagemaker:CreatePresignedMlflowTrackingServerUrl",
            "sagemaker:DescribeMlflowTrackingServer",
        ),
        resources=(reach.context.arn("sagemaker", f"mlflow-tracking-server/{reach.context.prefix}"),),
    )


def _looks(reach: Reach) -> bool:
    """Whether a monitor has a job of its own, which is a pipeline's."""
    return any(job_of(reach.context, monitor) for monitor in reach.context.all_of(ModelMonitor))


def _pipelines(reach: Reach, passed: Sequence[Value]) -> Sequence[Statement]:
    jobs = ("training-job", "processing-job", "transform-job", "hyper-parameter-tuning-job")
    return (
        Statement(
            sid="RunJobs",
            actions=tuple(
                f"sagemaker:{verb}{kind}Job"
                for kind in ("Training", "Processing", "Transform", "HyperParameterTuning")
                for verb in ("Create", "Describe", "Stop")
            ),
            resources=reach.sagemaker(*jobs),
        ),
        Statement(
            sid="RegisterModels",
            actions=(
                "sagemaker:CreateModel",
                "sagemaker:CreateModelPackage",
                "sagemaker:DeleteModel",
                "sagemaker:DescribeModel",
                "sagemaker:DescribeModelPackage",
                "sagemaker:DescribeModelPackageGroup",
            ),
            resources=reach.sagemaker("model", "model-package", "model-package-group"),
        ),
        Statement(
            sid="TagOwnWork",
            actions=("sagemaker:AddTags", "sagemaker:ListTags"),
            resources=reach.sagemaker(*jobs, "model", "model-package"),
        ),
        pass_role(*passed),
        _list(reach, "artifacts"),
        Statement(
            sid="ReadAndWriteArtifacts",
            actions=("s3:GetObject", "s3:PutObject"),
            resources=reach.objects("artifacts"),
        ),
        *key_statements(reach.keys),
    )


def _serving(reach: Reach) -> Sequence[Statement]:
    context = reach.context
    return (
        *_job(reach),
        _list(reach, "data", "artifacts"),
        Statement(
            sid="ReadModels", actions=("s3:GetObject",), resources=reach.objects("artifacts", "models/")
        ),
        Statement(
            sid="CaptureRequests",
            actions=("s3:GetObject", "s3:PutObject"),
            resources=reach.objects("data", "capture/", "async/", "batch/"),
        ),
        Statement(
            sid="WatchRollback",
            actions=("cloudwatch:DescribeAlarms",),
            resources=(context.arn("cloudwatch", f"alarm:{context.prefix}-*"),),
        ),
        *_answers(reach),
    )


def _answers(reach: Reach) -> Iterator[Statement]:
    """An async endpoint tells where an answer is."""
    context = reach.context
    if any(endpoint.mode == "async" for endpoint in context.all_of(OnlineEndpoint)):
        yield Statement(
            sid="TellOfAnswers",
            actions=("sns:Publish",),
            resources=(context.arn("sns", context.async_topic()),),
        )


def _monitoring(reach: Reach) -> Sequence[Statement]:
    return (
        *_job(reach),
        _list(reach, "data", "artifacts"),
        Statement(
            sid="ReadCaptureAndBaselines",
            actions=("s3:GetObject",),
            resources=(
                *reach.objects("data", "capture/", "labels/"),
                *reach.objects("artifacts", "baselines/", "monitoring/", *_drift_code(reach)),
            ),
        ),
        Statement(
            sid="WriteReports",
            actions=("s3:AbortMultipartUpload", "s3:PutObject"),
            resources=reach.objects("artifacts", "baselines/", "monitoring/"),
        ),
        Statement(
            sid="SeeEndpoints",
            actions=("sagemaker:DescribeEndpoint", "sagemaker:DescribeEndpointConfig"),
            resources=(
                reach.context.arn("sagemaker", f"endpoint/{reach.context.prefix}-*"),
                reach.context.arn("sagemaker", f"endpoint-config/{reach.context.prefix}-*"),
            ),
        ),
    )


def _drift_code(reach: Reach) -> Iterator[str]:
    """Where the code of monitors' own jobs is."""
    for monitor in reach.context.all_of(ModelMonitor):
        run = job_of(reach.context, monitor)
        if run is not None:
            yield f"code/{run.name}/"


def _studio(reach: Reach, job_role: Value) -> Sequence[Statement]:
    """What Studio does for the user whose profile a session is: their own spaces and apps, jobs and pipelines.

    SageMaker Developer Guide, permissions for the updated Studio, November 2026.
    """
    context = reach.context
    own = context.arn("sagemaker", f"user-profile/{OWN_DOMAIN}/{OWN_PROFILE}")
    mine = Condition("ArnLike", "sagemaker:OwnerUserProfileArn", (own,))
    read = ("data", "artifacts", *reach.user_buckets)
    return (
        *_job(reach),
        Statement(
            sid="SeeStudio",
            actions=(
                "sagemaker:DescribeApp",
                "sagemaker:DescribeDomain",
                "sagemaker:DescribeSpace",
                "sagemaker:DescribeUserProfile",
            ),
            resources=reach.sagemaker("app", "domain", "space", "user-profile"),
        ),
        Statement(sid="ListStudio", actions=STUDIO_LISTS, resources=("*",)),
        Statement(
            sid="ChangeOwnSpaces",
            actions=("sagemaker:CreateSpace", "sagemaker:DeleteSpace", "sagemaker:UpdateSpace"),
            resources=(context.arn("sagemaker", f"space/{OWN_DOMAIN}/*"),),
            conditions=(mine, Condition("StringEquals", "sagemaker:SpaceSharingType", ("Private",))),
        ),
        Statement(
            sid="RunOwnApps",
            actions=("sagemaker:CreateApp", "sagemaker:DeleteApp"),
            resources=(context.arn("sagemaker", f"app/{OWN_DOMAIN}/*"),),
            conditions=(mine, Condition("StringEquals", "sagemaker:SpaceSharingType", ("Private",))),
        ),
        Statement(
            sid="TagWhatIsMade",
            actions=("sagemaker:AddTags",),
            resources=reach.sagemaker("app", "space", *OWN_JOBS),
            conditions=(Condition("Null", "sagemaker:TaggingAction", ("false",)),),
        ),
        _list(reach, *read),
        Statement(
            sid="ReadObjects",
            actions=("s3:GetObject",),
            resources=tuple(arn for bucket in read for arn in reach.objects(bucket)),
        ),
        Statement(
            sid="WriteExperiments",
            actions=("s3:AbortMultipartUpload", "s3:PutObject"),
            resources=(
                *reach.objects("data", "processed/"),
                *reach.objects("artifacts", "code/", "experiments/"),
            ),
        ),
        *own_runs(reach, job_role),
        *_tracking(reach),
        *reach_tracking(reach),
    )


def own_runs(reach: Reach, job_role: Value) -> tuple[Statement, ...]:
    """Start and stop pipelines, and jobs inside the network, under the role of jobs."""
    return (
        Statement(
            sid="RunPipelines",
            actions=(
                "sagemaker:RetryPipelineExecution",
                "sagemaker:StartPipelineExecution",
                "sagemaker:StopPipelineExecution",
            ),
            resources=(reach.context.arn("sagemaker", f"pipeline/{reach.context.prefix}-*"),),
        ),
        Statement(
            sid="RunJobsInsideNetwork",
            actions=(
                "sagemaker:CreateHyperParameterTuningJob",
                "sagemaker:CreateProcessingJob",
                "sagemaker:CreateTrainingJob",
            ),
            resources=reach.sagemaker(*OWN_JOBS),
            conditions=_inside_network(reach),
        ),
        Statement(
            sid="StopJobs",
            actions=(
                "sagemaker:DescribeHyperParameterTuningJob",
                "sagemaker:DescribeProcessingJob",
                "sagemaker:DescribeTrainingJob",
                "sagemaker:StopHyperParameterTuningJob",
                "sagemaker:StopProcessingJob",
                "sagemaker:StopTrainingJob",
            ),
            resources=reach.sagemaker(*OWN_JOBS),
        ),
        pass_role(job_role),
    )


def _inside_network(reach: Reach) -> tuple[Condition, ...]:
    """In our subnets and groups, given at all (ForAllValues is true of nothing), encrypted on the wire and on disk."""
    conditions = (
        Condition("ForAllValues:StringEquals", "sagemaker:VpcSubnets", reach.network.subnet_ids),
        Condition(
            "ForAllValues:StringEquals", "sagemaker:VpcSecurityGroupIds", reach.network.security_group_ids
        ),
        Condition("Null", "sagemaker:VpcSubnets", ("false",)),
        Condition("Null", "sagemaker:VpcSecurityGroupIds", ("false",)),
        Condition("Bool", "sagemaker:InterContainerTrafficEncryption", ("true",)),
    )
    if reach.keys.data is None:
        return conditions
    return (*conditions, Condition("StringEquals", "sagemaker:VolumeKmsKey", (reach.keys.data,)))


def _triggers(reach: Reach) -> Sequence[Statement]:
    context = reach.context
    return (
        Statement(
            sid="StartPipelines",
            actions=("sagemaker:StartPipelineExecution",),
            resources=tuple(
                context.arn("sagemaker", f"pipeline/{name}") for name in started_pipelines(context)
            ),
        ),
    )
