"""Discussions in a course run: threads, unread marks, following, moderation, search."""
