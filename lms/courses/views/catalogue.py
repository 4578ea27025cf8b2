"""Open pages: the catalogue, a course, its share picture, the sitemap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from lms.accounts.models import User
from lms.accounts.permissions import can, present_user
from lms.config import LANGUAGES
from lms.core import clock
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.fragments import find_kept, keep, reader_key
from lms.core.stamps import stamp_of
from lms.core.templating import format_day
from lms.core.web import absolute_url, page_number, public
from lms.courses.enrolment_methods.base import (
    EnrolmentMethod,
    ShownPrice,
    enrolment_methods,
    shown_prices,
)
from lms.courses.forms.learner import CatalogueFilters
from lms.courses.media import media_links
from lms.courses.models import Course, CourseRun, Enrolment, EnrolmentState
from lms.courses.queries import catalogue, courses, enrolments
from lms.courses.queries.catalogue import Card, RunState, run_state
from lms.courses.share_picture import draw_share_picture, share_picture_tag
from lms.courses.structured_data import course_data
from lms.courses.views import bp, shared
from lms.directory.models import Organisation
from lms.directory.queries import list_organisations


@bp.get("/")
@public
def home() -> ResponseReturnValue:
    """The front page: what Puente is, and its next courses."""
    return _catalogue_page("courses/home.html")


@bp.get("/courses")
@public
def course_list() -> ResponseReturnValue:
    """All courses, searched and filtered."""
    return _catalogue_page("courses/catalogue.html")


@dataclass(frozen=True)
class _List:
    """The drawn list, and how many courses were found."""

    html: Markup
    total: int


def _catalogue_page(template: str) -> ResponseReturnValue:
    form = CatalogueFilters(request.args)
    kept: dict[str, str] = form.kept()
    found = _list(form, kept)
    return render_template(
        template,
        list=found.html,
        total=found.total,
        kept=kept,
        kept_without_query={name: value for name, value in kept.items() if name != "q"},
        canonical=absolute_url(request.endpoint or ""),
        alternates=[(code, absolute_url(request.endpoint or "", lang=code)) for code in LANGUAGES],
    )


def _list(form: CatalogueFilters, kept: dict[str, str]) -> _List:
    """The list, drawn anew every ten minutes, and after each change of a course or a seat."""
    stamp, number = stamp_of(catalogue.STAMP), page_number()
    period = int(clock.now().timestamp()) // 600
    key = ("catalogue", stamp, period, reader_key(), number, tuple(kept.items()))
    drawn: _List | None = find_kept(key) if stamp else None
    if drawn is None:
        drawn = _draw_list(form, number, kept)
        if stamp:
            keep(key, drawn, len(drawn.html))
    return drawn


def _draw_list(form: CatalogueFilters, number: int, kept: dict[str, Any]) -> _List:
    page = catalogue.search_courses(form.filters(), number)

    def page_url(number: int) -> str:
        return url_for("courses.course_list", **kept, page=number if number > 1 else None)

    def topic_url(topic: str) -> str:
        return url_for("courses.course_list", **(kept | {"topic": topic or None}))

    prices = shown_prices([card.run for card in page.items if card.run], is_list=True)
    html = render_template(
        "courses/_list.html",
        page=page,
        cards=[shared.card_values(card, prices=prices) for card in page.items],
        kept=kept,
        choices=_filter_choices(catalogue.choices()),
        page_url=page_url,
        topic_url=topic_url,
    )
    return _List(Markup(html), page.total)  # noqa: S704 - a template's


def _filter_choices(choices: catalogue.Choices) -> dict[str, Any]:
    return {
        "topics": choices.topics,
        "months": [("", _("Any time"))]
        + [(f"{month:%Y-%m}", format_day(month, "yMMMM")) for month in choices.months],
        "languages": [("", _("Any language")), *LANGUAGES.items()],
        "prices": [("", _("Any price")), ("free", _("Free")), ("paid", _("With a price"))],
        "currencies": [(code, code) for code in choices.currencies],
        "weeks": [("", _("Any length"))]
        + [(number, shared.weeks_text(number)) for number in (2, 3, 4)],
        "credit": [("", _("With or without")), ("yes", _("With credit"))],
    }


@dataclass(frozen=True)
class RunOffer:
    """A run on the course page, with what this visitor can do about it."""

    run: CourseRun
    state: RunState
    state_text: str
    places_left: int | None
    enrolment: Enrolment | None
    methods: list[EnrolmentMethod]
    position: int | None  # on the waiting list
    price: ShownPrice

    @property
    def may_wait(self) -> bool:
        """Whether the visitor can join the waiting list."""
        is_outside = self.enrolment is None or self.enrolment.state in (
            EnrolmentState.WITHDRAWN,
            EnrolmentState.REFUNDED,
            EnrolmentState.EXPIRED,
        )
        return self.state == RunState.FULL and is_outside


@bp.get("/courses/<slug>")
@public
def course_page(slug: str) -> ResponseReturnValue:
    """All about a course, and the ways into its runs."""
    course = courses.get_course_for_page(slug)
    if not can("courses.see", course):
        raise NotFound
    offers = _offers(course, present_user())
    return render_template(
        "courses/course.html",
        course=course,
        offers=offers,
        links=media_links(course),
        structured_data=course_data(course, [(o.run, o.state) for o in offers]),
        canonical=absolute_url("courses.course_page", slug=slug, **_chosen_language()),
        share_url=absolute_url("courses.share_picture", slug=slug, **_chosen_language()),
        alternates=_alternates(course),
        credit=shared.credit_text(course),
    )


def _offers(course: Course, user: User | None) -> list[RunOffer]:
    now = clock.now()
    rows = catalogue.list_runs_for_page(course, user)
    waits = any(mine and mine.state == EnrolmentState.WAITLISTED for _run, _seats, mine in rows)
    positions = enrolments.waiting_positions(user) if user and waits else {}
    prices = shown_prices([run for run, _seats, _mine in rows], user)
    offers = []
    for run, taken, enrolment in rows:
        state = run_state(run, taken, now)
        can_enter = state not in (RunState.FULL, RunState.CLOSED, RunState.NOT_YET_OPEN)
        has_seat = enrolment is not None and enrolment.state in (
            EnrolmentState.OFFERED,
            EnrolmentState.PENDING_PAYMENT,
        )
        methods = (
            [m for m in enrolment_methods.values() if m.is_open(run, user)]
            if can_enter or has_seat
            else []
        )
        offers.append(
            RunOffer(
                run=run,
                state=state,
                state_text=shared.state_text(run, state),
                places_left=None if run.capacity is None else max(0, run.capacity - taken.taken),
                enrolment=enrolment,
                methods=methods,
                position=positions.get(run.id),
                price=prices.get(run.id) or ShownPrice(shared.price_text(run)),
            )
        )
    return offers


def _chosen_language() -> dict[str, str]:
    wanted = request.args.get("lang", "")
    return {"lang": wanted} if wanted in LANGUAGES else {}


def _alternates(course: Course) -> list[tuple[str, str]]:
    return [
        (code, absolute_url("courses.course_page", slug=course.slug, lang=code))
        for code in course.languages
        if code in LANGUAGES
    ]


@bp.get("/courses/<slug>/share.png")
@public
def share_picture(slug: str) -> ResponseReturnValue:
    """The picture that social networks show for a course."""
    course = courses.get_course_for_page(slug)
    if not can("courses.see", course):
        raise NotFound
    response = Response(content_type="image/png")
    response.set_etag(share_picture_tag(course))
    response.headers["Cache-Control"] = "public, max-age=86400"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.make_conditional(request)
    if response.status_code != 304:
        response.set_data(draw_share_picture(course))
    return response


def organisation_courses(organisation: Organisation) -> Markup | None:
    """What an organisation teaches, for its page."""
    found = courses.list_courses_of(organisation)
    if not found:
        return None
    cards = [shared.card_values(Card(course, None, None)) | {"status": None} for course in found]
    return Markup(render_template("courses/_of_organisation.html", cards=cards))  # noqa: S704


@bp.get("/sitemap.xml")
@public
def sitemap() -> ResponseReturnValue:
    """All open pages with their languages, for search engines."""
    pages = [
        (absolute_url(endpoint), [(code, absolute_url(endpoint, lang=code)) for code in LANGUAGES])
        for endpoint in ("courses.home", "courses.course_list")
    ]
    entries: list[dict[str, Any]] = [{"url": url, "alternates": alt} for url, alt in pages]
    entries += [
        {
            "url": absolute_url("courses.course_page", slug=course.slug),
            "alternates": _alternates(course),
            "changed": course.updated_at,
        }
        for course in courses.list_published_courses()
    ]
    for organisation in db.session.scalars(list_organisations()):
        url = absolute_url("directory.organisation", slug=organisation.slug)
        alternates = [(code, f"{url}?lang={code}") for code in LANGUAGES]
        entries.append({"url": url, "alternates": alternates})
    xml = render_template("courses/sitemap.xml", entries=entries)
    return Response(xml, content_type="application/xml; charset=utf-8")
