"""The command line: the steps of the pipeline, the check that CI runs, prompts, a question, and the service.

Results go to stdout, talk to stderr. May not do a step's work.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .chunking import Chunking
from .documents import DocumentError
from .gateway import GatewayError
from .prompts import PromptError, check_lock, lock
from .settings import Settings, SettingsError, settings_from
from .steps import (
    RESULTS,
    baseline_of,
    chunk_step,
    embed_step,
    evaluate_step,
    index_step,
    ingest_step,
)
from .store import StoreError

__all__ = ["main"]

PROJECT = Path(__file__).resolve().parents[2]
RUNS = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 1 where something does not pass, 2 where something does not fit."""
    given = _parser().parse_args(arguments)
    try:
        code: int = given.work(given)
    except (
        DocumentError,
        GatewayError,
        PromptError,
        SettingsError,
        StoreError,
        ValueError,
        OSError,
    ) as error:
        _say(f"error: {error}")
        return 2
    return code


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Answers questions from documents, and says which.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    ingest = commands.add_parser("ingest", help="read documents")
    ingest.add_argument("--documents", type=Path, required=True)
    ingest.add_argument("--out", type=Path, required=True)
    ingest.set_defaults(work=_ingest)

    cut = commands.add_parser("chunk", help="cut documents into passages")
    cut.add_argument("--documents", type=Path, required=True)
    _sizes(cut)
    cut.add_argument("--out", type=Path, required=True)
    cut.set_defaults(work=_chunk)

    embed = commands.add_parser("embed", help="turn passages into vectors")
    embed.add_argument("--passages", type=Path, required=True)
    _models(embed)
    embed.add_argument("--out", type=Path, required=True)
    embed.set_defaults(work=_embed)

    index = commands.add_parser("index", help="make what is served")
    index.add_argument("--passages", type=Path, required=True)
    index.add_argument("--vectors", type=Path, required=True)
    _models(index)
    index.add_argument("--out", type=Path, required=True)
    index.set_defaults(work=_index)

    evaluate = commands.add_parser(
        "evaluate", help="ask all questions and hold the answers to the accepted ones"
    )
    evaluate.add_argument("--index", type=Path, required=True)
    evaluate.add_argument("--runs", type=int, default=RUNS)
    _models(evaluate)
    evaluate.add_argument("--out", type=Path, required=True)
    evaluate.set_defaults(work=_evaluate)

    check = commands.add_parser("check", help="all steps and the gate; exit 1 where the gate fails")
    check.add_argument("--documents", type=Path, default=PROJECT / "data" / "kb" / "docs")
    check.add_argument("--runs", type=int, default=RUNS)
    _models(check)
    _sizes(check)
    check.add_argument(
        "--out", type=Path, default=None, help="a folder for metrics.json, results.json and report.md"
    )
    check.add_argument("--accept", action="store_true", help="make these results the baseline")
    check.set_defaults(work=_check)

    prompts = commands.add_parser("prompts", help="look whether each prompt's text is its version's")
    prompts.add_argument("--lock", action="store_true", help="add new versions to the lock")
    prompts.set_defaults(work=_prompts)

    ask = commands.add_parser("ask", help="answer one question")
    ask.add_argument("question")
    ask.add_argument("--index", type=Path, default=None, help="an index; one of the documents, when left out")
    _models(ask)
    ask.set_defaults(work=_ask)

    serve = commands.add_parser("serve", help="answer over HTTP until stopped")
    serve.set_defaults(work=_serve)
    return parser


def _models(parser: argparse.ArgumentParser) -> None:
    says = "who answers; auto: as APP_MODELS says"
    parser.add_argument("--models", choices=["auto", "local", "cloud"], default="auto", help=says)


def _sizes(parser: argparse.ArgumentParser) -> None:
    how = Chunking()
    parser.add_argument("--most-words", type=int, default=how.most_words, help="of a passage")
    parser.add_argument(
        "--overlap-words", type=int, default=how.overlap_words, help="that the next one repeats"
    )


def _settings(given: argparse.Namespace) -> Settings:
    return settings_from(**({} if given.models == "auto" else {"models": given.models}))


def _chunking(given: argparse.Namespace) -> Chunking:
    return Chunking(given.most_words, given.overlap_words)


def _ingest(given: argparse.Namespace) -> int:
    ingest_step(given.documents, given.out, _say)
    return 0


def _chunk(given: argparse.Namespace) -> int:
    chunk_step(given.documents, given.out, _chunking(given), _say)
    return 0


def _embed(given: argparse.Namespace) -> int:
    embed_step(_settings(given), given.passages, given.out, _say)
    return 0


def _index(given: argparse.Namespace) -> int:
    index_step(_settings(given), given.passages, given.vectors, given.out, _say)
    return 0


def _evaluate(given: argparse.Namespace) -> int:
    """A pipeline looks at `passed` in metrics.json: the step itself did what it had to."""
    evaluate_step(_settings(given), given.index, given.out, given.runs, _say)
    _say((given.out / "report.md").read_text(encoding="utf-8"))
    return 0


def _whole(settings: Settings, given_documents: Path, how: Chunking, folder: Path) -> Path:
    """All steps but the last, below a folder; return the index."""
    ingest_step(given_documents, folder / "documents", _say)
    chunk_step(folder / "documents", folder / "passages", how, _say)
    embed_step(settings, folder / "passages", folder / "vectors", _say)
    index_step(settings, folder / "passages", folder / "vectors", folder / "index", _say)
    return folder / "index"


def _check(given: argparse.Namespace) -> int:
    settings = _settings(given)
    problems = check_lock()
    for problem in problems:
        _say(f"error: {problem}")
    if problems:
        return 1
    with tempfile.TemporaryDirectory(prefix="check-") as scratch:
        index = _whole(settings, given.documents, _chunking(given), Path(scratch))
        out = given.out or Path(scratch) / "report"
        verdict = evaluate_step(settings, index, out, given.runs, _say)
        print((out / "report.md").read_text(encoding="utf-8"))
        if given.accept:
            baseline = baseline_of(settings)
            baseline.parent.mkdir(parents=True, exist_ok=True)
            baseline.write_text((out / RESULTS).read_text(encoding="utf-8"), encoding="utf-8")
            _say(f"accepted: {baseline.relative_to(PROJECT)}")
            return 0
    return 0 if verdict.passed else 1


def _prompts(given: argparse.Namespace) -> int:
    if given.lock:
        for prompt in lock():
            print(prompt)
        return 0
    problems = check_lock()
    for problem in problems:
        _say(f"error: {problem}")
    return 1 if problems else 0


def _ask(given: argparse.Namespace) -> int:
    from .endpoint import as_json
    from .wiring import assistant_of

    settings = _settings(given)
    with tempfile.TemporaryDirectory(prefix="ask-") as scratch:
        folder = given.index or _whole(settings, PROJECT / "data" / "kb" / "docs", Chunking(), Path(scratch))
        answer = assistant_of(settings, folder).answer(given.question)
    print(json.dumps(as_json(answer), indent=2, ensure_ascii=False))
    return 0


def _serve(given: argparse.Namespace) -> int:
    from .serving import serve

    del given
    serve(settings_from())
    return 0
