"""What programs fetch of an association: its identity, its endorsements, their status."""

from __future__ import annotations

import uuid

from flask import jsonify
from flask.typing import ResponseReturnValue

from lms.core.errors import NotFound
from lms.core.web import open_to_all, public
from lms.recognition import queries
from lms.recognition.services import body_keys
from lms.recognition.views import bp


@bp.get("/bodies/<slug>/did.json")
@public
def body_identity(slug: str) -> ResponseReturnValue:
    """The association's identity and keys (did:web)."""
    association = queries.get_association(slug)
    body = jsonify(body_keys.did_document(association)).get_data()
    return open_to_all(body, "application/did+json", max_age=300)


@bp.get("/bodies/<slug>/status")
@public
def body_status(slug: str) -> ResponseReturnValue:
    """The association's signed status list, kept by caches for a minute."""
    found = queries.find_body_status_list(queries.get_association(slug))
    if found is None:
        raise NotFound
    return open_to_all(found.document, "application/vc+ld+json", max_age=60)


@bp.get("/endorsements/<uuid:identifier>")
@public
def endorsement_document(identifier: uuid.UUID) -> ResponseReturnValue:
    """The signed endorsement, as it was signed; its status list says whether it was revoked."""
    found = queries.get_published_endorsement(identifier)
    kind = "text/plain" if found.is_token else "application/vc+ld+json"
    return open_to_all(found.document, kind)
