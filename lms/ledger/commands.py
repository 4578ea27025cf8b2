"""`lms ledger`: check it against the house, export it, close a month."""

from __future__ import annotations

import csv
import sys

import click
from rich.console import Console
from rich.table import Table

from lms.accounts.queries import find_user
from lms.core.db import transaction
from lms.core.errors import DomainError
from lms.core.money import Money
from lms.ledger import queries
from lms.ledger.services import check, counting, export, periods

console = Console()
MONTH = click.option("--until", metavar="MONTH", help="The last month, such as 2027-02.")


@click.group("ledger")
def ledger_group() -> None:
    """Double entry: check, export and close."""


@ledger_group.command("check")
def check_command() -> None:
    """Recompute every balance and compare it with orders, payments and enrolments.

    Ends with code 1 unless everything is explained.
    """
    with transaction():
        while counting.count_entries():
            pass
        found = check.check_now().unexplained
    if not found:
        entries = len(queries.balances())
        console.print(f"Everything is explained: {entries} balances follow from their entries.")
        return
    table = Table("What", "Where", "Amount", title=f"Not explained: {len(found)}")
    for one in found:
        amount = one["amount"]
        table.add_row(one["what"], one["where"], _written(amount) if amount else "")
    console.print(table)
    sys.exit(1)


def _written(amount: list[object]) -> str:
    minor, currency = amount
    return Money(int(str(minor)), str(currency)).format("en")


@ledger_group.command("export")
@click.option("--format", "kind", type=click.Choice(["beancount", "csv"]), default="beancount")
@MONTH
def export_command(kind: str, until: str | None) -> None:
    """Write all entries to the standard output."""
    with transaction(write=False):
        if kind == "csv":
            csv.writer(sys.stdout).writerows(export.table(until))
        else:
            sys.stdout.writelines(export.beancount(until))


@ledger_group.command("close")
@click.argument("month")
@click.option("--by", required=True, metavar="MAIL", help="The administrator who closes it.")
def close_command(month: str, by: str) -> None:
    """Close a month, such as 2027-02, and all before it."""
    try:
        with transaction():
            user = find_user(by)
            if user is None or not user.is_administrator:
                raise click.ClickException(f"{by} is no administrator of this site")
            periods.close_month(month, user)
    except DomainError as refusal:
        raise click.ClickException(str(refusal.text)) from refusal
    console.print(f"{month} is closed: later facts of it count for the next month.")
