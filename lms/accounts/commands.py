"""`lms user`: accounts on the command line."""

from __future__ import annotations

import sys

import click
from email_validator import EmailNotValidError, validate_email
from rich.console import Console
from rich.table import Table

from lms.accounts import queries
from lms.accounts.errors import AddressTaken
from lms.accounts.models import User
from lms.accounts.passwords import check_strength, hash_password
from lms.accounts.services import administration, credentials, registration, second_factor
from lms.config import LANGUAGES
from lms.core import audit, clock
from lms.core.db import db, transaction

console = Console()


@click.group("user")
def user_group() -> None:
    """Accounts: add, list, new password, administrators, deactivate."""


def _find(email: str) -> User:
    user = queries.find_user(email)
    if user is None:
        raise click.ClickException(f"nobody has the address {email}")
    return user


def _read_password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


@user_group.command("add")
@click.argument("email")
@click.option("--name", required=True, help="As it shall stand on certificates.")
@click.option("--language", type=click.Choice(list(LANGUAGES)), default="en", show_default=True)
@click.option("--country", help="ISO 3166-1 code, such as BO.")
@click.option("--admin", is_flag=True, help="Make the person an administrator.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the standard input.")
def add_command(
    email: str, name: str, language: str, country: str | None, admin: bool, password_stdin: bool
) -> None:
    """Add a person whose address needs no confirmation."""
    try:
        email = validate_email(email, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise click.BadParameter(str(error)) from None
    password = _read_password(password_stdin)
    check_strength(password, email, name)
    password_hash = hash_password(password)
    with transaction():
        if queries.find_user(email):
            raise AddressTaken
        user = registration.make_user(
            name=name,
            email=email,
            password_hash=password_hash,
            language=language,
            country=country.upper() if country else None,
        )
        user.email_confirmed_at = clock.now()
        if admin:
            administration.make_administrator(user, None)
    console.print(f"Added {email}.")


@user_group.command("list")
@click.option("--admins", is_flag=True, help="Administrators only.")
@click.argument("search", default="")
def list_command(search: str, admins: bool) -> None:
    """List people, all or those whose name or address holds SEARCH."""
    table = Table("E-mail", "Name", "Language", "State", box=None, pad_edge=False)
    statement = queries.list_people(search, role="administrator" if admins else "")
    for user in db.session.scalars(statement.execution_options(yield_per=500)):
        words = [
            "administrator" if user.is_administrator else "",
            "" if user.is_confirmed else "not confirmed",
            "deactivated" if user.deactivated_at else "",
        ]
        table.add_row(user.email, user.name, user.language, ", ".join(filter(None, words)))
    console.print(table)


@user_group.command("password")
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password from the standard input.")
def password_command(email: str, password_stdin: bool) -> None:
    """Set a new password; the person is signed out everywhere and told by mail."""
    password = _read_password(password_stdin)
    password_hash = credentials.hash_new_password(_find(email), password)
    with transaction():
        user = _find(email)
        credentials.set_password(user, password_hash)
        audit.record("accounts.set_password", user, None)
    console.print(f"New password for {user.email}.")


@user_group.command("admin")
@click.argument("email")
@click.option("--remove", is_flag=True, help="Take the right away instead.")
def admin_command(email: str, remove: bool) -> None:
    """Make a person administrator."""
    with transaction():
        user = _find(email)
        if remove:
            administration.unmake_administrator(user, None)
        else:
            administration.make_administrator(user, None)
    console.print(f"{user.email} is {'no administrator any more' if remove else 'administrator'}.")


@user_group.command("deactivate")
@click.argument("email")
@click.option("--undo", is_flag=True, help="Switch the account on again.")
def deactivate_command(email: str, undo: bool) -> None:
    """Switch an account off; the person is signed out at once."""
    with transaction():
        user = _find(email)
        if undo:
            administration.reactivate(user, None)
        else:
            administration.deactivate(user, None)
    console.print(f"{user.email} is {'active again' if undo else 'deactivated'}.")


@user_group.command("reset-second-factor")
@click.argument("email")
def reset_second_factor_command(email: str) -> None:
    """Let somebody who lost the app and the recovery codes sign in with the password alone."""
    with transaction():
        user = _find(email)
        second_factor.reset(user, None)
    console.print(f"{user.email} has no second factor any more.")
