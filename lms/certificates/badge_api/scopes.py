"""What a client may be allowed (Open Badges 3.0, 6.2.1), in words for the holder."""

from __future__ import annotations

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

_BASE = "https://purl.imsglobal.org/spec/ob/v3p0/scope/"
READ_CREDENTIALS = _BASE + "credential.readonly"
KEEP_CREDENTIALS = _BASE + "credential.upsert"
READ_PROFILE = _BASE + "profile.readonly"
CHANGE_PROFILE = _BASE + "profile.update"
STAY = "offline_access"

OFFERED: dict[str, LazyString] = {
    READ_CREDENTIALS: lazy_gettext(
        "Read all your certificates, with your name, your grades and a hash of your e-mail address"
    ),
    KEEP_CREDENTIALS: lazy_gettext("Add certificates from elsewhere to yours"),
    READ_PROFILE: lazy_gettext("Read your name and your e-mail address"),
    CHANGE_PROFILE: lazy_gettext("Change the name that stands on your certificates to come"),
    STAY: lazy_gettext("Go on doing so later without asking you again"),
}
