"""One's own memberships of professional associations."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.models import User
from lms.accounts.permissions import require, signed_in
from lms.directory import queries, services
from lms.directory.forms import MembershipForm
from lms.directory.views import bp


def _own() -> User:
    user = signed_in()
    require("directory.keep_memberships", user)
    return user


@bp.route("/account/memberships", methods=["GET", "POST"])
def memberships() -> ResponseReturnValue:
    """See and add the associations one belongs to."""
    user = _own()
    form = MembershipForm(queries.associations())
    if form.validate_on_submit():
        organisation = queries.get_organisation(form.association.data)
        services.keep_membership(user, organisation, form.number.data)
        flash(_("Your membership is kept."), "success")
        return redirect(url_for(".memberships"), 303)
    return render_template(
        "directory/memberships.html", form=form, memberships=queries.memberships_of(user.id)
    ), 422 if form.errors else 200


@bp.post("/account/memberships/<int:membership_id>/remove")
def end_membership(membership_id: int) -> ResponseReturnValue:
    """Forget a membership."""
    user = _own()
    services.end_membership(queries.get_membership(membership_id, user))
    flash(_("The membership is removed."), "success")
    return redirect(url_for(".memberships"), 303)
