"""Prompts as versioned files: read, checked against the lock, and filled in. May not ask a model anything.

A prompt is a Markdown file below `data/prompts/` with a front matter. `lock.json` beside them has the digest of each version that
was ever released: a text that changes without a new version is refused, so that a version in a trace is one text.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .gateway import Message, Request
from .store import Found

__all__ = [
    "NO_ANSWER",
    "Prompt",
    "PromptError",
    "check_lock",
    "filled",
    "load_prompt",
    "lock",
    "passages_in",
    "question_in",
    "shown",
]

FOLDER = Path(__file__).parent / "data" / "prompts"
LOCK = "lock.json"
NO_ANSWER = "NO ANSWER"
"""What a model writes where the passages do not answer."""

_FRONT = re.compile(r"---\n(?P<front>.*?)\n---\n(?P<body>.*)", re.DOTALL)
_BODY = re.compile(r"\s*## system\n(?P<system>.*?)\n## user\n(?P<user>.*)", re.DOTALL)
_INPUT = re.compile(r"\{([a-z_]+)\}")
_VERSION = re.compile(r"\d+\.\d+\.\d+")


class PromptError(Exception):
    """A prompt's file that does not fit; the message says where and what to do."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt and its version; ``digest`` is of the whole file."""

    name: str
    version: str
    inputs: tuple[str, ...]
    system: str
    user: str
    digest: str


@cache
def load_prompt(name: str, folder: Path = FOLDER) -> Prompt:
    """Read a prompt and hold it to the lock.

    Raises:
        PromptError: it is not there, does not fit, or changed without a new version.
    """
    prompt = _parsed(folder / f"{name}.md")
    locked = _locked(folder).get(name, {}).get(prompt.version)
    if locked is None:
        raise PromptError(
            f"prompt {name} {prompt.version} is not in {LOCK}; run `python src/app.py prompts --lock`"
        )
    if locked != prompt.digest:
        raise PromptError(
            f"prompt {name} changed and is still {prompt.version}; give it a new version and lock it"
        )
    return prompt


def _parsed(path: Path) -> Prompt:
    if not path.is_file():
        known = ", ".join(sorted(each.stem for each in path.parent.glob("*.md")))
        raise PromptError(f"there is no prompt {path.stem}; there are {known}")
    text = path.read_text(encoding="utf-8")
    found = _FRONT.fullmatch(text)
    body = _BODY.fullmatch(found["body"]) if found else None
    if found is None or body is None:
        raise PromptError(
            f"{path.name} needs a front matter between two lines ---, then ## system and ## user"
        )
    front = dict(_pair(path, line) for line in found["front"].splitlines() if line.strip())
    if set(front) != {"name", "version", "inputs"}:
        raise PromptError(
            f"{path.name}: the front matter has {', '.join(sorted(front))}; it takes name, version and inputs"
        )
    if front["name"] != path.stem:
        raise PromptError(f"{path.name}: its name is {front['name']}, and its file's is {path.stem}")
    if _VERSION.fullmatch(front["version"]) is None:
        raise PromptError(f"{path.name}: version {front['version']} is not MAJOR.MINOR.PATCH")
    inputs = tuple(part.strip() for part in front["inputs"].split(","))
    used = set(_INPUT.findall(body["system"] + body["user"]))
    if used != set(inputs):
        raise PromptError(
            f"{path.name}: inputs are {', '.join(inputs)}, and its text uses {', '.join(sorted(used)) or 'none'}"
        )
    digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    return Prompt(path.stem, front["version"], inputs, body["system"].strip(), body["user"].strip(), digest)


def _pair(path: Path, line: str) -> tuple[str, str]:
    key, colon, value = line.partition(":")
    if not colon:
        raise PromptError(f"{path.name}: the front matter's line {line!r} is not KEY: VALUE")
    return key.strip(), value.strip()


# --- the lock --------------------------------------------------------------------------------------------------------


def _locked(folder: Path) -> dict[str, dict[str, str]]:
    path = folder / LOCK
    found: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def check_lock(folder: Path = FOLDER) -> list[str]:
    """Say of each prompt what does not fit; nothing, where all do."""
    problems = []
    for path in sorted(folder.glob("*.md")):
        try:
            load_prompt(path.stem, folder)
        except PromptError as error:
            problems.append(str(error))
    return problems


def lock(folder: Path = FOLDER) -> list[str]:
    """Add new versions to the lock and return them; a version that is there stays as it is.

    Raises:
        PromptError: a text changed and its version did not.
    """
    locked, added = _locked(folder), []
    for path in sorted(folder.glob("*.md")):
        prompt = _parsed(path)
        before = locked.setdefault(prompt.name, {}).setdefault(prompt.version, prompt.digest)
        if before != prompt.digest:
            raise PromptError(
                f"prompt {prompt.name} changed and is still {prompt.version}; give it a new version first"
            )
        added.append(f"{prompt.name} {prompt.version}")
    text = json.dumps(locked, indent=2, sort_keys=True) + "\n"
    (folder / LOCK).write_text(text, encoding="utf-8")
    load_prompt.cache_clear()
    return added


# --- filling in ------------------------------------------------------------------------------------------------------


def filled(
    prompt: Prompt, values: Mapping[str, str], *, most_tokens: int, temperature: float = 0.0
) -> Request:
    """Put values into a prompt. They are text: what looks like an input in them stays as it is.

    Raises:
        PromptError: a value is missing, or one is for nothing.
    """
    if set(values) != set(prompt.inputs):
        raise PromptError(
            f"prompt {prompt.name} takes {', '.join(prompt.inputs)}, and was given {', '.join(sorted(values))}"
        )

    def put(text: str) -> str:
        return _INPUT.sub(lambda found: values[found[1]], text)

    messages = (Message("user", put(prompt.user)),)
    return Request(put(prompt.system), messages, most_tokens=most_tokens, temperature=temperature)


def shown(found: Sequence[Found]) -> str:
    """Passages as a prompt shows them, numbered from 1. Their text cannot end its passage: angle brackets are escaped."""
    return "\n".join(
        f'<passage number="{number}" title="{_escaped(each.passage.title)}">\n{_escaped(each.passage.text)}\n</passage>'
        for number, each in enumerate(found, start=1)
    )


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def _plain(text: str) -> str:
    return text.replace("&quot;", '"').replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")


_PASSAGE = re.compile(r'<passage number="(\d+)" title="([^"]*)">\n(.*?)\n</passage>', re.DOTALL)
_QUESTION = re.compile(r"<question>\n(.*?)\n</question>", re.DOTALL)


def passages_in(prompt: str) -> Iterator[tuple[int, str, str]]:
    """The passages of a prompt: number, title and text."""
    for found in _PASSAGE.finditer(prompt):
        yield int(found[1]), _plain(found[2]), _plain(found[3])


def question_in(prompt: str) -> str:
    """The question of a prompt; empty where it has none."""
    found = _QUESTION.search(prompt)
    return _plain(found[1]) if found else ""
