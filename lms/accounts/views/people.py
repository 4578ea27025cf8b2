"""People, for administrators."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts import queries
from lms.accounts.models import User
from lms.accounts.permissions import require, signed_in
from lms.accounts.services import administration as services
from lms.accounts.services import second_factor
from lms.accounts.step_up import require_second_factor_if_any
from lms.accounts.views import administration
from lms.core.pagination import paginate
from lms.core.places import country_name
from lms.core.text import fold
from lms.core.web import page_number


@administration.get("/people")
def people() -> ResponseReturnValue:
    """All people, to be searched and filtered."""
    require("accounts.administer")
    chosen = {
        name: request.args.get(name, "").strip() for name in ("q", "role", "country", "state")
    }
    statement = queries.list_people(
        chosen["q"], role=chosen["role"], country=chosen["country"], state=chosen["state"]
    )
    countries = [(code, country_name(code)) for code in queries.countries_of_people()]
    return render_template(
        "accounts/administration/people.html",
        page=paginate(statement, page_number(), 50),
        chosen=chosen,
        countries=sorted(countries, key=lambda pair: fold(pair[1])),
    )


@administration.get("/people/<int:user_id>")
def person(user_id: int) -> ResponseReturnValue:
    """One person, and what may be done with the account."""
    user = queries.get_user(user_id)
    require("accounts.administer", user)
    return render_template(
        "accounts/administration/person.html",
        person=user,
        has_second_factor=queries.has_second_factor(user),
    )


def _act(user_id: int, act: Callable[[User, User], None], said: str) -> ResponseReturnValue:
    user = queries.get_user(user_id)
    require("accounts.administer", user)
    act(user, signed_in())
    flash(said, "success")
    return redirect(url_for(".person", user_id=user.id), 303)


@administration.post("/people/<int:user_id>/deactivate")
def deactivate(user_id: int) -> ResponseReturnValue:
    """Switch the account off."""
    return _act(user_id, services.deactivate, _("The account is switched off."))


@administration.post("/people/<int:user_id>/reactivate")
def reactivate(user_id: int) -> ResponseReturnValue:
    """Switch the account on again."""
    return _act(user_id, services.reactivate, _("The account is switched on again."))


@administration.post("/people/<int:user_id>/make-administrator")
def make_administrator(user_id: int) -> ResponseReturnValue:
    """Let the person administer."""
    require("accounts.administer", queries.get_user(user_id))
    require_second_factor_if_any()
    return _act(user_id, services.make_administrator, _("This person is an administrator now."))


@administration.post("/people/<int:user_id>/second-factor/reset")
def reset_second_factor(user_id: int) -> ResponseReturnValue:
    """Help somebody who lost the app and the recovery codes."""
    require("accounts.administer", queries.get_user(user_id))
    require_second_factor_if_any()
    return _act(
        user_id, second_factor.reset, _("The second factor is reset, and the person is told.")
    )


@administration.post("/people/<int:user_id>/unmake-administrator")
def unmake_administrator(user_id: int) -> ResponseReturnValue:
    """Take the right to administer away."""
    return _act(
        user_id, services.unmake_administrator, _("This person is no administrator any more.")
    )


@administration.post("/people/<int:user_id>/confirmation")
def resend_confirmation(user_id: int) -> ResponseReturnValue:
    """Mail the link for confirming again."""
    return _act(user_id, services.resend_confirmation, _("The mail is on its way."))
