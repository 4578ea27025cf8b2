"""The site's own settings, and the notice that they put on every page."""

from __future__ import annotations

from typing import Any, Literal

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from lms.accounts.forms import NoticeForm
from lms.accounts.permissions import require, signed_in
from lms.accounts.views import administration
from lms.config import LANGUAGES
from lms.core.site_settings import Notice, present_notice, read, write


@administration.route("/settings", methods=["GET", "POST"])
def settings() -> ResponseReturnValue:
    """What the site tells all its visitors; the settings of other rooms are linked."""
    require("accounts.change_settings")
    kept = read(Notice)
    form = NoticeForm(data={"kind": kept.kind, **kept.text})
    if form.validate_on_submit():
        kind: Literal["info", "warning"] = "warning" if form.kind.data == "warning" else "info"
        texts = {code: (form[code].data or "").strip() for code in LANGUAGES}
        notice = Notice(text={code: text for code, text in texts.items() if text}, kind=kind)
        if write(notice, signed_in().id):
            flash(_("The settings are kept. Every page shows them within a minute."), "success")
        return redirect(url_for(".settings"), 303)
    page = render_template(
        "accounts/administration/settings.html",
        form=form,
        texts=[form[code] for code in LANGUAGES],
    )
    return page, 422 if form.errors else 200


def show_notice(**values: Any) -> Markup | None:
    """The notice for the top of a page; nothing while there is none."""
    notice = present_notice()
    if not notice.text:
        return None
    return Markup(render_template("accounts/_notice.html", notice=notice))  # noqa: S704
