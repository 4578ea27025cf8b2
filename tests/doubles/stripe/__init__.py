"""The stand-in for Stripe, kept honest by Stripe's own installed types."""

from lms.payments.demo_gateway.double import Outcome, Refused, StripeDouble
from lms.payments.demo_gateway.views import make_app
from tests.doubles.stripe.honest import HonestDouble, check_object, check_request
from tests.doubles.stripe.server import API_KEY, WEBHOOK_SECRET, serve_double

__all__ = [
    "API_KEY",
    "WEBHOOK_SECRET",
    "HonestDouble",
    "Outcome",
    "Refused",
    "StripeDouble",
    "check_object",
    "check_request",
    "make_app",
    "serve_double",
]
