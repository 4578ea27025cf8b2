"""Messages of gateways: signed by them, acted on once."""

from __future__ import annotations

import hashlib

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from lms.core.errors import NotFound
from lms.core.web import csrf, public
from lms.payments.gateways.base import payment_gateways
from lms.payments.services.facts import receive_event
from lms.payments.views import bp


@bp.post("/payments/<gateway>/webhook")
@csrf.exempt  # type: ignore[untyped-decorator]
@public
def webhook(gateway: str) -> ResponseReturnValue:
    """Check the signature, keep the message by its id, act on it in the same transaction."""
    found = payment_gateways.get(gateway)
    body = request.get_data(cache=False)
    event = found.read_webhook(body, dict(request.headers)) if found else None
    if event is None:
        raise NotFound
    is_new = receive_event(gateway, event, hashlib.sha256(body).hexdigest())
    return jsonify(received=True, repeated=not is_new)
