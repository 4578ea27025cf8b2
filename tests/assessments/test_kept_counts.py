"""How many questions an outline tells of is kept, and changes with the questions."""

from __future__ import annotations

from lms.core.db import db
from tests.factories.assessments import make_learner, make_question, make_quiz


def test_the_outline_of_a_course_tells_of_a_new_and_of_a_retired_question_at_once(signed_in):
    quiz = make_quiz()
    enrolment = make_learner(quiz)
    browser = signed_in(enrolment.user)

    def page():
        return browser.get(f"/study/{enrolment.run_id}/{quiz.slug}").text

    assert "1 question" in page()
    assert "1 question" in page()  # from what was kept
    added = make_question(quiz)
    assert "2 questions" in page()
    added.is_retired = True
    db.session.commit()
    assert "2 questions" not in page()
