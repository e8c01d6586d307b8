"""Bedrock: guardrails and their versions, which moto 5.2.5 lacks. May not judge a prompt."""

from __future__ import annotations

from tests.emulator.call import Call, Refusal, Result, Service
from tests.emulator.entity import Entity, Identifier, Store, Thing
from tests.emulator.tags import Tags, TagStyle

__all__ = ["service"]

_POLICIES = {
    "automatedReasoningPolicyConfig": "automatedReasoningPolicy",
    "contentPolicyConfig": "contentPolicy",
    "contextualGroundingPolicyConfig": "contextualGroundingPolicy",
    "sensitiveInformationPolicyConfig": "sensitiveInformationPolicy",
    "topicPolicyConfig": "topicPolicy",
    "wordPolicyConfig": "wordPolicy",
}

_WITHIN_POLICIES = {
    "filtersConfig": "filters",
    "managedWordListsConfig": "managedWordLists",
    "piiEntitiesConfig": "piiEntities",
    "regexesConfig": "regexes",
    "tierConfig": "tier",
    "topicsConfig": "topics",
    "wordsConfig": "words",
}

_GUARDRAIL = Entity(
    noun="Guardrail",
    key=("guardrailIdentifier",),
    arn="arn:aws:bedrock:{region}:{account}:guardrail/{guardrailIdentifier}",
    arn_member="guardrailArn",
    listed="guardrails",
    generated={"guardrailIdentifier": Identifier("", 12)},
    defaults={"status": "READY", "version": "DRAFT"},
    renamed={"guardrailIdentifier": "guardrailId", "kmsKeyId": "kmsKeyArn", **_POLICIES, **_WITHIN_POLICIES},
    timestamps=("createdAt", "updatedAt"),
)


class _Guardrails:
    """Each guardrail is a draft that changes, and numbered versions that don't."""

    def __init__(self, tags: Tags) -> None:
        self.drafts = Store(_GUARDRAIL, tags)
        self._versions: dict[str, dict[str, Thing]] = {}

    def create(self, call: Call) -> Result:
        if any(draft["name"] == call.text("name") for draft in self.drafts.living(call)):
            raise Refusal("ConflictException", f"a guardrail named {call.text('name')} already exists")
        return self.drafts.create(call)

    def read(self, call: Call) -> Result:
        draft, version = self.drafts.find(call), call.text("guardrailVersion")
        return draft if version in {"", "DRAFT"} else self._version(draft, version)

    def listing(self, call: Call) -> Result:
        """The drafts; for one guardrail, its draft and its versions."""
        if not call.text("guardrailIdentifier"):
            return {"guardrails": [_summary(draft) for draft in self.drafts.living(call)]}
        draft = self.drafts.find(call)
        return {"guardrails": [_summary(each) for each in (draft, *self._of(draft).values())]}

    def update(self, call: Call) -> Result:
        """Replace the draft: a policy that the call doesn't carry is gone."""
        draft = self.drafts.find(call)
        for member in (*_POLICIES.values(), "description", "kmsKeyArn"):
            draft.pop(member, None)
        return self.drafts.update(call)

    def publish(self, call: Call) -> Result:
        draft = self.drafts.find(call)
        versions = self._of(draft)
        version = str(max(map(int, versions), default=0) + 1)
        described = {"description": call.text("description")} if call.text("description") else {}
        versions[version] = {**draft, **described, "version": version}
        return {"guardrailId": draft["guardrailId"], "version": version}

    def delete(self, call: Call) -> Result:
        """Delete one version, or the guardrail with all of them."""
        draft, version = self.drafts.find(call), call.text("guardrailVersion")
        if version:
            self._version(draft, version)
            del self._of(draft)[version]
        else:
            self._versions.pop(str(draft["guardrailArn"]), None)
            self.drafts.delete(call)
        return {}

    def _of(self, draft: Thing) -> dict[str, Thing]:
        return self._versions.setdefault(str(draft["guardrailArn"]), {})

    def _version(self, draft: Thing, version: str) -> Thing:
        if version not in self._of(draft):
            raise Refusal("ResourceNotFoundException", f"{draft['guardrailArn']} has no version {version}")
        return self._of(draft)[version]


def service() -> Service:
    """Bedrock without guardrails; the log of invocations is moto's."""
    tags = Tags(TagStyle(arn="resourceARN", pair=("key", "value"), missing=None))
    guardrails = _Guardrails(tags)
    return Service(
        name="bedrock",
        answers={
            **tags.answers(),
            "CreateGuardrail": guardrails.create,
            "GetGuardrail": guardrails.read,
            "ListGuardrails": guardrails.listing,
            "UpdateGuardrail": guardrails.update,
            "DeleteGuardrail": guardrails.delete,
            "CreateGuardrailVersion": guardrails.publish,
        },
    )


def _summary(guardrail: Thing) -> Thing:
    return {**guardrail, "id": guardrail["guardrailId"], "arn": guardrail["guardrailArn"]}
