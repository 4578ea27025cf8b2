"""The association's own keys and its endorsements, at its desk."""

from __future__ import annotations

from flask import Response, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import signed_in
from lms.core import clock
from lms.core.db import db, transaction
from lms.core.limits import limiter
from lms.core.pagination import paginate
from lms.core.web import own_transaction, page_number
from lms.courses.models import Course
from lms.directory.models import Organisation
from lms.recognition import queries
from lms.recognition.errors import (
    BodyKeysUnreadable,
    EndorsementEnded,
    EndorsementRefused,
    NoBodyKey,
    WrongPassphrase,
)
from lms.recognition.forms.endorsements import (
    EndorsementForm,
    ForeignEndorsementForm,
    ImportKeysForm,
    KeyForm,
    RevokeEndorsementForm,
)
from lms.recognition.models import Endorsement
from lms.recognition.services import body_keys
from lms.recognition.services import endorsements as services
from lms.recognition.views import bp
from lms.recognition.views.shared import chosen, desk_of, desk_page, needed

LARGEST_FILE = 256 * 1024
_limit_passphrases = limiter.limit("10 per 10 minutes", methods=["POST"])


@bp.get("/recognition/<slug>/endorsements")
def endorsements(slug: str) -> ResponseReturnValue:
    """What the association has endorsed."""
    association = desk_of(slug)
    page = paginate(queries.list_endorsements(association), page_number())
    return desk_page(
        "endorsements",
        association,
        page=page,
        now=clock.now(),
        has_key=any(key.retired_at is None for key in queries.list_body_keys(association)),
        did=body_keys.body_did(association),
    )


@bp.route("/recognition/<slug>/endorsements/new", methods=["GET", "POST"])
@_limit_passphrases
def endorse(slug: str) -> ResponseReturnValue:
    """Endorse a provider or a course, signed with the association's key."""
    association = desk_of(slug, changes=True)
    form = EndorsementForm(list(queries.providers_to_choose()), list(queries.courses_to_choose()))
    if form.validate_on_submit():
        try:
            services.endorse(
                association,
                signed_in(),
                _subject(form),
                comment=" ".join((form.comment.data or "").split()),
                language=form.language.data,
                first_day=needed(form.starts_on),
                last_day=form.ends_on.data,
                passphrase=form.passphrase.data or "",
            )
        except (WrongPassphrase, NoBodyKey) as error:
            form.passphrase.errors = [str(error.text)]
        else:
            flash(_("The endorsement is signed. Everybody can see it."), "success")
            return redirect(url_for(".endorsements", slug=slug), 303)
    return desk_page("endorse", association, 422 if form.errors else 200, form=form)


def _subject(form: EndorsementForm | ForeignEndorsementForm) -> Course | Organisation:
    found = chosen(Course, form.course.data) or chosen(Organisation, form.provider.data)
    assert found is not None  # the form lets nothing else pass
    return found


@bp.get("/recognition/<slug>/endorsements/hand-in")
def hand_in_endorsement(slug: str) -> ResponseReturnValue:
    """Ask for an endorsement that was signed elsewhere."""
    association = desk_of(slug, changes=True)
    return _hand_in_page(association, _foreign_form())


def _foreign_form() -> ForeignEndorsementForm:
    return ForeignEndorsementForm(
        list(queries.providers_to_choose()), list(queries.courses_to_choose())
    )


def _hand_in_page(association: Organisation, form: ForeignEndorsementForm) -> ResponseReturnValue:
    return desk_page(
        "hand_in_endorsement",
        association,
        422 if form.errors else 200,
        form=form,
        name_of=services.subject_id,
    )


@bp.post("/recognition/<slug>/endorsements/hand-in")
@own_transaction
@limiter.limit("20 per 10 minutes")
def take_endorsement(slug: str) -> ResponseReturnValue:
    """Verify an endorsement that was signed elsewhere, and keep it.

    Its issuer is asked over the network, which nobody's change shall wait for.
    """
    with transaction():
        association = desk_of(slug, changes=True)
    form = _foreign_form()
    if form.validate_on_submit():
        subject = _subject(form)
        try:
            found = services.read_foreign(subject, form.text.data or "")
            with transaction():
                services.keep_foreign(
                    db.session.merge(association),
                    signed_in(),
                    db.session.merge(subject),
                    found,
                )
        except EndorsementRefused as error:
            form.text.errors = [str(error.text)]
        else:
            flash(_("The endorsement verifies and is kept. Everybody can see it."), "success")
            return redirect(url_for(".endorsements", slug=slug), 303)
    return _hand_in_page(association, form)


def _needs_passphrase(endorsement: Endorsement) -> bool:
    return endorsement.key_id is not None


@bp.route("/recognition/<slug>/endorsements/<int:endorsement_id>/revoke", methods=["GET", "POST"])
@_limit_passphrases
def revoke_endorsement(slug: str, endorsement_id: int) -> ResponseReturnValue:
    """Take an endorsement back."""
    association = desk_of(slug, changes=True)
    endorsement = queries.get_endorsement(association, endorsement_id)
    if endorsement.revoked_at is not None:
        raise EndorsementEnded
    form = RevokeEndorsementForm(needs_passphrase=_needs_passphrase(endorsement))
    if form.validate_on_submit():
        passphrase = form.passphrase.data if _needs_passphrase(endorsement) else ""
        try:
            services.revoke(endorsement, signed_in(), form.reason.data or "", passphrase or "")
        except (WrongPassphrase, NoBodyKey) as error:
            form.passphrase.errors = [str(error.text)]
        else:
            flash(_("The endorsement is revoked, and shown no more."), "success")
            return redirect(url_for(".endorsements", slug=slug), 303)
    return desk_page(
        "revoke_endorsement",
        association,
        422 if form.errors else 200,
        form=form,
        endorsement=endorsement,
    )


def _keys_page(
    association: Organisation, key_form: KeyForm, import_form: ImportKeysForm, status: int = 200
) -> ResponseReturnValue:
    return desk_page(
        "keys",
        association,
        status,
        keys=queries.list_body_keys(association),
        did=body_keys.body_did(association),
        key_form=key_form,
        import_form=import_form,
    )


@bp.get("/recognition/<slug>/keys")
def body_keys_page(slug: str) -> ResponseReturnValue:
    """The association's keys, and what can be done with them."""
    association = desk_of(slug)
    return _keys_page(association, KeyForm(prefix="key"), ImportKeysForm(prefix="import"))


@bp.post("/recognition/<slug>/keys")
@_limit_passphrases
def make_body_key(slug: str) -> ResponseReturnValue:
    """A new key, which signs from now on."""
    association = desk_of(slug, changes=True)
    form = KeyForm(prefix="key")
    if not form.validate_on_submit():
        return _keys_page(association, form, ImportKeysForm(formdata=None, prefix="import"), 422)
    passphrase = form.passphrase.data or ""
    key = body_keys.make_key(association, signed_in(), passphrase)
    services.sign_list_again(association, key, passphrase)
    flash(_("The key is made. Endorsements are signed with it from now on."), "success")
    return redirect(url_for(".body_keys_page", slug=slug), 303)


@bp.post("/recognition/<slug>/keys/<int:key_id>/retire")
def retire_body_key(slug: str, key_id: int) -> ResponseReturnValue:
    """Sign no more with a key; what it signed goes on verifying."""
    association = desk_of(slug, changes=True)
    body_keys.retire_key(queries.get_body_key(association, key_id), signed_in())
    flash(_("The key signs no more. What it signed goes on verifying."), "success")
    return redirect(url_for(".body_keys_page", slug=slug), 303)


@bp.route("/recognition/<slug>/keys/<int:key_id>/withdraw", methods=["GET", "POST"])
def withdraw_body_key(slug: str, key_id: int) -> ResponseReturnValue:
    """Say that strangers know a key: nothing that it signed is believed any more."""
    association = desk_of(slug, changes=True)
    key = queries.get_body_key(association, key_id)
    form = RevokeEndorsementForm(needs_passphrase=False)
    if form.is_submitted() and form.validate():
        body_keys.retire_key(key, signed_in(), withdrawn=True)
        flash(_("The key is withdrawn. What it signed is shown no more."), "success")
        return redirect(url_for(".body_keys_page", slug=slug), 303)
    return desk_page("withdraw_key", association, key=key, form=form)


@bp.post("/recognition/<slug>/keys/export")
def export_body_keys(slug: str) -> ResponseReturnValue:
    """All keys as a file for the safe; each stays encrypted with its passphrase."""
    association = desk_of(slug, changes=True)
    text = body_keys.export_keys(association, signed_in())
    answer = Response(text, content_type="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="keys-{slug}.json"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@bp.post("/recognition/<slug>/keys/import")
@_limit_passphrases
def import_body_keys(slug: str) -> ResponseReturnValue:
    """Take keys back from such a file."""
    association = desk_of(slug, changes=True)
    form = ImportKeysForm(prefix="import")
    if form.validate_on_submit():
        try:
            taken = body_keys.import_keys(
                association,
                signed_in(),
                form.file.data.read(LARGEST_FILE),
                form.passphrase.data or "",
            )
        except BodyKeysUnreadable as error:
            form.file.errors = [str(error.text)]
        else:
            names = ", ".join(key.kid for key in taken)
            flash(_("These keys are here again: %(names)s.", names=names), "success")
            return redirect(url_for(".body_keys_page", slug=slug), 303)
    return _keys_page(association, KeyForm(formdata=None, prefix="key"), form, 422)
