"""Checks of requests and objects against the types in Stripe's installed package."""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Sequence
from typing import Any

import pydantic
import stripe
import typing_extensions
from stripe.checkout import Session
from stripe.params import RefundCreateParams
from stripe.params.checkout import SessionCreateParams

from lms.payments.demo_gateway.double import StripeDouble
from lms.payments.demo_gateway.objects import Thing

CLASSES: dict[str, type] = {
    "checkout.session": Session,
    "payment_intent": stripe.PaymentIntent,
    "charge": stripe.Charge,
    "refund": stripe.Refund,
    "event": stripe.Event,
    "balance_transaction": stripe.BalanceTransaction,
    "balance": stripe.Balance,
    "payout": stripe.Payout,
    "dispute": stripe.Dispute,
}


class _Untyped:
    """Stands for Stripe's mapping of any keys."""

    def __class_getitem__(cls, kind: Any) -> Any:
        return dict[str, kind]


@functools.cache
def _adapter(params: type) -> pydantic.TypeAdapter[Any]:
    names = {
        **vars(stripe),
        **vars(typing_extensions),
        **vars(sys.modules[params.__module__]),
        "UntypedStripeObject": _Untyped,
    }
    adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(params)
    while True:
        try:
            adapter.rebuild(_types_namespace=names, force=True)
        except pydantic.errors.PydanticUndefinedAnnotation as error:
            names[error.name] = Any
        else:
            return adapter


def check_request(params: Thing, kind: type) -> None:
    """Fail when Stripe would not know a parameter, or not in this type."""
    understood = _adapter(kind).validate_python(params)
    assert understood == params, f"unknown to Stripe: {params} is read as {understood}"


def check_object(thing: Thing, cls: type | None = None, where: str = "") -> None:
    """Fail when a required attribute is missing, or one is unknown to Stripe's class."""
    cls = cls or CLASSES[thing["object"]]
    where = where or thing["object"]
    known = cls.__annotations__
    unknown = [name for name in thing if name not in known and name not in ("id", "object")]
    assert not unknown, f"{where}: unknown to Stripe: {unknown}"
    for name, kind in known.items():
        text = str(kind)
        if "ClassVar" in text or name.startswith("_"):
            continue
        is_optional = "Optional[" in text or "None" in text
        assert is_optional or name in thing, f"{where}: {name} is missing"
        nested = _nested_class(cls, name)
        if nested is not None and isinstance(thing.get(name), dict):
            check_object(thing[name], nested, f"{where}.{name}")


def _nested_class(cls: type, name: str) -> type | None:
    """The class inside `cls` that describes an attribute: custom_text -> CustomText."""
    wanted = "".join(part.capitalize() for part in name.split("_"))
    found = vars(cls).get(wanted)
    is_described = isinstance(found, type) and bool(getattr(found, "__annotations__", None))
    is_open = wanted in ("Metadata", "Data", "Object") or isinstance(found, types.GenericAlias)
    return found if is_described and not is_open else None


class HonestDouble(StripeDouble):
    """The stand-in, with every request checked and every object it gives checked."""

    def create_session(self, params: Thing) -> Thing:
        check_request(params, SessionCreateParams)
        session = super().create_session(params)
        check_object(session)
        return session

    def create_refund(self, params: Thing) -> Thing:
        check_request(params, RefundCreateParams)
        refund = super().create_refund(params)
        check_object(refund)
        return refund

    def list_balance_transactions(self, query: dict[str, str]) -> Thing:
        found = super().list_balance_transactions(query)
        for thing in found["data"]:
            check_object(thing)
        return found

    def balance(self) -> Thing:
        found = super().balance()
        check_object(found)
        return found

    def pay_out(self) -> Thing | None:
        payout = super().pay_out()
        if payout is not None:
            check_object(payout)
        return payout

    def open_dispute(self, change: Any, charge: Thing, reason: str = "fraudulent") -> Thing:
        dispute = super().open_dispute(change, charge, reason)
        check_object(dispute)
        return dispute

    def get(self, key: str, expand: Sequence[str] = ()) -> Thing:
        thing = super().get(key, expand)
        check_object(thing)
        for name in expand:
            check_object(thing[name])
        return thing
