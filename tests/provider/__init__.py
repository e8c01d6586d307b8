"""A stand-in Terraform provider for clouds whose provider cannot be had, and the three levels on which it judges.

Try a spec, a synthesized folder (``cdktf.out``), or a folder with one configuration; it prints Terraform's errors::

    .venv/bin/python tests/provider/check.py examples/07-full-gcp/platform.yaml
    .venv/bin/python tests/provider/check.py OUT --level validate     # the quickest
    .venv/bin/python tests/provider/check.py OUT --keep /tmp/levels   # and leave the folders, to look

It serves what the shipped packs say of a provider, at each shipped version, and refuses what ``data/`` and Terraform
know to be wrong. It is no part of the wheel, and makes nothing anywhere.
"""
