"""A managed MLflow: Cloud Run inside the network, Cloud SQL with a private address, and the artifacts bucket.

Callers show an identity token of a service account that may invoke it. May not make a network, a bucket or an account.
"""

from __future__ import annotations

from collections.abc import Mapping

from stacks.gcp.context import Account, Context, Surroundings
from stacks.gcp.images import image_of_others, registry_of_others
from stacks.graph import Node, StackBuilder, Value, text
from stacks.intents import ExperimentTracking, describe

__all__ = ["add_tracking"]

ROLE = "tracking"
CALLERS = ("training", "pipelines", "workspace", "serving", "monitoring")
DATABASE = "mlflow"
VERSION = "POSTGRES_18"
TIER = "db-custom-2-8192"
PORT = 5000
PROXY_PORT = 5432
PROXY_HEALTH_PORT = 9090
BACKUPS = 14
LOG_DAYS = 7


def add_tracking(stack: StackBuilder, around: Surroundings, intent: ExperimentTracking) -> None:
    """Make the server, its database and the mirror that its image comes through."""
    origin = describe(intent)
    account = around.roles[ROLE]
    mirror = _mirror(stack, around, origin)
    instance = _instance(stack, around, origin)
    database = stack.resource(
        "google_sql_database",
        "tracking",
        {
            "name": DATABASE,
            "instance": instance.ref("name"),
            "deletion_policy": "ABANDON" if around.context.protected else "DELETE",
        },
        origin=origin,
        lifecycle=around.context.keep,
        holds="every experiment and run",
    )
    user = _user(stack, around.context, instance, origin)
    service = _service(stack, around, mirror, instance, account, (database, user), origin)
    for purpose in CALLERS:
        if purpose in around.roles:
            stack.resource(
                "google_cloud_run_v2_service_iam_member",
                f"tracking-{purpose}",
                {
                    "name": service.ref("name"),
                    "location": around.context.region,
                    "role": "roles/run.invoker",
                    "member": around.roles[purpose].member,
                },
                origin=origin,
            )
    stack.export("tracking_url", service.ref("uri"))


def _mirror(stack: StackBuilder, around: Surroundings, origin: str) -> Node:
    """Cloud Run takes no images from other registries than Google's: one of ours brings them."""
    context = around.context
    return stack.resource(
        "google_artifact_registry_repository",
        "mirror",
        {
            "repository_id": context.name("repository", "mirror"),
            "description": "Brings the tracking server's image",
            "location": context.region,
            "format": "DOCKER",
            "mode": "REMOTE_REPOSITORY",
            "kms_key_name": around.keys.data,
            "remote_repository_config": {
                "description": "Images of MLflow's makers",
                "docker_repository": {"custom_repository": {"uri": registry_of_others(DATABASE)}},
            },
            "vulnerability_scanning_config": {"enablement_config": "INHERITED"},
        },
        origin=origin,
    )


def _instance(stack: StackBuilder, around: Surroundings, origin: str) -> Node:
    context = around.context
    return stack.resource(
        "google_sql_database_instance",
        "tracking",
        {
            "name": context.name("database", "tracking"),
            "region": context.region,
            "database_version": VERSION,
            "encryption_key_name": around.keys.data,
            "deletion_protection": context.protected,
            "settings": {
                "tier": TIER,
                "edition": "ENTERPRISE",
                "availability_type": "REGIONAL",
                "disk_type": "PD_SSD",
                "disk_autoresize": True,
                "deletion_protection_enabled": context.protected,
                "connector_enforcement": "REQUIRED",
                "backup_configuration": {
                    "enabled": True,
                    "location": context.region,
                    "point_in_time_recovery_enabled": True,
                    "transaction_log_retention_days": LOG_DAYS,
                    "backup_retention_settings": {"retained_backups": BACKUPS},
                },
                "ip_configuration": {
                    "ipv4_enabled": False,
                    "private_network": around.network.network_id,
                    "ssl_mode": "ENCRYPTED_ONLY",
                    "enable_private_path_for_google_cloud_services": True,
                },
                "database_flags": [{"name": name, "value": value} for name, value in FLAGS.items()],
                "insights_config": {"query_insights_enabled": True, "record_client_address": False},
                "maintenance_window": {"day": 7, "hour": 3, "update_track": "stable"},
            },
        },
        origin=origin,
        lifecycle=context.keep,
        holds="every experiment and run",
    )


FLAGS: Mapping[str, str] = {
    "cloudsql.enable_pgaudit": "on",
    "cloudsql.iam_authentication": "on",
    "log_checkpoints": "on",
    "log_connections": "on",
    "log_disconnections": "on",
    "log_duration": "on",
    "log_hostname": "on",
    "log_lock_waits": "on",
    "log_min_error_statement": "error",
    "log_min_messages": "warning",
    "log_statement": "ddl",
}
"""What Cloud SQL lets be set of PostgreSQL's log, and signing in as a service account (Cloud SQL, flags; November 2026)."""


def _signs_in_as(context: Context) -> str:
    """The account as PostgreSQL knows it: its address without the end that all share (Cloud SQL, IAM users)."""
    return context.account_email(ROLE).removesuffix(".gserviceaccount.com")


def _user(stack: StackBuilder, context: Context, instance: Node, origin: str) -> Node:
    """The server makes its own tables: nobody else signs in."""
    return stack.resource(
        "google_sql_user",
        "tracking",
        {
            "name": _signs_in_as(context),
            "instance": instance.ref("name"),
            "type": "CLOUD_IAM_SERVICE_ACCOUNT",
            "database_roles": ["cloudsqlsuperuser"],
            # A user who owns tables cannot be dropped: with the database, the user goes too.
            "deletion_policy": "ABANDON",
        },
        origin=origin,
    )


def _service(
    stack: StackBuilder,
    around: Surroundings,
    mirror: Node,
    instance: Node,
    account: Account,
    needed: tuple[Node, ...],
    origin: str,
) -> Node:
    context = around.context
    return stack.resource(
        "google_cloud_run_v2_service",
        "tracking",
        {
            "name": context.name("service", "tracking"),
            "description": "MLflow",
            "location": context.region,
            "ingress": "INGRESS_TRAFFIC_INTERNAL_ONLY",
            "launch_stage": "GA",
            "invoker_iam_disabled": False,
            "deletion_protection": context.protected,
            "template": {
                "service_account": account.email,
                "encryption_key": around.keys.data,
                "execution_environment": "EXECUTION_ENVIRONMENT_GEN2",
                "timeout": "300s",
                "scaling": {"min_instance_count": 1, "max_instance_count": 4},
                "vpc_access": {
                    "egress": "ALL_TRAFFIC",
                    "network_interfaces": [
                        {"network": around.network.network_name, "subnetwork": around.network.subnet_name}
                    ],
                },
                "containers": [_server(around, mirror), _proxy(instance)],
            },
        },
        origin=origin,
        depends_on=needed,
    )


def _server(around: Surroundings, mirror: Node) -> Value:
    """MLflow, which hands artifacts through itself: callers need no access to the bucket."""
    context = around.context
    where = text(f"{context.region}-docker.pkg.dev/{context.project}/", mirror.ref("repository_id"))
    user = _signs_in_as(context).replace("@", "%40")
    return {
        "name": "mlflow",
        "image": text(where, "/", image_of_others("mlflow")),
        "command": ["mlflow"],
        "args": ["server", "--host", "0.0.0.0", "--port", str(PORT), "--serve-artifacts"],  # noqa: S104 - in a container
        "depends_on": ["cloud-sql-proxy"],
        "ports": {"name": "http1", "container_port": PORT},
        "resources": {
            "limits": {"cpu": "2", "memory": "4Gi"},
            "cpu_idle": False,
            "startup_cpu_boost": True,
        },
        "env": [
            {
                "name": "MLFLOW_BACKEND_STORE_URI",
                "value": f"postgresql+psycopg2://{user}@127.0.0.1:{PROXY_PORT}/{DATABASE}",
            },
            {"name": "MLFLOW_ARTIFACTS_DESTINATION", "value": around.stores.place("artifacts", "mlflow")},
            # Only names of Cloud Run lead here, and only who may invoke the service comes through.
            {"name": "MLFLOW_SERVER_ALLOWED_HOSTS", "value": "*.run.app,localhost:*,127.0.0.1:*"},
        ],
        "startup_probe": {
            "http_get": {"path": "/health", "port": PORT},
            "initial_delay_seconds": 10,
            "period_seconds": 10,
            "failure_threshold": 18,
        },
        "liveness_probe": {
            "http_get": {"path": "/health", "port": PORT},
            "period_seconds": 30,
            "failure_threshold": 3,
        },
    }


def _proxy(instance: Node) -> Value:
    return {
        "name": "cloud-sql-proxy",
        "image": image_of_others("cloud-sql-proxy"),
        "args": [
            "--private-ip",
            "--auto-iam-authn",
            "--structured-logs",
            "--health-check",
            "--http-address=0.0.0.0",
            f"--http-port={PROXY_HEALTH_PORT}",
            f"--port={PROXY_PORT}",
            instance.ref("connection_name"),
        ],
        "resources": {"limits": {"cpu": "1", "memory": "512Mi"}, "cpu_idle": False},
        "startup_probe": {
            "http_get": {"path": "/startup", "port": PROXY_HEALTH_PORT},
            "period_seconds": 5,
            "failure_threshold": 12,
        },
    }
