"""Data for tests: one module per room, one function per thing."""
