"""The alternate request syntax of xAPI 1.0.x (1.0.3, part three, 1.3), for old browsers.

Everything is in the form of one POST: the method in the address, parameters and headers as fields,
the body as `content`. It is undone before the request reaches Flask, so that routing, transaction,
key and views see the request that is meant. Version 2.0 has no such thing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlencode

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

REFUSED = "puente.xapi.refused"  # key of the environment: status and text of a refusal
MOST_BYTES = 10 * 1024 * 1024
_FORM = "application/x-www-form-urlencoded"
_METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE")
_HEADERS = {
    "authorization": "HTTP_AUTHORIZATION",
    "x-experience-api-version": "HTTP_X_EXPERIENCE_API_VERSION",
    "content-type": "CONTENT_TYPE",
    "content-length": None,  # that of the content is counted
    "if-match": "HTTP_IF_MATCH",
    "if-none-match": "HTTP_IF_NONE_MATCH",
    "accept": "HTTP_ACCEPT",
    "accept-language": "HTTP_ACCEPT_LANGUAGE",
}


class _Refused(Exception):
    def __init__(self, rule: str, status: int = 400) -> None:
        self.rule, self.status = rule, status


class AlternateSyntax:
    """WSGI middleware that undoes the alternate syntax below one path."""

    def __init__(self, application: Application, path: str) -> None:
        self._application, self._path = application, f"{path}/"

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer the request that is meant; a malformed one carries its refusal along."""
        is_ours = environ.get("PATH_INFO", "").startswith(self._path)
        if is_ours and environ["REQUEST_METHOD"] == "POST":
            query = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
            if any(name == "method" for name, _ in query):
                try:
                    environ = {**environ, **_undone(environ, query)}
                except _Refused as refusal:
                    environ[REFUSED] = (refusal.status, f"alternate request syntax: {refusal.rule}")
        return self._application(environ, start_response)


def _undone(environ: Environ, query: list[tuple[str, str]]) -> Environ:
    """What changes in the environment. Raises _Refused."""
    method = query[0][1]
    if len(query) != 1 or method not in _METHODS:
        raise _Refused(
            f"the address takes method ({', '.join(_METHODS)}) and nothing else;"
            " send parameters as fields of the form"
        )
    changed: Environ = {"REQUEST_METHOD": method, "CONTENT_TYPE": "", "CONTENT_LENGTH": "0"}
    parameters: list[tuple[str, str]] = []
    content = None
    for name, value in _fields(environ):
        if name == "content":
            content = value.encode()
        elif name.lower() not in _HEADERS:
            parameters.append((name, value))
        elif (variable := _HEADERS[name.lower()]) is not None:
            if not value.isprintable() or not value.isascii():
                raise _Refused(f"the field {name} is not a value that a header can have")
            changed[variable] = value
    version = {**environ, **changed}.get("HTTP_X_EXPERIENCE_API_VERSION", "")
    if version.startswith("2"):
        raise _Refused("version 2.0 has none; send the request itself")
    if content is None and method in ("PUT", "POST"):
        raise _Refused("the form needs the body of the request in a field named content")
    if content is not None:
        changed["CONTENT_TYPE"] = changed["CONTENT_TYPE"] or "application/json"
        changed["CONTENT_LENGTH"] = str(len(content))
    changed["QUERY_STRING"] = urlencode(parameters)
    changed["wsgi.input"] = BytesIO(content or b"")
    return changed


def _fields(environ: Environ) -> list[tuple[str, str]]:
    """The fields of the form. Raises _Refused."""
    media_type = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if media_type != _FORM:
        raise _Refused(f"the form must have the content type {_FORM}")
    length = environ.get("CONTENT_LENGTH", "")
    if not length.isdecimal():
        raise _Refused("the request must say its Content-Length", 411)
    if int(length) > MOST_BYTES:
        raise _Refused(f"the form has more than {MOST_BYTES} bytes", 413)
    try:
        text = environ["wsgi.input"].read(int(length)).decode()
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError:
        raise _Refused("the form is not valid UTF-8 with at most 50 fields") from None
