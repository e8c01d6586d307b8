"""The platform as a CDKTF app: `{{ cookiecutter.engine }} synth` and `{{ cookiecutter.engine }} deploy` run this file."""

from pathlib import Path

from {{ cookiecutter.engine }} import App
from scaffolder.constructs import Platform

app = App()
platform = Platform(app, Path(__file__).with_name("platform.yaml"))

# Your own constructs go here. A stack of yours reads the platform by typed outputs, and is deployed after it:
#
#   mine = TerraformStack(app, "{{ cookiecutter.name }}-dev-mine")
#   network = platform.environment("dev").network.outputs(mine)
#   TerraformOutput(mine, "subnets", value=network.subnet_ids)

app.synth()
