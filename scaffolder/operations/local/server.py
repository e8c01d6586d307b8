"""The server of one endpoint: HTTP on loopback in front of the models' processes.

    python -m scaffolder.operations.local.server FOLDER LOCK

FOLDER is the endpoint's, LOCK a descriptor of its lock, which is taken. Says ``{"port": …}`` on its output once it
listens, and leaves its parent. May not import a model's libraries.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from scaffolder.operations.local.endpoint import Endpoint

__all__ = ["DEPLOYMENT", "HOST", "MOST_BODY_BYTES", "REQUEST_ID", "SERVED_BY", "Application"]

HOST = "127.0.0.1"
MOST_BODY_BYTES = 16 << 20
DRAINED_BYTES = 64 << 20
"""How much of a body that is too large is read before the answer, so that its sender hears it."""
DEPLOYMENT, SERVED_BY, REQUEST_ID = "x-scaffolder-deployment", "x-scaffolder-served-by", "x-request-id"
FOLLOW_S = 1.0
SHUTDOWN_S = 30

_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Application:
    """The endpoint as an ASGI application."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        match scope["method"], scope["path"]:
            case "POST", "/invocations":
                await self._invoke(scope, receive, send)
            case "GET", "/health" | "/ping":
                await _answer(send, 200, b"ok")
            case "GET", "/ready":
                ready = self._endpoint.is_ready()
                await _answer(send, 200 if ready else 503, b"ready" if ready else b"not ready")
            case "GET", "/metrics":
                from scaffolder.operations.local.exposition import CONTENT_TYPE  # noqa: PLC0415 - after the server's start

                await _answer(send, 200, self._endpoint.metrics().encode(), CONTENT_TYPE)
            case "POST", "/reload":
                generation = self._endpoint.reload()
                await _answer(send, 200, json.dumps({"generation": generation}).encode(), "application/json")
            case _, "/invocations" | "/health" | "/ping" | "/ready" | "/metrics" | "/reload":
                await _answer(send, 405, b"not with this method")
            case _:
                await _answer(
                    send, 404, b"there are POST /invocations, GET /health, GET /ready, GET /metrics"
                )

    async def _invoke(self, scope: Scope, receive: Receive, send: Send) -> None:
        from scaffolder.operations.local.models import Request  # noqa: PLC0415 - after the server's start

        headers = {name: value for name, value in scope["headers"] if name in _HEARD}
        given = headers.get(b"x-request-id", b"")
        id_ = given.decode() if _ID.fullmatch(given) else uuid4().hex
        told = {REQUEST_ID: id_}
        body = await _body(receive)
        if body is None:
            text = f"a request may have {MOST_BODY_BYTES} bytes; score files with a batch job"
            await _answer(send, 413, _error(text, id_), "application/json", {**told, "connection": "close"})
            return
        request = Request(body=body, content_type=headers.get(b"content-type", b"text/csv").decode("latin-1"))
        deployment = headers.get(DEPLOYMENT.encode(), b"").decode("latin-1") or None
        reply, served_by = await self._endpoint.answer(id_, request, deployment)
        if served_by:
            told[SERVED_BY] = served_by
        if reply.status == 200:
            await _answer(send, 200, reply.body, reply.content_type, told)
            return
        if reply.status == 503:
            told["retry-after"] = "1"
        await _answer(send, reply.status, _error(reply.body.decode(), id_), "application/json", told)


_HEARD = frozenset({b"content-type", REQUEST_ID.encode(), DEPLOYMENT.encode()})


def _error(text: str, id_: str) -> bytes:
    return json.dumps({"error": text, "id": id_}).encode()


async def _body(receive: Receive) -> bytes | None:
    """Read a body; ``None`` where it is too large."""
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        more = message.get("more_body", False) and size < DRAINED_BYTES
        if size <= MOST_BODY_BYTES:
            parts.append(part)
        else:
            parts.clear()
    if size > MOST_BODY_BYTES:
        return None
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def _answer(
    send: Send,
    status: int,
    body: bytes,
    content_type: str = "text/plain; charset=utf-8",
    others: Mapping[str, str] | None = None,
) -> None:
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    headers.extend((name.encode(), value.encode()) for name, value in (others or {}).items())
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


# --- the process -----------------------------------------------------------------------------------------------------


def _listening(wanted: int) -> socket.socket:
    """Listen on a port; where another program has it by now, on a free one."""
    for port in dict.fromkeys((wanted, 0)):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            listener.close()
            if not port:
                raise
            continue
        listener.listen(2048)
        listener.setblocking(False)  # noqa: FBT003 - its only form
        return listener
    raise OSError(f"no port of {HOST} is free")


async def _follow(endpoint: Endpoint, is_wanted: Callable[[], bool], end: Callable[[], None]) -> None:
    """Look for what is desired even where nobody says that it changed; where the folder is gone, nothing is."""
    while is_wanted():
        await asyncio.sleep(FOLLOW_S)
        if is_wanted():
            endpoint.reload()
    end()


def _holds(file: Path, lock: int) -> bool:
    """Whether the lock is still the one in its place: nobody else finds a server whose folder was removed or moved."""
    try:
        return os.path.samestat(file.stat(), os.fstat(lock))
    except OSError:
        return False


async def _serve(folder: Path, lock: int, listener: socket.socket) -> None:
    import uvicorn  # noqa: PLC0415 - it has left its parent

    from scaffolder.operations.local.endpoint import Endpoint, log  # noqa: PLC0415
    from scaffolder.operations.local.liveness import LOCK  # noqa: PLC0415

    port = listener.getsockname()[1]
    endpoint = Endpoint(folder, {"pid": os.getpid(), "port": port})
    endpoint.reload()
    endpoint.write_status()
    config = uvicorn.Config(
        Application(endpoint),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        ws="none",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
    server = uvicorn.Server(config)
    log("listens", port=port)
    sys.stdout.write(json.dumps({"port": port}))
    sys.stdout.flush()
    os.dup2(2, 1)

    def end() -> None:
        log("its folder is gone")
        server.should_exit = True

    follower = asyncio.create_task(_follow(endpoint, lambda: _holds(folder / LOCK, lock), end))
    await server.serve(sockets=[listener])
    follower.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await follower
    await endpoint.close()
    log("ended")


def _last_port(folder: Path) -> int:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return int(json.loads((folder / "status.json").read_bytes())["port"])
    return 0


def _main(place: str, lock: str) -> int:
    if os.fork():
        return 0
    os.setsid()
    os.set_inheritable(int(lock), False)  # noqa: FBT003
    folder = Path(place)
    os.dup2(os.open(folder / "server.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), 2)
    # uvicorn raises again what stopped it once it has stopped; what is left to do comes after that.
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: None)
    listener = _listening(_last_port(folder))
    try:
        import uvloop  # noqa: PLC0415 - faster, where it is there
    except ModuleNotFoundError:
        asyncio.run(_serve(folder, int(lock), listener))
    else:
        uvloop.run(_serve(folder, int(lock), listener))
    return 0


if __name__ == "__main__":
    code = _main(*sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)
