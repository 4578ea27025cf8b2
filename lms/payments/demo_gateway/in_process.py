"""Stripe's library talking to the stand-in without a network."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import stripe
from flask import Flask
from werkzeug.test import Client

from lms.config import Settings
from lms.payments.demo_gateway.double import StripeDouble, demo_double
from lms.payments.demo_gateway.keys import demo_keys
from lms.payments.demo_gateway.views import make_app


@lru_cache(maxsize=8)
def _app(double: StripeDouble, api_key: str) -> Flask:
    return make_app(double, api_key)


class InProcessClient(stripe.HTTPClient):
    """A transport for Stripe's library: requests are answered by the stand-in's own app."""

    name = "in_process"

    def __init__(self, config: Settings) -> None:
        super().__init__()
        keys = demo_keys(config)
        double = demo_double(config.data_path, config.base_url, keys.webhook_secret)
        self._server = Client(_app(double, keys.api_key))

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """Answer one request."""
        parts = urlsplit(url)
        answer = self._server.open(
            parts.path,
            method=method.upper(),
            query_string=parts.query,
            headers=dict(headers or {}),
            data=post_data,
        )
        return answer.get_data(as_text=True), answer.status_code, dict(answer.headers)

    def close(self) -> None:
        """There is nothing to close."""
