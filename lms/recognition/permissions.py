"""Who may do what for an association. The site's administrators decide nothing for a body."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext

from lms.accounts.models import User
from lms.accounts.permissions import Permission
from lms.courses.models import Course
from lms.directory import queries as directory
from lms.directory.models import Organisation
from lms.recognition import queries
from lms.recognition.models import PriorLearningRequest

_REFUSAL = lazy_gettext(
    "Only officers of the association do this. Who administers this site does not decide for an"
    " association, not even as its officer."
)


def _acts_for(user: User, association: Organisation) -> bool:
    return not user.is_administrator and directory.is_officer(user, association)


def _acts_for_any(user: User, subject: Any) -> bool:
    return not user.is_administrator and bool(queries.associations_of_officer(user))


def _is_own(user: User, subject: Any) -> bool:
    return bool(user.id == subject.id)


def _offers(user: User, course: Course) -> bool:
    return directory.is_manager(user, course.owner)


def _sees_request(user: User, request: PriorLearningRequest) -> bool:
    """The learner; an assessor who has declared to be independent; by consent an association."""
    if user.id == request.user_id:
        return True
    assessor = queries.present_assessor(request, user)
    if assessor is not None and assessor.declared_at is not None:
        return True
    if request.association is None or request.handed_in_at is None:
        return False
    return _acts_for(user, request.association)


def all_permissions() -> list[Permission]:
    """The permissions of the room, each with its rule."""
    return [
        Permission(
            "recognition.keep",
            lazy_gettext("Decide for an association"),
            _acts_for,
            administrators=False,
            refusal=_REFUSAL,
        ),
        Permission(
            "recognition.any_desk",
            lazy_gettext("Open the desk of an association"),
            _acts_for_any,
            administrators=False,
            refusal=_REFUSAL,
        ),
        Permission(
            "recognition.ask_prior_learning",
            lazy_gettext("Ask for the recognition of prior learning"),
            lambda user, course: bool(course.is_published),
            administrators=False,
        ),
        Permission(
            "recognition.own_prior_learning",
            lazy_gettext("Put together one’s own request for prior learning"),
            lambda user, request: bool(user.id == request.user_id),
            administrators=False,
        ),
        Permission(
            "recognition.see_prior_learning",
            lazy_gettext("See the evidence of a request for prior learning"),
            _sees_request,
            administrators=False,
        ),
        Permission(
            "recognition.assess_prior_learning",
            lazy_gettext("Assess prior learning"),
            lambda user, request: queries.present_assessor(request, user) is not None,
            administrators=False,
        ),
        Permission(
            "recognition.assess_any",
            lazy_gettext("See the requests that one assesses"),
            lambda user, subject: queries.assesses(user),
            administrators=False,
        ),
        Permission(
            "recognition.offer_prior_learning",
            lazy_gettext("Say how a course recognises prior learning, and name assessors"),
            _offers,
            administrators=False,
        ),
        Permission(
            "recognition.set_prior_learning_fee",
            lazy_gettext("Set the fee of prior learning"),
            _offers,
        ),
        Permission(
            "recognition.waive_prior_learning_fee",
            lazy_gettext("Waive the fee of prior learning for somebody"),
        ),
        Permission(
            "recognition.share_evidence",
            lazy_gettext("Show others the evidence behind one's own certificate"),
            lambda user, credential: bool(credential.user_id == user.id),
            administrators=False,
        ),
        Permission(
            "recognition.my_hours",
            lazy_gettext("See one's own hours"),
            _is_own,
            administrators=False,
        ),
    ]
