"""The form of a Profile as programs send it (Open Badges 3.0, appendix B).

Every member that the standard names has its form, a single value may stand for a list of one, and
further members are allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft201909Validator

LARGEST_NAME_OF_PLACE = 80  # signs

_TEXT = {"type": "string"}
_TOKENS = {"type": "string", "pattern": r"^[\w-]+\.[\w-]*\.[\w-]+$"}
_IDENTIFIERS = [
    "name", "sourcedId", "systemId", "productId", "userName", "accountId", "emailAddress",
    "nationalIdentityNumber", "isbn", "issn", "lisSourcedId", "oneRosterSourcedId", "sisSourcedId",
    "ltiContextId", "ltiDeploymentId", "ltiToolId", "ltiPlatformId", "ltiUserId", "identifier",
]  # fmt: skip


def _type(name: str) -> dict[str, Any]:
    return {
        "oneOf": [{"const": name}, {"type": "array", "items": _TEXT, "contains": {"const": name}}]
    }


def _many(one: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [{"type": "array", "items": one}, {**one, "not": {"type": "array"}}]}


def _object(kind: str, required: list[str], /, **members: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["type", *required],
        "properties": {"type": _type(kind), **members},
    }


_PERSON: dict[str, Any] = dict.fromkeys(
    ("id", "name", "url", "phone", "description", "email", "official", "familyName", "givenName",
     "additionalName", "patronymicName", "honorificPrefix", "honorificSuffix", "familyNamePrefix"),
    _TEXT,
)  # fmt: skip
_PLACE: dict[str, Any] = dict.fromkeys(
    ("addressCountry", "addressCountryCode", "addressRegion", "addressLocality", "streetAddress",
     "postOfficeBoxNumber", "postalCode"),
    _TEXT,
)  # fmt: skip

PROFILE = {
    "$defs": {
        "Profile": _object(
            "Profile",
            ["id"],
            **_PERSON,
            dateOfBirth={"type": "string", "format": "date"},
            image={"oneOf": [_TEXT, {"$ref": "#/$defs/Image"}]},
            address={"$ref": "#/$defs/Address"},
            otherIdentifier=_many({"$ref": "#/$defs/IdentifierEntry"}),
            parentOrg={"$ref": "#/$defs/Profile"},
            endorsement=_many({"$ref": "#/$defs/EndorsementCredential"}),
            endorsementJwt=_many(_TOKENS),
        ),
        "Image": _object("Image", ["id"], id=_TEXT, caption=_TEXT)
        | {"propertyNames": {"enum": ["id", "type", "caption"]}},
        "Address": _object("Address", [], **_PLACE, geo={"$ref": "#/$defs/GeoCoordinates"}),
        "GeoCoordinates": _object(
            "GeoCoordinates",
            ["latitude", "longitude"],
            latitude={"type": "number"},
            longitude={"type": "number"},
        ),
        "IdentifierEntry": _object(
            "IdentifierEntry",
            ["identifier", "identifierType"],
            identifier=_TEXT,
            identifierType={
                "anyOf": [{"enum": _IDENTIFIERS}, {"type": "string", "pattern": r"^ext:[\w.-]+$"}]
            },
        )
        | {"propertyNames": {"enum": ["type", "identifier", "identifierType"]}},
        "EndorsementCredential": _object(
            "EndorsementCredential",
            ["@context", "id", "name", "credentialSubject", "issuer", "validFrom"],
            id=_TEXT,
            name=_TEXT,
            credentialSubject=_object("EndorsementSubject", ["id"], id=_TEXT),
            issuer={"oneOf": [_TEXT, {"$ref": "#/$defs/Profile"}]},
            validFrom={"type": "string", "format": "date-time"},
        ),
    },
    "$ref": "#/$defs/Profile",
}
_VALIDATOR = Draft201909Validator(PROFILE, format_checker=Draft201909Validator.FORMAT_CHECKER)


def wrong_place(profile: Mapping[str, Any]) -> str | None:
    """Where a profile is not as the standard has it, as `address/geo/latitude`; None when it is
    right. The shortest place, as one mistake can be reported several times."""
    found = sorted(_VALIDATOR.iter_errors(profile), key=lambda error: len(error.absolute_path))
    if not found:
        return None
    first = found[0]
    missing = (
        [name for name in first.validator_value if name not in first.instance]
        if (first.validator == "required")
        else []
    )
    place = "/".join(map(str, [*first.absolute_path, *missing[:1]])) or "type"
    return place[:LARGEST_NAME_OF_PLACE]
