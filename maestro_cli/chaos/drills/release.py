"""The bad release itself: an edited pod template, shipped as anyone would ship it. Pure."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from maestro_cli.core.errors import ActionFailed


def bad_template(template: Mapping[str, Any], arguments: Mapping[str, str]) -> dict[str, Any]:
    """A copy of the template whose first container gets other argument values.

    Raises ActionFailed when the container has no such argument: the workload is not the one this
    drill knows.
    """
    changed = copy.deepcopy(dict(template))
    containers = changed.get("spec", {}).get("containers") or [{}]
    args = containers[0].get("args") or []
    for flag, value in arguments.items():
        if flag not in args[:-1]:
            raise ActionFailed(
                f"the workload has no argument {flag}",
                why="this drill breaks the workload that the embedded platform starts",
                fix="maestro local down, then run the drill again",
            )
        args[args.index(flag) + 1] = value
    return changed


def serves_the_same(left: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
    """Whether two templates run the same containers; annotations and hash labels do not count."""
    return bool(left.get("spec") == right.get("spec"))
