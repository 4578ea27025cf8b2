"""YAML of course packages: read strictly, with line numbers; written the same way every time.

What is read is a small, safe part of YAML 1.2: mappings, lists, text, numbers, true, false and
null. Tags, merge keys, duplicate keys, values that refer to themselves and bombs of aliases are
refused. `no`, `on` and dates stay text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml
from flask_babel import gettext as _
from yaml.events import AliasEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from lms.courses.errors import PackageError

MAX_BYTES = 2 * 1024 * 1024
MAX_ALIASES = 100
MAX_VALUES = 100_000  # after aliases are replaced by what they stand for
MAX_DEPTH = 40

Path = tuple[str | int, ...]

_OTHER_BREAKS = "\x85\u2028\u2029"  # YAML takes them for line ends unless they are escaped
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"(?:[-+]?[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]+)?\Z")
_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}


@dataclass
class Document:
    """What one YAML file says, and on which line it says it."""

    file: str
    data: Any
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """The line of a value, or of the nearest one around it; 0 when the file is empty."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 0)

    def where(self, path: Path = ()) -> str:
        """File, line and key of a value, for messages: "course.yaml, line 4, title.es"."""
        parts = [self.file]
        line = self.line(path)
        if line:
            parts.append(_("line %(number)d", number=line))
        if path:
            parts.append(".".join(str(part) for part in path))
        return ", ".join(parts)


class _Composer(yaml.SafeLoader):
    """Makes nodes and counts what bombs are made of."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.aliases = 0
        self.depth = 0
        self.open: list[str] = []

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        """Compose one node; refuses too many aliases, too much depth and circles."""
        if self.check_event(AliasEvent):
            self.aliases += 1
            anchor = self.peek_event().anchor  # type: ignore[no-untyped-call]
            if anchor in self.open:
                raise _Refused(self._line(), _("A value refers to itself. Write it out."))
            if self.aliases > MAX_ALIASES:
                raise _Refused(self._line(), _("Too many aliases (*name). Write the values out."))
            return super().compose_node(parent, index)
        anchor = self.peek_event().anchor  # type: ignore[no-untyped-call]
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _Refused(self._line(), _("The values are nested too deeply."))
        self.open.append(anchor or "")
        node = super().compose_node(parent, index)
        self.open.pop()
        self.depth -= 1
        return node

    def _line(self) -> int:
        return int(self.peek_event().start_mark.line) + 1  # type: ignore[no-untyped-call]


class _Refused(Exception):
    def __init__(self, line: int, message: str) -> None:
        self.line = line
        self.message = message
        super().__init__(message)


class _Builder:
    """Turns nodes into Python values and remembers their lines."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.values = 0

    def build(self, node: Node, path: Path) -> Any:
        self.values += 1
        if self.values > MAX_VALUES:
            raise _Refused(node.start_mark.line + 1, _("The file holds too many values."))
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, MappingNode):
            self._check_tag(node, "tag:yaml.org,2002:map")
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            self._check_tag(node, "tag:yaml.org,2002:seq")
            return [self.build(child, (*path, i)) for i, child in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode) or "\n" in key_node.value:
                raise _Refused(line, _("A key must be a plain word."))
            key = key_node.value
            if key in made:
                raise _Refused(line, _("The key “%(key)s” stands here twice. Remove one.", key=key))
            self.lines[(*path, key)] = line
            made[key] = self.build(value_node, (*path, key))
        return made

    def _check_tag(self, node: Node, expected: str) -> None:
        if node.tag not in (expected, "!"):
            raise _Refused(
                node.start_mark.line + 1,
                _("The tag %(tag)s is not allowed here. Remove it.", tag=node.tag),
            )

    def _scalar(self, node: Node) -> Any:
        text: str = node.value
        if not isinstance(node, ScalarNode) or node.style is not None:
            self._check_tag(node, "tag:yaml.org,2002:str")
            return text
        if node.tag.startswith("!") or node.tag.startswith("tag:yaml.org,2002:python"):
            self._check_tag(node, "")
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.match(text) and len(text) < 19:
            return int(text)
        if _FLOAT.match(text):
            return float(text)
        return text


def read_yaml(content: bytes, file: str) -> Document:
    """Read one YAML file. Raises PackageError that names file and line."""
    if len(content) > MAX_BYTES:
        raise PackageError(
            file, _("This file is too large: at most %(size)d MB.", size=MAX_BYTES // 1024**2)
        )
    text = decode(content, file)
    loader: _Composer | None = None
    try:
        loader = _Composer(text)
        node = loader.get_single_node()
        builder = _Builder()
        data = builder.build(node, ()) if node is not None else None
    except _Refused as refused:
        raise PackageError(
            f"{file}, {_('line %(number)d', number=refused.line)}", refused.message
        ) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", {_('line %(number)d', number=mark.line + 1)}" if mark else ""
        raise PackageError(
            f"{file}{line}",
            _(
                "This is not valid YAML (%(problem)s). Check colons, quotation marks and"
                " indentation.",
                problem=error.problem or "",
            ),
        ) from None
    except yaml.YAMLError as error:
        raise PackageError(file, _("This is not valid YAML.")) from error
    finally:
        if loader is not None:
            loader.dispose()
    return Document(file, data, builder.lines)


def decode(content: bytes, file: str) -> str:
    """UTF-8 text with plain line ends, without a byte order mark. Raises PackageError."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PackageError(
            file,
            _("This file is not UTF-8 text (byte %(number)d).", number=error.start + 1),
        ) from None
    if "\0" in text:
        raise PackageError(file, _("This file holds a NUL sign; it is not text."))
    return text.replace("\r\n", "\n").replace("\r", "\n")


class _Dumper(yaml.SafeDumper):
    """Block style, keys in the given order, no aliases, paragraphs as literal blocks."""

    def ignore_aliases(self, data: Any) -> bool:
        """Equal values are written out each time."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Lists are indented below their key."""
        super().increase_indent(flow, False)


def _represent_text(dumper: _Dumper, text: str) -> ScalarNode:
    style = "|" if "\n" in text else None
    if any(sign in text for sign in _OTHER_BREAKS):
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def write_yaml(data: Any) -> bytes:
    """The YAML of a value: the same bytes for the same value."""
    text: str = yaml.dump(
        data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100, indent=2
    )
    return text.encode()
