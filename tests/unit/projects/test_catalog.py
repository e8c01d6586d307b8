"""A catalog: what it may say, what is told where it may not, and what is looked up in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaffolder.errors import SpecError, UsageError
from scaffolder.policies.model import Policy, Regions
from scaffolder.projects.catalog import (
    Catalog,
    Release,
    answers_of,
    default_version,
    deprecation_of,
    entry_of,
    parse_catalog,
    read_catalog,
    release_of,
)

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HEAD = "catalog: 1\nname: acme\nowner: platform-team@acme.example\n"
WHOLE = (
    HEAD
    + f"""\
defaults: {{owner: ml-platform, provider: aws, region: eu-west-1, gpu: false, seats: 3}}
templates:
  model:
    title: A model project
    source: git+https://git.acme.example/ml/templates.git#subdirectory=model
    owner: ml-enablement@acme.example
    versions:
      1.2.0: {{commit: {COMMIT}, trust: true}}
      1.10.0: {{commit: {COMMIT[::-1]}}}
      2.0.0-rc.1: {{}}
    deprecated: {{1.2.0: use 1.10.0}}
    defaults: {{framework: sklearn, region: eu-central-1}}
  platform: {{source: builtin:platform}}
  old: {{source: ../old, deprecated: {{"*": use model}}}}
policies:
  - {{name: eu-only, owner: security@acme.example, says: why, allowed_regions: {{aws: [eu-west-1, eu-central-1]}}}}
  - {{name: cost, owner: finops, mandatory_tags: {{cost-center: "[0-9]{{4}}"}}, environments: [prod]}}
"""
)


def catalog(text: str = WHOLE) -> Catalog:
    loaded = parse_catalog(text)
    assert loaded.warnings == ()
    return loaded.catalog


def told(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        parse_catalog(text)
    return str(caught.value)


def test_a_catalog_says_what_a_platform_team_publishes() -> None:
    read = catalog()
    assert (read.name, read.owner, tuple(read.templates)) == (
        "acme",
        "platform-team@acme.example",
        ("model", "platform", "old"),
    )
    assert read.policies == (
        Policy(
            name="eu-only",
            owner="security@acme.example",
            says="why",
            allowed_regions=Regions(aws=("eu-west-1", "eu-central-1")),
        ),
        Policy(
            name="cost", owner="finops", mandatory_tags={"cost-center": "[0-9]{4}"}, environments=("prod",)
        ),
    )
    assert read.templates["model"].versions["1.2.0"] == Release(commit=COMMIT, trust=True)


def test_the_smallest_catalog_is_three_lines() -> None:
    read = catalog(HEAD)
    assert (dict(read.templates), read.policies, dict(read.defaults)) == ({}, (), {})


def test_a_file_and_its_folder_are_the_same_catalog(tmp_path: Path) -> None:
    path = tmp_path / "catalog.yaml"
    path.write_text(WHOLE, encoding="utf-8")
    assert read_catalog(path) == read_catalog(tmp_path)
    assert read_catalog(path).file == str(path)


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"catalog\.yaml:1:1: error\[file\]: there is no such file"):
        read_catalog(tmp_path)


# --- what is told ----------------------------------------------------------------------------------------------------


def test_everything_is_told_at_once_with_the_nearest_match() -> None:
    text = (
        HEAD.replace("owner", "onwer")
        + "templats: {}\npolicies: [{name: a, owner: b, alowed_instances: [x]}]\n"
    )
    assert told(text) == (
        "catalog.yaml:1:1: error[missing]: owner is missing: it must be a team or a mail address: letters, digits, "
        "spaces, _.:/@+=-, 1 to 100 characters\n"
        "catalog.yaml:3:1: error[unknown-key]: onwer is not a key of the catalog; it has catalog, defaults, name, owner, "
        "policies, templates\n"
        '  Did you mean "owner"?\n'
        "catalog.yaml:4:1: error[unknown-key]: templats is not a key of the catalog; it has catalog, defaults, name, "
        "owner, policies, templates\n"
        '  Did you mean "templates"?\n'
        "catalog.yaml:5:32: error[unknown-key]: policies[0].alowed_instances is not a key of policies[0]; it has "
        "allowed_instances, allowed_regions, environments, mandatory_tags, minimum_profiles, name, owner, says\n"
        '  Did you mean "allowed_instances"?'
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "catalog.yaml:1:1: error[no-content]: the file is empty; a catalog starts with catalog: 1"),
        (
            "- a",
            "catalog.yaml:1:1: error[no-mapping]: a catalog is a mapping of keys to values, such as catalog: 1",
        ),
        (
            "a" * (1024 * 1024 + 1),
            "catalog.yaml:1:1: error[size]: the file is larger than 1024 KiB, the limit of a catalog",
        ),
        (
            HEAD + "defaults: {a: !!python/name:os.system x}\n",
            (
                "catalog.yaml:4:15: error[tag]: defaults.a has the tag !!python/name:os.system; a catalog has no tags\n"
                "  Remove the tag; put text in quotes."
            ),
        ),
    ],
    ids=["empty", "list", "large", "tag"],
)
def test_what_is_no_catalog_is_told_so(text: str, said: str) -> None:
    assert told(text) == said


def entry(line: str) -> str:
    return f"{HEAD}templates:\n  model: {line}\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "{source: builtin:model, versions: {1.0.0: {trust: true}}}",
            (
                "5:60: error[trust]: templates.model.versions.1.0.0.trust counts for nothing without a commit: a tag can be "
                "moved to what nobody reviewed\n  Name the commit that was reviewed beside it."
            ),
        ),
        (
            f"{{source: ./model, versions: {{1.0.0: {{commit: {COMMIT}}}}}}}",
            (
                "5:55: error[no-effect]: templates.model.versions.1.0.0.commit changes nothing: only a git source has "
                "commits\n  Remove it, or name a git source."
            ),
        ),
        (
            "{source: builtin:model, versions: {1.0.0: {commit: abc123}}}",
            (
                "5:61: error[value]: templates.model.versions.1.0.0.commit must be a whole commit: 40 hexadecimal digits in "
                'lower case, 40 to 64 characters, not "abc123"'
            ),
        ),
        (
            '{source: "git+https://h.example/o/r.git@v1.0.0", versions: {1.0.0: {}}}',
            (
                '5:19: error[source]: templates.model.source names "v1.0.0", and versions names what may be used instead\n'
                "  Remove the @ and what is after it."
            ),
        ),
        (
            "{source: builtin:model, versions: {1.0.0: {}, 1.1.0: {}}, default: 1.1.1}",
            (
                '5:77: error[unknown-name]: templates.model.default "1.1.1" is not in versions; there is 1.0.0, 1.1.0\n'
                '  Did you mean "1.1.0"?'
            ),
        ),
        (
            "{source: builtin:model, versions: {1.0.0: {}}, deprecated: {9.0.0: no}}",
            (
                "5:77: error[value]: templates.model.deprecated.9.0.0 must be text of 1 to 300 characters, not no: unquoted, "
                'it is false to some YAML readers\n  Put it in quotes: "no"'
            ),
        ),
        (
            "{source: builtin:model, versions: {1.0.0: {}}, deprecated: {9.0.0: gone}}",
            '5:77: error[unknown-name]: templates.model.deprecated.9.0.0 "9.0.0" is not in versions; there is 1.0.0\n  Did you mean "1.0.0"?',
        ),
        (
            "{source: /srv/templates/model}",
            (
                "5:19: error[source]: templates.model.source does not fit: a folder is named as the catalog sees it, such as "
                "./model"
            ),
        ),
        (
            "{source: catalog:model@./other}",
            (
                "5:19: error[source]: templates.model.source does not fit: a catalog takes no template of another catalog; "
                "name the template's own source"
            ),
        ),
        (
            "{source: --upload-pack=x}",
            (
                '5:19: error[source]: templates.model.source does not fit: the source "--upload-pack=x" looks like an option; '
                "a folder of that name is ./--upload-pack=x"
            ),
        ),
    ],
    ids=[
        *(
            "trust",
            "commit-of-folder",
            "short-commit",
            "ref-and-versions",
            "default",
            "yaml-no",
            "deprecated",
        ),
        *("absolute", "other-catalog", "option"),
    ],
)
def test_an_entry_that_does_not_fit_is_told(line: str, said: str) -> None:
    assert told(entry(line)) == f"catalog.yaml:{said}"


@pytest.mark.parametrize(
    "source",
    [
        *(
            "git+https://u:p@h.example/o/r.git",
            "ext::sh -c x",
            "git+http://h.example/o/r.git",
            "git+https://h.example",
        ),
        *("-x", "no such thing", "https://h.example/x.zip"),
    ],
)
def test_a_source_that_is_never_let_through_is_refused_in_a_catalog_too(source: str) -> None:
    assert "error[source]: templates.model.source does not fit: " in told(entry(f'{{source: "{source}"}}'))


def test_a_secret_has_no_place_in_a_catalog() -> None:
    said = told(HEAD + f"defaults: {{token: AKIA{'IOSFODNN7EXAMPL'}A}}\n")
    assert "error[secret]" in said
    assert "a catalog is kept in version control and takes no secret" in said
    assert "AKIAIOSF" not in said


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (
            "{name: a, owner: b}",
            (
                "5:5: error[no-effect]: policies[0] asks for nothing: it has none of allowed_regions, allowed_instances, "
                "mandatory_tags, minimum_profiles\n  Add one, or remove the policy."
            ),
        ),
        (
            "{name: a, owner: b, allowed_regions: {}}",
            (
                "5:5: error[no-effect]: policies[0] asks for nothing: it has none of allowed_regions, allowed_instances, "
                "mandatory_tags, minimum_profiles\n  Add one, or remove the policy."
            ),
        ),
        (
            "{name: a, owner: b, allowed_regions: {gpc: [x]}}",
            (
                "5:43: error[unknown-key]: policies[0].allowed_regions.gpc is not a key of policies[0].allowed_regions; it "
                'has aws, azure, gcp\n  Did you mean "gcp"?'
            ),
        ),
        (
            "{name: a, owner: b, minimum_profiles: [hippa]}",
            (
                "5:44: error[value]: policies[0].minimum_profiles[0] must be one of hipaa, gdpr, soc2, eu-ai-act, not "
                '"hippa"\n  Did you mean "hipaa"?'
            ),
        ),
        (
            "{name: a, owner: b, mandatory_tags: {team: '(a+)+'}}",
            (
                '5:48: error[regex]: policies[0].mandatory_tags.team "(a+)+" repeats a group, which can take for ever to try: '
                "write what is repeated without ( )"
            ),
        ),
        (
            "{name: a, owner: b, mandatory_tags: {Owner: x}}",
            (
                "5:49: error[reserved-tag]: policies[0].mandatory_tags.Owner is a tag that the platform sets itself\n"
                "  Write owner."
            ),
        ),
        (
            "{name: a, owner: b, mandatory_tags: {managed-by: x}}",
            (
                "5:54: error[reserved-tag]: policies[0].mandatory_tags.managed-by is a tag that the platform sets itself\n"
                "  Remove it."
            ),
        ),
        (
            "{name: a, owner: b, allowed_instances: [cpu.*]}\n  - {name: a, owner: b, allowed_instances: [gpu.*]}",
            (
                '6:12: error[repeated]: policies[1].name "a" is the name of policies[0] as well\n'
                "  Give each policy a name of its own."
            ),
        ),
    ],
    ids=["nothing", "no-region", "cloud", "profile", "regex", "owner", "reserved", "twice"],
)
def test_a_policy_that_does_not_fit_is_told(policy: str, said: str) -> None:
    assert told(f"{HEAD}policies:\n  - {policy}\n") == f"catalog.yaml:{said}"


def test_a_default_that_a_policy_refuses_is_told() -> None:
    eu = "policies: [{name: eu, owner: sec, allowed_regions: {aws: [eu-west-1]}}]\n"
    assert told(HEAD + eu + "defaults: {provider: aws, region: us-east-1}\n") == (
        'catalog.yaml:5:35: error[policy]: defaults.region "us-east-1" is against policy eu of sec\n'
        "  It allows eu-west-1."
    )
    assert told(HEAD + eu + "defaults: {provider: gcp}\n") == (
        'catalog.yaml:5:22: error[policy]: defaults.provider "gcp" is against policy eu of sec\n'
        "  It allows no region of gcp."
    )
    templates = "templates: {model: {source: builtin:model, defaults: {region: us-east-1}}}\n"
    assert 'templates.model.defaults.region "us-east-1"' in told(
        HEAD + eu + "defaults: {provider: aws}\n" + templates
    )
    some = eu.replace("owner: sec", "owner: sec, environments: [prod]")
    read = catalog(HEAD + some + "defaults: {provider: aws, region: us-east-1}\n")
    assert read.defaults["region"] == "us-east-1"


def test_a_default_version_that_is_deprecated_is_warned_of() -> None:
    text = entry("{source: builtin:model, default: 1.0.0, deprecated: {1.0.0: use 1.1.0}}")
    assert [str(warning) for warning in parse_catalog(text).warnings] == [
        (
            'catalog.yaml:5:43: warning[deprecated]: templates.model.default "1.0.0" is deprecated, and new projects start '
            "with it\n  Name a newer version."
        )
    ]


# --- what is looked up -----------------------------------------------------------------------------------------------


def test_a_name_that_is_not_there_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        entry_of(catalog(), "modle")
    assert str(caught.value) == 'the catalog acme has no template "modle". Did you mean "model"?'
    with pytest.raises(UsageError) as caught:
        entry_of(catalog(HEAD), "zebra")
    assert str(caught.value) == 'the catalog acme has no template "zebra". It has none.'


def test_a_version_that_is_not_listed_may_not_be_used() -> None:
    assert release_of(catalog(), "model", "1.2.0") == Release(commit=COMMIT, trust=True)
    with pytest.raises(UsageError) as caught:
        release_of(catalog(), "model", "1.2.1")
    assert str(caught.value) == (
        'version "1.2.1" of template model may not be used: the catalog acme allows 1.2.0, 1.10.0, 2.0.0-rc.1. '
        'Did you mean "1.2.0"?'
    )


def test_an_entry_without_versions_is_open_and_trusts_nothing() -> None:
    assert release_of(catalog(), "platform", "7.0.0") == Release(commit=None, trust=False)


def test_new_projects_start_with_the_newest_version_that_may_stay() -> None:
    assert default_version(catalog().templates["model"]) == "1.10.0"
    assert default_version(catalog().templates["platform"]) == ""
    text = "{source: builtin:model, versions: {1.0.0: {}, 2.0.0: {}}, default: 1.0.0}"
    assert default_version(catalog(entry(text)).templates["model"]) == "1.0.0"
    only = "{source: builtin:model, versions: {1.0.0-rc.1: {}, 1.0.0-rc.2: {}}}"
    assert default_version(catalog(entry(only)).templates["model"]) == "1.0.0-rc.2"
    left = "{source: builtin:model, versions: {1.0.0: {}}, deprecated: {1.0.0: leave}}"
    assert default_version(catalog(entry(left)).templates["model"]) == "1.0.0"


def test_a_deprecation_is_of_a_version_or_of_all() -> None:
    templates = catalog().templates
    assert deprecation_of(templates["model"], "1.2.0") == "use 1.10.0"
    assert deprecation_of(templates["model"], "1.10.0") == ""
    assert deprecation_of(templates["old"], "3.0.0") == "use model"


def test_a_templates_defaults_come_before_the_organisations() -> None:
    assert dict(answers_of(catalog(), "model")) == {
        "owner": "ml-platform",
        "provider": "aws",
        "region": "eu-central-1",
        "gpu": False,
        "seats": 3,
        "framework": "sklearn",
    }
    assert dict(answers_of(catalog(), "elsewhere")) == dict(catalog().defaults)
