"""Answers `GET /ping` and `POST /invocations` with the model in `/opt/ml/model`. May not write anything.

Takes rows as CSV without a header, in the order of the columns it was trained on, or as JSON: a list of objects.
Gives the likelihood of the second class, a line or an item for each row.
"""

from __future__ import annotations

import argparse
import io
import json
{% if cookiecutter.provider == "azure" %}import os
{% endif %}from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import joblib
import pandas

MODEL = Path({% if cookiecutter.provider == "azure" %}os.environ.get("AZUREML_MODEL_DIR", "/opt/ml/model"){% else %}"/opt/ml/model"{% endif %})
PORT = 8080
CSV, JSON = "text/csv", "application/json"
MOST_BYTES = 100 * 1000 * 1000
"""The largest request{% if cookiecutter.provider == "aws" %} of a batch job, whose requests are the largest (SageMaker API, MaxPayloadInMB, 2026-11){% else %} that is read{% endif %}."""


def rows_of(body: bytes, kind: str, columns: list[str]) -> pandas.DataFrame:
    """Read the rows of a request; ValueError when they do not fit the model."""
    if kind == JSON:
        rows = pandas.DataFrame.from_records(json.loads(body))
        missing = [name for name in columns if name not in rows.columns]
        if missing:
            raise ValueError(f"there is no {', '.join(missing)}")
        return rows[columns]
    rows = pandas.read_csv(io.BytesIO(body), header=None)
    if len(rows.columns) != len(columns):
        raise ValueError(f"{len(rows.columns)} columns; the model takes {len(columns)}: {', '.join(columns)}")
    return rows.set_axis(columns, axis="columns")


def answer(loaded: dict[str, Any], body: bytes, kind: str) -> bytes:
    """Score a request in the form that it came in."""
    likely = [float(value) for value in loaded["model"].predict_proba(rows_of(body, kind, loaded["columns"]))[:, 1]]
    if kind == JSON:
        return json.dumps(likely).encode()
    return "".join(f"{value}\n" for value in likely).encode()


def handler(loaded: dict[str, Any]) -> type[BaseHTTPRequestHandler]:
    """A handler of requests for one model."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply(HTTPStatus.OK if self.path == "/ping" else HTTPStatus.NOT_FOUND)

        def do_POST(self) -> None:
            kind = self.headers.get("Content-Type", CSV).partition(";")[0].strip()
            size = int(self.headers.get("Content-Length", "0"))
            if self.path != "/invocations":
                self.reply(HTTPStatus.NOT_FOUND)
            elif kind not in (CSV, JSON):
                self.reply(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"{CSV} or {JSON}, not {kind}".encode())
            elif size > MOST_BYTES:
                self.reply(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            else:
                self.score(self.rfile.read(size), kind)

        def score(self, body: bytes, kind: str) -> None:
            try:
                scored = answer(loaded, body, kind)
            except (ValueError, TypeError) as error:
                self.reply(HTTPStatus.BAD_REQUEST, str(error).encode())
            else:
                self.reply(HTTPStatus.OK, scored, kind)

        def reply(self, status: HTTPStatus, body: bytes = b"", kind: str = "text/plain") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            if self.path != "/ping":  # {% if cookiecutter.provider == "aws" %}SageMaker asks{% else %}asked{% endif %} every few seconds
                super().log_message(format, *args)

    return Handler


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", nargs="?", choices=["serve"], default="serve", help="{% if cookiecutter.provider == "aws" %}what SageMaker says{% else %}may be left out{% endif %}")
    parser.add_argument("--model", type=Path, default=MODEL, help="folder with model.joblib")
    parser.add_argument("--port", type=int, default=PORT, help="port to listen on")
    arguments = parser.parse_args()
    loaded = joblib.load(arguments.model / "model.joblib")
    ThreadingHTTPServer(("", arguments.port), handler(loaded)).serve_forever()


if __name__ == "__main__":
    main()
