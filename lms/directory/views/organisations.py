"""Organisations, for everybody."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from lms.core.pagination import paginate
from lms.core.web import page_number, public
from lms.directory import queries
from lms.directory.models import OrganisationKind
from lms.directory.views import bp


@bp.get("/organisations")
@public
def organisations() -> ResponseReturnValue:
    """Who teaches and who recognises here."""
    search, kind = request.args.get("q", "").strip(), request.args.get("kind", "")
    known = kind if kind in set(OrganisationKind) else ""
    return render_template(
        "directory/organisations.html",
        page=paginate(queries.list_organisations(search, kind=known), page_number(), 24),
        search=search,
        kind=known,
    )


@bp.get("/organisations/<slug>")
@public
def organisation(slug: str) -> ResponseReturnValue:
    """One organisation, and what it offers here."""
    return render_template(
        "directory/organisation.html", organisation=queries.get_organisation(slug)
    )
