"""What several pages of the room say in the same words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from flask_babel import get_timezone, lazy_gettext
from flask_babel import gettext as _

from lms.certificates.forms import ALL_REASONS
from lms.certificates.models import Credential
from lms.certificates.names import NameMatch
from lms.certificates.open_badge import assessment_text
from lms.certificates.services.verify import Check, State
from lms.certificates.verifier.outcome import Problem
from lms.certificates.views import bp
from lms.core import clock
from lms.core.templating import format_days, format_long_date


@bp.app_template_filter("revocation_text")
def revocation_text(reason: str | None) -> str:
    """The public reason of a revocation as a sentence."""
    return str(ALL_REASONS.get(reason or "", ""))


@bp.app_template_filter("long_day")
def long_day(at: datetime | None) -> str:
    """The day of an instant, written out, in the reader's zone."""
    if at is None:
        return ""
    return format_long_date(clock.local_date(at, str(get_timezone())))


@bp.app_template_filter("state_name")
def state_name(state: str) -> str:
    """A verdict in one word."""
    names: dict[str, str] = {
        State.VALID: _("Valid"),
        State.REVOKED: _("Revoked"),
        State.SUPERSEDED: _("Replaced"),
        State.EXPIRED: _("Expired"),
        State.EARLY: _("Not valid yet"),
        State.PARTLY: _("Partly valid"),
        State.ALTERED: _("Altered"),
        State.UNKNOWN: _("Unknown"),
        State.UNCHECKED: _("Could not be checked"),
        "unreadable": _("Unreadable"),
        "missing": _("No such file"),
    }
    return str(names[state])


@bp.app_template_filter("row_days")
def row_days(row: Mapping[str, Any]) -> str:
    """The days of the course that a row of a report tells; empty when it tells none."""
    first, last = row.get("startsOn"), row.get("endsOn")
    if not first or not last:
        return ""
    return format_days(date.fromisoformat(first), date.fromisoformat(last))


NAME_MATCHES = {
    NameMatch.MATCH: lazy_gettext("Same name"),
    NameMatch.NO_MATCH: lazy_gettext("Another name"),
    NameMatch.NOT_ENOUGH: lazy_gettext("Cannot be told"),
}


def state_of(credential: Credential) -> State:
    """How the register alone has it, for lists."""
    if credential.is_superseded:
        return State.SUPERSEDED
    if credential.is_revoked:
        return State.REVOKED
    return State.EXPIRED if credential.is_expired(clock.now()) else State.VALID


def check_texts(checks: Mapping[Check, bool | None]) -> list[tuple[bool | None, str]]:
    """What was checked in words, each with its outcome; None for what could not be checked."""
    texts = {
        Check.ISSUER: (
            _("The key belongs to the issuer who is named"),
            _("The key does not belong to the issuer who is named"),
            _("The issuer’s key could not be checked"),
        ),
        Check.SIGNATURE: (
            _("Digital signature of the issuer (Open Badges 3.0)"),
            _("The digital signature of the issuer does not fit"),
            _("The digital signature could not be checked"),
        ),
        Check.REGISTER: (
            _("Same content as in the issuer’s register"),
            _("The content is not the one in the issuer’s register"),
            "",
        ),
        Check.FILE: (
            _("The file is, byte for byte, the one that was issued"),
            _("The file is not the one that was issued"),
            "",
        ),
        Check.NOT_REVOKED: (
            _("Not revoked"),
            _("Revoked by the issuer"),
            _("Whether it was revoked could not be checked"),
        ),
        Check.NOT_SUSPENDED: (
            _("Not suspended"),
            _("Suspended by the issuer"),
            _("Whether it was suspended could not be checked"),
        ),
        Check.BEGUN: (
            _("Its validity has begun"),
            _("Its validity has not begun yet"),
            _("The day from which it is valid cannot be read"),
        ),
        Check.NOT_EXPIRED: (
            _("Not expired"),
            _("No longer valid at this date"),
            _("The day until which it is valid cannot be read"),
        ),
    }
    place = {True: 0, False: 1, None: 2}
    return [(holds, str(texts[check][place[holds]])) for check, holds in checks.items()]


@bp.app_template_filter("problem_text")
def problem_text(problem: Problem | None) -> str:
    """Why something could not be checked, and what helps."""
    if problem is None:
        return ""
    texts = {
        Problem.ISSUER_AWAY: _(
            "The issuer’s public identity could not be fetched. Try again later, or ask the issuer."
        ),
        Problem.ISSUER_KIND: _(
            "The issuer is named in a way that cannot be looked up here (known are did:web, did:key"
            " and key sets over https)."
        ),
        Problem.STATUS_AWAY: _(
            "The issuer’s list of revoked certificates could not be fetched. Try again later."
        ),
        Problem.STATUS_KIND: _(
            "The issuer publishes revocations in a form that is not read here. Ask the issuer."
        ),
        Problem.STATUS_INVALID: _(
            "The issuer’s list of revoked certificates is out of date or not signed by the issuer."
        ),
        Problem.PROOF_KIND: _("It is signed in a way that is not read here."),
        Problem.CONTEXT: _("It uses terms that are not known here."),
        Problem.TOO_LARGE: _("It is too large or too entangled to be checked here."),
        Problem.BUSY: _("Another certificate is being checked. Try again in a moment."),
    }
    return str(texts[problem])


def whole_facts(credential: Credential) -> dict[str, Any]:
    """The register's entry in the form that pages show, with the grade."""
    facts = credential.facts
    run = facts["run"]
    return {
        **facts,
        "first": date.fromisoformat(run["starts_on"]),
        "last": date.fromisoformat(run["ends_on"]),
        "methods": assessment_text(facts),
        "owner": facts["organisations"][0],
        "partners": facts["organisations"][1:],
    }


def shown_facts(credential: Credential) -> dict[str, Any]:
    """The same as strangers see it: without the grade when the holder hides it."""
    facts = whole_facts(credential)
    return facts if credential.shows_grade else {**facts, "grade": None}
