"""The texts that a certificate prints, and whether every letter of them can be printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lms.certificates.errors import TextCannotBeSet
from lms.certificates.lettering import missing_letters
from lms.config import LANGUAGES
from lms.core.text import in_language

MOST_TOLD = 5  # texts in one message
LONGEST_TOLD = 60  # signs of a text that are quoted


def require_printable(facts: Mapping[str, Any], more: Iterable[str] = ()) -> None:
    """Refuse facts that would be printed with gaps, in any language of the certificate.

    more: what a layout adds. Raises TextCannotBeSet with each text and the letters in question.
    """
    texts = dict.fromkeys([*printed_texts(facts), *more])
    problem = describe_gaps(texts)
    if problem:
        raise TextCannotBeSet(problem)


def describe_gaps(texts: Iterable[str]) -> str:
    """Which texts have which letters that no font has; empty when there are none."""
    texts = list(texts)
    if not missing_letters("".join(set().union(*texts)) if texts else ""):
        return ""
    found = []
    for text in texts:
        letters = missing_letters(text)
        if letters:
            named = " ".join(f"{sign} (U+{ord(sign):04X})" for sign in letters)
            short = text if len(text) <= LONGEST_TOLD else text[:LONGEST_TOLD] + "…"
            found.append(f"“{short}”: {named}")
    return "; ".join(found[:MOST_TOLD])


def printed_texts(facts: Mapping[str, Any]) -> Iterator[str]:
    """What the page takes from the register's entry, in each language; not the holder's name."""
    course = facts["course"]
    by_language = [course["title"], *course["outcomes"]]
    by_language += [organisation["name"] for organisation in facts["organisations"]]
    yield facts["issuer"]["name"]
    for credit in facts["credits"]:
        by_language.append(credit["name"])
        yield credit["reference"] or ""
    for accreditation in facts.get("accreditations", []):
        by_language.append(accreditation["association"]["name"])
        yield accreditation["number"]
        yield accreditation["scope"]
    for person in facts["signatories"]:
        by_language += [person["role"], person["organisation"]]
        yield person["name"]
    for texts in by_language:
        for language in LANGUAGES:
            yield in_language(texts, language)
