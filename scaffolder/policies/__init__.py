"""Policies of an organisation: what they may ask of a spec, and where a spec breaks them. Nothing here asks a cloud."""
