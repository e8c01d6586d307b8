"""What CI's accounts need, by API: roles that read what a plan refreshes, and roles that change what a deployment makes.

Data; may not grant anything. No role here may grant roles, make or change a service account or a custom role, read an
object or decrypt: what Google's predefined roles have too much of is listed by permission instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["BY_API", "DEPLOY", "GRANT", "KEY_GRANT", "PLAN", "ApiRoles"]


class ApiRoles(NamedTuple):
    """Predefined roles that read and that change what an API has."""

    read: tuple[str, ...] = ()
    change: tuple[str, ...] = ()


BY_API: Mapping[str, ApiRoles] = {
    "aiplatform": ApiRoles(("roles/aiplatform.viewer",), ("roles/aiplatform.admin",)),
    "artifactregistry": ApiRoles(("roles/artifactregistry.reader",), ("roles/artifactregistry.admin",)),
    "bigquery": ApiRoles(("roles/bigquery.metadataViewer",)),
    "cloudkms": ApiRoles(("roles/cloudkms.viewer",)),
    "cloudscheduler": ApiRoles(("roles/cloudscheduler.viewer",), ("roles/cloudscheduler.admin",)),
    "compute": ApiRoles(
        ("roles/compute.viewer",), ("roles/compute.networkAdmin", "roles/compute.securityAdmin")
    ),
    "dlp": ApiRoles(
        ("roles/dlp.deidentifyTemplatesReader", "roles/dlp.inspectTemplatesReader"),
        ("roles/dlp.deidentifyTemplatesEditor", "roles/dlp.inspectTemplatesEditor"),
    ),
    "dns": ApiRoles(("roles/dns.reader",), ("roles/dns.admin",)),
    "eventarc": ApiRoles(("roles/eventarc.viewer",), ("roles/eventarc.admin",)),
    "iam": ApiRoles(
        (
            "roles/iam.roleViewer",
            "roles/iam.securityReviewer",
            "roles/iam.serviceAccountViewer",
            "roles/iam.workloadIdentityPoolViewer",
        )
    ),
    "logging": ApiRoles(("roles/logging.viewer",), ("roles/logging.configWriter",)),
    "modelarmor": ApiRoles(("roles/modelarmor.viewer",), ("roles/modelarmor.admin",)),
    "monitoring": ApiRoles(("roles/monitoring.viewer",), ("roles/monitoring.editor",)),
    "notebooks": ApiRoles(("roles/notebooks.viewer",), ("roles/notebooks.admin",)),
    "pubsub": ApiRoles(("roles/pubsub.viewer",), ("roles/pubsub.admin",)),
    "run": ApiRoles(("roles/run.viewer",), ("roles/run.admin",)),
    "secretmanager": ApiRoles(("roles/secretmanager.viewer",)),
    "servicenetworking": ApiRoles((), ("roles/servicenetworking.networksAdmin",)),
    "serviceusage": ApiRoles(
        ("roles/serviceusage.serviceUsageConsumer",), ("roles/serviceusage.serviceUsageAdmin",)
    ),
    "sqladmin": ApiRoles(("roles/cloudsql.viewer",), ("roles/cloudsql.admin",)),
    "workflows": ApiRoles(("roles/workflows.viewer",), ("roles/workflows.admin",)),
}
"""By the part of an API's name before ``.googleapis.com``; those that a platform enables count."""

PLAN = (
    "logging.cmekSettings.get",
    "networkconnectivity.serviceConnectionPolicies.get",
    "resourcemanager.projects.get",
    "storage.buckets.get",
    "storage.buckets.getIamPolicy",
    "storage.buckets.list",
)

DEPLOY = (
    *PLAN,
    *(f"storage.buckets.{verb}" for verb in ("create", "delete", "setIamPolicy", "update")),
    *(f"cloudkms.keyRings.{verb}" for verb in ("create", "get", "list")),
    *(f"cloudkms.cryptoKeys.{verb}" for verb in ("create", "get", "list", "update")),
    *(f"cloudkms.cryptoKeyVersions.{verb}" for verb in ("destroy", "get", "list", "update")),
    *(f"bigquery.datasets.{verb}" for verb in ("create", "delete", "get", "setIamPolicy", "update")),
    *(f"bigquery.tables.{verb}" for verb in ("create", "delete", "get", "list", "update")),
    *(
        f"secretmanager.secrets.{verb}"
        for verb in ("create", "delete", "get", "getIamPolicy", "list", "setIamPolicy", "update")
    ),
    *(f"secretmanager.versions.{verb}" for verb in ("add", "destroy", "disable", "enable", "get", "list")),
    *(f"networkconnectivity.serviceConnectionPolicies.{verb}" for verb in ("create", "delete", "update")),
    *(f"compute.resourcePolicies.{verb}" for verb in ("create", "delete", "get", "list", "update", "use")),
    *(f"compute.disks.{verb}" for verb in ("addResourcePolicies", "get", "list", "removeResourcePolicies")),
)
"""Instead of the admin roles of Cloud Storage, KMS, BigQuery and Secret Manager, which all read data too."""

GRANT = ("resourcemanager.projects.getIamPolicy", "resourcemanager.projects.setIamPolicy")
KEY_GRANT = ("cloudkms.cryptoKeys.getIamPolicy", "cloudkms.cryptoKeys.setIamPolicy")
