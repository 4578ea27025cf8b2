"""How the certificates say no."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.core.errors import DomainError, InvalidInput


class IssuerKeyUnavailable(DomainError):
    """The key that signs certificates cannot be opened with the present secret.

    Nothing is issued under a new key instead: that would hide the loss.
    """

    status = 503
    message = lazy_gettext(
        "The key that signs certificates cannot be opened: LMS_SECRET_KEY is not the one with which"
        " the key was sealed. Set the former secret again; until then no certificate is issued."
    )


class NoSigningKey(IssuerKeyUnavailable):
    """All keys of the issuer are retired: an administrator decides under which one to go on."""

    message = lazy_gettext(
        "No key signs certificates: all are retired. Make a new one with the command"
        " “lms keys make”; until then no certificate is issued."
    )


class KeyBackupUnreadable(DomainError):
    """A file of keys is damaged, of another issuer, or the passphrase is wrong."""

    message = lazy_gettext(
        "These keys cannot be read: the passphrase is wrong, the file is damaged, or it belongs to"
        " another issuer."
    )


class CannotSign(Exception):
    """A document that would not be signed as a whole: a bug in what makes documents."""


class CannotDraw(Exception):
    """A PDF would not show everything that is certified, so it is not made.

    problem: what keeps it, for administrators.
    """

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(problem)


class MissingGlyphs(CannotDraw):
    """The fonts of this machine lack letters of the certificate."""


class TextTooLong(CannotDraw):
    """Even the smallest text does not fit on one page."""


class NameCannotBeSet(InvalidInput):
    """A name is too long for a certificate, or has letters that no font has."""

    status = 422
    message = lazy_gettext("This name cannot be printed on a certificate.")


class TextCannotBeSet(DomainError):
    """A text of the course, its organisations or its layout has letters that no font has.

    problem: which texts, and which letters, for administrators.
    """

    message = lazy_gettext(
        "A text on the certificate has letters that no installed font has: %(problem)s"
    )

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(
            lazy_gettext(
                "A text on the certificate has letters that no installed font has: %(problem)s",
                problem=problem,
            )
        )


class AlreadyRevoked(DomainError):
    """The certificate was revoked before."""

    message = lazy_gettext("This certificate is revoked already.")


class NotYetDrawn(DomainError):
    """The PDF is not there yet."""

    status = 404
    message = lazy_gettext(
        "The PDF of this certificate is being made. Try again in a minute; the certificate itself"
        " can be verified already."
    )


class NotYetSigned(DomainError):
    """A token of an older certificate is not there yet."""

    status = 404
    message = lazy_gettext(
        "This form of the certificate is being made. Try again in an hour; the certificate itself"
        " can be verified already."
    )


class UploadUnreadable(InvalidInput):
    """What was shown for verification cannot be read."""

    message = lazy_gettext(
        "No certificate was found in it. Choose the PDF, PNG, SVG, JSON or JWT file of a"
        " certificate, or type its code."
    )


class LinkUnreadable(InvalidInput):
    """A link does not lead to a certificate."""

    message = lazy_gettext(
        "No certificate was found at this address. Download its file and choose it here instead."
    )


class NothingChosen(InvalidInput):
    """No certificate was chosen of those that can be chosen."""

    message = lazy_gettext("Choose at least one certificate.")


class TooManyChosen(InvalidInput):
    """More certificates were chosen than fit into one file."""

    message = lazy_gettext("Choose at most 40 certificates for one file.")


class TableUnreadable(InvalidInput):
    """A file with many cannot be read."""

    message = lazy_gettext(
        "No codes were found in it. Choose a CSV, XLSX or JSON file with a column of codes, or a"
        " zip file of certificates."
    )


class NamesUnreadable(TableUnreadable):
    """The table of names in a zip file cannot be read."""

    message = lazy_gettext(
        "The file names.csv or names.xlsx in the zip file cannot be read. It needs one column with"
        " the names of the files and one with the names of the people, for at most 200 files."
    )


class TableTooLong(InvalidInput):
    """A file holds too many."""

    message = lazy_gettext(
        "At most 2,000 rows or 200 files at once. Divide the file and try again."
    )


class CheckNotOfHere(InvalidInput):
    """What shall be put on paper is not a check that was made here a moment ago."""

    message = lazy_gettext("This check is over an hour old, or not one of this site. Check again.")


class AnotherRequest(DomainError):
    """The key of a repeated request was used for another one before."""

    message = lazy_gettext("This Idempotency-Key was used for another request before.")


class KeyRefused(DomainError):
    """A program came without a key that is valid for what it wants."""

    status = 401
    message = lazy_gettext("A valid key with the right scope is needed.")


class TooManySubscriptions(DomainError):
    """A person has as many subscriptions as one may have."""

    message = lazy_gettext("Five addresses at most are told of revocations. End one first.")


class RequestUnreadable(InvalidInput):
    """What a program sent does not have the described shape."""

    message = lazy_gettext(
        "The request does not have the shape that the description of the API asks for."
    )


class LayoutInUse(DomainError):
    """A layout that courses have chosen is not deleted."""

    message = lazy_gettext("Courses have chosen this layout. Let them choose another one first.")
