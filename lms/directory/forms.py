"""The shape of what people type."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import EmailField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from lms.config import LANGUAGES
from lms.core.choices import choices
from lms.core.places import country_choices
from lms.core.text import in_language
from lms.directory.errors import WrongOrganisation
from lms.directory.models import Organisation, OrganisationKind, OrganisationRoleName
from lms.directory.services import web_address

KIND_LABELS = {
    OrganisationKind.INSTITUTION: lazy_gettext("Institution: teaches courses"),
    OrganisationKind.ASSOCIATION: lazy_gettext("Professional association: recognises learning"),
}
ROLE_LABELS = {
    OrganisationRoleName.MANAGER: lazy_gettext("Manager"),
    OrganisationRoleName.OFFICER: lazy_gettext("Officer"),
    OrganisationRoleName.MEMBER: lazy_gettext("Member of staff"),
}


class OrganisationForm(FlaskForm):  # type: ignore[misc]
    """An organisation. Its texts are the fields name_<language> and description_<language>."""

    kind = SelectField(
        lazy_gettext("Kind"), choices=choices([(k.value, v) for k, v in KIND_LABELS.items()])
    )
    country = SelectField(lazy_gettext("Country"), default="")
    website = StringField(
        lazy_gettext("Website"),
        [Optional(), Length(max=300)],
        description=lazy_gettext("Such as https://example.org."),
    )

    def __init__(self, organisation: Organisation | None = None, **kwargs: Any) -> None:
        values = {}
        if organisation is not None:
            values = {"kind": organisation.kind, "country": organisation.country}
            values["website"] = organisation.website
            for code in LANGUAGES:
                values[f"name_{code}"] = organisation.name.get(code)
                values[f"description_{code}"] = organisation.description.get(code)
        super().__init__(**values, **kwargs)
        self.country.choices = choices([("", _("No country")), *country_choices()])

    def texts(self, what: str) -> dict[str, str]:
        """What was typed for `name` or `description`, by language."""
        return {code: self[f"{what}_{code}"].data or "" for code in LANGUAGES}

    def values(self) -> dict[str, Any]:
        """Arguments for the services."""
        return {
            "kind": OrganisationKind(self.kind.data),
            "name": self.texts("name"),
            "description": self.texts("description"),
            "country": self.country.data or None,
            "website": self.website.data or None,
        }

    def validate_website(self, field: StringField) -> None:
        """Refuse what is no web address."""
        try:
            field.data = web_address(field.data or "")
        except WrongOrganisation as error:
            raise ValidationError(str(error.text)) from None

    def validate_name_en(self, field: StringField) -> None:
        """One language is enough, none is not."""
        if not any(text.strip() for text in self.texts("name").values()):
            raise ValidationError(_("Write the name in one language at least."))


for _code in LANGUAGES:
    setattr(
        OrganisationForm,
        f"name_{_code}",
        StringField(lazy_gettext("Name"), [Length(max=200)]),
    )
    setattr(
        OrganisationForm,
        f"description_{_code}",
        TextAreaField(lazy_gettext("Description"), [Length(max=5000)]),
    )


class RoleForm(FlaskForm):  # type: ignore[misc]
    """A role for the person with an address."""

    email = EmailField(
        lazy_gettext("E-mail"),
        [InputRequired(lazy_gettext("Write the person's e-mail address.")), Length(max=254)],
        description=lazy_gettext("With which the person has an account."),
    )
    role = SelectField(lazy_gettext("Role"))

    def __init__(self, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.role.choices = choices(
            (role.value, label)
            for role, label in ROLE_LABELS.items()
            if role != OrganisationRoleName.OFFICER or organisation.is_association
        )


class MembershipForm(FlaskForm):  # type: ignore[misc]
    """Membership of an association, as the person states it."""

    association = SelectField(
        lazy_gettext("Association"), [InputRequired(lazy_gettext("Choose an association."))]
    )
    number = StringField(
        lazy_gettext("Membership number"),
        [Optional(), Length(max=60)],
        filters=[lambda value: " ".join(value.split()) if value else value],
    )

    def __init__(self, associations: list[Organisation], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        known = [(one.slug, in_language(one.name)) for one in associations]
        self.association.choices = choices([("", _("Choose an association")), *known])
