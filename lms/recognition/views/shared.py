"""What all pages of a desk have in common."""

from __future__ import annotations

from typing import Any, TypeVar

from flask import render_template
from flask.typing import ResponseReturnValue
from wtforms import Field

from lms.accounts import queries as accounts
from lms.accounts.permissions import require, signed_in
from lms.accounts.step_up import require_second_factor
from lms.core.db import db
from lms.directory.models import Organisation
from lms.recognition import queries

T = TypeVar("T")


def desk_of(slug: str, *, changes: bool = False) -> Organisation:
    """The association whose desk is opened, for its officers only.

    changes: others rely on what follows, so the second factor has to be proven.
    """
    association = queries.get_association(slug)
    require("recognition.keep", association)
    if changes:
        require_second_factor()
    return association


def needed(field: Field) -> Any:
    """What was typed into a field that its form does not let pass empty."""
    assert field.data is not None
    return field.data


def chosen(kind: type[T], text: str | None) -> T | None:
    """The row that was chosen in a select by its number; None for the choice of none."""
    return db.session.get(kind, int(text)) if text else None


def desk_page(
    template: str, association: Organisation, status: int = 200, **values: Any
) -> ResponseReturnValue:
    """A page of the desk."""
    return render_template(
        f"recognition/desk/{template}.html",
        association=association,
        has_second_factor=accounts.has_second_factor(signed_in()),
        **values,
    ), status
