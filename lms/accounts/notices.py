"""The letters of an account: mails that must arrive, whatever somebody chose about notices.

Links with tokens are made when the mail is sent, so that none lies in the outbox.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import css_inline
from flask import current_app
from flask_babel import gettext as _

from lms.accounts import tokens
from lms.accounts.models import User
from lms.core.language import speaking
from lms.core.mail import deliver, make_mail
from lms.core.markdown import render_markdown
from lms.core.settings import settings
from lms.core.web import absolute_url


@dataclass(frozen=True)
class Letter:
    """One kind of mail.

    subject: called in the reader's language. link: user, address written to and key of the
    registration -> the address behind the letter's one button.
    """

    subject: Callable[[], str]
    button: Callable[[], str]
    link: Callable[[User, str, str], str]


LETTERS = {
    "confirm": Letter(
        lambda: _("Confirm your address"),
        lambda: _("Confirm my address"),
        lambda user, to, registration: absolute_url(
            "accounts.confirm", token=tokens.confirmation_token(registration)
        ),
    ),
    "claim": Letter(
        lambda: _("Claim your account"),
        lambda: _("Claim my account"),
        lambda user, to, registration: absolute_url(
            "accounts.claim", token=tokens.claim_token(user)
        ),
    ),
    "known": Letter(
        lambda: _("You already have an account"),
        lambda: _("Sign in"),
        lambda user, to, registration: absolute_url("accounts.sign_in"),
    ),
    "reset": Letter(
        lambda: _("Choose a new password"),
        lambda: _("Choose a new password"),
        lambda user, to, registration: absolute_url(
            "accounts.reset_password", token=tokens.reset_token(user)
        ),
    ),
    "password_changed": Letter(
        lambda: _("Your password was changed"),
        lambda: _("Go to my account"),
        lambda user, to, registration: absolute_url("accounts.security"),
    ),
    "second_factor_on": Letter(
        lambda: _("Your second factor is on"),
        lambda: _("Go to my account"),
        lambda user, to, registration: absolute_url("accounts.second_factor"),
    ),
    "second_factor_off": Letter(
        lambda: _("Your second factor was removed"),
        lambda: _("Go to my account"),
        lambda user, to, registration: absolute_url("accounts.second_factor"),
    ),
    "new_email": Letter(
        lambda: _("Confirm your new address"),
        lambda: _("Use this address"),
        lambda user, to, registration: absolute_url(
            "accounts.confirm_new_email", token=tokens.new_email_token(user, to)
        ),
    ),
    "email_changed": Letter(
        lambda: _("Your address was changed"),
        lambda: _("Go to my account"),
        lambda user, to, registration: absolute_url("accounts.security"),
    ),
    "download_ready": Letter(
        lambda: _("Your data is ready to download"),
        lambda: _("Go to the download"),
        lambda user, to, registration: absolute_url("accounts.data"),
    ),
    "closed": Letter(
        lambda: _("Your account is closed"),
        lambda: _("Go to the first page"),
        lambda user, to, registration: settings().base_url,
    ),
}


def send_letter(
    user: User,
    letter: str,
    *,
    to: str | None = None,
    name: str | None = None,
    registration: str = "",
) -> None:
    """Write the letter in the person's language and send it."""
    kind = LETTERS[letter]
    address = to or user.address
    with speaking(user.language):
        subject = kind.subject()
        values: dict[str, Any] = {
            "subject": subject,
            "button": kind.button(),
            "link": kind.link(user, address, registration),
            "name": name or user.name,
            "site_name": settings().site_name,
            "home": settings().base_url,
            "help_address": settings().admin_email,
            "address": address,
            "user": user,
            "language": user.language,
            "unsubscribe": None,
        }
        body = _render(f"accounts/mail/{letter}.md", values)
        text = _render("accounts/mail/letter.txt", values | {"body": body})
        html = _render("accounts/mail/letter.html", values | {"body": render_markdown(body)})
    deliver(make_mail(address, subject, text, css_inline.inline(html), language=user.language))


def _render(template: str, values: dict[str, Any]) -> str:
    return current_app.jinja_env.get_template(template).render(values).strip()
