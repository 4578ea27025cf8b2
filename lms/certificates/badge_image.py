"""The badge of a course: a woven cloth whose pattern follows from the course alone.

It is a list of figures, from which both the SVG and the PNG are made. The pattern is mirrored
like an Andean weaving and lies between the two strips of the site's masthead.
"""

from __future__ import annotations

import hashlib
import io
import uuid
from collections.abc import Iterator
from functools import lru_cache
from html import escape

from PIL import Image, ImageDraw

SIZE = 400  # units of the drawing
PIXELS = 800  # width and height of the PNG
_SMOOTH = 2  # it is drawn so many times larger, then made smaller
_PAPER, _INK, _LAKE, _ADOBE, _QUINOA, _EUCALYPTUS = (
    "#fdfbf7", "#1d2b33", "#0e5a6b", "#b84a28", "#d99a1c", "#2b7a4b",
)  # fmt: skip
_CELLS = 13  # of the pattern, in each direction
_CELL = 16

Figure = tuple[str, list[tuple[float, float]]]  # colour and corners


def _box(colour: str, left: float, top: float, width: float, height: float) -> Figure:
    right, bottom = left + width, top + height
    return colour, [(left, top), (right, top), (right, bottom), (left, bottom)]


def _diamond(colour: str, x: float, y: float, width: float, height: float) -> Figure:
    return colour, [(x, y - height), (x + width, y), (x, y + height), (x - width, y)]


def _pattern(seed: bytes) -> Iterator[Figure]:
    """Threads of the cloth, mirrored to the right and downwards, in two colours."""
    bits = int.from_bytes(hashlib.sha256(seed).digest(), "big")
    half = (_CELLS + 1) // 2
    start = (SIZE - _CELLS * _CELL) / 2
    warm = _ADOBE if bits & 1 else _QUINOA
    cool = _LAKE if bits & 2 else _EUCALYPTUS
    bits >>= 2
    for row in range(half):
        for column in range(half):
            kind, bits = bits & 3, bits >> 2 or int.from_bytes(hashlib.sha256(seed * 2).digest())
            steps = row + column
            if steps < half - 3 or (kind == 0 and steps < 2 * half - 4):
                continue
            colour = {1: warm, 2: cool, 3: _INK if steps % 3 == 0 else cool}.get(kind, warm)
            for x in {column, _CELLS - 1 - column}:
                for y in {row, _CELLS - 1 - row}:
                    yield _box(colour, start + x * _CELL, 84 + y * _CELL, _CELL, _CELL)


def _strips() -> Iterator[Figure]:
    """Woven strips above and below, as on the masthead of the site."""
    for top in (24.0, 338.0):
        for number in range(11):
            left = 24 + number * 32
            colour = (_LAKE, _ADOBE)[number % 2]
            yield _box(colour, left, top, 32, 26)
            yield _box(_QUINOA, left + 26, top, 6, 26)
            yield _diamond(_PAPER, left + 13, top + 13, 7, 7)
        yield _box(_ADOBE, 24, top + 29, 352, 4)
        yield _box(_QUINOA, 24, top + 35, 352, 2)


def _figures(course: uuid.UUID) -> Iterator[Figure]:
    yield _box(_INK, 0, 0, SIZE, SIZE)
    yield _box(_PAPER, 6, 6, SIZE - 12, SIZE - 12)
    yield from _strips()
    yield from _pattern(course.bytes)


def draw_svg(course: uuid.UUID, title: str) -> str:
    """The badge as SVG; `title` is what screen readers say."""
    drawn: list[tuple[str, list[str]]] = []
    for colour, corners in _figures(course):
        path = "M" + "L".join(f"{x:g} {y:g}" for x, y in corners) + "z"
        if not drawn or drawn[-1][0] != colour:
            drawn.append((colour, []))
        drawn[-1][1].append(path)
    shapes = "".join(f'<path fill="{colour}" d="{"".join(paths)}"/>' for colour, paths in drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" role="img">'
        f"<title>{escape(title)}</title>{shapes}</svg>"
    )


@lru_cache(maxsize=64)
def draw_png(course: uuid.UUID) -> bytes:
    """The badge as PNG."""
    scale = PIXELS * _SMOOTH / SIZE
    picture = Image.new("RGB", (PIXELS * _SMOOTH, PIXELS * _SMOOTH), _PAPER)
    draw = ImageDraw.Draw(picture)
    for colour, corners in _figures(course):
        draw.polygon([(x * scale, y * scale) for x, y in corners], colour)
    content = io.BytesIO()
    small = picture.resize((PIXELS, PIXELS), Image.Resampling.LANCZOS)
    small.quantize(64).save(content, "PNG", optimize=True)
    return content.getvalue()
