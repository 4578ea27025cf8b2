"""Kinds of activity: page, video and file live here; quiz and forum come from their rooms."""
