"""Courses on the command line: packages in and out."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from sqlalchemy import select

from lms.accounts.models import User
from lms.core.db import db, transaction
from lms.courses.models import Course
from lms.courses.packages.base import ImportReport, Tell
from lms.courses.packages.transport import export_package, exporter_named, import_package
from lms.courses.services.publication import publish_course
from lms.courses.services.staff import add_staff, find_person
from lms.directory.models import Organisation

console = Console()


def _progress_bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=console,
        transient=True,
    )  # fmt: skip


def _teller(bar: Progress, label: str) -> Tell:
    task = bar.add_task(label, total=None)

    def tell(done: int, of: int, what: str) -> None:
        bar.update(task, completed=done, total=of, description=f"{label} {what}")

    return tell


@click.command("import-course")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--owner", metavar="SLUG", help="Organisation to own it instead of the named one.")
@click.option("--instructor", metavar="EMAIL", help="Person who shall write and teach it.")
@click.option("--publish", is_flag=True, help="Show the course to the public.")
def import_course(path: Path, owner: str | None, instructor: str | None, publish: bool) -> None:
    """Create or renew a course from the package at PATH, a folder or a .zip."""
    with transaction():
        owner_id = _organisation(owner).id if owner else None
        person = _person(instructor) if instructor else None
        with _progress_bar() as bar:
            report = import_package(path, owner_id, _teller(bar, "Importing"))
        course = report.course
        if person is not None and all(row.user_id != person.id for row in course.staff):
            add_staff(course, person, course.owner, actor_id=None)
        if publish and not course.is_published:
            publish_course(course, actor_id=None)
        _print_report(report)


@click.command("export-course")
@click.argument("slug")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--format", "format_name", default="folder", show_default=True)
def export_course(slug: str, target: Path, format_name: str) -> None:
    """Write the course SLUG into TARGET, a new folder or a new .zip file."""
    with transaction(write=False):
        course = db.session.scalar(select(Course).where(Course.slug == slug))
        if course is None:
            raise click.ClickException(f"There is no course “{slug}”.")
        with _progress_bar() as bar:
            export_package(course, target, exporter_named(format_name), _teller(bar, "Exporting"))
    console.print(f"[green]Written[/] to {target}")


def _organisation(slug: str) -> Organisation:
    found = db.session.scalar(select(Organisation).where(Organisation.slug == slug))
    if found is None:
        raise click.ClickException(f"There is no organisation “{slug}”.")
    return found


def _person(email: str) -> User:
    found = find_person(email)
    if found is None:
        raise click.ClickException(f"Nobody has an account with the address {email}.")
    return found


def _print_report(report: ImportReport) -> None:
    made = "Created" if report.is_new else "Renewed"
    console.print(f"[green]{made}[/] the course {report.course.slug}.")
    for label, lines in (
        ("Removed", report.removed),
        ("Passed over", report.skipped),
        ("Note", report.warnings),
    ):
        for line in lines:
            console.print(f"{label}: {line}", highlight=False, markup=False)
