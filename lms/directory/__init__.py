"""Organisations (institutions and associations) and the people who act for them."""
