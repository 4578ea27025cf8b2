"""The certificate on paper."""

from __future__ import annotations

import hashlib
import io
import json

import pytest
import segno
from pypdf import PdfReader

from lms.certificates import facts as register
from lms.certificates.credential_formats.pdf import Pdf, page_of
from lms.certificates.errors import MissingGlyphs, TextTooLong
from lms.certificates.layout_data import Layout
from lms.certificates.open_badge import page_address
from lms.certificates.services import holder
from lms.core.db import db
from lms.core.files import read_file
from tests.factories.accounts import make_administrator, make_user
from tests.factories.certificates import (
    ACCREDITATION,
    make_certified_course,
    make_completed_enrolment,
    make_credential,
)
from tests.factories.courses import make_run

pytestmark = pytest.mark.sqlite  # drawing and permissions are the same on both


def draw(**values) -> tuple[PdfReader, str]:
    credential = make_credential(make_completed_enrolment(**values))
    reader = PdfReader(io.BytesIO(Pdf().make(credential)))
    assert len(reader.pages) == 1
    return reader, " ".join(reader.pages[0].extract_text().split())


def test_the_page_says_all_that_is_certified(app):
    credential = make_credential()
    reader = PdfReader(io.BytesIO(Pdf().make(credential)))
    [page] = reader.pages
    text = " ".join(page.extract_text().split())

    assert round(float(page.mediabox.width)) == 842
    assert round(float(page.mediabox.height)) == 595
    for part in (
        "Rosa Quispe Mamani",
        "Tools for community planning",
        "12 hours",
        "86 %",
        "Map the actors of a territory",
        "Andean Centre",
        "Laurentian Institute",
        "Margaret Leclerc",
        "10 hours, Order of Planners",
        credential.code,
        "puente.test/verify",
    ):
        assert part in text
    assert str(credential.run.starts_on.day) in text


def test_it_is_tagged_pdf_a_with_the_signed_credential_attached(app):
    credential = make_credential()
    reader = PdfReader(io.BytesIO(Pdf().make(credential)))

    assert reader.attachments["credential.json"] == [credential.document.encode()]
    assert json.loads(reader.attachments["credential.json"][0])["proof"]
    catalog = reader.trailer["/Root"]
    assert catalog["/MarkInfo"]["/Marked"]
    assert catalog["/Lang"] == "en"
    metadata = catalog["/Metadata"].get_data()
    assert b'pdfaid:part="3"' in metadata or b"<pdfaid:part>3<" in metadata
    for font in reader.pages[0]["/Resources"]["/Font"].values():
        descriptor = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"]
        assert {"/FontFile2", "/FontFile3"} & set(descriptor.get_object())


def test_the_same_certificate_is_drawn_with_the_same_bytes(app):
    credential = make_credential()

    assert Pdf().draw(credential) == Pdf().draw(credential)


def test_the_qr_code_on_the_page_holds_the_address_of_the_certificate(app, monkeypatch):
    credential = make_credential()
    made = []
    real = segno.make
    monkeypatch.setattr(segno, "make", lambda *a, **k: made.append(real(*a, **k)) or made[-1])

    Pdf().make(credential)

    [code] = made
    expected = real(page_address(credential.code), error="m", micro=False)
    assert [bytes(row) for row in code.matrix] == [bytes(row) for row in expected.matrix]
    assert page_address(credential.code) == f"http://puente.test/verify/{credential.code}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "Ñawi Ch’aska Qispi Wallparimachi",  # Quechua
        "Tʼaqa Pʼiqiñ Jäch’a Qhanïri",  # Aymara
        "Łucja Wiśniewska-Żółć",  # Polish
        "Éloïse d’Œuvry-Lefèvre",  # French
        "Conceição Araújo Guimarães",  # Portuguese
    ],
)
def test_names_of_all_our_languages_are_set_whole(app, name):
    _reader, text = draw(user=make_user(name=name))

    assert name in text


def test_no_certificate_with_gaps_is_made(app, run_jobs, mails, signed_in):
    administrator = make_administrator()
    credential = make_credential()
    credential.facts_text = credential.facts_text.replace(
        "Map the actors", "Map \U00016a60\U00016a61"
    )  # Mro: as if a font had gone since the certificate was issued
    db.session.commit()

    with pytest.raises(MissingGlyphs) as refusal:
        Pdf().make(credential)
    assert "U+16A60" in refusal.value.problem
    run_jobs()

    told = [m for m in mails() if "No PDF for certificate" in m["Subject"]]
    assert [m["To"] for m in told] == [administrator.email]
    assert credential.pdf_file is None
    assert "U+16A60" in credential.pdf_problem
    page = signed_in(administrator).get(f"/admin/certificates/{credential.id}")
    assert "U+16A60" in page.text


def test_accreditations_at_the_date_of_the_award_are_printed(app):
    credential = make_credential()
    facts = credential.facts | {"accreditations": [ACCREDITATION]}
    credential.facts_text = register.to_text(facts)

    [page] = PdfReader(io.BytesIO(Pdf().make(credential))).pages

    text = " ".join(page.extract_text().split())
    for part in ("Accredited by", "Order of Planners, OP-77", "Planning", "January 1, 2027"):
        assert part in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "outcomes"),
    [
        ("Wolfeschlegelsteinhausenbergerdorff " * 3, 4),
        ("Ana Li", 14),
        ("María de los Ángeles Fernández de Córdoba y Álvarez de Toledo", 9),
    ],
)
def test_long_texts_are_set_smaller_until_they_fit(app, name, outcomes):
    course = make_certified_course(
        title={"en": "Tools for the planning of communities with people who never planned " * 2},
        outcomes=[
            {"en": f"Outcome {n}: to do something that takes a whole line to be said in full"}
            for n in range(outcomes)
        ],
    )

    _reader, text = draw(run=make_run(course), user=make_user(name=name.strip()))

    assert f"Outcome {outcomes - 1}" in text
    assert name.split()[-1] in text


@pytest.mark.slow
def test_a_text_that_never_fits_is_not_cut(app):
    course = make_certified_course(outcomes=[{"en": "A long outcome " * 2000}])
    credential = make_credential(make_completed_enrolment(make_run(course)))

    with pytest.raises(TextTooLong):
        Pdf().make(credential)


def test_a_certificate_in_two_languages_says_all_in_both(app):
    credential = make_credential(user=make_user(name="Ana Flores", language="es"))
    holder.choose_languages(credential, "fr", "es")

    reader = PdfReader(io.BytesIO(Pdf().make(credential)))

    assert len(reader.pages) == 1
    assert reader.trailer["/Root"]["/Lang"] == "fr"
    text = " ".join(reader.pages[0].extract_text().split())
    for part in (
        "Outils de planification communautaire",
        "Herramientas para la planificación comunitaria",
        "12 heures",
        "12 horas",
        "Mapear los actores de un territorio",
    ):
        assert part in text
    assert reader.attachments["credential.json"] == [credential.document.encode()]


@pytest.mark.parametrize("language", ["en", "es", "fr", "pt"])
def test_the_page_is_in_the_learners_language(app, language):
    reader, text = draw(user=make_user(name="Ana Flores", language=language))

    titles = make_certified_course().title
    assert reader.trailer["/Root"]["/Lang"] == language
    assert titles[language] in text


def test_the_job_draws_once(app, run_jobs):
    from lms.certificates import jobs

    credential = make_credential()
    run_jobs()
    first = credential.pdf_file_id
    jobs.draw_pdf(credential.id)

    assert credential.pdf_file_id == first
    content = read_file(credential.pdf_file)
    assert credential.pdf_digests == [hashlib.sha256(content).hexdigest()]


def test_the_pdf_is_for_the_holder_the_staff_and_administrators(client, signed_in, run_jobs):
    from tests.factories.courses import make_instructor

    credential = make_credential()
    address = f"/certificates/{credential.code}/certificate.pdf"
    assert signed_in(credential.user).get(address).status_code == 404  # not drawn yet
    run_jobs()
    instructor = make_instructor(credential.course)

    assert client.get(address).status_code == 302
    assert signed_in(make_user()).get(address).status_code == 403
    for user in (credential.user, instructor, make_administrator()):
        answer = signed_in(user).get(address)
        assert answer.status_code == 200
        assert answer.content_type == "application/pdf"
        assert answer.data.startswith(b"%PDF-")


@pytest.mark.slow
@pytest.mark.sqlite
def test_many_facts_are_set_smaller_and_never_stand_on_the_code(app):
    credential = make_credential(user=make_user(name="Ana Flores", language="es"))
    holder.choose_languages(credential, "fr", "es")
    facts = credential.facts
    long = {"fr": "Ordre des urbanistes et des aménagistes des vallées", "es": "Orden de valles"}
    facts["credits"] = [facts["credits"][0] | {"name": long}] * 3
    one = ACCREDITATION | {"association": ACCREDITATION["association"] | {"name": long}}
    facts["accreditations"] = [one | {"scope": "Aménagement, participation et eau"}] * 3
    credential.facts_text = register.to_text(facts)

    page = page_of(credential, Layout())

    places = page.document.pages[0].anchors
    assert page.scale < 1
    assert places["facts"][3] <= places["proof"][1]
