"""What a way to send a message must offer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from flask_babel.speaklater import LazyString

from lms.core.registry import Registered
from lms.notifications.models import Notice


class NotificationChannel(ABC):
    """One way to send notices. `send` runs in a job, outside of any transaction."""

    name: ClassVar[str]
    label: ClassVar[str | LazyString]

    @abstractmethod
    def wants(self, notice: Notice) -> bool:
        """Whether the person wants this notice here and now."""

    @abstractmethod
    def send(self, notice: Notice) -> None:
        """Send it. Runs at least once; raising means trying again later."""


notification_channels: Registered[NotificationChannel] = Registered(
    "notification_channels",
    NotificationChannel,  # type: ignore[type-abstract]
)
