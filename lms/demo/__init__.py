"""The demo: starter courses, people with a known password, and a believable past."""
