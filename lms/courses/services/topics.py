"""The five first topics, and `learning`; more are added as data."""

from __future__ import annotations

from sqlalchemy import select

from lms.core.db import db
from lms.courses.models import Topic

TOPICS: dict[str, dict[str, str]] = {
    "urban-environment": {
        "en": "Urban environment",
        "es": "Medio ambiente urbano",
        "fr": "Environnement urbain",
        "pt": "Meio ambiente urbano",
    },
    "natural-resources": {
        "en": "Natural resources",
        "es": "Recursos naturales",
        "fr": "Ressources naturelles",
        "pt": "Recursos naturais",
    },
    "social-participation": {
        "en": "Social participation",
        "es": "Participación social",
        "fr": "Participation sociale",
        "pt": "Participação social",
    },
    "local-production": {
        "en": "Local production and trade",
        "es": "Producción y comercio local",
        "fr": "Production et commerce locaux",
        "pt": "Produção e comércio local",
    },
    "public-administration": {
        "en": "Public administration",
        "es": "Administración pública",
        "fr": "Administration publique",
        "pt": "Administração pública",
    },
    "learning": {
        "en": "Learning to learn",
        "es": "Aprender a aprender",
        "fr": "Apprendre à apprendre",
        "pt": "Aprender a aprender",
    },
}


def ensure_topics() -> None:
    """Create the topics that are missing; those that exist are left as they are."""
    known = set(db.session.scalars(select(Topic.slug)))
    for position, (slug, name) in enumerate(TOPICS.items(), start=1):
        if slug not in known:
            db.session.add(Topic(slug=slug, name=name, position=position))
    db.session.flush()
