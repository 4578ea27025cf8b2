"""The message catalogues: extract, update, check. Runs in Puente's environment, for Babel.

python tools/translations.py extract|update|check
"""

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
KEYWORDS = ("lazy_gettext", "_l", "lazy_ngettext:1,2", "lazy_pgettext:1c,2", "pgettext:1c,2")
SHOWN = 15


def pybabel(*arguments: str | Path) -> None:
    """Run one of Babel's commands."""
    CommandLineInterface().run(["pybabel", "-q", *(str(argument) for argument in arguments)])


def extract(target: Path) -> None:
    """Write every message of the source into a template catalogue."""
    mapping = ROOT / "babel.cfg"
    keywords = [part for keyword in KEYWORDS for part in ("-k", keyword)]
    pybabel(
        "extract",
        *("-F", mapping if mapping.exists() else ROOT / "pyproject.toml"),
        *keywords,
        *("--project", "Puente", "--copyright-holder", "The Puente contributors"),
        *("--add-comments", "Translators:", "--sort-by-file", "--no-wrap"),
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
            *("-i", TEMPLATE, "-d", FOLDER, "-l", language, "--no-wrap"),
            *(("--no-fuzzy-matching", "--ignore-obsolete") if known else ()),
        )


def findings(language: str, source: Catalog) -> Iterator[str]:
    """What keeps one language from being complete."""
    path = catalogue(language)
    if not path.exists():
        yield f"there is no catalogue {path.relative_to(ROOT)}"
        return
    with path.open("rb") as file:
        translated = read_po(file, locale=language)
    for message in source:
        if not message.id:
            continue
        own = translated.get(message.id, message.context)
        text = message.id if isinstance(message.id, str) else message.id[0]
        where = f"{message.locations[0][0]}: {text!r}" if message.locations else repr(text)
        if own is None:
            yield f"missing: {where}"
        elif own.fuzzy:
            yield f"fuzzy: {where}"
        elif not all([own.string] if isinstance(own.string, str) else own.string or [""]):
            yield f"not translated: {where}"
        else:
            for error in own.check(translated):
                yield f"{error}: {where}"


def check() -> int:
    """Report what is missing, fuzzy or wrong in any language; 0 if nothing is."""
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder, "messages.pot")
        extract(template)
        with template.open("rb") as file:
            source = read_po(file)
    found = {language: list(findings(language, source)) for language in LANGUAGES}
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
    match sys.argv[1:]:
        case ["extract"]:
            extract(TEMPLATE)
        case ["update"]:
            update()
        case ["check"]:
            sys.exit(check())
        case _:
            sys.exit(__doc__)
