"""Holds what a project asks of Azure to Microsoft's and OpenAI's own packages: `python llm_azure_shapes.py SRC PACKAGE`.

A program for an interpreter that has them and the project's requirements. Writes each thing that does not fit, and exits
with 1; may not open a connection.
"""

from __future__ import annotations

import importlib
import json
import sys
import typing
from collections.abc import Iterator, Mapping
from typing import Any


class Service:
    """Stands where a project's connection does: keeps what is sent, and gives what the vendor's classes made."""

    def __init__(self, *answers: Any) -> None:
        self.sent: list[tuple[str, Any]] = []
        self._answers = [*answers]

    def send(self, path: str, body: Mapping[str, Any], *, method: str = "POST") -> Any:
        self.sent.append((f"{method} {path}", json.loads(json.dumps(body))))
        return self._answers.pop(0)

    def events(self, path: str, body: Mapping[str, Any]) -> Iterator[Any]:
        self.sent.append((f"POST {path}", json.loads(json.dumps(body))))
        yield from self._answers.pop(0)


def main() -> int:
    sys.path.insert(0, sys.argv[1])
    package = sys.argv[2]
    problems = [*_models(package), *_search(package)]
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    return 1 if problems else 0


def _module(name: str) -> Any:
    """A module that the interpreter which runs the tests does not have."""
    return importlib.import_module(name)


def _models(package: str) -> Iterator[str]:
    types = _module("openai.types")
    chat = _module("openai.types.chat")
    params = _module("openai.types.chat.completion_create_params")
    azure = _module(f"{package}.azure_openai")
    gateway = _module(f"{package}.gateway")
    usage = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Ada."}}
    base = {"id": "c", "created": 1, "model": "gpt-4o"}
    whole = chat.ChatCompletion.model_validate(
        {**base, "object": "chat.completion", "choices": [{**choice, "logprobs": None}], "usage": usage}
    )
    pieces: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {"content": "Ada."}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": usage},
    ]
    stream = [
        chat.ChatCompletionChunk.model_validate(
            {**base, "object": "chat.completion.chunk", **piece}
        ).model_dump(mode="json")
        for piece in pieces
    ]
    vectors = types.CreateEmbeddingResponse.model_validate(
        {
            "object": "list",
            "model": "m",
            "data": [{"object": "embedding", "index": 0, "embedding": [3.0, 4.0]}],
            "usage": {"prompt_tokens": 5, "total_tokens": 5},
        }
    )
    service = Service(whole.model_dump(mode="json"), stream, vectors.model_dump(mode="json"))
    model = azure.AzureGateway(service, "gpt-4o")
    request = gateway.Request("Be short.", (gateway.Message("user", "Who?"),))
    expected = gateway.Completion("Ada.", "gpt-4o", "end", gateway.Usage(12, 3))
    if model.complete(request) != expected:
        yield "the SDK's answer is read otherwise"
    if [*model.stream(request)] != ["Ada.", expected]:
        yield "the SDK's stream is read otherwise"
    rows = azure.AzureEmbedder(service, "text-embedding-3-large", 2).embed_passages(["one"])
    if [round(float(each), 3) for each in rows[0]] != [0.6, 0.8]:
        yield "the SDK's vectors are read otherwise"
    kinds = (
        params.CompletionCreateParamsNonStreaming,
        params.CompletionCreateParamsStreaming,
        types.EmbeddingCreateParams,
    )
    for (where, body), kind in zip(service.sent, kinds, strict=True):
        yield from _unknown(where, body, {*typing.get_type_hints(kind)})
        missing = sorted(kind.__required_keys__ - set(body))
        if missing:
            yield f"{where}: {', '.join(missing)} is missing"


def _search(package: str) -> Iterator[str]:
    np = _module("numpy")
    indexes = _module("azure.search.documents.indexes.models")
    queries = _module("azure.search.documents.models")
    try:
        search = _module(f"{package}.ai_search")
    except ModuleNotFoundError:
        return
    passage = _module(f"{package}.chunking").Passage("1", "a.md#b", "A", "text")
    taken = {"value": [{"key": "1", "status": True, "statusCode": 201}]}
    pages: tuple[dict[str, Any], ...] = ({"value": [{"id": "1"}, {"id": "old"}]}, {"value": []})
    service = Service({}, taken, *pages, taken, {"value": []})
    search.fill(service, "docs", [passage], np.ones((1, 4), dtype=np.float32))

    class Fixed:
        def embed_question(self, text: str) -> Any:
            del text
            return np.ones(4, dtype=np.float32)

    search.AiSearch(service, "docs", Fixed()).retrieve("who?", 3)
    made, written, listed, _, deleted, asked = (body for _, body in service.sent)
    kinds = {queries.IndexAction(each).action_type for each in (*written["value"], *deleted["value"])}
    if kinds != {queries.IndexActionType.MERGE_OR_UPLOAD, queries.IndexActionType.DELETE}:
        yield f"what is written and deleted is {kinds}"
    if not {"search", "select", "orderby", "top"} <= {*listed} or not index_key(made)["sortable"]:
        yield "passages are listed in no order"
    index = indexes.SearchIndex(made)
    yield from _unknown("index", made, _names(type(index)))
    for field in made["fields"]:
        yield from _unknown(f"field {field['name']}", field, _names(type(index.fields[0])))
    if index.vector_search.profiles[0].algorithm_configuration_name != "graph":
        yield "the index's profile names no algorithm"
    if index.vector_search.algorithms[0].parameters.metric != "cosine":
        yield "the index's algorithm does not compare by cosine"
    if (
        index.fields[-1].vector_search_dimensions != 4
        or index.fields[-1].vector_search_profile_name != "cosine"
    ):
        yield "the vector's field has no size or no profile"
    query = asked["vectorQueries"][0]
    yield from _unknown("query", query, _names(type(queries.VectorizedQuery(query))))
    if queries.VectorizedQuery(query).k_nearest_neighbors != 3:
        yield "the query does not say how many"


def index_key(index: Mapping[str, Any]) -> Mapping[str, Any]:
    """The field that names a document."""
    return next(field for field in index["fields"] if field.get("key"))


def _names(kind: Any) -> set[str]:
    """The names on the wire of a class's fields; a class has them once it was used."""
    return {field._rest_name for field in kind._attr_to_rest_field.values()}  # noqa: SLF001 - there is no other list


def _unknown(where: str, body: Mapping[str, Any], known: set[str]) -> Iterator[str]:
    for name in sorted(set(body) - known):
        yield f"{where}: {name} is not known"


if __name__ == "__main__":
    sys.exit(main())
