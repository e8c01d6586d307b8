"""The platform through CDKTF constructs: what a generated project's ``main.py`` does, for the spec named on its command line."""

from __future__ import annotations

import sys

from cdktf import App

from scaffolder.constructs import Platform

app = App()
Platform(app, sys.argv[1])
app.synth()
