"""The generator and everything around it: one platform spec becomes Terraform."""

from __future__ import annotations
