"""Keys and their aliases: KMS without cryptography, which moto does for each key though nobody uses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.operations.fakes.aws.store import Answers, Parameters, Place, refused

__all__ = ["Keys"]


@dataclass(slots=True)
class Keys:
    place: Place
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    rotated: set[str] = field(default_factory=set)

    @property
    def answers(self) -> Answers:
        return {
            "CreateKey": self.create,
            "CreateAlias": self.create_alias,
            "DescribeKey": lambda asked: {"KeyMetadata": self._key(asked["KeyId"])},
            "EnableKeyRotation": self.rotate,
            "GetKeyRotationStatus": lambda asked: {
                "KeyRotationEnabled": self._key(asked["KeyId"])["KeyId"] in self.rotated
            },
            "ScheduleKeyDeletion": self.delete,
        }

    def _arn(self, what: str) -> str:
        return f"arn:aws:kms:{self.place.region}:{self.place.account}:{what}"

    def _key(self, name: str) -> dict[str, Any]:
        """A key by its id, its ARN or an alias, which KMS takes alike."""
        short = name.rpartition(":")[2]
        found = self.keys.get(self.aliases.get(short, short.removeprefix("key/")))
        if found is None:
            raise refused(f"{self._arn(short)} is not found.", "NotFoundException")
        return found

    def create(self, asked: Parameters) -> Mapping[str, Any]:
        number = f"{self.place.made:08d}-0000-4000-8000-{self.place.word()}"
        self.keys[number] = {
            "KeyId": number,
            "Arn": self._arn(f"key/{number}"),
            "AWSAccountId": self.place.account,
            "CreationDate": self.place.now(),
            "Description": asked.get("Description", ""),
            "Enabled": True,
            "KeyState": "Enabled",
            "KeyUsage": asked.get("KeyUsage", "ENCRYPT_DECRYPT"),
            "KeySpec": asked.get("KeySpec", "SYMMETRIC_DEFAULT"),
        }
        return {"KeyMetadata": self.keys[number]}

    def create_alias(self, asked: Parameters) -> Mapping[str, Any]:
        if asked["AliasName"] in self.aliases:
            raise refused(
                f"An alias with the name {asked['AliasName']} already exists", "AlreadyExistsException"
            )
        self.aliases[asked["AliasName"]] = self._key(asked["TargetKeyId"])["KeyId"]
        return {}

    def rotate(self, asked: Parameters) -> Mapping[str, Any]:
        self.rotated.add(self._key(asked["KeyId"])["KeyId"])
        return {}

    def delete(self, asked: Parameters) -> Mapping[str, Any]:
        key = self._key(asked["KeyId"])
        key |= {"Enabled": False, "KeyState": "PendingDeletion"}
        return {"KeyId": key["Arn"], "KeyState": "PendingDeletion"}
