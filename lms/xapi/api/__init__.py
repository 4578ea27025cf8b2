"""The endpoint for other tools (xAPI 1.0.3 and 2.0.0): one module for each resource."""

from lms.xapi.api import about, activities, agents, documents, feed, refusals, statements
from lms.xapi.api.wire import bp

__all__ = ["about", "activities", "agents", "bp", "documents", "feed", "refusals", "statements"]
