"""Loading the demo. Safe to repeat: what is there already is left as it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml
from flask import current_app
from sqlalchemy import select

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.core.registry import EXTENSION
from lms.core.settings import settings
from lms.courses.models import (
    Course,
    CourseCredit,
    CourseRun,
    CourseStaff,
    Enrolment,
    PublicationState,
    Release,
)
from lms.courses.packages.folder_import import FolderImporter
from lms.courses.services.enrolment import enrol_free
from lms.courses.services.search import refresh_search_text
from lms.courses.services.topics import ensure_topics
from lms.demo.certificates import ensure_certificates
from lms.demo.history import ensure_history
from lms.demo.people import (
    ACCOUNTS,
    COHORT,
    COLLEAGUE,
    PASSWORD,
    ensure_membership,
    ensure_person,
    ensure_role,
)
from lms.directory.models import Organisation, OrganisationRoleName
from lms.directory.services import ensure_organisations
from lms.xapi.models import KeyScope, XapiKey
from lms.xapi.services.keys import make_key

PAID, FREE = "tools-for-community-planning", "how-to-learn-with-puente"
Step = Callable[[str], None]


def packages_folder() -> Path:
    """Where the starter courses lie: beside the sources, or inside the installed package."""
    inside = Path(__file__).resolve().parent.parent / "content_packages"
    beside = inside.parent.parent / "content_packages"
    return beside if beside.is_dir() else inside


def load_demo(tell: Step) -> dict[str, Any]:
    """Load courses, people and runs; returns what `demo.json` holds.

    tell: called with what is being done, for the person who waits.
    """
    ensure_topics()
    tell("organisations")
    ensure_organisations(yaml.safe_load((packages_folder() / "organisations.yaml").read_text()))
    organisations = {o.slug: o for o in db.session.scalars(select(Organisation))}
    tell("people")
    people = {
        role: ensure_person(person, is_administrator=role == "admin")
        for role, person in ACCOUNTS.items()
    }
    colleague = ensure_person(COLLEAGUE)
    cohort = [ensure_person(person) for person in COHORT]
    association = organisations["colegio-planificadores"]
    ensure_role(people["association"], association, OrganisationRoleName.OFFICER)
    ensure_role(people["instructor"], organisations["centro-andino"], OrganisationRoleName.MEMBER)
    ensure_membership(people["learner"], association, "CP-1204")
    for slug in (FREE, PAID):
        tell(f"course {slug}")
        course = ensure_course(slug)
        ensure_staff(course, people["instructor"], organisations["centro-andino"])
        ensure_staff(course, colleague, organisations["instituto-puente"])
        ensure_credit(course, association)
    if "pricing" in current_app.extensions[EXTENSION].names:
        from lms.pricing.services.tiers import ensure_tiers

        ensure_tiers()
    if "payments" in current_app.extensions[EXTENSION].names:
        from lms.demo.selling import ensure_seller

        ensure_selling(people["admin"])
        ensure_seller(people["admin"])
    tell("course runs")
    ensure_runs(people, cohort)
    if "recovery" in current_app.extensions[EXTENSION].names:
        from lms.demo.recovery import ensure_costs

        paid = db.session.scalars(select(Course).where(Course.slug == PAID)).one()
        ensure_costs(paid, people["admin"], clock.local_date(clock.now(), "America/La_Paz"))
    if "recognition" in current_app.extensions[EXTENSION].names:
        tell("what the association recognises")
        from lms.demo.prior_learning import ensure_prior_learning
        from lms.demo.recognition import ensure_recognition

        ensure_recognition(
            association,
            organisations["centro-andino"],
            people["association"],
            people["learner"],
            cohort,
        )
        found = {one.slug: one for one in db.session.scalars(select(Course))}
        for slug in (FREE, PAID):
            ensure_role(colleague, found[slug].owner, OrganisationRoleName.MANAGER)
        ensure_prior_learning(
            [found[FREE], found[PAID]], colleague, people["association"], cohort[9], cohort[10]
        )
    tell("a course run of the past")
    ensure_history(people, cohort)
    if "payments" in current_app.extensions[EXTENSION].names:
        from lms.demo.scholarships import ensure_scholarships

        tell("scholarships")
        applicants = [cohort[11], cohort[12], cohort[8]]
        ensure_scholarships(open_run("next"), applicants, people["admin"])
        from lms.demo.banking import ensure_bank_file, ensure_collections

        tell("a file of the bank, and what a partner collects")
        ensure_bank_file(people["admin"])
        shared = db.session.scalars(select(Course).where(Course.slug == PAID)).one()
        ensure_collections(shared, people["admin"], association)
        from lms.demo.seats import ensure_seats

        tell("places for others")
        ensure_seats(
            open_run("next"),
            people["instructor"],
            organisations["centro-andino"],
            cohort[3:5],
            people["admin"],
        )
        from lms.demo.waiting import ensure_waiting

        tell("money that is waited for")
        ensure_waiting(
            open_run("next"),
            open_run("now"),
            open_run("abril"),
            colleague,
            organisations["instituto-puente"],
            people["admin"],
        )
    tell("certificates in each state")
    certificates = ensure_certificates(people, cohort)
    return written(ensure_xapi_key(people["admin"])) | {"certificates": certificates}


def ensure_selling(administrator: User) -> None:
    """Seller and bank account for receipts and transfers, unless they were set."""
    from lms.payments.services.selling import keep_selling_settings, selling_settings

    if any(selling_settings().values()):
        return
    values: dict[str, dict[str, Any]] = {
        "refund_rule": {},
        "seller": {
            "name": "Puente Institute for Professional Learning",
            "address": "120 Example Street\nOttawa ON  K1A 0A1\nCanada",
            "tax_id": "",
            "email": "office@example.org",
        },
        "bank_account": {
            "holder": "Puente Institute for Professional Learning",
            "bank": "Example Bank, Ottawa",
            "account": "0000-000000",
            "swift": "EXAMCATT",
        },
    }
    keep_selling_settings(values, by=administrator)


def ensure_course(slug: str) -> Course:
    """A starter course, imported and published when it is missing."""
    course = db.session.scalar(select(Course).where(Course.slug == slug))
    if course is None:
        course = FolderImporter().read(packages_folder() / slug, None).course
        course.state = PublicationState.PUBLISHED
        db.session.flush()
        refresh_search_text(course)
    return course


def ensure_staff(course: Course, user: User, organisation: Organisation) -> None:
    """Let the person write and teach the course."""
    if not any(member.user_id == user.id for member in course.staff):
        course.staff.append(CourseStaff(user=user, organisation=organisation))
        db.session.flush()


def ensure_credit(course: Course, association: Organisation) -> None:
    """Let the association credit the course's hours."""
    if not course.credits:
        course.credits.append(
            CourseCredit(organisation=association, hours=course.hours, reference="CP-CE-0117")
        )
        db.session.flush()


def ensure_run(course: Course, slug: str, starts_on: date, days: int, **values: Any) -> CourseRun:
    """A published course run."""
    run = db.session.scalar(
        select(CourseRun).where(CourseRun.course_id == course.id, CourseRun.slug == slug)
    )
    if run is None:
        run = CourseRun(
            course=course,
            slug=slug,
            starts_on=starts_on,
            ends_on=starts_on + timedelta(days=days - 1),
            state=PublicationState.PUBLISHED,
            **({"time_zone": "America/La_Paz", "language": "en"} | values),
        )
        db.session.add(run)
        db.session.flush()
    return run


def ensure_runs(people: dict[str, User], cohort: list[User]) -> None:
    """Runs that are open now, soon and later; the cohort learns in the free one."""
    paid = db.session.scalars(select(Course).where(Course.slug == PAID)).one()
    free = db.session.scalars(select(Course).where(Course.slug == FREE)).one()
    today = clock.local_date(clock.now(), "America/La_Paz")
    price = Money(18000, "CAD")
    sold = ensure_run(
        paid, "now", today - timedelta(days=2), 21,
        price=price, capacity=40, release=Release.AT_ONCE,
    )  # fmt: skip
    later = ensure_run(paid, "next", today + timedelta(days=26), 21, price=price, capacity=30)
    april = ensure_run(
        paid, "abril", today + timedelta(days=82), 21,
        price=Money(90000, "BOB"), capacity=25, language="es",
    )  # fmt: skip
    if "pricing" in current_app.extensions[EXTENSION].names:
        from lms.demo.prices import ensure_prices

        for run in (sold, later, april):
            ensure_prices(run, people["admin"])
    run = ensure_run(
        free, "now", today - timedelta(days=4), 28,
        price=Money(0, "CAD"), capacity=None, release=Release.AT_ONCE,
    )  # fmt: skip
    for user in (people["learner"], *cohort[:8]):
        known = db.session.scalar(
            select(Enrolment.id).where(Enrolment.run_id == run.id, Enrolment.user_id == user.id)
        )
        if known is None:
            enrol_free(run, user)


def open_run(slug: str) -> CourseRun:
    """A run of the course that costs something."""
    found = select(CourseRun).join(Course).where(Course.slug == PAID, CourseRun.slug == slug)
    return db.session.scalars(found).one()


def ensure_xapi_key(administrator: User) -> tuple[str, str]:
    """Key and secret for the xAPI endpoint, the same as long as `demo.json` is kept."""
    path = settings().data_path / "demo.json"
    if path.exists():
        kept = json.loads(path.read_text()).get("xapi", {})
        known = db.session.scalar(select(XapiKey.id).where(XapiKey.key == kept.get("key", "")))
        if known is not None:
            return kept["key"], kept["secret"]
    return make_key("Demo", KeyScope.ALL, administrator.id)


def written(key: tuple[str, str]) -> dict[str, Any]:
    """What scripts need to know, as written to `demo.json`."""
    base = settings().base_url
    return {
        "base_url": base,
        "accounts": {
            role: {"email": person.email, "password": PASSWORD} for role, person in ACCOUNTS.items()
        },
        "xapi": {"endpoint": f"{base}/xapi/", "key": key[0], "secret": key[1]},
    }
