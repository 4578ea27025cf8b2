from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.courses.package_tree import SVG
from tests.factories.accounts import make_administrator, make_user
from tests.factories.courses import (
    make_activity,
    make_course,
    make_enrolment,
    make_instructor,
    make_module,
    make_run,
)


@pytest.fixture
def house(app, signed_in) -> SimpleNamespace:
    """A course with two modules, a run with a learner, and browsers of everybody concerned."""
    from lms.courses.services.media import add_media

    course = make_course(
        slug="budgets",
        title={"en": "Budgets", "es": "Presupuestos"},
        description={"en": "About it.", "es": "De qué trata."},
    )
    first = make_module(course, title={"en": "First", "es": "Primero"})
    second = make_module(course, title={"en": "Second", "es": "Segundo"})
    welcome = make_activity(first, slug="welcome", title={"en": "Welcome", "es": "Bienvenida"})
    read = make_activity(first, slug="read", title={"en": "Read", "es": "Leer"}, due_day=7)
    late = make_activity(second, slug="late", title={"en": "Late", "es": "Tarde"})
    instructor = make_instructor(course, name="Ana Author")
    run = make_run(course)
    learner = make_user(name="Lena Learner", email="lena@example.org")
    enrolment = make_enrolment(run, learner)
    other_course = make_course()
    other_author = make_instructor(other_course)
    administrator = make_administrator()
    media = add_media(course, SVG, "plan.svg")
    return SimpleNamespace(
        course=course,
        first=first,
        second=second,
        welcome=welcome,
        read=read,
        late=late,
        run=run,
        enrolment=enrolment,
        media=media,
        staff=course.staff[0],
        instructor=instructor,
        learner=learner,
        other_course=other_course,
        other_author=other_author,
        administrator=administrator,
        author=signed_in(instructor),
        student=signed_in(learner),
        rival=signed_in(other_author),
        admin=signed_in(administrator),
    )
