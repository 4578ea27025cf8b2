"""Statements in and out on the command line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import IO

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from lms.core import audit
from lms.core.db import db, transaction
from lms.xapi import browse
from lms.xapi.browse import Wanted
from lms.xapi.collections import statement_collections
from lms.xapi.commands.keys import instant_of, limit_of
from lms.xapi.models import StoreOrder
from lms.xapi.services.export import FORMATS, export_parts
from lms.xapi.services.importing import ImportRefused, ImportReport, import_statements
from lms.xapi.services.importing_archives import import_archive, is_archive

console = Console(stderr=True)


@click.group("statements")
def statements_group() -> None:
    """Statements out and in."""


@statements_group.command("export")
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--format", "format_name", type=click.Choice(list(FORMATS)), default="jsonl")
@click.option("--person", help="A name, an address or an identifier.")
@click.option("--verb", metavar="IRI")
@click.option("--activity", metavar="IRI", help="As the object or in the context.")
@click.option("--of", "collection", metavar="KIND:UUID", help="For example run:<UUID>.")
@click.option("--since", metavar="DATE", help="Stored at this instant (UTC) or later.")
@click.option("--until", metavar="DATE", help="Stored before this instant (UTC).")
def export_command(
    target: Path,
    format_name: str,
    person: str | None,
    verb: str | None,
    activity: str | None,
    collection: str | None,
    since: str | None,
    until: str | None,
) -> None:
    """Write statements, oldest first, to the file TARGET, or to the screen with `-`."""
    count = 0

    def tell(done: int) -> None:
        nonlocal count
        count = done
        status.update(f"{done} statements")

    with transaction(write=False):
        wanted = Wanted(
            actors=browse.actors_named(person) if person else None,
            verb=verb,
            activity=activity,
            collection=_activities(collection) if collection else None,
            since=instant_of(since) if since else None,
            until=instant_of(until) if until else None,
        )
    parts = export_parts(FORMATS[format_name], wanted, tell=tell)
    with console.status("Exporting") as status:
        if str(target) == "-":
            _write(parts, sys.stdout.buffer)
        else:
            with target.open("wb") as file:
                _write(parts, file)
    console.print(f"[green]Done.[/] {count} statements.")


def _write(parts: Iterator[bytes], file: IO[bytes]) -> None:
    """Each part in a transaction of its own, so that none stays open for long."""
    while True:
        with transaction(write=False):
            part = next(parts, None)
        if part is None:
            return
        file.write(part)


def _activities(text: str) -> tuple[str, ...]:
    kind, value = limit_of(text)
    collection = statement_collections.get(kind)
    return tuple(collection.activities(value)) if collection else ()


@statements_group.command("import")
@click.argument("source", type=click.Path(exists=True, path_type=Path, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Check all, store nothing.")
def import_command(source: Path, dry_run: bool) -> None:
    """Store the statements of SOURCE: JSON Lines, a JSON array, or a ZIP with attachments.

    All of them land, or none.
    """
    try:
        with transaction():
            report = _import(source, dry_run)
            if dry_run:
                db.session.rollback()
            elif report.stored:
                store = db.session.get_one(StoreOrder, 1)
                audit.record("xapi.import_statements", store, None, stored=report.stored)
    except ImportRefused as refusal:
        for problem in refusal.report.problems:
            console.print(str(problem), markup=False, highlight=False)
        raise click.ClickException(
            f"{source} has statements that cannot be taken. Nothing was stored."
        ) from None
    verb = "would be stored" if dry_run else "stored"
    console.print(
        f"[green]Done.[/] {report.read} read, {report.stored} {verb}, {report.known} known already,"
        f" {report.attachments} attachments."
    )


def _import(source: Path, is_trial: bool) -> ImportReport:
    columns = (TextColumn("Importing"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar, source.open("rb") as file:

        def tell(characters: int) -> None:
            bar.advance(task, characters)

        if is_archive(file):
            task = bar.add_task("", total=None)
            return import_archive(file, tell, is_trial=is_trial)
        task = bar.add_task("", total=source.stat().st_size)
        return import_statements(TextIOWrapper(file, encoding="utf-8", newline=""), tell)
