"""Workflows as documents: read the text of a run out of the artifacts bucket, and start it.

Pure. Workflows has its own expressions, written by :func:`calculated`; they are no template of Terraform's. May not make a
resource, nor know what starts a workflow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stacks.gcp.context import Surroundings
from stacks.gcp.jobs import APPROVED
from stacks.graph import Value
from stacks.watching import RETRAIN_METRIC

__all__ = ["approved", "asked", "calculated", "drifted", "pipeline_flow", "scoring_flow", "uploaded"]

LOOKS_EACH_S = 300
UPLOADED_WITHIN_S = 300
SIGNED: Value = {"type": "OAuth2"}
EVENT = "event"


def calculated(expression: str) -> str:
    """An expression that Workflows calculates when it runs."""
    return "$" + "{" + expression + "}"


def pipeline_flow(around: Surroundings, name: str, guard: Sequence[Value] = ()) -> Value:
    """Start a run of a pipeline with its parameters' own defaults; ``guard`` are steps that may end it before."""
    context, keys = around.context, around.keys
    body: dict[str, Value] = {
        "displayName": context.name("display", name),
        "pipelineSpec": calculated("template.body"),
        "serviceAccount": around.roles["pipelines"].email,
        "runtimeConfig": {
            "gcsOutputDirectory": around.stores.place("artifacts", f"runs/{name}"),
            "failurePolicy": "PIPELINE_FAILURE_POLICY_FAIL_FAST",
        },
        "labels": {"pipeline": name},
    }
    if keys.data is not None:
        body["encryptionSpec"] = {"kmsKeyName": keys.data}
    if around.network.attachment_id is not None:
        body["pscInterfaceConfig"] = {"networkAttachment": around.network.attachment_id}
    steps: list[Value] = [
        *guard,
        _read(),
        _posted(around, "pipelineJobs", body),
        {"done": {"return": calculated("started.body.name")}},
    ]
    return _main(steps, event=bool(guard))


def scoring_flow(around: Surroundings) -> Value:
    """Start a batch prediction and follow it to its end, so that one that fails is told of."""
    ends = '["JOB_STATE_SUCCEEDED", "JOB_STATE_PARTIALLY_SUCCEEDED"]'
    stops = '["JOB_STATE_FAILED", "JOB_STATE_CANCELLED", "JOB_STATE_EXPIRED"]'
    steps: list[Value] = [
        _read(),
        _posted(around, "batchPredictionJobs", calculated("template.body")),
        {"wait": {"call": "sys.sleep", "args": {"seconds": LOOKS_EACH_S}}},
        {"look": _got(calculated(f'"{_host(around)}" + started.body.name'), "job")},
        {
            "judge": {
                "switch": [
                    {"condition": calculated(f"job.body.state in {ends}"), "next": "done"},
                    {"condition": calculated(f"job.body.state in {stops}"), "raise": calculated("job.body")},
                ],
                "next": "wait",
            }
        },
        {"done": {"return": calculated("started.body.name")}},
    ]
    return _main(steps, event=False)


# --- what may end a flow before it starts anything -------------------------------------------------------------------


def approved(model: str) -> Iterator[Value]:
    """Go on when an event gives a version of a model the alias of approval."""
    request = 'map.get(event.data, ["protoPayload", "request", "versionAliases"])'
    resource = 'default(map.get(event.data, ["protoPayload", "resourceName"]), "")'
    yield _only(
        "approved",
        f'"{APPROVED}" in default({request}, []) and text.match_regex({resource}, "/models/{model}(@|$)")',
    )


def uploaded(model: str) -> Iterator[Value]:
    """Go on when a version comes approved, after the time that its upload takes."""
    aliases = 'map.get(event.data, ["protoPayload", "request", "model", "versionAliases"])'
    name = 'map.get(event.data, ["protoPayload", "request", "model", "displayName"])'
    yield _only("uploaded", f'"{APPROVED}" in default({aliases}, []) and {name} == "{model}"')
    yield {"settle": {"call": "sys.sleep", "args": {"seconds": UPLOADED_WITHIN_S}}}


def drifted(around: Surroundings, endpoint_id: str) -> Iterator[Value]:
    """Go on when drift was found on an endpoint: the entry names the monitor, and that the endpoint."""
    entry = "json.decode(base64.decode(event.data.message.data))"
    monitor = "entry.jsonPayload.modelDeploymentMonitoringJob"
    yield {"entry": {"assign": [{"entry": calculated(entry)}]}}
    yield {"monitor": _got(calculated(f'"{_host(around)}" + {monitor}'), "monitor")}
    yield _only("drifted", f'text.match_regex(monitor.body.endpoint, "/endpoints/{endpoint_id}$")')


def asked(monitor: str) -> Iterator[Value]:
    """Go on when a monitor's own job asks for a retraining: it knows the cool-down."""
    entry = "json.decode(base64.decode(event.data.message.data))"
    yield {"entry": {"assign": [{"entry": calculated(entry)}]}}
    name = 'default(map.get(entry, ["jsonPayload", "monitor"]), "")'
    wish = f'default(map.get(entry, ["jsonPayload", "{RETRAIN_METRIC}"]), 0)'
    yield _only("asked", f'{name} == "{monitor}" and {wish} == 1')


def _only(name: str, condition: str) -> Value:
    return {
        f"only-{name}": {
            "switch": [{"condition": calculated(f"not({condition})"), "next": "end"}],
        }
    }


# --- steps -----------------------------------------------------------------------------------------------------------


def _host(around: Surroundings) -> str:
    return f"https://{around.context.region}-aiplatform.googleapis.com/v1/"


def _main(steps: Sequence[Value], *, event: bool) -> Value:
    main: dict[str, Value] = {"steps": list(steps)}
    if event:
        main["params"] = [EVENT]
    return {"main": main}


def _got(url: str, result: str) -> Value:
    return {"call": "http.get", "args": {"url": url, "auth": SIGNED}, "result": result}


def _read() -> Value:
    """The text of the run, whose place the workflow has in its environment."""
    start = '"https://storage.googleapis.com/storage/v1/b/" + sys.get_env("BUCKET")'
    return {
        "read": _got(
            calculated(f'{start} + "/o/" + text.url_encode(sys.get_env("OBJECT")) + "?alt=media"'),
            "template",
        )
    }


def _posted(around: Surroundings, collection: str, body: Value) -> Value:
    context = around.context
    url = f"{_host(around)}projects/{context.project}/locations/{context.region}/{collection}"
    return {
        "start": {
            "call": "http.post",
            "args": {"url": url, "auth": SIGNED, "body": body},
            "result": "started",
        }
    }
