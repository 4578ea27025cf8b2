"""The `lms` command."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import FlaskGroup, ScriptInfo
from rich.console import Console
from rich.progress import Progress, TaskID

from lms.config import ConfigurationError
from lms.core.db import transaction
from lms.core.errors import DomainError
from lms.core.registry import EXTENSION, PluginError

console = Console()


def _make_app() -> Flask:
    gc.disable()  # while all is put together nothing is garbage, and looking for it takes long
    from lms.app import create_app

    app = create_app()
    gc.freeze()
    gc.enable()
    return app


class PuenteGroup(FlaskGroup):
    """Commands of the house and of all plugins; each runs in one transaction."""

    def __init__(self, **extra: Any) -> None:
        super().__init__(**extra)
        flask_only = {"env_file", "app", "debug"}  # the environment decides here
        self.params = [option for option in self.params if option.name not in flask_only]

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands but those that libraries bring along."""
        return [name for name in super().list_commands(ctx) if name != "limiter"]

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command and turn refusals into one clear line."""
        try:
            return super().invoke(ctx)
        except (ConfigurationError, PluginError) as error:
            raise click.ClickException(str(error)) from None
        except DomainError as error:
            raise click.ClickException(str(error.text)) from None


@click.group(
    cls=PuenteGroup,
    create_app=_make_app,
    add_default_commands=False,
    add_version_option=False,
    load_dotenv=False,
    help="Puente: short courses that institutions teach each other's professionals.",
)
@click.version_option(package_name="puente")
def cli() -> None:
    """Puente's command line."""


def main() -> None:
    """Entry point of the console script."""
    try:
        cli.main(obj=ScriptInfo(create_app=_make_app), prog_name="lms")
    except (ConfigurationError, PluginError) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)


@cli.command("init")
def init_command() -> None:
    """Create or upgrade the database, and make the folders and keys of the data folder."""
    from lms.core.migrations import upgrade
    from lms.core.settings import settings

    upgrade()
    settings().secret()
    with transaction():
        _ensure_basics()
    console.print("[green]Ready.[/] Database at the newest version.")


def _ensure_basics() -> None:
    from lms.courses.services.topics import ensure_topics

    ensure_topics()
    if "pricing" in current_app.extensions[EXTENSION].names:
        from lms.pricing.services.tiers import ensure_tiers

        ensure_tiers()


@cli.command("demo")
def demo_command() -> None:
    """Load the starter courses and the demo's people; safe to repeat."""
    import json

    from lms.core.settings import settings
    from lms.demo.load import load_demo

    with console.status("Loading the demo") as status, transaction():
        facts = load_demo(lambda what: status.update(f"Loading the demo: {what}"))
    path = settings().data_path / "demo.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(facts, indent=2) + "\n")
    console.print(f"\n[bold]{settings().site_name}[/] at {facts['base_url']}")
    for role, account in facts["accounts"].items():
        console.print(f"  {role:12} {account['email']:26} {account['password']}")
    xapi = facts["xapi"]
    console.print(
        f"  {'xAPI':12} {xapi['endpoint']}  key {xapi['key']}  secret {xapi['secret']}",
        soft_wrap=True,
    )
    console.print(
        f"  Mails are kept in {settings().data_path / 'mails'}; scripts read {path}\n",
        soft_wrap=True,
    )


@cli.command("run")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", type=click.IntRange(1), help="Server processes.")
@click.option("--no-worker", is_flag=True, help="Do not run the jobs in this process.")
def run_command(host: str, port: int, workers: int | None, no_worker: bool) -> None:
    """Serve Puente, and do the jobs beside it."""
    from lms.core.serve import serve

    _require_keys()
    serve(host, port, workers=workers, with_worker=not no_worker)


@cli.command("worker")
@click.option("--threads", type=click.IntRange(1), help="Jobs done at the same time.")
def worker_command(threads: int | None) -> None:
    """Do the jobs: mails, PDFs, forwarding, schedules."""
    from lms.core.serve import work

    _require_keys()
    work(threads)


def _require_keys() -> None:
    """Start with the secret that the issuer's keys are sealed with, or say clearly what is wrong.

    Raises IssuerKeyUnavailable.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from lms.certificates.services.keys import require_openable

    if "certificates" not in current_app.extensions[EXTENSION].names:
        return
    try:
        with transaction(write=False):
            require_openable()
    except SQLAlchemyError:  # no database yet: what is started says so by itself
        return


@cli.command("check")
def check_command() -> None:
    """Check configuration, database, storage, queue, mail, payments and clock."""
    from lms.core.checks import run_checks

    findings = run_checks()
    for finding in findings:
        mark = "[green]ok[/]  " if finding.is_ok else "[red]FAIL[/]"
        console.print(f"{mark} {finding.name}: {finding.text}")
    if not all(finding.is_ok for finding in findings):
        sys.exit(1)


@cli.command("backup")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
def backup_command(path: Path) -> None:
    """Write rows, files and the signing key to one zip file."""
    from lms.core.backup import make_backup

    with _progress() as tell:
        counts = make_backup(path, tell)
    console.print(
        f"[green]Done.[/] {sum(counts.values())} rows in {path}. Keep it in a safe place."
    )


@cli.command("restore")
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def restore_command(path: Path) -> None:
    """Read a backup into an empty site, on either database (run `lms init` before)."""
    from lms.core.backup import restore_backup

    with _progress() as tell:
        counts = restore_backup(path, tell)
    console.print(f"[green]Done.[/] {sum(counts.values())} rows restored.")


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar for each part of long work."""
    with Progress(console=console, transient=True) as progress:
        bars: dict[str, TaskID] = {}

        def tell(what: str, done: int, of: int) -> None:
            if what not in bars:
                bars[what] = progress.add_task(what, total=of)
            progress.update(bars[what], completed=done)

        yield tell


@cli.group("db")
def db_group() -> None:
    """Database versions."""


@db_group.command("upgrade")
@click.argument("revision", default="head")
def db_upgrade(revision: str) -> None:
    """Bring the database to a version."""
    from lms.core.migrations import upgrade

    upgrade(revision)


@db_group.command("downgrade")
@click.argument("revision")
def db_downgrade(revision: str) -> None:
    """Take the database back to a version."""
    from lms.core.migrations import downgrade

    downgrade(revision)


@db_group.command("revision")
@click.argument("message")
def db_revision(message: str) -> None:
    """Write a migration for what changed in the models, to be reviewed."""
    from lms.core.migrations import write_revision

    console.print(write_revision(message))


if __name__ == "__main__":
    main()
