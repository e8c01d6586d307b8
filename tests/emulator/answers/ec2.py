"""EC2: the key that new EBS volumes get. moto 5.2.5 checks a new one, but can't tell which one is set."""

from __future__ import annotations

from moto.ec2.models import ec2_backends

from tests.emulator.call import Call, Result, Service

__all__ = ["service"]


class _EbsDefaultKeys:
    """The ARN of the default key of each account and region; AWS's own key where none was chosen."""

    def __init__(self) -> None:
        self._arns: dict[tuple[str, str], str] = {}

    def read(self, call: Call) -> Result:
        chosen = self._arns.get((call.account, call.region))
        return {"KmsKeyId": chosen or self._arn_of(call, "")}

    def choose(self, call: Call) -> Result:
        self._arns[call.account, call.region] = arn = self._arn_of(call, call.text("KmsKeyId"))
        return {"KmsKeyId": arn}

    def reset(self, call: Call) -> Result:
        self._arns.pop((call.account, call.region), None)
        return self.read(call)

    @staticmethod
    def _arn_of(call: Call, key_id: str) -> str:
        backend = ec2_backends[call.account][call.region]
        return str(backend.modify_ebs_default_kms_key_id(key_id))


def service() -> Service:
    """EC2 with AWS's own default keys."""
    keys = _EbsDefaultKeys()
    return Service(
        name="ec2",
        answers={
            "GetEbsDefaultKmsKeyId": keys.read,
            "ModifyEbsDefaultKmsKeyId": keys.choose,
            "ResetEbsDefaultKmsKeyId": keys.reset,
        },
    )
