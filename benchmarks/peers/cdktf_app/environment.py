"""What differs between environments. Written by write_cdktf_app.py beside this folder."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Environment:
    name: str
    account: str
    production: bool

    @property
    def prefix(self) -> str:
        return f"churn-{self.name}"
