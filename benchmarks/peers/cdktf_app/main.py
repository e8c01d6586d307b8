"""The churn platform as a CDKTF app with prebuilt bindings. Written by write_cdktf_app.py beside this folder."""

from __future__ import annotations

from cdktf import App
from environment import Environment
from identity_stack import IdentityStack
from llm_stack import LlmStack
from ml_stack import MlStack
from monitoring_stack import MonitoringStack
from network_stack import NetworkStack
from registry_stack import RegistryStack
from security_stack import SecurityStack
from state_stack import StateStack
from storage_stack import StorageStack
from workspace_stack import WorkspaceStack

app = App()
environment = Environment("dev", account="123456789012")
state = StateStack(app, environment)
security = SecurityStack(app, environment, state)
network = NetworkStack(app, environment, security, state)
registry = RegistryStack(app, environment, security, state)
storage = StorageStack(app, environment, security, state)
identity = IdentityStack(app, environment, network, registry, security, state, storage)
LlmStack(app, environment, identity, network, security, state, storage)
ml = MlStack(app, environment, identity, network, registry, security, state, storage)
WorkspaceStack(app, environment, identity, network, security, state)
MonitoringStack(app, environment, identity, ml, network, security, state, storage)
app.synth()
