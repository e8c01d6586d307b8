"""The arguments of Terraform's own backends: data, with its source and date.

May not know a platform. Lists and blocks are left out: a state's settings are single values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from stacks.record import record

__all__ = ["BACKENDS", "BackendArguments"]

SOURCE = "https://developer.hashicorp.com/terraform/language/backend, tried with Terraform 1.11.4"
DATE = "2026-11"

Type: TypeAlias = Literal["text", "true or false", "a whole number"]


@record
class BackendArguments:
    """What one backend takes. ``secret`` arguments are credentials, which no spec may hold."""

    required: tuple[str, ...]
    types: Mapping[str, Type]
    secret: frozenset[str]


def _types(*, text: str, flags: str, numbers: str = "") -> dict[str, Type]:
    types: dict[str, Type] = {}
    types |= dict.fromkeys(text.split(), "text")
    types |= dict.fromkeys(flags.split(), "true or false")
    types |= dict.fromkeys(numbers.split(), "a whole number")
    return types


BACKENDS: Mapping[str, BackendArguments] = {
    "s3": BackendArguments(
        required=("bucket", "region"),
        types=_types(
            text="bucket region key acl kms_key_id workspace_key_prefix profile dynamodb_table retry_mode sts_region "
            "custom_ca_bundle http_proxy https_proxy no_proxy ec2_metadata_service_endpoint "
            "ec2_metadata_service_endpoint_mode",
            flags="encrypt use_lockfile insecure skip_credentials_validation skip_metadata_api_check "
            "skip_region_validation skip_requesting_account_id skip_s3_checksum use_dualstack_endpoint "
            "use_fips_endpoint use_path_style",
            numbers="max_retries",
        ),
        secret=frozenset({"access_key", "secret_key", "token", "sse_customer_key"}),
    ),
    "gcs": BackendArguments(
        required=("bucket",),
        types=_types(
            text="bucket prefix impersonate_service_account kms_encryption_key storage_custom_endpoint",
            flags="",
        ),
        secret=frozenset({"credentials", "access_token", "encryption_key"}),
    ),
    "azurerm": BackendArguments(
        required=("resource_group_name", "storage_account_name", "container_name"),
        types=_types(
            text="resource_group_name storage_account_name container_name key environment metadata_host "
            "subscription_id tenant_id client_id client_id_file_path client_certificate_path oidc_request_url "
            "oidc_token_file_path msi_endpoint ado_pipeline_service_connection_id",
            flags="use_oidc use_msi use_azuread_auth use_cli use_aks_workload_identity snapshot lookup_blob_endpoint",
        ),
        secret=frozenset(
            {
                *(
                    "access_key",
                    "sas_token",
                    "client_secret",
                    "client_secret_file_path",
                    "client_certificate",
                ),
                *("client_certificate_password", "oidc_token", "oidc_request_token"),
            }
        ),
    ),
}
