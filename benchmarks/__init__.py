"""Measures Puente with much data, on SQLite and PostgreSQL: `python3 dev.py bench`.

What counts are ratios to a constant answer of the same server at the same time, not seconds.
"""
