"""What changes prices: one function a use case."""
