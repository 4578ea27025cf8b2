from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.core.markdown import plain_text, render_markdown


def dangers(html: str) -> list[str]:
    """Elements, attributes and addresses of the markup that could run something."""
    found: list[str] = []

    class Watch(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag in ("script", "iframe", "style", "object", "embed", "form", "base", "svg"):
                found.append(tag)
            for name, value in attrs:
                scheme = (value or "").strip().lower().partition(":")[0]
                if name.startswith("on") or name == "style" or scheme in ("javascript", "data"):
                    found.append(f"{tag} {name}={value}")

    Watch().feed(html)
    return found


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        '<img src=x onerror="alert(1)">',
        "![x](data:text/html,boo)",
        "<iframe src='https://evil.example'></iframe>",
        '[x](https://a.example "onclick=alert(1)")',
        "<style>body{display:none}</style>",
    ],
)
def test_nothing_that_people_write_can_run(app, text):
    assert dangers(render_markdown(text)) == []


@given(st.text(max_size=200))
def test_any_text_gives_html_without_scripts(text):
    from lms.core.markdown import _render

    assert dangers(_render(text, "en", None, 0)) == []


def test_tables_callouts_and_footnotes_are_known(app):
    html = render_markdown(
        "| a | b |\n|---|--:|\n| 1 | 2 |\n\n::: try\nWrite it.\n:::\n\nText[^1].\n\n[^1]: A note."
    )

    assert "<table" in html
    assert "align-right" in html
    assert 'class="callout callout-try"' in html
    assert "Try it" in html
    assert "footnote" in html


def test_addresses_of_course_media_are_rewritten(app):
    def rewrite(address: str) -> str | None:
        return "/courses/x/" + address if address.startswith("media/") else None

    html = render_markdown("![A map](media/map.png) [file](media/a.pdf)", rewrite)

    assert 'src="/courses/x/media/map.png"' in html
    assert 'href="/courses/x/media/a.pdf"' in html
    assert 'alt="A map"' in html


def test_a_preview_is_one_line_of_words(app):
    assert (
        plain_text("# Title\n\nSome *words* and `code`.", 40) == "Title Some words and code ."[:40]
    )


def test_there_is_one_first_heading_on_a_page(app):
    assert "<h1" not in render_markdown("# Loud")


def test_pictures_from_elsewhere_become_links(app):
    html = render_markdown("![A map](https://maps.example/a.png) and ![](//maps.example/b.png)")

    assert "<img" not in html
    assert 'href="https://maps.example/a.png"' in html
    assert "Picture: A map</a>" in html
    assert "Picture: //maps.example/b.png</a>" in html


def test_own_pictures_stay(app):
    html = render_markdown("![A map](/media/a.png) ![B](http://puente.test/media/b.png)")

    assert html.count("<img") == 2


def test_a_picture_from_elsewhere_within_a_link_is_words(app):
    html = render_markdown("[![Map](https://maps.example/a.png)](https://maps.example/)")

    assert html.count("<a ") == 1
    assert ">Picture: Map</a>" in html
