"""What Helm says of a release.

Invariant: everything in it was written by charts and their users: text is `Untrusted`. Times are aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from maestro_cli.core.refs import ObjectRef


@dataclass(frozen=True, slots=True)
class Release:
    """One revision of a Helm release; `status` is Helm's own word.

    `content` is a digest of all that a rollback to it would install; `hooks` are what Helm runs around a
    rollback to it. `uid` is the same for all revisions of a release, and another once it was uninstalled.
    """

    ref: ObjectRef
    uid: str
    revision: int
    status: str
    description: str
    chart: str
    updated_at: datetime
    resource_version: str
    content: str
    manifest: str = field(repr=False)
    hooks: tuple[str, ...] = ()

    @property
    def generation(self) -> int:
        """It grows with each thing that Helm does to the release."""
        return self.revision

    @property
    def is_pending(self) -> bool:
        """Helm is at work on it, or ended without a word."""
        return self.status.startswith("pending-") or self.status == "uninstalling"
