"""Tagged PDF for the archive (PDF/A-3a), and the mark that it is accessible to all (PDF/UA-1).

WeasyPrint writes one standard at a time; the second one's mark is added here, before the seal.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    *,
    is_universal: bool,
) -> bytes:
    """The drawn page as PDF/A-3a.

    is_universal: also marked as PDF/UA-1. Only for a text in one language: WeasyPrint does not say
    in which language a part is (ISO 14289-1, 7.2).
    """
    content: bytes = document.write_pdf(
        pdf_variant="pdf/a-3a",
        pdf_identifier=identifier,
        attachments=list(attachments),
        finisher=_mark if is_universal else None,
    )
    return content


def _mark(document: Document, pdf: Any) -> None:
    """Add the mark to the metadata, and what tables lack of the structure that it stands for."""
    import pydyf

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
        root = pdf.objects[int(pdf.catalog["StructTreeRoot"].split()[0])]
        root["IDTree"] = pydyf.Dictionary({"Names": tree})
