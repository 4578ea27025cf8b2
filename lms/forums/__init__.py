"""Discussions in a course."""
