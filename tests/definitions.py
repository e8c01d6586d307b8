"""Pipeline definitions as a property test draws them: what every compiler is held to."""

from __future__ import annotations

from hypothesis import strategies as st

from stacks.pipelines import (
    BucketPath,
    CodeFolder,
    Gate,
    Input,
    Output,
    Parameter,
    PathOf,
    PipelineDefinition,
    Register,
    Run,
    Step,
    StepOutput,
    Template,
    ValueOf,
)

__all__ = ["definitions"]

PARAMETERS = (
    Parameter(name="depth", default=6),
    Parameter(name="floor", default=0.7),
    Parameter(name="day", default='$(rm -rf /) "2026" \\'),
    Parameter(name="deep", default=True),
)
CODE = CodeFolder(path="code", files={"train.py": "print()"}, digest="0123456789abcdef" * 4)
TEXTS = st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=12).filter(
    lambda it: "${{" not in it
)


@st.composite
def definitions(draw: st.DrawFn) -> PipelineDefinition:
    """Up to six steps that take, wait for and stand behind each other in every way."""
    steps: list[Step] = []
    for number in range(draw(st.integers(1, 6))):
        steps.append(draw(_step(f"step-{number}", steps)))
    return PipelineDefinition(description="", parameters=PARAMETERS, steps=tuple(steps), code={"code": CODE})


@st.composite
def _step(draw: st.DrawFn, name: str, before: list[Step]) -> Step:
    after = (
        tuple(draw(st.lists(st.sampled_from([it.name for it in before]), unique=True, max_size=2)))
        if before
        else ()
    )
    return Step(
        name=name,
        action=draw(_action(before)),
        after=after,
        gate=draw(st.none() | _gate(before)) if _outputs(before, "metrics") else None,
        retries=0,
    )


def _outputs(before: list[Step], kind: str | None = None) -> list[StepOutput]:
    return [
        StepOutput(step=step.name, output=name)
        for step in before
        if isinstance(step.action, Run)
        for name, output in step.action.outputs.items()
        if kind in (None, output.kind)
    ]


@st.composite
def _gate(draw: st.DrawFn, before: list[Step]) -> Gate:
    source = draw(st.sampled_from(_outputs(before, "metrics")))
    return Gate(
        step=source.step,
        output=source.output,
        metric="auc",
        comparison=draw(st.sampled_from(["at_least", "at_most"])),
        bound=draw(st.just(0.5) | st.just(ValueOf("floor"))),
        otherwise=draw(st.sampled_from(["skip", "fail"])),
    )


@st.composite
def _action(draw: st.DrawFn, before: list[Step]) -> Run | Register:
    models = _outputs(before, "model")
    registers: bool = draw(st.booleans())
    if models and registers:
        reports = _outputs(before, "metrics")
        return Register(
            model="churn",
            source=draw(st.sampled_from(models)),
            image="serving:1.0.0",
            content_type="text/csv",
            metrics=draw(st.none() | st.sampled_from(reports)) if reports else None,
        )
    place = BucketPath(bucket="data", path=("raw/", ValueOf("depth")))
    sources: list[Input] = [place, *_outputs(before)]
    inputs = draw(
        st.dictionaries(st.sampled_from(["depth", "raw", "metrics"]), st.sampled_from(sources), max_size=3)
    )
    kinds = st.sampled_from(["folder", "model", "metrics"])
    outputs = draw(
        st.dictionaries(
            st.sampled_from(["model", "report", "after_step_0"]),
            st.builds(Output, kind=kinds, place=st.sampled_from([None, place])),
            max_size=3,
        )
    )
    parts: list[st.SearchStrategy[str | ValueOf | PathOf]] = [
        TEXTS,
        st.sampled_from([ValueOf(it.name) for it in PARAMETERS]),
    ]
    if inputs:
        parts.append(st.sampled_from([PathOf("inputs", name) for name in inputs]))
    if outputs:
        parts.append(st.sampled_from([PathOf("outputs", name) for name in outputs]))
    word: st.SearchStrategy[Template] = st.lists(st.one_of(parts), max_size=3).map(_words)
    return Run(
        kind="training",
        image="training:1.0.0",
        command=tuple(draw(st.lists(word, min_size=1, max_size=4))),
        environment=draw(st.dictionaries(st.sampled_from(["DAY", "PATHS"]), word, max_size=2)),
        code=draw(st.sampled_from([None, "code"])),
        inputs=inputs,
        outputs=outputs,
        instance=draw(st.sampled_from([None, "cpu.large"])),
        instances=draw(st.integers(1, 2)),
        volume_gb=30,
        timeout_s=draw(st.integers(60, 7200)),
        cache_s=draw(st.sampled_from([None, 3600])),
        spot=draw(st.booleans()),
    )


def _words(parts: list[str | ValueOf | PathOf]) -> Template:
    return tuple(parts)
