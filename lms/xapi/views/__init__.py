"""Pages: keys and forwarding for administrators; timelines as parts of other pages."""

from lms.xapi.views import (
    endpoint_test,
    figures,
    forwarding,
    importing,
    keys,
    refused,
    retention,
    statements,
)
from lms.xapi.views.profile import profile_pages
from lms.xapi.views.shared import admin
from lms.xapi.views.statements import browser, may_browse, run_link
from lms.xapi.views.timelines import learner_timeline, my_timeline

__all__ = [
    "admin",
    "browser",
    "endpoint_test",
    "figures",
    "forwarding",
    "importing",
    "keys",
    "learner_timeline",
    "may_browse",
    "my_timeline",
    "profile_pages",
    "refused",
    "retention",
    "run_link",
    "statements",
]
