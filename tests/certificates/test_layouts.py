"""Layouts: data that is checked whole, versions that never change, previews that warn."""

from __future__ import annotations

import base64
import io
import re

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from lms.certificates.credential_formats.pdf import Pdf
from lms.certificates.credential_formats.preview import preview
from lms.certificates.errors import LayoutInUse
from lms.certificates.layout_data import TEXTS, Layout, LayoutRefused, contrast, fill, read_layout
from lms.certificates.layout_models import CertificateLayout, LayoutVersion, OutcomeAlignment
from lms.certificates.services import layouts
from lms.certificates.services.issue import reissue
from lms.core.db import db
from lms.directory.models import OrganisationRole
from tests.factories.accounts import make_administrator, make_user
from tests.factories.certificates import (
    make_certified_course,
    make_completed_enrolment,
    make_credential,
)
from tests.factories.courses import make_run

pytestmark = pytest.mark.slow

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def course(app):
    return make_certified_course()


@pytest.fixture
def manager(course):
    user = make_user()
    db.session.add(
        OrganisationRole(organisation_id=course.owner_id, user_id=user.id, role="manager")
    )
    db.session.commit()
    return user


def make_layout(course, by, **values):
    made = layouts.make_layout(course.owner, "Ours", by, read_layout(Layout().to_json() | values))
    db.session.commit()
    return made


def text_of(credential) -> str:
    [page] = PdfReader(io.BytesIO(Pdf().make(credential))).pages
    return " ".join(page.extract_text().split())


@pytest.mark.sqlite
def test_what_was_kept_is_read_as_it_was():
    layout = read_layout(
        Layout().to_json()
        | {
            "accent": "#102030",
            "texts": {"es": {"heading": "Constancia"}},
            "signatories": [{"name": "Rosa", "role": {"es": "Rectora"}, "organisation": "U"}],
        }
    )

    assert read_layout(layout.to_json()) == layout


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"paper": "a3"}, "paper"),
        ({"accent": "red; }"}, "accent"),
        ({"accent": "#ffffff"}, "accent"),
        ({"panel": "#333333"}, "panel"),
        ({"fields": ["dates", "dates"]}, "fields"),
        ({"fields": ["salary"]}, "fields"),
        ({"texts": {"es": {"heading": "{holder.password}"}}}, "texts.es.heading"),
        ({"texts": {"es": {"heading": "open {"}}}, "texts.es.heading"),
        ({"texts": {"es": {"note": "x" * 301}}}, "texts.es.note"),
        ({"texts": {"qu": {"note": "x"}}}, "texts"),
        ({"signatories": [{"name": ""}]}, "signatories.0.name"),
        ({"signatories": [{"name": "A"}] * 5}, "signatories"),
        ({"script": "alert(1)"}, "layout"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(values, where):
    with pytest.raises(LayoutRefused) as refusal:
        read_layout(Layout().to_json() | values)

    assert refusal.value.where == where


@pytest.mark.sqlite
def test_contrast_is_that_of_wcag():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.sqlite
def test_placeholders_are_filled_in():
    assert fill("{course}: {hours} h", {"course": "Água", "hours": "40"}) == "Água: 40 h"


def test_a_certificate_shows_the_layout_of_its_course_in_its_language(course, manager):
    layout = make_layout(
        course,
        manager,
        texts={"en": {"heading": "Statement of {hours} hours", "note": "Under agreement 77"}},
        signatories=[{"name": "Rectora Uno", "role": {"en": "Rector"}, "organisation": "UMSA"}],
        fields=["issued_on", "dates"],
        paper="letter",
        side="left",
        band="plain",
        backdrop="none",
    )
    layouts.choose_layout(course, layout, manager)

    credential = make_credential(make_completed_enrolment(make_run(course)))
    text = text_of(credential)

    for words in ("STATEMENT OF 12 HOURS", "Under agreement 77", "Rectora Uno", "Rector", "UMSA"):
        assert words.lower() in text.lower()
    assert "Continuing education" not in text
    assert text.index("Issued on") < text.index("Dates")
    assert credential.facts["signatories"][0]["name"] == "Rectora Uno"
    size = PdfReader(io.BytesIO(Pdf().make(credential))).pages[0].mediabox
    assert (round(size.width), round(size.height)) == (792, 612)


def test_an_issued_certificate_stays_as_it_was_whatever_becomes_of_its_layout(course, manager):
    layout = make_layout(course, manager, texts={"en": {"heading": "First words"}})
    layouts.set_default(layout, True, manager)
    credential = make_credential(make_completed_enrolment(make_run(course)))
    before = Pdf().draw(credential)

    changed = read_layout(Layout().to_json() | {"texts": {"en": {"heading": "Second words"}}})
    layouts.keep_layout(layout, "Ours", changed, manager)
    assert Pdf().draw(credential) == before
    layouts.delete_layout(layout, manager)
    assert Pdf().draw(credential) == before
    layouts.bring_back(layout, manager)
    layouts.set_default(layout, True, manager)

    corrected = reissue(credential, "Another Name", make_administrator().id)
    assert "second words" in text_of(corrected).lower()


def test_a_corrected_certificate_keeps_the_former_layout_when_told_so(course, manager):
    layout = make_layout(course, manager)
    layouts.set_default(layout, True, manager)
    old = make_credential(make_completed_enrolment(make_run(course)))
    layouts.set_default(layout, False, manager)

    made = reissue(old, "Another Name", manager.id, keeps_layout=True)

    assert old.layout_version_id is not None
    assert made.layout_version_id == old.layout_version_id


def test_without_a_choice_the_pages_bytes_are_puentes_own(course):
    credential = make_credential(make_completed_enrolment(make_run(course)))

    assert credential.layout_version_id is None
    assert "CERTIFICATE OF COMPLETION" in text_of(credential).upper()


def test_a_course_can_keep_puentes_own_layout_against_its_organisation(course, manager):
    layouts.set_default(make_layout(course, manager), True, manager)

    assert layouts.version_for(course) is not None
    layouts.choose_layout(course, "own", manager)
    assert layouts.version_for(course) is None
    layouts.choose_layout(course, "organisation", manager)
    assert layouts.version_for(course) is not None


def test_saving_makes_a_version_only_when_something_changed(course, manager):
    layout = make_layout(course, manager)
    content = layouts.newest_version(layout).content

    layouts.keep_layout(layout, "Other name", content, manager)
    assert len(layouts.versions_of(layout)) == 1
    layouts.keep_layout(layout, "Ours", read_layout(content.to_json() | {"side": "left"}), manager)
    layouts.return_to(layout, 1, manager)

    assert [one.number for one in layouts.versions_of(layout)] == [3, 2, 1]
    assert layouts.newest_version(layout).content == content


def test_a_chosen_layout_is_not_deleted(course, manager):
    layout = make_layout(course, manager)
    layouts.choose_layout(course, layout, manager)

    with pytest.raises(LayoutInUse):
        layouts.delete_layout(layout, manager)


def test_a_preview_warns_of_letters_and_of_too_much_text(app):
    mro = read_layout(Layout().to_json() | {"texts": {"en": {"note": "Read \U00016a60"}}})
    long = read_layout(Layout().to_json() | {"texts": {"en": dict.fromkeys(TEXTS, "word " * 60)}})

    good = preview(Layout(), "es", "en")
    assert good.png is not None
    assert good.png.startswith(b"\x89PNG")
    assert not good.warnings
    assert "U+16A60" in preview(mro, "en").warnings[0]
    assert preview(long, "en").warnings


def test_a_manager_designs_in_the_browser(course, manager, signed_in):
    browser = signed_in(manager)
    slug = course.owner.slug
    made = browser.post(f"/organisations/{slug}/certificate-layouts", data={"name": "Blue"})
    page = browser.get(made.location).text
    values = dict(re.findall(r'name="((?:accent|heading|page|panel))"[^>]*value="([^"]*)"', page))
    assert 'src="data:image/png;base64,' in page
    values |= {
        "name": "Blue", "paper": "a4", "side": "left", "band": "none", "backdrop": "none",
        "accent": "#003366", "place_dates": "2", "place_issued_on": "1",
        "text_heading_es": "Constancia de {course}", "language": "es", "second": "",
        "signatories-0-name": "Rosa", "signatories-0-role_es": "Rectora",
    }  # fmt: skip

    shown = browser.post(made.location, data=values | {"do": "preview"})
    assert shown.status_code == 200
    assert "Constancia de {course}" in shown.text
    assert len(db.session.scalars(select(LayoutVersion)).all()) == 1
    wrong = browser.post(made.location, data=values | {"accent": "#fafafa", "do": "save"})
    assert wrong.status_code == 422
    assert "contrast" in wrong.text
    assert "Constancia de {course}" in wrong.text
    drawn = browser.post(f"{made.location}/preview", data=values)
    assert 'src="data:image/png;base64,' in drawn.text
    picture = {"logo": (io.BytesIO(PNG), "logo.png")}
    saved = browser.post(made.location, data=values | picture | {"do": "save"})
    assert saved.status_code == 303, saved.text
    content = (
        db.session.scalars(select(LayoutVersion).order_by(LayoutVersion.number.desc()))
        .first()
        .content
    )
    assert content.fields == ("issued_on", "dates")
    assert content.logo is not None
    assert content.signatories[0].role == {"es": "Rectora"}
    evil = {"logo": (io.BytesIO(b"<svg onload=alert(1)>"), "logo.png")}
    refused = browser.post(made.location, data=values | evil | {"do": "save"})
    assert refused.status_code == 422


def test_deleting_can_be_undone(course, manager, signed_in):
    layout = make_layout(course, manager)
    browser = signed_in(manager)
    address = f"/certificate-layouts/{layout.uuid}"

    deleted = browser.post(f"{address}/delete")
    assert "Undo" in browser.get(deleted.location).text
    assert browser.get(address).status_code == 404
    browser.post(f"{address}/bring-back")
    assert browser.get(address).status_code == 200
    assert "Ours (copy)" in browser.get(browser.post(f"{address}/copy").location).text


def test_another_organisations_layouts_and_pictures_are_closed(course, manager, signed_in):
    layout = make_layout(course, manager)
    stored = layouts.keep_picture(layout, PNG, "logo.png")
    other = make_layout(course, manager)
    stranger = signed_in(make_user())

    for path in ("", "/versions"):
        assert stranger.get(f"/certificate-layouts/{layout.uuid}{path}").status_code == 403
    for deed in ("preview", "copy", "default", "delete", "bring-back", "versions/1/return"):
        answer = stranger.post(f"/certificate-layouts/{layout.uuid}/{deed}")
        assert answer.status_code == 403, deed
    assert stranger.get(f"/teach/courses/{course.slug}/certificate").status_code == 403
    assert stranger.get(f"/teach/courses/{course.slug}/alignments").status_code == 403
    assert stranger.post(f"/teach/courses/{course.slug}/alignments").status_code == 403
    content = read_layout(Layout().to_json() | {"logo": stored.id})
    with pytest.raises(LayoutRefused):
        layouts.keep_layout(other, "Ours", content, manager)


def test_a_course_chooses_and_sees_its_certificate(course, manager, signed_in):
    layout = make_layout(course, manager)
    browser = signed_in(manager)
    address = f"/teach/courses/{course.slug}/certificate"

    assert 'src="data:image/png;base64,' in browser.get(address).text
    assert browser.post(address, data={"layout": str(layout.uuid)}).status_code == 303
    assert layouts.chosen_by(course) == str(layout.uuid)
    assert browser.post(address, data={"layout": "nonsense"}).status_code == 422
    foreign = layouts.make_layout(make_certified_course().owner, "Theirs", manager)
    db.session.commit()
    assert browser.post(address, data={"layout": str(foreign.uuid)}).status_code == 422


def test_outcomes_are_aligned_with_frameworks_elsewhere(course, manager, signed_in):
    browser = signed_in(manager)
    address = f"/teach/courses/{course.slug}/alignments"
    entry = {
        "outcome": "1", "framework": "Marco de la Orden", "code": "SP-2",
        "name": "Planifica con la comunidad", "url": "https://orden.example/marco/sp-2",
    }  # fmt: skip

    assert browser.post(address, data=entry | {"url": "javascript:alert(1)"}).status_code == 422
    assert browser.post(address, data=entry).status_code == 303
    credential = make_credential(make_completed_enrolment(make_run(course)))
    assert '"targetCode": "SP-2"' in credential.document
    alignment = db.session.scalars(select(OutcomeAlignment)).one()
    browser.post(f"{address}/{alignment.id}/remove")
    assert "SP-2" not in browser.get(address).text
    assert "SP-2" in credential.document
    assert db.session.scalars(select(CertificateLayout)).all() == []
