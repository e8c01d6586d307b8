"""Notebook instances and their lifecycle configurations: moto 5.2.5 forgets half of what they are created with."""

from __future__ import annotations

from tests.emulator.answers.sagemaker.instances import check_instance_type
from tests.emulator.call import Call, Refusal, Result, Service
from tests.emulator.entity import Entity, Store
from tests.emulator.tags import Tags

__all__ = ["part"]

_LIFECYCLE = Entity(
    noun="NotebookInstanceLifecycleConfig",
    key=("NotebookInstanceLifecycleConfigName",),
    arn="arn:aws:sagemaker:{region}:{account}:notebook-instance-lifecycle-config/"
    "{NotebookInstanceLifecycleConfigName}",
    arn_member="NotebookInstanceLifecycleConfigArn",
    listed="NotebookInstanceLifecycleConfigs",
    read_verb="Describe",
    timestamps=("CreationTime", "LastModifiedTime"),
    missing="ValidationException",
    missing_message="Unable to describe Notebook Instance Lifecycle Config '{key}'. "
    "(Details: Notebook Instance Lifecycle Config does not exist.)",
    exists="ValidationException",
)

_NOTEBOOK = Entity(
    noun="NotebookInstance",
    key=("NotebookInstanceName",),
    arn="arn:aws:sagemaker:{region}:{account}:notebook-instance/{NotebookInstanceName}",
    arn_member="NotebookInstanceArn",
    listed="NotebookInstances",
    read_verb="Describe",
    defaults={
        "NotebookInstanceStatus": "InService",
        "DirectInternetAccess": "Enabled",
        "RootAccess": "Enabled",
        "VolumeSizeInGB": 5,
        "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "1"},
    },
    renamed={
        "SecurityGroupIds": "SecurityGroups",
        "LifecycleConfigName": "NotebookInstanceLifecycleConfigName",
    },
    narrowed={
        "StatusEquals": "NotebookInstanceStatus",
    },
    timestamps=("CreationTime", "LastModifiedTime"),
    missing="ValidationException",
    missing_message="RecordNotFound: {key}",
    exists="ValidationException",
)


class _Notebooks:
    def __init__(self, notebooks: Store, lifecycles: Store) -> None:
        self._notebooks = notebooks
        self._lifecycles = lifecycles

    def create(self, call: Call) -> Result:
        check_instance_type(call.text("InstanceType"), "InstanceType")
        if name := call.text("LifecycleConfigName"):
            self._lifecycles.find(call.carrying(NotebookInstanceLifecycleConfigName=name))
        return self._notebooks.create(call)

    def start(self, call: Call) -> Result:
        self._notebooks.find(call)["NotebookInstanceStatus"] = "InService"
        return {}

    def stop(self, call: Call) -> Result:
        self._notebooks.find(call)["NotebookInstanceStatus"] = "Stopped"
        return {}

    def delete(self, call: Call) -> Result:
        if self._notebooks.find(call)["NotebookInstanceStatus"] != "Stopped":
            raise Refusal("ValidationException", "a notebook instance is stopped before it is deleted")
        return self._notebooks.delete(call)


def part(tags: Tags) -> Service:
    """No notebook instances."""
    lifecycles, instances = Store(_LIFECYCLE, tags), Store(_NOTEBOOK, tags)
    notebooks = _Notebooks(instances, lifecycles)
    return Service(
        name="sagemaker",
        answers={
            **lifecycles.answers(),
            **instances.answers(),
            "CreateNotebookInstance": notebooks.create,
            "StartNotebookInstance": notebooks.start,
            "StopNotebookInstance": notebooks.stop,
            "DeleteNotebookInstance": notebooks.delete,
        },
    )
