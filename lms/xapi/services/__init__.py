"""Writing statements: Puente's own, other tools', forwarding."""
