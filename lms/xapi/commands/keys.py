"""Keys of other tools on the command line."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from lms.core import audit, clock
from lms.core.db import db, transaction
from lms.core.settings import settings
from lms.xapi import queries
from lms.xapi.collections import REGISTRATION, statement_collections
from lms.xapi.models import KeyScope, XapiKey
from lms.xapi.services import keys

console = Console()


@click.group("xapi-keys")
def keys_group() -> None:
    """Keys with which other tools send and read statements."""


@keys_group.command("list")
def list_keys() -> None:
    """Show all keys."""
    table = Table("Key", "Name", "What it may do", "Limited to", "Last used", "State")
    now = clock.now()
    with transaction(write=False):
        for key in db.session.scalars(queries.list_keys()):
            state = "works" if key.is_valid(now) else "ended" if key.revoked_at else "expired"
            if key.is_valid(now) and key.expires_at:
                state = f"until {key.expires_at:%Y-%m-%d %H:%M} UTC"
            table.add_row(
                key.key,
                key.name,
                " ".join(key.scopes),
                f"{key.limit_kind} {key.limit_value}" if key.limit_kind else "",
                f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never",
                state,
            )
    console.print(table)


@keys_group.command("make")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([scope.value for scope in KeyScope]),
    help="What it may do; can be given several times.",
)
@click.option("--limit", metavar="KIND:UUID", help="For example course:<UUID> or registration:…")
@click.option("--expires", metavar="DATE", help="Instant in UTC (2027-12-31 or 2027-12-31T18:00).")
def make_key(name: str, scopes: tuple[str, ...], limit: str | None, expires: str | None) -> None:
    """Make a key for the tool NAME and show its secret once."""
    with transaction():
        key, secret = keys.make_key(
            name,
            [KeyScope(scope) for scope in scopes],
            None,
            limit=limit_of(limit) if limit else None,
            expires_at=instant_of(expires) if expires else None,
        )
        audit.record("xapi.make_key", _get(key), None, scopes=list(scopes), limit=limit)
    _show(key, secret)


@keys_group.command("rotate")
@click.argument("key")
@click.option(
    "--overlap",
    default=0,
    show_default=True,
    type=click.IntRange(0, 24 * 31),
    help="Hours in which the old secret works as well.",
)
def rotate_key(key: str, overlap: int) -> None:
    """Make a new secret for KEY and show it once."""
    with transaction():
        row = _get(key)
        secret = keys.rotate_key(row, timedelta(hours=overlap))
        audit.record("xapi.rotate_key", row, None, overlap_hours=overlap)
    _show(key, secret)


@keys_group.command("expire")
@click.argument("key")
@click.argument("instant", required=False)
def expire_key(key: str, instant: str | None) -> None:
    """Let KEY end at an INSTANT in UTC (2027-12-31 or 2027-12-31T18:00), or never without one."""
    with transaction():
        row = _get(key)
        keys.set_expiry(row, instant_of(instant) if instant else None)
        audit.record("xapi.set_expiry", row, None, expires_at=instant)
    console.print(f"[green]Done.[/] It ends {instant or 'never'}.")


@keys_group.command("revoke")
@click.argument("key")
def revoke_key(key: str) -> None:
    """End KEY now."""
    with transaction():
        row = _get(key)
        keys.revoke_key(row)
        audit.record("xapi.revoke_key", row, None)
    console.print("[green]Done.[/] It stops within three seconds in all processes.")


def _get(key: str) -> XapiKey:
    row = db.session.scalar(select(XapiKey).where(XapiKey.key == key))
    if row is None:
        raise click.ClickException(f"There is no key “{key}”. `lms xapi-keys list` shows them.")
    return row


def limit_of(text: str) -> tuple[str, uuid.UUID]:
    """What "kind:UUID" names. Raises ClickException."""
    kind, _colon, value = text.partition(":")
    known = (REGISTRATION, *statement_collections)
    try:
        if kind in known:
            return kind, uuid.UUID(value)
    except ValueError:
        pass
    raise click.ClickException(f"--limit is one of {', '.join(known)}, a colon and a UUID.")


def instant_of(text: str) -> datetime:
    """An ISO date or instant, in UTC unless it says otherwise. Raises ClickException."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.ClickException(f"“{text}” is no date. Write 2027-12-31.") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _show(key: str, secret: str) -> None:
    click.echo(f"endpoint {settings().base_url}/xapi/\nkey      {key}\nsecret   {secret}")
    console.print("Keep the secret now: it is not shown again.")
