from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from lms.certificates.credential_formats.base import credential_formats
from lms.certificates.models import Credential, RevocationReason, VerificationLog
from lms.certificates.services import holder, issue, revoke
from lms.core import clock
from lms.core.db import db, will_write
from lms.core.files import file_store, read_file
from tests.factories.accounts import make_administrator, make_user
from tests.factories.certificates import make_credential

LANGUAGES = ["en", "es", "fr", "pt"]


def upload(client, content: bytes, name: str = "certificate.pdf"):
    return client.post(
        "/verify/file",
        data={"by-file-file": (io.BytesIO(content), name)},
        content_type="multipart/form-data",
    )


@pytest.fixture
def drawn(app, run_jobs) -> Credential:
    """A certificate with its PDF."""
    credential = make_credential()
    run_jobs()
    return credential


def pdf_of(credential: Credential) -> bytes:
    return read_file(credential.pdf_file)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_stranger_sees_that_a_certificate_is_valid(client, language):
    credential = make_credential()

    page = client.get(f"/verify/{credential.code}?lang={language}")

    assert page.status_code == 200
    assert "verdict-valid" in page.text
    assert "Rosa Quispe Mamani" in page.text
    assert credential.code in page.text
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert 'name="robots" content="noindex' in page.text


def test_the_page_of_a_valid_certificate_says_all_that_is_certified(client):
    credential = make_credential()

    text = client.get(f"/verify/{credential.code}").text

    for part in (
        "This certificate is valid",
        "Issued by Andean Centre",
        "Tools for community planning",
        "Passed with 86 %",
        "12 hours",
        "10 hours, recognised by Order of Planners",
        "<li>Map the actors of a territory</li><li>Design a facilitated decision</li>",
        "Laurentian Institute",
        "Digital signature of the issuer (Open Badges 3.0)",
        "Not revoked",
    ):
        assert part in text


def test_a_revocation_shows_at_once_with_its_reason(client, signed_in):
    credential = make_credential()
    assert "verdict-valid" in client.get(f"/verify/{credential.code}").text

    page = signed_in(make_administrator()).post(
        f"/admin/certificates/{credential.id}/revoke",
        data={"revoke-reason": "error", "revoke-note": "Wrong course."},
    )

    assert page.status_code == 303
    seen = client.get(f"/verify/{credential.code}")
    assert seen.status_code == 200
    assert "This certificate is revoked" in seen.text
    assert "It was issued by mistake or with a wrong content." in seen.text
    assert "Wrong course." in seen.text


def test_an_expired_certificate_says_until_when_it_was_valid(client):
    credential = make_credential(valid_until=clock.now() - timedelta(days=1))

    seen = client.get(f"/verify/{credential.code}")

    assert seen.status_code == 200
    assert "This certificate has expired" in seen.text


@pytest.mark.parametrize("code", ["PU-0000-0000-0000-0000", "nonsense", "%00", "PU-7K3M" * 20])
def test_an_unknown_code_is_not_found(client, code):
    seen = client.get(f"/verify/{code}", follow_redirects=True)

    assert seen.status_code == 404
    assert "No such certificate" in seen.text


def test_unknown_and_known_codes_cost_the_same_queries(client, count_queries):
    code = make_credential().code
    client.get(f"/verify/{code}")
    count_queries()
    client.get(f"/verify/{code}")
    known = count_queries()
    client.get("/verify/PU-0000-0000-0000-0000")
    unknown = count_queries()

    assert known == unknown <= 2


def test_a_typed_code_leads_to_its_page(client):
    credential = make_credential()

    answer = client.post(
        "/verify", data={"by-code-code": credential.code.lower().replace("-", " ")}
    )

    assert answer.status_code == 303
    assert answer.location.endswith(f"/verify/{credential.code}")


def test_no_code_and_no_file_are_said_to_be_missing(client):
    assert client.post("/verify", data={}).status_code == 422
    assert client.post("/verify/file", data={}).status_code == 422


def test_initials_stand_for_the_name_when_the_holder_wants_it(client, signed_in):
    credential = make_credential(user=make_user(name="Ana Wayra Flores"))

    answer = signed_in(credential.user).post(
        f"/my/certificates/{credential.code}/name", data={"shows_name": "no"}
    )

    assert answer.status_code == 303
    page = client.get(f"/verify/{credential.code}").text
    assert "A. W. F." in page
    assert "Wayra" not in page
    assert "verdict-valid" in page
    public = client.get(f"/verify/{credential.code}.json")
    assert "Wayra" not in public.text
    assert "identityHash" not in public.text


def test_only_the_holder_chooses_how_the_name_is_shown(signed_in):
    credential = make_credential()
    address = f"/my/certificates/{credential.code}/name"

    assert signed_in(make_user()).post(address).status_code == 403
    assert signed_in(make_administrator()).post(address).status_code == 403


def test_an_issued_pdf_is_valid(client, drawn, monkeypatch):
    from lms.certificates.views import public

    read_with = []
    read = public.read_upload
    monkeypatch.setattr(
        public, "read_upload", lambda *shown: read_with.append(will_write()) or read(*shown)
    )

    page = upload(client, pdf_of(drawn))

    assert read_with == [False]  # nobody who writes waits while the file is read

    assert page.status_code == 200
    assert "verdict-valid" in page.text
    assert "byte for byte" in page.text


def test_a_pdf_with_a_changed_text_is_altered_though_its_credential_is_whole(client, drawn):
    changed = pdf_of(drawn) + b"\n% a later change\n"

    page = upload(client, changed)

    assert "This file was changed" in page.text
    assert "verdict-valid" not in page.text


def test_a_pdf_with_a_changed_credential_is_altered(client, drawn):
    from pypdf import PdfReader, PdfWriter

    document = json.loads(drawn.document)
    document["credentialSubject"]["creditsEarned"] = 120
    writer = PdfWriter()
    writer.add_page(PdfReader(io.BytesIO(pdf_of(drawn))).pages[0])
    writer.add_attachment("credential.json", json.dumps(document).encode())
    forged = io.BytesIO()
    writer.write(forged)

    page = upload(client, forged.getvalue())

    assert "This file was changed" in page.text


def test_a_pdf_that_only_bears_a_code_is_not_believed(client, drawn):
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter()
    writer.add_page(PdfReader(io.BytesIO(pdf_of(drawn))).pages[0])
    printed = io.BytesIO()
    writer.write(printed)

    page = upload(client, printed.getvalue())

    assert "This file was changed" in page.text
    assert f"/verify/{drawn.code}" in page.text


def test_an_issued_json_is_valid_and_says_when_it_is_revoked(client):
    credential = make_credential()
    assert "verdict-valid" in upload(client, credential.document.encode(), "c.json").text

    revoke.revoke(credential, RevocationReason.OTHER, None, make_administrator().id)

    assert "verdict-revoked" in upload(client, credential.document.encode(), "c.json").text


def test_the_order_of_members_does_not_matter(client):
    document = json.loads(make_credential().document)
    turned = dict(reversed(document.items()))

    assert "verdict-valid" in upload(client, json.dumps(turned).encode(), "c.json").text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"%PDF-1.7 broken",
        b"%PDF-" + b"\x00" * 5000,
        b"not json",
        b"[]",
        b'{"id": 1, "id": 2}',
        b'{"a":' * 5000,
        b"[" * 100_000,
        b'{"id": NaN}',
        b'{"a": "' + b"x" * 300_000 + b'"}',
        b"\xff\xfe\x00",
    ],
)
def test_a_broken_or_hostile_file_gets_a_clear_answer(client, content):
    page = upload(client, content)

    assert page.status_code == 422
    assert "by-file-file" in page.text


def test_a_file_from_elsewhere_is_unknown(client):
    page = upload(client, b'{"id": "urn:uuid:00000000-0000-4000-8000-000000000000"}', "c.json")

    assert page.status_code == 422
    assert "No certificate was found in it" in page.text


def test_a_row_changed_by_hand_is_found_out(client):
    credential = make_credential()
    db.session.execute(
        update(Credential)
        .where(Credential.id == credential.id)
        .values(facts_text=credential.facts_text.replace('"hours":12.0', '"hours":120.0'))
    )

    page = client.get(f"/verify/{credential.code}")

    assert "This certificate cannot be confirmed" in page.text
    assert "120" not in page.text


def test_a_name_changed_by_hand_is_found_out(client):
    credential = make_credential()
    credential.holder_name = "Somebody Else"
    db.session.flush()

    assert "cannot be confirmed" in client.get(f"/verify/{credential.code}").text


def test_a_corrected_certificate_replaces_the_former(client, signed_in, mails):
    former = make_credential()
    admin = make_administrator()

    answer = signed_in(admin).post(
        f"/admin/certificates/{former.id}/reissue", data={"correct-name": "Rosa Quispe Condori"}
    )

    assert answer.status_code == 303
    made = db.session.scalars(select(Credential).where(Credential.supersedes_id == former.id)).one()
    old_page = client.get(f"/verify/{former.code}").text
    assert "It was replaced by a corrected certificate." in old_page
    assert f"/verify/{made.code}" in old_page
    assert "Rosa Quispe Condori" in client.get(f"/verify/{made.code}").text
    assert made.facts["course"] == former.facts["course"]
    assert any("corrected certificate" in m["Subject"] for m in mails())
    again = signed_in(admin).post(
        f"/admin/certificates/{former.id}/reissue", data={"correct-name": "Once More"}
    )
    assert again.status_code == 409


def test_a_certificate_is_revoked_once(signed_in, mails):
    credential = make_credential()
    browser = signed_in(make_administrator())
    address = f"/admin/certificates/{credential.id}/revoke"

    assert browser.post(address, data={"revoke-reason": "misconduct"}).status_code == 303
    assert browser.post(address, data={"revoke-reason": "misconduct"}).status_code == 409

    told = [m for m in mails() if "revoked" in m["Subject"]]
    assert len(told) == 1
    assert "not reached by fair means" in told[0].get_body(("plain",)).get_content()


def test_a_wrong_reason_changes_nothing(signed_in):
    credential = make_credential()

    answer = signed_in(make_administrator()).post(
        f"/admin/certificates/{credential.id}/revoke", data={"revoke-reason": "whim"}
    )

    assert answer.status_code == 422
    assert not db.session.get(Credential, credential.id).is_revoked


def test_looks_are_counted_without_the_visitor(client):
    credential = make_credential()

    assert client.post(f"/verify/{credential.code}/seen").status_code == 204
    assert client.post("/verify/PU-0000-0000-0000-0000/seen").status_code == 204

    [look] = db.session.scalars(select(VerificationLog)).all()
    assert (look.credential_id, look.how) == (credential.id, "page")
    columns = {column.name for column in VerificationLog.__table__.columns}
    assert columns == {"id", "credential_id", "at", "how"}


def test_erasing_a_person_leaves_a_certificate_that_verifies(client, run_jobs):
    credential = make_credential(user=make_user(name="Ana Choque Ticona"))
    run_jobs()
    former, path = credential.document, credential.pdf_file.path

    holder.erase(credential.user_id)
    run_jobs()

    assert credential.pdf_file is None
    with pytest.raises(FileNotFoundError):
        file_store().read(path)
    page = client.get(f"/verify/{credential.code}").text
    assert "verdict-valid" in page
    assert "A. C. T." in page
    assert "Choque" not in page + credential.document + credential.facts_text
    assert "choque" not in credential.search_text
    assert "verdict-valid" in upload(client, former.encode(), "c.json").text


def test_reissue_keeps_the_holders_choice(app):
    credential = make_credential()
    holder.choose_shown(credential, shows_name=False, shows_grade=True)

    made = issue.reissue(credential, "Rosa Condori", make_administrator().id)

    assert made.public_name == "R. C."
    assert "Condori" not in made.shown_document


def test_formats_are_declared(app):
    credential = make_credential()

    formats = {"pdf", "open_badge", "web_token", "baked_png", "baked_svg"}
    assert set(credential_formats) == formats
    assert credential_formats["open_badge"].make(credential).decode() == credential.document


def test_the_address_of_an_achievement_leads_to_the_course(client):
    credential = make_credential()
    document = json.loads(credential.document)
    address = document["credentialSubject"]["achievement"]["id"]

    answer = client.get(address.removeprefix("http://puente.test"))

    assert answer.location.endswith(f"/courses/{credential.course.slug}")
    assert client.get("/achievements/00000000-0000-4000-8000-000000000000").status_code == 404


def test_forms_of_the_page_work_over_https_with_its_referrer_policy(client):
    page = client.get("/verify/PU-0000-0000-0000-0000")

    assert page.headers["Referrer-Policy"] == "same-origin"  # CSRF over HTTPS needs one
