"""What the data look like: the first file to change for data of your own. May not read any."""

from __future__ import annotations

{% if cookiecutter.task == "tabular" -%}
from {{ cookiecutter.__package }}.signature import Field, Signature

LABEL = "churned"
"""The column to predict, in files that come in."""
ID = "customer_id"
"""The column that says which row it is."""

SCHEMA = Signature(
    classes=("no", "yes"),
    fields=(
        Field("tenure_months", "number", minimum=0, maximum=600),
        Field("monthly_charge", "number", minimum=0, maximum=10_000),
        Field("support_calls", "number", minimum=0, maximum=1_000),
        Field("plan", "category", values=("basic", "plus", "premium")),
        Field("payment", "category", values=("card", "debit", "invoice"), nullable=True),
    ),
)
"""What comes in, in training and in serving; `validate` holds data to it, the service each request."""
{%- elif cookiecutter.task == "text" -%}
from {{ cookiecutter.__package }}.signature import Field, Signature

LABEL = "topic"
"""The column to predict, in files that come in."""
ID = "id"
"""The column that says which row it is."""

SCHEMA = Signature(classes=("billing", "delivery", "technical"), fields=(Field("text", "text"),))
"""What comes in, in training and in serving; `validate` holds data to it, the service each request."""
{%- else -%}
from {{ cookiecutter.__package }}.signature import Signature

LABEL = "label"
"""The column to predict in `labels.csv`, which lies beside the pictures; `file` names the picture."""
ID = "file"
"""The column that says which row it is."""

SCHEMA = Signature(classes=tuple("0123456789"), shape=(8, 8))
"""What comes in, in training and in serving: pictures are made grey and scaled to this height and width."""
{%- endif %}

FEWEST_ROWS = 100
"""Fewer examples are not worth a model."""
MOST_DUPLICATES = 0.2
"""The share of examples that may be there twice; they are left out of training."""
FEWEST_OF_A_CLASS = 0.02
"""The share of examples that each class has at least."""

METRIC = "{{ 'auc' if cookiecutter.task == 'tabular' else 'accuracy' }}"
"""What decides whether a model is good enough; `pipelines/train.yaml` says how much of it."""
