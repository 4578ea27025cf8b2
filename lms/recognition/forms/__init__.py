"""The shape of what officers and learners type."""
