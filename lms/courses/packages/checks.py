"""Checks of a package's YAML files against the JSON Schema, in sentences for authors."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from flask_babel import gettext as _
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from lms.courses.errors import PackageError
from lms.courses.packages.yaml_text import Document

MAX_SHOWN = 20


class PackageErrors(PackageError):
    """Several things are wrong in a package; `problems` are (where, sentence) pairs."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        where, message = problems[0]
        super().__init__(where, message)
        self.problems = problems
        shown = [f"{where}: {message}" for where, message in problems[:MAX_SHOWN]]
        if len(problems) > MAX_SHOWN:
            shown.append(_("And %(count)d more.", count=len(problems) - MAX_SHOWN))
        self.text = "\n".join(shown)
        self.args = (self.text,)


def problems_of(error: PackageError) -> list[tuple[str, str]]:
    """All (where, sentence) pairs of an error."""
    if isinstance(error, PackageErrors):
        return error.problems
    return [(error.where, str(error.text).removeprefix(f"{error.where}: "))]


@cache
def _validator(kind: str) -> Draft202012Validator:
    text = resources.files("lms.courses.packages").joinpath("schema.json").read_text("utf-8")
    schema = json.loads(text)
    return Draft202012Validator({"$defs": schema["$defs"], "$ref": f"#/$defs/{kind}"})


def check_document(document: Document, kind: str) -> list[tuple[str, str]]:
    """What is wrong with a file of this kind ("course", "module", "activity")."""
    if not isinstance(document.data, dict):
        return [(document.where(), _("This file must hold keys and values, such as “title: ...”."))]
    found = [(_place(error), error) for error in _validator(kind).iter_errors(document.data)]
    found.sort(key=lambda pair: (document.line(pair[0]), [str(part) for part in pair[0]]))
    return [(document.where(place), str(_sentence(error))) for place, error in found]


def _place(error: ValidationError) -> tuple[str | int, ...]:
    path = tuple(error.absolute_path)
    if error.validator == "additionalProperties":
        return (*path, _unknown_keys(error)[0])
    if "propertyNames" in error.absolute_schema_path and isinstance(error.instance, str):
        return (*path, error.instance)
    return path


def _known_keys(error: ValidationError) -> list[str]:
    schema: Any = error.schema
    return list(schema.get("properties", {}))


def _unknown_keys(error: ValidationError) -> list[str]:
    keys: Any = error.instance
    known = _known_keys(error)
    return [key for key in keys if key not in known]


_TYPES = {
    "object": lambda: _("Expected keys and values here, such as “en: text”."),
    "array": lambda: _("Expected a list here: lines that begin with “- ”."),
    "string": lambda: _("Expected text here. Put it between quotation marks."),
    "integer": lambda: _("Expected a whole number here."),
    "number": lambda: _("Expected a number here."),
    "boolean": lambda: _("Expected true or false here."),
}


def _sentence(error: ValidationError) -> object:
    """What to do about it."""
    wanted: Any = error.validator_value
    value: Any = error.instance
    if "propertyNames" in error.absolute_schema_path:
        return _(
            "“%(key)s” is not a language code. Use codes such as en, es, fr or pt.",
            key=str(value)[:40],
        )
    match error.validator:
        case "required":
            missing = next(key for key in wanted if key not in value)
            return _("The key “%(key)s” is missing. Add it.", key=missing)
        case "additionalProperties":
            known = ", ".join(_known_keys(error))
            return _(
                "The key “%(key)s” is not known here. Known are: %(known)s.",
                key=str(_unknown_keys(error)[0])[:60],
                known=known,
            )
        case "type":
            return _TYPES[wanted]()
        case "enum":
            return _("Must be one of: %(choices)s.", choices=", ".join(map(str, wanted)))
        case "const":
            return _("Must be: %(value)s.", value=wanted)
        case "minLength" | "minProperties" | "minItems":
            return _("Must not be empty. Fill it in or remove the key.")
        case "maxLength" | "maxItems":
            return _("Too long: at most %(limit)s.", limit=wanted)
        case "minimum" | "exclusiveMinimum":
            return (
                _("Too small: it must be more.")
                if wanted == 0
                else _("Too small: at least %(limit)s.", limit=wanted)
            )
        case "maximum":
            return _("Too large: at most %(limit)s.", limit=wanted)
        case "uniqueItems":
            return _("The list holds the same value twice. Remove one.")
        case "pattern" if wanted == "\\S":
            return _("Must not be empty. Fill it in or remove the key.")
        case "pattern":
            return _(
                "“%(value)s” has the wrong form: use lower case letters without accents, digits"
                " and hyphens.",
                value=str(value)[:60],
            )
    return error.message
