"""Rollouts as a tree: workload, revisions, pods."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from maestro_cli.core.canonical import plain
from maestro_cli.output.views import Column, Fields, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.changes.rollouts import Rollout, RolloutPod, RolloutRevision


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    state: str
    ready: str
    restarts: int | None
    node: str
    detail: str
    tone: str


def rollout_view(rollout: Rollout) -> Report:
    """Where it is, and its tree; JSON has the same."""
    fields = Fields(
        [("workload", rollout.ref), ("rollout", rollout.stage.value), ("replicas", rollout.text),
         *([("why", rollout.why)] if rollout.why else [])]
    )  # fmt: skip
    columns: tuple[Column[_Row], ...] = (
        Column("revision, pod", lambda row: row.name),
        Column("state", lambda row: row.state, tone=lambda row: row.tone, priority=1),
        Column("ready", lambda row: row.ready, priority=1),
        Column("restarts", lambda row: row.restarts, right=True, priority=1),
        Column("node", lambda row: row.node, priority=3),
        Column("detail", lambda row: row.detail),
    )
    tree = Listing("rollout-tree/v1", columns, list(_rows(rollout)), empty="no revision is known yet")
    return Report("rollout/v1", rollout_document(rollout), (fields, tree))


def rollout_document(rollout: Rollout) -> dict[str, Any]:
    document: dict[str, Any] = plain(rollout)
    document["workload"] = str(rollout.ref)
    del document["ref"]
    return document


def rollout_line(rollout: Rollout) -> str:
    """The same on one line: where it is, and what is not well."""
    why = f"; {rollout.why}" if rollout.why else ""
    return f"{rollout.ref}  {rollout.stage.value}: {rollout.text}{why}{_not_well(rollout)}"


def _not_well(rollout: Rollout) -> str:
    pods = [pod for one in rollout.revisions if one.is_newest for pod in one.pods if not pod.ready]
    told = ", ".join(f"{pod.name} {pod.state}" for pod in pods[:3])
    more = f" and {len(pods) - 3} more" if len(pods) > 3 else ""
    return f"; not ready: {told}{more}" if told else ""


def _rows(rollout: Rollout) -> Iterator[_Row]:
    for one in rollout.revisions:
        yield _revision(one)
        yield from map(_pod, one.pods)


def _revision(one: RolloutRevision) -> _Row:
    ready = sum(pod.ready for pod in one.pods)
    state, tone = ("newest", "") if one.is_newest else ("older", "dim")
    images = ", ".join(one.images)
    return _Row(f"{one.number} {one.name}", state, f"{ready}/{len(one.pods)}", None, "", images, tone)


def _pod(pod: RolloutPod) -> _Row:
    tone = "bad" if pod.is_stuck else "good" if pod.ready else "warn"
    ready = "yes" if pod.ready else "no"
    return _Row(f"  {pod.name}", pod.state, ready, pod.restarts, pod.node, pod.message, tone)
