"""Locks: nobody deletes by accident what holds data, whatever their role.

May not lock a resource group: Azure ML could not scale its compute down in it (Azure Machine Learning, "Create a compute
cluster", limitations, November 2026), and no role assignment in it could be taken away. Nor a workspace, or an account of
models: what is in them has the lock too, and the operations could not take away an old deployment (Azure Resource Manager,
"Lock your resources", November 2026).
"""

from __future__ import annotations

from stacks.azure.context import Context
from stacks.graph import Node, StackBuilder

__all__ = ["add_lock"]


def add_lock(stack: StackBuilder, context: Context, node: Node) -> Node | None:
    """Lock a resource against deletion, when the platform is protected."""
    if not context.protected:
        return None
    kind = node.address.type.partition("_")[2].replace("_", "-")
    return stack.resource(
        "azurerm_management_lock",
        f"{kind}-{node.address.name}",
        {
            "name": context.name("lock", "keep"),
            "scope": node.ref("id"),
            "lock_level": "CanNotDelete",
            "notes": f"deletion_protection is on: {node.holds} would be lost",
        },
        origin=node.origin,
    )
