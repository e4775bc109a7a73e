"""Models: which version answers whom, how well, and what its shadow says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from maestro_cli.output.views import Column, Listing
from maestro_cli.tui.acting.model import Action, Danger, Target
from maestro_cli.tui.feeds.model import Feed
from maestro_cli.tui.screens.model import Moment, Place, TableScreen

if TYPE_CHECKING:
    from maestro_cli.services.root import Services
    from maestro_cli.services.served_models import ServedVersion


def read_models(services: Services, argument: str) -> tuple[ServedVersion, ...]:
    from maestro_cli.services.served_models import read_models

    return read_models(services)


def version_type() -> Any:
    from maestro_cli.services.served_models import ServedVersion

    return ServedVersion


MODELS: Feed[tuple[ServedVersion, ...]] = Feed("models", "Prometheus", 10.0, read_models, item=version_type)


def share(value: float | None) -> str | None:
    return None if value is None else f"{value:.2%}"


def digests(one: ServedVersion) -> str:
    """Eight digits are enough to tell versions apart; more than one digest is a fault, and said."""
    short = ", ".join(digest[:8] for digest in one.digests)
    return f"{short} DIFFER" if len(one.digests) > 1 else short


def models_listing(found: Sequence[ServedVersion], moment: Moment) -> Listing[ServedVersion]:
    columns: tuple[Column[ServedVersion], ...] = (
        Column("model", lambda one: f"{one.model}@{one.version}"),
        Column("workload", lambda one: f"{one.namespace}/{one.workload}"),
        Column("replicas", lambda one: one.replicas, right=True),
        Column("share", lambda one: share(one.share), right=True),
        Column("requests", lambda one: None if one.rate is None else f"{one.rate:.3g}/s", right=True),
        Column(
            "errors",
            lambda one: share(one.error_ratio),
            right=True,
            tone=lambda one: "bad" if (one.error_ratio or 0) > 0.01 else "",
        ),
        Column(
            "p95",
            lambda one: None if one.p95_seconds is None else f"{one.p95_seconds * 1000:.0f} ms",
            right=True,
        ),
        Column("wrong", lambda one: share(one.wrong_ratio), right=True),
        Column("cache hits", lambda one: share(one.cache_hit_ratio), right=True),
        Column("shadow agrees", lambda one: share(one.shadow_agreement), right=True),
        Column("digest", digests, tone=lambda one: "bad" if len(one.digests) > 1 else "dim"),
    )
    return Listing("model-list/v1", columns, found, empty="no replica of a model server is measured")


def model_target(one: ServedVersion, place: Place) -> Target:
    return Target(place.context, "ModelVersion", one.key, one.key, one)


def open_rollout(target: Target) -> Place:
    return Place("rollout", f"{target.item.namespace}/deploy/{target.item.workload}", target.context)


SCREENS = (
    TableScreen(
        id="models",
        title="Models",
        help="Versions of models: share of the requests, errors, wrong answers, shadows, caches.",
        feed=MODELS,
        rows=tuple,
        listing=models_listing,
        key=lambda one: one.key,
        target=model_target,
        opens=open_rollout,
        labels=lambda one: {"model": one.model, "version": one.version, "namespace": one.namespace},
        aliases=("model", "versions"),
        digit="6",
        has_namespace=False,
        actions=(
            Action(
                "models.rollout",
                "Rollout",
                "the rollout of its workload",
                Danger.OBSERVE,
                lambda target, answers: (
                    "rollout",
                    "status",
                    f"{target.item.namespace}/deploy/{target.item.workload}",
                ),
                key="o",
                opens=open_rollout,
            ),
        ),
    ),
)
