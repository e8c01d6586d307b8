"""What an Azure ML step runs: one text for a shell, in which nothing of a definition is anything but a word.

Azure ML writes values over ``${{…}}`` in that text before a shell reads it, so a placeholder stands inside single quotes and
a value may hold none. Pure. May not know the order of steps, a machine or a place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from stacks.pipelines import METRICS_FILE, PathOf, Template, UriOf, ValueOf
from stacks.record import record

__all__ = [
    "ENTRY",
    "REGISTERS",
    "SKIPPED",
    "Check",
    "Registered",
    "command_of",
    "placeholder",
    "quoted",
    "registering",
    "unsafe_in",
]

ENTRY = "${{"
"""Where Azure ML begins to read a placeholder of its own."""

SKIPPED = "left out:"
"""What the only line of a step's output begins with, where a gate was not met."""

GATE = f"""\
gate() {{
awk -v metric="$2" -v comparison="$3" -v bound="$4" -v step="$5" '
BEGIN {{ RS = "\\001" }}
{{ text = text $0 }}
END {{
  key = "\\"" metric "\\""
  at = index(text, key)
  value = substr(text, at + length(key))
  if (!at || !sub(/^[ \\t\\r\\n]*:[ \\t\\r\\n]*/, "", value)) {{ print "no " metric " in the metrics"; exit 2 }}
  sub(/[ \\t\\r\\n]*[,}}].*$/, "", value)
  if (value !~ /^-?[0-9]+[.]?[0-9]*([eE][-+]?[0-9]+)?$/) {{ print metric " is no number: " value; exit 2 }}
  met = comparison == "at_least" ? value + 0 >= bound + 0 : value + 0 <= bound + 0
  if (!met) print "{SKIPPED} " metric " is " value ", and " step " waits for " comparison " " bound
  exit !met
}}' "$1"
}}
"""
"""Compares a number of a flat JSON file; needs nothing of an image but a shell and awk. 1 is not met, 2 cannot be told."""

REGISTERS = """\
import json, os, sys, urllib.error, urllib.parse, urllib.request

manager, workspace, model, uri, content_type, image, approval, step, metrics = sys.argv[1:]
API = "2025-12-01"
job = os.environ.get("AZUREML_ROOT_RUN_ID") or os.environ["AZUREML_RUN_ID"]
token = job + "/" + step
ask = {"api-version": "2017-09-01", "resource": "https://management.azure.com/"}
if os.environ.get("DEFAULT_IDENTITY_CLIENT_ID"):
    ask["clientid"] = os.environ["DEFAULT_IDENTITY_CLIENT_ID"]
request = urllib.request.Request(
    os.environ["MSI_ENDPOINT"] + "?" + urllib.parse.urlencode(ask), headers={"secret": os.environ["MSI_SECRET"]}
)
bearer = json.load(urllib.request.urlopen(request, timeout=60))["access_token"]
start = manager + workspace + "/models/" + model + "/versions"


def call(method, url, body=None):
    request = urllib.request.Request(
        url,
        None if body is None else json.dumps(body).encode(),
        {"Authorization": "Bearer " + bearer, "Content-Type": "application/json"},
        method=method,
    )
    return json.load(urllib.request.urlopen(request, timeout=60))


def found():
    url = start + "?api-version=" + API + "&listViewType=All"
    while url:
        page = call("GET", url)
        yield from page["value"]
        url = page.get("nextLink")


properties = {"token": token, "content_type": content_type, "image": image}
if metrics:
    properties["metrics"] = json.dumps(json.load(open(metrics)))
wanted = {
    "modelUri": uri,
    "modelType": "custom_model",
    "jobName": job,
    "properties": properties,
    "tags": {"approval": approval, "stage": "none"},
}
for _ in range(10):
    versions = list(found())
    if any(it["properties"].get("properties", {}).get("token") == token for it in versions):
        sys.exit(0)
    number = max([int(it["name"]) for it in versions if it["name"].isdigit()] or [0]) + 1
    try:
        call("PUT", start + "/" + str(number) + "?api-version=" + API, {"properties": wanted})
    except urllib.error.HTTPError as refused:
        if refused.code != 409:
            sys.exit(refused.read().decode(errors="replace"))
        continue
    print("version", number)
    sys.exit(0)
sys.exit("others register versions all the time")
"""
"""Run by Python with nothing installed, as the job's own identity; versions count from 1, and one run registers one."""


@record
class Check:
    """One gate that a step stands behind: the folder of the metrics, the number in them, and its bound as written."""

    folder: str
    metric: str
    comparison: str
    bound: str
    step: str
    fails: bool


@record
class Registered:
    """What a registering step registers; ``source`` and ``metrics`` are inputs of its own."""

    manager: str
    workspace: str
    model: str
    source: str
    content_type: str
    image: str
    approval: str
    step: str
    metrics: str | None


def placeholder(side: str, name: str) -> str:
    """What Azure ML writes a value over, or a folder."""
    return f"{ENTRY}{side}.{name}}}}}"


def quoted(word: str) -> str:
    """A word as a shell reads it: in single quotes, whatever is in it."""
    return "'" + word.replace("'", "'\\''") + "'"


def unsafe_in(template: Template) -> Iterator[str]:
    """Yield the texts that Azure ML would take for a placeholder of its own."""
    written = "".join(part if isinstance(part, str) else "\0" for part in template)
    if ENTRY in written:
        yield written.replace("\0", "…")


def command_of(
    words: Sequence[Template],
    variables: Mapping[str, Template],
    checks: Iterable[Check],
    names: Mapping[ValueOf | PathOf | UriOf, str],
) -> str:
    """A step's command; ``names`` has a placeholder for each value and folder. It ends early where a gate is not met."""
    lines = [*_gates(checks)]
    lines += [f"export {name}={_word(value, names)}" for name, value in variables.items()]
    return "\n".join([*lines, " ".join(_word(word, names) for word in words)])


def registering(wanted: Registered, checks: Iterable[Check]) -> str:
    """The command of a step that registers a version."""
    metrics = f"{placeholder('inputs', wanted.metrics)}/{METRICS_FILE}" if wanted.metrics is not None else ""
    words = (
        *(wanted.manager, wanted.workspace, wanted.model, placeholder("inputs", wanted.source)),
        *(wanted.content_type, wanted.image, wanted.approval, wanted.step, metrics),
    )
    python = '"$(command -v python3 || command -v python)"'
    line = " ".join([python, "-c", quoted(REGISTERS), *map(quoted, words)])
    return "\n".join([*_gates(checks), line])


def _gates(checks: Iterable[Check]) -> Iterator[str]:
    """Each gate in turn, the outermost first: behind one that is not met, no later one has metrics."""
    for number, check in enumerate(checks):
        if number == 0:
            yield GATE.rstrip("\n")
        words = (f"{check.folder}/{METRICS_FILE}", check.metric, check.comparison, check.bound, check.step)
        yield f"met=0; gate {' '.join(map(quoted, words))} || met=$?"
        if not check.fails:
            yield "if [ $met -eq 1 ]; then exit 0; fi"
        yield "if [ $met -ne 0 ]; then exit $met; fi"


def _word(template: Template, names: Mapping[ValueOf | PathOf | UriOf, str]) -> str:
    return quoted("".join(part if isinstance(part, str) else names[part] for part in template))
