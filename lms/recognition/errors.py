"""How the room says no."""

from __future__ import annotations

from typing import Any, ClassVar

from flask_babel import lazy_gettext

from lms.core.errors import DomainError, Forbidden, InvalidInput


class NumberTaken(DomainError):
    """The association has given this accreditation number already."""

    message = lazy_gettext("Your association has an accreditation with this number already.")


class AlreadyWithdrawn(DomainError):
    """The accreditation was withdrawn before."""

    message = lazy_gettext("This accreditation was withdrawn before.")


class RuleEnded(DomainError):
    """A rule that has ended is not changed any more."""

    message = lazy_gettext("This rule has ended. Make a new one instead.")


class RuleGoesBack(InvalidInput):
    """A version would begin before the one it replaces."""

    message = lazy_gettext("A change begins on the first day of the present version or later.")


class CodeTaken(DomainError):
    """The framework has this code already."""

    message = lazy_gettext("Your framework has this code already.")


class IssuerKnown(DomainError):
    """The issuer stands in the list already."""

    message = lazy_gettext("This issuer is in your list already.")


class WrongIdentifier(InvalidInput):
    """No DID."""

    message = lazy_gettext("Write an identifier like did:web:example.org.")


class UnreadableList(InvalidInput):
    """A list of members cannot be read; the text says why."""

    message = lazy_gettext(
        "This file cannot be read. Use a CSV or XLSX file with a row of headings."
    )


class NoPopulation(DomainError):
    """Nothing to draw from."""

    message = lazy_gettext("No hours of consenting members were credited in this year.")


class AlreadyDecided(DomainError):
    """Somebody else decided first."""

    message = lazy_gettext("This was decided already.")


class NotAMember(DomainError):
    """The person has not named this association among their memberships."""

    message = lazy_gettext("Add this association to your memberships first.")


class LinkClosed(Forbidden):
    """A link to evidence is unknown, has expired or was withdrawn: strangers cannot tell which."""

    message = lazy_gettext(
        "This link is not open. It may have expired, or its holder has withdrawn it. Ask the holder"
        " for a new one."
    )


class WrongPassphrase(InvalidInput):
    """The association's key does not open with what was typed."""

    message = lazy_gettext("This passphrase does not open the key of your association.")


class NoBodyKey(DomainError):
    """The association has no key that signs."""

    message = lazy_gettext("Your association has no key that signs. Make one first.")


class BodyKeysUnreadable(InvalidInput):
    """A file of an association's keys is damaged, of another one, or the passphrase is wrong."""

    message = lazy_gettext(
        "These keys cannot be read: the passphrase is wrong, the file is damaged, or it belongs to"
        " another association."
    )


class EndorsementRefused(InvalidInput):
    """A signed endorsement from elsewhere does not say what it should, or does not verify."""


class EndorsementEnded(DomainError):
    """An endorsement was revoked before."""

    message = lazy_gettext("This endorsement was revoked before.")


class NotOffered(DomainError):
    """The course recognises no prior learning now."""

    message = lazy_gettext("This course takes no requests for prior learning at the moment.")


class HoursTooMany(InvalidInput):
    """More hours would be waived than the course has."""

    message = lazy_gettext("Together these are more hours than the course has.")


class PortfolioClosed(DomainError):
    """The request is with the assessor, decided or withdrawn: nothing of it changes."""

    message = lazy_gettext("This request can no longer be changed.")


class TooMuchEvidence(DomainError):
    """The portfolio is full."""

    message = lazy_gettext("A request holds at most 40 pieces of evidence.")


class NothingMapped(DomainError):
    """No evidence says which outcome it shows."""

    message = lazy_gettext(
        "Add at least one piece of evidence, and say in your own words which learning outcome it"
        " shows."
    )


class NoFeeDue(DomainError):
    """There is no fee to pay or to waive for this request."""

    message = lazy_gettext("No fee is due for this request.")


class FeeHasBegun(DomainError):
    """A fee that holds already is not removed."""

    message = lazy_gettext("This fee holds already. Write another one that begins today.")


class CannotAppeal(DomainError):
    """There is nothing to appeal against, it was done, or its time is over."""

    message = lazy_gettext("An appeal is possible once, in time, against what was not granted.")


class NotWithAssessor(DomainError):
    """The request is not with this assessor."""

    message = lazy_gettext("This request does not wait for this decision.")


class NotYetDeclared(DomainError):
    """The assessor has not said whether something binds them to the learner."""

    message = lazy_gettext("Say first whether something binds you to the learner.")


class NotIndependent(InvalidInput):
    """A person cannot assess a request; `why` says why."""

    _TEXTS: ClassVar[dict[str, Any]] = {
        "learner": lazy_gettext("Nobody assesses their own request."),
        "instructor": lazy_gettext("This person teaches the course, or has taught it."),
        "employer": lazy_gettext("This person is named in the evidence as an employer’s contact."),
        "first": lazy_gettext("This person made the first decision; an appeal goes to another."),
        "self": lazy_gettext("Name somebody else: you would give the request to yourself."),
    }

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(self._TEXTS[why])
