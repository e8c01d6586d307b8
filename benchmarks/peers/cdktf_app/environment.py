"""What an environment is called, and what sets it apart. Written by write_cdktf_app.py beside this folder."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Environment:
    name: str
    account: str

    @property
    def prefix(self) -> str:
        return f"churn-{self.name}"
