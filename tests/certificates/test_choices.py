"""What holders choose, and names that cannot stand on a certificate."""

from __future__ import annotations

import io
import json

import pytest

from lms.certificates import queries
from lms.certificates.errors import NameCannotBeSet
from lms.certificates.lettering import missing_letters
from lms.certificates.models import RevocationReason
from lms.certificates.services import issue, revoke
from lms.certificates.services.verify import verify_code
from lms.courses.models import EnrolmentState
from lms.courses.services import progress
from tests.factories.accounts import make_administrator, make_user
from tests.factories.certificates import make_certified_course, make_credential
from tests.factories.courses import make_enrolment, make_run


def choose(signed_in, credential, what: str, **data: str):
    browser = signed_in(credential.user)
    return browser.post(f"/my/certificates/{credential.code}/{what}", data=data)


def test_a_hidden_grade_is_told_to_no_stranger(client, signed_in, run_jobs):
    credential = make_credential()
    run_jobs()
    assert "Passed with 86" in client.get(f"/verify/{credential.code}").text

    assert choose(signed_in, credential, "grade", shows_grade="no").status_code == 303

    page = client.get(f"/verify/{credential.code}").text
    assert "verdict-valid" in page
    assert "with 86" not in page
    assert "Rosa Quispe Mamani" in page
    public = json.loads(client.get(f"/verify/{credential.code}.json").data)
    assert "result" not in public["credentialSubject"]
    assert "resultDescription" not in public["credentialSubject"]["achievement"]
    assert public["credentialSubject"]["identifier"][0]["identityHash"] == "Rosa Quispe Mamani"
    assert "result" in json.loads(credential.document)["credentialSubject"]
    assert client.get(f"/verify/{credential.code}.pdf").status_code == 404

    choose(signed_in, credential, "grade", shows_grade="yes")

    assert "Passed with 86" in client.get(f"/verify/{credential.code}").text
    assert credential.public_document is None


def test_name_and_grade_are_hidden_apart(client, signed_in):
    credential = make_credential()
    choose(signed_in, credential, "grade", shows_grade="no")
    choose(signed_in, credential, "name", shows_name="no")
    choose(signed_in, credential, "grade", shows_grade="yes")

    public = json.loads(client.get(f"/verify/{credential.code}.json").data)

    assert "identifier" not in public["credentialSubject"]
    assert public["credentialSubject"]["result"][0]["value"] == "86"


def test_the_holder_has_it_in_two_languages_and_former_files_stay_valid(
    client, signed_in, run_jobs
):
    credential = make_credential()
    run_jobs()
    former = credential.document
    prefix = f"languages-{credential.id}"

    answer = choose(
        signed_in, credential, "languages", **{f"{prefix}-first": "fr", f"{prefix}-second": "es"}
    )
    run_jobs()

    assert answer.status_code == 303
    assert (credential.language, credential.second_language) == ("fr", "es")
    assert json.loads(credential.document)["name"] == "Outils de planification communautaire"
    assert credential.pdf_file is not None
    assert len(set(credential.pdf_digests)) == 2
    assert verify_code(credential.code).is_valid
    upload = {"by-file-file": (io.BytesIO(former.encode()), "c.json")}
    page = client.post("/verify/file", data=upload, content_type="multipart/form-data")
    assert "verdict-valid" in page.text


def test_other_languages_and_revoked_certificates_are_refused(signed_in):
    credential = make_credential()
    prefix = f"languages-{credential.id}"
    wrong = choose(
        signed_in, credential, "languages", **{f"{prefix}-first": "xx", f"{prefix}-second": ""}
    )
    assert wrong.status_code in (400, 422)
    revoke.revoke(credential, RevocationReason.OTHER, None, make_administrator().id)

    late = choose(
        signed_in, credential, "languages", **{f"{prefix}-first": "pt", f"{prefix}-second": ""}
    )

    assert late.status_code == 409
    assert credential.language == "en"


def test_a_correction_keeps_languages_and_what_is_hidden(signed_in):
    credential = make_credential()
    prefix = f"languages-{credential.id}"
    choose(
        signed_in, credential, "languages", **{f"{prefix}-first": "pt", f"{prefix}-second": "en"}
    )
    choose(signed_in, credential, "grade", shows_grade="no")

    made = issue.reissue(credential, "Rosa Condori", make_administrator().id)

    assert (made.language, made.second_language, made.shows_grade) == ("pt", "en", False)
    assert "result" not in json.loads(made.shown_document)["credentialSubject"]


@pytest.mark.parametrize(
    "name",
    [
        "Ñawi Ch’aska Qispi Wallparimachi",
        "Tʼaqa Pʼiqiñ Jäch’a Qhanïri",
        "Łucja Wiśniewska-Żółć",
        "Éloïse d’Œuvry-Lefèvre",
        "Zoë Škvorecký Ångström İpek Đặng",
    ],
)
def test_every_letter_of_our_names_is_there(name):
    assert missing_letters(name) == ""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Rosa \U00016a60", "U+16A60"),
        ("Rosa\x07Quispe", "U+0007"),
        ("\n".join(["María de los Ángeles"] * 40), "at most 120"),
        ("   ", "at least one letter"),
    ],
)
def test_a_name_that_cannot_be_printed_is_refused(app, signed_in, name, said):
    with pytest.raises(NameCannotBeSet) as refusal:
        make_credential(user=make_user(name=name))
    assert said in str(refusal.value.text)

    credential = make_credential()
    answer = signed_in(make_administrator()).post(
        f"/admin/certificates/{credential.id}/reissue", data={"correct-name": name}
    )

    assert answer.status_code == 422
    assert not queries.get_credential(credential.id).is_revoked


def test_a_completion_stands_and_the_person_is_told_what_to_do_about_the_name(app, mails, run_jobs):
    course = make_certified_course(minimum_grade=None)
    enrolment = make_enrolment(make_run(course), make_user(name="Rosa \U00016a60"))

    progress.complete_activity(enrolment, course.modules[0].activities[0])

    assert enrolment.state == EnrolmentState.COMPLETED
    assert queries.find_latest(enrolment) is None
    [mail] = [m for m in mails() if "waits for your name" in m["Subject"]]
    assert mail["To"] == enrolment.user.email
    assert "U+16A60" in mail.get_body(("plain",)).get_content()
