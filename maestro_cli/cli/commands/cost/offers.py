"""What completion offers of costs: words of closed sets, and workloads that were measured or changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import typer

from maestro_cli.cli import offers


def keys(incomplete: str) -> list[str]:
    """Of `--by`, several by commas."""
    from maestro_cli.cost.allocation.grouping import GROUPINGS, LABEL

    return list(_listed(incomplete, (*GROUPINGS, LABEL)))


def idle_sharings() -> list[str]:
    from maestro_cli.cost.allocation.sharing import IdleSharing

    return [one.value for one in IdleSharing]


def spreads() -> list[str]:
    from maestro_cli.cost.allocation.sharing import Spread

    return [one.value for one in Spread]


def spreads_of_namespace(incomplete: str) -> list[str]:
    """Of `NAMESPACE=HOW`, once the namespace is there."""
    namespace, equals, _ = incomplete.partition("=")
    return [f"{namespace}={one}" for one in spreads()] if equals else []


def sharing_steps(incomplete: str) -> list[str]:
    from maestro_cli.cost.allocation.sharing import USUAL_ORDER

    return list(_listed(incomplete, (one.value for one in USUAL_ORDER)))


def pictures() -> list[str]:
    from maestro_cli.output.renderers.cost_pictures import KINDS

    return list(KINDS)


def patch_formats() -> list[str]:
    from maestro_cli.output.renderers.cost_patches import FORMATS

    return list(FORMATS)


def scales() -> list[str]:
    from maestro_cli.cost.gate.model import Scale

    return [one.value for one in Scale]


def pipeline_hosts() -> list[str]:
    from maestro_cli.services.pipeline_hosts import HOSTS

    return list(HOSTS)


def workloads_and(ending: str) -> Callable[[typer.Context, str], offers.Offered]:
    """Workloads with what a value goes on with: `ml/deploy/fraud=`."""

    def offered(ctx: typer.Context, incomplete: str) -> offers.Offered:
        if ending in incomplete:
            return []
        return [(f"{ref}{ending}", why) for ref, why in offers.measured_workloads(ctx, incomplete)]

    return offered


def _listed(incomplete: str, words: Iterable[str]) -> Iterable[str]:
    """Each word after those that are there already."""
    before, comma, _ = incomplete.rpartition(",")
    there = before.split(",")
    return (f"{before}{comma}{word}" for word in words if word not in there)
