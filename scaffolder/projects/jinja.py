"""The Jinja that templates are rendered with: cookiecutter's, in Jinja's sandbox, with chance and time as given.

A template's text reaches no attribute that is not data, changes nothing that it is given and reads no file. May not
know a project's files.
"""

from __future__ import annotations

import json
import random
import re
import string
import uuid
from collections.abc import Iterable, Mapping
from functools import cached_property
from types import CodeType
from typing import Any, Final

from jinja2 import FunctionLoader, StrictUndefined, TemplateNotFound, TemplateSyntaxError
from jinja2 import TemplateError as JinjaError
from jinja2.exceptions import SecurityError
from jinja2.loaders import split_template_path
from jinja2.sandbox import ImmutableSandboxedEnvironment

from scaffolder.errors import TemplateError
from scaffolder.projects.tree import shown_path
from stacks.record import record

__all__ = ["NO_CHANCE", "Chance", "Jinja"]

SETTINGS: Final = frozenset(
    {
        *("block_start_string", "block_end_string", "variable_start_string", "variable_end_string"),
        *("comment_start_string", "comment_end_string", "line_statement_prefix", "line_comment_prefix"),
        *("trim_blocks", "lstrip_blocks"),
    }
)
"""What ``_jinja2_env_vars`` of a template may set."""

MOST_COMPILED: Final = 8 * 1024 * 1024
"""Characters of sources whose compiled forms are kept in one process."""

MARKUP: Final = {"block_start_string": "{%", "variable_start_string": "{{", "comment_start_string": "{#"}


@record
class Chance:
    """What a project remembers, so that it can be rendered again: a seed and a moment (ISO 8601, UTC)."""

    seed: str = ""
    moment: str = ""


NO_CHANCE = Chance()


class Jinja:
    """One template's Jinja. ``sources`` are the files that it may include or import.

    What a text draws follows from the seed and its place (``where``): other texts may come, go and draw, and it gets the
    same again. Without a seed or a moment, what asks for one is refused.
    """

    def __init__(
        self, settings: Mapping[str, object], sources: Mapping[str, str], chance: Chance = NO_CHANCE
    ) -> None:
        unknown = sorted(settings.keys() - SETTINGS)
        if unknown:
            raise TemplateError(
                f"_jinja2_env_vars has {', '.join(unknown)}, which a template may not set here"
            )
        self._settings = settings
        self._kind = repr(sorted(settings.items()))
        self._sources = sources
        self._chance = chance
        self._knows_now = False
        start = re.escape(str(settings.get("block_start_string", "{%")))
        line = settings.get("line_statement_prefix")
        self._now = re.compile(r"\bnow\b" if line else rf"{start}[-+]?\s*now\b")
        self._drawn = random.Random()  # noqa: S311 - seeded before each text

    @cached_property
    def environment(self) -> ImmutableSandboxedEnvironment:
        """The environment; made on first use."""
        environment = ImmutableSandboxedEnvironment(
            undefined=StrictUndefined,
            keep_trailing_newline=True,
            loader=FunctionLoader(self._included),
            cache_size=-1,
            auto_reload=False,
            **self._settings,  # names checked above; Jinja refuses the rest
        )
        environment.filters["jsonify"] = _jsonify
        environment.filters["slugify"] = _slugify
        drawing = _Drawing(self._drawn, seeded=bool(self._chance.seed))
        environment.globals["random_ascii_string"] = drawing.text
        environment.globals["uuid4"] = drawing.uuid
        environment.filters["random"] = drawing.one_of
        environment.globals.pop("lipsum", None)  # draws of its own
        if any(self._now.search(source) for source in self._sources.values()):
            _know_now(environment, self._chance.moment)
            self._knows_now = True
        return environment

    def _included(self, name: str) -> str | None:
        try:
            return self._sources.get("/".join(split_template_path(name)))
        except TemplateNotFound:  # it leads out of the template
            return None

    def _knowing(self, source: str) -> ImmutableSandboxedEnvironment:
        """The environment, with the tag ``now`` before the first text that may have it: it is slow to import."""
        environment = self.environment
        if not self._knows_now and self._now.search(source):
            _know_now(environment, self._chance.moment)
            self._knows_now = True
        return environment

    def has_markup(self, source: str) -> bool:
        """Whether rendering a text could change it."""
        settings = {**MARKUP, **self._settings}
        return any(isinstance(start, str) and start in source for start in settings.values() if start)

    def text(self, source: str, context: Mapping[str, object], where: str, most: int) -> str:
        """Render a text; ``where`` is its file in messages, ``most`` the number of characters that it may become.

        Raises:
            TemplateError: it is no Jinja, asks for what is not there, or does what the sandbox refuses.
        """
        try:
            environment = self._knowing(source)
            self._drawn.seed(f"{self._chance.seed} {where}")
            template = environment.template_class.from_code(
                environment, self._compiled(environment, source), environment.make_globals(None)
            )
            pieces: list[str] = []
            size = 0
            for piece in template.generate(context):
                pieces.append(piece)
                size += len(piece)
                if size > most:
                    raise TemplateError(f"{shown_path(where)} becomes more than {most} characters")
            return "".join(pieces)
        except TemplateSyntaxError as error:
            raise TemplateError(f"{shown_path(where)}:{error.lineno}: {_first(error)}") from error
        except SecurityError as error:
            raise TemplateError(
                f"{shown_path(where)}{_line_of(error)}: the sandbox refuses this: {_first(error)}"
            ) from error
        except JinjaError as error:
            raise TemplateError(f"{shown_path(where)}{_line_of(error)}: {_first(error)}") from error
        except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise TemplateError(f"{shown_path(where)}{_line_of(error)}: {_first(error)}") from error

    def _compiled(self, environment: ImmutableSandboxedEnvironment, source: str) -> CodeType:
        """A text compiled, which takes most of the time: once, if two versions of a template have it.

        With a seed, Jinja may draw while it compiles, and what is drawn after that would not be the same again.
        """
        if self._chance.seed:
            return environment.compile(source)
        key = (self._kind, self._knows_now, source)
        code = _COMPILED.get(key)
        if code is None:
            code = environment.compile(source)
            if sum(len(known[-1]) for known in _COMPILED) > MOST_COMPILED:
                _COMPILED.clear()
            _COMPILED[key] = code
        return code

    def truth(self, expression: str, context: Mapping[str, object], where: str) -> bool:
        """Evaluate a condition.

        Raises:
            TemplateError: as :meth:`text`.
        """
        told = self.text(f"{{{{ 1 if ({expression}) else 0 }}}}", context, where, 10)
        return told == "1"


_COMPILED: dict[tuple[str, bool, str], CodeType] = {}


def _first(error: Exception) -> str:
    """An error's text, which a template may have steered, in one line that is safe to show."""
    return shown_path((str(error).splitlines() or [type(error).__name__])[0])


def _line_of(error: BaseException) -> str:
    """The line in the template where an error was raised; Jinja makes its frames look like the template's."""
    trace = error.__traceback__
    line = 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return f":{line}" if line else ""


def _jsonify(value: object, indent: int = 4) -> str:
    return json.dumps(value, sort_keys=True, indent=indent)


def _slugify(value: str, *arguments: Any, **options: Any) -> str:
    from slugify import slugify  # noqa: PLC0415 - few templates use it

    slug: str = slugify(value, *arguments, **options)
    return slug


class _Drawing:
    """Cookiecutter's random texts and Jinja's choice, drawn from a seed."""

    def __init__(self, drawn: random.Random, *, seeded: bool) -> None:
        self._drawn = drawn
        self._seeded = seeded

    def _draw(self) -> random.Random:
        if not self._seeded:
            raise ValueError("something random is not to be had here: the project could not be made again")
        return self._drawn

    def one_of(self, items: Iterable[object]) -> object:
        return self._draw().choice(list(items))

    def text(self, length: int, punctuation: bool = False) -> str:  # noqa: FBT001, FBT002 - cookiecutter's own
        letters = string.ascii_letters + (string.punctuation if punctuation else "")
        drawn = self._draw()
        return "".join(drawn.choice(letters) for _ in range(length))

    def uuid(self) -> str:
        return str(uuid.UUID(int=self._draw().getrandbits(128), version=4))


def _know_now(environment: ImmutableSandboxedEnvironment, moment: str) -> None:
    """Know the tag ``now``, of cookiecutter's own extension, at a given moment."""
    import arrow  # noqa: PLC0415 - comes with cookiecutter; slow, and few templates ask for the time
    from cookiecutter.extensions import TimeExtension  # noqa: PLC0415

    class Moment(TimeExtension):  # type: ignore[misc]  # cookiecutter has no types
        def _at(self, timezone: str) -> Any:
            if not moment:
                raise ValueError("the time is not to be had here: the project could not be made again")
            return arrow.get(moment).to(timezone)

        def _now(self, timezone: str, datetime_format: str | None) -> str:
            return str(self._at(timezone).strftime(datetime_format or self.environment.datetime_format))

        def _datetime(self, timezone: str, operator: str, offset: str, datetime_format: str | None) -> str:
            shifts = (part.split("=") for part in offset.split(","))
            moved = self._at(timezone).shift(
                **{name.strip(): float(operator + by.strip()) for name, by in shifts}
            )
            return str(moved.strftime(datetime_format or self.environment.datetime_format))

    environment.add_extension(Moment)
