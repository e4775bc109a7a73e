"""What the process kubelet runs for an image, there being no container engine.

Invariant: an image is either in this table, or its container names its own command; anything else
cannot be pulled, and says so the way a registry would.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from maestro_cli.config.locations import shipped

_REGISTRY = "maestro.local/"
_PACKAGE_PARENT = Path(__file__).resolve().parent.parent.parent
_LONGEST_NAME = 255
_REFERENCE = re.compile(  # separators that no text can read in two ways: one that is none fails at once
    r"(?P<name>[a-z0-9]+(?:(?:[.]|__?|-+|:\d+/|/)[a-z0-9]+)*)"
    r"(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@sha256:[0-9a-f]{64})?"
)


@dataclass(frozen=True, slots=True)
class Image:
    """The entry point behind an image and the environment it needs."""

    entrypoint: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)


class ImageProblem(Exception):
    """An image that cannot be run; `reason` is the container's waiting reason."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


# As in deploy/serving/Containerfile, the entry point names the models that are in the image; whoever gives
# `--models` again has others.
_TABLE = {
    "maestro.local/model-server": Image(
        (sys.executable, "-m", "maestro_cli.serving", "--models", str(shipped("deploy") / "models")),
        {"PYTHONPATH": str(_PACKAGE_PARENT)},
    ),
}


def resolve(image: str, *, has_command: bool) -> Image:
    """The entry point of an image; an empty one when the container brings its own command.

    Raises ImageProblem: `InvalidImageName` for what is no image reference, `ErrImagePull` for an
    unknown one (any name under `maestro.local/` that is not in the table, whatever its command).
    """
    match = _REFERENCE.fullmatch(image)
    if match is None or len(match.group("name")) > _LONGEST_NAME:
        raise ImageProblem(
            "InvalidImageName", f'Failed to apply default image tag "{image}": invalid reference'
        )
    known = _TABLE.get(match.group("name"))
    if known is not None:
        return known
    if has_command and not image.startswith(_REGISTRY):
        return Image()
    raise ImageProblem(
        "ErrImagePull",
        f'failed to pull and unpack image "{image}": not found '
        "(the process kubelet runs maestro.local/model-server, or any image with an explicit command)",
    )


def digest_of(image: str) -> str:
    """A stable image ID for status; there is no real layer behind it."""
    name = _REFERENCE.fullmatch(image)
    return f"process://{image}" if name else ""
