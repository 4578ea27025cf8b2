"""Passwords: argon2id hashes, and which ones are too easy to guess."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask_babel import gettext as _

from lms.accounts.errors import WeakPassword
from lms.core.settings import settings
from lms.core.text import fold

SHORTEST = 10
LONGEST = 200  # argon2 takes more; nobody types more


@lru_cache(maxsize=4)
def _hasher(time_cost: int, memory_kib: int) -> PasswordHasher:
    return PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)


def _present_hasher() -> PasswordHasher:
    config = settings()
    return _hasher(config.password_time_cost, config.password_memory_kib)


@lru_cache(maxsize=4)
def _hash_of_nobody(hasher: PasswordHasher) -> str:
    return hasher.hash("nobody has this password")


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    text = files("lms.accounts").joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(text.split())


def hash_password(password: str) -> str:
    """The argon2id hash to keep, with the cost that the settings ask for."""
    return _present_hasher().hash(password)


def is_password(password_hash: str | None, password: str) -> bool:
    """Whether the password belongs to the hash. Takes as long when there is no hash at all."""
    hasher = _present_hasher()
    try:
        hasher.verify(password_hash or _hash_of_nobody(hasher), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with another cost than the settings ask for now."""
    return _present_hasher().check_needs_rehash(password_hash)


def check_strength(password: str, email: str = "", name: str = "") -> None:
    """Raises WeakPassword with the reason when others would guess the password."""
    folded = fold(password)
    plain = "".join(folded.split())
    if len(password) < SHORTEST:
        raise WeakPassword(
            _("Use at least %(count)d characters. Three or four words do well.", count=SHORTEST)
        )
    if len(password) > LONGEST:
        raise WeakPassword(_("Use at most %(count)d characters.", count=LONGEST))
    if plain in _common() or plain.rstrip("0123456789!.?*") in _common() or len(set(plain)) < 4:
        raise WeakPassword(_("Many people use this password, so it is quickly guessed."))
    own = {fold(email), fold(email.partition("@")[0]), "".join(fold(name).split())}
    if plain in own or plain.rstrip("0123456789!.?*") in own - {""}:
        raise WeakPassword(_("Your name or address is the first thing others would try."))
