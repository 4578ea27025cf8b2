"""Puente: short courses that institutions teach each other's professionals."""

__version__ = "0.1.0"
