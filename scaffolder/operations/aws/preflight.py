"""What can be known before anything is made: credentials, permissions, quotas, names. No probe raises what it finds.

May not make or change anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from scaffolder.operations.aws.state import State
from scaffolder.operations.aws.surroundings import Surroundings
from scaffolder.operations.errors import InvalidRequest, NotFound, OperationError, PermissionDenied
from scaffolder.operations.values import Outcome, Probe
from stacks.aws.instances import Use
from stacks.intents import ObjectStore, OnlineEndpoint, TrainingPipeline
from stacks.pipelines import Run

__all__ = ["Doctor"]

SIGN_IN = "Sign in (`aws sso login`), or set AWS_PROFILE to a profile of that account."
QUOTA_OF: Mapping[Use, str] = {
    "hosting": "endpoint usage",
    "training": "training job usage",
    "processing": "processing job usage",
    "transform": "transform job usage",
}
"""How Service Quotas names SageMaker's quotas: the machine, "for", and this (Service Quotas console, November 2026)."""

DENIED = frozenset({"explicitDeny", "implicitDeny"})


class Doctor:
    """The probes of ``doctor``."""

    def __init__(self, surroundings: Surroundings, state: State) -> None:
        self.around = surroundings
        self.account = surroundings.account
        self.context = surroundings.context
        self.state = state

    # --- credentials ---

    def credentials(self) -> Iterator[Probe]:
        try:
            caller = self.account.whoami()
        except OperationError as error:
            yield Probe(
                group="credentials",
                subject="AWS",
                outcome=Outcome.FAIL,
                detail=_first_line(error),
                remedy=error.remedy or SIGN_IN,
            )
            return
        yield Probe(group="credentials", subject="AWS", outcome=Outcome.PASS, detail=caller.principal)
        is_right = caller.account == self.context.account
        yield Probe(
            group="credentials",
            subject=f"account {self.context.account}",
            outcome=Outcome.PASS if is_right else Outcome.FAIL,
            detail="the spec's" if is_right else f"the credentials are of account {caller.account}",
            remedy="" if is_right else SIGN_IN,
        )

    # --- permissions ---

    def permissions(self) -> Iterator[Probe]:
        for resource, actions in self._needed().items():
            yield from self._asked(resource, actions)

    def _needed(self) -> Mapping[str, tuple[str, ...]]:
        """The actions of operations, by what they are on."""
        context = self.context
        start = f"{context.prefix}-*"
        return {
            context.arn("sagemaker", f"pipeline/{start}"): (
                "sagemaker:DescribePipeline",
                "sagemaker:StartPipelineExecution",
                "sagemaker:StopPipelineExecution",
            ),
            context.arn("sagemaker", f"model-package/{start}/*"): (
                "sagemaker:CreateModelPackage",
                "sagemaker:DescribeModelPackage",
                "sagemaker:UpdateModelPackage",
            ),
            context.arn("sagemaker", f"model/{start}"): ("sagemaker:CreateModel",),
            context.arn("sagemaker", f"endpoint-config/{start}"): ("sagemaker:CreateEndpointConfig",),
            context.arn("sagemaker", f"endpoint/{start}"): (
                "sagemaker:CreateEndpoint",
                "sagemaker:InvokeEndpoint",
                "sagemaker:UpdateEndpoint",
            ),
            context.arn("sagemaker", f"transform-job/{start}"): ("sagemaker:CreateTransformJob",),
            context.arn("logs", "log-group:/aws/sagemaker/*"): ("logs:GetLogEvents",),
            self.around.role("serving"): ("iam:PassRole",),
        }

    def _asked(self, resource: str, actions: tuple[str, ...]) -> Iterator[Probe]:
        try:
            said = self.account.ask(
                "iam",
                "SimulatePrincipalPolicy",
                {
                    "PolicySourceArn": self._principal,
                    "ActionNames": list(actions),
                    "ResourceArns": [resource],
                },
                "ask IAM what the credentials may do",
            )
        except OperationError as error:
            remedy = (
                "Let the role ask with iam:SimulatePrincipalPolicy; what it may do is unknown until then."
            )
            for action in actions:
                yield _unknown("permissions", action, error, remedy)
            return
        decided = {one["EvalActionName"]: one["EvalDecision"] for one in said["EvaluationResults"]}
        for action in actions:
            decision = decided.get(action, "")
            outcome = Outcome.FAIL if decision in DENIED else Outcome.UNKNOWN
            outcome = Outcome.PASS if decision == "allowed" else outcome
            yield Probe(
                group="permissions",
                subject=action,
                outcome=outcome,
                detail=f"{decision or 'no decision'} on {resource}",
                remedy="" if outcome is Outcome.PASS else f"Allow {action} on {resource}.",
            )

    @cached_property
    def _principal(self) -> str:
        """The ARN of the user or role behind the credentials: IAM knows no sessions.

        Raises:
            InvalidRequest: it is the account's root, whom no policy limits.
        """
        arn = self.account.whoami().principal
        _, _, service, _, _, who = arn.split(":", 5)
        if service == "sts" and who.startswith("assumed-role/"):
            role = who.split("/")[1]
            said = self.account.ask("iam", "GetRole", {"RoleName": role}, f"find role {role}")
            return str(said["Role"]["Arn"])
        if service == "iam" and who.startswith("user/"):
            return arn
        raise InvalidRequest(f"{arn} is neither a user nor a role: IAM does not say what it may do")

    # --- services and quotas ---

    def services(self) -> Iterator[Probe]:
        region = self.context.region
        for subject, service, operation, request in (
            ("SageMaker", "sagemaker", "ListEndpoints", {"MaxResults": 1}),
            ("S3", "s3", "ListBuckets", {"MaxBuckets": 1}),
            ("CloudWatch Logs", "logs", "DescribeLogGroups", {"limit": 1}),
        ):
            try:
                self.account.ask(service, operation, request, f"reach {subject}")
            except OperationError as error:
                outcome = Outcome.UNKNOWN if isinstance(error, PermissionDenied) else Outcome.FAIL
                yield Probe(
                    group="services",
                    subject=subject,
                    outcome=outcome,
                    detail=_first_line(error),
                    remedy=error.remedy
                    or f"See whether {region} is enabled in the account, and reachable from here.",
                )
            else:
                yield Probe(
                    group="services", subject=subject, outcome=Outcome.PASS, detail=f"answers in {region}"
                )

    def quotas(self) -> Iterator[Probe]:
        needs = self._machines()
        try:
            listed = self.account.each(
                "service-quotas", "ListServiceQuotas", {"ServiceCode": "sagemaker"}, "Quotas", "list quotas"
            )
            limits = {quota["QuotaName"]: int(quota["Value"]) for quota in listed}
        except OperationError as error:
            for name in needs:
                yield _unknown("quota", name, error, "Let the role read servicequotas:ListServiceQuotas.")
            return
        for name, number in needs.items():
            yield self._quota(name, number, limits.get(name))

    def _machines(self) -> Mapping[str, int]:
        """How many machines the spec asks for at once, by the quota's name."""
        needs: dict[str, int] = {}

        def need(size: str, use: Use, number: int, *, together: bool) -> None:
            try:
                name = f"{self.around.machine(size, use)} for {QUOTA_OF[use]}"
            except InvalidRequest:
                return  # synthesis refuses such a spec, with its place
            needs[name] = needs.get(name, 0) + number if together else max(needs.get(name, 0), number)

        for endpoint in self.context.all_of(OnlineEndpoint):
            if endpoint.mode in {"realtime", "async"}:
                need(endpoint.instance, "hosting", endpoint.max_replicas, together=True)
            elif endpoint.mode == "batch":
                need(endpoint.instance, "transform", endpoint.max_replicas, together=False)
        for pipeline in self.context.all_of(TrainingPipeline):
            for step in pipeline.steps.steps if pipeline.steps else ():
                if isinstance(step.action, Run):
                    use: Use = "training" if step.action.kind == "training" else "processing"
                    size = step.action.instance or pipeline.instance
                    need(size, use, step.action.instances, together=False)
        return needs

    def _quota(self, name: str, number: int, limit: int | None) -> Probe:
        if limit is None:
            return Probe(
                group="quota",
                subject=name,
                outcome=Outcome.UNKNOWN,
                detail=f"the spec asks for {number}; Service Quotas does not list it",
                remedy="Look in the Service Quotas console.",
            )
        enough = limit >= number
        return Probe(
            group="quota",
            subject=name,
            outcome=Outcome.PASS if enough else Outcome.FAIL,
            detail=f"the spec asks for {number}, the account may have {limit}",
            remedy="" if enough else f'Ask for more of "{name}" in Service Quotas, or use smaller machines.',
        )

    # --- names ---

    def names(self) -> Iterator[Probe]:
        """Bucket names are everybody's; all other names are the account's own."""
        buckets = [self.context.bucket(store.name) for store in self.context.all_of(ObjectStore)]
        for bucket in dict.fromkeys([*([self.state.bucket] if self.state.bucket else []), *buckets]):
            yield self._bucket(bucket)

    def _bucket(self, bucket: str) -> Probe:
        def told(outcome: Outcome, detail: str, remedy: str = "") -> Probe:
            return Probe(group="names", subject=bucket, outcome=outcome, detail=detail, remedy=remedy)

        try:
            self.account.ask(
                "s3",
                "HeadBucket",
                {"Bucket": bucket, "ExpectedBucketOwner": self.context.account},
                f"see whether {bucket} is free",
            )
        except NotFound:
            return told(Outcome.PASS, "free")
        except PermissionDenied as error:
            if error.code in {"403", "AccessDenied", "Forbidden"}:
                return told(
                    Outcome.FAIL,
                    "another account has a bucket of this name, or these credentials may not see it",
                    "Rename the platform or the bucket.",
                )
            return told(Outcome.UNKNOWN, _first_line(error), error.remedy)
        except OperationError as error:
            return told(Outcome.UNKNOWN, _first_line(error), error.remedy)
        return told(Outcome.PASS, "this account's already")


def _unknown(group: str, subject: str, error: OperationError, remedy: str) -> Probe:
    return Probe(
        group=group, subject=subject, outcome=Outcome.UNKNOWN, detail=_first_line(error), remedy=remedy
    )


def _first_line(error: OperationError) -> str:
    said = ": ".join(part for part in (error.code, error.text) if part)
    return f"{error.message} ({said})" if said else error.message
