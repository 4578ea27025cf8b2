"""Several certificates of one person as one document (1EdTech Comprehensive Learner Record 2.0).

A `ClrCredential` of this site says that these credentials are one person's; each of them keeps its
own proof and verifies alone.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from lms.certificates.data_integrity import (
    CREDENTIALS_V2,
    LEARNER_RECORDS_2,
    OPEN_BADGES_3,
    instant,
)
from lms.certificates.open_badge import identities, issuer_did
from lms.core.settings import settings

JSON = dict[str, Any]


def make_record(
    documents: Sequence[str],
    made_at: datetime,
    *,
    name: str | None,
    email: str | None,
    is_partial: bool,
) -> JSON:
    """The record without its proof, in the language that is spoken.

    documents: the signed credentials. name, email: of the person, None for a record that names
    nobody. is_partial: whether the person holds others that are not in it.
    """
    subject: JSON = {"id": uuid.uuid4().urn, "type": ["ClrSubject"]}
    if name is not None:
        subject["identifier"] = identities(name, email)
    subject["verifiableCredential"] = [json.loads(text) for text in documents]
    config = settings()
    return {
        "@context": [CREDENTIALS_V2, LEARNER_RECORDS_2, OPEN_BADGES_3],
        "id": uuid.uuid4().urn,
        "type": ["VerifiableCredential", "ClrCredential"],
        "name": str(_("Collection of certificates")),
        "issuer": {
            "id": issuer_did(),
            "type": ["Profile"],
            "name": config.site_name,
            "url": config.base_url + "/",
        },
        "validFrom": instant(made_at),
        "awardedDate": instant(made_at),
        "partial": is_partial,
        "credentialSubject": subject,
    }
