"""A stand-in for Stripe that keeps its own state, for the demo without keys and for tests.

It behaves like Stripe's API in what Puente uses: sessions, test cards, 3-D Secure, methods that
settle later, refunds, idempotency keys, signed webhooks that are sent again until they are taken.
"""
