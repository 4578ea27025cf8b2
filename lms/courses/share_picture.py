"""The picture of a course for social networks: its wave band, title and organisations."""

from __future__ import annotations

import hashlib
import io
import re
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from lms.core.assets import wave_svg
from lms.core.settings import settings
from lms.core.text import in_language
from lms.courses.models import Course

WIDTH, HEIGHT = 1200, 630
_BAND = 300  # height of the wave band, pixels
_MARGIN = 72
_PAPER, _INK, _STONE, _ADOBE = "#fdfbf7", "#1d2b33", "#4a565d", "#b84a28"
_FONTS = {
    "serif": (
        "DejaVuSerif-Bold.ttf",
        "Palatino.ttc",
        "Georgia Bold.ttf",
        "LiberationSerif-Bold.ttf",
    ),
    "sans": ("DejaVuSans.ttf", "Helvetica.ttc", "Arial.ttf", "LiberationSans-Regular.ttf"),
}
_PATH = re.compile(r'd="([^"]+)"\s+stroke-opacity="([\d.]+)"')
_FILL = re.compile(r'<rect[^>]*fill="(#[0-9a-f]{6})"')
_NUMBERS = re.compile(r"-?\d+(?:\.\d+)?")

Point = tuple[float, float]


def _texts(course: Course) -> tuple[str, str, str]:
    names = [in_language(o.name) for o in (course.owner, *course.partners)]
    topic = in_language(course.topic.name) if course.topic else ""
    return in_language(course.title), " · ".join(names), topic


def share_picture_tag(course: Course) -> str:
    """Changes whenever the picture would look different."""
    parts = (*_texts(course), course.slug, settings().site_name, "1")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def draw_share_picture(course: Course) -> bytes:
    """The picture as PNG, in the reader's language."""
    colour = course.topic.slug if course.topic else ""
    return _draw(*_texts(course), colour, course.slug, settings().site_name)


@lru_cache(maxsize=64)
def _draw(title: str, organisations: str, topic: str, colour: str, slug: str, site: str) -> bytes:
    picture = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    picture.paste(_band(colour, slug), (0, 0))
    draw = ImageDraw.Draw(picture)
    y = _BAND + 36
    if topic:
        draw.text((_MARGIN, y), topic.upper(), _ADOBE, _font("sans", 24))
    lines, font = _fit(title, draw)
    y += 44
    for line in lines:
        draw.text((_MARGIN, y), line, _INK, font)
        y += round(font.size * 1.22)
    small = _font("sans", 26)
    room = WIDTH - 2 * _MARGIN - draw.textlength(site, small) - 40
    while organisations and draw.textlength(organisations, small) > room:
        organisations = organisations.rstrip("…")[:-1].rstrip() + "…"
    draw.text((_MARGIN, HEIGHT - 66), organisations, _STONE, small)
    draw.text((WIDTH - _MARGIN, HEIGHT - 66), site, _INK, small, anchor="ra")
    content = io.BytesIO()
    picture.quantize(128).save(content, "PNG", optimize=True)
    return content.getvalue()


@lru_cache(maxsize=64)
def _font(kind: str, size: int) -> ImageFont.FreeTypeFont:
    for name in _FONTS[kind]:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def _fit(title: str, draw: ImageDraw.ImageDraw) -> tuple[list[str], ImageFont.FreeTypeFont]:
    """The title on at most three lines, in the largest letters that leave room for it."""
    for size in (64, 54, 44, 38):
        font = _font("serif", size)
        lines = [""]
        for word in title.split():
            longer = f"{lines[-1]} {word}".strip()
            if lines[-1] and draw.textlength(longer, font) > WIDTH - 2 * _MARGIN:
                lines.append(word)
            else:
                lines[-1] = longer
        if len(lines) * size * 1.22 <= 172:
            return lines, font
    return [*lines[:2], lines[2].rstrip(".") + "…"] if len(lines) > 3 else lines, font


def _band(topic: str, slug: str) -> Image.Image:
    """The same waves as on the course's card, drawn at twice the size and made smooth."""
    svg = wave_svg(topic, slug, WIDTH, _BAND)
    fill = _FILL.search(svg)
    scale = 2 * WIDTH / 360
    size = (2 * WIDTH, 2 * _BAND)
    picture = Image.new("RGB", size, fill.group(1) if fill else "#0e5a6b")
    shift = (96 * scale - size[1]) / 2
    for path, opacity in _PATH.findall(svg):
        numbers = [float(n) for n in _NUMBERS.findall(path)]
        points = [(x * scale, y * scale - shift) for x, y in _curve(numbers)]
        mask = Image.new("L", size)
        ImageDraw.Draw(mask).line(points, round(255 * float(opacity)), round(9 * scale), "curve")
        picture.paste("#ffffff", (0, 0), mask)
    return picture.resize((WIDTH, _BAND), Image.Resampling.LANCZOS)


def _curve(n: list[float]) -> list[Point]:
    """Points of "M a C b c d S e f": two cubic Bézier curves, the second going on smoothly."""
    a, b, c, d, e, f = ((n[i], n[i + 1]) for i in range(0, 12, 2))
    mirrored = (2 * d[0] - c[0], 2 * d[1] - c[1])
    return _cubic(a, b, c, d) + _cubic(d, mirrored, e, f)


def _cubic(a: Point, b: Point, c: Point, d: Point, steps: int = 40) -> list[Point]:
    points = []
    for step in range(steps + 1):
        t = step / steps
        weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
        points.append(
            (
                sum(w * p[0] for w, p in zip(weights, (a, b, c, d), strict=True)),
                sum(w * p[1] for w, p in zip(weights, (a, b, c, d), strict=True)),
            )
        )
    return points
