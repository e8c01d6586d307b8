"""Lambda: code signing configurations, and the settings of functions that moto 5.2.5 forgets."""

from __future__ import annotations

from collections.abc import Mapping

from tests.emulator.call import Call, Result, Service
from tests.emulator.entity import Entity, Identifier, Store, now
from tests.emulator.tags import Tags, TagStyle

__all__ = ["service"]

_SIGNING = Entity(
    noun="CodeSigningConfig",
    key=("CodeSigningConfigArn",),
    arn="arn:aws:lambda:{region}:{account}:code-signing-config:{CodeSigningConfigArn}",
    arn_member="CodeSigningConfigArn",
    listed="CodeSigningConfigs",
    wrapped="CodeSigningConfig",
    generated={"CodeSigningConfigArn": Identifier("csc-0", 16)},
    defaults={"CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Warn"}},
)

_FORGOTTEN = ("DeadLetterConfig", "LoggingConfig")


class _Functions:
    """What functions were last given of the settings that moto forgets."""

    def __init__(self) -> None:
        self._settings: dict[tuple[str, str, str], dict[str, object]] = {}

    def created(self, call: Call, result: Result) -> Result:
        self._settings[_key(call)] = {}
        return self.changed(call, result)

    def changed(self, call: Call, result: Result) -> Result:
        """Keep what is given; a setting whose members are all empty is taken away."""
        settings = self._settings.setdefault(_key(call), {})
        for member in _FORGOTTEN:
            if member in call.parameters:
                settings[member] = call.mapping(member)
                if not any(call.mapping(member).values()):
                    del settings[member]
        return self.told(call, result)

    def told(self, call: Call, result: Result) -> Result:
        return {**result, **self._settings.get(_key(call), {})}

    def told_within(self, call: Call, result: Result) -> Result:
        configuration = result["Configuration"]
        if not isinstance(configuration, Mapping):
            return result
        return {**result, "Configuration": self.told(call, configuration)}


def service() -> Service:
    """Lambda without code signing configurations; the functions are moto's."""
    tags = Tags(
        TagStyle(arn="Resource", tags="Tags", keys="TagKeys", list_verb="ListTags", missing=None),
    )
    store, functions = Store(_SIGNING, tags), _Functions()

    def create(call: Call) -> Result:
        made = store.create(call)
        arn = str(made["CodeSigningConfigArn"])
        named = call.carrying(CodeSigningConfigArn=arn)
        config_id = arn.rpartition(":")[2]
        store.find(named).update(CodeSigningConfigId=config_id, LastModified=now().isoformat())
        return store.read(named)

    return Service(
        name="lambda",
        answers={**tags.answers(), **store.answers(), "CreateCodeSigningConfig": create},
        amendments={
            "CreateFunction": functions.created,
            "UpdateFunctionConfiguration": functions.changed,
            "GetFunction": functions.told_within,
            "GetFunctionConfiguration": functions.told,
        },
    )


def _key(call: Call) -> tuple[str, str, str]:
    return call.account, call.region, call.text("FunctionName").rpartition(":")[2]
