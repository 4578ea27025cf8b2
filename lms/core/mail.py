"""Sending one mail: over SMTP, or into a folder in the embedded default."""

from __future__ import annotations

import smtplib
import ssl
import uuid
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid, parseaddr
from urllib.parse import unquote, urlsplit

from lms.config import ConfigurationError, Settings
from lms.core.settings import settings

TIMEOUT = 20  # seconds


def make_mail(
    to: str,
    subject: str,
    text: str,
    html: str | None = None,
    *,
    language: str = "en",
    reply_to: str | None = None,
    headers: dict[str, str] | None = None,
    attachments: Sequence[tuple[str, str, bytes]] = (),
) -> EmailMessage:
    """A mail with a plain and, when given, an HTML part.

    attachments: (file name, media type, bytes) each.
    """
    sender = settings().mail_from
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = " ".join(subject.split())
    mail["Date"] = formatdate()
    mail["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].rpartition("@")[2] or "localhost")
    mail["Auto-Submitted"] = "auto-generated"
    if reply_to:
        mail["Reply-To"] = reply_to
    for name, value in (headers or {}).items():
        mail[name] = value
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    for name, media_type, content in attachments:
        main, _, sub = media_type.partition("/")
        mail.add_attachment(content, maintype=main, subtype=sub, filename=name)
    mail["Content-Language"] = language  # last: further parts take earlier Content headers along
    return mail


def connect(config: Settings) -> smtplib.SMTP | None:
    """A signed-in SMTP connection, or None when mails go to a folder.

    Raises ConfigurationError for an address of another kind, OSError or SMTPException when the
    server cannot be reached.
    """
    if config.mail_url is None:
        return None
    url = urlsplit(config.mail_url.get_secret_value())
    host = url.hostname or "localhost"
    if url.scheme not in ("smtp", "smtps", "smtp+starttls"):
        raise ConfigurationError("LMS_MAIL_URL: use smtp://, smtps:// or smtp+starttls://")
    if url.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, url.port or 465, timeout=TIMEOUT, context=ssl.create_default_context()
        )
    else:
        server = smtplib.SMTP(host, url.port or 25, timeout=TIMEOUT)
        if url.scheme == "smtp+starttls":
            server.starttls(context=ssl.create_default_context())
    if url.username:
        server.login(unquote(url.username), unquote(url.password or ""))
    return server


def deliver(mail: EmailMessage) -> None:
    """Send one mail now. Called by jobs only, so that no request waits for a mail server."""
    config = settings()
    server = connect(config)
    if server is None:
        folder = config.data_path / "mails"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{uuid.uuid4().hex}.eml").write_bytes(mail.as_bytes())
        return
    try:
        server.send_message(mail)
    finally:
        server.quit()
