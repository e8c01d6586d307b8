"""What the application is set to: defaults of this project, changed by environment variables that begin with APP_.

APP_SETTINGS names a file of such variables, which an image has for its environment; variables of the process win over it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path

__all__ = ["Settings", "SettingsError", "index_folder", "settings_from"]

PREFIX = "APP_"
FILE = "APP_SETTINGS"


class SettingsError(Exception):
    """A variable that does not fit; the message says which values do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Each field is the variable of its name in capitals with APP_ before it."""

    name: str = "{{ cookiecutter.name }}"
    models: str = "local"
    """local: the stand-in on this machine. cloud: the cloud's models."""
{%- if cookiecutter.provider != "local" %}
    model: str = "{{ cookiecutter.model }}"
    judge_model: str = ""
    """The model that judges answers in an evaluation; the one that answers, when empty. Another one judges better."""
    embedding_model: str = "{{ cookiecutter.embedding_model }}"
    dimensions: int = 1024
    region: str = "{{ cookiecutter.region }}"
{%- endif %}
{%- if cookiecutter.provider == "aws" %}
    guardrail: str = ""
    """A guardrail of the platform's as ID:VERSION, of the outputs `guardrail_ids` and `guardrail_versions` of the stack llm."""
{%- elif cookiecutter.provider == "gcp" %}
    guardrail: str = ""
    """A template of Model Armor by its whole name, of the output `guardrail_templates` of the stack llm."""
{%- endif %}
{%- if cookiecutter.provider == "gcp" %}
    project: str = "{{ cookiecutter.account }}"
    location: str = "{{ cookiecutter.region }}"
    """Where models answer: a region, or global for those that no region has."""
{%- endif %}
{%- if cookiecutter.provider == "azure" %}
    models_endpoint: str = ""
    """The output `models_endpoint` of the stack llm, such as https://NAME.cognitiveservices.azure.com."""
{%- endif %}
{%- if cookiecutter.__store == "platform" %}
    store: str = "embedded"
    """embedded: files of the index. platform: the platform's own store."""
{%- if cookiecutter.provider == "aws" %}
    knowledge_base_id: str = ""
    """Of the stack llm's output `knowledge_base_ids`."""
{%- elif cookiecutter.provider == "gcp" %}
    vector_index: str = ""
    """The index, as projects/PROJECT/locations/REGION/indexes/ID."""
    vector_endpoint: str = ""
    """The index endpoint, as projects/PROJECT/locations/REGION/indexEndpoints/ID."""
    deployed_index: str = ""
    vector_address: str = ""
    """The address of the stack llm's output `knowledge_base_addresses`."""
    vector_record: str = ""
    """An object that lists the ids of the vectors, which the index itself cannot: gs://BUCKET/PATH.json."""
    vector_keep_days: int = 30
    """How long vectors stay whose passages are gone: a version that serves may have them still. 0: not at all."""
{%- else %}
    search_endpoint: str = ""
    """The output `search_endpoint` of the stack llm."""
    search_index: str = "docs"
{%- endif %}
{%- endif %}
    index: str = "index"
    """The folder of an index, as the pipeline makes it."""
    passages: int = 4
    most_tokens: int = 400
    temperature: float = 0.0
    most_characters: int = 2000
    least_score: float = 0.05
    traces: str = ""
    """A file for spans; none, when empty."""
    host: str = "0.0.0.0"
    port: int = 8080
    most_at_once: int = 16
    most_bytes: int = 65_536
    drain_s: float = 5.0
    """How long it answers on after SIGTERM before it takes no more."""


def settings_from(environment: Mapping[str, str] | None = None, **changes: object) -> Settings:
    """Read the settings; ``changes`` win over the environment.

    Raises:
        SettingsError: a variable is unknown, or its value is not of its kind.
    """
    given = dict(os.environ if environment is None else environment)
    given = {**_of_file(given.pop(FILE, "")), **given}
    known = {f"{PREFIX}{each.name.upper()}": each for each in fields(Settings)}
    values: dict[str, object] = {}
    for name, text in given.items():
        if not name.startswith(PREFIX):
            continue
        if name not in known:
            near = get_close_matches(name, known, n=1)
            raise SettingsError(f"{name} is no setting{f'; did you mean {near[0]}?' if near else ''}")
        values[known[name].name] = _value(name, text, type(known[name].default))
    made = Settings(**{**values, **changes})  # type: ignore[arg-type]
    if made.models not in ("local", "cloud"):
        raise SettingsError(f"{PREFIX}MODELS is {made.models}; it is local or cloud")
{%- if cookiecutter.provider == "local" %}
    if made.models == "cloud":
        raise SettingsError(
            f"{PREFIX}MODELS is cloud, and this project was made for none; answer `provider` anew"
        )
{%- endif %}
{%- if cookiecutter.__store == "platform" %}
    if made.store not in ("embedded", "platform"):
        raise SettingsError(f"{PREFIX}STORE is {made.store}; it is embedded or platform")
{%- endif %}
    return made


def _of_file(name: str) -> dict[str, str]:
    """Read KEY=VALUE lines; nothing where no file is named."""
    if not name:
        return {}
    found: dict[str, str] = {}
    for number, line in enumerate(Path(name).read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        key, equals, value = line.partition("=")
        if not equals or not key.startswith(PREFIX):
            raise SettingsError(f"{name}:{number}: {line!r} is not {PREFIX}NAME=VALUE")
        found[key.strip()] = value.strip()
    return found


def _value(name: str, text: str, kind: type) -> object:
    try:
        return kind(text)
    except ValueError as error:
        raise SettingsError(
            f"{name} is {text!r}; it is {'a whole number' if kind is int else 'a number'}"
        ) from error


def index_folder(settings: Settings) -> Path:
    """Where the index is: what the cloud's serving names, or the setting."""
    named = os.environ.get("AZUREML_MODEL_DIR") or settings.index
    folder = Path(named)
    inside = sorted(folder.glob("*/about.json")) if folder.is_dir() else []
    return inside[0].parent if inside and not (folder / "about.json").exists() else folder
