"""How the room says no."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.core.errors import DomainError, InvalidInput


class UnknownPerson(DomainError):
    """Nobody has an account with this address."""

    status = 422
    message = lazy_gettext(
        "Nobody has an account with this address. Ask the person to make one first."
    )


class HasRole(DomainError):
    """The person has this role already."""

    message = lazy_gettext("This person has this role already.")


class NotAnAssociation(DomainError):
    """Officers and memberships belong to associations."""

    status = 422
    message = lazy_gettext("This organisation is not a professional association.")


class WrongOrganisation(InvalidInput):
    """The description of an organisation is not complete or not right."""
