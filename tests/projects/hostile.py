"""Templates that want out: each is data, with what must be said of it, or what must come of it.

``OUTSIDE`` in a file's text stands for a folder beside the sandbox that no template may touch. Paths are of the
template's folder; those that begin with ``+`` are below the project's folder in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["BOMBS", "CASES", "INSIDE", "OUTSIDE", "SECRET", "STOPPED", "Case"]

OUTSIDE = "@OUTSIDE@"
SECRET = "the-secret-of-this-machine"
"""What the files hold that no template may read."""
INSIDE = "{{ cookiecutter.project_slug }}"
CONTEXT = {"name": "churn", "project_slug": "{{ cookiecutter.name }}"}
HOOK = f"#!/bin/sh\ntouch {OUTSIDE}/hook\n"
PYTHON_HOOK = f"open('{OUTSIDE}/hook', 'w').write('ran')\n"
EXTENSION = f"""\
open('{OUTSIDE}/extension', 'w').write('ran')
from jinja2.ext import Extension
class Evil(Extension):
    pass
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One template. ``refused`` is a part of the message; without it the template renders, to exactly ``rendered``."""

    name: str
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    context: Mapping[str, object] = field(default_factory=lambda: CONTEXT)
    manifest: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
    answers: tuple[str, ...] = ()
    refused: str = ""
    rendered: Mapping[str, str] = field(default_factory=dict)
    executed: bool = False
    """Whether plain cookiecutter would run or write something here: why the case is worth its place."""

    def all_files(self) -> dict[str, str | bytes]:
        """The template's files, by path in its folder."""
        files: dict[str, str | bytes] = {"cookiecutter.json": json.dumps(self.context)}
        if self.manifest:
            files["template.yaml"] = self.manifest
        for path, text in self.files.items():
            files[f"{INSIDE}/{path[1:]}" if path.startswith("+") else path] = text
        return files


def _text(name: str, text: str, refused: str, *, executed: bool = False) -> Case:
    """A template whose one file has this text."""
    return Case(name=name, files={"+a.txt": text}, refused=refused, executed=executed)


MANIFEST = """\
template: 1
name: hostile
version: 1.0.0
title: A hostile one
questions:
  name: {ask: Name, default: churn}
"""

PATHS = (
    Case(
        name="a name that goes up",
        context={**CONTEXT, "__up": "../../../outside/up"},
        files={"+{{ cookiecutter.__up }}.txt": "x"},
        refused="which does not stay in the project's folder",
        executed=True,
    ),
    Case(
        name="a folder that goes up",
        files={"+{{ '..' }}/up.txt": "x"},
        refused="which does not stay in the project's folder",
    ),
    Case(
        name="a name that is absolute",
        context={**CONTEXT, "__absolute": f"{OUTSIDE}/absolute"},
        files={"+{{ cookiecutter.__absolute }}": "x"},
        refused="which does not stay in the project's folder",
        executed=True,
    ),
    Case(
        name="an answer that goes up",
        context={**CONTEXT, "module": "x"},
        files={"+{{ cookiecutter.module }}/a.txt": "x"},
        answers=("--module", "../../escaped"),
        refused="which does not stay in the project's folder",
    ),
    Case(
        name="an answer that is absolute",
        context={**CONTEXT, "module": "x"},
        files={"+{{ cookiecutter.module }}.txt": "x"},
        answers=("--module", f"{OUTSIDE}/answered"),
        refused="which does not stay in the project's folder",
    ),
    Case(
        name="a project's name that goes up",
        context={"name": "../../up", "project_slug": "{{ cookiecutter.name }}"},
        files={"+a.txt": "x"},
        rendered={"a.txt": "x"},
    ),
    Case(
        name="git's own folder",
        files={"+{{ '.git' }}/hooks/post-checkout": HOOK},
        refused="which is in git's own folder",
    ),
    Case(
        name="git's own folder in capitals",
        files={"+.GIT/hooks/post-checkout": HOOK},
        refused="is in git's own folder",
    ),
    Case(
        name="git's own folder by its short name",
        files={"+git~1/config": "x"},
        refused="is in git's own folder",
    ),
    Case(
        name="git's own folder with a letter that nobody sees",
        files={"+.g\u200cit/config": "x"},
        refused="has a character that nobody sees",
    ),
    Case(
        name="git's own folder in wide letters",
        files={"+\uff0egit/config": "x"},
        refused="is in git's own folder",
    ),
    Case(
        name="git's own folder with a point behind it",
        files={"+.git./config": "x"},
        refused="ends with a point",
    ),
    Case(name="a device of Windows", files={"+aux.txt": "x"}, refused="has the name of a device of Windows"),
    Case(
        name="a device of Windows by an answer",
        context={**CONTEXT, "module": "x"},
        files={"+{{ cookiecutter.module }}": "x"},
        answers=("--module", "CON"),
        refused="has the name of a device of Windows",
    ),
    Case(
        name="a stream of NTFS",
        files={"+{{ 'a.txt:stream' }}": "x"},
        refused="has a character that some systems do not take in a name",
    ),
    Case(
        name="a backslash for a separator",
        files={"+{{ '..\\\\up.txt' }}": "x"},
        refused="has a character that some systems do not take in a name",
    ),
    Case(
        name="a point at the end",
        files={"+{{ 'a.txt.' }}": "x"},
        refused="ends with a point",
    ),
    Case(
        name="two names that differ in case only",
        files={"+readme.md": "x", "+{{ 'README' }}.md": "y"},
        refused="are the same file on some systems",
    ),
    Case(
        name="two names that are composed differently",
        files={"+caf\u00e9": "x", "+{{ 'cafe\u0301' }}": "y"},
        refused="are the same file on some systems",
    ),
    Case(
        name="a name with a command for the terminal",
        files={"+{{ 'a\\x1b]0;pwned\\x07' }}.txt": "x"},
        refused="has a character that some systems do not take in a name",
    ),
    Case(
        name="a name that turns the direction of writing",
        files={"+{{ 'a\\u202etxt.exe' }}": "x"},
        refused="has a character that nobody sees",
    ),
    Case(
        name="the record of the project",
        files={"+{{ '.scaffolder-project' }}.json": '{"layers": []}'},
        refused="which is the tool's own to write",
    ),
    Case(
        name="the policies of the project",
        files={"+.scaffolder-policies.yaml": "policies: []"},
        refused="which is the tool's own to write",
    ),
    Case(
        name="two files for one path",
        files={"+{{ 'a' }}": "x", "+{{ 'a' ~ '' }}": "y"},
        refused="renders a twice",
    ),
    Case(
        name="a file for a folder",
        files={"+{{ 'a' }}": "x", "+a/b": "y"},
        refused="is a file and a folder",
    ),
    Case(
        name="two folders for the project",
        files={"+a": "x", "{{ cookiecutter.name }}-too/b": "y"},
        refused="must have one folder named by markup",
    ),
    Case(
        name="no folder for the project", files={"a/b": "x"}, refused="must have one folder named by markup"
    ),
    Case(
        name="folders that go deep",
        files={f"+{'d/' * 40}a": "x"},
        refused="folders deep",
    ),
)

LINKS = (
    Case(
        name="a link to a file",
        files={"+a.txt": "x"},
        links={f"{INSIDE}/secret": f"{OUTSIDE}/secret"},
        refused="symbolic link",
        executed=True,
    ),
    Case(
        name="a link to a folder",
        files={"+a.txt": "x"},
        links={f"{INSIDE}/all": OUTSIDE},
        refused="symbolic link",
    ),
    Case(
        name="a manifest that is a link",
        files={"+a.txt": "x"},
        links={"template.yaml": f"{OUTSIDE}/secret"},
        refused="symbolic link",
    ),
)

CODE = (
    Case(
        name="a hook in the shell",
        files={"+a.txt": "x", "hooks/post_gen_project.sh": HOOK},
        refused="runs code of its own (hooks/post_gen_project.sh)",
        executed=True,
    ),
    Case(
        name="a hook in Python",
        files={"+a.txt": "x", "hooks/pre_gen_project.py": PYTHON_HOOK},
        refused="runs code of its own (hooks/pre_gen_project.py)",
        executed=True,
    ),
    Case(
        name="a hook before the questions",
        files={"+a.txt": "x", "hooks/pre_prompt.py": PYTHON_HOOK},
        refused="runs code of its own (hooks/pre_prompt.py)",
        executed=True,
    ),
    Case(
        name="an extension",
        context={**CONTEXT, "_extensions": ["local_extensions.Evil"]},
        files={"+a.txt": "x", "local_extensions.py": EXTENSION},
        refused="runs code of its own (local_extensions.Evil)",
        executed=True,
    ),
    Case(
        name="a module that nobody names",
        files={"+a.txt": "x", "local_extensions/__init__.py": EXTENSION},
        rendered={"a.txt": "x"},
    ),
    Case(
        name="settings of Jinja that name an extension",
        context={**CONTEXT, "_jinja2_env_vars": {"extensions": ["os.system"]}},
        files={"+a.txt": "x"},
        refused="_jinja2_env_vars has extensions, which a template may not set here",
    ),
    Case(
        name="settings of Jinja that name a loader",
        context={**CONTEXT, "_jinja2_env_vars": {"loader": "x", "finalize": "y"}},
        files={"+a.txt": "x"},
        refused="_jinja2_env_vars has finalize, loader, which a template may not set here",
    ),
    Case(
        name="a template within",
        context={**CONTEXT, "_template": "ext::sh -c id", "templates": {"a": {"path": "../../x"}}},
        files={"+a.txt": "x"},
        rendered={"a.txt": "x"},
    ),
)

SANDBOX = (
    _text(
        "the classes below a text",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "the sandbox refuses this",
    ),
    _text(
        "the globals of a function",
        "{{ cycler.__init__.__globals__.os.popen('touch " + OUTSIDE + "/ran').read() }}",
        "the sandbox refuses this",
        executed=True,
    ),
    _text(
        "an attribute by a filter",
        "{{ ''|attr('__class__')|attr('__mro__') }}",
        "no attribute '__mro__'",
    ),
    _text(
        "an attribute by an item",
        "{{ namespace['__init__']['__globals__'] }}",
        "the sandbox refuses this",
    ),
    _text(
        "an attribute by a name that is put together",
        "{% set u = '_' * 2 %}{{ joiner|attr(u ~ 'init' ~ u)|attr(u ~ 'globals' ~ u) }}",
        "no attribute '__globals__'",
    ),
    _text(
        "a format that looks inside",
        "{{ '{0.__class__.__mro__}'.format('') }}",
        "the sandbox refuses this",
    ),
    _text(
        "a format of a mapping that looks inside",
        "{{ '{a.__class__}'.format_map({'a': ''}) }}",
        "the sandbox refuses this",
    ),
    _text(
        "an attribute by map",
        "{{ ['']|map(attribute='__class__')|join }}",
        "the sandbox refuses this",
    ),
    _text("the template itself", "{{ self.__init__.__globals__ }}", "the sandbox refuses this"),
    _text(
        "a frame of a generator", "{{ ((1,)|map('upper')).gi_frame.f_globals }}", "the sandbox refuses this"
    ),
    _text(
        "a macro's code", "{% macro m() %}{% endmacro %}{{ m.__call__.__func__ }}", "the sandbox refuses this"
    ),
    _text("a text of chance", "{{ lipsum.__globals__ }}", "'lipsum' is undefined"),
    _text("what is given, changed", "{{ cookiecutter.update({'name': 'x'}) }}", "the sandbox refuses this"),
    _text("a file of this machine", "{% include '/etc/passwd' %}", "/etc/passwd"),
    _text("a file above", "{% include '../../../secret' %}", "../../../secret"),
    _text("a file outside, imported", "{% import '" + OUTSIDE + "/secret' as s %}{{ s }}", "secret"),
    _text("a statement that runs", "{% do 1 %}", "unknown tag 'do'"),
    _text("a tag that debugs", "{% debug %}", "unknown tag 'debug'"),
    Case(
        name="code in an answer",
        files={"+a.txt": "{{ cookiecutter.name }}"},
        answers=("--name", "{{ 7 * 7 }}"),
        rendered={"a.txt": "{{ 7 * 7 }}"},
    ),
    Case(
        name="code in a default",
        context={"name": "{{ ''.__class__.__mro__ }}", "project_slug": "x"},
        files={"+a.txt": "{{ cookiecutter.name }}"},
        refused="the sandbox refuses this",
    ),
    Case(
        name="code in a value that is worked out",
        context={**CONTEXT, "__x": "{{ cycler.__init__.__globals__ }}"},
        files={"+a.txt": "x"},
        refused="the sandbox refuses this",
    ),
    Case(
        name="code in a condition",
        manifest=MANIFEST + "  more: {ask: More, type: flag, default: false, when: \"''.__class__\"}\n",
        context={**CONTEXT, "more": False},
        files={"+a.txt": "x"},
        refused="the sandbox refuses this",
    ),
    Case(
        name="code in what to do next",
        manifest=MANIFEST + "next: \"{{ ''.__class__.__mro__ }}\"\n",
        files={"+a.txt": "x"},
        refused="the sandbox refuses this",
    ),
)

WORDS = (
    Case(
        name="what to do next, with a command for the terminal",
        manifest=MANIFEST + "next: \"{{ '\\\\x1b[2J' }}cd {{ folder }}\"\n",
        files={"+a.txt": "x"},
        rendered={"a.txt": "x"},
    ),
    Case(
        name="a question with a command for the terminal",
        manifest=MANIFEST.replace("ask: Name", 'ask: "\\e]0;pwned\\a"'),
        files={"+a.txt": "x"},
        refused="template.yaml:6:15: error[control-character]",
    ),
    Case(
        name="a context with commands for the terminal",
        context={**CONTEXT, "style\x1b[2J": ["\x1b[32mgreen", "blue"]},
        files={"+a.txt": "x"},
        refused="cookiecutter.json",
    ),
    Case(
        name="an error with a command for the terminal",
        files={"+a.txt": "{{ cookiecutter['\\x1b[2J'] }}"},
        refused="has no attribute '\\x1b[2J'",
    ),
    Case(
        name="a name of an option of ours",
        context={**CONTEXT, "defaults": "x", "help": "y", "dry_run": "z"},
        files={"+a.txt": "{{ cookiecutter.defaults }}"},
        rendered={"a.txt": "x"},
    ),
)

SIZES = (
    Case(
        name="too many files",
        files={f"+{number}.txt": "" for number in range(5_001)},
        refused="is too big at",
    ),
    Case(
        name="a file that is too large",
        files={"+a.bin": b"\0" * (5 * 1024 * 1024 + 1)},
        refused="is too big at",
    ),
    Case(
        name="a context that is too large",
        context={**CONTEXT, "_x": "x" * 300_000},
        files={"+a.txt": "x"},
        refused="and may have 262144",
    ),
    Case(
        name="a manifest that is too large",
        manifest=MANIFEST + "# x\n" * 80_000,
        files={"+a.txt": "x"},
        refused="and may have 262144",
    ),
    Case(
        name="a context without an end",
        files={"+a.txt": "x", "cookiecutter.json": "[" * 100_000},
        refused="cookiecutter.json",
    ),
    Case(
        name="a manifest of aliases of aliases",
        manifest=MANIFEST
        + "extra:\n  a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(
            f"  {chr(98 + level)}: &{chr(98 + level)} [{', '.join([f'*{chr(97 + level)}'] * 9)}]\n"
            for level in range(10)
        ),
        files={"+a.txt": "x"},
        refused="alias",
    ),
    Case(
        name="a manifest that makes objects",
        manifest=MANIFEST + f"extra: !!python/object/apply:os.system ['touch {OUTSIDE}/yaml']\n",
        files={"+a.txt": "x"},
        refused="tag",
    ),
)

STOPPED = (
    "becomes more than 5242880 characters",
    "took more than ",
    "calls itself without an end",
    "Range too big",
)
"""What may be said of a bomb: which bound it meets first is the machine's."""

BOMBS = (
    _text("a range of a billion", "{% for i in range(10**9) %}x{% endfor %}", ""),
    _text("a text times a billion", "{{ 'x' * 10**10 }}", ""),
    _text("loops within loops", "{% for a in range(99999) %}" * 4 + "x" + "{% endfor %}" * 4, ""),
    _text("a text in the middle of much", "{{ 'x'|center(10**10) }}", ""),
    _text("a number that is large", "{{ 9 ** (9 ** 9) }}", ""),
    _text("a macro that calls itself", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", ""),
    _text("a format that is wide", "{{ '%10000000000d' % 1 }}", ""),
    _text("a text that indents much", "{{ ('x\n' * 1000)|indent(10**8) }}", ""),
    _text(
        "a list that grows",
        "{% set n = namespace(x=[1]) %}{% for i in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}",
        "",
    ),
    _text("brackets without an end", "{{ " + "(" * 5_000 + ")" * 5_000 + " }}", ""),
    _text("a text of chance that is long", "{{ random_ascii_string(10**9) }}", ""),
    _text("a file that includes itself", "{% include 'a.txt' %}", ""),
    Case(
        name="an expression of letters that never ends",
        manifest=MANIFEST.replace(
            "default: churn", "default: churn, pattern: '(a|a?)+b', says: words, longest: 999"
        ),
        context=CONTEXT,
        files={"+a.txt": "x"},
        answers=("--name", "a" * 60),
    ),
    Case(
        name="a condition that never ends",
        manifest=MANIFEST + '  more: {ask: More, type: flag, default: false, when: "9 ** (9 ** 9) > 1"}\n',
        context={**CONTEXT, "more": False},
        files={"+a.txt": "x"},
    ),
    Case(
        name="a default that never ends",
        context={
            "name": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}x",
            "project_slug": "x",
        },
        files={"+a.txt": "x"},
    ),
    Case(
        name="what to do next that never ends",
        manifest=MANIFEST
        + 'next: "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"\n',
        files={"+a.txt": "x"},
    ),
)

CASES = (*PATHS, *LINKS, *CODE, *SANDBOX, *WORDS, *SIZES)
