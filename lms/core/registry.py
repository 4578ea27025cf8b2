"""What the plugins gave, kept by name.

Each hook is asked once at start-up. A wrong class, a second owner of a name or a misspelt hook
stops the start with a clear message. Rooms read their registry through a `Registered` object.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, ValuesView
from typing import Any, Generic, Protocol, TypeVar

from flask import current_app

EXTENSION = "puente"


class Named(Protocol):
    """Anything that a plugin declares under a name."""

    @property
    def name(self) -> str:
        """Unique among all plugins for its hook."""
        ...


class PluginError(Exception):
    """A plugin declared something that cannot be used."""


T = TypeVar("T")


class Registered(Mapping[str, T], Generic[T]):
    """The objects that all plugins gave for one hook, by name, in order of declaration."""

    def __init__(self, hook: str, kind: type[T]) -> None:
        self.hook = hook
        self.kind = kind

    def _store(self) -> dict[str, T]:
        store: dict[str, T] = current_app.extensions[EXTENSION].declared.get(self.hook, {})
        return store

    def __getitem__(self, name: str) -> T:
        return self._store()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._store())

    def __len__(self) -> int:
        return len(self._store())

    def values(self) -> ValuesView[T]:
        """The objects in order of declaration."""
        return self._store().values()


def keep(hook: str, kind: type[Any], owner: str, found: object, store: dict[str, Any]) -> None:
    """Check one declared object and keep it.

    Raises PluginError when its class is wrong or its name is taken.
    """
    if not isinstance(found, kind):
        raise PluginError(
            f"{owner}: the hook {hook} returns {type(found).__name__}, expected {kind.__name__}"
        )
    name = str(getattr(found, "name"))  # noqa: B009
    if name in store:
        raise PluginError(f"{owner}: the name {name!r} is taken twice in the hook {hook}")
    store[name] = found
