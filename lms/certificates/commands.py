"""`lms keys`: the keys that sign certificates. `lms verify`: what is true of files and codes."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from lms.certificates import queries
from lms.certificates.data_integrity import instant
from lms.certificates.errors import IssuerKeyUnavailable, LinkUnreadable, UploadUnreadable
from lms.certificates.open_badge import issuer_did
from lms.certificates.services import keys, verify
from lms.certificates.uploads import MAX_FILE, Upload, read_text, read_upload
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


@click.command("verify")
@click.argument("shown", nargs=-1, required=True, metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="One object of JSON a line.")
def verify_command(shown: tuple[str, ...], as_json: bool) -> None:
    """Verify certificates of any issuer: files (PDF, PNG, SVG, JSON, JWT), codes or links.

    Ends with 0 when all are valid, else with 1. What could not be checked is not valid.
    """
    are_valid = True
    for name in shown:
        try:
            verdict = verify.verify_upload(_read_shown(name), waits=True)
        except (UploadUnreadable, LinkUnreadable):
            verdict = None
        are_valid = are_valid and verdict is not None and verdict.is_valid
        said = {"shown": name, **_said(verdict)}
        click.echo(json.dumps(said, ensure_ascii=False) if as_json else _line(said))
    if not are_valid:
        raise click.exceptions.Exit(1)


def _read_shown(name: str) -> Upload:
    path = Path(name)
    if path.is_file():
        with path.open("rb") as file:
            return read_upload(file.read(MAX_FILE + 1))
    return read_text(name)


def _said(verdict: verify.Verdict | None) -> dict[str, str]:
    """The verdict in the words of the machine-readable report; what is empty is left out."""
    if verdict is None:
        return {"state": "unreadable"}
    credential, claims = verdict.credential, verdict.claims
    found = {
        "state": str(verdict.state),
        "problem": str(verdict.problem or ""),
        "code": credential.code if credential else "",
        "issuer": claims.issuer if claims else issuer_did() if credential else "",
        "title": claims.title if claims else credential.course_title if credential else "",
        "checked_at": instant(verdict.checked_at),
    }
    return {name: value for name, value in found.items() if value}


def _line(said: dict[str, str]) -> str:
    about = ", ".join(said[name] for name in ("problem", "title", "issuer") if name in said)
    return f"{said['state']:<11} {said['shown']}" + (f" ({about})" if about else "")
