"""Erasing and counting statements on the command line."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from lms.core import audit
from lms.core.db import db, transaction
from lms.xapi import queries
from lms.xapi.commands.statements import statements_group
from lms.xapi.models import ErasureWay, RetentionRule
from lms.xapi.services import erasure, rebuilding, retention, summaries

__all__ = ["statements_group"]

console = Console()


@statements_group.command("erase-old")
@click.option("--dry-run", is_flag=True, help="Only count what the rules would delete.")
def erase_old(dry_run: bool) -> None:
    """Delete what the active rules do not let stay; with --dry-run count it for all rules."""
    if not dry_run:
        retention.keep_rules()
        return
    table = Table("Rule", "Days", "Active", "Statements")
    with transaction(write=False):
        for rule in db.session.scalars(select(RetentionRule).order_by(RetentionRule.id)):
            count = retention.preview(rule).count
            table.add_row(rule.name, str(rule.days), "yes" if rule.is_active else "no", str(count))
    console.print(table)


@statements_group.command("erase-person")
@click.argument("who")
@click.option(
    "--way",
    type=click.Choice([way.value for way in ErasureWay]),
    default=ErasureWay.ANONYMISE.value,
    show_default=True,
)
@click.option("--dry-run", is_flag=True, help="Only count the records.")
def erase_person(who: str, way: str, dry_run: bool) -> None:
    """Erase the records of WHO: an email address, or homePage|name of an account."""
    with transaction(write=not dry_run):
        identifiers = retention.identifiers_of(who)
        found = erasure.find(identifiers)
        console.print(
            f"{found.own} statements of the person, {found.others} that name the person,"
            f" {found.documents} documents"
        )
        if dry_run:
            return
        order = retention.order_erasure(identifiers, ErasureWay(way), None)
        audit.record("xapi.erase_person", order, None, way=way)
        retention.carry_out(order.id)
        console.print(
            f"deleted {order.deleted}, made anonymous {order.changed}, documents {order.documents}"
        )


@statements_group.command("recount")
@click.option("--check", is_flag=True, help="Only compare the kept counts with a recount.")
def recount(check: bool) -> None:
    """Make the counts for dashboards anew from all statements."""
    if check:
        with transaction():
            summaries.count_all()
            is_equal = summaries.kept() == summaries.recount()
        if not is_equal:
            raise click.ClickException(
                "the counts differ; `lms statements recount` makes them anew"
            )
        console.print("the counts are right")
        return
    with transaction():
        summaries.begin_again()
        total = queries.newest_pk()
    with click.progressbar(length=total, label="Counting") as bar:
        counted = 1
        while counted:
            with transaction():
                counted = summaries.count_chunk()
            bar.update(counted)


@statements_group.command("rebuild-keys")
@click.option("--check", is_flag=True, help="Only tell what is wrong.")
def rebuild_keys(check: bool) -> None:
    """Work out anew what statements are found by, through chains of references too."""
    with transaction(write=False):
        newest = queries.newest_pk()
    statements = missing = surplus = 0
    with click.progressbar(length=newest, label="Comparing") as bar:
        for after in range(0, newest, rebuilding.WINDOW):
            up_to = min(after + rebuilding.WINDOW, newest)
            with transaction(write=False):
                found = rebuilding.compare(after, up_to)
            statements += found.statements
            missing, surplus = missing + len(found.missing), surplus + len(found.surplus)
            if not check:
                _mend(found)
            bar.update(up_to - after)
    console.print(f"{statements} statements; entries missing: {missing}, too many: {surplus}")
    if check and (missing or surplus):
        raise click.ClickException("`lms statements rebuild-keys` mends this")


def _mend(found: rebuilding.Differences) -> None:
    steps = rebuilding.mend(found)
    is_over = False
    while not is_over:
        with transaction():
            is_over = next(steps, None) is None
