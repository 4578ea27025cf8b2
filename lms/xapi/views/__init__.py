"""Pages: keys and forwarding for administrators; timelines as parts of other pages."""

from lms.xapi.views import forwarding, keys
from lms.xapi.views.shared import admin
from lms.xapi.views.timelines import learner_timeline, my_timeline

__all__ = ["admin", "forwarding", "keys", "learner_timeline", "my_timeline"]
