"""Emitters: a linked stack in, the bytes of Terraform's files out. May not know a spec, a cloud or a command line."""

from __future__ import annotations
