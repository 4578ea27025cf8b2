"""Tagged PDF for the archive (PDF/A-3a), and the mark that it is accessible to all (PDF/UA-1).

WeasyPrint writes one standard at a time, and does not say in which language a part of the page is.
Both are added here, before the seal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from weasyprint import Attachment, Document

# PDF/A wants each schema of metadata that it does not know itself described (ISO 19005-3, 6.6.2.3)
_MARK = b"""<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">
<pdfuaid:part>1</pdfuaid:part></rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"
 xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#"><pdfaExtension:schemas><rdf:Bag>
<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>PDF/UA identification</pdfaSchema:schema>
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq>
<rdf:li rdf:parseType="Resource"><pdfaProperty:name>part</pdfaProperty:name>
<pdfaProperty:valueType>Integer</pdfaProperty:valueType>
<pdfaProperty:category>internal</pdfaProperty:category>
<pdfaProperty:description>Part of ISO 14289</pdfaProperty:description></rdf:li>
</rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>
</rdf:RDF>"""


def write_paper(
    document: Document,
    identifier: bytes,
    attachments: Sequence[Attachment],
) -> bytes:
    """The drawn page as PDF/A-3a, marked as PDF/UA-1.

    What is in another language than the page stands in `<span lang="…">`, and in nothing else: the
    structure says so then (ISO 14289-1, 7.2).
    """
    content: bytes = document.write_pdf(
        pdf_variant="pdf/a-3a",
        pdf_identifier=identifier,
        attachments=list(attachments),
        finisher=_mark,
    )
    return content


def _mark(document: Document, pdf: Any) -> None:
    """Add the mark to the metadata, and what the structure that it stands for lacks: the languages
    of parts, and the heads of tables."""
    import pydyf

    root = pdf.objects[int(pdf.catalog["StructTreeRoot"].split()[0])]
    boxes = [one for page in document.pages for one in _spans_drawn(page._page_box)]
    elements = list(_spans_tagged(pdf, root["K"]))
    for box, element in zip(boxes, elements, strict=True):
        language = box.element.get("lang")
        if language:
            element["Lang"] = pydyf.String(language)

    metadata = pdf.objects[int(pdf.catalog["Metadata"].split()[0])]
    metadata.stream = [part.replace(b"</rdf:RDF>", _MARK) for part in metadata.stream]
    heads: list[Any] = [
        one for one in pdf.objects if isinstance(one, dict) and one.get("S") == "/TH"
    ]
    for head in heads:
        head["A"]["Scope"] = "/Column"
    if heads:
        tree = pydyf.Array()
        for head in sorted(heads, key=lambda one: one["ID"].data):
            tree.extend((head["ID"], head.reference))
        root["IDTree"] = pydyf.Dictionary({"Names": tree})


def _spans_drawn(box: Any) -> Iterator[Any]:
    """The boxes of spans in the order of the page; a span over two lines has two."""
    from weasyprint.formatting_structure import boxes
    from weasyprint.layout.absolute import AbsolutePlaceholder

    if isinstance(box, AbsolutePlaceholder):
        box = box._box
    if isinstance(box, (boxes.MarginBox, boxes.TextBox)):
        return
    if box.element_tag == "span" and not isinstance(box, boxes.LineBox):
        yield box
    for child in getattr(box, "children", ()):
        yield from _spans_drawn(child)


def _spans_tagged(pdf: Any, kids: Any) -> Iterator[Any]:
    """The elements of the structure that stand for these boxes, in the same order.

    A text has an element of the same kind, which holds the number of its content and no elements.
    """
    for kid in kids:
        if isinstance(kid, int):
            continue
        element = pdf.objects[int(kid.split()[0])]
        if not isinstance(element, dict) or "K" not in element:
            continue
        if element["S"] == "/Span" and not any(isinstance(one, int) for one in element["K"]):
            yield element
        yield from _spans_tagged(pdf, element["K"])
