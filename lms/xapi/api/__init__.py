"""The endpoint for other tools: xAPI 1.0.3, part three."""

from lms.xapi.api import about, statements
from lms.xapi.api.wire import bp

__all__ = ["about", "bp", "statements"]
