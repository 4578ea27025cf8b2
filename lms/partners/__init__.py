"""Institutions that share a course share its income: agreements, shares, monthly statements."""
