"""`lms keys`: the keys that sign certificates. `lms verify`: what is true of files and codes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from lms.certificates import queries
from lms.certificates.data_integrity import instant
from lms.certificates.errors import LinkUnreadable, UploadUnreadable
from lms.certificates.open_badge import issuer_did
from lms.certificates.services import key_backup, keys, verify
from lms.certificates.services.keys import KeyState
from lms.certificates.uploads import MAX_FILE, Upload, read_text, read_upload
from lms.core.db import transaction

console = Console()
PURPOSES = {"proof": "JSON (Ed25519)", "token": "JWT (RS256)", "seal": "PDF (P-256)"}
PASSPHRASE = click.option(
    "--passphrase",
    envvar="LMS_KEYS_PASSPHRASE",
    prompt="Passphrase of the file",
    hide_input=True,
    help="Asked for unless told; or in the variable LMS_KEYS_PASSPHRASE.",
)


@click.group("keys")
def keys_group() -> None:
    """Keys that sign certificates: list, make, rotate, retire, export, import."""


@keys_group.command("list")
def list_command() -> None:
    """Show all keys, and whether each can be opened with the present secret."""
    table = Table("Key", "Signs", "Made", "State", "Certificates", title=issuer_did())
    for found in keys.list_states():
        key = found.key
        table.add_row(
            key.kid, PURPOSES[key.use], f"{key.created_at:%Y-%m-%d}", _state(found),
            str(found.signed) if found.signed else "",
        )  # fmt: skip
    console.print(table)


def _state(found: KeyState) -> str:
    key = found.key
    state = "signs"
    if key.withdrawn_at:
        state = f"withdrawn {key.withdrawn_at:%Y-%m-%d}, verifies no more"
    elif key.retired_at:
        state = f"retired {key.retired_at:%Y-%m-%d}, verifies"
    if not found.is_openable:
        state += ", CANNOT BE OPENED with the present LMS_SECRET_KEY"
    return state


@keys_group.command("make")
def make_command() -> None:
    """Make a key of each purpose that has none which signs."""
    with transaction():
        made = [key.kid for key in keys.make_missing()]
    text = ", ".join(made) if made else "none was missing"
    console.print(f"Keys made: {text}. Now keep them apart: lms keys export FILE")


@keys_group.command("rotate")
def rotate_command() -> None:
    """Sign with new keys from now on; certificates signed before stay valid."""
    with transaction():
        kids = ", ".join(key.kid for key in keys.rotate())
    console.print(f"Certificates are now signed with {kids}. Former keys go on verifying.")


@keys_group.command("retire")
@click.argument("kid")
@click.option(
    "--withdraw",
    is_flag=True,
    help="It became known to strangers: let nothing that it signed verify any more.",
)
def retire_command(kid: str, withdraw: bool) -> None:
    """Sign no more with the key KID."""
    with transaction():
        key = queries.find_key(kid)
        if key is None:
            raise click.ClickException(f"There is no key {kid}: see lms keys list.")
        signed = queries.count_by_key().get(key.id, 0)
        if withdraw:
            click.confirm(
                f"{signed} certificates were issued under {kid}. Once it is withdrawn none of them"
                " verifies elsewhere until it is issued anew. Go on?",
                abort=True,
            )
        keys.retire(key, withdrawn=withdraw)
    console.print(f"{kid} signs no more. If no other key signs: lms keys make")


@keys_group.command("export")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@PASSPHRASE
def export_command(path: Path, passphrase: str) -> None:
    """Write all keys to the file PATH, encrypted, for the safe."""
    if len(passphrase) < 12:
        raise click.ClickException("Choose a passphrase of at least twelve signs.")
    if path.exists():
        raise click.ClickException(f"{path} exists: choose another name.")
    with transaction():
        text = key_backup.export_keys(passphrase)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    console.print(f"All keys are in {path}. Keep it and the passphrase apart from this machine.")


@keys_group.command("import")
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@PASSPHRASE
def import_command(path: Path, passphrase: str) -> None:
    """Read keys from the file PATH, also when the site's secret was lost."""
    with transaction():
        changed = key_backup.import_keys(path.read_text(), passphrase)
    keys.forget_opened()
    console.print(f"{len(changed)} keys can be used: {', '.join(changed)}")


@click.command("verify")
@click.argument("shown", nargs=-1, required=True, metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="One object of JSON a line.")
def verify_command(shown: tuple[str, ...], as_json: bool) -> None:
    """Verify certificates of any issuer: files (PDF, PNG, SVG, JSON, JWT), codes or links.

    A learner record (CLR) is followed by each certificate in it. Ends with 0 when all are valid,
    else with 1. What could not be checked is not valid.
    """
    are_valid = True
    for name in shown:
        try:
            verdict = verify.verify_upload(_read_shown(name), waits=True)
        except (UploadUnreadable, LinkUnreadable):
            verdict = None
        are_valid = are_valid and verdict is not None and verdict.is_valid
        said = {"shown": name, **_said(verdict)}
        parts = [_said(part) for part in verdict.parts] if verdict else []
        if as_json:
            more = {"certificates": parts} if parts else {}
            click.echo(json.dumps({**said, **more}, ensure_ascii=False))
            continue
        click.echo(_line(said))
        for number, part in enumerate(parts, 1):
            click.echo("  " + _line({"shown": f"{name} [{number}]", **part}))
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
