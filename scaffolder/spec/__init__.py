"""The platform spec: its model, loading with positions and rules. Knows no cloud's resources and no emitter."""
