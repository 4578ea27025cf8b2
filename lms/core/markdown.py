"""Markdown to safe HTML: the one place where what people write becomes markup.

markdown-it makes HTML (raw HTML in the source is shown as text), nh3 keeps only what is known to
be harmless. Pictures and links are rewritten by the caller, so that `media/x.png` of a course
points to that course's file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import nh3
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup, escape
from mdit_py_plugins.container import container_plugin
from mdit_py_plugins.footnote import footnote_plugin

from lms.core.settings import settings

_TAGS = {
    *[
        "p",
        "br",
        "hr",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "li",
        "blockquote",
        "pre",
        "code",
        "em",
        "strong",
        "del",
        "a",
        "img",
        "sup",
        "sub",
    ],
    *[
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "div",
        "section",
        "aside",
        "figure",
        "figcaption",
    ],
}
_ATTRIBUTES = {
    "a": {"href", "title", "id", "class"},
    "img": {"src", "alt", "title", "width", "height", "loading"},
    "th": {"class", "scope"},
    "td": {"class"},
    "div": {"class"},
    "aside": {"class"},
    "section": {"class"},
    "ol": {"start", "class"},
    "li": {"id", "class"},
    "code": {"class"},
    "sup": {"class", "id"},
    "table": {"class"},
}
_KINDS = ("try", "note", "warning")
CALLOUT_TITLES = {
    "try": lazy_gettext("Try it"),
    "note": lazy_gettext("Note"),
    "warning": lazy_gettext("Watch out"),
}

_RULES = 1  # grows with each change of what `_draw` does
_MADE_BY = (
    _RULES,
    sorted(_TAGS),
    sorted((tag, sorted(names)) for tag, names in _ATTRIBUTES.items()),
    *(version(name) for name in ("markdown-it-py", "mdit-py-plugins", "nh3")),
)
# what was drawn by another edition is drawn anew
EDITION = sha256(repr(_MADE_BY).encode()).hexdigest()[:12]

Rewriter = Callable[[str], str | None]


def _render_callout(kind: str) -> Callable[..., str]:
    def render(self: RendererHTML, tokens: list[Token], index: int, options: Any, env: Any) -> str:
        if tokens[index].nesting == 1:
            title = escape(str(CALLOUT_TITLES[kind]))
            return (
                f'<aside class="callout callout-{kind}">'
                f'<p class="callout-title"><strong>{title}</strong></p>\n'
            )
        return "</aside>\n"

    return render


def _align_classes(tokens: list[Token]) -> None:
    """Column alignment as a class, since the pages allow no inline style."""
    for token in tokens:
        style = token.attrs.pop("style", None) if token.attrs else None
        if isinstance(style, str) and style.startswith("text-align:"):
            token.attrs["class"] = "align-" + style.removeprefix("text-align:")


def _parser() -> MarkdownIt:
    markdown = MarkdownIt(
        "commonmark", {"html": False, "linkify": False, "typographer": False}
    ).enable(["table", "strikethrough"])
    markdown.use(footnote_plugin)
    for kind in _KINDS:
        markdown.use(container_plugin, kind, render=_render_callout(kind))
    return markdown


_MARKDOWN = _parser()


@lru_cache(maxsize=2048)
def _render(text: str, language: str, rewriter: Rewriter | None, shift: int) -> str:
    env: dict[str, Any] = {}
    return _draw(_MARKDOWN.parse(text, env), env, rewriter, shift)


def _draw(tokens: list[Token], env: dict[str, Any], rewriter: Rewriter | None, shift: int) -> str:
    _align_classes(tokens)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, max(2, int(token.tag[1]) + shift))}"
        if rewriter is not None:
            for child in token.children or ():
                _rewrite(child, rewriter)
        if token.children:
            token.children = list(_without_foreign_pictures(token.children))
    dirty = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, env)
    return nh3.clean(
        dirty,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener nofollow",
    )


def _rewrite(token: Token, rewriter: Rewriter) -> None:
    for attribute in ("href", "src"):
        value = token.attrs.get(attribute) if token.attrs else None
        if isinstance(value, str):
            new = rewriter(value)
            if new is not None:
                token.attrs[attribute] = new
    if token.type == "image":
        token.attrs["loading"] = "lazy"


def _without_foreign_pictures(tokens: list[Token]) -> Iterator[Token]:
    """Links in place of pictures from elsewhere, which the pages would not load."""
    depth = 0
    for token in tokens:
        depth += token.nesting if token.type in ("link_open", "link_close") else 0
        address = str(token.attrs.get("src", ""))
        if token.type != "image" or not _is_foreign(address):
            yield token
            continue
        words = token.content.strip()
        text = Token("text", "", 0, content=_("Picture: %(words)s", words=words or address))
        if depth:  # no link within a link
            yield text
        else:
            yield from (
                Token("link_open", "a", 1, attrs={"href": address}),
                text,
                Token("link_close", "a", -1),
            )


def _is_foreign(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.netloc) and not address.startswith(f"{settings().base_url}/")


def render_markdown(
    text: str | None, rewriter: Rewriter | None = None, *, heading_shift: int = 0
) -> Markup:
    """Safe HTML of a Markdown text.

    rewriter: given each link and picture address, returns another one or None to keep it; it must
    be hashable and give the same answer for the same address. heading_shift: added to the level of
    each heading, so that texts fit below the page's own headings (levels 2 to 6 come out).
    """
    if not text:
        return Markup("")
    from lms.core.text import current_language

    return Markup(_render(text, current_language(), rewriter, heading_shift))  # noqa: S704


def render_for_all(text: str, *, heading_shift: int = 0) -> str | None:
    """Safe HTML of a Markdown text to be kept with it, beside `EDITION`.

    None when it would hold words of ours in the reader's language, or addresses of this site: such
    texts have callouts or pictures, and are drawn for each reader.
    """
    env: dict[str, Any] = {}
    tokens = _MARKDOWN.parse(text, env)
    children = (child for token in tokens for child in token.children or ())
    if any(token.type.startswith("container_") for token in tokens) or any(
        child.type == "image" for child in children
    ):
        return None
    return _draw(tokens, env, None, heading_shift)


def plain_text(text: str | None, limit: int = 300) -> str:
    """The words of a Markdown text on one line, cut at `limit` signs, for mails and previews."""
    words: list[str] = []
    for token in _MARKDOWN.parse(text or ""):
        words += [
            child.content
            for child in token.children or ()
            if child.type in ("text", "code_inline") and child.content
        ]
    line = " ".join(" ".join(words).split())
    return line if len(line) <= limit else line[: limit - 1].rsplit(" ", 1)[0] + "…"
