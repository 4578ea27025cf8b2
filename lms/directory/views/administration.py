"""Organisations, for administrators and their managers."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import can, require, signed_in
from lms.core.pagination import paginate
from lms.core.web import page_number
from lms.directory import queries, services
from lms.directory.errors import HasRole, NotAnAssociation, UnknownPerson
from lms.directory.forms import ROLE_LABELS, OrganisationForm, RoleForm
from lms.directory.models import Organisation, OrganisationRoleName
from lms.directory.views import bp


@bp.get("/admin/organisations")
def manage_organisations() -> ResponseReturnValue:
    """The organisations that the person may change."""
    require("directory.manage_any")
    user = signed_in()
    search = request.args.get("q", "").strip()
    statement = queries.list_organisations(
        search, managed_by=None if user.is_administrator else user
    )
    page = paginate(statement, page_number(), 50)
    return render_template(
        "directory/administration/organisations.html",
        page=page,
        search=search,
        counts=queries.count_people(page.items),
    )


@bp.route("/admin/organisations/new", methods=["GET", "POST"])
def create_organisation() -> ResponseReturnValue:
    """Add an organisation."""
    require("directory.create")
    form = OrganisationForm()
    if form.validate_on_submit():
        organisation = services.create_organisation(signed_in(), **form.values())
        flash(_("The organisation is added. Now say who acts for it."), "success")
        return redirect(url_for(".manage_people", slug=organisation.slug), 303)
    return render_template(
        "directory/administration/edit.html", form=form, organisation=None
    ), 422 if form.errors else 200


@bp.route("/admin/organisations/<slug>", methods=["GET", "POST"])
def edit_organisation(slug: str) -> ResponseReturnValue:
    """Change what is said about an organisation."""
    organisation = queries.get_organisation(slug)
    require("directory.manage", organisation)
    form = OrganisationForm(organisation)
    if form.validate_on_submit():
        services.edit_organisation(organisation, signed_in(), **form.values())
        flash(_("The organisation is saved."), "success")
        return redirect(url_for(".edit_organisation", slug=slug), 303)
    return render_template(
        "directory/administration/edit.html", form=form, organisation=organisation
    ), 422 if form.errors else 200


def _people_page(
    organisation: Organisation, form: RoleForm, status: int = 200
) -> ResponseReturnValue:
    return render_template(
        "directory/administration/people.html",
        organisation=organisation,
        roles=queries.roles_in(organisation),
        labels=ROLE_LABELS,
        form=form,
    ), status


@bp.route("/admin/organisations/<slug>/people", methods=["GET", "POST"])
def manage_people(slug: str) -> ResponseReturnValue:
    """Who acts for the organisation; give somebody a role."""
    organisation = queries.get_organisation(slug)
    require("directory.manage", organisation)
    form = RoleForm(organisation)
    if not form.validate_on_submit():
        return _people_page(organisation, form, 422 if form.errors else 200)
    try:
        services.add_role(
            organisation, form.email.data or "", OrganisationRoleName(form.role.data), signed_in()
        )
    except (UnknownPerson, HasRole, NotAnAssociation) as error:
        form.email.errors = [str(error.text)]
        return _people_page(organisation, form, 422)
    flash(_("The role is given."), "success")
    return redirect(url_for(".manage_people", slug=slug), 303)


@bp.post("/admin/organisations/<slug>/people/<int:role_id>/remove")
def remove_role(slug: str, role_id: int) -> ResponseReturnValue:
    """Take a role away."""
    organisation = queries.get_organisation(slug)
    require("directory.manage", organisation)
    services.remove_role(queries.get_role(organisation, role_id), signed_in())
    flash(_("The role is taken away."), "success")
    if can("directory.manage", organisation):
        return redirect(url_for(".manage_people", slug=slug), 303)
    return redirect(url_for(".organisation", slug=slug), 303)
