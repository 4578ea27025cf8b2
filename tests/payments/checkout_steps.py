"""The checkout as a person goes through it: look at the price, then press the button."""

from __future__ import annotations

import html
import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lms.courses.models import CourseRun


def quote_in(text: str) -> str:
    """The quote that a checkout page carries."""
    found = re.search(r'name="quote"[^>]*value="([^"]*)"', text)
    return html.unescape(found.group(1)) if found else ""


def place_order(browser: FlaskClient, run: CourseRun, data: dict[str, Any]) -> TestResponse:
    """Update the price for what is typed, then go on to pay just that."""
    address = f"/checkout/{run.uuid}"
    shown = browser.post(address, data=data | {"apply": "1"})
    return browser.post(address, data=data | {"quote": quote_in(shown.text)})
