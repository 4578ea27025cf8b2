"""What is recognised as prior learning counts as waived: apart from what was done."""

from __future__ import annotations

import pytest

from lms.assessments import queries as assessments
from lms.core.db import db
from lms.courses.models import Activity, Enrolment, EnrolmentState
from lms.courses.queries.study import outline_of
from lms.courses.queries.teaching import list_learners
from lms.courses.services import learners, progress
from lms.courses.services.learners import Recipients
from tests.courses.test_statements import statements
from tests.factories.accounts import make_user
from tests.factories.courses import (
    make_activity,
    make_course,
    make_enrolment,
    make_module,
    make_run,
)
from tests.factories.directory import make_manager


def enrolled(count: int = 3, **values) -> tuple[Enrolment, list[Activity]]:
    course = make_course(**values)
    module = make_module(course)
    activities = [make_activity(module) for _number in range(count)]
    return make_enrolment(make_run(course)), activities


def test_a_waived_activity_counts_and_is_not_done(app):
    enrolment, [first, *_others] = enrolled()

    progress.waive_activities(enrolment, [first], 4.0)

    step = outline_of(enrolment).steps[0]
    assert (step.is_done, step.is_waived, step.progress.completed_at) == (True, True, None)
    assert outline_of(enrolment).done == 1
    assert outline_of(enrolment).next_step.activity is not first
    assert enrolment.waived_hours == 4.0
    [[_enrolment, done]] = db.session.execute(list_learners(enrolment.run)).all()
    assert done == 1


def test_waiving_twice_says_it_once(app):
    enrolment, [first, *_others] = enrolled()

    assert progress.waive_activities(enrolment, [first], 4.0) == [first]
    assert progress.waive_activities(enrolment, [first], 4.0) == []

    [statement] = statements()
    assert statement["verb"]["id"] == "https://w3id.org/xapi/adl/verbs/waived"


def test_what_is_done_stays_done(app):
    enrolment, [first, *_others] = enrolled()
    progress.complete_activity(enrolment, first)

    progress.waive_activities(enrolment, [first], 4.0)

    assert not outline_of(enrolment).steps[0].is_waived


def test_the_course_is_completed_with_the_last_thing_that_is_not_waived(app):
    enrolment, [first, second, third] = enrolled()
    progress.waive_activities(enrolment, [first, second], 8.0)
    assert enrolment.state == EnrolmentState.ACTIVE

    progress.complete_activity(enrolment, third)

    assert enrolment.state == EnrolmentState.COMPLETED


@pytest.mark.needs("assessments")
def test_the_grade_is_of_what_was_not_waived(app):
    enrolment, _pages = enrolled(0, minimum_grade=0.6)
    module = enrolment.run.course.modules[0]
    waived, done = (make_activity(module, kind="quiz") for _number in range(2))
    progress.waive_activities(enrolment, [waived], 4.0)

    progress.complete_activity(enrolment, done, score=0.7)

    assert (enrolment.state, enrolment.grade) == (EnrolmentState.COMPLETED, 0.7)
    grades = assessments.grades_of([enrolment], [waived, done])
    own = {activity_id: row for (_enrolment, activity_id), row in grades.items()}
    assert assessments.course_grade([waived, done], own) == 0.7


@pytest.mark.needs("assessments")
def test_when_all_that_is_graded_is_waived_no_grade_is_asked_for(app):
    enrolment, [page] = enrolled(1, minimum_grade=0.6)
    quiz = make_activity(page.module, kind="quiz")
    progress.waive_activities(enrolment, [quiz], 4.0)

    progress.complete_activity(enrolment, page)

    assert (enrolment.state, enrolment.grade) == (EnrolmentState.COMPLETED, None)


def test_nobody_is_behind_with_what_is_waived(app):
    enrolment, [first] = enrolled(1)
    first.due_day = 1
    progress.start_activity(enrolment, first)
    db.session.commit()
    assert learners.recipients(enrolment.run, Recipients.BEHIND) == [enrolment.user_id]

    make_activity(first.module)  # so that the course is not completed by it
    progress.waive_activities(enrolment, [first], 4.0)

    assert learners.recipients(enrolment.run, Recipients.BEHIND) == []


@pytest.mark.needs("assessments")
def test_pages_say_waived(signed_in):
    learner = make_user()
    course = make_course()
    quiz = make_activity(make_module(course), kind="quiz")
    page = make_activity(quiz.module)
    enrolment = make_enrolment(make_run(course), learner)
    progress.waive_activities(enrolment, [quiz, page], 4.0)
    enrolment.state = "active"
    db.session.commit()

    run = enrolment.run
    study = signed_in(learner).get(f"/study/{run.id}/{page.slug}").data
    assert b"Waived on" in study
    assert b"waived" in signed_in(learner).get(f"/study/{run.id}/grades").data.lower()
    manager = signed_in(make_manager(course.owner))
    one = manager.get(f"/teach/courses/{course.slug}/runs/{run.id}/learners/{enrolment.id}")
    assert b"Hours waived" in one.data
