"""Azure on loopback: every request is held to the vendor's description, and every reply too; what it does not have, it says.

A subscription with what the platform's stacks make: a workspace, clusters, an endpoint's shell, buckets. What only a real
account can prove it cannot: who may do what, how long things take, the words of errors.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from typing import Any

from stacks.azure.assets import datastore_of, workspace_id
from stacks.azure.compute import cluster_of, wanted_machines
from stacks.azure.context import Context
from stacks.intents import ModelRegistry, ObjectStore, OnlineEndpoint, Platform
from tests.operations.fakes.azure.blobs import Blobs
from tests.operations.fakes.azure.description import Operation, find_operation, problems_of
from tests.operations.fakes.azure.inside import autoscale_problems, schedule_problems
from tests.operations.fakes.azure.jobs import LOGS, Jobs
from tests.operations.fakes.azure.requests import Answer, Refusal, Request, said
from tests.operations.fakes.azure.resources import Clock, Resource, Resources

__all__ = ["Azure"]

MANAGER = "management.azure.com"
AUDIENCES = {
    MANAGER: "https://management.azure.com",
    "blob": "https://storage.azure.com",
    "ml": "https://ml.azure.com",
}
AUTOSCALE = re.compile(
    r"(?P<group>/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Insights/autoscaleSettings)(/[^/]+)?"
)
GROUP = re.compile(r"/subscriptions/[^/]+/resourceGroups/[^/]+")
NAMESPACE = re.compile(r"/subscriptions/[^/]+/providers/Microsoft\.[A-Za-z]+")
VERSIONS = {
    "group": "2021-04-01",
    "permissions": "2022-04-01",
    "subscription": "2022-12-01",
    "autoscale": "2022-10-01",
}
SIZES = {"Standard_D4ds_v4": ("standardDDSv4Family", 4), "Standard_D4as_v4": ("standardDASv4Family", 4)}
BROKEN = {
    *("InvalidRequestContent", "InvalidApiVersionParameter", "InvalidQueryParameter", "UnsupportedMediaType"),
    *("InvalidHeaderValue", "InvalidQueryParameterValue", "MissingRequiredHeader"),
}
WORKSPACE_STORE, COLLECTING = "churndevworkspace", "azureml-blobstore-0a1b2c3d"
DEPLOYING_S, CHANGING_S = 300.0, 30.0
FIXED = ("modelUri", "modelType", "jobName", "properties")
HERE = "westeurope"


class Azure:
    """The state of a subscription, and what it answers."""

    def __init__(self, platform: Platform, tokens: dict[str, str], proof: str) -> None:
        self.clock = Clock()
        self.resources = Resources(self.clock)
        self.blobs = Blobs()
        self.unknown: list[str] = []
        self.broken: list[str] = []
        self._tokens = tokens
        self._context = Context(platform)
        self._workspace = workspace_id(self._context)
        self._chance = random.Random(20261127)  # noqa: S311 - the same each time
        places = self._stacks()
        self.jobs = Jobs(self.resources, self.blobs, proof, places)
        self._handlers: dict[str, Callable[[Request, Operation], Any]] = {
            "workspaces_get": self._got,
            "code_versions_get": self._got,
            "code_versions_create_or_update": self._kept,
            "environment_versions_get": self._got,
            "environment_versions_create_or_update": self._kept,
            "component_versions_get": self._got,
            "component_versions_create_or_update": lambda request, _: self._told(
                self.jobs.component(request.path, request.document())
            ),
            "model_versions_get": self._got,
            "model_versions_create_or_update": self._model_version,
            "model_versions_list": self._listed,
            "jobs_get": self._got,
            "jobs_create_or_update": lambda request, _: self._told(
                self.jobs.put(request.path, request.document())
            ),
            "jobs_list": self._jobs,
            "jobs_cancel": self._cancelled,
            "online_endpoints_get": self._got,
            "online_endpoints_create_or_update": self._endpoint,
            "online_deployments_get": self._got,
            "online_deployments_create_or_update": self._deployment,
            "online_deployments_delete": self._undeployed,
            "online_deployments_list": self._listed,
            "schedules_get": self._got,
            "schedules_list": self._listed,
            "schedules_create_or_update": self._schedule,
            "schedules_delete": self._unscheduled,
            "compute_get": self._got,
            "datastores_get": self._got,
            "compute_list": self._listed,
            "usages_list": self._usages,
            "virtual_machine_sizes_list": self._sizes,
            "storage_accounts_get_properties": self._got,
            "storage_accounts_create": self._account,
            "storage_accounts_check_name_availability": self._name,
            "blob_services_get_service_properties": self._got,
            "blob_services_set_service_properties": self._kept,
            "blob_containers_get": self._got,
            "blob_containers_create": self._container,
            "management_policies_get": self._got,
            "management_policies_create_or_update": self._kept,
            "runs_get": lambda request, _: self.jobs.run(self._job(request)),
            "runs_get_child": self._children,
            "runs_get_details": lambda request, _: self.jobs.details(
                request.path.split("/")[-2], self._every_job()
            ),
        }

    def _stacks(self) -> dict[str, str]:
        """What the platform's stacks have made; return the containers by their datastores."""
        context, ws = self._context, self._workspace
        for group in (context.name("resource-group"),):
            self.resources.put(
                f"{context.subscription_id}/resourceGroups/{group}", {"location": context.region}
            )
        discovery = f"https://{HERE}.api.azureml.ms/discovery"
        self.resources.put(ws, {"location": context.region, "properties": {"discoveryUrl": discovery}})
        own = {
            "datastoreType": "AzureBlob",
            "accountName": WORKSPACE_STORE,
            "containerName": COLLECTING,
            "endpoint": "core.windows.net",
            "credentials": {"credentialsType": "None"},
        }
        self.resources.put(f"{ws}/datastores/workspaceblobstore", {"properties": own})
        self.blobs.containers[f"{WORKSPACE_STORE}.blob.core.windows.net/{COLLECTING}"] = {}
        for wanted in wanted_machines(context):
            compute = {"properties": {"computeType": "AmlCompute"}, "tags": dict(context.tags)}
            self.resources.put(f"{ws}/computes/{cluster_of(wanted.size, spot=wanted.spot)}", compute)
        for model in context.all_of(ModelRegistry):
            self.resources.put(f"{ws}/models/{model.name}", {"properties": {}})
        for endpoint in context.all_of(OnlineEndpoint):
            name = context.unique_name("endpoint", endpoint.name)
            if endpoint.mode == "realtime":
                identity = {"type": "UserAssigned", "userAssignedIdentities": {"/i/serving": {}}}
                properties = {
                    "authMode": "AADToken",
                    "publicNetworkAccess": "Disabled",
                    "description": "churn",
                }
                shell = {
                    "location": context.region,
                    "identity": identity,
                    "properties": properties,
                    "tags": {"a": "b"},
                }
                self.resources.put(f"{ws}/onlineEndpoints/{name}", shell)
        places: dict[str, str] = {}
        for store in context.all_of(ObjectStore):
            account = context.unique_name("storage-account", "logs" if store.purpose == "logs" else "data")
            place = f"{account}.blob.core.windows.net/{context.name('container', store.name)}"
            self.blobs.containers[place] = {}
            places[datastore_of(store.name)] = place
        return places

    # --- requests ---

    def answer(self, request: Request) -> Answer:
        """Answer a request, whatever it is."""
        storage = request.host.endswith(".blob.core.windows.net")
        try:
            return self._answered(request, storage=storage)
        except Refusal as refusal:
            if refusal.code in BROKEN:
                # A request that no service of Azure's takes is seen, whatever the adapter makes of the answer.
                self.broken.append(f"{request.method} {request.path}: {refusal.message}")
            return refusal.answer(storage=storage)

    def _answered(self, request: Request, *, storage: bool) -> Answer:
        if request.host == LOGS:
            return self.jobs.log(request, self._every_job())
        kind = "blob" if storage else MANAGER if request.host == MANAGER else "ml"
        if request.headers.get("authorization") != f"Bearer {self._tokens[AUDIENCES[kind]]}":
            raise Refusal(
                401, "InvalidAuthenticationToken", "The access token is missing, or of another audience."
            )
        if storage:
            return self.blobs.answer(request)
        if request.host.endswith(".inference.ml.azure.com"):
            return self._scored(request)
        if request.path == "/discovery" and request.method == "GET":
            return said({"api": f"https://{HERE}.api.azureml.ms"})
        if kind == MANAGER:
            plain = self._plain(request)
            if plain is not None:
                return plain
        operation = find_operation(request.method, request.path)
        if operation is None or operation.name not in self._handlers:
            self.unknown.append(f"{request.method} {request.path}")
            raise Refusal(
                501, "UnknownOperation", f"the fake has no {operation.name if operation else request.path}"
            )
        return self._described(request, operation)

    def _described(self, request: Request, operation: Operation) -> Answer:
        """Hold a request and its reply to the description."""
        if request.query.get("api-version") != operation.version:
            raise Refusal(
                400, "InvalidApiVersionParameter", f"api-version {request.query.get('api-version')}"
            )
        others = set(request.query) - operation.parameters
        if others:
            raise Refusal(400, "InvalidQueryParameter", f"{operation.name} has no {others}")
        if operation.body is not None:
            problems = [*problems_of(operation.body, request.document(), writing=True)]
            if problems:
                raise Refusal(400, "InvalidRequestContent", "; ".join(problems))
        reply = self._handlers[operation.name](request, operation)
        if isinstance(reply, Answer):
            return reply
        if operation.reply is not None:
            for one in reply["value"] if operation.listed and operation.name != "runs_get_child" else [reply]:
                wrong = [*problems_of(operation.reply, one, writing=False)]
                assert not wrong, f"the fake's own reply to {operation.name}: {wrong}"
        return said(reply)

    def _plain(self, request: Request) -> Answer | None:
        """What no package describes: subscriptions, groups, providers, permissions; and autoscale settings."""
        path, context = request.path, self._context
        if path == context.subscription_id and request.method == "GET":
            _version(request, "subscription")
            return said(
                {"subscriptionId": context.subscription, "tenantId": "99999999-8888-4777-8666-555555555555"}
            )
        if path.endswith("/providers/Microsoft.Authorization/permissions") and request.method == "GET":
            _version(request, "permissions")
            return said(
                {
                    "value": [
                        {
                            "actions": ["*"],
                            "notActions": ["*/roleAssignments/*"],
                            "dataActions": [],
                            "notDataActions": [],
                        }
                    ]
                }
            )
        if NAMESPACE.fullmatch(path) and request.method == "GET":
            _version(request, "group")
            return said({"namespace": path.rpartition("/")[2], "registrationState": "Registered"})
        if GROUP.fullmatch(path):
            return self._group(request)
        found = AUTOSCALE.fullmatch(path)
        return self._autoscale(request, found["group"]) if found else None

    def _group(self, request: Request) -> Answer:
        _version(request, "group")
        if request.method == "PUT":
            body = request.document()
            if set(body) - {"location", "tags", "properties", "managedBy"} or "location" not in body:
                raise Refusal(400, "InvalidRequestContent", f"a resource group has no {sorted(body)}")
            self.resources.put(request.path, body)
        return said(self.resources.get(request.path).document)

    def _autoscale(self, request: Request, group: str) -> Answer:
        _version(request, "autoscale")
        match request.method:
            case "PUT":
                problems = [*autoscale_problems(request.document())]
                if problems:
                    raise Refusal(400, "InvalidRequestContent", "; ".join(problems))
                properties = request.document()["properties"]
                self.resources.get(properties["targetResourceUri"])
                for profile in properties["profiles"]:
                    for rule in profile["rules"]:
                        self.resources.get(rule["metricTrigger"]["metricResourceUri"])
                return said(self.resources.put(request.path, request.document()).document)
            case "DELETE":
                self.resources.remove(request.path)
                return Answer(200)
            case "GET" if request.path == group:
                return said({"value": [it.document for it in self.resources.below(group)]})
        return said(self.resources.get(request.path).document)

    # --- what is told ---

    def _told(self, resource: Resource) -> dict[str, Any]:
        document = dict(resource.document)
        document["systemData"] = {"createdAt": resource.created.isoformat()}
        if "/jobs/" in str(document["id"]):
            document = {**self.jobs.told(resource), "systemData": document["systemData"]}
        if "/schedules/" in str(document["id"]):
            told = {"provisioningState": self.resources.state(resource)}
            document["properties"] = {**document["properties"], **told}
        if "/onlineEndpoints/" in str(document["id"]):
            state = self.resources.state(resource)
            more = {"provisioningState": state}
            if "/deployments/" not in str(document["id"]):
                more["scoringUri"] = f"https://{document['name']}.{HERE}.inference.ml.azure.com/score"
            document["properties"] = {**document["properties"], **more}
        if "Microsoft.Storage" in str(document["id"]):
            del document["systemData"]
        return document

    def _got(self, request: Request, _: Operation) -> dict[str, Any]:
        return self._told(self.resources.get(request.path))

    def _kept(self, request: Request, _: Operation) -> dict[str, Any]:
        if "/versions/" not in request.path:
            self.resources.get(request.path.split("/blobServices/")[0].split("/managementPolicies/")[0])
        return self._told(self.resources.put(request.path, request.document()))

    def _listed(self, request: Request, _: Operation) -> dict[str, Any]:
        self.resources.get(request.path.rpartition("/")[0])
        return {"value": [self._told(it) for it in self.resources.below(request.path)]}

    # --- jobs ---

    def _jobs(self, request: Request, _: Operation) -> dict[str, Any]:
        """Two at a time, so that there is a next page."""
        wanted = request.query.get("jobType")
        every = [self._told(it) for it in self._every_job()]
        every = [it for it in every if wanted in (None, it["properties"]["jobType"])]
        start = int(request.query.get("$skip", "0"))
        page: dict[str, Any] = {"value": every[start : start + 2]}
        if start + 2 < len(every):
            more = {**request.query, "$skip": str(start + 2)}
            page["nextLink"] = f"https://{MANAGER}{request.path}?" + "&".join(
                f"{k}={v}" for k, v in more.items()
            )
        return page

    def _schedule(self, request: Request, _: Operation) -> dict[str, Any]:
        """Make a schedule whose job could be submitted, or change one that is not being changed."""
        known, body = self.resources.find(request.path), request.document()
        if known is not None and self.resources.state(known) != "Succeeded":
            raise Refusal(409, "Conflict", "The schedule is being changed.")
        properties = body["properties"]
        problems = [*schedule_problems(properties["trigger"])]
        problems += self.jobs.problems(properties["action"]["jobDefinition"])
        if problems:
            raise Refusal(400, "UserError", "; ".join(problems))
        busy = "Updating" if known else "Creating"
        return self._told(self.resources.put(request.path, body, busy=busy, seconds=CHANGING_S))

    def _unscheduled(self, request: Request, _: Operation) -> Answer:
        known = self.resources.get(request.path)
        if self.resources.state(known) != "Succeeded":
            raise Refusal(409, "Conflict", "The schedule is being changed.")
        if known.document["properties"].get("isEnabled", True):
            raise Refusal(400, "UserError", "Only a disabled schedule can be deleted.")
        self.resources.remove(request.path)
        return Answer(202)

    def _cancelled(self, request: Request, _: Operation) -> Answer:
        self.jobs.cancel(request.path.removesuffix("/cancel"))
        return Answer(202)

    def _every_job(self) -> Iterator[Resource]:
        return self.resources.below(f"{self._workspace}/jobs")

    def _job(self, request: Request) -> Resource:
        return self.resources.get(f"{self._workspace}/jobs/{request.path.split('/runs/')[1].split('/')[0]}")

    def _children(self, request: Request, _: Operation) -> Answer:
        return self.jobs.page(self._job(request), request.query.get("$continuationtoken", ""))

    # --- models and endpoints ---

    def _model_version(self, request: Request, _: Operation) -> dict[str, Any]:
        self.resources.get(request.path.split("/versions/")[0])
        known, body = self.resources.find(request.path), request.document()
        if known is not None:
            before, after = known.document["properties"], body["properties"]
            if any(before.get(name) != after.get(name) for name in FIXED):
                raise Refusal(409, "UserError", "A model version of that name and version exists already.")
        return self._told(self.resources.put(request.path, body))

    def _endpoint(self, request: Request, _: Operation) -> dict[str, Any]:
        known, body = self.resources.get(request.path), request.document()
        if self.resources.state(known) != "Succeeded":
            raise Refusal(409, "Conflict", "The endpoint is being changed.")
        traffic = body["properties"].get("traffic") or {}
        if sum(traffic.values()) not in (0, 100):
            raise Refusal(400, "BadArgument", "The traffic has to be 100 together, or 0.")
        for name in traffic:
            deployment = self.resources.find(f"{request.path}/deployments/{name}")
            if deployment is None or self.resources.state(deployment) != "Succeeded":
                raise Refusal(400, "BadArgument", f"The deployment {name} is not there to take traffic.")
        for name in ("authMode", "publicNetworkAccess"):
            if body["properties"].get(name) != known.document["properties"].get(name):
                raise Refusal(400, "BadArgument", f"{name} may not change.")
        if body.get("identity") is None:
            raise Refusal(400, "BadArgument", "The endpoint's identity may not go.")
        return self._told(self.resources.put(request.path, body, busy="Updating", seconds=CHANGING_S))

    def _deployment(self, request: Request, _: Operation) -> dict[str, Any]:
        body, known = request.document(), self.resources.find(request.path)
        self.resources.get(request.path.split("/deployments/")[0])
        if known is not None and self.resources.state(known) != "Succeeded":
            raise Refusal(409, "Conflict", "The deployment is being made.")
        properties, sku = body["properties"], body.get("sku") or {}
        for name in ("model", "environmentId"):
            if self.resources.find(properties.get(name, "")) is None:
                raise Refusal(400, "BadArgument", f"{name} {properties.get(name)} is not there.")
        if properties.get("instanceType") not in SIZES:
            raise Refusal(400, "BadArgument", f"The size {properties.get('instanceType')} is not supported.")
        if sku.get("name") != "Default" or sku.get("capacity", 0) < 1:
            raise Refusal(400, "BadArgument", f"The sku {sku} is not supported.")
        routes = (
            self.resources.get(properties["environmentId"]).document["properties"].get("inferenceConfig")
            or {}
        )
        if "scoringRoute" not in routes:
            raise Refusal(400, "BadArgument", "The environment does not say where it answers.")
        return self._told(self.resources.put(request.path, body, busy="Creating", seconds=DEPLOYING_S))

    def _undeployed(self, request: Request, _: Operation) -> Answer:
        endpoint, name = request.path.split("/deployments/")
        if (self.resources.get(endpoint).document["properties"].get("traffic") or {}).get(name):
            raise Refusal(400, "BadArgument", f"The deployment {name} takes traffic.")
        self.resources.remove(request.path, seconds=CHANGING_S)
        return Answer(202)

    def _scored(self, request: Request) -> Answer:
        name = request.host.partition(".")[0]
        path = f"{self._workspace}/onlineEndpoints/{name}"
        endpoint = self.resources.get(path)
        traffic = endpoint.document["properties"].get("traffic") or {}
        chosen = request.headers.get("azureml-model-deployment")
        if request.method != "POST" or request.path != "/score":
            raise Refusal(404, "NotFound", "There is nothing here.")
        if chosen is None and sum(traffic.values()) != 100:
            raise Refusal(404, "NotFound", "No deployment of the endpoint takes traffic.")
        served = chosen or self._chance.choices([*traffic], [*traffic.values()])[0]
        if self.resources.find(f"{path}/deployments/{served}") is None:
            raise Refusal(404, "DeploymentNotFound", f"{served} is not there.")
        rows = request.body.decode().strip().splitlines()[1:]
        body = "".join(f"{int(float(row.split(',')[0]) < 25)}\n" for row in rows).encode()
        kind = request.headers.get("content-type", "")
        return Answer(200, body, {"Content-Type": kind, "azureml-model-deployment": served})

    # --- storage, quotas ---

    def _account(self, request: Request, _: Operation) -> dict[str, Any]:
        self.resources.get(request.path.split("/providers/")[0])
        made = self.resources.put(request.path, request.document())
        services = f"{request.path}/blobServices/default"
        if self.resources.find(services) is None:
            self.resources.put(services, {"properties": {"deleteRetentionPolicy": {"enabled": False}}})
        return self._told(made)

    def _container(self, request: Request, _: Operation) -> dict[str, Any]:
        self.resources.get(request.path.split("/containers/")[0])
        account = request.path.split("/storageAccounts/")[1].split("/")[0]
        place = f"{account}.blob.core.windows.net/{request.path.rpartition('/')[2]}"
        self.blobs.containers.setdefault(place, {})
        return self._told(self.resources.put(request.path, request.document()))

    def _name(self, request: Request, _: Operation) -> dict[str, Any]:
        name = request.document()["name"]
        taken = any(place.startswith(f"{name}.") for place in self.blobs.containers)
        if taken:
            return {"nameAvailable": False, "reason": "AlreadyExists", "message": f"{name} is taken"}
        return {"nameAvailable": True}

    def _usages(self, _request: Request, _operation: Operation) -> dict[str, Any]:
        usages = [
            {"unit": "Count", "currentValue": 4, "limit": 100, "name": {"value": family}}
            for family in sorted(size[0] for size in SIZES.values())
        ]
        return {"value": usages}

    def _sizes(self, _request: Request, _operation: Operation) -> dict[str, Any]:
        return {
            "value": [
                {"name": name, "family": family, "vCPUs": cores} for name, (family, cores) in SIZES.items()
            ]
        }


def _version(request: Request, what: str) -> None:
    if request.query != {"api-version": VERSIONS[what]}:
        raise Refusal(400, "InvalidApiVersionParameter", f"{request.query}")
