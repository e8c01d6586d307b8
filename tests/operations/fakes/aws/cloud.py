"""AWS as operations meet it: SageMaker here, S3 and what else moto does well there, one check over both.

A call that neither knows is refused by name, with a 400. May not be shared by two tests at once.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.core.request import Request
from moto.logs.models import logs_backends
from werkzeug.wrappers import Response

from tests.emulator.call import Call, Refusal
from tests.emulator.identify import Match, identify
from tests.emulator.wire import write_result
from tests.operations.fakes.aws.basics import Basics
from tests.operations.fakes.aws.faults import Faults
from tests.operations.fakes.aws.hosting import Hosting
from tests.operations.fakes.aws.jobs import Transforms
from tests.operations.fakes.aws.keys import Keys
from tests.operations.fakes.aws.packages import Packages
from tests.operations.fakes.aws.pipelines import Outside, Pipelines
from tests.operations.fakes.aws.store import Answers, Parameters, Place, refused
from tests.operations.fakes.aws.studio import Monitors, Studio
from tests.operations.fakes.aws.wire import (
    described,
    refusal,
    reply_problems,
    request_problems,
    written_problems,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["BROKEN", "UNKNOWN", "Cloud"]

UNKNOWN = "FakeUnknownOperation"
BROKEN = "FakeBroken"
OURS = ("sagemaker", "sagemaker-runtime", "sts", "iam", "kms", "service-quotas")
"""Services of which moto is never asked anything."""

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
SCALING_ROLE = "sagemaker.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"


class Cloud:
    """One account in one region. ``defects`` are the fake's own: a test that ends with any has failed."""

    def __init__(self, moto: WSGIApplication, account: str, region: str, now: Callable[[], datetime]) -> None:
        self.moto = moto
        self.place = Place(account, region, now)
        self.faults = Faults()
        self.calls: list[str] = []
        self.defects: list[str] = []
        self.url = ""
        self.basics = Basics(self.place, account)
        self.keys = Keys(self.place)
        self.packages = Packages(self.place)
        self.hosting = Hosting(self.place, self.packages, self._is_scaled)
        self.pipelines = Pipelines(self.place, self.packages, Outside(self._log, self.write))
        self.transforms = Transforms(self.place, self.hosting)
        self.studio = Studio(self.place)
        self.monitors = Monitors(self.place)
        self._lock = Lock()
        self._answers: Mapping[str, Answers] = {
            "sagemaker": {
                **self.packages.answers,
                **self.hosting.answers,
                **self.pipelines.answers,
                **self.transforms.answers,
                **self.studio.answers,
                **self.monitors.answers,
                "AddTags": self._add_tags,
                "ListTags": self._list_tags,
                "DeleteTags": self._delete_tags,
            },
            "sagemaker-runtime": {"InvokeEndpoint": self.hosting.invoke},
            "sts": self.basics.sts,
            "iam": self.basics.iam,
            "kms": self.keys.answers,
            "service-quotas": self.basics.service_quotas,
        }

    # --- HTTP ---

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        request = _with_body(environ, body)
        match = identify(request)
        if match is None:
            unknown = Refusal(UNKNOWN, f"{request.method} {request.url} is not a call that the fake can name")
            return refusal(None, request, unknown)(environ, start_response)
        with self._lock:
            response = self._served(match, request, environ, body)
        return self.faults.afterwards(response, environ["werkzeug.socket"])(environ, start_response)

    def _served(self, match: Match, request: Request, environ: WSGIEnvironment, body: bytes) -> Response:
        call = match.call
        self.calls.append(call.name)
        failed = self.faults.instead(call, request)
        if failed is not None:
            return failed
        try:
            return self._answered(call, _checked(match, request), request, _with_body(environ, body))
        except Refusal as error:
            if error.code in {UNKNOWN, BROKEN}:
                self.defects.append(error.message)
            return refusal(call, request, error)
        except Exception as error:  # noqa: BLE001 - a defect of the fake, which its test has to hear of
            self.defects.append(f"{call.name}: {type(error).__name__}: {error}")
            return refusal(call, request, Refusal(BROKEN, f"the fake failed at {call.name}: {error!r}"))

    def _answered(self, call: Call, parameters: Parameters, request: Request, forwarded: Request) -> Response:
        answer = self._answers.get(call.service, {}).get(call.operation)
        if answer is not None:
            result = answer(parameters)
            wrong = written_problems(call, result)
            if wrong:
                raise Refusal(BROKEN, f"the fake's answer to {call.name}: {'; '.join(wrong)}")
            return write_result(call, request, result)
        if call.service in OURS:
            raise Refusal(UNKNOWN, f"{call.name} is not known to the fake")
        if call.operation == "RegisterScalableTarget":
            self._check_target(parameters["ResourceId"])
        response = Response.from_app(self.moto, forwarded.environ, buffered=True)
        if call.operation == "RegisterScalableTarget":
            self._give_role()
        wrong = reply_problems(call, response)
        if wrong:
            raise Refusal(BROKEN, f"moto's answer to {call.name}: {'; '.join(wrong)}")
        return response

    # --- what stands across services ---

    def _add_tags(self, asked: Parameters) -> Mapping[str, Any]:
        self.place.tag(asked["ResourceArn"], asked["Tags"])
        return self._list_tags(asked)

    def _list_tags(self, asked: Parameters) -> Mapping[str, Any]:
        tags = self.place.tags.get(asked["ResourceArn"], {})
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _delete_tags(self, asked: Parameters) -> Mapping[str, Any]:
        for key in asked["TagKeys"]:
            self.place.tags.get(asked["ResourceArn"], {}).pop(key, None)
        return {}

    def _check_target(self, resource: str) -> None:
        """Application Auto Scaling takes a variant only once it serves."""
        _, endpoint, _, variant = resource.split("/")
        found = self.hosting.endpoints.get(endpoint)
        if found is None or found.status == "Creating" or variant not in found.weights:
            raise refused(f"There is no endpoint variant {resource}.")

    def _give_role(self) -> None:
        """Who names no role gets the service's own, which every description of a target has; moto has none."""
        account = self.place.account
        own = f"arn:aws:iam::{account}:role/aws-service-role/{SCALING_ROLE}"
        targets = applicationautoscaling_backends[account][self.place.region].targets
        for target in targets.get(DIMENSION, {}).values():
            target.role_arn = target.role_arn or own

    def _is_scaled(self, endpoint: str, variant: str) -> bool:
        targets = applicationautoscaling_backends[self.place.account][self.place.region].targets
        return f"endpoint/{endpoint}/variant/{variant}" in targets.get(DIMENSION, {})

    def _log(self, group: str, stream: str, text: str, moment: datetime) -> None:
        logs = logs_backends[self.place.account][self.place.region]
        if group not in logs.groups:
            logs.create_log_group(group, {}, kmsKeyId=None)
        if stream not in logs.groups[group].streams:
            logs.create_log_stream(group, stream)
        event = {"timestamp": int(moment.timestamp() * 1000), "message": text}
        logs.groups[group].streams[stream].put_log_events([event])

    def write(self, uri: str, body: bytes) -> None:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        path = {"PATH_INFO": f"/{bucket}/{key}", "QUERY_STRING": ""}
        signed = {"HTTP_AUTHORIZATION": _SIGNED.format(region=self.place.region)}
        request = Request.from_primitives("PUT", f"http://127.0.0.1/{bucket}/{key}", {})
        environ = {
            **request.environ,
            **path,
            **signed,
            "wsgi.input": io.BytesIO(body),
            "CONTENT_LENGTH": str(len(body)),
        }
        response = Response.from_app(self.moto, environ, buffered=True)
        if response.status_code >= 300:
            raise AssertionError(f"cannot write {uri}: {response.get_data(as_text=True)[:200]}")

    def client(self, service: str) -> Any:
        """A client for what a test puts there; boto3 makes its methods at run time, hence no narrower type."""
        return _client(service, self.place.region, self.url)


@cache
def _client(service: str, region: str, url: str) -> Any:
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=url,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def _checked(match: Match, request: Request) -> Parameters:
    """A request's parameters; refused where its description says no."""
    if described(match.call) is None:
        raise Refusal(UNKNOWN, f"{match.call.name} is not an operation of AWS")
    parameters, wrong = request_problems(match, request)
    if wrong:
        raise refused(f"{len(wrong)} validation errors detected: {'; '.join(wrong)}")
    return parameters


_SIGNED = (
    "AWS4-HMAC-SHA256 Credential=testing/20261101/{region}/s3/aws4_request, SignedHeaders=host, Signature=0"
)


def _with_body(environ: WSGIEnvironment, body: bytes) -> Request:
    """A request of its own, because reading a form empties the stream that it comes from."""
    return Request({**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})
