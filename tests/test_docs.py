"""The documents say what the code does."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from lms import hookspecs
from lms.config import Settings
from lms.plugins import _KINDS, ROOMS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
HOOKS = [
    name
    for name, thing in vars(hookspecs).items()
    if inspect.isfunction(thing) and hasattr(thing, "puente_spec")
]


def test_every_setting_is_documented():
    rows = re.findall(r"^\| `(LMS_[A-Z_]+)`", (DOCS / "settings.md").read_text(), re.MULTILINE)

    assert rows == [f"LMS_{name.upper()}" for name in Settings.model_fields]


def test_every_setting_says_what_it_means():
    text = (DOCS / "settings.md").read_text()

    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description in text, name


def test_every_hook_is_loaded_with_its_class():
    assert set(HOOKS) == set(_KINDS)


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented_with_an_example(hook):
    text = (DOCS / "hooks.md").read_text()
    section = re.search(rf"^## `{hook}`\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)

    assert section, f"docs/hooks.md says nothing about {hook}"
    assert f"def {hook}(" in section.group(1), f"no example of {hook}"


@pytest.mark.needs("payments", "certificates", "recognition")
@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_a_user(hook, app):
    """A room, or for what only others need, the example package."""
    example = (ROOT / "examples").rglob("*.py")
    used_by_example = any(f"def {hook}(" in path.read_text() for path in example)

    assert app.extensions["puente"].declared[hook] or used_by_example


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_tested(hook):
    """`tests/test_hooks.py` answers each with an object of a package of its own."""
    assert f'"{hook}": [' in (ROOT / "tests" / "test_hooks.py").read_text()


def test_every_room_says_what_it_is_for():
    for room in ROOMS:
        text = (ROOT / "lms" / room / "__init__.py").read_text()
        assert text.startswith('"""'), room
        assert "import" not in text, f"{room}/__init__.py holds only a docstring"


def test_every_place_of_panels_is_documented():
    """A place is where a template or view asks for fragments."""
    sources = [*(ROOT / "lms").rglob("*.html"), *(ROOT / "lms").rglob("*.py")]
    asked = {
        place
        for path in sources
        for place in re.findall(r"panels\(\s*\"([a-z_.]+)\"", path.read_text())
    }
    documented = set(re.findall(r"^\| `([a-z_.]+)` \|", (DOCS / "hooks.md").read_text(), re.M))

    assert asked == documented
