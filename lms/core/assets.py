"""What pages are dressed with: hashed style sheets and scripts, icons, a course's wave band."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any
from zlib import crc32

from flask import Flask, Response, current_app, request, url_for
from markupsafe import Markup

BUILD = Path(__file__).parent / "static" / "build"

# Drawn on a field of 24 by 24 with a line of 2; a filled icon carries its own fill.
_ICONS = {
    "alert": '<path d="M12 4 2.5 20h19z"/><path d="M12 10v4M12 17h.01"/>',
    "arrow-left": '<path d="M20 12H4m6-6-6 6 6 6"/>',
    "arrow-right": '<path d="M4 12h16m-6-6 6 6-6 6"/>',
    "arrow-up": '<path d="M12 20V4M6 10l6-6 6 6"/>',
    "arrow-down": '<path d="M12 4v16m6-6-6 6-6-6"/>',
    "attachment": (
        '<path d="m20 11-8.5 8.5a5 5 0 0 1-7-7L13 4a3.3 3.3 0 0 1 4.7 4.7L9.3 17a1.6 1.6'
        ' 0 0 1-2.3-2.3L15 7"/>'
    ),
    "bell": '<path d="M18 16V11a6 6 0 0 0-12 0v5l-2 2h16zM10 21h4"/>',
    "book": (
        '<path d="M12 6c-2-1.5-5-2-9-2v14c4 0 7 .5 9 2 2-1.5 5-2 9-2V4c-4 0-7 .5-9 2zM12 6v14"/>'
    ),
    "calendar": '<path d="M4 6h16v14H4zM4 10.5h16M8 3v5M16 3v5"/>',
    "certificate": '<circle cx="12" cy="9" r="6"/><path d="m8.5 14-1.5 8 5-2.5 5 2.5-1.5-8"/>',
    "chart": '<path d="M4 20V4M4 20h16M9 16v-4M13.5 16V8M18 16v-6"/>',
    "check": '<path d="m4 12.5 5.5 5.5L20 6.5"/>',
    "check-circle": (
        '<circle cx="12" cy="12" r="10" fill="currentColor" stroke="none"/>'
        '<path class="icon-cut" d="m7 12.3 3.5 3.5L17 8.8" stroke-width="2.5"/>'
    ),
    "chevron-down": '<path d="m6 9 6 6 6-6"/>',
    "clock": '<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3.5 2"/>',
    "close": '<path d="M6 6l12 12M18 6 6 18"/>',
    "copy": '<path d="M9 9h11v11H9zM15 9V4H4v11h5"/>',
    "cross-circle": (
        '<circle cx="12" cy="12" r="10" fill="currentColor" stroke="none"/>'
        '<path class="icon-cut" d="m8.5 8.5 7 7M15.5 8.5l-7 7" stroke-width="2.5"/>'
    ),
    "download": '<path d="M12 4v11m5-5-5 5-5-5M4 20h16"/>',
    "edit": '<path d="M4 20l1-4.5L16.5 4 20 7.5 8.5 19zM14 6.5 17.5 10"/>',
    "external": '<path d="M14 4h6v6M20 4l-9 9M18 14v6H4V6h6"/>',
    "eye": (
        '<path d="M2 12s3.5-7 10-7 10 7 10 7-3.5 7-10 7S2 12 2 12z"/><circle cx="12"'
        ' cy="12" r="3"/>'
    ),
    "file": '<path d="M6 3h8l5 5v13H6zM14 3v5h5"/>',
    "filter": '<path d="M3 5h18l-7 8.5V20l-4-2v-4.5z"/>',
    "flag": '<path d="M5 21V4h13l-3 4.5 3 4.5H5"/>',
    "forum": '<path d="M4 5h16v11h-9l-5 4v-4H4z"/>',
    "globe": (
        '<circle cx="12" cy="12" r="9"/>'
        '<path d="M3 12h18M12 3c5 5.5 5 12.5 0 18-5-5.5-5-12.5 0-18z"/>'
    ),
    "handle": (
        '<path d="M9 6h.01M9 12h.01M9 18h.01M15 6h.01M15 12h.01M15 18h.01" stroke-width="3"/>'
    ),
    "home": '<path d="m3 11.5 9-8 9 8M6 9v11h12V9"/>',
    "info": '<circle cx="12" cy="12" r="9"/><path d="M12 11v5.5M12 7.5h.01"/>',
    "link": (
        '<path d="M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1'
        'M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1"/>'
    ),
    "lock": '<path d="M5 11h14v10H5zM8 11V8a4 4 0 0 1 8 0v3"/>',
    "mail": '<path d="M3 5h18v14H3zM3 6.5l9 7 9-7"/>',
    "menu": '<path d="M4 6h16M4 12h16M4 18h16"/>',
    "minus": '<path d="M5 12h14"/>',
    "more": '<path d="M5 12h.01M12 12h.01M19 12h.01" stroke-width="3"/>',
    "page": '<path d="M5 3h14v18H5zM9 8h6M9 12h6M9 16h4"/>',
    "people": (
        '<circle cx="9" cy="8" r="4"/>'
        '<path d="M2 21c0-4.5 3-7 7-7s7 2.5 7 7M16 4.3a4 4 0 0 1 0 7.4M18 14.5c2.5 1 4 3.2 4 6.5"/>'
    ),
    "person": '<circle cx="12" cy="8" r="4.5"/><path d="M4 21c0-4.5 3.5-7 8-7s8 2.5 8 7"/>',
    "pin": '<path d="M9 3h6l-1 7 4 4H6l4-4zM12 14v7"/>',
    "play": '<path d="M7 4v16l13-8z"/>',
    "plus": '<path d="M12 5v14M5 12h14"/>',
    "print": '<path d="M7 9V3h10v6M7 18H3V9h18v9h-4M7 14h10v7H7z"/>',
    "quiz": (
        '<circle cx="12" cy="12" r="9"/>'
        '<path d="M9.3 9.5a2.8 2.8 0 1 1 4 2.5c-.9.4-1.3 1-1.3 2M12 17h.01"/>'
    ),
    "reply": '<path d="M9 6 3 12l6 6M3 12h11a7 7 0 0 1 7 7"/>',
    "search": '<circle cx="10.5" cy="10.5" r="6.5"/><path d="m15.5 15.5 5 5"/>',
    "settings": (
        '<circle cx="12" cy="12" r="3.5"/>'
        '<path d="M12 2.5v3M12 18.5v3M2.5 12h3M18.5 12h3M5.3 5.3l2.1 2.1'
        'M16.6 16.6l2.1 2.1M5.3 18.7l2.1-2.1M16.6 7.4l2.1-2.1"/>'
    ),
    "trash": '<path d="M4 6h16M9 6V3h6v3M6 6l1 15h10l1-15M10 10.5v6M14 10.5v6"/>',
    "upload": '<path d="M12 15V4M7 9l5-5 5 5M4 20h16"/>',
    "video": '<path d="M3 6h13v12H3zM16 10.5 21 7v10l-5-3.5z"/>',
}

# White lines on each of these stay visible in the light and in the dark. The first six topics get
# one each, by the number their checksum starts from; a further topic shares one.
_BAND_COLOURS = ("#0e5a6b", "#2b7a4b", "#6b4470", "#34546b", "#b84a28", "#8a6414")
_BAND_START = 47

_manifest: dict[str, str] = {}
_manifest_read_at = 0.0


class AssetsNotBuilt(RuntimeError):
    """The bundles are missing: `node build.mjs` has not run, or does not make the one asked for."""


def asset_url(name: str) -> str:
    """Address of a bundle by its plain name, such as `app.css`.

    Raises AssetsNotBuilt when there is no such bundle.
    """
    global _manifest, _manifest_read_at
    path = BUILD / "manifest.json"
    if not _manifest or current_app.debug:
        try:
            changed_at = path.stat().st_mtime
        except FileNotFoundError as error:
            raise AssetsNotBuilt(
                "The style sheets and scripts are not built. Run: npm ci && node build.mjs"
            ) from error
        if changed_at != _manifest_read_at:
            _manifest = json.loads(path.read_text(encoding="utf-8"))
            _manifest_read_at = changed_at
    try:
        file = _manifest[name]
    except KeyError as error:
        known = ", ".join(sorted(_manifest))
        raise AssetsNotBuilt(f"No asset is called {name}. There are: {known}") from error
    return url_for("static", filename=f"build/{file}")


@lru_cache(maxsize=512)
def icon(name: str, label: str | None = None) -> Markup:
    """Inline SVG of an icon: decorative, unless a label says what it means.

    Raises KeyError for an unknown name.
    """
    meaning = (
        Markup('role="img" aria-label="{}"').format(label)
        if label
        else Markup('aria-hidden="true"')
    )
    return Markup(
        '<svg class="icon" viewBox="0 0 24 24" width="20" height="20" fill="none"'
        ' stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"'
        " {}>{}</svg>"
    ).format(meaning, Markup(_ICONS[name]))  # noqa: S704 - our own drawings


def _band(topic: str, slug: str) -> str:
    """Contents of a band, on a field of 360 by 96: the topic's colour, the slug's waves."""
    seed = crc32(slug.encode())
    start, rise, slope = 8 + seed % 20, 8 + seed // 32 % 22, seed // 1024 % 13 - 6
    rise = rise if seed & 1 else -rise
    colour = _BAND_COLOURS[crc32(topic.encode(), _BAND_START) % len(_BAND_COLOURS)]
    lines = []
    for line in range(6):
        left = start + 17 * line + max(rise, 0) // 2
        bend = rise * (6 - line) / 6
        lines.append(
            f'<path d="M-4 {left}C80 {left - bend:.1f} 120 {left - bend:.1f} 184 {left + slope:.1f}'
            f'S300 {left + bend + slope:.1f} 364 {left + slope / 2:.1f}"'
            f' stroke-opacity="{0.16 + 0.07 * line:.2f}"/>'
        )
    return (
        f'<rect width="360" height="96" fill="{colour}"/>'
        f'<g fill="none" stroke="#fff" stroke-width="9">{"".join(lines)}</g>'
    )


@lru_cache(maxsize=4096)
def wave(topic: str, slug: str, class_: str = "") -> Markup:
    """The wave band of a course, for its card: the same course always has the same band."""
    return Markup(
        '<svg class="wave {}" viewBox="0 0 360 96" preserveAspectRatio="xMidYMid slice"'
        ' aria-hidden="true">{}</svg>'
    ).format(class_, Markup(_band(topic, slug)))  # noqa: S704 - numbers and our own colours


def wave_svg(topic: str, slug: str, width: int = 1200, height: int = 320) -> str:
    """The wave band of a course as an SVG file of its own, width and height in pixels."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 360 96" preserveAspectRatio="xMidYMid slice">{_band(topic, slug)}</svg>'
    )


def _improve_delivery(response: Response) -> Response:
    """Send bundles compressed where the browser takes it, and let it keep them for good.

    A bundle that changes has another name, so what is kept is never stale.
    """
    filename: str = (request.view_args or {}).get("filename", "")
    if request.endpoint != "static" or not filename.startswith("build/"):
        return response
    if response.status_code == 200:
        for encoding, suffix in (("br", ".br"), ("gzip", ".gz")):
            compressed = BUILD / (filename.removeprefix("build/") + suffix)
            if request.accept_encodings.quality(encoding) > 0 and compressed.is_file():
                response.close()
                response.direct_passthrough = False
                response.set_data(compressed.read_bytes())
                response.content_encoding = encoding
                break
    response.vary.add("Accept-Encoding")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def init_assets(app: Flask) -> None:
    """Give every template `asset_url`, `icon`, `wave` and `wave_svg`."""
    functions: dict[str, Any] = {
        "asset_url": asset_url,
        "icon": icon,
        "wave": wave,
        "wave_svg": wave_svg,
    }
    app.jinja_env.globals.update(functions)
    app.after_request(_improve_delivery)
