"""What moto lacks or forgets, one module per service. May not change moto: `patches` does that.

A service is added by a module with a function that returns a `Service`, and one line in `SERVICES`.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.emulator.answers import accessanalyzer, ec2, kms, s3, securityhub
from tests.emulator.call import Service

__all__ = ["SERVICES"]

SERVICES: tuple[Callable[[], Service], ...] = (
    accessanalyzer.service,
    ec2.service,
    kms.service,
    s3.service,
    securityhub.service,
)
"""Each makes its service with nothing in it."""
