"""The Python interface does what the commands do: over a provider that remembers, with a clock that only waiting turns."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import scaffolder
from scaffolder.errors import MissingExtraError, SpecError, UsageError
from scaffolder.operations.adapters import extra_of
from scaffolder.operations.doctoring import tool_probes
from scaffolder.operations.errors import (
    InvalidRequest,
    NotAuthenticated,
    NotFound,
    RolledBack,
    RunFailed,
    Unsupported,
)
from scaffolder.operations.following import short_ref
from scaffolder.operations.opening import Opened
from scaffolder.operations.platform import Platform
from scaffolder.operations.port import Batch, Runs
from scaffolder.operations.retraining import Turn
from scaffolder.operations.rollout import AT_ONCE, Sample
from scaffolder.operations.values import (
    Approval,
    BatchRequest,
    Capability,
    LogLine,
    Outcome,
    Probe,
    RunState,
    Stage,
)
from stacks.intents import ModelRegistry, Support, SupportLevel
from tests.operations.installed import NAME, install_memory, on_path
from tests.operations.memory import Memory
from tests.operations.opened import Clock, opened_memory
from tests.operations.platforms import TARGETS, write_project

ROOT = Path(__file__).resolve().parents[3]
SDKS = {"boto3", "botocore", "aiplatform", "azure", "mlflow", "evidently", "sklearn", "pandas", "numpy"}
BODY = b"tenure,charge\n12,70\n"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(tmp_path: Path, clock: Clock) -> Opened:
    return opened_memory(tmp_path, clock)[0]


@pytest.fixture
def platform(opened: Opened) -> Platform:
    return Platform(opened)


def trained(platform: Platform, *, approved: bool = True) -> int:
    """Run the pipeline, and return the version that it registered."""
    ref = platform.run("train").ref
    version = next(one.version for one in platform.models.list("churn") if one.run == ref)
    if approved:
        platform.models.approve("churn", version)
    return version


# --- opening ---------------------------------------------------------------------------------------------------------


def test_local_is_the_first_environment_on_this_machine_and_no_environment_of_the_spec(
    tmp_path: Path,
) -> None:
    spec = write_project("aws", tmp_path)
    spec.write_text(spec.read_text().replace("environments: {dev: {}}", "environments: {test: {}, prod: {}}"))
    platform = Platform.open(spec)
    assert (platform.environment, platform.provider.name, platform.intents.environment) == (
        "local",
        "local",
        "test",
    )
    with pytest.raises(UsageError) as error:
        Platform.open(spec, env="prd")
    assert str(error.value) == 'there is no environment "prd". Did you mean "prod"?'
    with pytest.raises(UsageError, match=r"There are local, test, prod.$"):
        Platform.open(spec, env="staging")


def test_what_only_a_cloud_would_refuse_is_no_matter_on_this_machine(tmp_path: Path) -> None:
    spec = write_project("aws", tmp_path)
    spec.write_text(spec.read_text().replace("eu-west-1", "eu-nowhere-1"))
    assert Platform.open(spec).provider.name == "local"
    with pytest.raises(SpecError, match="eu-nowhere-1"):
        Platform.open(spec, env="dev")


def test_a_pipeline_needs_no_image_on_this_machine(tmp_path: Path) -> None:
    spec = write_project("aws", tmp_path)
    definition = tmp_path / "pipelines" / "train.yaml"
    definition.write_text(
        definition.read_text().replace("image: training:1.0.0\n", "").replace(', image: "serving:1.0.0"', "")
    )
    local = Platform.open(spec)
    assert local.parameters("train", ["seed=3"]) == {"seed": 3}
    with pytest.raises(InvalidRequest, match="cannot run: its step prepare has no image"):
        Platform.open(spec, env="dev").parameters("train", [])


@pytest.mark.parametrize("cloud", TARGETS)
def test_another_environment_is_on_its_cloud_and_opening_loads_no_sdk(cloud: str, tmp_path: Path) -> None:
    spec = write_project(cloud, tmp_path)
    script = (
        "import sys, scaffolder\n"
        "def loaded(): return sorted({part for name in sys.modules for part in name.split('.')[:3]})\n"
        "first = loaded()\n"
        f"platform = scaffolder.Platform.open({str(spec)!r}, env='dev')\n"
        "local = scaffolder.Platform.open(" + repr(str(spec)) + ")\n"
        "print(platform.provider.name, local.provider.name)\n"
        "print(*first)\nprint(*loaded())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=600, check=True
    )
    names, first, last = done.stdout.splitlines()
    assert names == f"{cloud} local"
    # namespace packages of Google's and Microsoft's are made when Python starts: what is below them counts
    assert SDKS & {*first.split()} <= {"azure"}
    assert SDKS & {*last.split()} <= {"azure"}
    assert not {"yaml", "click", "operations"} & {*first.split()}


def test_a_provider_of_anybodys_is_opened_by_its_entry_point(tmp_path: Path) -> None:
    spec = write_project("memory", tmp_path)
    with pytest.raises(UsageError, match="there is no operations provider 'memory'"):
        Platform.open(spec, provider=NAME)
    with on_path(install_memory(tmp_path)):
        platform = Platform.open(spec, provider=NAME)
    assert platform.whoami().principal == "elephant"


@pytest.mark.parametrize(
    "name", ["Platform", "OperationError", "RunFailed", "RolledBack", "Canary", "Sample"]
)
def test_what_users_need_is_in_the_package(name: str) -> None:
    assert getattr(scaffolder, name).__name__ == name


# --- runs ------------------------------------------------------------------------------------------------------------


def test_a_run_is_waited_for_and_its_lines_come_once_and_in_order(platform: Platform) -> None:
    lines: list[LogLine] = []
    run = platform.run("train", {"seed": 3}, on_line=lines.append)
    assert (run.state, run.parameters["seed"]) == (RunState.SUCCEEDED, 3)
    assert [line.text for line in lines][:2] == ["prepare begins", "prepare ends"]
    assert len({line.cursor for line in lines}) == len(lines) == 8
    assert [line.cursor for line in lines] == sorted(line.cursor for line in lines)


def test_a_run_that_fails_says_which_and_where_its_log_is(platform: Platform) -> None:
    with pytest.raises(RunFailed) as error:
        platform.run("train", {"fail": "yes"})
    ref = next(platform.runs.list()).ref
    assert error.value.ref == ref
    assert str(error.value) == (
        f'the run {ref} of the pipeline "train" failed: step train: told to fail\n'
        f"  `scaffolder runs logs {ref}` prints its whole log."
    )


def test_a_run_that_was_stopped_has_not_succeeded(platform: Platform) -> None:
    ref = platform.run("train", wait=False).ref
    assert platform.runs.cancel(ref).state in {RunState.STOPPING, RunState.STOPPED}
    with pytest.raises(RunFailed, match="was stopped"):
        platform.runs.wait(ref)


def test_the_same_token_starts_one_run(platform: Platform) -> None:
    token = "0d5c2e0e-0000-4000-8000-000000000000"
    refs = {platform.submit("train", token=token) for _ in range(3)}
    assert len(refs) == 1
    assert platform.submit("train") not in refs


def test_logs_are_followed_to_the_end_of_the_run(platform: Platform, clock: Clock) -> None:
    ref = platform.submit("train")
    texts = [line.text for line in platform.runs.logs(ref, follow=True)]
    assert texts[-1] == "register ends"
    assert clock.slept_s > 0
    assert [line.text for line in platform.runs.logs(ref, step="train")] == ["train begins", "train ends"]
    with pytest.raises(UsageError, match=r'there is no step "trian". Did you mean "train"'):
        platform.runs.logs(ref, step="trian")


def test_a_run_is_found_by_a_part_of_its_ref(platform: Platform) -> None:
    refs = [platform.submit("train") for _ in range(10)]
    assert platform.runs.ref(refs[1]) == refs[1]
    assert platform.runs.ref("run-00001") == refs[9], "the only one that begins so"
    with pytest.raises(InvalidRequest, match=r'^"run-0" is the beginning of 10 runs: '):
        platform.runs.show("run-0")
    with pytest.raises(NotFound, match='there is no run "x"'):
        platform.runs.show("x")
    long = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/churn-dev-train/execution/abc123"
    assert short_ref(long) == "abc123"


def test_a_pipeline_or_parameter_that_the_spec_has_not_starts_nothing(platform: Platform) -> None:
    with pytest.raises(UsageError, match='Did you mean "train"'):
        platform.run("trian")
    with pytest.raises(UsageError, match='Did you mean "seed"'):
        platform.run("train", {"sed": 1})
    assert [*platform.runs.list()] == []


# --- models ----------------------------------------------------------------------------------------------------------


def test_only_what_is_approved_is_deployed_and_the_error_says_how_to_approve(platform: Platform) -> None:
    with pytest.raises(InvalidRequest, match="has no version yet\n  `scaffolder run PIPELINE`"):
        platform.models.deploy("churn")
    version = trained(platform, approved=False)
    for wanted in (None, version):
        with pytest.raises(InvalidRequest) as error:
            platform.models.deploy("churn", wanted)
        assert f"`scaffolder models approve churn {version}` approves it." in str(error.value)
    platform.models.reject("churn", version)
    with pytest.raises(InvalidRequest, match="it is rejected"):
        platform.models.deploy("churn", version)
    assert platform.endpoints.show("churn").deployments == ()


def test_a_version_is_registered_approved_deployed_asked_and_rolled_back(platform: Platform) -> None:
    one = trained(platform)
    platform.models.deploy("churn", one)
    assert platform.endpoints.invoke("churn", BODY).served_by == "v001"
    two = trained(platform)
    done = platform.models.deploy("churn", canary=AT_ONCE, smoke=Sample(body=BODY))
    assert (done.version, done.removed) == (two, ("v001",))
    plan = platform.models.plan_rollback("churn")
    assert plan.request.version == one
    back = platform.models.rollback("churn")
    assert (back.version, dict(back.traffic)) == (one, {"v001": 100})
    assert [each.name for each in platform.endpoints.show("churn").deployments] == ["v001"]


def test_a_model_that_the_spec_approves_by_itself_is_registered_approved(
    tmp_path: Path, clock: Clock
) -> None:
    opened, _ = opened_memory(tmp_path, clock)
    intents = tuple(
        replace(one, approval="automatic") if isinstance(one, ModelRegistry) else one
        for one in opened.platform.intents
    )
    automatic = Platform(replace(opened, platform=replace(opened.platform, intents=intents)))
    version = automatic.models.register("churn", "memory://m", metrics={"accuracy": 0.8})
    assert version.approval is Approval.APPROVED
    assert Platform(opened).models.register("churn", "memory://m").approval is Approval.PENDING


def test_the_endpoint_is_named_where_it_does_not_follow_from_the_model(platform: Platform) -> None:
    trained(platform)
    with pytest.raises(UsageError, match='the endpoint "scores" scores files with churn; for churn: churn'):
        platform.models.deploy("churn", endpoint="scores")
    with pytest.raises(UsageError, match=r'there is no endpoint "chrn". Did you mean "churn"'):
        platform.models.deploy("churn", endpoint="chrn")
    with pytest.raises(InvalidRequest, match="answers no single request"):
        platform.endpoints.invoke("scores", BODY)


def test_requests_that_fail_beyond_what_the_spec_allows_roll_back(platform: Platform) -> None:
    trained(platform)
    platform.models.deploy("churn")
    two = trained(platform)
    with pytest.raises(RolledBack, match="did not answer the smoke test"):
        platform.models.deploy("churn", two, smoke=Sample(body=b"no,header\n1,2\n"))
    assert [one.name for one in platform.endpoints.show("churn").deployments] == ["v001"]


def test_production_is_for_approved_versions_and_for_one(platform: Platform) -> None:
    one, two = trained(platform), trained(platform, approved=False)
    assert platform.models.is_better("churn", one).promote, "there is none to compare with"
    platform.models.promote("churn", one)
    with pytest.raises(InvalidRequest, match="cannot go to production: it is pending"):
        platform.models.promote("churn", two)
    assert platform.models.promote("churn", two, stage=Stage.STAGING).stage is Stage.STAGING
    assert not platform.models.is_better("churn", two).promote
    platform.models.approve("churn", two)
    platform.models.promote("churn", two)
    assert platform.models.get("churn", one).stage is Stage.ARCHIVED


# --- scoring, monitors, the whole ------------------------------------------------------------------------------------


def test_files_are_scored_with_what_is_in_production_else_with_the_newest_approved(
    platform: Platform, opened: Opened
) -> None:
    with pytest.raises(InvalidRequest, match='no version of the model "churn" is approved'):
        platform.score("scores", "data:raw", "data:scores")
    one, two = trained(platform), trained(platform)
    trained(platform, approved=False)
    provider = opened.provider
    assert isinstance(provider, Memory)
    asked = provider.batch = Asked(provider.batch)  # type: ignore[assignment]
    platform.score("scores", "data:raw", "data:scores")
    platform.models.promote("churn", one)
    platform.score("scores", "data:raw", "data:scores")
    platform.score("scores", "data:raw", "data:scores", version=two)
    assert asked.versions == [two, one, two]


class Asked:
    """Scoring that keeps which versions it was asked for."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self.versions: list[int] = []
        self.describe, self.list, self.cancel = batch.describe, batch.list, batch.cancel

    def submit(self, request: BatchRequest) -> str:
        self.versions.append(request.version)
        return self._batch.submit(request)


def test_a_monitor_looks_reports_its_last_window_and_retrains_after_several(
    platform: Platform, clock: Clock
) -> None:
    assert platform.monitors.report("churn") == ()
    told: list[str] = []
    turns: list[Turn] = []
    for _ in range(2):
        clock.sleep(3600)
        platform.runs.wait(platform.monitors.run("churn"))
        turns.append(platform.retrain("churn", tell=told.append))
    report = platform.monitors.report("churn")
    assert [one.feature for one in report] == ["tenure", "charge"]
    assert len({one.window_end for one in report}) == 1
    assert len([*platform.monitors.results("churn")]) == 4
    assert [turn.retraining.wanted for turn in turns] == [False, True], "one window is no alarm"
    run = platform.runs.wait(turns[-1].started)
    assert run.reason == "drift: churn"
    again = platform.retraining_due("churn")
    assert not again.wanted
    assert "the next may start at" in again.why
    assert told, "the alarm is told"


def test_destroy_removes_nothing_without_the_platforms_name_and_then_all(platform: Platform) -> None:
    trained(platform)
    platform.models.deploy("churn")
    with pytest.raises(InvalidRequest, match='"churm" is not the name of this platform: nothing was removed'):
        platform.destroy(confirm="churm")
    listed = platform.inventory()
    assert [(one.kind, one.name) for one in listed] == [("endpoint", "churn")]
    told: list[str] = []
    assert platform.destroy(confirm="churn", tell=told.append) == listed
    assert told == ["removing endpoint churn"]
    assert platform.inventory() == ()
    assert platform.after_destroy() == (), "Terraform made nothing of a platform on this machine"


def test_after_destroy_on_a_cloud_comes_terraform(opened: Opened) -> None:
    on_cloud = Platform(replace(opened, environment="dev"))
    assert on_cloud.after_destroy() == ("cdktf destroy 'churn-dev-*'",)


class Locked:
    """Preflight whose questions about permissions nobody answers."""

    def credentials(self) -> Iterator[Probe]:
        yield Probe(group="credentials", subject="me", outcome=Outcome.PASS, detail="")

    def permissions(self) -> Iterator[Probe]:
        raise NotAuthenticated("the credentials have expired", remedy="Log in again.")

    def services(self) -> Iterator[Probe]:
        yield from ()

    quotas = names = services


def test_a_question_that_fails_is_unknown_and_the_others_are_asked(opened: Opened) -> None:
    provider = opened.provider
    assert isinstance(provider, Memory)
    provider.preflight = Locked()  # type: ignore[assignment]
    found = [*Platform(opened).doctor()]
    assert [(one.group, one.outcome) for one in found] == [
        ("credentials", Outcome.PASS),
        ("permissions", Outcome.UNKNOWN),
    ]
    assert (found[1].detail, found[1].remedy) == ("the credentials have expired", "Log in again.")


def test_the_tools_that_deploy_are_looked_for() -> None:
    none = [*tool_probes(lambda _: None)]
    assert [one.outcome for one in none] == [Outcome.FAIL, Outcome.UNKNOWN]
    assert all(one.remedy for one in none)
    tofu = [*tool_probes(lambda name: f"/bin/{name}" if name in {"tofu", "cdktn"} else None)]
    assert [(one.outcome, one.detail) for one in tofu] == [
        (Outcome.PASS, "/bin/tofu"),
        (Outcome.PASS, "/bin/cdktn"),
    ]


def test_bootstrap_says_what_it_would_do_and_does_it_once(platform: Platform) -> None:
    assert [one.action for one in platform.bootstrap(dry_run=True)] == ["created"]
    assert [one.action for one in platform.bootstrap()] == ["created"]
    assert [one.action for one in platform.bootstrap()] == ["unchanged"]


def test_what_a_provider_lacks_is_refused_before_it_is_asked(tmp_path: Path, clock: Clock) -> None:
    lacking = {each: Support(SupportLevel.NOT_IMPLEMENTED, "no") for each in Capability}
    bare = Platform(opened_memory(tmp_path, clock, lacking)[0])
    for call in (
        bare.whoami,
        lambda: bare.run("train"),
        lambda: next(bare.runs.list()),
        lambda: bare.runs.logs("x"),
        lambda: bare.runs.cancel("x"),
        lambda: bare.runs.reproduce("x"),
        lambda: next(bare.models.list()),
        lambda: bare.models.promote("churn", 1),
        lambda: bare.models.deploy("churn"),
        lambda: next(bare.endpoints.list()),
        lambda: bare.score("scores", "a", "b"),
        lambda: next(bare.monitors.list()),
        lambda: bare.retrain("churn"),
        bare.bootstrap,
        bare.inventory,
    ):
        with pytest.raises(Unsupported, match=r": not implemented on memory: no$"):
            call()
    with pytest.raises(Unsupported, match="starts runs from the beginning only"):
        bare.runs.resume("x")


class Enduring:
    """Runs that can go on after they failed."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self.submit, self.describe, self.list = runs.submit, runs.describe, runs.list
        self.logs, self.cancel = runs.logs, runs.cancel

    def resume(self, ref: str) -> str:
        return self._runs.describe(ref).ref


def test_where_a_run_can_be_resumed_its_failure_says_how(opened: Opened) -> None:
    provider = opened.provider
    assert isinstance(provider, Memory)
    provider.runs = Enduring(provider.runs)  # type: ignore[assignment]
    platform = Platform(opened)
    with pytest.raises(RunFailed) as error:
        platform.run("train", {"fail": "yes"})
    ref = error.value.ref
    assert str(error.value).endswith(
        f"\n  `scaffolder runs resume {ref}` goes on after the steps that are done, with the code of then."
    )
    assert platform.runs.resume(ref) == ref


def test_a_package_that_an_operation_lacks_is_named_with_the_extra_that_brings_it() -> None:
    with pytest.raises(MissingExtraError, match=r"pip install 'scaffolder\[local\]'"), extra_of("local"):
        raise ModuleNotFoundError("No module named 'mlflow'", name="mlflow")
    with pytest.raises(ModuleNotFoundError), extra_of("local"):
        raise ModuleNotFoundError("a bug of ours", name="scaffolder.operations.lost")
