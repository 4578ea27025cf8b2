"""The tiers and exceptions that an installation begins with; administrators change them."""

from __future__ import annotations

from lms.core.db import ByLanguage
from lms.pricing.income_groups import IncomeGroup

PERCENT: dict[str, int] = {
    IncomeGroup.HIGH: 100,
    IncomeGroup.UPPER_MIDDLE: 50,
    IncomeGroup.LOWER_MIDDLE: 30,
    IncomeGroup.LOW: 15,
}

_NO_PAYMENT: ByLanguage = {
    "en": "The card payment service takes no payments from this country.",
    "es": "El servicio de pago con tarjeta no acepta pagos desde este país.",
    "fr": "Le service de paiement par carte n’accepte aucun paiement de ce pays.",
    "pt": "O serviço de pagamento com cartão não aceita pagamentos deste país.",
}

# Country, tier (None: nobody there can pay), reason.
EXCEPTIONS: tuple[tuple[str, str | None, ByLanguage], ...] = (
    (
        "VE",
        IncomeGroup.LOWER_MIDDLE,
        {
            "en": "The World Bank puts Venezuela in no income group while its national accounts are"
            " being revised. We count it as lower middle income.",
            "es": "El Banco Mundial no clasifica a Venezuela mientras se revisan sus cuentas"
            " nacionales. La contamos como de ingreso mediano bajo.",
            "fr": "La Banque mondiale ne classe pas le Venezuela pendant la révision de ses comptes"
            " nationaux. Nous le comptons parmi les pays à revenu intermédiaire inférieur.",
            "pt": "O Banco Mundial não classifica a Venezuela enquanto suas contas nacionais são"
            " revisadas. Nós a contamos como país de renda média baixa.",
        },
    ),
    ("CU", None, _NO_PAYMENT),
    ("IR", None, _NO_PAYMENT),
    ("KP", None, _NO_PAYMENT),
    ("SY", None, _NO_PAYMENT),
)
