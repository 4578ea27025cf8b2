"""Administrators read the ledger, have it checked, and close months."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator

from flask import (
    Blueprint,
    Response,
    flash,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require, signed_in
from lms.core.outbox import enqueue
from lms.core.pagination import paginate
from lms.core.web import page_number
from lms.ledger import queries
from lms.ledger.accounts import Account, account_label
from lms.ledger.checks import ledger_documents
from lms.ledger.kinds import DIFFERENCES, ENTRY_KINDS
from lms.ledger.models import LedgerEntry
from lms.ledger.services import check, export, periods

bp = Blueprint("ledger", __name__, template_folder="../templates")
bp.add_app_template_filter(account_label)


@bp.app_template_filter("entry_kind")
def entry_kind(kind: str) -> str:
    """A kind of entry in words; also of a kind whose plugin is gone."""
    return str(ENTRY_KINDS.get(kind, kind))


@bp.app_template_filter("difference")
def difference(what: str) -> str:
    """A kind of what is not explained, in words."""
    return str(DIFFERENCES.get(what, what))


def _month_choices() -> list[tuple[str, str]]:
    return [(month, month) for month in queries.months_with_entries()]


def _month(name: str) -> str:
    """A month asked for in the address, "" for none or for something else."""
    value = request.args.get(name, "")
    year, dash, number = value.partition("-")
    is_month = len(value) == 7 and dash and year.isdecimal() and number.isdecimal()
    return value if is_month else ""


@bp.get("/admin/ledger")
def balances() -> ResponseReturnValue:
    """What each account holds at the end of a month, and what the last check found."""
    require("ledger.read")
    until = _month("until")
    return render_template(
        "ledger/balances.html",
        balances=queries.balances(until=until or None),
        months=_month_choices(),
        until=until,
        check=check.last_check(),
    )


@bp.post("/admin/ledger/check")
def check_now() -> ResponseReturnValue:
    """Have the ledger compared with the house by a worker."""
    require("ledger.read")
    enqueue("ledger.check")
    flash(_("The check has begun. Load this page again in a moment to see what it found."), "info")
    return redirect(url_for(".balances"), 303)


@bp.get("/admin/ledger/entries")
def entries() -> ResponseReturnValue:
    """Entries with their postings: all, or of an account, month, document or product."""
    require("ledger.read")
    names = ("account", "about", "product", "kind")
    chosen = {name: request.args.get(name, "")[:100] for name in names} | {"month": _month("month")}
    ids = queries.ids_of_entries(**chosen)
    page = paginate(queries.list_entries(**chosen), page_number(), 25, counted=ids)
    return render_template(
        "ledger/entries.html",
        page=page,
        chosen=chosen,
        postings=queries.postings_of(page.items),
        accounts=[(kind.value, account_label(kind)) for kind in Account],
        months=_month_choices(),
        words=_words(page.items),
    )


def _words(found: Iterable[LedgerEntry]) -> dict[str, tuple[str, str | None]]:
    """Label and address of what entries are about, by "word:key"."""
    keys: dict[str, set[str]] = {}
    for name in {name for entry in found for name in (entry.about, entry.product) if name}:
        word, _colon, key = name.partition(":")
        keys.setdefault(word, set()).add(key)
    words: dict[str, tuple[str, str | None]] = {}
    for word, those in keys.items():
        document = ledger_documents.get(word)
        labels = document.labels(sorted(those)) if document else {}
        for key in those:
            url = document.url(key) if document and key in labels else None
            words[f"{word}:{key}"] = (labels.get(key, f"{word} {key}"), url)
    return words


@bp.get("/admin/ledger/months")
def months() -> ResponseReturnValue:
    """Closed months, and the one that can be closed next."""
    require("ledger.read")
    return render_template(
        "ledger/months.html", periods=queries.list_periods(), next_month=periods.next_to_close()
    )


@bp.post("/admin/ledger/months/<month>/close")
def close_month(month: str) -> ResponseReturnValue:
    """Close a month, unless something is not explained."""
    require("ledger.close")
    periods.close_month(month, signed_in())
    flash(
        _("The month is closed. What belongs to it and comes late counts for the next."), "success"
    )
    return redirect(url_for(".months"), 303)


def _csv(rows: Iterable[Iterable[str]]) -> Iterator[str]:
    for row in rows:
        line = io.StringIO()
        csv.writer(line).writerow(row)
        yield line.getvalue()


@bp.get("/admin/ledger/ledger.csv")
def download_csv() -> ResponseReturnValue:
    """All entries as a table, a line for each posting."""
    require("ledger.read")
    return _file(_csv(export.table(_month("until") or None)), "text/csv", "ledger.csv")


@bp.get("/admin/ledger/ledger.beancount")
def download_beancount() -> ResponseReturnValue:
    """All entries as Beancount reads them."""
    require("ledger.read")
    return _file(export.beancount(_month("until") or None), "text/plain", "ledger.beancount")


def _file(lines: Iterator[str], mimetype: str, name: str) -> Response:
    """Send text of any length without holding it in memory."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with the answer
    for line in lines:
        file.write(line.encode())
    file.seek(0)
    return send_file(file, mimetype=mimetype, as_attachment=True, download_name=name)
