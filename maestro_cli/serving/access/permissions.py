"""What a route asks of its caller."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """`OPEN` is asked of nobody: probes must be answered before anybody has a key."""

    OPEN = "open"
    PREDICT = "predict"
    VIEW = "view"
    OPERATE = "operate"
    CHAOS = "chaos"
    ADMIN = "admin"
