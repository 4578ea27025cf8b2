"""HTTP for all rooms: transaction per request, open pages, menus, panels, safe redirects."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, overload
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, has_request_context, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel.speaklater import LazyString
from flask_login import current_user
from flask_wtf.csrf import CSRFProtect
from markupsafe import Markup

from lms.core.db import reading, transaction
from lms.core.once import do_once, do_once_apart, form_key
from lms.core.postgresql import one_by_one
from lms.core.registry import Registered

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
ASKED_AGAIN_AFTER = 600  # seconds

csrf = CSRFProtect()

View = TypeVar("View", bound=Callable[..., Any])


def public(view: View) -> View:
    """Mark a view that strangers may open; all others need a signed-in person."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def read_only_post(view: View) -> View:
    """Mark a POST view that changes nothing, so that it does not take the write lock."""
    view.is_read_only = True  # type: ignore[attr-defined]
    return view


def by_programs(view: View) -> View:
    """Mark a view that programs post to: what they show stands in for a session and its forms."""
    exempt: View = csrf.exempt(public(view))
    return exempt


def raw_body(view: View) -> View:
    """Mark a view for programs, which reads its body itself: no form is looked for in it."""
    view.has_raw_body = True  # type: ignore[attr-defined]
    return view


class Puente(Flask):
    """Flask with one transaction for each request: return commits, raise rolls back."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself: no view here is a coroutine, and Flask would look each time."""
        return func

    def full_dispatch_request(self) -> Response:
        """Answer; what is read before and besides the view's transaction stands alone."""
        with one_by_one():
            return super().full_dispatch_request()

    def dispatch_request(self) -> ResponseReturnValue:
        """Run the view within its transaction."""
        view = self.view_functions.get(request.endpoint or "")
        writes = request.method not in SAFE_METHODS and not getattr(view, "is_read_only", False)
        deed = super().dispatch_request
        is_form = writes and not getattr(view, "has_raw_body", False)
        key = form_key() if is_form else None  # reads what was uploaded: before the transaction
        if getattr(view, "has_own_transaction", False):
            return do_once_apart(key, deed) if key else deed()
        with transaction() if writes else reading():
            return do_once(key, deed) if key else deed()


def own_transaction(view: View) -> View:
    """Mark a view whose request needs several short transactions or none."""
    view.has_own_transaction = True  # type: ignore[attr-defined]
    return view


def seldom_asked(name: str, ask: Callable[[], bool]) -> bool:
    """Whether menus show something: asked again after ten minutes, kept in the session until then.

    For menus alone: what is behind the entry asks for its permission each time.
    """
    known = session.get(name)
    if isinstance(known, list) and time.time() - known[1] < ASKED_AGAIN_AFTER:
        return bool(known[0])
    answer = ask()
    session[name] = [answer, int(time.time())]
    return answer


@dataclass(frozen=True)
class NavigationEntry:
    """A menu entry.

    menu: "main" (masthead), "footer", "account" (below the person's name) or "admin". endpoint: a
    Flask endpoint without arguments. shown: whether the present visitor sees it; without it
    everybody sees what is in "main" and "footer", and signed-in people what is in the other menus.
    also: prefixes of endpoints on which the entry is marked as current. method: "get", or "post"
    for deeds.
    """

    name: str
    label: str | LazyString
    endpoint: str
    menu: str = "main"
    order: int = 50
    shown: Callable[[], bool] | None = None
    also: tuple[str, ...] = ()
    method: str = "get"

    def is_shown(self, is_signed_in: bool) -> bool:
        """Whether the present visitor sees the entry."""
        if self.shown is not None:
            return self.shown()
        return is_signed_in or self.menu in ("main", "footer")


@dataclass(frozen=True)
class Panel:
    """A fragment at a named place of another room's page.

    place: see docs/hooks.md. render: gets the page's values as keywords, returns Markup or None.
    """

    name: str
    place: str
    render: Callable[..., Markup | str | None]
    order: int = 50


navigation: Registered[NavigationEntry] = Registered("navigation", NavigationEntry)
panels: Registered[Panel] = Registered("panels", Panel)


@dataclass(frozen=True)
class MenuItem:
    """A menu entry as the templates see it."""

    label: str
    url: str
    is_current: bool
    method: str = "get"


class Menu(Sequence[MenuItem]):
    """A menu as a template sees it: made when it is drawn, so that fragments do without."""

    def __init__(self, name: str) -> None:
        self._name = name

    @cached_property
    def entries(self) -> tuple[NavigationEntry, ...]:
        """What the present visitor sees, in order; none outside a request."""
        if not has_request_context():
            return ()
        is_signed_in = bool(current_user.is_authenticated)  # asked once, not for each entry
        return tuple(entry for entry in _in_order(self._name) if entry.is_shown(is_signed_in))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of what the present visitor sees."""
        return tuple(entry.name for entry in self.entries)

    @cached_property
    def _items(self) -> list[MenuItem]:
        here = request.endpoint or "" if self.entries else ""
        return [
            MenuItem(
                str(entry.label),
                url_for(entry.endpoint),
                here == entry.endpoint or here.startswith(entry.also),
                entry.method,
            )
            for entry in self.entries
        ]

    @overload
    def __getitem__(self, index: int) -> MenuItem: ...
    @overload
    def __getitem__(self, index: slice) -> list[MenuItem]: ...
    def __getitem__(self, index: int | slice) -> MenuItem | list[MenuItem]:
        return self._items[index]

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[MenuItem]:
        return iter(self._items)


def _in_order(menu: str) -> list[NavigationEntry]:
    """All entries of a menu; sorted once, for the plugins stay as they are."""
    kept: dict[str, list[NavigationEntry]] = current_app.extensions.setdefault("puente-menus", {})
    if menu not in kept:
        entries = [entry for entry in navigation.values() if entry.menu == menu]
        kept[menu] = sorted(entries, key=lambda entry: entry.order)
    return kept[menu]


def show_panels(place: str, **values: Any) -> Markup:
    """All fragments for a place of a page, in order."""
    chosen = sorted((p for p in panels.values() if p.place == place), key=lambda p: p.order)
    rendered = (panel.render(**values) for panel in chosen)
    return Markup("\n").join(part for part in rendered if part)


def safe_next(default: str) -> str:
    """The address in `next` when it lies on this site, else `default`."""
    target = request.values.get("next", "")
    parts = urlsplit(target)
    is_ours = target.startswith("/") and not target.startswith(("//", "/\\"))
    if is_ours and not parts.netloc and target.isprintable():  # browsers drop tabs and newlines
        return target
    return default


def absolute_url(endpoint: str, **values: Any) -> str:
    """Public address of a page on LMS_BASE_URL; works in jobs and commands too."""
    from lms.core.settings import settings

    base = settings().base_url
    path = current_app.url_map.bind(urlsplit(base).netloc).build(endpoint, values)
    return base + path


def page_number() -> int:
    """The wanted page of a list, from `?page=`; 1 when absent or nonsense."""
    value = request.args.get("page", "1")
    return max(1, int(value)) if value.isdecimal() and len(value) < 8 else 1


def attachment(content: str | bytes, name: str, media_type: str = "application/pdf") -> Response:
    """An answer that the browser keeps as a file of this name."""
    response = Response(content, content_type=media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def open_to_all(content: str | bytes, media_type: str, max_age: int = 0) -> Response:
    """A document that scripts of every site may read; max_age: seconds in caches."""
    response = Response(content, content_type=media_type)
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Cache-Control"] = f"public, max-age={max_age}" if max_age else "no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response
