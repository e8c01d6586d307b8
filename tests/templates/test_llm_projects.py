"""Projects from the template `llm` pass their own evaluation, run on this machine, and ask clouds what the clouds' own
descriptions say. Their type checkers and own tests are run by test_rows.py.

``SCAFFOLDER_LLM_PYTHON`` names an interpreter with what `requirements/llm.in` lists; without it, this one is taken, and
what it lacks is skipped with its name.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from googleapiclient.discovery_cache import DISCOVERY_DOC_DIR

from tests.external_tools import ROOT
from tests.templates.llm import Choice, llm_project, package_of

pytestmark = [pytest.mark.frameworks, pytest.mark.cli, pytest.mark.slow]

PYTHON = os.environ.get("SCAFFOLDER_LLM_PYTHON", sys.executable)
TEMPLATE = "projects/acme-ml/locations/europe-west4/templates/assistant"
QUESTION = {"question": "How often are encryption keys rotated?"}
PROJECTS = (
    Choice("local", name="one"),
    Choice("aws", "platform", name="two"),
    Choice("gcp", "platform", name="three"),
    Choice("azure", "platform", name="four"),
)


def lacks(*modules: str) -> list[str]:
    """What the interpreter cannot import."""
    program = (
        "import importlib.util, sys; print(*[m for m in sys.argv[1:] if importlib.util.find_spec(m) is None])"
    )
    found = subprocess.run(
        [PYTHON, "-c", program, *modules], capture_output=True, text=True, check=True, cwd=ROOT / "tests"
    )
    return found.stdout.split()


def need(*modules: str) -> None:
    missing = lacks(*modules)
    if missing:
        pytest.skip(
            f"{PYTHON} has no {', '.join(missing)}; SCAFFOLDER_LLM_PYTHON names an interpreter that has"
        )


@pytest.fixture(scope="module", params=PROJECTS, ids=lambda choice: choice.provider)
def made(
    request: pytest.FixtureRequest, scaffolder_cli: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Choice]:
    asked: Choice = request.param
    pdf = "no" if lacks("pypdf") else "yes"
    choice = Choice(asked.provider, asked.store, pdf, asked.name)
    return llm_project(scaffolder_cli, tmp_path_factory.mktemp("llm") / "project", choice), choice


def run(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    variables = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST_"))
    }
    return subprocess.run(
        [*map(str, words)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**variables, "PYTHONDONTWRITEBYTECODE": "1"},
    )


def test_a_project_passes_its_own_evaluation(made: tuple[Path, Choice], tmp_path: Path) -> None:
    need("numpy")
    folder, _ = made
    done = run(folder, PYTHON, "src/app.py", "check", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    numbers = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert numbers["recall"] > 0.95
    assert numbers["questions"] >= 46


def test_a_whole_life_on_this_machine(scaffolder_cli: Path, tmp_path: Path) -> None:
    """Documents to a registered index, approved, deployed, asked, and taken away; a bad index is not registered."""
    folder = llm_project(scaffolder_cli, tmp_path / "project", Choice("local", pdf="no", name="qa1"))
    done = run(folder, scaffolder_cli, "run", "index", "--set", "runs=1", "--json")
    assert done.returncode == 0, done.stderr
    for words in (["models", "approve", "qa1", "1"], ["models", "deploy", "qa1", "1", "--now"]):
        done = run(folder, scaffolder_cli, *words)
        assert done.returncode == 0, done.stderr
    try:
        body = json.dumps(QUESTION)
        asked = ["endpoints", "invoke", "qa1", "--content-type", "application/json", "--body", body]
        done = run(folder, scaffolder_cli, *asked)
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        assert answer["sources"][0]["source"] == "security.md#encryption-keys"
        wrong = run(folder, scaffolder_cli, *asked[:-1], '{"top": 3}')
        assert wrong.returncode != 0
        assert "question is missing, or is no text" in wrong.stderr

        for name in ("security", "network", "models", "pipelines", "llm"):
            (folder / "data" / "kb" / "docs" / f"{name}.md").unlink()
        done = run(folder, scaffolder_cli, "run", "index", "--set", "runs=1")
        assert done.returncode == 31
        listed = json.loads(run(folder, scaffolder_cli, "models", "list", "qa1", "--json").stdout)
        assert len(listed["versions"]) == 1
    finally:
        run(folder, scaffolder_cli, "destroy", "--yes", "qa1")


# --- what clouds are asked, against their own descriptions -----------------------------------------------------------


class Service:
    """Stands where a project's connection does: keeps what is sent, and gives what it is told."""

    def __init__(self, *answers: Any) -> None:
        self.sent: list[tuple[str, Mapping[str, Any]]] = []
        self._answers = [*answers]

    def send(self, path: str, body: Mapping[str, Any]) -> Any:
        self.sent.append((path, json.loads(json.dumps(body))))
        return self._answers.pop(0)

    def events(self, path: str, body: Mapping[str, Any]) -> Iterator[Any]:
        self.sent.append((path, json.loads(json.dumps(body))))
        yield from self._answers.pop(0)


@pytest.fixture(scope="module")
def google() -> Mapping[str, Any]:
    """Google's own description of Vertex AI's REST interface, of google-api-python-client."""
    path = Path(DISCOVERY_DOC_DIR) / "aiplatform.v1.json"
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def misfits(google: Mapping[str, Any], schema: Mapping[str, Any], value: Any, where: str) -> Iterator[str]:
    """What of a value a schema of a discovery document does not hold."""
    if "$ref" in schema:
        schema = google["schemas"][schema["$ref"]]
    kinds: Mapping[str, Any] = {
        "object": dict,
        "array": list,
        "string": str,
        "boolean": bool,
        "integer": int,
        "number": (int, float),
    }
    if schema["type"] == "any":
        return
    if not isinstance(value, kinds[schema["type"]]):
        yield f"{where} is {value!r}, and no {schema['type']}"
    elif isinstance(value, dict):
        for name, inner in value.items():
            known = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
            if known is None:
                yield f"{where}.{name} is not known"
            else:
                yield from misfits(google, known, inner, f"{where}.{name}")
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from misfits(google, schema["items"], inner, f"{where}[{place}]")
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{where} is {value!r}, and none of {schema['enum']}"


def google_schema(name: str) -> Mapping[str, Any]:
    return {"$ref": f"GoogleCloudAiplatformV1{name}"}


def google_method(google: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """The method that a path is of, by the description's own paths."""
    resources = google["resources"]["projects"]["resources"]["locations"]["resources"]
    for resource in (resources["publishers"]["resources"]["models"], resources["indexes"]):
        for method in resource["methods"].values():
            parts = method["flatPath"].split("/")
            asked = path.removeprefix("/").partition("?")[0].split("/")
            if len(parts) == len(asked) and all(
                part == given
                or (part.startswith("{") and part.rpartition("}")[2] == "".join(given.partition(":")[1:]))
                for part, given in zip(parts, asked, strict=True)
            ):
                found: Mapping[str, Any] = method
                return found
    raise AssertionError(f"{path} is no path of Vertex AI's")


def test_vertex_is_asked_as_its_description_says(
    google: Mapping[str, Any], scaffolder_cli: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = Choice("gcp", "platform", "no", "shapes-gcp")
    folder = llm_project(scaffolder_cli, tmp_path / "project", choice)
    monkeypatch.syspath_prepend(folder / "src")
    vertex, gateway, chunking, search = (
        importlib.import_module(f"{package_of(choice)}.{name}")
        for name in ("vertex", "gateway", "chunking", "vector_search")
    )
    np = importlib.import_module("numpy")
    answer = {
        "candidates": [
            {"content": {"role": "model", "parts": [{"text": "Ada."}]}, "finishReason": "STOP", "index": 0}
        ],
        "usageMetadata": {"promptTokenCount": 12, "candidatesTokenCount": 3, "thoughtsTokenCount": 1},
        "modelVersion": "m",
    }
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}}
    for each in (answer, blocked):
        assert [*misfits(google, google_schema("GenerateContentResponse"), each, "answer")] == []
    embedded = {"predictions": [{"embeddings": {"values": [3.0, 4.0], "statistics": {"token_count": 2}}}]}
    assert [*misfits(google, google_schema("PredictResponse"), embedded, "answer")] == []

    service = Service(answer, [answer], embedded, {}, {})
    model = vertex.VertexGateway(service, "acme-ml", "europe-west4", "gemini-3.5-flash-lite", TEMPLATE)
    request = gateway.Request(
        "Be short.", (gateway.Message("user", "Who?"), gateway.Message("assistant", "?"))
    )
    expected = gateway.Completion("Ada.", "gemini-3.5-flash-lite", "end", gateway.Usage(12, 4))
    assert model.complete(request) == expected
    assert [*model.stream(request)] == ["Ada.", expected]
    vertex.VertexEmbedder(service, "acme-ml", "europe-west4", "gemini-embedding-001", 2).embed_question(
        "who?"
    )
    index = "projects/acme-ml/locations/europe-west4/indexes/5"
    search.upsert(service, index, [chunking.Passage("1", "a", "A", "t")], np.ones((1, 2)))
    search.remove(service, index, ["1"])
    assert len(service.sent) == 5
    for path, body in service.sent:
        method = google_method(google, path)
        assert method["httpMethod"] == "POST"
        assert [*misfits(google, method["request"], body, path)] == []
    reasons = google["schemas"]["GoogleCloudAiplatformV1Candidate"]["properties"]["finishReason"]["enum"]
    assert {"BLOCKLIST", "PROHIBITED_CONTENT", "RECITATION", "SAFETY", "SPII", "MODEL_ARMOR"} <= {*reasons}


def test_vector_search_is_asked_as_its_sdk_takes_it() -> None:
    """Only the SDK knows the private address; that it exists and takes these words is what can be seen here."""
    aiplatform: Any = importlib.import_module("google.cloud.aiplatform")
    endpoint = aiplatform.MatchingEngineIndexEndpoint
    asked = inspect.signature(endpoint.match).bind(
        None, deployed_index_id="d", queries=[[0.0]], num_neighbors=3
    )
    assert {*asked.arguments} == {"self", "deployed_index_id", "queries", "num_neighbors"}
    assert endpoint.private_service_connect_ip_address.fset is not None


def test_azure_is_asked_as_its_packages_say(scaffolder_cli: Path, tmp_path: Path) -> None:
    need("openai", "azure.search.documents", "numpy")
    choice = Choice("azure", "platform", "no", "shapes-azure")
    folder = llm_project(scaffolder_cli, tmp_path / "project", choice)
    program = ROOT / "tests" / "templates" / "llm_azure_shapes.py"
    done = run(folder, PYTHON, program, folder / "src", package_of(choice))
    assert done.returncode == 0, done.stdout + done.stderr


def test_spans_go_to_opentelemetry_where_a_process_has_it(
    scaffolder_cli: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sdk: Any = importlib.import_module("opentelemetry.sdk.trace")
    export: Any = importlib.import_module("opentelemetry.sdk.trace.export")
    memory: Any = importlib.import_module("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    choice = Choice("local", pdf="no", name="shapes-otel")
    folder = llm_project(scaffolder_cli, tmp_path / "project", choice)
    monkeypatch.syspath_prepend(folder / "src")
    tracing: Any = importlib.import_module(f"{package_of(choice)}.tracing")
    spans = memory.InMemorySpanExporter()
    provider = sdk.TracerProvider()
    provider.add_span_processor(export.SimpleSpanProcessor(spans))
    tracer = tracing.Tracer(tracing.opentelemetry_tracer(provider))

    def work() -> None:
        with tracer.span("answer"), tracer.span("chat") as chat:
            chat.set(gen_ai__usage__input_tokens=7)
            raise KeyError

    with pytest.raises(KeyError):
        work()
    inner, outer = spans.get_finished_spans()
    assert (inner.name, outer.name) == ("chat", "answer")
    assert inner.attributes["gen_ai.usage.input_tokens"] == 7
    assert inner.attributes["scaffolder.trace_id"] == outer.attributes["scaffolder.trace_id"]
    assert "scaffolder.parent_id" not in outer.attributes
    assert inner.status.status_code.name == "ERROR"
    assert outer.start_time <= inner.start_time <= inner.end_time <= outer.end_time
