"""Reads of what is known of where people live."""

from __future__ import annotations

from sqlalchemy import Select, select, union_all
from sqlalchemy.orm import joinedload

from lms.accounts.models import User
from lms.core.db import db
from lms.core.errors import NotFound
from lms.directory.models import AssociationMembership, Organisation, OrganisationRole
from lms.pricing.models import ResidenceProof, ResidenceState
from lms.pricing.residence import Fact, FactKind, residence_sources


def facts_of(user: User) -> tuple[Fact, ...]:
    """Countries of the person's institutions, of proofs that were accepted, and of cards that paid.

    An institution counts by a role that its managers gave, an association also by the membership
    number that the person states, for the association can check it.
    """
    places = union_all(
        select(OrganisationRole.organisation_id.label("id")).where(
            OrganisationRole.user_id == user.id
        ),
        select(AssociationMembership.organisation_id).where(
            AssociationMembership.user_id == user.id,
            AssociationMembership.number.is_not(None),
            AssociationMembership.number != "",
        ),
    ).subquery()
    institutions = db.session.scalars(
        select(Organisation)
        .where(Organisation.id.in_(select(places.c.id)), Organisation.country.is_not(None))
        .order_by(Organisation.slug)
    )
    proofs = db.session.scalars(
        select(ResidenceProof.country).where(
            ResidenceProof.user_id == user.id, ResidenceProof.state == ResidenceState.ACCEPTED
        )
    )
    return (
        *(Fact(FactKind.INSTITUTION, str(one.country), one.name) for one in institutions),
        *(Fact(FactKind.PROOF, country) for country in proofs),
        *(fact for source in residence_sources.values() for fact in source.facts(user.id)),
    )


def find_open_proof(user: User) -> ResidenceProof | None:
    """The person's proof that waits for a decision; there is at most one."""
    return db.session.scalar(
        select(ResidenceProof).where(
            ResidenceProof.user_id == user.id, ResidenceProof.state == ResidenceState.ASKED
        )
    )


def list_proofs() -> Select[ResidenceProof]:
    """All proofs with their people; those that wait come first, the oldest of them first."""
    waits = ResidenceProof.state == ResidenceState.ASKED
    return (
        select(ResidenceProof)
        .options(joinedload(ResidenceProof.user))
        .order_by(waits.desc(), ResidenceProof.created_at, ResidenceProof.id)
    )


def get_proof(proof_id: int) -> ResidenceProof:
    """The proof with this id. Raises NotFound."""
    found = db.session.get(ResidenceProof, proof_id)
    if found is None:
        raise NotFound
    return found
