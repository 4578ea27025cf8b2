"""What several pages of the room say in the same words."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask_babel import get_timezone
from flask_babel import gettext as _

from lms.certificates.forms import ALL_REASONS
from lms.certificates.models import Credential
from lms.certificates.open_badge import assessment_text
from lms.certificates.services.verify import Check, State, Verdict
from lms.certificates.views import bp
from lms.core import clock
from lms.core.templating import format_long_date


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
    names = {
        State.VALID: _("Valid"),
        State.REVOKED: _("Revoked"),
        State.EXPIRED: _("Expired"),
        State.ALTERED: _("Altered"),
        State.UNKNOWN: _("Unknown"),
    }
    return str(names[State(state)])


def state_of(credential: Credential) -> State:
    """How the register alone has it, for lists."""
    if credential.is_revoked:
        return State.REVOKED
    return State.EXPIRED if credential.is_expired(clock.now()) else State.VALID


def check_texts(verdict: Verdict) -> list[tuple[bool, str]]:
    """What was checked, each with its outcome."""
    texts = {
        Check.SIGNATURE: (
            _("Digital signature of the issuer (Ed25519, Open Badges 3.0)"),
            _("The digital signature of the issuer does not fit"),
        ),
        Check.REGISTER: (
            _("Same content as in the issuer’s register"),
            _("The content is not the one in the issuer’s register"),
        ),
        Check.FILE: (
            _("The file is, byte for byte, the one that was issued"),
            _("The file is not the one that was issued"),
        ),
        Check.NOT_REVOKED: (_("Not revoked"), _("Revoked by the issuer")),
        Check.NOT_EXPIRED: (_("Not expired"), _("No longer valid at this date")),
    }
    return [
        (holds, str(texts[check][0 if holds else 1])) for check, holds in verdict.checks.items()
    ]


def shown_facts(credential: Credential) -> dict[str, Any]:
    """The register's entry in the form that pages show."""
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
