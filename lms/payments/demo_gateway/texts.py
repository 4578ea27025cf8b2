"""The words of the test payment page, in English and Spanish: it is no page of Puente."""

from __future__ import annotations

_TEXTS = {
    "en": {
        "title": "Test payment",
        "mark": "TEST: no money is taken on this page, and no real card works.",
        "pay": "Pay {amount}",
        "card": "Card number",
        "card_help": "Type one of the test cards below; date and code do not matter.",
        "expiry": "Expiry date (month/year)",
        "cvc": "Security code",
        "cancel": "Cancel and go back",
        "declined": "Your card was declined. Try another one.",
        "wrong_number": "This is not the number of a test card.",
        "cards": "Test cards",
        "accepted": "accepted, a card of the United States",
        "accepted_bolivia": "accepted, a card of Bolivia",
        "is_declined": "declined",
        "asks_bank": "asks the bank first (3-D Secure)",
        "bank_title": "Your bank asks: is it you who pays {amount}?",
        "bank_yes": "Yes, pay",
        "bank_no": "No, refuse",
        "other": "Methods that take longer",
        "other_help": "A payment slip: you come back at once, the money follows 20 seconds later.",
        "slip": "Pay with a slip",
        "slip_fails": "Take a slip and never pay it",
        "closed": "This payment page is closed",
        "closed_help": "It was paid, cancelled, or open for too long.",
        "back": "Go back",
    },
    "es": {
        "title": "Pago de prueba",
        "mark": "PRUEBA: en esta página no se cobra nada y ninguna tarjeta real funciona.",
        "pay": "Pagar {amount}",
        "card": "Número de tarjeta",
        "card_help": "Escriba una de las tarjetas de prueba; la fecha y el código no importan.",
        "expiry": "Fecha de vencimiento (mes/año)",
        "cvc": "Código de seguridad",
        "cancel": "Cancelar y volver",
        "declined": "La tarjeta fue rechazada. Pruebe con otra.",
        "wrong_number": "Este no es el número de una tarjeta de prueba.",
        "cards": "Tarjetas de prueba",
        "accepted": "aceptada, de los Estados Unidos",
        "accepted_bolivia": "aceptada, de Bolivia",
        "is_declined": "rechazada",
        "asks_bank": "pregunta antes al banco (3-D Secure)",
        "bank_title": "Su banco pregunta: ¿es usted quien paga {amount}?",
        "bank_yes": "Sí, pagar",
        "bank_no": "No, rechazar",
        "other": "Medios que tardan más",
        "other_help": "Un cupón de pago: usted vuelve en seguida y el dinero llega a los 20"
        " segundos.",
        "slip": "Pagar con cupón",
        "slip_fails": "Tomar un cupón y no pagarlo",
        "closed": "Esta página de pago está cerrada",
        "closed_help": "Se pagó, se canceló o estuvo abierta demasiado tiempo.",
        "back": "Volver",
    },
}


def texts_in(locale: str | None) -> tuple[str, dict[str, str]]:
    """Language and words for the locale of a session."""
    language = "es" if locale in ("es", "pt") else "en"
    return language, _TEXTS[language]
