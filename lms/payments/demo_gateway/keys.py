"""Whether the demo pays with test cards here, and the keys it uses for that."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass

from lms.config import Settings


@dataclass(frozen=True)
class DemoKeys:
    """Made once for each data folder; worth nothing elsewhere."""

    api_key: str
    webhook_secret: str


def is_demo(config: Settings) -> bool:
    """Whether payments go to the test page: in the demo, unless Stripe keys are set."""
    return config.demo and config.stripe_secret_key is None


def demo_keys(config: Settings) -> DemoKeys:
    """The keys of this data folder, made when they are first asked for."""
    path = config.data_path / "test_payments.json"
    if not path.exists():
        config.data_path.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = DemoKeys(
            f"sk_test_{secrets.token_urlsafe(24)}", f"whsec_{secrets.token_urlsafe(24)}"
        )
        draft = path.with_name(f"test_payments.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            json.dump(asdict(fresh), file)
        try:
            os.link(draft, path)  # whole or not at all, and the first process wins
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return DemoKeys(**json.loads(path.read_text()))
