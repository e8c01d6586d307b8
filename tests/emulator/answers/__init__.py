"""What moto lacks or forgets, one module per service. May not change moto: `patches` does that.

A service is added by a module with a function that returns a `Service`, and one line in `SERVICES`.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.emulator.answers import (
    accessanalyzer,
    autoscaling,
    bedrock,
    bedrock_agent,
    budgets,
    cloudwatch,
    cost_explorer,
    ec2,
    functions,
    kms,
    opensearch,
    s3,
    sagemaker,
    securityhub,
    sqs,
    state_machines,
)
from tests.emulator.call import Service

__all__ = ["SERVICES"]

SERVICES: tuple[Callable[[], Service], ...] = (
    accessanalyzer.service,
    autoscaling.service,
    bedrock.service,
    bedrock_agent.service,
    budgets.service,
    cloudwatch.service,
    cost_explorer.service,
    ec2.service,
    functions.service,
    kms.service,
    opensearch.service,
    s3.service,
    sagemaker.service,
    securityhub.service,
    sqs.service,
    state_machines.service,
)
"""Each makes its service with nothing in it."""
