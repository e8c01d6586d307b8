"""Azure: turns intents into Terraform stacks for Azure Machine Learning and everything around it."""
