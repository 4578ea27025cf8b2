"""Mails over SMTP, to a real server."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from aiosmtpd.smtp import AuthResult, LoginPassword
from pydantic import SecretStr

from lms.config import ConfigurationError
from lms.core.checks import run_checks
from lms.core.mail import connect, deliver, make_mail
from tests.browser.site import free_port

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


class Mailbox(Message):
    def __init__(self) -> None:
        super().__init__()
        self.received: list = []

    def handle_message(self, message) -> None:
        self.received.append(message)


def authenticate(server, session, envelope, mechanism, data) -> AuthResult:
    is_known = isinstance(data, LoginPassword) and (data.login, data.password) == (b"us", b"p@ss")
    return AuthResult(success=is_known, handled=is_known)


@pytest.fixture
def mail_server(app, monkeypatch) -> Iterator:
    """A server that wants a name and a password; the app is set to use it."""
    box = Mailbox()
    port = free_port()
    controller = Controller(
        box, hostname="127.0.0.1", port=port, authenticator=authenticate,
        auth_required=True, auth_require_tls=False,
    )  # fmt: skip
    controller.start()

    def use(password: str = "p%40ss") -> None:
        url = SecretStr(f"smtp://us:{password}@127.0.0.1:{port}")
        changed = app.extensions["settings"].model_copy(update={"mail_url": url})
        monkeypatch.setitem(app.extensions, "settings", changed)

    use()
    yield box, use
    controller.stop()


def test_a_mail_arrives_with_its_accents_and_attachment(mail_server):
    box, _use = mail_server

    deliver(
        make_mail(
            "ana@example.org",
            "Su certificado: Planificación",
            "Hola Ñaupari",
            "<p>Hola <b>Ñaupari</b></p>",
            language="es",
            attachments=[("recibo.pdf", "application/pdf", b"%PDF-1.7")],
        )
    )

    [mail] = box.received
    assert mail["X-RcptTo"] == "ana@example.org"
    assert mail["Content-Language"] == "es"
    parts = {part.get_content_type(): part for part in mail.walk()}
    assert "Ñaupari" in parts["text/plain"].get_payload(decode=True).decode()
    assert parts["application/pdf"].get_filename() == "recibo.pdf"


def test_a_subject_cannot_bring_headers_of_its_own(mail_server):
    box, _use = mail_server

    deliver(make_mail("ana@example.org", "Hello\r\nBcc: all@example.org", "Text"))

    assert box.received[0]["Bcc"] is None


def test_a_wrong_password_is_an_error_that_the_job_repeats(mail_server):
    box, use = mail_server
    use("wrong")

    with pytest.raises(smtplib.SMTPAuthenticationError):
        deliver(make_mail("ana@example.org", "Hello", "Text"))
    assert box.received == []


def test_the_check_says_whether_the_mail_server_answers(mail_server):
    _box, use = mail_server
    assert {f.name: f.is_ok for f in run_checks()}["mail"]

    use("wrong")
    assert not {f.name: f.is_ok for f in run_checks()}["mail"]


def test_another_kind_of_address_is_refused(app):
    url = SecretStr("http://mail.example")
    changed = app.extensions["settings"].model_copy(update={"mail_url": url})

    with pytest.raises(ConfigurationError, match="smtp"):
        connect(changed)
