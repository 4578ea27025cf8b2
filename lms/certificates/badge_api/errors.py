"""How the Open Badges API says no."""

from __future__ import annotations

from typing import ClassVar

from flask_babel import lazy_gettext

from lms.core.errors import DomainError


class ApiRefusal(DomainError):
    """A refusal in the words of 1EdTech. code_minor: one of imsx_codeMinorFieldValue."""

    code_minor: ClassVar[str] = "invalid_data"


class TokenRefused(ApiRefusal):
    """No access token, or one that opens nothing any more."""

    status = 401
    code_minor = "unauthorizedrequest"
    message = lazy_gettext("A valid access token is needed.")


class ScopeMissing(ApiRefusal):
    """The access token does not open this."""

    status = 403
    code_minor = "forbidden"
    message = lazy_gettext("The access token does not allow this.")


class OfSomebodyElse(ApiRefusal):
    """A credential names another person."""

    status = 403
    code_minor = "forbidden"
    message = lazy_gettext("This credential was issued to somebody else.")


class QueryUnreadable(ApiRefusal):
    """A parameter is not what it has to be."""

    status = 400
    code_minor = "invalid_query_parameter"
    message = lazy_gettext("A parameter of the address cannot be read.")


class ContentUnreadable(ApiRefusal):
    """What was sent is no credential."""

    status = 400
    message = lazy_gettext("What was sent is not a credential in JSON or a compact JWS.")


class ContentTooLarge(ApiRefusal):
    """What was sent is longer than any credential may be."""

    status = 413
    message = lazy_gettext("What was sent is too large.")


class WrongMediaType(ApiRefusal):
    """What was sent is of a type that is not read here."""

    status = 415
    message = lazy_gettext("Send JSON, or a compact JWS as text/plain.")


class NotGenuine(ApiRefusal):
    """A credential is not what its issuer signed, was revoked, or cannot be checked."""

    status = 422
    message = lazy_gettext("This credential is not valid, or it could not be checked.")


class NewerIsKept(ApiRefusal):
    """A newer edition of the same credential is here already."""

    status = 409
    message = lazy_gettext("A newer edition of this credential is kept already.")


class TooManyKept(ApiRefusal):
    """The holder keeps as many credentials from elsewhere as one may."""

    status = 422
    message = lazy_gettext("At most 200 credentials from elsewhere are kept for one person.")


class ProfileUnreadable(ApiRefusal):
    """What was sent is no profile. place: the member that is wrong, where there is one."""

    status = 400
    message = lazy_gettext("What was sent is not a Profile of Open Badges 3.0.")

    def __init__(self, place: str = "") -> None:
        text = lazy_gettext(
            "What was sent is not a Profile of Open Badges 3.0. See this member: %(place)s",
            place=place,
        )
        super().__init__(text if place else None)


class ProfileFixed(ApiRefusal):
    """Something of a profile was to be changed that only the person can change, in the account."""

    status = 400
    message = lazy_gettext(
        "Of what this site keeps of a profile, only the name can be changed here. The e-mail"
        " address is changed in the account, where it is confirmed."
    )


class NameUnusable(ApiRefusal):
    """A name is missing, too long, or not one that can stand on a certificate."""

    status = 400
    message = lazy_gettext(
        "The profile needs a name of at most 120 signs, without addresses, as it shall stand on"
        " certificates."
    )


class ClientUnknown(DomainError):
    """A browser was sent here by a client that has not registered, or to a wrong address."""

    status = 400
    message = lazy_gettext(
        "The program that sent you here is not registered, or it asks in a way that is not safe."
        " Nothing was shared. Go back and tell the people who run it."
    )
