"""The rule of shares by itself: never more than the basis, nothing left of what was taken back."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lms.partners.models import Basis, RefundsBorneBy
from lms.partners.shares import PartyTerms, Sale, Terms, basis_of, earned_shares, whole_shares

parties = st.lists(
    st.one_of(
        st.builds(
            lambda percent, least: (percent, None, least),
            st.integers(1, 10_000),
            st.integers(0, 9_000),
        ),
        st.builds(lambda fixed: (None, fixed, 0), st.integers(1, 50_000)),
    ),
    min_size=1,
    max_size=4,
)


@st.composite
def sales(draw):
    net = draw(st.integers(1, 1_000_000))
    earned = draw(st.integers(0, net))
    return Sale(
        draw(st.sampled_from(["CAD", "BOB", "CLP"])),
        gross=net + draw(st.integers(0, 200_000)),
        net=net,
        fees=draw(st.integers(0, 60_000)),
        earned=earned,
        taken_back=draw(st.integers(0, earned)),
    )


def make_terms(rows, basis, borne_by):
    return Terms(
        basis, borne_by, "CAD", [PartyTerms(key, *row) for key, row in enumerate(rows, start=1)]
    )


@settings(max_examples=300, deadline=None)
@given(parties, st.sampled_from(Basis), st.sampled_from(RefundsBorneBy), sales())
def test_all_shares_together_never_exceed_what_is_shared(rows, basis, borne_by, sale):
    terms = make_terms(rows, basis, borne_by)

    whole, earned = whole_shares(terms, sale), earned_shares(terms, sale)

    assert sum(whole.values()) <= basis_of(terms, sale)
    assert all(0 <= earned[key] <= whole[key] for key in whole)


@settings(max_examples=200, deadline=None)
@given(parties, st.sampled_from(Basis), sales())
def test_a_sale_taught_to_its_end_gives_the_whole_share_and_taken_back_nothing(rows, basis, sale):
    terms = make_terms(rows, basis, RefundsBorneBy.ALL)
    facts = (sale.currency, sale.gross, sale.net, sale.fees)

    assert earned_shares(terms, Sale(*facts, earned=sale.net)) == whole_shares(terms, sale)
    gone = earned_shares(terms, Sale(*facts, earned=sale.earned, taken_back=sale.earned))
    assert set(gone.values()) == {0}


def test_shares_are_rounded_down_to_the_minor_unit():
    terms = make_terms([(3_333, None, 0)], Basis.NET, RefundsBorneBy.ALL)

    assert whole_shares(terms, Sale("CAD", 1_000, 1_000)) == {1: 333}
    assert earned_shares(terms, Sale("CAD", 1_000, 1_000, earned=500)) == {1: 166}


def test_a_least_amount_counts_in_its_currency_and_never_beyond_the_basis():
    terms = make_terms([(1_000, None, 5_000), (2_000, None, 0)], Basis.NET, RefundsBorneBy.ALL)

    assert whole_shares(terms, Sale("CAD", 10_000, 10_000)) == {1: 5_000, 2: 2_000}
    assert whole_shares(terms, Sale("CAD", 6_000, 6_000)) == {1: 5_000, 2: 1_000}
    assert whole_shares(terms, Sale("BOB", 10_000, 10_000)) == {1: 1_000, 2: 2_000}


def test_the_basis_is_gross_net_or_net_of_fees():
    sale = Sale("CAD", gross=11_300, net=10_000, fees=359)

    shared = [
        basis_of(make_terms([(100, None, 0)], basis, RefundsBorneBy.ALL), sale) for basis in Basis
    ]

    assert shared == [11_300, 10_000, 9_641]
