"""SageMaker Studio: domains with their home file systems, user profiles, spaces, lifecycle configurations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.efs.models import efs_backends

from tests.emulator.call import Call, Refusal, Result, Service
from tests.emulator.entity import Entity, Identifier, Store, Thing
from tests.emulator.tags import Tags

__all__ = ["part"]

_ARN = "arn:aws:sagemaker:{region}:{account}:"
_TIMES = ("CreationTime", "LastModifiedTime")

_DOMAIN = Entity(
    noun="Domain",
    key=("DomainId",),
    arn=_ARN + "domain/{DomainId}",
    arn_member="DomainArn",
    listed="Domains",
    read_verb="Describe",
    generated={"DomainId": Identifier("d-", 12)},
    defaults={"Status": "InService", "AppNetworkAccessType": "PublicInternetOnly"},
    renamed={"DomainSettingsForUpdate": "DomainSettings"},
    timestamps=_TIMES,
    missing="ResourceNotFound",
    exists="ResourceInUse",
)

_USER_PROFILE = Entity(
    noun="UserProfile",
    key=("DomainId", "UserProfileName"),
    arn=_ARN + "user-profile/{DomainId}/{UserProfileName}",
    arn_member="UserProfileArn",
    listed="UserProfiles",
    read_verb="Describe",
    defaults={"Status": "InService", "HomeEfsFileSystemUid": "200005"},
    narrowed={"DomainIdEquals": "DomainId"},
    timestamps=_TIMES,
    missing="ResourceNotFound",
    exists="ResourceInUse",
)

_SPACE = Entity(
    noun="Space",
    key=("DomainId", "SpaceName"),
    arn=_ARN + "space/{DomainId}/{SpaceName}",
    arn_member="SpaceArn",
    listed="Spaces",
    read_verb="Describe",
    defaults={"Status": "InService", "HomeEfsFileSystemUid": "200006"},
    narrowed={"DomainIdEquals": "DomainId"},
    timestamps=_TIMES,
    missing="ResourceNotFound",
    exists="ResourceInUse",
)

_LIFECYCLE = Entity(
    noun="StudioLifecycleConfig",
    key=("StudioLifecycleConfigName",),
    arn=_ARN + "studio-lifecycle-config/{StudioLifecycleConfigName}",
    arn_member="StudioLifecycleConfigArn",
    listed="StudioLifecycleConfigs",
    read_verb="Describe",
    narrowed={"AppTypeEquals": "StudioLifecycleConfigAppType"},
    timestamps=_TIMES,
    missing="ResourceNotFound",
    exists="ResourceInUse",
)


class _Studio:
    """A domain's dependents hold it, and it owns a file system that outlives it unless told otherwise."""

    def __init__(self, tags: Tags) -> None:
        self.domains = Store(_DOMAIN, tags)
        self.profiles = Store(_USER_PROFILE, tags)
        self.spaces = Store(_SPACE, tags)

    def create_domain(self, call: Call) -> Result:
        if any(domain["DomainName"] == call.text("DomainName") for domain in self.domains.living(call)):
            raise Refusal("ResourceInUse", f"a domain named {call.text('DomainName')} already exists")
        created = dict(self.domains.create(call))
        domain_id = created["DomainId"]
        kept = {
            "HomeEfsFileSystemId": _new_file_system(call, str(created["DomainArn"])),
            "Url": f"https://{domain_id}.studio.{call.region}.sagemaker.aws",
        }
        self.domains.find(call.carrying(DomainId=domain_id)).update(kept)
        return {**created, **kept}

    def delete_domain(self, call: Call) -> Result:
        domain = self.domains.find(call)
        held = [*self._of_domain(self.profiles, call, domain), *self._of_domain(self.spaces, call, domain)]
        if held:
            raise Refusal(
                "ResourceInUse", f"domain {domain['DomainId']} still has {len(held)} users or spaces"
            )
        if call.mapping("RetentionPolicy").get("HomeEfsFileSystem") == "Delete":
            efs_backends[call.account][call.region].delete_file_system(str(domain["HomeEfsFileSystemId"]))
        return self.domains.delete(call)

    def create_user_profile(self, call: Call) -> Result:
        domain = self.domains.find(call)
        if "SingleSignOnUserValue" in call.parameters and domain.get("AuthMode") != "SSO":
            raise _invalid("a user of a domain with AuthMode IAM has no SingleSignOnUserValue")
        if domain.get("AppNetworkAccessType") == "VpcOnly" and not (
            call.mapping("UserSettings").get("SecurityGroups") or _default_groups(domain)
        ):
            raise _invalid("SecurityGroups are required for a user of a domain whose access is VpcOnly")
        return self.profiles.create(call)

    def delete_user_profile(self, call: Call) -> Result:
        profile = self.profiles.find(call)
        for space in self._of_domain(self.spaces, call, profile):
            owner = space.get("OwnershipSettings")
            if isinstance(owner, Mapping) and owner["OwnerUserProfileName"] == profile["UserProfileName"]:
                raise Refusal(
                    "ResourceInUse", f"{profile['UserProfileName']} owns space {space['SpaceName']}"
                )
        return self.profiles.delete(call)

    def create_space(self, call: Call) -> Result:
        self.domains.find(call)
        if owner := call.mapping("OwnershipSettings").get("OwnerUserProfileName"):
            self.profiles.find(call.carrying(UserProfileName=owner))
        return self.spaces.create(call)

    @staticmethod
    def _of_domain(store: Store, call: Call, owner: Thing) -> list[Thing]:
        return [thing for thing in store.living(call) if thing["DomainId"] == owner["DomainId"]]


def part(tags: Tags) -> Service:
    """Studio without a domain."""
    studio = _Studio(tags)
    return Service(
        name="sagemaker",
        answers={
            **studio.domains.answers(),
            **studio.profiles.answers(),
            **studio.spaces.answers(),
            **Store(_LIFECYCLE, tags).answers(),
            "CreateDomain": studio.create_domain,
            "DeleteDomain": studio.delete_domain,
            "CreateUserProfile": studio.create_user_profile,
            "DeleteUserProfile": studio.delete_user_profile,
            "CreateSpace": studio.create_space,
        },
    )


def _default_groups(domain: Thing) -> object:
    settings = domain.get("DefaultUserSettings")
    return settings.get("SecurityGroups") if isinstance(settings, Mapping) else None


def _new_file_system(call: Call, domain_arn: str) -> str:
    backend: Any = efs_backends[call.account][call.region]
    file_system = backend.create_file_system(
        creation_token=domain_arn,
        performance_mode="generalPurpose",
        encrypted=True,
        kms_key_id=call.text("KmsKeyId") or None,
        throughput_mode="bursting",
        provisioned_throughput_in_mibps=None,
        availability_zone_name=None,
        backup=False,
        tags=[{"Key": "ManagedByAmazonSageMakerResource", "Value": domain_arn}],
    )
    return str(file_system.file_system_id)


def _invalid(message: str) -> Refusal:
    return Refusal("ValidationException", message)
