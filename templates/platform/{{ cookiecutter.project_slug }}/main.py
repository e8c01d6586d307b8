"""The platform as a CDKTF app: `{{ cookiecutter.engine }} synth` and `{{ cookiecutter.engine }} deploy` run this file."""

from pathlib import Path

from {{ cookiecutter.engine }} import App
from scaffolder.constructs import Platform

app = App()
platform = Platform(app, Path(__file__).with_name("platform.yaml"))

# Your own constructs go here. In a stack of the platform they share its state; typed outputs of any stack can be used,
# and order the stacks. A stack of your own needs a backend of its own: without one its state is a file on this machine.
#
#   from {{ cookiecutter.engine }} import TerraformOutput
#   network = platform.environment("dev").network
#   TerraformOutput(network.construct, "my-subnets", value=network.outputs(network.construct).subnet_ids)

app.synth()
