"""Pages of the house itself: language choice, robots, the empty page of benchmarks."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user

from lms.config import LANGUAGES
from lms.core.gallery import gallery_values
from lms.core.settings import settings
from lms.core.web import public, safe_next

site = Blueprint("site", __name__)


@site.post("/language")
@public
def set_language() -> ResponseReturnValue:
    """Choose a language; kept in the session and, for people with an account, for their mails."""
    wanted = request.form.get("language", "")
    if wanted in LANGUAGES:
        session["language"] = wanted
        if current_user.is_authenticated:
            current_user.language = wanted
    return redirect(safe_next("/"))


@site.get("/robots.txt")
@public
def robots() -> Response:
    """What search engines may read."""
    lines = ["User-agent: *", "Disallow: /study/", "Disallow: /admin/", "Disallow: /verify/"]
    lines.append(f"Sitemap: {settings().base_url}/sitemap.xml")
    return Response("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@site.get("/constant")
@public
def constant() -> Response:
    """A constant answer: the yardstick of benchmarks/."""
    return Response("ok", content_type="text/plain")


@site.get("/design")
@public
def design() -> ResponseReturnValue:
    """The gallery of components, in debug only."""
    if not settings().debug:
        return redirect("/")
    return render_template("core/gallery.html", **gallery_values())


@site.get("/empty")
@public
def empty() -> ResponseReturnValue:
    """A page without content: the layout alone, the second yardstick of benchmarks/."""
    return render_template("core/empty.html")
