"""Write stacks/aws/catalog.toml: AWS's commercial regions and the ids of their availability zones.

Reads the tables of the installed moto, which follow AWS's "Availability Zone IDs" page; needs no account.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend

CATALOG = Path(__file__).parent.parent / "stacks" / "aws" / "catalog.toml"
OTHER_PARTITIONS = ("cn-", "us-gov-", "us-iso")
LAST_CHOICE = {"use1-az3": "an old zone that lacks many instance types and endpoint services"}


def catalog() -> str:
    """The file's text."""
    lines = [
        "# AWS regions of the commercial partition and their availability zones, by id (the same in every account).",
        "# Written by scripts/update_aws_catalog.py; do not edit.",
        f'source = "AWS, Availability Zone IDs for your resources, as in moto {version("moto")}"',
        'date = "2026-11"',
        "",
        "[zones]",
    ]
    for region, zones in sorted(RegionsAndZonesBackend.zones.items()):
        if region.startswith(OTHER_PARTITIONS):
            continue
        ids = sorted((zone.zone_id for zone in zones), key=lambda zone: (zone in LAST_CHOICE, zone))
        lines.append(f"{region} = [{', '.join(f'{chr(34)}{zone}{chr(34)}' for zone in ids)}]")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    CATALOG.write_text(catalog(), encoding="utf-8")
