"""What a camera reads: the QR code of a drawn PDF page, and the one that wallets scan.

The page is rendered to pixels (PDFium) and read by a library for bar codes (ZXing), also as a phone
sees it: small, turned, aslant, blurred, in poor light.
"""

from __future__ import annotations

import html
import io
import re

import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageEnhance, ImageFilter
from weasyprint import HTML

from lms.certificates.credential_formats.pdf import Pdf
from lms.certificates.open_badge import page_address
from tests.factories.certificates import make_credential

SITE = "http://puente.test"


def rendered(content: bytes, dots_per_inch: int) -> Image.Image:
    with pypdfium2.PdfDocument(io.BytesIO(content)) as document:
        return document[0].render(scale=dots_per_inch / 72).to_pil().convert("RGB")


def scanned(picture: Image.Image) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(picture) if found.text]


def as_a_phone_sees_it(page: Image.Image) -> Image.Image:
    """The sheet on a table: turned, seen from one side, in the evening, a little out of focus."""
    turned = page.rotate(11, expand=True, fillcolor="#8a7f70", resample=Image.Resampling.BICUBIC)
    wide, high = turned.size
    edge = wide // 12
    aslant = turned.transform(
        (wide, high),
        Image.Transform.QUAD,
        (-edge, -edge // 2, -edge // 3, high + edge, wide + edge // 2, high, wide, -edge),
        resample=Image.Resampling.BICUBIC,
        fillcolor="#8a7f70",
    )
    dim = ImageEnhance.Contrast(ImageEnhance.Brightness(aslant).enhance(0.6)).enhance(0.7)
    return dim.filter(ImageFilter.GaussianBlur(1.1))


@pytest.mark.slow
@pytest.mark.sqlite
def test_a_camera_reads_the_page_and_is_led_to_the_verdict(client):
    credential = make_credential()
    content = Pdf().make(credential)
    address = page_address(credential.code)

    assert scanned(rendered(content, 96)) == [address]  # on a screen
    assert scanned(as_a_phone_sees_it(rendered(content, 150))) == [address]
    page = client.get(address.removeprefix(SITE))

    assert page.status_code == 200
    assert "This certificate is valid" in page.text


@pytest.mark.sqlite
def test_a_wallet_reads_the_picture_of_an_offer(client, signed_in):
    credential = make_credential()
    page = signed_in(credential.user).post(f"/my/certificates/{credential.code}/wallet").text
    [drawing] = re.findall(r'<div class="qr-box".*?>(<svg.*?</svg>)</div>', page, re.DOTALL)
    [link] = set(re.findall(r'href="(openid-credential-offer:[^"]+)"', page))
    sheet = f"<style>svg {{ width: 6cm }} @page {{ size: 8cm; margin: 1cm }}</style>{drawing}"
    content = HTML(string=sheet).write_pdf()

    assert scanned(rendered(content, 120)) == [html.unescape(link)]
