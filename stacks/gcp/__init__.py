"""GCP: turns intents into Terraform stacks for Vertex AI and everything around it."""
