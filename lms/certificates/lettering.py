"""Whether a name can be set on a certificate: length, and letters that some font has.

Asked before a certificate is issued, so that none is issued whose PDF would have gaps.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

LONGEST_NAME = 120  # signs, as accounts take them
# scripts that the fonts, which every installation has, hold whole
_CERTAIN = (
    range(0x20, 0x7F), range(0xA0, 0x250), range(0x2B0, 0x2C0), range(0x300, 0x310),
    range(0x391, 0x3CA), range(0x410, 0x450), range(0x1E00, 0x1F00), range(0x2010, 0x2020),
)  # fmt: skip
_FONTS = 'font-family: "P052", "Noto Serif", "DejaVu Serif", "Noto Sans", "DejaVu Sans", serif'


def missing_letters(text: str) -> str:
    """The letters of a text that no font of this machine has, each once."""
    doubtful = {sign for sign in text if not any(ord(sign) in known for known in _CERTAIN)}
    controls = {sign for sign in doubtful if unicodedata.category(sign) in ("Cc", "Cn", "Co", "Cs")}
    letters = "".join(sorted(doubtful - controls))
    return "".join(sorted(controls)) + (_not_drawn(letters) if letters else "")


@lru_cache(maxsize=256)
def _not_drawn(letters: str) -> str:
    from weasyprint import CSS, HTML  # slow to load, and few names need it
    from weasyprint.text.fonts import FontConfiguration

    fonts = FontConfiguration()
    page = HTML(string="<p></p>")
    page.etree_element.find(".//p").text = letters
    style = CSS(string=f"p {{ {_FONTS} }}", font_config=fonts)
    document = page.render(stylesheets=[style], font_config=fonts)
    document.write_pdf()  # the letters are looked up when fonts are embedded
    missing = {point for font in document.fonts.values() for point in font.missing}
    return "".join(sign for sign in letters if ord(sign) in missing)
