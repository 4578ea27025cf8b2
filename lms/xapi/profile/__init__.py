"""Puente's xAPI profile: the concepts it adds and the form of each of its own statements."""
