"""A FAKE Alertmanager over the state of the FAKE cluster: processes share it, and its answers get lost alike.

The real one is asked in tests/contract/changes. A silence here ends only when it is expired.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from maestro_cli.changes.kinds.silencing import mark_of
from maestro_cli.core.clock import from_rfc3339, to_rfc3339
from maestro_cli.core.errors import NotFound, Refused
from maestro_cli.core.facts.alerts import Alert, Silence
from maestro_cli.core.matchers import Matcher, matchers_text, parse_matchers
from maestro_cli.core.refs import silence_ref
from tests.unit.changes.fake_cluster import FakeCluster

SILENCE = silence_ref("alertname=HighErrorRate,namespace=ml")
FOREVER = "2999-01-01T00:00:00Z"
PERMISSION = "create silences"


def silence(number: int, change_id: str = "", state: str = "active") -> dict[str, Any]:
    """One as the state holds it; of a change, or of somebody else."""
    comment = f"known [maestro {change_id}]" if change_id else "theirs"
    return {"id": f"sil-{number}", "state": state, "matchers": SILENCE.name, "ends_at": FOREVER,
            "comment": comment, "by": "grace"}  # fmt: skip


class FakeAlertmanager:
    """Implements AlertmanagerPort; equal matchers alone are understood."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster

    def alerts(self, *, matchers: Sequence[Matcher] = ()) -> Sequence[Alert]:
        held = tuple(one.id for one in self.silences() if not one.is_over)
        with self._cluster.state() as state:
            firing: list[Mapping[str, str]] = state["firing"]
        return tuple(
            Alert("f", True, labels, {}, datetime(2026, 1, 1, tzinfo=UTC), suppressed_by=held)
            for labels in firing
            if all(labels.get(one.label) == one.value for one in matchers)
        )

    def silences(self) -> Sequence[Silence]:
        with self._cluster.state() as state:
            self._cluster.answer(state)
            found = tuple(map(_silence, state["silences"]))
        self._cluster.arrive()
        return found

    def create_silence(
        self, matchers: Sequence[Matcher], *, starts_at: datetime, ends_at: datetime, created_by: str,
        comment: str,
    ) -> str:  # fmt: skip
        def land(state: dict[str, Any]) -> str:
            made = {**silence(len(state["silences"])), "matchers": matchers_text(matchers),
                    "comment": comment, "ends_at": to_rfc3339(ends_at), "by": created_by}  # fmt: skip
            state["silences"].append(made)
            return str(made["id"])

        self._permit()
        mark = comment.rpartition("[maestro ")[2].rstrip("]")
        return self._cluster.send(land, mark, False, comment)

    def expire_silence(self, silence_id: str) -> None:
        def land(state: dict[str, Any]) -> None:
            for one in state["silences"]:
                if one["id"] == silence_id:
                    one["state"] = "expired"
                    return
            raise NotFound(f"no silence {silence_id}")

        self._permit()
        self._cluster.send(land, f"expired {silence_id}", False, "")

    def _permit(self) -> None:
        with self._cluster.state() as state:
            if PERMISSION in state["denied"]:
                raise Refused(f"Alertmanager refuses: {PERMISSION}")


def _silence(one: Mapping[str, Any]) -> Silence:
    started = datetime(2026, 1, 1, tzinfo=UTC)
    made = Silence(
        one["id"], one["state"], parse_matchers(one["matchers"]), started, from_rfc3339(one["ends_at"]),
        one["by"], one["comment"],
    )  # fmt: skip
    assert mark_of(made) or "[maestro" not in made.comment
    return made
