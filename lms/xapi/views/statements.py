"""The browser of statements: all for administrators, those of their runs for instructors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import get_timezone
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from werkzeug.datastructures import MultiDict
from wtforms import DateField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]

from lms.accounts.models import User
from lms.accounts.permissions import can, require, signed_in
from lms.core import audit, clock
from lms.core.db import transaction
from lms.core.errors import NotFound
from lms.core.text import current_language
from lms.xapi import browse
from lms.xapi.browse import Wanted
from lms.xapi.collections import Member, StatementCollection, statement_collections
from lms.xapi.forms import FilterForm
from lms.xapi.sentences import sentences, verb_text
from lms.xapi.services.export import FORMATS, export_parts

browser = Blueprint(
    "xapi_browser", __name__, template_folder="../templates", url_prefix="/learning-records"
)


@dataclass(frozen=True)
class _Place:
    """A member of a collection that can be browsed."""

    collection: StatementCollection
    member: Member

    @property
    def name(self) -> str:
        return f"{self.collection.name}:{self.member.value}"


def _places(user: User) -> list[_Place]:
    return [
        _Place(collection, member)
        for collection in statement_collections.values()
        if collection.can_browse
        for member in collection.members(user)
    ]


def _day_begins(field: DateField, later: timedelta = timedelta(0)) -> datetime | None:
    return clock.start_of_day(field.data + later, str(get_timezone())) if field.data else None


@dataclass(frozen=True)
class _Asked:
    """A question: the form, what it means for the store when it is right, and its filters."""

    form: FilterForm
    wanted: Wanted | None
    place: _Place | None
    query: dict[str, str]


def _ask(arguments: MultiDict[str, str]) -> _Asked:
    """Read the filters. Raises Forbidden for people who teach nothing."""
    user = signed_in()
    places = _places(user)
    require("xapi.browse", places)
    form = FilterForm(formdata=arguments)
    everything = [SelectChoice("", _l("All"))] if can("xapi.administer") else []
    form.run.choices = everything + [SelectChoice(p.name, p.member.text) for p in places]
    verbs = sorted((verb_text(iri), iri) for iri in browse.list_verbs())
    form.verb.choices = [SelectChoice("", _l("All")), *(SelectChoice(i, t) for t, i in verbs)]
    if not everything and not form.run.data:
        form.run.data = places[0].name
    query = {name: arguments[name] for name in form.data if arguments.get(name)}
    if form.run.data:
        query["run"] = form.run.data
    place = next((p for p in places if p.name == form.run.data), None)
    if form.run.data and place is None:
        raise NotFound  # another's run, or none at all
    if form.verb.data and all(form.verb.data != iri for _text, iri in verbs):
        form.verb.choices.append(SelectChoice(form.verb.data, verb_text(form.verb.data)))
    if not form.validate():
        return _Asked(form, None, place, query)
    wanted = Wanted(
        actors=browse.actors_named(form.person.data) if form.person.data else None,
        verb=form.verb.data or None,
        activity=(form.activity.data or "").strip() or None,
        collection=tuple(place.collection.activities(place.member.value)) if place else None,
        since=_day_begins(form.since),
        until=_day_begins(form.until, timedelta(days=1)),
    )
    return _Asked(form, wanted, place, query)


def _page_key(name: str) -> int | None:
    value = request.args.get(name, "")
    return int(value) if value.isdecimal() and len(value) < 19 else None


@browser.get("/statements")
def list_statements() -> ResponseReturnValue:
    """Statements that fit, newest first."""
    asked = _ask(request.args)
    page = browse.StatementPage([], None, None)
    if asked.wanted is not None:
        page = browse.read_page(asked.wanted, before=_page_key("before"), after=_page_key("after"))
    here = url_for(".list_statements")

    def address(**more: object) -> str:
        return f"{here}?{urlencode({**asked.query, **more})}"

    html = render_template(
        "xapi/statements.html",
        form=asked.form,
        query=asked.query,
        lines=sentences(page.rows, browse.people_of(page.rows)),
        newer_url=address(after=page.newer_after) if page.newer_after else None,
        older_url=address(before=page.older_before) if page.older_before else None,
        newest_url=address() if page.newer_after else None,
        address=address,
        formats=FORMATS.values(),
        is_filtered=set(asked.query) - ({"run"} if not can("xapi.administer") else set()),
    )
    return html, 422 if asked.wanted is None else 200


@browser.post("/statements/export/<format_name>")
def export(format_name: str) -> ResponseReturnValue:
    """All statements that fit, oldest first, streamed."""
    asked = _ask(request.form)
    format_ = FORMATS.get(format_name)
    if format_ is None or asked.wanted is None:
        raise NotFound
    user = signed_in()
    audit.record(
        "xapi.export_statements",
        user,
        user.id,
        format=format_name,
        filters=sorted(asked.query),
        place=asked.place.name if asked.place else None,
    )
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    name = f"statements-{clock.now():%Y-%m-%d}.{format_.ending}"
    return Response(
        _stream(app, export_parts(format_, asked.wanted, current_language())),
        content_type=format_.content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _stream(app: Flask, parts: Iterator[bytes]) -> Iterator[bytes]:
    """The export part by part, each read in a short transaction of its own."""
    while True:
        with app.app_context(), transaction(write=False):
            part = next(parts, None)
        if part is None:
            return
        yield part


def may_browse(user: User, places: Sequence[object] | None) -> bool:
    """Those who teach a course run."""
    return bool(places)


def run_link(run: object, **values: object) -> Markup:
    """The way from a course run to its statements, for its instructors."""
    url = url_for("xapi_browser.list_statements", run=f"run:{run.uuid}")  # type: ignore[attr-defined]
    return Markup(render_template("xapi/_run_link.html", url=url))  # noqa: S704
