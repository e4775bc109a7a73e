"""The bad release itself: an edited pod template, shipped as anyone would ship it. Pure."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from maestro_cli.chaos.drills.model import BadRelease
from maestro_cli.core.errors import ActionFailed


def bad_template(template: Mapping[str, Any], release: BadRelease) -> dict[str, Any]:
    """A copy of the template whose first container is as the release says.

    Raises ActionFailed when the container has no such argument: the workload is not the one this
    drill knows.
    """
    changed = copy.deepcopy(dict(template))
    containers = changed.get("spec", {}).get("containers") or [{}]
    container = containers[0]
    args = container.get("args") or []
    for flag, value in release.arguments.items():
        if flag not in args[:-1]:
            raise ActionFailed(
                f"the workload has no argument {flag}",
                why="this drill breaks the workload that the embedded platform starts",
                fix="maestro local down, then run the drill again",
            )
        args[args.index(flag) + 1] = value
    if release.added:
        container["args"] = [*args, *release.added]
    if release.image:
        container["image"] = release.image
    if release.environment:
        kept = [one for one in container.get("env") or () if one.get("name") not in release.environment]
        container["env"] = [
            *kept, *({"name": name, "value": value} for name, value in release.environment.items())
        ]  # fmt: skip
    return changed


def serves_the_same(left: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
    """Whether two templates run the same containers; annotations and hash labels do not count."""
    return bool(left.get("spec") == right.get("spec"))
