"""The application over HTTP: answers at once or as a stream, health, readiness, metrics and a shutdown that loses nothing.

May not decide what is answered.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import FrameType
from typing import Any
from uuid import uuid4

import anyio
import anyio.from_thread
import anyio.to_thread
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from .answering import Answer, Assistant
from .endpoint import as_json, questions_in
from .gateway import GatewayError, Refused
{% if cookiecutter.provider == "gcp" %}from .model_files import fetched
{% endif %}from .observing import Metrics, configure_logging
from .settings import Settings, index_folder
from .store import StoreError
from .wiring import assistant_of

__all__ = ["Service", "application", "serve"]

_LOG = logging.getLogger(__name__)
_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_MOST_QUESTIONS = 32


class Service:
    """What all requests share. Not ready until the application is loaded, and not any more once it is to stop."""

    def __init__(self, settings: Settings, load: Callable[[], Assistant]) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.assistant: Assistant | None = None
        self.failure = ""
        self.stopping = False
        self._load = load
        self._slots = anyio.CapacityLimiter(settings.most_at_once)
        self._busy = 0

    def load(self) -> None:
        """Load the application; what fails is said, and the service stays unready."""
        started = time.perf_counter()
        try:
            self.assistant = self._load()
        except Exception as error:  # noqa: BLE001 - whatever it is, health says it, and the process stays to be looked at
            self.failure = str(error) or type(error).__name__
            _LOG.error("the application cannot be loaded: %s", error, exc_info=error)
            return
        _LOG.info("ready", extra={"seconds": round(time.perf_counter() - started, 3)})

    @property
    def is_ready(self) -> bool:
        return self.assistant is not None and not self.stopping

    @property
    def is_full(self) -> bool:
        return self._busy >= self.settings.most_at_once

    @asynccontextmanager
    async def request(self) -> AsyncIterator[None]:
        """Count a request as long as it is worked on."""
        self._busy += 1
        self.metrics.set("app_in_flight", self._busy)
        try:
            yield
        finally:
            self._busy -= 1
            self.metrics.set("app_in_flight", self._busy)

    async def in_thread(self, work: Callable[[], Any]) -> Any:
        """Run what waits for a model outside of the event loop."""
        return await anyio.to_thread.run_sync(work, limiter=self._slots)

    def note(self, answer: Answer) -> None:
        """Count what an answer took."""
        self.metrics.add("app_answers_total", outcome=answer.refused or "answered")
        self.metrics.add("app_tokens_total", answer.usage.input_tokens, kind="input", model=answer.model)
        self.metrics.add("app_tokens_total", answer.usage.output_tokens, kind="output", model=answer.model)
        if answer.cost.amount is None:
            self.metrics.add("app_cost_unknown_total", model=answer.model)
        elif answer.cost.currency:
            self.metrics.add("app_cost_total", answer.cost.amount, currency=answer.cost.currency)


class _Rejected(Exception):
    """A request that is not worked on."""

    def __init__(self, status: int, says: str) -> None:
        super().__init__(says)
        self.status = status


def application(service: Service) -> Starlette:
    """The routes: those of the clouds' serving lead to the same answers."""

    async def health(_: Request) -> Response:
        return PlainTextResponse("ok")

    async def ready(_: Request) -> Response:
        if service.is_ready:
            return PlainTextResponse("ready")
        says = "stopping" if service.stopping else service.failure or "loading"
        return PlainTextResponse(f"not ready: {says}", status_code=503)

    async def metrics(_: Request) -> Response:
        return Response(service.metrics.text(), media_type=_TEXT)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        threading.Thread(target=service.load, name="load", daemon=True).start()
        yield

    ask, stream = _told(service, _ask), _told(service, _stream)
    routes = [
        Route("/healthz", health),
        Route("/readyz", ready),
        Route("/ping", ready),
        Route("/metrics", metrics),
        Route("/ask", ask, methods=["POST"]),
        Route("/ask/stream", stream, methods=["POST"]),
        Route("/invocations", ask, methods=["POST"]),
        Route("/score", ask, methods=["POST"]),
    ]
    routes += [
        Route(os.environ[name], function, methods=methods)
        for name, function, methods in (
            ("AIP_HEALTH_ROUTE", ready, ["GET"]),
            ("AIP_PREDICT_ROUTE", ask, ["POST"]),
        )
        if name in os.environ
    ]
    return Starlette(routes=routes, lifespan=lifespan)


Work = Callable[[Service, Request, str], Awaitable[Response]]


def _told(service: Service, work: Work) -> Callable[[Request], Awaitable[Response]]:
    """Give a request its id, turn what goes wrong into an answer, and write one line of log for it."""

    async def answered(request: Request) -> Response:
        given = request.headers.get("x-request-id", "")
        id_ = given if _ID.fullmatch(given) else uuid4().hex
        started = time.perf_counter()
        try:
            response = await work(service, request, id_)
        except _Rejected as error:
            response = _error(error.status, str(error), id_)
        except ValueError as error:
            response = _error(400, str(error), id_)
        except Refused as error:
            _LOG.error("the model refuses", extra={"request_id": id_, "reason": str(error)})
            response = _error(502, "the model refuses to answer; the log has its reason", id_)
        except (GatewayError, StoreError) as error:
            _LOG.warning("no answer", extra={"request_id": id_, "reason": str(error)})
            response = _error(503, "the model or the store does not answer; try again", id_)
        response.headers["x-request-id"] = id_
        if response.status_code == 503:
            response.headers["retry-after"] = "1"
        seconds = time.perf_counter() - started
        service.metrics.add("app_requests_total", route=request.url.path, status=str(response.status_code))
        service.metrics.took(request.url.path, seconds)
        told = {
            "request_id": id_,
            "route": request.url.path,
            "status": response.status_code,
            "seconds": round(seconds, 4),
        }
        _LOG.info("request", extra=told)
        return response

    return answered


def _error(status: int, says: str, id_: str) -> JSONResponse:
    return JSONResponse({"error": says, "request_id": id_}, status_code=status)


async def _body(service: Service, request: Request) -> bytes:
    """Read a body, no further than its limit."""
    if service.assistant is None or service.stopping:
        raise _Rejected(503, "not ready")
    if service.is_full:
        raise _Rejected(503, f"{service.settings.most_at_once} requests are being answered; try again")
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > service.settings.most_bytes:
            raise _Rejected(413, f"a body may have {service.settings.most_bytes} bytes")
        parts.append(part)
    return b"".join(parts)


async def _ask(service: Service, request: Request, id_: str) -> Response:
    del id_
    questions, many = questions_in(await _body(service, request))
    if len(questions) > _MOST_QUESTIONS:
        raise _Rejected(413, f"a request may have {_MOST_QUESTIONS} questions")
    assistant = service.assistant
    if assistant is None:
        raise _Rejected(503, "not ready")
    async with service.request():
        answers: list[Answer] = await service.in_thread(
            lambda: [assistant.answer(each) for each in questions]
        )
    for answer in answers:
        service.note(answer)
    told = [as_json(answer) for answer in answers]
    return JSONResponse({"predictions": told} if many else told[0])


async def _stream(service: Service, request: Request, id_: str) -> Response:
    questions, many = questions_in(await _body(service, request))
    if many:
        raise _Rejected(400, "a stream answers one question")
    assistant = service.assistant
    if assistant is None:
        raise _Rejected(503, "not ready")
    events = _events(service, assistant, questions[0], id_)
    return StreamingResponse(events, media_type="text/event-stream", headers={"cache-control": "no-store"})


async def _events(service: Service, assistant: Assistant, question: str, id_: str) -> AsyncIterator[bytes]:
    """Sentences as events `sentence`, then one `answer`: refused there, what was sent before is to be discarded."""
    sending, receiving = anyio.create_memory_object_stream[tuple[str, object]](16)

    def work() -> None:
        def put(name: str, what: object) -> None:
            anyio.from_thread.run(sending.send, (name, what))

        try:
            for part in assistant.stream(question):
                if isinstance(part, str):
                    put("sentence", {"text": part})
                else:
                    service.note(part)
                    put("answer", as_json(part))
        except (GatewayError, StoreError) as error:
            _LOG.warning("no answer", extra={"request_id": id_, "reason": str(error)})
            put("error", {"error": "the model or the store does not answer; try again", "request_id": id_})
        except anyio.BrokenResourceError:
            _LOG.info("the client went away", extra={"request_id": id_})
        finally:
            anyio.from_thread.run_sync(sending.close)

    async with service.request(), anyio.create_task_group() as tasks:
        tasks.start_soon(service.in_thread, work)
        async with receiving:
            async for name, what in receiving:
                yield f"event: {name}\ndata: {json.dumps(what, ensure_ascii=False)}\n\n".encode()


class _Server(uvicorn.Server):
    """Says that it is not ready, answers on for a while, takes no more, finishes what it has, and ends with 0."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        del frame
        if self._service.stopping or sig == signal.SIGINT:
            self.should_exit = True
            return
        self._service.stopping = True
        _LOG.info("stopping", extra={"drain_s": self._service.settings.drain_s})
        timer = threading.Timer(self._service.settings.drain_s, self._stop)
        timer.daemon = True
        timer.start()

    def _stop(self) -> None:
        self.should_exit = True


def serve(settings: Settings) -> None:
    """Serve until stopped."""
    configure_logging()
    service = Service(settings, lambda: assistant_of(settings, {% if cookiecutter.provider == "gcp" %}fetched() or {% endif %}index_folder(settings)))
    config = uvicorn.Config(
        application(service),
        host=settings.host,
        port=int(os.environ.get("AIP_HTTP_PORT", settings.port)),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=60,
        limit_concurrency=None,
    )
    _Server(config, service).run()
