"""Words of requests that templates and mails use."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _

from lms.core.templating import format_day
from lms.recognition.views import bp


@bp.app_template_filter("iso_day")
def iso_day(text: str) -> str:
    """A day of the values of a notice, in the reader's language."""
    return format_day(date.fromisoformat(text))


@bp.app_template_filter("step_text")
def step_text(what: str) -> str:
    """A step of a request's history in words."""
    texts = {
        "opened": _("Opened"),
        "evidence_added": _("Evidence added"),
        "evidence_changed": _("Evidence changed"),
        "evidence_removed": _("Evidence removed"),
        "fee_due": _("Put together; the fee is to be paid"),
        "fee_paid": _("Fee paid"),
        "fee_waived": _("Fee waived"),
        "fee_goes_back": _("The fee goes back"),
        "fee_returned": _("The fee went back"),
        "handed_in": _("Handed in"),
        "withdrawn": _("Withdrawn"),
        "shared": _("Changed: which association may look"),
        "assessor_named": _("Assessor named"),
        "independence_declared": _("The assessor declared to be independent"),
        "conflict_declared": _("The assessor stepped back"),
        "more_asked": _("More evidence asked for"),
        "decided": _("Decided"),
        "appealed": _("Appealed"),
        "appeal_decided": _("Decided on appeal"),
        "credential_issued": _("Credential issued"),
        "appeal_over": _("The time for an appeal is over"),
        "evidence_deleted": _("Files and contacts deleted, since their time was over"),
    }
    return str(texts.get(what, what))
