"""Documents made of an issued credential; each is a plugin."""
