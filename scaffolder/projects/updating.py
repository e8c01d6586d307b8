"""Plans what a newer template, other answers or one more template make of a project; git merges it with its owners' work.

A plan is two trees: the project as its record says that it was rendered, and as it would be rendered now. May not
touch the project: :mod:`scaffolder.projects.merge` compares with it, :mod:`scaffolder.projects.applying` writes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from types import MappingProxyType

from scaffolder.errors import TemplateError, UsageError
from scaffolder.policies.place import POLICY_FILE
from scaffolder.projects.answering import Given, unknown_question
from scaffolder.projects.catalog import Catalog, default_version, deprecation_of, release_of
from scaffolder.projects.choosing import Chosen, Trust, kept_policies, opened_part
from scaffolder.projects.jinja import NO_CHANCE, Chance
from scaffolder.projects.layers import (
    Ask,
    Planned,
    Planning,
    answers_for,
    names_of,
    plan_layers,
    render_layers,
    render_versions,
    replanned,
    words_of,
)
from scaffolder.projects.making import chance_now, check_spec, recorded, recorded_place, slug_of, tool_files
from scaffolder.projects.manifest import MigrationSpec
from scaffolder.projects.record import RECORD, Layer, Record, read_record
from scaffolder.projects.rendering import runs_something
from scaffolder.projects.sources import (
    CatalogEntry,
    Source,
    latest,
    open_catalog,
    open_template,
    parse_source,
)
from scaffolder.projects.spelling import catalog_place
from scaffolder.projects.template import Template
from scaffolder.projects.tree import EMPTY, File, Tree, union
from scaffolder.projects.versions import Version, parse_version
from stacks.record import record

__all__ = ["Plan", "Step", "Wish", "plan_addition", "plan_update"]

Say = Callable[[str], None]


@record
class Wish:
    """What a person asks of an update. ``to`` is a version of the project's first template, empty for the newest."""

    to: str = ""
    given: Mapping[str, Given] = field(default_factory=dict)
    ask: Ask | None = None
    catalog: str = ""
    trust: bool = False


@record
class Step:
    """What becomes of one layer; ``before`` or ``after`` is empty where it comes or goes. ``says`` are migrations' words."""

    template: str
    before: str
    after: str
    says: tuple[str, ...] = ()


@record
class Plan:
    """The project as it was rendered, as it would be rendered now, and which of its paths are called otherwise."""

    project: Path
    before: Record | None
    after: Record
    steps: tuple[Step, ...]
    layers: tuple[Planned, ...]
    base: Tree
    new: Tree
    renames: Mapping[str, str]
    own: int
    """How many of ``layers``, at the end, are new in the project."""
    deprecated: tuple[str, ...] = ()
    """What the catalog says of versions that the project has and should leave."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing would change, whatever the owners did."""
        return dict(self.base) == dict(self.new)

    @property
    def label(self) -> str:
        """What conflict markers call the new side."""
        return " and ".join(f"{step.template} {step.after}" for step in self.steps if step.after) or "update"


def plan_update(project: Path, wish: Wish, version: str, say: Say) -> Plan:
    """Plan an update of a project to its templates' newest versions, or to other answers.

    Raises:
        TemplateError: the record or a template is not there or not right, or what it runs is not trusted.
        UsageError: answers do not fit, or there is no such version.
    """
    before = read_record(project)
    place = _place(wish, before, project)
    published = open_catalog(place, say=say) if place else None
    # The catalog that only the record names answers for nothing: who wrote the record would.
    trust = Trust(always=wish.trust, place=place if wish.catalog else "")
    opened = _Opened(project, say)
    layers: list[Planned] = []
    renames: dict[str, str] = {}
    steps: list[Step] = []
    groups = tuple(_groups(before.layers))
    sources = [parse_source(group[0].source, base=project) for group in groups]
    targets = [
        _target(source, group[0], wish.to if number == 0 else "", published, say)
        for number, (group, source) in enumerate(zip(groups, sources, strict=True))
    ]
    there = frozenset(template.name for template in targets)
    _refuse_unknown(wish, sources, targets, there)
    deprecated: list[str] = []
    for group, source, template in zip(groups, sources, targets, strict=True):
        deprecated += _deprecated(group[0], source, published)
        _warn_of_parts(template, there - {template.name}, wish, say)
    for group, source, template in zip(groups, sources, targets, strict=True):
        around = _Around(source=source, wish=wish, trust=trust, slug=before.project, there=there)
        planned = _replan(group, template, around)
        told, moved = _compared(group, planned)
        steps += told
        renames |= moved
        layers += planned
    for words in deprecated:
        say(words)
    policies, policy_file = kept_policies(published)
    after = Record(
        project=before.project,
        scaffolder_version=version,
        layers=tuple(recorded(layer, project) for layer in layers),
        catalog=recorded_place(place, project) if wish.catalog else before.catalog,
        policies=policies,
    )
    base, new = _tool_files_now(project), tool_files(after, policy_file)
    if not _renders_the_same(before, after):
        old = [layer for group in groups for layer in _as_they_were(group, opened, before.project, trust)]
        was, now = render_versions(((old, before.scaffolder_version), (layers, version)), before.project)
        base, new = union((was, base)), union((now, new))
        check_spec(new)
    return Plan(
        project=project,
        before=before,
        after=after,
        steps=tuple(steps),
        layers=tuple(layers),
        base=base,
        new=new,
        renames=MappingProxyType({old: new for old, new in renames.items() if old != new}),
        own=0,
        deprecated=tuple(deprecated),
    )


def _place(wish: Wish, before: Record, project: Path) -> str:
    """Where the catalog is: a path that the user names is seen from here, one of the record from the project."""
    if wish.catalog:
        return catalog_place(wish.catalog)
    return catalog_place(before.catalog, project) if before.catalog else ""


def plan_addition(
    project: Path, chosen: Chosen, *, version: str, given: Mapping[str, Given], ask: Ask | None, say: Say
) -> Plan:
    """Plan one more template in a project, or the first in a repository that has none.

    Raises:
        UsageError: the project has that template, or answers do not fit.
        TemplateError: a template is not there or not right.
    """
    before = read_record(project) if (project / RECORD).is_file() else None
    name = chosen.template.name
    if before is not None and any(layer.template == name for layer in before.layers):
        raise UsageError(
            f"the project has the template {name} already. `scaffolder update` brings its newest version, and other "
            f"answers: scaffolder update --set NAME=VALUE"
        )
    slug = before.project if before else slug_of(project)
    opened = _Opened(project, say)
    old = [replanned(opened.layer(layer), layer, slug) for layer in before.layers] if before else []
    known: dict[str, Given] = {}
    for layer in before.layers if before else ():
        known |= layer.answers
    for planned in old:
        known |= answers_for(planned, name)
    planning = Planning(
        open_part=opened_part(chosen),
        chance_of=lambda _template: chance_now(),
        slug=slug,
        there=frozenset(layer.template.name for layer in old),
        suggested=chosen.defaults,
        ask=ask,
    )
    added = plan_layers(chosen.template, planning, given, known, trusted=chosen.trust.over(chosen.template))
    rendered_by = before.scaffolder_version if before else version
    after = Record(
        project=slug,
        scaffolder_version=rendered_by,
        layers=(*(before.layers if before else ()), *(recorded(layer, project) for layer in added)),
        catalog=(before.catalog if before else "") or recorded_place(chosen.catalog, project),
        policies=chosen.policies or (before.policies if before else None),
    )
    # What runs something is not run again for this; where it made a file that the new template has, git has two.
    there = render_layers([layer for layer in old if not runs_something(layer.template)], slug, rendered_by)
    policy_file = chosen.policy_file or _content(project / POLICY_FILE)
    more = render_layers(added, slug, rendered_by)
    _refuse_clashes(name, there, more)
    new = union((there, more, tool_files(after, policy_file)))
    check_spec(new)
    steps = tuple(
        Step(template=layer.template.name, before="", after=layer.template.version) for layer in added
    )
    return Plan(
        project=project,
        before=before,
        after=after,
        steps=steps,
        layers=(*old, *added),
        base=union((there, _tool_files_now(project))),
        new=new,
        renames=MappingProxyType({}),
        own=len(added),
    )


def _renders_the_same(before: Record, after: Record) -> bool:
    """Whether two records are of the same files: the same templates to the byte, with the same answers.

    Many of the projects that `status` asks about are so, and nothing of them need be rendered.
    """
    known = all(layer.digest for layer in before.layers)
    return known and before.layers == after.layers and before.scaffolder_version == after.scaffolder_version


def _refuse_clashes(name: str, there: Tree, more: Tree) -> None:
    """Two templates that want the same file are two projects: neither's file may take the other's place."""
    clashes = sorted(path for path in there.keys() & more.keys() if there[path] != more[path])
    if clashes:
        some = ", ".join(clashes[:4]) + (f" and {len(clashes) - 4} more" if len(clashes) > 4 else "")
        raise UsageError(
            f"the template {name} and the project's own want the same files: {some}. Make it a project in a folder of its "
            f"own, beside this one's files: scaffolder new {name} FOLDER. `update` and `status` know both."
        )


def _tool_files_now(project: Path) -> Tree:
    """The files of this program in a project, as they are: nobody else writes them, so the new ones take their place."""
    found = {name: _content(project / name) for name in (RECORD, POLICY_FILE)}
    files = {name: File(content=content) for name, content in found.items() if content}
    return MappingProxyType(files) if files else EMPTY


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _groups(layers: Sequence[Layer]) -> Iterator[tuple[Layer, ...]]:
    """A template with the parts that came with it, for each template of the project."""
    group: list[Layer] = []
    for layer in layers:
        if group and not layer.part:
            yield tuple(group)
            group = []
        group.append(layer)
    if group:
        yield tuple(group)


class _Opened:
    """Opens templates as the record has them."""

    def __init__(self, project: Path, say: Say) -> None:
        self._project = project
        self._say = say

    def layer(self, layer: Layer) -> Template:
        """A layer's template, exactly as it was."""
        source = parse_source(layer.source, base=self._project)
        return open_template(
            source, version=layer.version, commit=layer.commit, digest=layer.digest, say=self._say
        )


def _target(source: Source, layer: Layer, to: str, published: Catalog | None, say: Say) -> Template:
    """The template at the version that an update goes to."""
    now = parse_version(layer.version)
    if to:
        return open_template(source, version=to, say=say)
    if isinstance(source, CatalogEntry) and published is not None:
        entry = published.templates.get(source.name)
        wanted = default_version(entry) if entry else ""
        template = open_template(source, version=wanted, say=say)
        release_of(published, source.name, template.version)
        instead = deprecation_of(entry, template.version) if entry else ""
        if instead and template.version != layer.version:  # else it is said of the project
            say(f"warning: {source.name} {template.version} is deprecated by {published.name}: {instead}")
        return template
    newest = latest(source, say=say)
    if newest is not None and now is not None and newest < now:
        return open_template(source, version=layer.version, commit=layer.commit, say=say)
    return open_template(source, say=say)


def _refuse_unknown(
    wish: Wish, sources: Sequence[Source], targets: Sequence[Template], there: frozenset[str]
) -> None:
    """Refuse answers that no template of the project asks for."""
    names: dict[str, None] = {}
    for source, template in zip(sources, targets, strict=True):
        names |= dict.fromkeys(_names(source, template, there))
    wrong = [unknown_question(name, tuple(names)) for name in wish.given if name not in names]
    if wrong:
        raise UsageError("\n".join(wrong))


def _deprecated(layer: Layer, source: Source, published: Catalog | None) -> list[str]:
    """What to say where the project's version should be left, as its catalog has it."""
    if published is None or not isinstance(source, CatalogEntry):
        return []
    entry = published.templates.get(source.name)
    instead = deprecation_of(entry, layer.version) if entry else ""
    told = (
        f"warning: the project has {source.name} {layer.version}, deprecated by {published.name}: {instead}"
    )
    return [told] if instead else []


def _warn_of_parts(template: Template, there: frozenset[str], wish: Wish, say: Say) -> None:
    """Say where an answer chooses a part that the project has as a template of its own: that one's answers count."""
    for part in template.manifest.parts:
        if part.template not in there:
            continue
        for name in wish.given:
            if re.search(rf"\b{re.escape(name)}\b", part.when):
                say(
                    f"warning: {name} of {template.name} chooses its part {part.template}, which this project has as a "
                    f"template of its own: --set with an answer of {part.template} changes that "
                    f"(scaffolder templates show {part.template})"
                )


def _names(source: Source, template: Template, there: frozenset[str]) -> tuple[str, ...]:
    opening = opened_part(Chosen(source=source, template=template))
    return names_of(template, Planning(open_part=opening, chance_of=lambda _template: NO_CHANCE, there=there))


def _as_they_were(group: Sequence[Layer], opened: _Opened, slug: str, trust: Trust) -> Iterator[Planned]:
    """The layers of a group as the record has them."""
    templates = [opened.layer(layer) for layer in group]
    trusted = trust.over(templates[0])
    for template, layer in zip(templates, group, strict=True):
        yield replace(replanned(template, layer, slug), trusted=trusted(template))


@record
class _Around:
    """What one group of layers is planned with."""

    source: Source
    wish: Wish
    trust: Trust
    slug: str
    there: frozenset[str]


def _replan(group: Sequence[Layer], template: Template, around: _Around) -> tuple[Planned, ...]:
    """Plan a group anew, with its recorded answers as its template's migrations leave them."""
    by_name = {layer.template: layer for layer in group}
    found = Chosen(source=around.source, template=template, trust=around.trust)
    planning = Planning(
        open_part=opened_part(found),
        chance_of=lambda each: _chance(by_name.get(each.name)),
        slug=around.slug,
        there=around.there - {template.name},
        ask=around.wish.ask,
        recorded_of=lambda part: _migrated(part, by_name[part.name]) if part.name in by_name else {},
    )
    recorded = _migrated(template, group[0])
    names = _names(around.source, template, planning.there)
    given = {name: value for name, value in around.wish.given.items() if name in names}
    trusted = around.trust.over(template)
    return plan_layers(template, planning, given, {}, recorded=recorded, trusted=trusted)


def _chance(layer: Layer | None) -> Chance:
    """A layer's chance, for ever; what asks for one only now, or is new, gets one now."""
    return layer.chance if layer is not None and layer.chance != NO_CHANCE else chance_now()


def _between(template: Template, before: str) -> Iterator[MigrationSpec]:
    """The migrations of a template that a project at a version has not seen."""
    at = parse_version(before)
    for migration in template.manifest.migrations:
        if at is None or Version(text=migration.to) > at:
            yield migration


def _migrated(template: Template, layer: Layer) -> Mapping[str, Given]:
    """A layer's answers under their new names."""
    answers: dict[str, Given] = dict(layer.answers)
    for migration in _between(template, layer.version):
        before = dict(answers)
        for old, new in migration.answers.rename.items():
            if old in answers:
                answers[new] = answers.pop(old)
        for name, value in migration.answers.set.items():
            answers[name] = words_of(template, value, before) if isinstance(value, str) else value
        for name in migration.answers.drop:
            answers.pop(name, None)
    return answers


def _compared(group: Sequence[Layer], planned: Sequence[Planned]) -> tuple[list[Step], dict[str, str]]:
    """What becomes of each layer of a group, and which paths are called otherwise."""
    steps: list[Step] = []
    renames: dict[str, str] = {}
    now = {layer.template.name: layer for layer in planned}
    for old in group:
        layer = now.get(old.template)
        if layer is None:
            steps.append(Step(template=old.template, before=old.version, after=""))
            continue
        says = []
        was, now_is = {**layer.answers, **old.answers}, {**old.answers, **layer.answers}
        for migration in _between(layer.template, old.version):
            says += [migration.says] if migration.says else []
            moved = {
                words_of(layer.template, path, was): words_of(layer.template, to, now_is)
                for path, to in migration.rename.items()
            }
            renames = _carried(layer.template, renames, moved)
        steps.append(
            Step(template=old.template, before=old.version, after=layer.template.version, says=tuple(says))
        )
    known = {layer.template for layer in group}
    steps += [
        Step(template=layer.template.name, before="", after=layer.template.version)
        for layer in planned
        if layer.template.name not in known
    ]
    return steps, renames


def _carried(template: Template, before: Mapping[str, str], moved: Mapping[str, str]) -> dict[str, str]:
    """Renames after some of earlier migrations, from where the paths of the project's own version are."""
    if not all((*moved, *moved.values())):
        raise TemplateError(f"a migration of the template {template.name} renames an empty path")
    on = dict(moved)
    carried = {first: _placed(then, moved) for first, then in before.items()}
    for then in before.values():
        on.pop(then, None)
    return {**carried, **on}


def _placed(path: str, moved: Mapping[str, str]) -> str:
    """Where a path is after renames of it, or of the nearest folder above it."""
    above = path
    while above and above not in moved:
        above = above.rpartition("/")[0]
    return f"{moved[above]}{path[len(above) :]}" if above else path
