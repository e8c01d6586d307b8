"""What is deployed: intents in, Terraform out. Knows no YAML, command line, network or SDK."""

from __future__ import annotations
