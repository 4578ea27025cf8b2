"""What the starter courses promise their learners."""

from __future__ import annotations

import pytest
import yaml

from lms.demo.load import packages_folder

COURSES = sorted(path.parent for path in packages_folder().glob("*/course.yaml"))


@pytest.mark.parametrize("folder", COURSES, ids=lambda folder: folder.name)
def test_no_low_grade_closes_the_way_to_the_certificate(folder):
    """Where a mean is asked for, quizzes that may be handed in failed can be repeated."""
    rule = yaml.safe_load((folder / "course.yaml").read_text()).get("completion", {})
    activities = [yaml.safe_load(path.read_text()) for path in folder.glob("modules/*/*-*.yaml")]
    quizzes = [one for one in activities if one["kind"] == "quiz"]

    assert quizzes
    for quiz in quizzes if rule.get("minimum_grade") else ():
        assert quiz["completion"] == "passed" or quiz["settings"]["attempts"] == 0, quiz["title"]
