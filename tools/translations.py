"""The message catalogues: extract, update, check. Runs in Puente's environment, for Babel.

python tools/translations.py extract|update|check
"""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "lms" / "translations"
TEMPLATE = FOLDER / "messages.pot"
LANGUAGES = ("es", "fr", "pt")
KEYWORDS = ("lazy_gettext", "_l", "lazy_ngettext:1,2", "lazy_pgettext:1c,2")
UPDATE_OPTIONS = ("--no-fuzzy-matching", "--ignore-obsolete", "--ignore-pot-creation-date")
SHOWN = 15


def pybabel(*arguments: str | Path) -> None:
    """Run one of Babel's commands."""
    CommandLineInterface().run(["pybabel", "-q", *(str(argument) for argument in arguments)])


def extract(target: Path) -> None:
    """Write every message of the source into a template catalogue."""
    keywords = [part for keyword in KEYWORDS for part in ("-k", keyword)]
    target.parent.mkdir(parents=True, exist_ok=True)
    pybabel(
        "extract",
        *("-F", ROOT / "babel.cfg"),
        *keywords,
        *("--project", "Puente", "--copyright-holder", "The Puente contributors"),
        *("--add-comments", "Translators:", "--add-location", "file", "--sort-by-file"),
        *("-o", target, "lms"),
    )


def catalogue(language: str) -> Path:
    """The message catalogue of one language."""
    return FOLDER / language / "LC_MESSAGES" / "messages.po"


def update() -> None:
    """Bring the catalogues up to date with the source; new messages are left empty."""
    extract(TEMPLATE)
    for language in LANGUAGES:
        known = catalogue(language).exists()
        pybabel(
            "update" if known else "init",
            *("-i", TEMPLATE, "-d", FOLDER, "-l", language),
            *(UPDATE_OPTIONS if known else ()),
        )


def placeholders(text: str) -> set[str]:
    """The names of the values that are put into a text."""
    return set(re.findall(r"%\((\w+)\)", text))


def as_tuple(text: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    """The forms of a message: one, or one for each plural."""
    return (text,) if isinstance(text, str) else tuple(text or ("",))


def read_findings(language: str, source: Catalog) -> list[str]:
    """What keeps the catalogue of one language from being complete."""
    path = catalogue(language)
    if not path.exists():
        return [f"there is no catalogue {path.relative_to(ROOT)}"]
    with path.open("rb") as file:
        return list(findings(source, read_po(file, locale=language)))


def findings(source: Catalog, translated: Catalog) -> Iterator[str]:
    """What is missing, fuzzy or wrong in a catalogue, message by message."""
    for message in source:
        if not message.id:
            continue
        own = translated.get(message.id, message.context)
        text = as_tuple(message.id)[0]
        where = f"{message.locations[0][0]}: {text!r}" if message.locations else repr(text)
        if own is None:
            yield f"missing: {where}"
        elif own.fuzzy:
            yield f"fuzzy: {where}"
        elif not all(as_tuple(own.string)):
            yield f"not translated: {where}"
        else:
            # the last form is the general one; the others may say "one" in words
            wanted = placeholders(as_tuple(message.id)[-1])
            if lost := wanted - placeholders(as_tuple(own.string)[-1]):
                yield f"without {', '.join(sorted(lost))}: {where}"
            for error in own.check(translated):
                yield f"{error}: {where}"


def check() -> int:
    """Report what is missing, fuzzy or wrong in any language; 0 if nothing is."""
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder, "messages.pot")
        extract(template)
        with template.open("rb") as file:
            source = read_po(file)
    found = {language: read_findings(language, source) for language in LANGUAGES}
    for language, lines in found.items():
        print(f"{language}: {len(lines) or 'no'} problems in {len(source)} messages")
        for line in lines[:SHOWN]:
            print(f"  {line}")
        if len(lines) > SHOWN:
            print(f"  and {len(lines) - SHOWN} more")
    if any(found.values()):
        print("`python3 dev.py translations update` adds missing messages, to be translated then.")
        return 1
    return 0


if __name__ == "__main__":
    os.chdir(ROOT)  # the catalogues name their sources from here
    match sys.argv[1:]:
        case ["extract"]:
            extract(TEMPLATE)
        case ["update"]:
            update()
        case ["check"]:
            sys.exit(check())
        case _:
            sys.exit(__doc__)
