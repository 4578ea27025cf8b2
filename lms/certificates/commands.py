"""`lms keys`: the keys that sign certificates."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from lms.certificates import queries
from lms.certificates.errors import IssuerKeyUnavailable
from lms.certificates.open_badge import issuer_did
from lms.certificates.services import keys
from lms.core.db import transaction

console = Console()


@click.group("keys")
def keys_group() -> None:
    """Keys that sign certificates: list, rotate."""


@keys_group.command("list")
def list_command() -> None:
    """Show all keys, and whether each can be opened with the present secret."""
    table = Table("Key", "Made", "State", "Public key", title=issuer_did())
    for key in queries.list_keys():
        state = f"retired {key.retired_at:%Y-%m-%d}, verifies" if key.retired_at else "signs"
        try:
            keys.open_any(key)
        except IssuerKeyUnavailable:
            state += ", CANNOT BE OPENED with the present LMS_SECRET_KEY"
        table.add_row(key.kid, f"{key.created_at:%Y-%m-%d}", state, key.public_key)
    console.print(table)


@keys_group.command("rotate")
def rotate_command() -> None:
    """Sign with a new key from now on; certificates signed before stay valid."""
    with transaction():
        kids = ", ".join(key.kid for key in keys.rotate())
    console.print(f"Certificates are now signed with {kids}. Former keys go on verifying.")
