"""When a key was last used: noted beside the request, at most once a minute."""

from __future__ import annotations

from functools import partial

from flask import Response, after_this_request

from lms.xapi.api.aside import write_aside
from lms.xapi.services.access import Access, due_use, keep_use


def note_use(access: Access) -> None:
    """Keep this use of a key when the last one kept is old; whoever asked does not wait for it."""
    at = due_use(access)
    if at is None or access.id is None:
        return
    work = partial(keep_use, access.id, at)

    @after_this_request
    def later(response: Response) -> Response:
        write_aside(work)
        return response
