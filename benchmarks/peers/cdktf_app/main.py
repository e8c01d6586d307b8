"""The foundation example as a CDKTF app with the prebuilt AWS bindings. Written by write_cdktf_app.py beside this folder."""

from __future__ import annotations

from cdktf import App
from environment import Environment
from identity_stack import IdentityStack
from network_stack import NetworkStack
from registry_stack import RegistryStack
from security_stack import SecurityStack
from state_stack import StateStack
from storage_stack import StorageStack

app = App()
for environment in (
    Environment("dev", account="123456789012", production=False),
    Environment("prod", account="210987654321", production=True),
):
    state = StateStack(app, environment)
    security = SecurityStack(app, environment, state)
    network = NetworkStack(app, environment, security, state)
    registry = RegistryStack(app, environment, security, state)
    storage = StorageStack(app, environment, security, state)
    IdentityStack(app, environment, network, registry, security, state, storage)
app.synth()
