"""What the tests read in mails."""

from __future__ import annotations

import re
from email.message import EmailMessage


def text_of(mail: EmailMessage) -> str:
    """The plain part, on one line."""
    part = mail.get_body(("plain",))
    return " ".join(part.get_content().split())


def link_in(mail: EmailMessage) -> str:
    """The path behind the mail's button."""
    part = mail.get_body(("plain",))
    [link] = re.findall(r"^http://puente\.test(/\S+)\r?$", part.get_content(), re.MULTILINE)
    return link
