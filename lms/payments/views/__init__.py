"""Checkout, orders, messages of gateways, administration."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("payments", __name__, template_folder="../templates")
