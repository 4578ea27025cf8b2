"""Every setting of Puente, typed, read from `LMS_*` environment variables.

`docs/settings.md` holds the same list as a table; a test keeps the two equal.
"""

from __future__ import annotations

import os
import re
import secrets
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d{1,5})?")

LANGUAGES: dict[str, str] = {
    "en": "English",
    "es": "Español",
    "fr": "Français",
    "pt": "Português",
}


class ConfigurationError(Exception):
    """A setting is missing or wrong; the message says which one and what to do."""


class Settings(BaseSettings):
    """All settings. Each field is read from the variable `LMS_<FIELD NAME>`."""

    model_config = SettingsConfigDict(env_prefix="LMS_", extra="ignore", frozen=True)

    data_dir: Path = Field(
        default=Path("data"),
        description="Folder of the embedded database, files, queue and keys.",
    )
    base_url: str = Field(
        default="http://127.0.0.1:8000",
        description="Public address, used in mails, certificates and statements.",
    )
    site_name: str = Field(default="Puente", description="Name shown on pages and in mails.")
    secret_key: SecretStr | None = Field(
        default=None,
        description="Signs sessions and links. Made and kept in the data folder when empty.",
    )
    database_url: str | None = Field(
        default=None,
        description="SQLAlchemy address; SQLite in the data folder when empty.",
    )
    redis_url: str | None = Field(
        default=None,
        description="Redis for queue, rate limits and shared cache; embedded when empty.",
    )
    files_url: str | None = Field(
        default=None,
        description="fsspec address for uploads, such as s3://bucket/path; a folder when empty.",
    )
    files_options: dict[str, object] = Field(
        default_factory=dict,
        description="JSON options of the file store, such as endpoint_url and keys for S3.",
    )
    mail_url: SecretStr | None = Field(
        default=None,
        description="smtp://user:password@host:port, smtps:// or smtp+starttls://; a folder "
        "in the data folder when empty.",
    )
    mail_from: str = Field(
        default="Puente <no-reply@example.org>", description="Sender of all mails."
    )
    admin_email: str = Field(
        default="admin@example.org", description="Where people are told to write for help."
    )
    stripe_secret_key: SecretStr | None = Field(
        default=None, description="Stripe API key; the gateway is off when empty."
    )
    stripe_webhook_secret: SecretStr | None = Field(
        default=None, description="Secret that signs Stripe's webhooks."
    )
    stripe_api_base: str | None = Field(
        default=None, description="Other address of the Stripe API, for tests and the demo."
    )
    currencies: tuple[str, ...] = Field(
        default=("CAD", "USD", "BOB", "PEN", "COP", "CLP", "MXN", "BRL", "EUR"),
        description="Currencies in which a course run may be priced (JSON list).",
    )
    invoice_days: int = Field(
        default=30, ge=1, le=365, description="Days that organisations have to pay an invoice."
    )
    offer_days: int = Field(
        default=30, ge=1, le=365, description="Days that an offer to an organisation holds."
    )
    pause_after_days: int = Field(
        default=7,
        ge=0,
        le=365,
        description="Days that an instalment may be late until access pauses.",
    )
    plugins_off: tuple[str, ...] = Field(
        default=(), description="Names of rooms and plugins that are not loaded (JSON list)."
    )
    default_language: Literal["en", "es", "fr", "pt"] = Field(
        default="en", description="Language of visitors whose browser asks for none of the four."
    )
    default_time_zone: str = Field(
        default="America/Toronto", description="Time zone of visitors, as an IANA name."
    )
    max_upload_bytes: int = Field(
        default=50 * 1024 * 1024, gt=0, description="Largest request body, in bytes."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Least severe log line that is written."
    )
    debug: bool = Field(default=False, description="Error pages with traces; never in production.")
    secure_cookies: bool | None = Field(
        default=None,
        description="Send cookies over HTTPS only; follows the scheme of LMS_BASE_URL when empty.",
    )
    proxy_hops: int = Field(
        default=0, ge=0, description="Reverse proxies in front whose X-Forwarded-* are trusted."
    )
    rate_limits: bool = Field(default=True, description="Limit sign-in, registration and mails.")
    password_time_cost: int = Field(default=3, ge=1, description="argon2id passes.")
    password_memory_kib: int = Field(default=65536, ge=8, description="argon2id memory in KiB.")
    server_workers: int = Field(default=2, ge=1, description="Server processes of `lms run`.")
    server_threads: int = Field(default=2, ge=1, description="Threads of each server process.")
    worker_threads: int = Field(default=2, ge=1, description="Jobs that one worker runs at once.")
    metrics_token: SecretStr | None = Field(
        default=None, description="Bearer token for /metrics; only local requests when empty."
    )
    private_addresses: bool = Field(
        default=False,
        description="Let statements be forwarded into the own network: private addresses.",
    )
    verify_local: bool = Field(
        default=False,
        description="Let verification fetch from this machine, over http too: for trials alone.",
    )
    xapi_origins: tuple[str, ...] = Field(
        default=("*",),
        description=(
            "Sites whose pages may use the xAPI endpoint from a browser (JSON list of"
            " https://host); * for all."
        ),
    )
    refused_requests_days: int = Field(
        default=7, ge=1, le=90, description="Days that refused xAPI requests are kept."
    )
    records_of_closed_accounts: Literal["anonymise", "delete"] = Field(
        default="anonymise",
        description="What becomes of a person's learning records when the account is closed.",
    )
    tsa_url: str | None = Field(
        default=None,
        description="Time-stamping authority (RFC 3161) for the seals of certificates; none when"
        " empty.",
    )
    tsa_roots: Path | None = Field(
        default=None,
        description="PEM file with that authority's root certificates: seals then last for many"
        " years (PAdES B-LTA).",
    )
    demo: bool = Field(
        default=False, description="Demo data and the test payment page; never in production."
    )

    @field_validator("xapi_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin}: not an origin such as https://content.example.org")
        return value

    @field_validator("base_url")
    @classmethod
    def _plain_address(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

    @field_validator("currencies")
    @classmethod
    def _known_currencies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        from babel.numbers import list_currencies

        unknown = [code for code in value if code not in list_currencies()]
        if unknown:
            raise ValueError(f"unknown ISO 4217 currency: {', '.join(unknown)}")
        return value

    @field_validator("default_time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        from zoneinfo import available_timezones

        if value not in available_timezones():
            raise ValueError("unknown time zone; use an IANA name such as America/La_Paz")
        return value

    @model_validator(mode="after")
    def _stripe_is_whole(self) -> Settings:
        if self.stripe_secret_key and not self.stripe_webhook_secret:
            raise ValueError(
                "LMS_STRIPE_WEBHOOK_SECRET is missing: without it no payment can be confirmed"
            )
        return self

    @cached_property
    def data_path(self) -> Path:
        """The data folder as an absolute path."""
        return self.data_dir.expanduser().resolve()

    def own_file(self, name: str) -> Path:
        """A file of the data folder; both are made for their owner only when they are missing."""
        self.data_path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.data_path / name
        path.touch(mode=0o600)
        return path

    @cached_property
    def sqlalchemy_url(self) -> str:
        """Address of the database in the form SQLAlchemy takes, with the psycopg 3 driver."""
        url = self.database_url or f"sqlite:///{self.data_path / 'puente.sqlite3'}"
        for short in ("postgres://", "postgresql://"):
            if url.startswith(short):
                return "postgresql+psycopg://" + url.removeprefix(short)
        return url

    @cached_property
    def is_sqlite(self) -> bool:
        """Whether the embedded database is in use."""
        return self.sqlalchemy_url.startswith("sqlite")

    @cached_property
    def cookies_are_secure(self) -> bool:
        """Whether cookies are marked Secure."""
        if self.secure_cookies is not None:
            return self.secure_cookies
        return self.base_url.startswith("https://")

    def secret(self) -> str:
        """The signing key; made once and kept in the data folder when none is set."""
        if self.secret_key:
            return self.secret_key.get_secret_value()
        path = self.data_path / "secret_key"
        if not path.exists():
            self.data_path.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = path.with_name(f"secret_key.{os.getpid()}")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(48))
            try:
                os.link(draft, path)  # whole or not at all, and the first process wins
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return path.read_text()


def load_settings(**overrides: object) -> Settings:
    """Read the settings from the environment.

    Raises ConfigurationError with one line for each wrong variable.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            name = "LMS_" + str(problem["loc"][0]).upper() if problem["loc"] else "Settings"
            lines.append(f"{name}: {problem['msg'].removeprefix('Value error, ')}")
        raise ConfigurationError("\n".join(lines)) from None
