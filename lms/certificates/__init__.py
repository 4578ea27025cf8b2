"""Credentials: issue, PDF, Open Badges, verification."""
