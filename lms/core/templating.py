"""What every template can use: formats of money and time, texts by language, menus."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_interval, format_skeleton, get_timezone_location
from flask import Flask, request
from flask_babel import get_timezone as reader_zone
from markupsafe import Markup, escape

from lms.config import LANGUAGES
from lms.core import clock
from lms.core.fragments import keep_fragment
from lms.core.layout import masthead, page_foot
from lms.core.markdown import plain_text, render_markdown
from lms.core.money import Money
from lms.core.once import page_word
from lms.core.settings import settings
from lms.core.text import current_language, in_language, language_of, present_locale
from lms.core.web import Menu, show_panels


def format_money(amount: Money) -> str:
    """An amount in the reader's number format with its currency code."""
    return amount.format(str(present_locale() or "en"))


def format_amount(value: tuple[int, str]) -> str:
    """An amount as messages carry it, minor units and currency, in the reader's format."""
    return format_money(Money(*value))


def format_number(value: float, digits: int = 0) -> str:
    """A number in the reader's format with at most `digits` decimals."""
    from babel.numbers import format_decimal

    pattern = "#,##0" + ("." + "#" * digits if digits else "")
    return format_decimal(value, format=pattern, locale=present_locale())


def format_percent(value: float, digits: int = 0) -> str:
    """A share 0..1 as percent in the reader's format."""
    from babel.numbers import format_percent as babel_percent

    pattern = "#,##0" + ("." + "#" * digits if digits else "") + " %"
    return babel_percent(value, format=pattern, locale=present_locale())


def format_day(value: date | datetime | None, skeleton: str = "yMMMd") -> str:
    """A calendar day in the reader's language and, for an instant, in the reader's zone."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = value.astimezone(ZoneInfo(str(reader_zone()))).date()
    return _day(value, skeleton, present_locale())


@lru_cache(maxsize=4096)
def _day(value: date, skeleton: str, locale: Locale | None) -> str:
    return format_skeleton(skeleton, value, locale=locale)


def format_days(start: date, end: date, skeleton: str = "yMMMd") -> str:
    """Two days as one span: "1–21 Feb 2027"."""
    return _span(start, end, skeleton, present_locale())


@lru_cache(maxsize=4096)
def _span(start: date, end: date, skeleton: str, locale: Locale | None) -> str:
    return format_interval(start, end, skeleton, locale=locale)


def zone_city(zone: str) -> str:
    """The zone's city in the present language: "America/Sao_Paulo" -> "São Paulo" (CLDR)."""
    return _zone_city(zone, str(present_locale() or "en"))


@lru_cache(maxsize=2000)
def _zone_city(zone: str, locale: str) -> str:
    if not zone.startswith("Etc/") and "/" in zone:
        return get_timezone_location(ZoneInfo(zone), locale=locale, return_city=True)
    return zone.rsplit("/", 1)[-1].replace("_", " ")


def format_moment(
    value: datetime | None, zone: str | None = None, *, with_zone: bool = True
) -> str:
    """An instant with its zone's name: "18 Feb 2027, 17:00 La Paz"."""
    if value is None:
        return ""
    name = zone or str(reader_zone())
    local = value.astimezone(ZoneInfo(name))
    text = _moment(local)
    return f"{text} {zone_city(name)}" if with_zone else text


def _moment(local: datetime) -> str:
    return f"{_day(local.date(), 'yMMMd', present_locale())}, {local:%H:%M}"


def format_long_date(value: date, language: str | None = None) -> str:
    """A date written out, for certificates."""
    return format_date(value, "long", locale=language or present_locale())


def time_element(value: datetime | None, zone: str | None = None) -> Markup:
    """An instant as <time> with the machine-readable value."""
    if value is None:
        return Markup("")
    instant, text = value.isoformat(timespec="seconds"), escape(format_moment(value, zone))
    return Markup(f'<time datetime="{instant}">{text}</time>')  # noqa: S704 - escaped above


def size_text(size: int) -> str:
    """Bytes as people read them."""
    if size < 1024 * 1024:
        return f"{format_number(max(1, round(size / 1024)))} kB"
    return f"{format_number(size / 1024 / 1024, 1)} MB"


def page_url(number: int) -> str:
    """Address of another page of the present list, all else kept."""
    values = {**request.args.to_dict(flat=False), "page": [str(number)]}
    return f"{request.path}?{urlencode(values, doseq=True)}"


def init_templates(app: Flask, can: Callable[..., bool]) -> None:
    """Register filters, globals and the variables of base.html."""
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.policies["ext.i18n.trimmed"] = True  # as babel.cfg: a text may span lines
    app.jinja_env.add_extension("jinja2.ext.do")
    app.jinja_env.filters.update(
        iso_instant=datetime.fromisoformat,  # an instant in the values of notices
        amount=format_amount,
        money=format_money,
        number=format_number,
        percent=format_percent,
        day=format_day,
        moment=format_moment,
        time_element=time_element,
        in_language=in_language,
        language_of=language_of,
        markdown=render_markdown,
        plain=plain_text,
        file_size=size_text,
    )
    app.jinja_env.globals.update(
        can=can,
        now=clock.now,
        days=format_days,
        panels=show_panels,
        keep_fragment=keep_fragment,
        masthead=masthead,
        page_foot=page_foot,
        zone_city=zone_city,
        page_url=page_url,
        page_word=page_word,
    )

    @app.context_processor
    def _page() -> dict[str, Any]:
        return {
            "navigation": Menu("main"),
            "account_menu": Menu("account"),
            "footer_links": Menu("footer"),
            "admin_menu": Menu("admin"),
            "language_choices": list(LANGUAGES.items()),
            "current_language": current_language(),
            "site_name": settings().site_name,
            "home_url": "/",
        }
