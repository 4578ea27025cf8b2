"""The frame of every page, drawn once for all who see the same: head of the page, foot, texts.

What differs from visitor to visitor is put in at marks that no template and no visitor can write.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from flask import request
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from lms.core.fragments import keep_fragment, reader_key
from lms.core.once import page_word

# U+0000 cannot stand in an HTML page, and no form takes it
_TOKEN, _HERE, _NAME, _WORD = (f"\0{mark}\0" for mark in ("token", "here", "name", "word"))


@pass_context
def masthead(context: Context) -> Markup:
    """The head of the page: brand, menus, language, account."""
    menus = (context["navigation"], context["account_menu"], context["admin_menu"])
    is_signed_in = current_user.is_authenticated
    unread = context.get("unread_count", 0)
    key = (
        "masthead",
        reader_key(),
        context["site_name"],
        request.endpoint,
        is_signed_in,
        unread,
        *(menu.names for menu in menus),
    )

    def draw() -> str:
        marks = {"token": _TOKEN, "here": _HERE, "name": _NAME, "is_signed_in": is_signed_in}
        template = context.environment.get_template("core/_masthead.html")
        return template.render({**context.get_all(), **marks})

    here = request.full_path if request.query_string else request.path
    drawn = str(keep_fragment(key, draw))
    drawn = drawn.replace(_TOKEN, generate_csrf())
    drawn = drawn.replace(_HERE, escape(request.script_root + here))
    if is_signed_in:
        drawn = drawn.replace(_NAME, escape(current_user.name))
    return Markup(drawn)  # noqa: S704 - escaped where it was put in


@pass_context
def page_foot(context: Context) -> Markup:
    """The foot of the page, and the texts of the scripts."""
    key = ("foot", reader_key(), context["site_name"], context["footer_links"].names)

    def draw() -> str:
        parts = ("core/_footer.html", "core/_texts.html")
        values = context.get_all()
        return "\n".join(context.environment.get_template(p).render(values) for p in parts)

    return keep_fragment(key, draw)


def keep_form(key: Hashable, draw: Callable[[], str]) -> Markup:
    """A drawn form, kept as `keep_fragment` keeps it, with the words of session and page."""
    token, word = generate_csrf(), page_word()
    drawn = keep_fragment(key, lambda: draw().replace(token, _TOKEN).replace(word, _WORD))
    return Markup(drawn.replace(_TOKEN, token).replace(_WORD, word))  # noqa: S704 - a template's
