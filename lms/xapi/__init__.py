"""The Learning Record Store: statements, verbs, its API."""
