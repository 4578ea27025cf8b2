from __future__ import annotations

from lms.courses.models import EnrolmentState
from lms.courses.services import enrolment as enrolment_services
from lms.courses.services import progress as progress_services
from tests.factories.accounts import make_user
from tests.factories.courses import make_activity, make_enrolment, make_module, make_run


def test_a_course_is_completed_when_all_required_activities_are(app):
    run = make_run()
    module = make_module(run.course)
    first, second = make_activity(module), make_activity(module)
    make_activity(module, is_required=False)
    enrolment = make_enrolment(run)

    progress_services.complete_activity(enrolment, first)
    assert enrolment.state == EnrolmentState.ACTIVE
    progress_services.complete_activity(enrolment, second)

    assert enrolment.state == EnrolmentState.COMPLETED
    assert enrolment.completed_at is not None


def test_a_freed_seat_goes_to_the_first_who_waits(app):
    run = make_run(capacity=1)
    first = enrolment_services.enrol_free(run, make_user())
    waiting = [enrolment_services.join_waiting_list(run, make_user()) for _ in range(2)]

    enrolment_services.end_enrolment(first, EnrolmentState.WITHDRAWN)

    assert [e.state for e in waiting] == [EnrolmentState.OFFERED, EnrolmentState.WAITLISTED]
    assert waiting[0].offer_expires_at is not None
