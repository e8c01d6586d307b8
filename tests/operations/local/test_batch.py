"""Scoring jobs of this machine: every row once, in files that are whole, whatever happens to the job's process."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from scaffolder.operations.errors import InvalidRequest, NotFound
from scaffolder.operations.local.batch import LocalBatch
from scaffolder.operations.values import FINISHED, BatchJob, BatchRequest, RunState
from tests.operations.local.serving import Project, until

LINES = """
import csv, io, os, time
from pathlib import Path

def load(folder):
    return folder

def predict(model, body, content_type):
    rows = [*csv.DictReader(io.StringIO(body.decode()))]
    {each}
    return "".join(f"{{row['tenure']}}!\\n" for row in rows).encode(), "text/csv"
"""


class Jobs:
    """The project's jobs, with rows to score in files ``a.csv`` and ``b/c.csv``."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.batch = LocalBatch(project.opening, project.layout)
        self._made = 0

    def request(self, version: int, **files: str) -> BatchRequest:
        self._made += 1
        source = self.project.folder / f"rows-{self._made}"
        for name, text in files.items():
            place = source / f"{name.replace('__', '/')}.csv"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        return BatchRequest(
            endpoint="scores",
            model="churn",
            version=version,
            input_uri=source.name,
            output_uri=f"scores:{self._made}",
            token=f"job {self._made}",
        )

    def output(self, request: BatchRequest, name: str) -> Path:
        return self.project.folder / ".scaffolder/buckets" / request.output_uri.replace(":", "/") / name

    def ended(self, ref: str) -> BatchJob:
        until(lambda: self.batch.describe(ref).state in FINISHED, f"{ref} has ended")
        return self.batch.describe(ref)

    def folder(self, ref: str) -> Path:
        return self.project.layout.batch / ref


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Jobs:
    return Jobs(Project(tmp_path_factory.mktemp("project")))


def _rows(*tenures: object) -> str:
    return "tenure,charge\n" + "".join(f"{tenure},1\n" for tenure in tenures)


def test_every_file_below_a_folder_is_scored_into_one_beside_a_summary(jobs: Jobs) -> None:
    request = jobs.request(jobs.project.version(), a=_rows(3, 50), b__c=_rows(60), _meta="no rows")
    job = jobs.ended(jobs.batch.submit(request))
    assert (job.state, job.error, job.output_uri) == (RunState.SUCCEEDED, "", request.output_uri)
    assert jobs.output(request, "a.csv.out").read_text() == "1\n0\n"
    assert jobs.output(request, "b/c.csv.out").read_text() == "0\n"
    summary = json.loads(jobs.output(request, "summary.json").read_text())
    assert (summary["rows"], summary["errors"]) == (3, 0)
    assert summary["files"] == {"a.csv": {"rows": 2, "errors": 0}, "b/c.csv": {"rows": 1, "errors": 0}}


def test_rows_that_the_model_refuses_keep_their_line_and_are_counted(jobs: Jobs) -> None:
    request = jobs.request(jobs.project.version(), a=_rows(3, "many", 50))
    assert jobs.ended(jobs.batch.submit(request)).state is RunState.SUCCEEDED
    assert jobs.output(request, "a.csv.out").read_text() == "1\n\n0\n"
    summary = json.loads(jobs.output(request, "summary.json").read_text())
    assert (summary["rows"], summary["errors"]) == (3, 1)
    assert summary["first_errors"][0].startswith("a.csv, row 2: the model refuses the request: ValueError")


def test_a_file_of_many_rows_is_scored_in_chunks(jobs: Jobs) -> None:
    counting = LINES.format(each="assert len(rows) <= 5000")
    request = jobs.request(jobs.project.version(serve=counting), a=_rows(*range(12_001)))
    assert jobs.ended(jobs.batch.submit(request)).error == ""
    assert jobs.output(request, "a.csv.out").read_text() == "".join(f"{row}!\n" for row in range(12_001))


def test_a_job_that_scores_nothing_has_failed_and_says_why(jobs: Jobs) -> None:
    empty = jobs.request(jobs.project.version(), a=_rows("many"))
    job = jobs.ended(jobs.batch.submit(empty))
    assert job.state is RunState.FAILED
    assert "the model refused every row: a.csv, row 1: " in job.error
    broken = jobs.request(jobs.project.version(serve="def load(folder): ..."), a=_rows(1))
    job = jobs.ended(jobs.batch.submit(broken))
    assert (job.state, job.error) == (RunState.FAILED, "ModelError: serve.py has no function predict")


def test_a_killed_job_is_seen_and_goes_on_where_it_was_when_submitted_again(jobs: Jobs) -> None:
    flag = jobs.project.folder / "go-on"
    waits = LINES.format(
        each=f"""
    seen = Path({str(flag.parent)!r}) / f"seen-{{rows[0]['tenure']}}"
    seen.write_text(seen.read_text() + "x" if seen.exists() else "x")
    while rows[0]["tenure"] == "2" and not Path({str(flag)!r}).exists():
        time.sleep(0.02)"""
    )
    request = jobs.request(jobs.project.version(serve=waits), a=_rows(1), b=_rows(2))
    ref = jobs.batch.submit(request)
    seen = flag.parent / "seen-2"
    until(lambda: seen.exists() and seen.read_text() == "x", "it is at the second file")
    assert jobs.batch.describe(ref).state is RunState.RUNNING
    assert jobs.batch.submit(request) == ref
    _kill(jobs, ref)
    job = jobs.batch.describe(ref)
    assert (job.state, job.native_state) == (RunState.FAILED, "died")
    assert "Submit it again" in job.error
    assert not jobs.output(request, "b.csv.out").exists()
    flag.touch()
    assert jobs.batch.submit(request) == ref
    assert jobs.ended(ref).state is RunState.SUCCEEDED
    assert jobs.output(request, "b.csv.out").read_text() == "2!\n"
    assert ((flag.parent / "seen-1").read_text(), seen.read_text()) == ("x", "xx")


def test_a_job_stops_after_the_rows_it_is_at(jobs: Jobs) -> None:
    flag = jobs.project.folder / "cancelled"
    waits = LINES.format(
        each=f"""
    while rows[0]["tenure"] != "0" and not Path({str(flag)!r}).exists():
        time.sleep(0.02)"""
    )
    request = jobs.request(
        jobs.project.version(serve=waits), **{f"f{number}": _rows(number) for number in range(5)}
    )
    ref = jobs.batch.submit(request)
    until(jobs.output(request, "f0.csv.out").exists, "it has begun")
    jobs.batch.cancel(ref)
    assert jobs.batch.describe(ref).state is RunState.STOPPING
    flag.touch()
    job = jobs.ended(ref)
    assert job.state is RunState.STOPPED
    assert not jobs.output(request, "f4.csv.out").exists()
    assert job.ended is not None
    assert jobs.batch.submit(request) == ref
    assert jobs.batch.describe(ref) == job


def test_jobs_that_cannot_be_are_refused(jobs: Jobs) -> None:
    request = jobs.request(jobs.project.version(), a=_rows(1))
    with pytest.raises(InvalidRequest, match="is inside of what is scored"):
        jobs.batch.submit(_with(request, output_uri=f"{request.input_uri}/scored"))
    with pytest.raises(NotFound, match="nothing to score at nowhere"):
        jobs.batch.submit(_with(request, input_uri="nowhere"))
    with pytest.raises(NotFound, match="no scoring job"):
        jobs.batch.describe("scores/../..")


def _with(request: BatchRequest, *, input_uri: str = "", output_uri: str = "") -> BatchRequest:
    return BatchRequest(
        endpoint=request.endpoint,
        model=request.model,
        version=request.version,
        input_uri=input_uri or request.input_uri,
        output_uri=output_uri or request.output_uri,
        token="refused",
    )


def _kill(jobs: Jobs, ref: str) -> None:
    """Kill the job's process, found by the folder in its command line."""
    wanted = os.fsencode(jobs.folder(ref))
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            if wanted in each.read_bytes().split(b"\0"):
                os.kill(int(each.parent.name), signal.SIGKILL)
                found.append(each)
    assert found
    until(lambda: jobs.batch.describe(ref).state in FINISHED, "it is dead")
